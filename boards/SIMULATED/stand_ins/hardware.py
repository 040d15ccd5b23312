"""The wires of the simulated board: the way from the other stand-ins to the simulator that runs them.

Here: the readings, which the simulator writes into a small JSON file that it replaces as a whole; the files whose first
lines the simulator reads, one for each driven pin and one for the watchdog; the two kinds of reset. No firmware file
imports this.
"""

import json
import os
import sys

signals = None  # the folder of that file, as a file system of its own


def read(name):
    """Return the present value of a signal.

    Signals: "pins", {pin: raw reading}; "reset_cause", an int; "rssi", in dBm; "air", see network.py; "clock", how many
    times as fast as real time the board's time passes.
    """
    with signals.open("/signals.json", "r") as file:
        return json.loads(file.read())[name]  # load() reads it byte by byte


def write(name, value):
    """Show the simulator the value of a driven pin ("pin2"), or that the "watchdog" is fed, and its timeout in ms."""
    try:
        file = signals.open("/" + name, "r+")  # never empty, not even if the process ends right now
    except OSError:
        file = signals.open("/" + name, "w")
    with file:
        file.write(json.dumps(value) + "\n")


def start(names, names_of_main):
    """Run these files of the flash in the REPL's namespace, as a board does after a reset."""
    sys.argv[:] = []
    sys.stdout.write("\0")  # from now on the simulator forwards typed input
    sys.modules.pop("hardware")
    for name in sorted(names_of_main):
        if name != "__name__":
            del names_of_main[name]
    for name in names:
        names_of_main["__file__"] = name
        path = sys.path[:]
        try:
            sys.path[:] = [".frozen"]  # a module of the image comes before a file on the flash
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
    """End this process: by TERM for a soft reset, by KILL for a hard one. The simulator then starts it again."""
    os.system("kill -%s $PPID" % signal)
    while True:
        pass
