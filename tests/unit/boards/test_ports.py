"""Serial ports: why one cannot be opened, in words; which one is meant; a chip on which nothing answers."""

import errno
import os
import sys
import threading
import time

import pytest
import serial
from deskonomy_host.apps import board_setup
from deskonomy_host.boards.deploy import flash
from deskonomy_host.boards.serial import console as board_port
from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.console import BoardPort
from deskonomy_host.errors import OperationError, UsageError

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


@pytest.fixture
def port():
    """The path of a port whose other end says nothing, and that end."""
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs), ours
    os.close(ours)
    os.close(theirs)


def test_a_port_that_is_free_can_be_opened(port):
    assert ports.why_not(port[0]) is None


def test_a_port_that_is_away_for_a_moment_is_waited_for(port, monkeypatch):
    """As that of a chip with USB of its own is, after each reset."""
    real, away = ports.open_port, []

    def open_port(path):
        if away:
            raise OperationError(away.pop())
        return real(path)

    monkeypatch.setattr(ports, "open_port", open_port)
    monkeypatch.setattr(board_port, "_AGAIN_S", 0)
    away[:] = 3 * ["there is no port"]
    with BoardPort(port[0], patience_s=60) as board:
        assert not away
        away[:] = 3 * ["there is no port"]
        board.again()
        away[:] = 3 * ["there is no port"]
        with pytest.raises(OperationError, match="there is no port"):
            board.again(time.monotonic() - 1)
    away[:] = 3 * ["there is no port"]
    with pytest.raises(OperationError, match="there is no port"), BoardPort(port[0]):
        pass


def test_a_missing_port_is_said():
    assert ports.why_not("/dev/ttyNONE").startswith("there is no port /dev/ttyNONE: is the board plugged in?")


def test_a_busy_port_is_said(port):
    with ports.open_port(port[0]):
        assert ports.why_not(port[0]).startswith(f"{port[0]} is busy: another program has it open")


def test_what_is_no_port_is_said(tmp_path):
    assert ports.why_not(str(tmp_path)) == f"{tmp_path} is no serial port"
    (tmp_path / "file").touch()
    assert ports.why_not(str(tmp_path / "file")) == f"{tmp_path / 'file'} is no serial port"


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.EACCES, "no permission for PORT: "),
        (errno.EPERM, "no permission for PORT: "),
        (errno.EBUSY, "PORT is busy: another program"),
        (errno.EAGAIN, "PORT is busy: another program"),
        (errno.ENXIO, "there is no port PORT: "),
        (errno.EIO, "PORT cannot be opened: "),
    ],
)
def test_every_error_number_has_its_words(number, words):
    error = serial.SerialException(number, "could not open port PORT: [Errno %d] %s" % (number, os.strerror(number)))
    assert ports.explain("PORT", error).startswith(words)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="groups of ports are Linux's")
def test_who_may_not_use_a_port_is_told_how(port):
    error = serial.SerialException(errno.EACCES, "Permission denied")
    assert "sudo usermod -a -G " in ports.explain(port[0], error)


def test_the_only_port_is_meant_and_of_two_one_must_be_named(monkeypatch):
    found = []
    monkeypatch.setattr(ports, "found", lambda: found)
    with pytest.raises(OperationError, match="no port looks like a board: plug it in with a cable that carries data"):
        ports.pick()
    found.append(ports.Found("/dev/ttyUSB0", "CP210x converter"))
    assert ports.pick() == "/dev/ttyUSB0"
    found.append(ports.Found("/dev/ttyACM0", "Espressif"))
    with pytest.raises(UsageError, match="name one of /dev/ttyUSB0, /dev/ttyACM0"):
        ports.pick()
    assert ports.pick("/dev/ttyACM0") == "/dev/ttyACM0"


def test_a_chip_that_says_nothing_is_told_how_to_get_micropython(port, monkeypatch):
    monkeypatch.setattr(board_setup, "_ANSWER_S", 0.3)
    with pytest.raises(OperationError) as caught:
        board_setup.deploy(port[0])
    said = str(caught.value)
    assert said.startswith(f"no MicroPython answers on {port[0]}.") and "--flash-firmware FILE.bin" in said
    assert f"ESP32_GENERIC: esptool --port {port[0]} write-flash --erase-all 0x1000 FILE.bin" in said
    assert f"ESP32_GENERIC_C3 or ESP32_GENERIC_S3: esptool --port {port[0]} write-flash --erase-all 0 FILE.bin" in said


