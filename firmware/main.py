"""Composes the city: config -> sensors -> city -> roads -> run."""

import asyncio
import gc
import sys

from micropython import const

_ROOM_BYTES = const(7168)  # kept in one piece for the city's array, and what comes with it, until all modules are in
# Modules that a start needs, and a city's birth. (A city of more roads than it is born for takes birth once more.)
_PASSING = ("board.start", "board.config", "board.wake", "deskonomy.thaw", "deskonomy.birth", "deskonomy.goods")
_SETTLED_S = const(60)  # a start that lives so long has not crashed
# Merchants that live here at most, beside as many as were born here; others wait on their roads.
_GUESTS_MAX = const(12)


def once(module, step, *words):
    """A step of one of the board's modules that make room for the city again."""
    board = __import__("board." + module)
    try:
        return getattr(getattr(board, module), step)(*words)
    finally:
        for name in _PASSING:
            if sys.modules.pop(name, None):
                package, name = name.split(".")
                delattr(sys.modules[package], name)


def part(name):
    """One of the board's modules that take memory only where a setting asks for them."""
    return getattr(__import__("board." + name), name)


async def settle():
    """Prove this start."""
    settled = False
    while not settled:
        await asyncio.sleep(_SETTLED_S)
        try:
            once("start", "forget")
            settled = True
        except MemoryError:
            pass  # for that module; there may be room later


async def run(settings, room):
    """Run the city until Ctrl-C or a reset: alone at first, and with roads as soon as there is Wi-Fi."""
    from board import console, storage
    from board.sensors import Sensor, follow
    from board.travel import Travel
    from board.wifi import Wifi
    from deskonomy.drive import Drive

    city = once("wake", "wake", settings, settings["merchants"] + _GUESTS_MAX, room)
    sensors = [Sensor(words, console.log) for words in settings["sensors"]]
    wifi = Wifi(settings["wifi"], console.log)
    travel = Travel(city, settings["port"], settings["connect"], settings["key"], console.log)
    pace = Drive([city], None if settings["speed"] == "max" else settings["speed"])
    says = console.Status(city, pace, sensors, wifi, travel)
    # Ends by itself after a minute.
    asyncio.create_task(settle())  # noqa: RUF006 - MicroPython's loop keeps it
    tasks = []
    if settings["watchdog"]:  # the first, so that it bites whatever stands still at once
        tasks.append(part("watchdog").guard((lambda: city.tick, lambda: wifi.looks, lambda: Sensor.rounds)))
    tasks += [
        pace.run(),
        follow(sensors, city),
        says.report(),
        console.listen(console.commands(city, travel)),
        storage.keep(city, settings["checkpoint_s"], console.log),
    ]
    if settings["page"]:
        tasks.append(wifi.keep(travel, part("page").Page(settings["page"], says.pieces, console.log)))
    else:
        tasks.append(wifi.keep(travel))
    if settings["indicator"]:

        def in_trouble():
            is_off = settings["wifi"] and wifi.rssi() is None
            return is_off or any([sensor.error for sensor in sensors])

        tasks.append(part("indicator").show(settings["indicator"], city, in_trouble, console.log))
    await asyncio.gather(*tasks)


def main():
    gc.threshold(1024)  # collect often, so that what stays lies close together and leaves room in one piece
    room = [bytearray(_ROOM_BYTES)]
    settings = None
    try:
        settings = once("start", "begin")
        if settings:
            asyncio.run(run(settings, room))
    except Exception as error:
        asyncio.new_event_loop()  # the tasks of the old one, and all that they hold, make room
        gc.collect()
        once("start", "crashed", error, settings)
    except KeyboardInterrupt:
        resting = False
        while not resting:
            try:
                once("start", "rest", settings)
                resting = True
            except KeyboardInterrupt:  # somebody types it twice, to be sure
                pass
        raise


if __name__ == "__main__":
    main()
