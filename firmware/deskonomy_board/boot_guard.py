"""How a start begins, and what a crash leaves behind: safe mode.

Here: crashed starts are counted on the flash; after three in a row the program is left alone, so that the REPL can be
reached and crash.log read. A start that may be switches the radio on. Not here: what runs (main.py), what is wrong
with a config.json (config.py).

A start counts as crashed until it has run for a minute or Ctrl-C has ended it (main.py forgets it then), unless
somebody cut the power, pressed reset, or typed a soft reset. So the watchdog and a fault below Python count as well.
"""

import os
import sys
import time

import machine
import network
from deskonomy.errors import ConfigError
from micropython import const

# How many starts in a row have crashed, the one under way included; then " said" if Python knows why.
_STARTS = const("starts.txt")
_LOG = const("crash.log")
_CRASHES_MAX = const(3)
_LOG_MAX = const(2048)  # characters of the log, the newest last
_CAUSE_MAX = const(900)  # characters of one cause in it
_REST_MS = const(86_400_000)  # a day at the REPL, or for a deploy
_PAUSE_S = const(3)  # before the reset, so that a crash loop can be read and stopped
_FULL = const("is the flash full? Remove files of yours: mpremote fs tree -s shows them")


def begin():
    """The settings to run with (config.read()), or None if this start must not be; the console says why."""
    cause = machine.reset_cause()
    crashes, said = _crashes() if cause in (machine.HARD_RESET, machine.WDT_RESET) else (0, True)
    if cause == machine.WDT_RESET:
        _log("The watchdog reset the board: its program stood still.\n")
    elif crashes and not said:
        _log("The board was reset within its first minute, not by Python: a fault below it?\n")
    if crashes >= _CRASHES_MAX:
        print("SAFE MODE: %d starts in a row crashed, so the city waits. What %s says last:" % (crashes, _LOG))
        print(_read(_LOG)[-_CAUSE_MAX:])
        print("The next reset tries again. New firmware: deskonomy board deploy. New settings: deskonomy board setup")
        forget()
        return None
    try:
        _write(_STARTS, "%d" % (crashes + 1))
    except OSError as error:
        print("crashes cannot be counted (%s): %s" % (error, _FULL))
    from deskonomy_board import config

    try:
        settings = config.read()
    except ConfigError as error:
        forget()
        print(error)
        print("The city waits. Put that right with: deskonomy board setup")
        return None
    _switch_on(settings["wifi"], settings["city"])
    return settings


def _switch_on(networks, city):
    """Switch the radio on, under the name that NAME.local asks for, before the heap grows into the memory it needs."""
    if not networks:
        print("no Wi-Fi: config.json names no network, so this city stays alone")
        return
    hostname = "".join([c if c.isalpha() or c.isdigit() else "-" for c in city.lower()])[:32].strip("-")
    network.hostname(hostname or "deskonomy")
    station = network.WLAN(network.STA_IF)
    station.active(True)
    station.config(reconnects=0)  # wifi.py alone says when to try again
    # After a soft reset the station is often still on its network.
    if station.isconnected() and station.config("ssid") not in [name for name, _ in networks]:
        station.disconnect()


def crashed(error, settings):
    """Write down what ended the program and reset; or stay at the REPL if the crash cannot be counted."""
    said = __import__("io").StringIO()  # by its name as text: the stubs' one has no getvalue()
    sys.print_exception(error, said)
    print()  # a status line may have been on its way
    print(said.getvalue())
    _log(said.getvalue())
    try:
        _write(_STARTS, "%d said" % max(1, _crashes()[0]))
    except OSError as error:
        print("No reset, for crashes cannot be counted (%s): %s" % (error, _FULL))
        rest(settings)
        return
    try:
        print("The cause is in %s. Reset in %d s; Ctrl-C stops that." % (_LOG, _PAUSE_S))
        time.sleep(_PAUSE_S)
    except KeyboardInterrupt:
        rest(settings)
        raise
    machine.reset()


def rest(settings):
    """Leave the board to the REPL: count no crash, and keep the watchdog, which cannot be stopped, from biting."""
    print()  # a status line may have been on its way
    forget()
    if settings and settings["watchdog"]:
        machine.WDT(timeout=_REST_MS)


def forget():
    """Count no crash any more."""
    try:
        os.remove(_STARTS)
    except OSError:
        pass  # there was none


def _crashes():
    """(starts in a row that crashed, whether the last of them said why)."""
    count, _, said = _read(_STARTS).partition(" ")
    return (int(count), bool(said)) if count.isdigit() else (0, True)


def _log(text):
    """Add to the log, and let go of its oldest part."""
    if len(text) > _CAUSE_MAX:
        text = text[: _CAUSE_MAX // 2] + "...\n" + text[-_CAUSE_MAX // 2 :]
    try:
        _write(_LOG, (_read(_LOG) + text)[-_LOG_MAX:])
    except OSError as error:
        print("%s cannot be written: %s" % (_LOG, error))


def _read(path):
    """A small file's text; "" if there is none, or nothing that is text."""
    try:
        with open(path) as file:
            return file.read(_LOG_MAX)
    except (OSError, UnicodeError):
        return ""


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)