STATUS = b'{"city": "DESKTOWN", "tick": 5, "price": {}, "yield": {}, "merchants": {}, "roads": {}, "address": null}'


@pytest.fixture
def away_from_wifi(port):
    """The path of a port on which a city speaks that is on no Wi-Fi."""
    ended = threading.Event()

    def speak():
        while not ended.wait(0.1):
            os.write(port[1], b"no answer from Wi-Fi HOME\r\n" + STATUS + b"\r\n")

    speaking = threading.Thread(target=speak)
    speaking.start()
    yield port[0]
    ended.set()
    speaking.join()


def test_a_city_that_does_not_get_onto_wifi_is_said_with_what_to_do(away_from_wifi, monkeypatch, capsys):
    monkeypatch.setattr(board_setup, "_UP_S", 3)
    with pytest.raises(
        OperationError, match=r"DESKTOWN runs, but is not on Wi-Fi HOME: .* is the password right.* --wifi NETWORK"
    ):
        board_setup._wait_until_up(away_from_wifi, {"wifi": [["HOME", "wrong"]]})
    assert "no answer from Wi-Fi HOME" in capsys.readouterr().out


def test_a_city_without_wifi_is_up_alone(away_from_wifi, capsys):
    board_setup._wait_until_up(away_from_wifi, {"wifi": []})
    assert "DESKTOWN is up, alone: deskonomy board setup" in capsys.readouterr().out


def image(chip, magic=0xE9):
    """The beginning of a MicroPython image for this chip's number."""
    return bytes([magic, 3, 2, 0x20, *[0] * 8]) + chip.to_bytes(2, "little") + bytes(10)


@pytest.mark.parametrize(
    "chip, name, offset", [(0, "ESP32_GENERIC", "0x1000"), (9, "ESP32_GENERIC_S3", "0"), (5, "ESP32_GENERIC_C3", "0")]
)
def test_an_image_says_what_chip_it_is_for(chip, name, offset):
    board = flash.board_of(image(chip))
    assert board.name == name
    assert flash.words("PORT", board, "FILE")[-4:] == ["write-flash", "--erase-all", offset, "FILE"]


def test_images_that_cannot_be_flashed_are_said():
    with pytest.raises(UsageError, match="no image for an ESP32"):
        flash.board_of(b"\x7fELF" + bytes(30))
    with pytest.raises(UsageError, match="for a chip \\(number 99\\) that is not known"):
        flash.board_of(image(99))
    with pytest.raises(OperationError, match="no board with a chip esp32h2"):
        flash.board_of(image(16))


def test_without_esptool_it_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "image.bin").write_bytes(image(0))
    monkeypatch.setattr(flash.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OperationError, match=r"esptool is not installed: pip install 'deskonomy\[flash\]'"):
        flash.flash("PORT", tmp_path / "image.bin", flash.board_for(tmp_path / "image.bin"))


ESPTOOL = """
import pathlib, sys
pathlib.Path(__file__).with_name("told").write_text(" ".join(sys.argv[1:]))
sys.exit("BAD" in sys.argv[-1])
"""


def test_esptool_is_told_to_erase_and_write_in_one_go(tmp_path, monkeypatch, capsys):
    (tmp_path / "esptool.py").write_text(ESPTOOL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "BAD.bin").write_bytes(image(9))
    file = (tmp_path / "BAD.bin").rename(tmp_path / "GOOD.bin")
    flash.flash("PORT", file, flash.board_for(file))
    told = f"--chip esp32s3 --port PORT --baud 460800 write-flash --erase-all 0 {file}"
    assert (tmp_path / "told").read_text() == told
    assert capsys.readouterr().out == "MicroPython is on the esp32s3 at PORT\n"
    file = file.rename(tmp_path / "BAD.bin")
    with pytest.raises(
        OperationError, match="esptool could not put MicroPython on PORT, and says why above; hold the board"
    ):
        flash.flash("PORT", file, flash.board_for(file))
