"""Serial ports: error messages, the choice of a port, a chip that does not answer, and writing MicroPython to it."""

import errno
import os
import sys
import threading
import time

import pytest
import serial
from deskonomy_host.apps import board_setup
from deskonomy_host.boards.deploy import flash
from deskonomy_host.boards.serial import console, ports
from deskonomy_host.boards.serial.console import SerialConsole
from deskonomy_host.errors import OperationError, UsageError

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


@pytest.fixture
def port():
    """Return the path of a port whose other end is silent, and the file descriptor of that end."""
    inside, outside = pty.openpty()
    yield os.ttyname(outside), inside
    os.close(inside)
    os.close(outside)


def test_free_port_has_no_problem(port):
    assert ports.diagnose_port(port[0]) is None


def test_console_waits_for_missing_port(port, monkeypatch):
    """The port of a chip with its own USB is missing for a moment after each reset."""
    real_open_port, failures = ports.open_port, []

    def open_port(path):
        if failures:
            raise OperationError(failures.pop())
        return real_open_port(path)

    monkeypatch.setattr(ports, "open_port", open_port)
    monkeypatch.setattr(console, "_RETRY_S", 0)
    failures[:] = 3 * ["there is no port"]
    with SerialConsole(port[0], patience_s=60) as serial_console:
        assert not failures
        failures[:] = 3 * ["there is no port"]
        serial_console.reopen()
        failures[:] = 3 * ["there is no port"]
        with pytest.raises(OperationError, match="there is no port"):
            serial_console.reopen(time.monotonic() - 1)
    failures[:] = 3 * ["there is no port"]
    with pytest.raises(OperationError, match="there is no port"), SerialConsole(port[0]):
        pass


def test_message_names_missing_port():
    assert ports.diagnose_port("/dev/ttyNONE").startswith("there is no port /dev/ttyNONE: is the board plugged in?")


def test_message_names_busy_port(port):
    with ports.open_port(port[0]):
        assert ports.diagnose_port(port[0]).startswith(f"{port[0]} is busy: another program has it open")


def test_message_names_path_that_is_no_port(tmp_path):
    assert ports.diagnose_port(str(tmp_path)) == f"{tmp_path} is no serial port"
    (tmp_path / "file").touch()
    assert ports.diagnose_port(str(tmp_path / "file")) == f"{tmp_path / 'file'} is no serial port"


@pytest.mark.parametrize(
    "number, message",
    [
        (errno.EACCES, "no permission for PORT: "),
        (errno.EPERM, "no permission for PORT: "),
        (errno.EBUSY, "PORT is busy: another program"),
        (errno.EAGAIN, "PORT is busy: another program"),
        (errno.ENXIO, "there is no port PORT: "),
        (errno.EIO, "PORT cannot be opened: "),
    ],
)
def test_message_for_each_error_number(number, message):
    error = serial.SerialException(number, "could not open port PORT: [Errno %d] %s" % (number, os.strerror(number)))
    assert ports.explain_error("PORT", error).startswith(message)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="groups of ports are Linux's")
def test_message_for_missing_permission_names_command(port):
    error = serial.SerialException(errno.EACCES, "Permission denied")
    assert "sudo usermod -a -G " in ports.explain_error(port[0], error)


def test_only_port_is_chosen_and_of_two_the_user_names_one(monkeypatch):
    found = []
    monkeypatch.setattr(ports, "find_ports", lambda: found)
    with pytest.raises(OperationError, match="no port looks like a board: plug it in with a cable that carries data"):
        ports.choose_port()
    found.append(ports.PortInfo("/dev/ttyUSB0", "CP210x converter"))
    assert ports.choose_port() == "/dev/ttyUSB0"
    found.append(ports.PortInfo("/dev/ttyACM0", "Espressif"))
    with pytest.raises(UsageError, match="name one of /dev/ttyUSB0, /dev/ttyACM0"):
        ports.choose_port()
    assert ports.choose_port("/dev/ttyACM0") == "/dev/ttyACM0"


