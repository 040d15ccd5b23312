"""What `python tests/helpers/record.py` records is read again: what it writes now, and what releases have recorded."""

import base64
import json
from pathlib import Path

import pytest
from deskonomy.storage.decode import decode_city
from helpers.record import record_all
from helpers.repository import REPO
from integration.wire.test_recorded_conversations import Conversation, read_record


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders with records of this form."""
    present = tmp_path_factory.mktemp("records")
    record_all(present)
    return [present, *(file.parent for file in (REPO / "tests" / "data").glob("*/cities.json"))]


def test_recorded_cities_are_decoded_with_their_digests(folders):
    for folder in folders:
        rows = json.loads((folder / "cities.json").read_text(encoding="utf-8"))
        assert rows
        for name, row in rows.items():
            city = decode_city(base64.b64decode(row["data"]), name)
            assert (city.digest(), city.tick) == (row["digest"], row["tick"])
            assert len(city.ledger.roads["ELSEWHERE"].outbound) >= 1 and city.ledger.arrivals


def test_recorded_conversations_are_replayed(folders, monkeypatch):
    for folder in folders:
        paths = sorted((folder / "wire").glob("sim-*.jsonl"))
        assert paths
        for path in paths:
            head, lines = read_record(path)
            conversation = Conversation(head, monkeypatch)
            assert json.loads(json.dumps(conversation.run())) == head["result"], path.name
            assert conversation.lines == lines, path.name
