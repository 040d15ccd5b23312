"""The control client: finds the running process of a city and sends it commands, over HTTP on loopback.

Here: which processes answer, which of them runs a city, and sending a command. Not here: where processes register
(control/registry.py), the server (control/server.py), the commands (control/commands.py).
"""

import http.client
import json
from typing import Any, cast

from deskonomy_host.control.access import LOOPBACK
from deskonomy_host.control.registry import Process, read_registry
from deskonomy_host.errors import OperationError, UsageError

_TIMEOUT_S = 20  # for a busy machine; a process that runs normally answers at once


def list_processes() -> list[Process]:
    """Return this user's processes that answer. Removes the others from the registry."""
    found: list[Process] = []
    for path, process in read_registry():
        try:
            status, reply = _request(process, "GET", "state")
        except ConnectionError:
            path.unlink(missing_ok=True)
            continue
        except OperationError:
            continue
        if status == 200 and "cities" in reply:
            found.append(process)
    return found


def find_process(city: str) -> Process:
    """Return the process that runs a city.

    Raises:
        OperationError: none runs it (the message names the cities that run), or more than one.
    """
    processes = list_processes()
    found = [process for process in processes if city in process.cities]
    if len(found) == 1:
        return found[0]
    if found:
        pids = " and ".join(str(process.pid) for process in found)
        raise OperationError(f"more than one process runs a city {city} (process {pids}): end one of them")
    names = sorted(name for process in processes for name in process.cities)
    if names:
        raise OperationError(f"no city {city} is running; running: {', '.join(names)}")
    raise OperationError(f"no city {city} is running, nor any other; start one: deskonomy run {city}")


def send_command(city: str, command: str, **arguments: Any) -> dict[str, Any]:
    """Send a command to the process that runs a city; return its reply.

    Args:
        city: the city, which is also the command's argument of this name.
        command: a name of control.commands.COMMANDS.
        arguments: the command's other arguments.

    Raises:
        OperationError: no process runs the city, or it cannot execute the command now.
        UsageError: an argument is not valid.
    """
    return send_to_process(find_process(city), command, city=city, **arguments)


def send_to_process(process: Process, command: str, **arguments: Any) -> dict[str, Any]:
    """Send a command to a process; see send_command()."""
    try:
        status, reply = _request(process, "POST", command, arguments)
    except ConnectionError:
        raise OperationError(f"process {process.pid} has ended") from None
    if status == 400:
        raise UsageError(reply["error"])
    if status != 200:
        raise OperationError(reply.get("error", f"process {process.pid} answered {status}"))
    return reply


def _request(
    process: Process, method: str, path: str, arguments: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send a request; return its HTTP status and reply.

    Raises:
        ConnectionError: no process listens on the port.
        OperationError: the process does not answer in time, or the answer is not a JSON object.
    """
    connection = http.client.HTTPConnection(LOOPBACK, process.port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {process.token}"} if method == "POST" else {}
    try:
        body = json.dumps(arguments) if arguments is not None else None
        connection.request(method, f"/api/{path}", body, headers)
        response = connection.getresponse()
        reply = json.loads(response.read())
        if isinstance(reply, dict):
            return response.status, cast("dict[str, Any]", reply)
    except ConnectionError:
        raise
    except TimeoutError:
        raise OperationError(f"process {process.pid} does not answer") from None
    except (http.client.HTTPException, ValueError):
        pass
    finally:
        connection.close()
    raise OperationError(f"something else than deskonomy answers on port {process.port}")
