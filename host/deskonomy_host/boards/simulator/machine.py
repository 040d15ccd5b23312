"""A machine that runs a real MicroPython behind a serial port: power, resets, Ctrl-C.

Here: the process, its terminal, and what a soft and a hard reset are. Not here: which files are on its flash, what it
is told and what it says (simulator.py), what its modules `machine` and `network` do (boards/SIMULATED).

The interpreter has a terminal of its own, on which Ctrl-C is an interrupt. The serial port is a second one, because
whoever opens that sets it up anew. Should this process be killed, the interpreter's terminal hangs up and ends it.
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

from deskonomy_host import paths
from deskonomy_host.boards.simulator.interpreter import is_busy, ran_s
from deskonomy_host.errors import OperationError

try:
    import termios

    from deskonomy_host.boards.simulator.pty_port import PtyPort, unread
except ImportError:
    raise OperationError(
        "a simulated board needs Linux or macOS (on Windows: in WSL), and a MicroPython: --micropython PATH"
    ) from None

CTRL_A = b"\x01"
CTRL_B = b"\x02"
CTRL_C = b"\x03"
RAW_REPL = b"raw REPL; CTRL-B to exit\r\n"
RESET_CAUSES = {"power": 1, "hard": 2, "watchdog": 3, "soft": 5}  # as machine.reset_cause() numbers them on an ESP32

_POWER_ON = paths.BOARDS / "SIMULATED" / "power_on.py"
_READY = b"\0"  # power_on.py writes it when Ctrl-C no longer ends the process
_INPUT_MAX = 65536  # bytes kept for an interpreter that does not read; more are lost, as in a UART
# Of the interpreter's own time: on a busy machine it may stand still for longer.
_INTERRUPT_AFTER_S = 0.1
_LULL_WITHIN_S = 0.05  # what a Ctrl-C waits for one
_LOOKS_S = 0.001
_WATCHDOG_LOOKS_S = 0.2
# Makes the terminal on stdin that of its session, then becomes the interpreter. Until that is ready, Ctrl-C is ignored.
_TAKE_TERMINAL = (
    "import fcntl, os, signal, sys, termios; "
    "signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class SimulatedMachine:
    """`async with SimulatedMachine(micropython, flash, signals) as machine`: powered on, its port is machine.serial.

    flash: the folder that is its file system. signals: a folder for what its pins read. heap: as -X heapsize takes it;
    stand-ins for what a board has built in take none of it. on_output(data): called with what the interpreter writes
    while the REPL is not raw.
    """

    def __init__(self, micropython, flash, signals, heap, on_output=lambda data: None):
        self._micropython = str(micropython)
        self._heap_bytes = int(heap[:-1]) * (1 << {"k": 10, "m": 20}[heap[-1].lower()])
        self._power_on_words = [str(_POWER_ON), str(flash), str(signals)]
        self._signals = signals
        self._on_output = on_output
        self._terminal = -1  # our end of the interpreter's terminal
        self._slave = -1  # its own end
        self._process: asyncio.subprocess.Process | None = None
        self._started = asyncio.Event()
        self._ready = False
        self._input = b""
        self._lull_until_s = 0.0
        self._fed = 0  # bytes that the interpreter's terminal has taken
        self._tail = b""
        self.raw = False  # whether the REPL is raw: mpremote is at work, or has left it so
        self.pins = {}  # {pin: raw reading}
        self.rssi = -50
        # What its station finds: {network: password}, None for any that it asks for; its address there, and the
        # gateway's; how long it takes to join, or not to; whether it is deaf, or cannot try, until it was off and on.
        self.air = {"networks": None, "address": "127.0.0.1", "gateway": "127.0.0.1"}
        self.air |= {"join_ms": 0, "deaf": False, "busy": False}
        self.clock = 1  # how many times as fast its time passes, from its next start on
        self.starts = 0  # how often it has begun to run, by power or by any reset
        self.built_in_bytes = 0  # of the interpreter's heap, in use before the first file of the flash runs
        self.reset_cause = "power"
        self._next_cause: str | None = None  # of a reset that is not the program's own doing

    async def __aenter__(self):
        self._port = PtyPort(self.type, self._read_on)
        self.serial = self._port.path
        # Started here, ended by __aexit__.
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        self._port.close()

    async def hard_reset(self, cause="power"):
        """Press the reset button, or cut the power for a moment: the interpreter ends where it stands.

        cause: what an ESP32 then gives as the reason; "watchdog" for one that nobody fed.
        """
        await self._started.wait()  # it may just be starting, by a reset of the program's own
        self._started.clear()
        self._next_cause = cause
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._started.wait()

    def type(self, data):
        """Send bytes to the interpreter, as if they came in by the serial port."""
        if self.raw and CTRL_B in data:
            self.raw = False
        self._input = (self._input + data)[:_INPUT_MAX]
        if CTRL_C in data and self._process is not None:
            self._lull_until_s = ran_s(self._process) + _LULL_WITHIN_S
            mark = self._fed + self._input.rfind(CTRL_C)
            words = self._process, mark, ran_s(self._process) + _INTERRUPT_AFTER_S
            asyncio.get_running_loop().call_later(_INTERRUPT_AFTER_S, self._interrupt, *words)
        self._feed()

    def set_signals(self):
        """Let the stand-ins see what `pins`, `rssi`, `air`, `clock` and `reset_cause` say now."""
        new = self._signals / "signals.new"
        signals = {"pins": self.pins, "rssi": self.rssi, "air": self.air, "clock": self.clock}
        signals["reset_cause"] = RESET_CAUSES[self.reset_cause]
        new.write_text(json.dumps(signals))
        new.replace(self._signals / "signals.json")

    def driven(self, pin):
        """What the program puts out on a pin: 0 or 1, a list of colours for a NeoPixel's; None for nothing yet."""
        try:
            return json.loads((self._signals / f"pin{pin}").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):  # or it is just being made
            return None

    async def _run(self):
        """Start the interpreter, and again each time that it has ended, for that is what resets do."""
        while True:
            self.set_signals()
            try:
                process = await self._power_on()
                self._started.set()
                code = await self._watch(process)
            finally:
                self._started.clear()
                await self._power_off()
            if code == -signal.SIGKILL or self._next_cause:
                self.reset_cause, self._next_cause = self._next_cause or "hard", None
                self.raw = False
                self._say(b"\r\n")
            else:
                self.reset_cause = "soft"
                self._say(b"MPY: soft reboot\r\n")

    async def _watch(self, process):
        """Wait for the interpreter's end, and end it if it does not feed its watchdog. Returns its exit status."""
        ended = asyncio.ensure_future(process.wait())
        looked_late = False  # seen twice: where the whole machine stood still, the program may feed first
        fed = self._signals / "watchdog"  # its stand-in writes the timeout there, which is what feeding is
        while not ended.done():
            await asyncio.wait([ended], timeout=_WATCHDOG_LOOKS_S)
            with contextlib.suppress(FileNotFoundError, IndexError):
                late_s = time.time() - fed.stat().st_mtime
                late = late_s * 1000 * self.clock > int(fed.read_text().split()[0])
                if late and looked_late and process.returncode is None:
                    self._next_cause = "watchdog"
                    process.kill()
                looked_late = late
        if await ended == -signal.SIGKILL:
            fed.unlink(missing_ok=True)  # a hard reset ends it; it goes on through a soft one, as on an ESP32
        return await ended

    async def _power_on(self):
        """Start the interpreter with a terminal of its own. Returns its process."""
        self.starts += 1
        self._input = b""
        self.built_in_bytes = await self._weigh()
        self._terminal, self._slave = os.openpty()
        os.set_blocking(self._terminal, False)
        settings = termios.tcgetattr(self._slave)
        settings[0] = settings[1] = 0  # nothing is changed on its way
        settings[3] = termios.ISIG | termios.NOFLSH  # Ctrl-C interrupts; no echo, no editing, no input thrown away
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)
        self._ready = False
        self._fed = 0
        self._lull_until_s = 0.0
        # In the raw REPL boot.py runs, main.py does not, and the friendly REPL after it finds this and becomes raw.
        # Of what was typed meanwhile, an mpremote that was just leaving had typed what ends with CTRL_B.
        self._input = (CTRL_A if self.raw else b"") + self._input.rpartition(CTRL_B)[2]
        heap = "heapsize=%d" % (self._heap_bytes + self.built_in_bytes)
        words = [self._micropython, "-X", heap, "-i", *self._power_on_words, "raw" if self.raw else "friendly"]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL, *words),
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            env={**os.environ, "HOME": str(self._signals)},  # where the unix port keeps what was typed at its REPL
        )
        return self._process

    async def _weigh(self):
        """The bytes of heap that stand-ins take, with what config.json asks for now."""
        words = [self._micropython, *self._power_on_words, "weigh"]
        own = {"stdin": subprocess.DEVNULL, "start_new_session": True}  # Ctrl-C is for us
        # In a thread, which leaves nothing behind should the machine be ended meanwhile.
        return int(await asyncio.to_thread(subprocess.check_output, words, **own))

    async def _power_off(self):
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._terminal < 0:
            return  # it was ended before it had one
        while self._pass_on():
            pass
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._terminal)
        loop.remove_writer(self._terminal)
        os.close(self._terminal)
        os.close(self._slave)
        self._terminal = self._slave = -1
        self._ready = False

    # What the interpreter hears.

    def _feed(self):
        if not self._ready:
            return
        loop = asyncio.get_running_loop()
        # Ctrl-C breaks the unix port off wherever it is, and from the midst of collecting garbage it never recovers.
        if self._input[:1] == CTRL_C and is_busy(self._process, self._lull_until_s):
            loop.remove_writer(self._terminal)
            loop.call_later(_LOOKS_S, self._feed)
            return
        with contextlib.suppress(BlockingIOError):
            fed = os.write(self._terminal, self._input[:1] + self._input[1:].partition(CTRL_C)[0])
            self._input = self._input[fed:]
            self._fed += fed
        if self._input:
            loop.add_writer(self._terminal, self._feed)
        else:
            loop.remove_writer(self._terminal)

    def _interrupt(self, process, mark, until_s):
        """See to it that the Ctrl-C that was byte number `mark` has interrupted something.

        On what it was given to run in raw-paste mode the unix port leaves its terminal raw, where Ctrl-C is a byte like
        any other. It lies unread then, while a REPL would have read it at once.
        """
        if process is self._process and self._ready and process.returncode is None:
            was_read = self._fed - unread(self._slave) > mark
            if was_read or termios.tcgetattr(self._slave)[3] & termios.ISIG:
                return
            if is_busy(process, until_s):  # it may just be about to read
                asyncio.get_running_loop().call_later(_LOOKS_S, self._interrupt, process, mark, until_s)
            else:
                process.send_signal(signal.SIGINT)

    # What it says.

    def _read(self):
        if self._port.full:
            asyncio.get_running_loop().remove_reader(self._terminal)
        else:
            self._pass_on()

    def _read_on(self):
        if self._ready:
            asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def _pass_on(self):
        """Pass on what the interpreter has written. Returns whether there was anything."""
        try:
            data = os.read(self._terminal, 4096)
        except BlockingIOError:
            return False
        if not self._ready and _READY in data:
            data = data.replace(_READY, b"", 1)
            self._ready = True
            self._feed()
        self._say(data)
        return True

    def _say(self, data):
        if not self.raw:
            # What a board's print() does, and the unix port leaves to a terminal.
            before = self._tail[-1:]
            data = re.sub(rb"(?<!\r)\n", b"\r\n", before + data)[len(before) :]
        self._port.write(data)
        self._tail = self._tail[-len(RAW_REPL) :] + data
        if RAW_REPL in self._tail:
            self.raw = True
            self._tail = b""
            self._on_output(b"\r\n")  # the prompt before it stands no more
        if not self.raw:
            self._on_output(data)
