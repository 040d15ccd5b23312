"""A test bench: an emulated ESP32, four hosts that its city trades with, and commands as a user types them.

Here: the commands, the board's status and log lines, and the sums of money and merchants over all cities. Not here: the
checks that use them (run.py), the chip (emulator.py), the processes of the hosts (proofs/chaos/processes.py).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deskonomy_host.boards.serial.console import SerialConsole
from helpers.ports import find_free_ports
from proofs.chaos.processes import Accounts, CityProcess
from proofs.emulated.emulator import HOST, NETWORK, Emulator

HOSTS = ("RIVERWOOD", "SEASIDE", "WINTERHOLD", "OAKHAM")
TIMEOUT_S = 300  # an emulator may be ten times as slow as a chip
_DIALLING = 2  # so many of the hosts dial the board; the board dials the others
_KEY = bytes(range(32)).hex()
_TICKS_PER_S = 100  # of every city
_LOCALS, _MERCHANTS = 20, 10  # of each city at its birth
_BORN_WITH_MILLS = 1_000_000  # of each resident
_PROMPT_S = 20  # the REPL's prompt may stand for so long during a slow start
_SETTINGS = """
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

Status = dict[str, Any]


class TestBench:
    """The chip, the hosts, and the commands.

    Attributes:
        chip: The Emulator.
        hosts: The chaos Process of each host, not started.
        settings: The path of the board's settings, a file for `board setup --config`.
        report_line: Prints a line of the report.
        statuses: All statuses of the board so far.
        log_lines: All other lines of the board so far.
    """

    def __init__(self, chip: Emulator, folder: Path, report_line: Callable[[str], object]) -> None:
        self.chip = chip
        self.report_line = report_line
        self.statuses: list[Status] = []
        self.log_lines: list[str] = []
        self._folder = folder
        key_file = folder / "key"
        key_file.write_text(_KEY + "\n")
        key_file.chmod(0o600)
        ports = find_free_ports(len(HOSTS))
        dialled_ports = [[chip.city_port] if number < _DIALLING else [] for number in range(len(HOSTS))]
        self.hosts = [
            CityProcess(folder, name, "host", port, 1 + number, dialled, speed=_TICKS_PER_S)
            for number, (name, port, dialled) in enumerate(zip(HOSTS, ports, dialled_ports, strict=True))
        ]
        connect = json.dumps(["%s:%d" % (HOST, port) for port in ports[_DIALLING:]])
        self.settings = folder / "board.toml"
        settings = (chip.city, NETWORK, _KEY, _TICKS_PER_S, connect, chip.board.light["pin"])
        self.settings.write_text(_SETTINGS % settings)

    def stop(self) -> None:
        """Cut the board's power and kill the hosts."""
        self.chip.cut_power()
        for host in self.hosts:
            host.kill()

    # The board.

    def run_command(self, *arguments: str) -> str:
        """Run `deskonomy` with these arguments and return what it prints. Raises AssertionError if it fails."""
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self._folder / "config")}
        run = subprocess.run(
            [sys.executable, "-m", "deskonomy_host", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=4 * TIMEOUT_S,
        )
        assert run.returncode == 0, "%s: %s" % (" ".join(arguments), run.stdout + run.stderr)
        return run.stdout

    def run_mpremote(self, *arguments: str) -> None:
        """Run mpremote with these arguments on the board."""
        command = [sys.executable, "-m", "mpremote", "connect", self.chip.port, *arguments]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True, capture_output=True, timeout=TIMEOUT_S)

    def wait_for(self, predicate: Callable[[Status], object], expectation: str, timeout_s: float = TIMEOUT_S) -> Status:
        """Wait until a status of the board fulfils predicate(status), and return that status.

        Args:
            predicate: Called with each status.
            expectation: What is expected, for the message of the AssertionError at the timeout.
            timeout_s: How long to wait.

        Raises:
            AssertionError: The time is over, the board's program has ended, or a host has ended.
        """

        def check_status(status: Status) -> object:
            for host in self.hosts:
                assert host.running is None or host.running.poll() is None, host.log.read_text()
            self.statuses.append(status)
            return predicate(status)

        with SerialConsole(self.chip.port) as console:
            status = console.wait_for(check_status, timeout_s, self.log_lines.append, prompt_s=_PROMPT_S)
        text = "it took more than %d s: %s; the board's last log lines: %s"
        assert status is not None, text % (timeout_s, expectation, self.log_lines[-5:])
        return status

    def read_status(self) -> Status:
        """Return the board's next status."""
        return self.wait_for(lambda status: True, "a status")

    def wait_for_trade(self, count: int = 5) -> float:
        """Wait until every road is up and has carried so many merchants each way. Return how long that took, in s."""
        start_s = time.monotonic()
        first: dict[str, Any] = {}

        def all_roads_trade(status: Status) -> bool:
            roads = {name: road for name, road in status["roads"].items() if road["state"] == "up"}
            for name, road in roads.items():
                first.setdefault(name, road)
            return len(roads) == len(HOSTS) and all(
                road[way] >= first[name][way] + count for name, road in roads.items() for way in ("sent", "received")
            )

        self.wait_for(all_roads_trade, "trade both ways on %d roads" % len(HOSTS))
        return time.monotonic() - start_s

    # All cities.

    def check_power_cut(self) -> str:
        """Cut the board's power in the middle of trade, and check that the sums over all cities are as at the start.

        Returns:
            The sums, as text.

        Raises:
            AssertionError: A sum differs.
        """
        for host in self.hosts:
            host.signal(signal.SIGSTOP)
        self.chip.cut_power()
        try:
            books = Accounts([*self.hosts, self.chip])
        finally:
            for host in self.hosts:
                host.signal(signal.SIGCONT)
        merchants = (1 + len(HOSTS)) * _MERCHANTS
        money_mills = (1 + len(HOSTS)) * (_LOCALS + _MERCHANTS) * _BORN_WITH_MILLS
        assert (books.money_mills, books.merchants) == (money_mills, merchants), "the sums differ: %s" % books
        return "%d mills and %d merchants in all, as at the start" % (money_mills, merchants)
