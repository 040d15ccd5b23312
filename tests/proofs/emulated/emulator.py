"""An ESP32 in an emulator: QEMU with the chip's Wi-Fi, github.com/lcgamboa/qemu, branch picsimlab-esp32.

Here: its flash, its power, its serial port, and its link to this machine. Not here: what is done with it (run.py).
"""

import contextlib
import json
import re
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from deskonomy.economy.city import City
from deskonomy.storage.decode import decode_city
from deskonomy_host.boards.deploy import flash
from helpers.ports import find_free_ports

NETWORK = "PICSimLabWifi"  # one of the emulated Wi-Fi networks, which have no password
HOST = "10.0.2.2"  # this machine's address for the chip
_CHIP = "10.0.2.15"  # the chip's own address
_CITY_PORT, _PAGE_PORT = 55555, 80
_FLASH_BYTES = 4 << 20
_PARTITION_TABLE = 0x8000  # its offset on the flash, as ESP-IDF sets it
_PARTITION_TABLE_BYTES = 0xC00
_PARTITION_ENTRY_BYTES = 32
_PARTITION_MAGIC = 0x50AA
_TIMEOUT_S = 30
_POLL_S = 0.5


class Emulator:
    """A chip.

    Attributes:
        board: The catalog.Board of the chip.
        city: The name of the chip's city.
        city_port, page_port: The ports of this machine that lead to the chip's city and page.
        port: The path of its serial port; each power_on() makes another.
    """

    def __init__(
        self, program: str, image: str | PathLike[str], folder: str | PathLike[str], city: str, micropython: str
    ) -> None:
        """Create a chip whose flash holds this MicroPython and nothing else. Its power is off.

        Args:
            program: The path of QEMU for the chip.
            image: The path of the MicroPython image.
            folder: For the file that is its flash.
            city: The name that its city will have.
            micropython: The path of a MicroPython for this machine, which reads the flash.
        """
        data = Path(image).read_bytes()
        self.board = flash.identify_board(data)
        self.city = city
        self.city_port, self.page_port = find_free_ports(2)
        self.port: str | None = None
        self._program = program
        self._micropython = micropython
        self._flash = Path(folder) / "flash.bin"
        self._control_socket = Path(folder) / "qmp"
        self._process: subprocess.Popen[str] | None = None
        flash_data = bytearray(b"\xff" * _FLASH_BYTES)
        begin = int(self.board.flash_offset, 0)
        flash_data[begin : begin + len(data)] = data
        self._flash.write_bytes(flash_data)
        self._file_system = find_file_system(flash_data)

    def power_on(self) -> None:
        """Start the emulator."""
        forwards = ["hostfwd=tcp:127.0.0.1:%d-%s:%d" % (self.city_port, _CHIP, _CITY_PORT)]
        forwards.append("hostfwd=tcp:127.0.0.1:%d-%s:%d" % (self.page_port, _CHIP, _PAGE_PORT))
        network_card = ",".join(["user", "id=air", "model=%s_wifi" % self.board.mcu, *forwards])
        self._control_socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [self._program, "-M", self.board.mcu + "-picsimlab", "-display", "none", "-serial", "pty"]
            + ["-drive", "file=%s,if=mtd,format=raw" % self._flash, "-nic", network_card]
            + ["-qmp", "unix:%s,server=on,wait=off" % self._control_socket],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            match = re.search(r"redirected to (\S+)", line)
            if match:
                self.port = match[1]
                return
        raise AssertionError("%s ended at once: %s" % (self._program, "".join(lines)))

    def cut_power(self) -> None:
        """Kill the emulator at any moment; what the program has not written to the flash yet is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def press_reset(self) -> None:
        """Press the chip's reset button."""
        self._send_control_command("system_reset")

    def set_link(self, is_up: bool) -> None:
        """Let everything through the Wi-Fi, or nothing; neither end is notified."""
        self._send_control_command("set_link", name="air", up=is_up)

    def load_saved_city(self) -> City:
        """Return the City that the flash holds. The power must be off."""
        reader = Path(__file__).with_name("read_flash.py")
        command = [self._micropython, "-X", "heapsize=16m", reader, self._flash, *map(str, self._file_system)]
        run = subprocess.run([*command, "city.state"], check=True, capture_output=True, timeout=_TIMEOUT_S)
        return decode_city(run.stdout)

    def _send_control_command(self, command: str, **arguments: Any) -> None:
        """Send a command to the emulator by QMP, QEMU's control protocol."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(self._control_socket))
            answers = connection.makefile("r")
            answers.readline()  # the greeting
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(answers.readline())
                while "event" in answer:
                    answer = json.loads(answers.readline())
                assert "return" in answer, answer


def find_file_system(flash_data: bytes | bytearray) -> tuple[int, int]:
    """Return (offset, bytes) of the file system on a flash.

    It is the partition "vfs" of the partition table, or all that lies behind the last partition.
    """
    end = 0
    for entry in range(_PARTITION_TABLE, _PARTITION_TABLE + _PARTITION_TABLE_BYTES, _PARTITION_ENTRY_BYTES):
        magic, _, _, begin, size, label = struct.unpack_from("<HBBII16s", flash_data, entry)
        if magic == _PARTITION_MAGIC:
            if label.rstrip(b"\0") == b"vfs":
                return begin, size
            end = max(end, begin + size)
    return end, len(flash_data) - end


def wait_until(condition: Callable[[], Any], timeout_s: float, expectation: str) -> Any:
    """Call condition() twice a second until its result is true, and return the result.

    Args:
        condition: A function without arguments.
        timeout_s: How long to wait.
        expectation: What is expected, for the message of the AssertionError at the timeout.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(_POLL_S)
    raise AssertionError("it took more than %d s: %s" % (timeout_s, expectation))
