"""The Merchant School against a running city, and against what is none."""

import socket
import threading

import pytest
from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.wire.codec import decode
from deskonomy_host.errors import OperationError
from deskonomy_host.roads import school
from helpers.commands import PATIENCE_S


def test_ten_merchants_arrive_with_their_money(start, deskonomy):
    running = start("run RIVERWOOD --json --speed 4 --merchants 0")
    address = running.next()["address"]
    # Nobody in this city buys or sells fur, so nothing but the tax changes what they have.
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


class Peer:
    """A city for one visitor: greets with these bytes, keeps what comes, then says `answer`."""

    def __init__(self, greeting, answer=b""):
        self.heard = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(greeting, answer))
        self._thread.start()

    def _serve(self, greeting, answer):
        with self._server, self._server.accept()[0] as sock:
            sock.settimeout(PATIENCE_S)
            sock.sendall(greeting)
            while self.heard.count(b"\n") < 3:
                more = sock.recv(1024)
                if not more:
                    return
                self.heard += more
            sock.sendall(answer)

    def join(self):
        self._thread.join(10)
        return self.heard


@pytest.mark.parametrize("greeting", [b"FARTOWN", b"FARTOWN\n", b"FARTOWN\r\n\n", b'FARTOWN{"Money":1}\n'])
def test_it_understands_every_kind_of_peer(greeting):
    said = []
    back = line_of(Merchant("bed", 12_345)) + b'[1]\n\nnonsense\n{"Money":}\n' + line_of(Merchant("bed", 1)) + b'{"Mon'
    peer = Peer(greeting, back)
    received = school.send("127.0.0.1", peer.port, count=2, good="wood", money_mills=5, wait_s=5, say=said.append)
    lines = peer.join().split(b"\n")
    assert (received, said[0]) == (2, "Connected to FARTOWN")
    assert lines[0] == b"PythonCity" and lines[3] == b""
    for line in lines[1:3]:
        merchant = decode(line)
        assert (merchant.good, merchant.money_mills, merchant.capacity, merchant.owned) == ("wood", 5, 20, 3)
        assert merchant.prices_mills == school.PRICES_MILLS
    assert said[2:] == [
        "A bed merchant came from FARTOWN with 12.35 coins",
        "A bed merchant came from FARTOWN with 0.00 coins",
        "Sent 2 merchants and received 2",
    ]


def test_failures_are_one_line(deskonomy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = deskonomy(f"school 127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"deskonomy: no road to 127.0.0.1:{port}: Connection refused\n"
    with pytest.raises(OperationError, match=r"no road to nowhere\.invalid:5: "):
        school.send("nowhere.invalid", 5, say=lambda text: None)


def test_a_peer_without_a_name():
    peer = Peer(b"\n" + b"{}\n" * 3)
    with pytest.raises(OperationError, match="does not say its name"):
        school.send("127.0.0.1", peer.port, say=lambda text: None)
    peer.join()
