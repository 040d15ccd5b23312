"""Composes the city: config -> sensors -> city -> roads -> run."""

import asyncio
import sys

from micropython import const

_GUESTS_MAX = const(
    12
)  # merchants that live here at most, beside as many as were born here; others wait on their roads


def read_settings():
    """What config.json says, or None if that cannot be used. The module that knows makes room for the city again."""
    import board.config

    try:
        return board.config.read()
    except board.config.ConfigError as error:
        print(error)
    finally:
        del sys.modules["board.config"], board.config


async def run(settings):
    """Run the city until Ctrl-C or a reset: alone at first, and with roads as soon as there is Wi-Fi."""
    from board import console
    from board.sensors import Sensor, follow
    from board.travel import Travel
    from board.wifi import Wifi
    from deskonomy.city import City
    from deskonomy.drive import drive

    born = settings["merchants"]
    city = City(settings["city"], settings["seed"], settings["locals"], born, merchants_max=born + _GUESTS_MAX)
    sensors = [Sensor(words) for words in settings["sensors"]]
    wifi = Wifi(settings["wifi"], settings["city"])
    travel = Travel(city, wifi, settings["port"], settings["connect"])
    await asyncio.gather(
        drive([city], None if settings["speed"] == "max" else settings["speed"]),
        follow(sensors, city),
        console.report(city, sensors, wifi, travel),
        console.listen(console.commands(city, travel)),
        travel.start(),
    )


def main():
    settings = read_settings()
    if settings:
        asyncio.run(run(settings))


main()
