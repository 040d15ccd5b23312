"""Serial ports: finding those that look like boards, opening one, and explaining why one cannot be opened.

Here: pyserial, and the simulated boards that run on this machine. Not here: what a board prints (lines.py), what
mpremote does on a port (mpremote.py).
"""

import errno
import os
import sys
from typing import NamedTuple

import serial
from serial.tools import list_ports

from deskonomy_host.control import client
from deskonomy_host.errors import OperationError, UsageError

_BAUD = 115200
# USB vendors of ESP32 chips, and of the serial converters beside them.
_VENDORS = {
    0x303A: "Espressif",
    0x10C4: "CP210x converter",
    0x1A86: "CH340 converter",
    0x0403: "FTDI converter",
    0x067B: "PL2303 converter",
    0x2341: "Arduino",
    0x239A: "Adafruit",
    0x1B4F: "SparkFun",
    0x2886: "Seeed",
}


class PortInfo(NamedTuple):
    """A port that looks like a board.

    Attributes:
        path: Such as /dev/ttyUSB0.
        description: What is known of it without opening it.
    """

    path: str
    description: str


def find_ports() -> list[PortInfo]:
    """Return the ports that look like boards, those of simulated boards too."""
    usb = [
        PortInfo(port.device, " ".join(filter(None, (_VENDORS[port.vid], port.product))))
        for port in sorted(list_ports.comports())
        if port.vid in _VENDORS
    ]
    simulated = [
        PortInfo(client.send_to_process(entry, "serial")["serial"], "simulated")
        for entry in client.list_processes()
        if "serial" in entry.commands
    ]
    return usb + simulated


def choose_port(path: str | None = None) -> str:
    """Return this path, or that of the only port that looks like a board.

    Raises:
        OperationError: No port looks like a board.
        UsageError: Several ports look like boards.
    """
    if path:
        return path
    paths = [port.path for port in find_ports()]
    if not paths:
        raise OperationError(
            "no port looks like a board: plug it in with a cable that carries data, or name its port; "
            "for a simulated one: deskonomy board sim"
        )
    if len(paths) > 1:
        raise UsageError("more than one port looks like a board: name one of %s" % ", ".join(paths))
    return paths[0]


def open_port(path: str, timeout_s: float = 0.2) -> serial.Serial:
    """Open a port that no other program has open. Raises OperationError."""
    try:
        return serial.Serial(path, _BAUD, timeout=timeout_s, write_timeout=5, exclusive=True)
    except (OSError, ValueError) as error:
        raise OperationError(explain_error(path, error)) from None


def diagnose_port(path: str) -> str | None:
    """Return why this port cannot be opened, as one line; None if it can be opened."""
    try:
        open_port(path).close()
    except OperationError as error:
        return str(error)
    return None


def explain_error(path: str, error: Exception) -> str:
    """Return one line that says what went wrong when this port was opened, and what to do."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or (os.name == "nt" and "Access is denied" in text):
        return "%s is busy: another program has it open (deskonomy board monitor, mpremote, an IDE?); close that" % path
    if number in (errno.EACCES, errno.EPERM):
        return "no permission for %s: %s" % (path, _advise_permission(path))
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return "there is no port %s: is the board plugged in? deskonomy board list shows the ports" % path
    if number in (errno.ENOTTY, errno.EISDIR, errno.EINVAL) or "Could not configure" in text:
        return "%s is no serial port" % path
    return "%s cannot be opened: %s" % (path, text.rpartition("] ")[2] or text)


def _advise_permission(path: str) -> str:
    """Return what gives the user the permission to open this port."""
    if not sys.platform.startswith("linux"):
        return "your user may not use it"
    try:
        import grp

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError, ImportError):
        group = "dialout"
    return "type sudo usermod -a -G %s $USER, then log out and in again" % ("dialout" if group == "root" else group)
