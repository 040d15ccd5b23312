"""The conversations that version 0.1.0 recorded: this version sends the same bytes, and each road ends up the same.

The files are in tests/data/0.1.0/wire. sim-*.jsonl were recorded without sockets, at a virtual clock; they are replayed
byte by byte. tcp-*.jsonl were recorded from sockets; their merchants and seals are computed again.

A file's first line is its head: {"until_ms", "ends", "script", "result", ...}. The first end is "here", the second
"there". A scripted end is {"typed": true}: it has no city, and sends what the script has. The script's steps:

  leave {merchant}      the merchant leaves by this end's road
  enter {count}         so many waiting merchants enter the city
  save                  begin and commit a checkpoint of the ledger
  type {text or hex}    a scripted end sends this
  end                   the connection ends at this end
  again {nonces}        a new connection between both ends; roads and ledgers go on

Every other line is what happened: the bytes that an end sent, {"ms", "from", "text" or "hex"}, or the merchants that
entered, {"ms", "at", "do": "enter", "merchants"}. The clock advances in steps of 100 ms. At each step the script comes
first; then each end in turn advances and sends everything that it can, until neither sends anything.

Messages that 0.1.0 did not have (settled, version) are not sent here, and fields of the status that it did not have are
left out. Two later rules are off: legacy peers get only goods that they have, and are known by their first merchant;
test_session.py tests both. Texts for logs are not compared, nor are the reasons why a connection failed, but whether it
failed. test_versions.py lets 0.1.0 itself read such messages.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY, UNKNOWN, WireRoad
from deskonomy.wire import sealed_protocol
from deskonomy.wire.codec import decode_merchant, encode_merchant
from deskonomy.wire.protocol import Protocol
from deskonomy.wire.sealed_protocol import SealedProtocol
from deskonomy.wire.sealing import LineSealer
from deskonomy.wire.session import Session
from helpers.replay import read_merchant, record_merchant
from helpers.repository import REPO

RECORDS = REPO / "tests" / "data" / "0.1.0" / "wire"
REPLAYED = sorted(RECORDS.glob("sim-*.jsonl"))
FROM_SOCKETS = sorted(RECORDS.glob("tcp-*.jsonl"))
STEP_MS = 100
PEER_STATES = {UNKNOWN: None, ACKNOWLEDGING: True, LEGACY: False}  # as `ours` in the record
NOT_COMPARED = ("log",)


def read_record(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the head of a file, and what happened."""
    head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return head, lines


