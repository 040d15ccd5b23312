"""The wires of the simulated board: what the other stand-ins ask of the machine that runs them.

Here: the readings that the simulator writes into one small JSON file, replaced whole; the files whose first lines it
reads, one for each pin that is driven and one for the watchdog; the two ways to reset. No firmware file imports this.
"""

import json
import os
import sys

signals = None  # the folder of that file, as a file system of its own


def read(name):
    """What the simulator says now of "pins" ({pin: raw reading}), "reset_cause" (int), "rssi" (dBm), "air", "clock".

    air: see network.py. clock: how many times as fast as others' time passes here.
    """
    with signals.open("/signals.json", "r") as file:
        return json.loads(file.read())[name]  # load() reads it byte by byte


def write(name, value):
    """Let the simulator see what drives this pin ("pin2"), or that the "watchdog" is fed and when it bites, in ms."""
    try:
        file = signals.open("/" + name, "r+")  # never empty, should this end or be stopped right now
    except OSError:
        file = signals.open("/" + name, "w")
    with file:
        file.write(json.dumps(value) + "\n")


def start(names, names_of_main):
    """Run these files of the flash in the REPL's namespace, as a board does after a reset."""
    sys.argv[:] = []
    sys.stdout.write("\0")  # the simulator now lets through what is typed
    sys.modules.pop("hardware")
    for name in sorted(names_of_main):
        if name != "__name__":
            del names_of_main[name]
    for name in names:
        names_of_main["__file__"] = name
        path = sys.path[:]
        try:
            sys.path[:] = [".frozen"]  # what is part of the image goes before a file on the flash
            try:
                main = __import__(name[:-3]).main
            except ImportError:
                main = None
            finally:
                sys.path[:] = path
            if main:
                main()
            elif name in os.listdir():
                execfile(name, names_of_main)  # noqa: F821 - built into MicroPython
        except SystemExit:
            stop("TERM")
        except BaseException as error:
            sys.print_exception(error)
            return


def stop(signal):
    """End this process: by TERM for a soft reset, by KILL for a hard one. The simulator starts it again."""
    os.system("kill -%s $PPID" % signal)
    while True:
        pass
