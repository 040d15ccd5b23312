"""Serial ports: which look like boards, how one is opened, and in words why it cannot be.

Here: pyserial, and the simulated boards that run on this machine. Not here: what a board says (board_console.py), what
mpremote does on a port (mpremote_run.py).
"""

import errno
import os
import sys
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from deskonomy_host.control import server as control
from deskonomy_host.errors import OperationError, UsageError

BAUD = 115200
# USB makers of ESP32 chips and of the serial converters beside them.
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


@dataclass(frozen=True)
class Found:
    """A port that looks like a board. path: such as /dev/ttyUSB0. what: what is known of it without opening it."""

    path: str
    what: str


def found():
    """The ports that look like boards, simulated ones too: a list of Found."""
    usb = [
        Found(port.device, " ".join(filter(None, (_VENDORS[port.vid], port.product))))
        for port in sorted(list_ports.comports())
        if port.vid in _VENDORS
    ]
    simulated = [
        Found(control.ask(entry, "serial")["serial"], "simulated")
        for entry in control.running()
        if "serial" in entry.commands
    ]
    return usb + simulated


def pick(path=None):
    """This port, or the only one that looks like a board. Raises OperationError for none, Wrong for more than one."""
    if path:
        return path
    paths = [port.path for port in found()]
    if not paths:
        raise OperationError(
            "no port looks like a board: plug it in with a cable that carries data, or name its port; "
            "for a simulated one: deskonomy board sim"
        )
    if len(paths) > 1:
        raise UsageError("more than one port looks like a board: name one of %s" % ", ".join(paths))
    return paths[0]


def open_port(path, timeout_s=0.2):
    """A serial.Serial that nobody else has open. Raises OperationError."""
    try:
        return serial.Serial(path, BAUD, timeout=timeout_s, write_timeout=5, exclusive=True)
    except (OSError, ValueError) as error:
        raise OperationError(explain(path, error)) from None


def why_not(path):
    """Why this port cannot be opened, in words; None if it can be."""
    try:
        open_port(path).close()
    except OperationError as error:
        return str(error)
    return None


def explain(path, error):
    """What went wrong when this port was opened, in words, and what to do."""
    number = getattr(error, "errno", None)
    said = str(error)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or (os.name == "nt" and "Access is denied" in said):
        return "%s is busy: another program has it open (deskonomy board monitor, mpremote, an IDE?); close that" % path
    if number in (errno.EACCES, errno.EPERM):
        return "no permission for %s: %s" % (path, _grant(path))
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in said:
        return "there is no port %s: is the board plugged in? deskonomy board list shows what is there" % path
    if number in (errno.ENOTTY, errno.EISDIR, errno.EINVAL) or "Could not configure" in said:
        return "%s is no serial port" % path
    return "%s cannot be opened: %s" % (path, said.rpartition("] ")[2] or said)


def _grant(path):
    if not sys.platform.startswith("linux"):
        return "your user may not use it"
    try:
        import grp

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError, ImportError):
        group = "dialout"
    return "type sudo usermod -a -G %s $USER, then log out and in again" % ("dialout" if group == "root" else group)
