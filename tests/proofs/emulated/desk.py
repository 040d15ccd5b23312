"""A desk with an emulated ESP32 on it, four hosts that its city trades with, and somebody who types and listens.

Here: commands, what the board says, the books of everybody. Not here: what is shown with that (run.py), the chip itself
(emulator.py), hosts as processes (chaos/town.py).
"""

import json
import os
import signal
import subprocess
import sys
import time

from deskonomy_host.boards.serial.console import BoardPort
from proofs.chaos.town import Books, Process, free_ports
from proofs.emulated.emulator import HOST, NETWORK

HOSTS = ("RIVERWOOD", "SEASIDE", "WINTERHOLD", "OAKHAM")  # the first two dial the board, the others are dialled by it
KEY = bytes(range(32)).hex()
SPEED = 100  # ticks a second, here and there
BORN_WITH_MILLS = 1_000_000  # each of 20 locals and 10 merchants in every city
SETTINGS = """
city = "%s"
wifi = [["%s", ""]]
key = "%s"
page = 80
watchdog = true
speed = %d
checkpoint_s = 2
connect = %s
[[sensors]]
name = "air"
kind = "rssi"
good = "thread"
[[sensors]]
name = "light"
kind = "adc"
pin = %d
[[sensors]]
name = "fever"
kind = "mcu"
good = "bed"
"""
PATIENCE_S = 300  # an emulator may be ten times as slow as a chip


class Desk:
    """The chip, the hosts that it trades with, and the commands that are typed. say: called with each line."""

    def __init__(self, chip, folder, say):
        self.chip = chip
        self.say = say
        self.seen = []  # every status of the board
        self.said = []  # every line of the board that is none
        self._folder = folder
        key = folder / "key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)
        ports = free_ports(len(HOSTS))
        dials = [[chip.city_port], [chip.city_port], [], []]
        self.hosts = [
            Process(folder, name, "host", port, 1 + number, dial, speed=SPEED)
            for number, (name, port, dial) in enumerate(zip(HOSTS, ports, dials, strict=True))
        ]
        dialled = json.dumps(["%s:%d" % (HOST, port) for port in ports[2:]])
        self.settings = folder / "board.toml"
        self.settings.write_text(SETTINGS % (chip.city, NETWORK, KEY, SPEED, dialled, chip.board.light["pin"]))

    # The board.

    def type(self, *words):
        """A command of ours; what it printed."""
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self._folder / "config")}
        words = [sys.executable, "-m", "deskonomy_host", *words]
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * PATIENCE_S
        )
        assert done.returncode == 0, "%s: %s" % (" ".join(words[3:]), done.stdout + done.stderr)
        return done.stdout

    def mpremote(self, *words):
        words = [sys.executable, "-m", "mpremote", "connect", self.chip.port, *words]
        subprocess.run(words, stdin=subprocess.DEVNULL, check=True, capture_output=True, timeout=PATIENCE_S)

    def wait_for(self, true, what, seconds=PATIENCE_S):
        """Listen until a status fulfils this; it."""

        def look(status):
            for host in self.hosts:
                assert host.running is None or host.running.poll() is None, host.log.read_text()
            self.seen.append(status)
            return true(status)

        with BoardPort(self.chip.port) as port:
            status = port.wait_for(look, seconds, self.said.append, prompt_s=20)
        assert status is not None, "it took more than %d s: %s; it said %s" % (seconds, what, self.said[-5:])
        return status

    def wait_for_trade(self, count=5):
        """Until every road is up and so many have come and gone on each; how long that took."""
        began = time.monotonic()
        first = {}

        def all_trade(status):
            roads = {name: row for name, row in status["roads"].items() if row["state"] == "up"}
            for name, row in roads.items():
                first.setdefault(name, row)
            return len(roads) == len(HOSTS) and all(
                row[way] >= first[name][way] + count for name, row in roads.items() for way in ("sent", "received")
            )

        self.wait_for(all_trade, "trade both ways on %d roads" % len(HOSTS))
        return time.monotonic() - began

    # Everybody.

    def cut_power(self):
        """In the midst of trade; the books of that moment, which agree."""
        for host in self.hosts:
            host.signal(signal.SIGSTOP)
        self.chip.cut_power()
        try:
            books = Books([*self.hosts, self.chip])
        finally:
            for host in self.hosts:
                host.signal(signal.SIGCONT)
        money_mills, merchants = (1 + len(HOSTS)) * 30 * BORN_WITH_MILLS, (1 + len(HOSTS)) * 10
        assert (books.money_mills, books.merchants) == (money_mills, merchants), "the books disagree: %s" % books
        return "%d mills and %d merchants in all, as at the beginning" % (money_mills, merchants)

    def end(self):
        self.chip.cut_power()
        for host in self.hosts:
            host.kill()
