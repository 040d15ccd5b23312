"""An ESP32 in an emulator: QEMU with the chip's Wi-Fi, as github.com/lcgamboa/qemu has it (branch picsimlab-esp32).

Here: its flash, its power, its serial port, and the air between it and us. Not here: what is done with it (run.py).
"""

import contextlib
import json
import re
import socket
import struct
import subprocess
import time
from pathlib import Path

from deskonomy.storage.decode import thaw
from deskonomy_host.boards.deploy import flash
from proofs.chaos.town import free_ports

NETWORK = "PICSimLabWifi"  # of those that its air has; none has a password
HOST = "10.0.2.2"  # what the chip calls this machine
_CHIP = "10.0.2.15"  # what the chip is called in there
_CITY_PORT, _PAGE_PORT = 55555, 80
_FLASH_BYTES = 4 << 20
_PARTITIONS = 0x8000
_PATIENCE_S = 30


class Emulator:
    """A chip with nothing but this MicroPython image (a path) on its flash. program: QEMU's path, for that chip.

    board: the boards.Board of it. port: its serial port, another after each power_on(). city: its city's name.
    city_port, page_port: where they are reached on this machine. micropython: one for this machine, which reads its
    flash.
    """

    def __init__(self, program, image, folder, city, micropython):
        data = Path(image).read_bytes()
        self.board = flash.board_of(data)
        self.city = city
        self.city_port, self.page_port = free_ports(2)
        self.port = None
        self._program = program
        self._micropython = micropython
        self._flash = Path(folder) / "flash.bin"
        self._talk = Path(folder) / "qmp"
        self._process = None
        cells = bytearray(b"\xff" * _FLASH_BYTES)
        begin = int(self.board.flash_offset, 0)
        cells[begin : begin + len(data)] = data
        self._flash.write_bytes(cells)
        self._files = _files(cells)

    def power_on(self):
        forwards = ["hostfwd=tcp:127.0.0.1:%d-%s:%d" % (self.city_port, _CHIP, _CITY_PORT)]
        forwards.append("hostfwd=tcp:127.0.0.1:%d-%s:%d" % (self.page_port, _CHIP, _PAGE_PORT))
        air = ",".join(["user", "id=air", "model=%s_wifi" % self.board.mcu, *forwards])
        self._talk.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [self._program, "-M", self.board.mcu + "-picsimlab", "-display", "none", "-serial", "pty"]
            + ["-drive", "file=%s,if=mtd,format=raw" % self._flash, "-nic", air]
            + ["-qmp", "unix:%s,server=on,wait=off" % self._talk],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        for line in self._process.stdout:
            said.append(line)
            found = re.search(r"redirected to (\S+)", line)
            if found:
                self.port = found[1]
                return
        raise AssertionError("%s ended at once: %s" % (self._program, "".join(said)))

    def cut_power(self):
        """At whatever moment it is; what its flash has not been told yet is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def press_reset(self):
        self._order("system_reset")

    def mute(self, muted):
        """Whether nothing gets through the air, without anybody being told."""
        self._order("set_link", name="air", up=not muted)

    def saved(self):
        """The City as its flash has it; while its power is off."""
        reader = Path(__file__).with_name("read_flash.py")
        words = [self._micropython, "-X", "heapsize=16m", reader, self._flash, *map(str, self._files), "city.state"]
        return thaw(subprocess.run(words, check=True, capture_output=True, timeout=_PATIENCE_S).stdout)

    def _order(self, command, **words):
        """Tell the emulator by QEMU's own protocol, QMP."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as talk:
            talk.settimeout(_PATIENCE_S)
            talk.connect(str(self._talk))
            answers = talk.makefile("r")
            answers.readline()  # who it is
            for order in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": words}):
                talk.sendall(json.dumps(order).encode() + b"\n")
                answer = json.loads(answers.readline())
                while "event" in answer:
                    answer = json.loads(answers.readline())
                assert "return" in answer, answer


def _files(cells):
    """(where, bytes) of the files' part of a flash: the image's table has it as "vfs", or it is all that is left."""
    end = 0
    for at in range(_PARTITIONS, _PARTITIONS + 0xC00, 32):
        magic, _, _, begin, size, label = struct.unpack_from("<HBBII16s", cells, at)
        if magic == 0x50AA:
            if label.rstrip(b"\0") == b"vfs":
                return begin, size
            end = max(end, begin + size)
    return end, len(cells) - end


def until(true, seconds, what):
    """Wait until true() says so; what it says then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = true()
        if result:
            return result
        time.sleep(0.5)
    raise AssertionError("it took more than %d s: %s" % (seconds, what))
