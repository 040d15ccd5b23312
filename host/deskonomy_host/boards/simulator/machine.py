"""A machine that runs a real MicroPython behind a serial port: power, resets, Ctrl-C.

Here: the process, its terminal, and what a soft and a hard reset are. Not here: which files are on its flash and what
its output means (board.py), its modules `machine` and `network` (boards/SIMULATED).

The interpreter has a terminal of its own, on which Ctrl-C is an interrupt. The serial port is a second one, because a
program that opens a port changes its settings. If this process is killed, the interpreter's terminal hangs up, which
ends the interpreter.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Self

from deskonomy_host import paths
from deskonomy_host.aio import background
from deskonomy_host.boards.simulator.interpreter import is_busy, processor_time_s
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.boards.spec.sensors import list_stand_ins
from deskonomy_host.errors import OperationError

try:
    import termios

    from deskonomy_host.boards.simulator.pty_port import PtyPort, count_unread
except ImportError:
    raise OperationError(
        "a simulated board needs Linux or macOS (on Windows: in WSL), and a MicroPython: --micropython PATH"
    ) from None

CTRL_A = b"\x01"
CTRL_B = b"\x02"
CTRL_C = b"\x03"
RAW_REPL = b"raw REPL; CTRL-B to exit\r\n"
RESET_CAUSES = {"power": 1, "hard": 2, "watchdog": 3, "soft": 5}  # the numbers of machine.reset_cause() on an ESP32

_POWER_ON = paths.BOARDS / "SIMULATED" / "power_on.py"
_READY = b"\0"  # power_on.py writes it when Ctrl-C no longer ends the process
_INPUT_MAX = 65536  # bytes kept for an interpreter that does not read; later ones are lost, as in a UART
# In the interpreter's processor time, since a busy computer may suspend it for longer.
_INTERRUPT_AFTER_S = 0.1
_BUSY_MAX_S = 0.05  # how long a Ctrl-C is held back at most
_POLL_S = 0.001
_WATCHDOG_POLL_S = 0.2
# Makes the terminal on stdin that of its session, then becomes the interpreter. Until that is ready, Ctrl-C is ignored.
_TAKE_TERMINAL = (
    "import fcntl, os, signal, sys, termios; "
    "signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class SimulatedMachine:
    """`async with SimulatedMachine(micropython, flash, signals, heap) as machine`: powered on for the block.

    Attributes:
        serial: The path of its serial port.
        raw: Whether its REPL is raw: mpremote is at work, or has left it so.
        pins: {pin: raw reading} of its input pins.
        rssi: The strength of its Wi-Fi in dBm.
        air: What its Wi-Fi station meets. networks: {name: password}, None for any network; address, gateway: its own
            address and the gateway's; join_ms: how long it takes to join a network, or to fail; deaf, busy: whether it
            finds no network, or cannot try, until it has been switched off and on.
        clock: How many times as fast as real time its time passes, from its next start on.
        starts: How many times it has started, by power or by any reset.
        built_in_bytes: Of the interpreter's heap, in use before the first file of the flash runs.
        reset_cause: A key of RESET_CAUSES.
    """

    serial: str

    def __init__(
        self,
        micropython: str | PathLike[str],
        flash: Path,
        signals: Path,
        heap: str,
        on_output: Callable[[bytes], object] = lambda data: None,
    ) -> None:
        """Configure a machine.

        Args:
            micropython: Path of the interpreter.
            flash: The folder that is its file system.
            signals: A folder for the files by which its pins are read and written.
            heap: Size of its heap as -X heapsize takes it, without the stand-ins for what a board has built in.
            on_output: Called with what the interpreter writes while its REPL is not raw.
        """
        self.raw = False
        self.pins: dict[int | str, int] = {}
        self.rssi = -50
        self.air: dict[str, Any] = {"networks": None, "address": "127.0.0.1", "gateway": "127.0.0.1"}
        self.air |= {"join_ms": 0, "deaf": False, "busy": False}
        self.clock: float = 1
        self.starts = 0
        self.built_in_bytes = 0
        self.reset_cause = "power"
        self._next_cause: str | None = None  # of a reset that the program has not asked for
        self._micropython = str(micropython)
        self._heap_bytes = int(heap[:-1]) * (1 << {"k": 10, "m": 20}[heap[-1].lower()])
        self._power_on_arguments = [str(_POWER_ON), str(flash), str(signals)]
        self._flash = flash
        self._stand_ins: list[str] = []  # the modules that stand in for what its sensors and its light need
        self._signals = signals
        self._fed = 0, 0.0  # the time of the watchdog's file, and when by the monotonic clock it was noticed
        self._on_output = on_output
        self._stack = contextlib.AsyncExitStack()
        self._terminal = -1  # this program's end of the interpreter's terminal
        self._slave = -1  # the interpreter's end
        self._process: asyncio.subprocess.Process | None = None
        self._started = asyncio.Event()
        self._ready = False
        self._input = b""  # that the interpreter's terminal has not taken yet
        self._fed_bytes = 0  # that the interpreter's terminal has taken
        self._busy_until_s = 0.0
        self._output_end = b""

    async def __aenter__(self) -> Self:
        self._port = PtyPort(self.send, self._resume_reading)
        self._stack.callback(self._port.close)
        self.serial = self._port.path
        await self._stack.enter_async_context(background(self._run, "the simulated machine"))
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._stack.__aexit__(*exception)

    async def hard_reset(self, cause: str = "power") -> None:
        """Press the reset button, or cut the power for a moment: the interpreter ends wherever it is.

        Args:
            cause: The key of RESET_CAUSES that the next start finds: "power", or "watchdog".
        """
        await self._started.wait()  # it may be starting, because its program has asked for a reset
        self._started.clear()
        self._next_cause = cause
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._started.wait()

    def send(self, data: bytes) -> None:
        """Send bytes to the interpreter, as the serial port does."""
        if self.raw and CTRL_B in data:
            self.raw = False
        self._input = (self._input + data)[:_INPUT_MAX]
        if CTRL_C in data and self._process is not None:
            now_s = processor_time_s(self._process)
            self._busy_until_s = now_s + _BUSY_MAX_S
            position = self._fed_bytes + self._input.rfind(CTRL_C)
            self._call_later(
                _INTERRUPT_AFTER_S, self._check_interrupt, self._process, position, now_s + _INTERRUPT_AFTER_S
            )
        self._feed()

    def set_signals(self) -> None:
        """Write `pins`, `rssi`, `air`, `clock` and `reset_cause` to the file that the stand-ins read."""
        new = self._signals / "signals.new"
        signals = {"pins": self.pins, "rssi": self.rssi, "air": self.air, "clock": self.clock}
        signals["reset_cause"] = RESET_CAUSES[self.reset_cause]
        new.write_text(json.dumps(signals))
        new.replace(self._signals / "signals.json")

    def read_output(self, pin: int | str) -> Any:
        """Return what the program puts out on a pin: 0 or 1, or a NeoPixel's list of colours; None for nothing yet."""
        try:
            return json.loads((self._signals / f"pin{pin}").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):  # IndexError: the file is being made
            return None

    # Power and resets.

    async def _run(self) -> None:
        """Start the interpreter, and start it again whenever it has ended, because that is what its resets do."""
        while True:
            self.set_signals()
            try:
                process = await self._power_on()
                self._started.set()
                status = await self._wait_for_end(process)
            finally:
                self._started.clear()
                await self._power_off()
            if status == -signal.SIGKILL or self._next_cause:
                self.reset_cause, self._next_cause = self._next_cause or "hard", None
                self.raw = False
                self._write(b"\r\n")
            else:
                self.reset_cause = "soft"
                self._write(b"MPY: soft reboot\r\n")

    async def _wait_for_end(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the interpreter's end; end it if it does not feed its watchdog. Return its exit status."""
        ended = asyncio.ensure_future(process.wait())
        was_late = False  # it must be late twice in a row: if the whole computer was suspended, it may feed first
        watchdog = self._signals / "watchdog"  # the stand-in feeds by writing its timeout there
        while not ended.done():
            await asyncio.wait([ended], timeout=_WATCHDOG_POLL_S)
            with contextlib.suppress(FileNotFoundError, IndexError):
                if watchdog.stat().st_mtime_ns != self._fed[0]:
                    self._fed = watchdog.stat().st_mtime_ns, time.monotonic()
                is_late = (time.monotonic() - self._fed[1]) * 1000 * self.clock > int(watchdog.read_text().split()[0])
                if is_late and was_late and process.returncode is None:
                    self._next_cause = "watchdog"
                    process.kill()
                was_late = is_late
        if await ended == -signal.SIGKILL:
            watchdog.unlink(missing_ok=True)  # a hard reset ends it; a soft one does not, as on an ESP32
        return await ended

    async def _power_on(self) -> asyncio.subprocess.Process:
        """Start the interpreter with a terminal of its own. Return its process."""
        self.starts += 1
        self._input = b""
        config = self._flash / CONFIG
        self._stand_ins = list_stand_ins(config.read_bytes() if config.exists() else b"")
        self.built_in_bytes = await self._weigh()
        self._open_terminal()
        # In the raw REPL boot.py runs and main.py does not; the friendly REPL then finds CTRL_A and becomes raw.
        # Of the input meanwhile, what ends with CTRL_B comes from an mpremote that was leaving.
        self._input = (CTRL_A if self.raw else b"") + self._input.rpartition(CTRL_B)[2]
        heap = "heapsize=%d" % (self._heap_bytes + self.built_in_bytes)
        mode = "raw" if self.raw else "friendly"
        command = [self._micropython, "-X", heap, "-i", *self._power_on_arguments, mode, *self._stand_ins]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL, *command),
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            env={**os.environ, "HOME": str(self._signals)},  # the unix port keeps the history of its REPL there
        )
        return self._process

    def _open_terminal(self) -> None:
        self._terminal, self._slave = os.openpty()
        os.set_blocking(self._terminal, False)
        settings = termios.tcgetattr(self._slave)
        settings[0] = settings[1] = 0  # no byte is changed on its way
        settings[3] = termios.ISIG | termios.NOFLSH  # Ctrl-C interrupts; no echo, no editing, no input is dropped
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)
        self._ready = False
        self._fed_bytes = 0
        self._busy_until_s = 0.0

    async def _weigh(self) -> int:
        """Return the bytes of heap that the stand-ins take, with the sensors that config.json names now."""
        command = [self._micropython, *self._power_on_arguments, "weigh", *self._stand_ins]

        def run() -> bytes:
            # In a session of its own, so that Ctrl-C reaches this program alone.
            return subprocess.check_output(command, stdin=subprocess.DEVNULL, start_new_session=True)

        # In a thread, which leaves no process behind if the machine is ended meanwhile.
        return int(await asyncio.to_thread(run))

    async def _power_off(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._terminal < 0:
            return  # it was ended before it had a terminal
        while self._pass_output():
            pass
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._terminal)
        loop.remove_writer(self._terminal)
        os.close(self._terminal)
        os.close(self._slave)
        self._terminal = self._slave = -1
        self._ready = False

    # Input: from the serial port to the interpreter's terminal.

    def _feed(self) -> None:
        if not self._ready:
            return
        loop = asyncio.get_running_loop()
        # Ctrl-C interrupts the unix port wherever it is; from the middle of a garbage collection it never recovers.
        if self._input[:1] == CTRL_C and self._process and is_busy(self._process, self._busy_until_s):
            loop.remove_writer(self._terminal)
            self._call_later(_POLL_S, self._feed)
            return
        with contextlib.suppress(BlockingIOError):
            fed = os.write(self._terminal, self._input[:1] + self._input[1:].partition(CTRL_C)[0])
            self._input = self._input[fed:]
            self._fed_bytes += fed
        if self._input:
            loop.add_writer(self._terminal, self._feed)
        else:
            loop.remove_writer(self._terminal)

    def _check_interrupt(self, process: asyncio.subprocess.Process, position: int, until_s: float) -> None:
        """Interrupt the interpreter if the Ctrl-C at this position of the input has not done it.

        While it runs what it was given in raw-paste mode, the unix port leaves its terminal raw, where Ctrl-C is a byte
        like any other. It then stays unread, whereas a REPL would have read it at once.
        """
        if process is self._process and self._ready and process.returncode is None:
            was_read = self._fed_bytes - count_unread(self._slave) > position
            if was_read or termios.tcgetattr(self._slave)[3] & termios.ISIG:
                return
            if is_busy(process, until_s):  # it may be about to read
                self._call_later(_POLL_S, self._check_interrupt, process, position, until_s)
            else:
                process.send_signal(signal.SIGINT)

    @staticmethod
    def _call_later(delay_s: float, function: Callable[..., object], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(delay_s, function, *arguments)

    # Output: from the interpreter's terminal to the serial port.

    def _read(self) -> None:
        if self._port.is_full:
            asyncio.get_running_loop().remove_reader(self._terminal)
        else:
            self._pass_output()

    def _resume_reading(self) -> None:
        if self._ready:
            asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def _pass_output(self) -> bool:
        """Pass on what the interpreter has written. Return whether there was anything."""
        try:
            data = os.read(self._terminal, 4096)
        except BlockingIOError:
            return False
        if not self._ready and _READY in data:
            data = data.replace(_READY, b"", 1)
            self._ready = True
            self._feed()
        self._write(data)
        return True

    def _write(self, data: bytes) -> None:
        """Write to the serial port, and call on_output() while the REPL is not raw."""
        if not self.raw:
            # A board's print() ends lines so; the unix port leaves it to a terminal.
            before = self._output_end[-1:]
            data = re.sub(rb"(?<!\r)\n", b"\r\n", before + data)[len(before) :]
        self._port.write(data)
        self._output_end = self._output_end[-len(RAW_REPL) :] + data
        if RAW_REPL in self._output_end:
            self.raw = True
            self._output_end = b""
            self._on_output(b"\r\n")  # the prompt before it is no longer the last output
        if not self.raw:
            self._on_output(data)
