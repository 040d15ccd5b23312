"""Runs mpremote on a board's port, and says in words why it could not.

Here: one run of it, with what it may read from us and a word on its progress. Not here: what it is to do (deploy.py,
survey.py), the port without mpremote (ports.py).
"""

import asyncio
import re
import sys

from deskonomy_host.boards.serial import ports
from deskonomy_host.errors import OperationError

_PATIENCE_S = 120  # for one step of mpremote; a real board takes some 20 s for all of the firmware
_LAST = re.compile(r"^(?:[A-Z]\w*(?:Error|Exception): )(.*)$")  # what a program on the board raised


async def mpremote(port, *words, stdin=b"", on_line=lambda line: None):
    """Run mpremote on this port. Returns what it printed; raises OperationError with its last line.

    stdin: what it finds in /dev/stdin, so that a secret is neither in a file here nor in its words. on_line(text):
    called with each line that it prints, as it prints it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "mpremote", "connect", port, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
        start_new_session=True,  # Ctrl-C is for us, who then end it
    )
    assert process.stdin and process.stdout
    said = []
    try:
        process.stdin.write(stdin)
        process.stdin.close()
        async for line in _lines(process.stdout):
            said.append(line)
            on_line(line)
        await process.wait()
    except TimeoutError:
        raise OperationError("the board at %s did not answer mpremote for %d s" % (port, _PATIENCE_S)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OperationError(_why(port, [line for line in said if line]))
    return "\n".join(said).strip()


async def _lines(stream):
    """The lines of a stream, as they come. Raises TimeoutError when there is none for too long."""
    while True:
        # Not wait_for(), which until CPython 3.12 forgets a cancellation that comes together with a line (gh-86296).
        async with asyncio.timeout(_PATIENCE_S):
            line = await stream.readline()
        if not line:
            return
        yield line.decode(errors="replace").rstrip()


def _why(port, said):
    last = said[-1] if said else "no reason given"
    if "failed to access" in last:
        return ports.why_not(port) or "mpremote could not open %s" % port
    if "could not enter raw repl" in last:
        return "%s is there, but no MicroPython answers on it" % port
    if "No space left" in last or "ENOSPC" in last or "Errno 28" in last:
        return (
            "the flash of the board at %s is full: remove files of yours (mpremote fs tree -s), then try again" % port
        )
    raised = _LAST.match(last)
    if raised:
        gone = ports.why_not(port) if "Errno" in raised[1] else None  # it may be mpremote that raised it
        return gone or "the board at %s says: %s" % (port, raised[1])
    return "mpremote could not work on %s: %s" % (port, last)