def test_message_for_silent_chip_has_commands_that_flash_it(port, monkeypatch):
    monkeypatch.setattr(board_setup, "_ANSWER_S", 0.3)
    with pytest.raises(OperationError) as caught:
        board_setup.deploy(port[0])
    message = str(caught.value)
    assert message.startswith(f"no MicroPython answers on {port[0]}.") and "--flash-firmware FILE.bin" in message
    assert f"ESP32_GENERIC: esptool --port {port[0]} write-flash --erase-all 0x1000 FILE.bin" in message
    assert (
        f"ESP32_GENERIC_C3 or ESP32_GENERIC_S3: esptool --port {port[0]} write-flash --erase-all 0 FILE.bin" in message
    )


STATUS = b'{"city": "DESKTOWN", "tick": 5, "price": {}, "yield": {}, "merchants": {}, "roads": {}, "address": null}'


@pytest.fixture
def offline_city(port):
    """Return the path of a port on which a city prints its status, without an address."""
    ended = threading.Event()

    def print_lines():
        while not ended.wait(0.1):
            os.write(port[1], b"no answer from Wi-Fi HOME\r\n" + STATUS + b"\r\n")

    thread = threading.Thread(target=print_lines)
    thread.start()
    yield port[0]
    ended.set()
    thread.join()


def test_city_without_wifi_connection_fails_with_advice(offline_city, monkeypatch, capsys):
    monkeypatch.setattr(board_setup, "_START_S", 3)
    with pytest.raises(
        OperationError, match=r"DESKTOWN runs, but is not on Wi-Fi HOME: .* is the password right.* --wifi NETWORK"
    ):
        board_setup._wait_until_up(offline_city, {"wifi": [["HOME", "wrong"]]})
    assert "no answer from Wi-Fi HOME" in capsys.readouterr().out


def test_city_without_networks_is_up_alone(offline_city, capsys):
    board_setup._wait_until_up(offline_city, {"wifi": []})
    assert "DESKTOWN is up, alone: deskonomy board setup" in capsys.readouterr().out


def make_image(chip, magic=0xE9):
    """Return the header of a MicroPython image for the chip of this number."""
    return bytes([magic, 3, 2, 0x20, *[0] * 8]) + chip.to_bytes(2, "little") + bytes(10)


@pytest.mark.parametrize(
    "chip, name, offset", [(0, "ESP32_GENERIC", "0x1000"), (9, "ESP32_GENERIC_S3", "0"), (5, "ESP32_GENERIC_C3", "0")]
)
def test_image_identifies_its_board(chip, name, offset):
    board = flash.identify_board(make_image(chip))
    assert board.name == name
    assert flash.make_esptool_arguments("PORT", board, "FILE")[-4:] == ["write-flash", "--erase-all", offset, "FILE"]


def test_message_for_images_that_cannot_be_flashed():
    with pytest.raises(UsageError, match="no image for an ESP32"):
        flash.identify_board(b"\x7fELF" + bytes(30))
    with pytest.raises(UsageError, match="for a chip \\(number 99\\) that is not known"):
        flash.identify_board(make_image(99))
    with pytest.raises(OperationError, match="no board with a chip esp32h2"):
        flash.identify_board(make_image(16))


def test_message_for_missing_esptool_has_install_command(tmp_path, monkeypatch):
    (tmp_path / "image.bin").write_bytes(make_image(0))
    monkeypatch.setitem(sys.modules, "esptool", None)
    with pytest.raises(OperationError, match=r"needs esptool, which is not installed; type: pip install '.*\[flash\]'"):
        flash.flash_micropython("PORT", tmp_path / "image.bin", flash.identify_file(tmp_path / "image.bin"))


ESPTOOL = """
import pathlib, sys
pathlib.Path(__file__).with_name("arguments").write_text(" ".join(sys.argv[1:]))
sys.exit("BAD" in sys.argv[-1])
"""


def test_esptool_erases_and_writes_in_one_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "esptool.py").write_text(ESPTOOL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "BAD.bin").write_bytes(make_image(9))
    file = (tmp_path / "BAD.bin").rename(tmp_path / "GOOD.bin")
    flash.flash_micropython("PORT", file, flash.identify_file(file))
    arguments = f"--chip esp32s3 --port PORT --baud 460800 write-flash --erase-all 0 {file}"
    assert (tmp_path / "arguments").read_text() == arguments
    assert capsys.readouterr().out == "MicroPython is on the esp32s3 at PORT\n"
    file = file.rename(tmp_path / "BAD.bin")
    with pytest.raises(OperationError, match="esptool could not put MicroPython on PORT; its message above says why"):
        flash.flash_micropython("PORT", file, flash.identify_file(file))
