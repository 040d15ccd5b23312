"""The Merchant School against running cities, against legacy peers, and against what is not a city."""

import asyncio
import socket
import threading

import pytest
from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.wire.codec import decode_merchant
from deskonomy_host.errors import OperationError
from deskonomy_host.roads import school
from helpers.commands import PATIENCE_S


def run_school(port, host="127.0.0.1", report=lambda text: None, **options):
    """Run the school in this process; return how many merchants have returned."""
    return asyncio.run(school.run_school(host, port, report=report, **options))


def test_school_sends_ten_merchants_that_keep_their_money(start, deskonomy):
    running = start("run RIVERWOOD --json --speed 4 --merchants 0")
    address = running.next()["address"]
    # No resident of this city buys or sells fur, so nothing but the tax changes what the merchants have.
    done = deskonomy(f"school {address} --good fur --wait 0.2")
    assert done.returncode == 0
    assert done.stdout.startswith("Connected to RIVERWOOD\nSent 10 fur merchants with 1,211.48 coins each")
    assert done.stdout.endswith("Sent 10 merchants and received 0\n")
    status = running.until(lambda status: status["roads"].get("PythonCity", {}).get("received") == 10)
    # Each paid an equal share of a tenth of what it had above 1000 coins to each of 20 locals.
    tax = 211_480 // 10 // 20 * 20 / 1000
    assert status["money"]["merchants"] == pytest.approx(10 * (1211.48 - tax), abs=1e-9)
    assert status["money"]["total"] == pytest.approx(20_000 + 12_114.8, abs=1e-9)
    assert status["roads"]["PythonCity"]["kind"] == "legacy"


class SingleVisitCity:
    """A legacy city for one connection: it sends a greeting, keeps what arrives, then sends an answer.

    Attributes:
        port: where it listens.
        received: the bytes that have arrived.
    """

    def __init__(self, greeting, answer=b""):
        self.received = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(greeting, answer))
        self._thread.start()

    def _serve(self, greeting, answer):
        with self._server, self._server.accept()[0] as sock:
            sock.settimeout(PATIENCE_S)
            sock.sendall(greeting)
            while self.received.count(b"\n") < 3:
                data = sock.recv(1024)
                if not data:
                    return
                self.received += data
            sock.sendall(answer)

    def join(self):
        """Wait for the end of the connection; return what has arrived."""
        self._thread.join(10)
        return self.received


@pytest.mark.parametrize("greeting", [b"FARTOWN", b"FARTOWN\n", b"FARTOWN\r\n\n", b'FARTOWN{"Money":1}\n'])
def test_school_trades_with_every_form_of_greeting(greeting):
    reports = []
    back = line_of(Merchant("bed", 12_345)) + b'[1]\n\nnonsense\n{"Money":}\n' + line_of(Merchant("bed", 1)) + b'{"Mon'
    city = SingleVisitCity(greeting, back)
    returned = run_school(city.port, count=2, good="wood", money_mills=5, wait_s=5, report=reports.append)
    lines = city.join().split(b"\n")
    assert (returned, reports[0]) == (2, "Connected to FARTOWN")
    assert lines[0] == b"PythonCity" and lines[3] == b""
    for line in lines[1:3]:
        merchant = decode_merchant(line)
        assert (merchant.good, merchant.money_mills, merchant.capacity, merchant.owned) == ("wood", 5, 20, 3)
        assert merchant.prices_mills == school.PRICES_MILLS
    assert reports[2:] == [
        "A bed merchant came from FARTOWN with 12.35 coins",
        "A bed merchant came from FARTOWN with 0.00 coins",
        "Sent 2 merchants and received 2",
    ]


def test_school_stops_waiting_when_city_hangs_up():
    reports = []
    city = SingleVisitCity(b"FARTOWN\n")
    assert run_school(city.port, count=2, wait_s=PATIENCE_S, report=reports.append) == 0
    city.join()
    assert reports[-1] == "Sent 2 merchants and received 0"


def test_school_failure_is_single_line(deskonomy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = deskonomy(f"school 127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"deskonomy: no road to 127.0.0.1:{port}: connection refused\n"
    with pytest.raises(OperationError, match=r"no road to nowhere\.invalid:5: "):
        run_school(5, host="nowhere.invalid")


def test_school_rejects_peer_without_name():
    city = SingleVisitCity(b"\n" + b"{}\n" * 3)
    with pytest.raises(OperationError, match="does not say its name"):
        run_school(city.port)
    city.join()
