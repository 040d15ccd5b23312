"""A run of mpremote on a board's port.

Here: starting it, its output line by line, and an error message for each way in which it fails. Not here: what it does
on the board (deploy/), the port without mpremote (ports.py).
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable

from deskonomy_host.boards.serial import ports
from deskonomy_host.errors import OperationError

_STEP_TIMEOUT_S = 120  # without output; a real board takes some 20 s for the whole firmware
_EXCEPTION = re.compile(r"^(?:[A-Z]\w*(?:Error|Exception): )(.*)$")  # the last line of a program that raised one


async def run_mpremote(
    port: str, *arguments: str, stdin: bytes = b"", on_line: Callable[[str], None] = lambda line: None
) -> str:
    """Run mpremote on this port.

    Args:
        port: Path of the serial port.
        arguments: Of mpremote, after the port.
        stdin: What mpremote finds in /dev/stdin: a secret given in this way is in no file and in no argument.
        on_line: Called with each line that mpremote prints, when it prints it.

    Returns:
        What mpremote printed.

    Raises:
        OperationError: mpremote failed, or printed nothing for too long.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "mpremote", "connect", port, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
        start_new_session=True,  # Ctrl-C reaches this program alone, which then ends mpremote
    )
    assert process.stdin and process.stdout
    lines = []
    try:
        process.stdin.write(stdin)
        process.stdin.close()
        async for line in _read_lines(process.stdout):
            lines.append(line)
            on_line(line)
        await process.wait()
    except TimeoutError:
        raise OperationError("the board at %s did not answer mpremote for %d s" % (port, _STEP_TIMEOUT_S)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OperationError(_explain_failure(port, [line for line in lines if line]))
    return "\n".join(lines).strip()


async def _read_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of a stream as they arrive. Raises TimeoutError if none arrives for too long."""
    while True:
        # Not wait_for(), which until CPython 3.12 loses a cancellation that coincides with a line (gh-86296).
        async with asyncio.timeout(_STEP_TIMEOUT_S):
            line = await stream.readline()
        if not line:
            return
        yield line.decode(errors="replace").rstrip()


def _explain_failure(port: str, lines: list[str]) -> str:
    """Return an error message for a run of mpremote that printed these lines and failed."""
    last = lines[-1] if lines else "no reason given"
    if "failed to access" in last:
        return ports.diagnose_port(port) or "mpremote could not open %s" % port
    if "could not enter raw repl" in last:
        return "the port %s is open, but no MicroPython answers on it" % port
    if "No space left" in last or "ENOSPC" in last or "Errno 28" in last:
        return (
            "the flash of the board at %s is full: remove files of yours (mpremote fs tree -s), then try again" % port
        )
    exception = _EXCEPTION.match(last)
    if exception:
        # mpremote itself may have raised it because the port is gone.
        problem = ports.diagnose_port(port) if "Errno" in exception[1] else None
        return problem or "the board at %s reports: %s" % (port, exception[1])
    return "mpremote could not work on %s: %s" % (port, last)
