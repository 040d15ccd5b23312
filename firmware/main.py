"""The program of a board: it composes settings, sensors, city and roads, and runs them.

Here: the order of a start, the tasks that run, and the modules that a board unloads after the start. Not here: what a
start checks and what a crash leaves behind (deskonomy_board/boot_guard.py), the tasks themselves (the module of each).

A module that is imported under a condition is loaded only where a setting asks for it.
"""

import asyncio
import gc
import sys

from micropython import const

TYPE_CHECKING = False  # not imported: main() reserves memory before it loads any other module
if TYPE_CHECKING:
    from deskonomy.economy.city import City

# Modules that only a start and a city's birth need: unload_modules() drops them from memory. This is the only list of
# them. (A city that opens more roads than its state array has places for imports the layout once more.)
UNLOADED = (
    "deskonomy_board.boot_guard",
    "deskonomy_board.config",
    "deskonomy_board.sensors.specs",
    "deskonomy_board.restore",
    "deskonomy.storage.decode",
    "deskonomy.economy.layout",
    "deskonomy.economy.goods",
)
_RESERVE_BYTES = const(7168)  # kept in one piece for the city's state array, until all modules are imported
_STARTED_S = const(60)  # a start that has run for so long has not crashed
_VISITORS_MAX = const(12)  # merchants that the city holds besides as many as were born here; others wait on their roads


def unload_modules() -> None:
    """Drop the modules that only a start needs from memory."""
    for name in UNLOADED:
        if sys.modules.pop(name, None):
            package, _, module = name.rpartition(".")
            delattr(sys.modules[package], module)


def call_boot_guard(step: str, *arguments: object) -> "dict | None":
    """Call a function of the boot guard by its name, unload the boot guard, and return the function's result."""
    from deskonomy_board import boot_guard

    try:
        return getattr(boot_guard, step)(*arguments)
    finally:
        unload_modules()


def restore_city(settings: dict, reserve: list) -> "City | None":
    """Return the saved city or a new one, None if the saved one has to wait, and unload the modules that made it."""
    from deskonomy_board import restore

    try:
        return restore.restore_city(settings, settings["merchants"] + _VISITORS_MAX, reserve)
    finally:
        unload_modules()


async def confirm_start() -> None:
    """Count this start as a success after a minute."""
    is_confirmed = False
    while not is_confirmed:
        await asyncio.sleep(_STARTED_S)
        try:
            call_boot_guard("forget_crashes")
            is_confirmed = True
        except MemoryError:
            pass  # the boot guard finds no memory now, but may at the next attempt


async def run(settings: dict, reserve: list) -> None:
    """Run the city until Ctrl-C or a reset: alone at first, and with roads as soon as there is Wi-Fi."""
    from deskonomy.economy.clock import Clock
    from deskonomy_board import checkpoints, console
    from deskonomy_board.roads import BoardRoads
    from deskonomy_board.sensors.sensor import Sensor, run_sensors
    from deskonomy_board.wifi import Wifi

    city = restore_city(settings, reserve)
    if city is None:
        call_boot_guard("forget_crashes")
        return
    sensors = [Sensor(sensor, console.log) for sensor in settings["sensors"]]
    wifi = Wifi(settings["wifi"], console.log)
    roads = BoardRoads(city, settings["port"], settings["connect"], settings["key"], console.log)
    clock = Clock([city], None if settings["speed"] == "max" else settings["speed"])
    report = console.StatusReport(city, clock, sensors, wifi, roads)
    reserve.append(report)  # for a look at the city after Ctrl-C
    servers: list = [roads]
    tasks = []
    if settings["watchdog"]:  # the first task, so that the watchdog resets a board whose next task blocks at once
        from deskonomy_board.watchdog import Heartbeat, feed_watchdog

        heartbeats = [Heartbeat(city, "tick"), Heartbeat(wifi, "looks")]
        tasks.append(feed_watchdog(heartbeats + [Heartbeat(sensor, "samples") for sensor in sensors]))
    if settings["page"]:
        from deskonomy_board.http import HttpServer

        servers.append(HttpServer(settings["page"], report.format_pieces, console.log))
    tasks += [
        clock.run(),
        run_sensors(sensors, city),
        report.print_lines(),
        console.read_commands(city, roads),
        checkpoints.save_changes(city, settings["checkpoint_s"], console.log),
        wifi.keep_connected(roads, servers),
        confirm_start(),
    ]
    if settings["indicator"]:
        from deskonomy_board.indicator import drive_indicator

        def is_in_trouble():
            is_offline = settings["wifi"] and wifi.rssi() is None
            return is_offline or any([sensor.error for sensor in sensors])

        tasks.append(drive_indicator(settings["indicator"], city, is_in_trouble, console.log))
    await asyncio.gather(*tasks)  # an exception of any task ends the program


def main() -> None:
    """Start the city. A crash is logged and resets the board; Ctrl-C leaves the board to the REPL."""
    gc.threshold(1024)  # collect often, so that what stays is close together and leaves free memory in one piece
    reserve = [bytearray(_RESERVE_BYTES)]
    settings = None
    try:
        settings = call_boot_guard("begin_start")
        if settings:
            asyncio.run(run(settings, reserve))
    except Exception as error:
        asyncio.new_event_loop()  # frees the tasks of the old loop, and everything that they hold,
        reserve.clear()  # but for the city
        gc.collect()
        call_boot_guard("handle_crash", error, settings)
    except KeyboardInterrupt:
        is_done = False
        while not is_done:
            try:
                call_boot_guard("leave_to_repl", settings, reserve)
                is_done = True
            except KeyboardInterrupt:  # a second Ctrl-C must not leave the boot guard's work unfinished
                pass
        raise


if __name__ == "__main__":
    main()
