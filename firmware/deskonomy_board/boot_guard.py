"""The boot guard: it begins a start, counts crashes, and stops a crash loop in safe mode.

Here: crashed starts are counted on the flash; after three in a row the program does not run, so that the REPL is free
and crash.log can be read. Any other start switches the radio on. Not here: the program itself (main.py), the errors of
config.json (config.py).

A start counts as crashed until it has run for a minute or Ctrl-C has ended it (main.py then forgets it), unless it
follows a power cut, the reset button, or a soft reset that a user typed. So the watchdog and a fault below Python count
as well.
"""

import os
import sys
import time

import machine
import network
from deskonomy.errors import ConfigError
from micropython import const

# The number of starts in a row that have crashed, this one included; then " said" if crash.log has the cause.
_STARTS_FILE = const("starts.txt")
_LOG_FILE = const("crash.log")
_CRASHES_MAX = const(3)
_LOG_CHARACTERS_MAX = const(2048)
_CAUSE_CHARACTERS_MAX = const(900)  # of a single cause in the log
_REPL_TIMEOUT_MS = const(86_400_000)  # of the watchdog: a day at the REPL, or for a deploy
_PAUSE_S = const(3)  # before the reset, so that a crash loop can be read and stopped
_FULL = const("is the flash full? Remove files of yours: mpremote fs tree -s shows them")


def begin_start() -> "dict | None":
    """Return the settings of config.json; None if this start must not run, for a reason that the console shows."""
    cause = machine.reset_cause()
    crashes, is_logged = _read_crashes() if cause in (machine.HARD_RESET, machine.WDT_RESET) else (0, True)
    if cause == machine.WDT_RESET:
        _append_log("The watchdog reset the board: its program stood still.\n")
    elif crashes and not is_logged:
        _append_log("The board was reset within its first minute, not by Python: a fault below it?\n")
    if crashes >= _CRASHES_MAX:
        print("SAFE MODE: %d starts in a row crashed, so the city waits. The end of %s:" % (crashes, _LOG_FILE))
        print(_read(_LOG_FILE)[-_CAUSE_CHARACTERS_MAX:])
        print("The next reset tries again. New firmware: deskonomy board deploy. New settings: deskonomy board setup")
        forget_crashes()
        return None
    try:
        _write(_STARTS_FILE, "%d" % (crashes + 1))
    except OSError as error:
        print("crashes cannot be counted (%s): %s" % (error, _FULL))
    from deskonomy_board import config

    try:
        settings = config.read_settings()
    except ConfigError as error:
        forget_crashes()
        print(error)
        print("The city waits. Correct the file with: deskonomy board setup")
        return None
    _switch_radio_on(settings["wifi"], settings["city"])
    return settings


def _switch_radio_on(networks, city):
    """Switch the radio on, as the host NAME.local, before the heap grows into the memory that the radio needs."""
    if not networks:
        print("no Wi-Fi: config.json names no network, so this city stays alone")
        return
    hostname = "".join([c if c.isalpha() or c.isdigit() else "-" for c in city.lower()])[:32].strip("-")
    network.hostname(hostname or "deskonomy")
    station = network.WLAN(network.STA_IF)
    station.active(True)
    station.config(reconnects=0)  # only wifi.py decides when to try again
    # After a soft reset the station is often still on its network.
    if station.isconnected() and station.config("ssid") not in [name for name, _ in networks]:
        station.disconnect()


def handle_crash(error: Exception, settings: "dict | None") -> None:
    """Log the exception that ended the program, and reset; leave the board to the REPL if crashes cannot be counted."""
    traceback = __import__("io").StringIO()  # by its name as text: the StringIO of the stubs has no getvalue()
    sys.print_exception(error, traceback)
    print()  # ends a status line that may have begun
    print(traceback.getvalue())
    _append_log(traceback.getvalue())
    try:
        _write(_STARTS_FILE, "%d said" % max(1, _read_crashes()[0]))
    except OSError as error:
        print("No reset, because crashes cannot be counted (%s): %s" % (error, _FULL))
        leave_to_repl(settings)
        return
    try:
        print("The cause is in %s. Reset in %d s; Ctrl-C stops that." % (_LOG_FILE, _PAUSE_S))
        time.sleep(_PAUSE_S)
    except KeyboardInterrupt:
        leave_to_repl(settings)
        raise
    machine.reset()


def leave_to_repl(settings: "dict | None", running: "list | None" = None) -> None:
    """Leave the board to the REPL: count no crash, and give the watchdog, which cannot be stopped, a long timeout.

    Args:
        settings: Those of the program that has ended; None if it had none yet.
        running: Its status report, if a city ran.
    """
    print()  # ends a status line that may have begun
    forget_crashes()
    if settings and settings["watchdog"]:
        machine.WDT(timeout=_REPL_TIMEOUT_MS)
    if settings and running and not isinstance(running[0], bytearray):  # those are memory that a start keeps free
        try:
            from deskonomy_board import repl

            repl.open_repl(running[0], settings)
        except (ImportError, MemoryError) as error:
            print("no look at the city: %s" % error)


def forget_crashes() -> None:
    """Set the count of crashed starts to zero."""
    try:
        os.remove(_STARTS_FILE)
    except OSError:
        pass  # there was none


def _read_crashes():
    """Return (starts in a row that crashed, whether crash.log has the cause of the last one)."""
    count, _, is_logged = _read(_STARTS_FILE).partition(" ")
    return (int(count), bool(is_logged)) if count.isdigit() else (0, True)


def _append_log(text):
    """Append to the log, and drop its oldest part."""
    if len(text) > _CAUSE_CHARACTERS_MAX:
        text = text[: _CAUSE_CHARACTERS_MAX // 2] + "...\n" + text[-_CAUSE_CHARACTERS_MAX // 2 :]
    try:
        _write(_LOG_FILE, (_read(_LOG_FILE) + text)[-_LOG_CHARACTERS_MAX:])
    except OSError as error:
        print("%s cannot be written: %s" % (_LOG_FILE, error))


def _read(path):
    """Return the text of a small file; "" if there is none, or if it is no text."""
    try:
        with open(path) as file:
            return file.read(_LOG_CHARACTERS_MAX)
    except (OSError, UnicodeError):
        return ""


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)
