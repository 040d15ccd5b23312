"""Composes the city: config -> sensors -> city -> roads -> run.

Here: the order of a start, and which modules a board unloads after it. Not here: what a start checks and what a crash
leaves behind (deskonomy_board/boot_guard.py), every task that runs (the module that has its function).

A module that is imported under a condition is loaded only where a setting asks for it.
"""

import asyncio
import gc
import sys

from micropython import const

# Modules that only a start and a city's birth need: unload() drops them from memory. This is the only list of them. (A
# city that opens more roads than its array has places for imports the layout once more.)
UNLOADED = (
    "deskonomy_board.boot_guard",
    "deskonomy_board.config",
    "deskonomy_board.restore",
    "deskonomy.storage.decode",
    "deskonomy.economy.layout",
    "deskonomy.economy.goods",
)
_RESERVE_BYTES = const(7168)  # kept in one piece for the city's array and its restoring, until all modules are imported
_SETTLED_S = const(60)  # a start that has run for so long has not crashed
_VISITORS_MAX = const(12)  # merchants that the city holds beside as many as were born here; others wait on their roads


def unload():
    """Drop the modules that a start needs, and the city does not, from memory."""
    for name in UNLOADED:
        if sys.modules.pop(name, None):
            package, _, module = name.rpartition(".")
            delattr(sys.modules[package], module)


def guard(step, *arguments):
    """Call a function of the boot guard, and unload it."""
    from deskonomy_board import boot_guard

    try:
        return getattr(boot_guard, step)(*arguments)
    finally:
        unload()


def restore(settings, reserve):
    """Return the city that this start goes on with, and unload what restored it."""
    from deskonomy_board.restore import wake

    try:
        return wake(settings, settings["merchants"] + _VISITORS_MAX, reserve)
    finally:
        unload()


async def settle():
    """Count this start as a success once it has run for a minute."""
    settled = False
    while not settled:
        await asyncio.sleep(_SETTLED_S)
        try:
            guard("forget")
            settled = True
        except MemoryError:
            pass  # no memory for the boot guard now; the next attempt may find some


async def run(settings, reserve):
    """Run the city until Ctrl-C or a reset: alone at first, and with roads as soon as there is Wi-Fi."""
    from deskonomy.economy.clock import Drive
    from deskonomy_board import checkpoints, console
    from deskonomy_board.roads import Travel
    from deskonomy_board.sensors.sensor import Sensor, follow
    from deskonomy_board.wifi import Wifi

    city = restore(settings, reserve)
    sensors = [Sensor(words, console.log) for words in settings["sensors"]]
    wifi = Wifi(settings["wifi"], console.log)
    travel = Travel(city, settings["port"], settings["connect"], settings["key"], console.log)
    pace = Drive([city], None if settings["speed"] == "max" else settings["speed"])
    says = console.Status(city, pace, sensors, wifi, travel)
    # It ends by itself after a minute.
    asyncio.create_task(settle())  # noqa: RUF006 - MicroPython's loop keeps it
    tasks = []
    page = None
    if settings["watchdog"]:  # first, so that it resets a board whose next task blocks at once
        from deskonomy_board import watchdog

        tasks.append(watchdog.guard((lambda: city.tick, lambda: wifi.looks, lambda: Sensor.rounds)))
    if settings["page"]:
        from deskonomy_board import http

        page = http.Page(settings["page"], says.pieces, console.log)
    tasks += [
        pace.run(),
        follow(sensors, city),
        says.report(),
        console.listen(console.commands(city, travel)),
        checkpoints.keep(city, settings["checkpoint_s"], console.log),
        wifi.keep(travel, page) if page else wifi.keep(travel),
    ]
    if settings["indicator"]:
        from deskonomy_board import indicator

        def in_trouble():
            is_off = settings["wifi"] and wifi.rssi() is None
            return is_off or any([sensor.error for sensor in sensors])

        tasks.append(indicator.show(settings["indicator"], city, in_trouble, console.log))
    await asyncio.gather(*tasks)


def main():
    """Start the city; a crash is written down and resets the board, Ctrl-C leaves it to the REPL."""
    gc.threshold(1024)  # collect often, so that what stays lies close together and leaves room in one piece
    reserve = [bytearray(_RESERVE_BYTES)]
    settings = None
    try:
        settings = guard("begin")
        if settings:
            asyncio.run(run(settings, reserve))
    except Exception as error:
        asyncio.new_event_loop()  # the tasks of the old one, and all that they hold, are freed
        gc.collect()
        guard("crashed", error, settings)
    except KeyboardInterrupt:
        resting = False
        while not resting:
            try:
                guard("rest", settings)
                resting = True
            except KeyboardInterrupt:  # a second Ctrl-C must not leave the boot guard half done
                pass
        raise


if __name__ == "__main__":
    main()
