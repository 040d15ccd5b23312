"""The Merchant School: sends trained merchants into a city and counts those that come back.

Here: a city of one street that lives on the far side of a socket, as an example of how little it takes to join in.
Not here: anything else of ours but the merchant's own format (deskonomy.codec) and where a NAME.local is (names.py).
"""

import asyncio
import socket
import time

from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire.codec import decode, encode

from deskonomy_host.errors import OperationError
from deskonomy_host.roads import mdns as names

NAME = "PythonCity"
COUNT = 10
GOOD = "chair"
MONEY_MILLS = 1_211_480
LINE_MAX = 65536  # bytes; no merchant of ours is longer
_TIMEOUT_S = 5
# What the school has heard of the world, in mills.
PRICES_MILLS = {
    "bed": {"PORTSVILLE": 31897, "RIVERWOOD": 16954, "SEASIDE": 30227, "WINTERHOLD": 32659},
    "chair": {"PORTSVILLE": 11045, "RIVERWOOD": 20342, "SEASIDE": 10709, "WINTERHOLD": 11756},
    "thread": {"PORTSVILLE": 2422, "RIVERWOOD": 4585, "SEASIDE": 2301, "WINTERHOLD": 2491},
    "wood": {"PORTSVILLE": 2371, "RIVERWOOD": 4541, "SEASIDE": 2289, "WINTERHOLD": 2471},
}


def send(host, port, count=COUNT, good=GOOD, money_mills=MONEY_MILLS, wait_s=10.0, say=print):
    """Send merchants to the city at this address, wait until as many came back. Returns how many. Raises
    OperationError."""
    try:
        with socket.create_connection((asyncio.run(names.find(host)), port), _TIMEOUT_S) as sock:
            return _teach(sock, f"{host}:{port}", count, good, money_mills, wait_s, say)
    except OSError as error:
        why = "it does not answer" if isinstance(error, TimeoutError) else error.strerror or error
        raise OperationError(f"no road to {host}:{port}: {why}") from None


def _teach(sock, address, count, good, money_mills, wait_s, say):
    sock.sendall(NAME.encode())
    city, rest = _read_name(sock, address)
    say(f"Connected to {city}")
    # Some cities read a name up to a newline; none hears a merchant that follows a name too closely.
    time.sleep(0.2)
    sock.sendall(b"\n")
    time.sleep(1)
    for _ in range(count):
        sock.sendall(b"".join(encode(Merchant(good, money_mills, owned=3, prices_mills=PRICES_MILLS))) + b"\n")
        time.sleep(0.01)
    people = "merchant" if count == 1 else "merchants"
    say(f"Sent {count} {good} {people} with {money_mills / 1000:,.2f} coins each; waiting up to {wait_s:g} s")
    returned = 0
    for merchant in _returning(sock, rest, time.monotonic() + wait_s):
        returned += 1
        say(f"A {merchant.good} merchant came from {city} with {merchant.money_mills / 1000:,.2f} coins")
        if returned == count:
            break
    say(f"Sent {count} {people} and received {returned}")
    return returned


def _read_name(sock, address):
    """(the city's name, what came after it): up to a newline or a message, or to a short silence."""
    data = b""
    sock.settimeout(_TIMEOUT_S)
    while b"\n" not in data and b"{" not in data and len(data) < 1024:
        try:
            more = sock.recv(1024)
        except TimeoutError:
            break
        if not more:
            break
        data += more
        sock.settimeout(0.2)
    end = min(at for at in (data.find(b"\n"), data.find(b"{"), len(data)) if at >= 0)
    name = data[:end].decode(errors="replace").strip()
    if not name:
        raise OperationError(f"no city at {address}: it does not say its name")
    return name, data[end:]


def _returning(sock, data, deadline):
    """The merchants that come in until the deadline, or until the city hangs up. Other lines are not for us."""
    while True:
        *lines, data = data.split(b"\n")
        for line in lines:
            try:
                merchant = decode(line)
            except InvalidLineError:
                continue
            yield merchant
        left_s = deadline - time.monotonic()
        if left_s <= 0 or len(data) > LINE_MAX:
            return
        sock.settimeout(left_s)
        try:
            more = sock.recv(65536)
        except (TimeoutError, ConnectionError):
            return
        if not more:
            return
        data += more