def record_bytes(now_ms: int, name: str, data: bytes) -> dict[str, Any]:
    """Return bytes that an end sent as the files have them: as text if it is printable."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    is_text = all(character == "\n" or character.isprintable() for character in text)
    return {"ms": now_ms, "from": name} | ({"text": text} if is_text else {"hex": data.hex()})


class NeverSettled:
    """A sequence at which nothing is outbound, of a road that never says so."""

    def __get__(self, road: WireRoad, owner: type) -> int:
        return -1

    def __set__(self, road: WireRoad, sequence: int) -> None:
        pass


class ScriptedEnd:
    """An end without a city: it sends what the script has, and never reads."""

    def __init__(self) -> None:
        self.output = b""

    def advance(self, now_ms: int) -> None:
        """Do nothing: time changes nothing here."""

    def receive(self, data: bytes, now_ms: int) -> None:
        """Ignore bytes."""

    def take_output(self, now_ms: int) -> bytes:
        """Return what to send now."""
        data, self.output = self.output, b""
        return data


class CityEnd:
    """The end of a city: a session at a virtual clock, and the city's road and ledger."""

    def __init__(self, name: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.settings = settings
        self.ledger = Ledger(settings["incarnation"], settings["volatile"])
        self.road: WireRoad | None = None
        self._monkeypatch = monkeypatch
        self.open_session(0, settings["nonce"])

    def open_session(self, now_ms: int, nonce: str | None) -> None:
        """Begin a new connection, whose nonce is given in hex."""
        key, line_max = self.settings["key"], self.settings["line_max"]
        if key is None:
            protocol = Protocol(self.name, now_ms, line_max)
        else:
            protocol = SealedProtocol(self.name, now_ms, line_max, lambda peer: bytes.fromhex(key))
        self._nonce = nonce and bytes.fromhex(nonce)
        self._is_over = False
        self.session = Session(protocol, now_ms, lambda event, text: None)
        self.session.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Advance the session, and give it its road once the peer is known."""
        if self._is_over:
            return
        session = self.session
        with self._monkeypatch.context() as patch:
            patch.setattr(sealed_protocol, "LineSealer", self._make_sealer)
            session.advance(now_ms)
        if session.peer is not None and session.road is None and session.failure is None:
            self.road = self.ledger.ensure_road(session.peer, self.settings["room"])
            session.attach_road(self.road)
            session.advance(now_ms)
        if session.failure is not None:
            self.end()

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the other end."""
        if not self._is_over:
            self.session.receive(data, now_ms)

    def take_output(self, now_ms: int) -> bytes:
        """Return everything that may be sent now."""
        output = b""
        piece = None if self._is_over else self.session.next_bytes(now_ms)
        while piece is not None:
            output += piece
            piece = self.session.next_bytes(now_ms)
        return output

    def end(self) -> None:
        """End the connection; only the first call counts."""
        if not self._is_over:
            self._is_over = True
            self.session.end(self.settings["dials"])

    def record(self) -> dict[str, Any]:
        """Return the final state as the files have it, with its keys of that version."""
        session, ledger, road = self.session, self.ledger, self.road
        found = {
            "peer": session.peer,
            "ready": session.ready,
            "broken": session.failure is not None,
            "sealed": session.protocol.is_sealed,
            "ledger": {
                "incarnation": ledger.incarnation,
                "highest": ledger.highest_sequence,
                "arrivals": [list(arrival[:3]) for arrival in ledger.arrivals],
                "safe": [list(arrival[:3]) for arrival in ledger.saved_arrivals],
            },
        }
        if road is not None:
            found["road"] = road.status() | {
                "ours": PEER_STATES[road.peer_state],
                "sequence": road.sequence,
                "saved": road.saved_sequence,
                "tried": road.sent_sequence,
                "outbound": [record_merchant(merchant) for merchant in road.outbound],
                "inbound": [record_merchant(merchant) for merchant in road.inbound],
            }
            del found["road"]["waiting_to_enter"]
        return found

    def _make_sealer(self, key: bytes, own: str, peer: str) -> LineSealer:
        return LineSealer(key, own, peer, lambda count: self._nonce)


class Conversation:
    """Both ends of a recorded conversation, and what happens between them.

    Attributes:
        lines: what has happened, as the files have it.
    """

    def __init__(self, head: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[dict[str, Any]] = []
        self._until_ms = head["until_ms"]
        self._script = list(head["script"])
        self._ends = {
            name: ScriptedEnd() if settings.get("typed") else CityEnd(name, settings, monkeypatch)
            for name, settings in head["ends"].items()
        }

    def run(self) -> dict[str, Any]:
        """Run to the end and return the final state of each city."""
        for now_ms in range(0, self._until_ms + 1, STEP_MS):
            while self._script and self._script[0]["ms"] == now_ms:
                self._do(self._script.pop(0))
            while any([self._send(name, now_ms) for name in self._ends]):
                pass
        assert not self._script, "the script goes on after the end of the conversation"
        return {name: end.record() for name, end in self._ends.items() if isinstance(end, CityEnd)}

    def _send(self, name: str, now_ms: int) -> bool:
        """Give the other end everything that this end sends now. Return whether it sends anything."""
        end = self._ends[name]
        end.advance(now_ms)
        data = end.take_output(now_ms)
        if data:
            self.lines.append(record_bytes(now_ms, name, data))
            for other_name, other in self._ends.items():
                if other_name != name:
                    other.receive(data, now_ms)
        return bool(data)

    def _do(self, step: dict[str, Any]) -> None:
        now_ms, action = step["ms"], step["do"]
        if action == "again":
            for name, end in self._ends.items():
                if isinstance(end, CityEnd):
                    end.end()
                    end.open_session(now_ms, step["nonces"].get(name))
            return
        end = self._ends[step["at"]]
        if isinstance(end, ScriptedEnd):
            assert action == "type", step
            end.output += step["text"].encode() if "text" in step else bytes.fromhex(step["hex"])
        elif action == "leave":
            assert end.road is not None
            end.road.send(read_merchant(step["merchant"]))
        elif action == "enter":
            assert end.road is not None
            entered = [end.road.take() for _ in range(step["count"])]
            merchants = [merchant and record_merchant(merchant) for merchant in entered]
            self.lines.append({"ms": now_ms, "at": step["at"], "do": "enter", "merchants": merchants})
        elif action == "save":
            end.ledger.commit_checkpoint(end.ledger.begin_checkpoint())
        else:
            assert action == "end", step
            end.end()


@pytest.mark.parametrize("path", REPLAYED, ids=lambda path: path.stem)
def test_replayed_conversation_equals_record(path, monkeypatch):
    head, lines = read_record(path)
    monkeypatch.setattr(Session, "_states_version", False)
    monkeypatch.setattr(Session, "_note_unnumbered", lambda session: None)
    monkeypatch.setattr(WireRoad, "list_goods", lambda road: None)
    monkeypatch.setattr(WireRoad, "settled_sequence", NeverSettled(), raising=False)
    conversation = Conversation(head, monkeypatch)
    result = conversation.run()
    expected = {
        name: {key: value for key, value in state.items() if key not in NOT_COMPARED}
        | {"broken": state["broken"] is not None}
        for name, state in head["result"].items()
    }
    assert conversation.lines == lines
    assert result == expected


def list_sent_lines(lines: list[dict[str, Any]], name: str) -> list[bytes]:
    """Return the lines that an end sent after its name, without blank lines."""
    data = "".join(line.get("text", "") for line in lines if line["from"] == name)
    return [line for line in data.removeprefix(name).encode().split(b"\n") if line]


def strip_seals(sealed: list[bytes]) -> list[bytes]:
    """Return the lines inside sealed lines, unverified."""
    return [line.split(b" ", 2)[2] for line in sealed]


@pytest.mark.parametrize("path", [path for path in FROM_SOCKETS if "key" in path.stem], ids=lambda path: path.stem)
def test_recorded_seals_are_computed_the_same(path):
    head, lines = read_record(path)
    names = list(head["ends"])
    for name, peer in (names, reversed(names)):
        own_hello, *own_sealed = list_sent_lines(lines, name)
        peer_hello, *peer_sealed = list_sent_lines(lines, peer)
        key, nonce = (bytes.fromhex(head["ends"][name][field]) for field in ("key", "nonce"))
        sealer = LineSealer(key, name, peer, {16: nonce}.__getitem__)
        assert sealer.make_hello() == own_hello
        sealer.accept_hello(peer_hello)
        assert [sealer.seal(line) for line in strip_seals(own_sealed)] == own_sealed
        assert [sealer.unseal(line) for line in peer_sealed] == strip_seals(peer_sealed)


@pytest.mark.parametrize("path", FROM_SOCKETS, ids=lambda path: path.stem)
def test_recorded_merchants_are_encoded_and_decoded_the_same(path):
    head, lines = read_record(path)
    for name, settings in head["ends"].items():
        sent = list_sent_lines(lines, name)
        if "key" in settings:
            sent = strip_seals(sent[1:])
        merchants = [line for line in sent if line.startswith(b"{")]
        if "incarnation" in settings:  # of this project; the other ends play cities of the tutorial
            assert merchants == [b"".join(encode_merchant(read_merchant(fields))) for fields in head["sent"][name]]
        for peer in head["ends"]:
            if peer != name and "incarnation" in head["ends"][peer]:
                found = [record_merchant(decode_merchant(line)) for line in merchants]
                assert found == head["arrived"][peer]


def test_record_has_all_conversations():
    assert (len(REPLAYED), len(FROM_SOCKETS)) == (27, 6)
