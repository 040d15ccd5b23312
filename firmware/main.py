"""Composes the city: config -> sensors -> city -> roads -> run."""

import asyncio
import gc
import sys

gc.threshold(4096)  # often, so that what stays lies close together and leaves room in one piece

import board.config

try:
    settings = board.config.read()
except board.config.ConfigError as error:
    print(error)
    sys.exit()
# It has done its work, and the city needs the room.
del sys.modules["board.config"], board.config

from board import console
from board.sensors import Sensor, follow
from board.travel import Travel
from board.wifi import Wifi
from deskonomy.city import City
from deskonomy.drive import drive


async def main():
    """Run the city until Ctrl-C or a reset: alone at first, and with roads as soon as there is Wi-Fi."""
    city = City(settings["city"], settings["seed"], settings["locals"], settings["merchants"])
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


asyncio.run(main())
