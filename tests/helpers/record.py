"""Record the states and conversations of this version as test data: `python tests/helpers/record.py`, before a release.

Here: writing tests/data/VERSION: cities.json, saved cities with their digests, and wire/sim-*.jsonl, the conversations
of 0.1.0's scripts as this version has them. Not here: reading them (tests/integration/engines/test_records.py).
"""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from core import scenarios
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.storage.encode import encode_city
from deskonomy.version import SOFTWARE
from integration.wire.test_recorded_conversations import REPLAYED, Conversation, read_record

TESTS = Path(__file__).resolve().parents[1]
TICKS = 300  # that each city runs before it is saved


def make_cities() -> list[City]:
    """Return cities with roads, ledgers and merchants in each state that a checkpoint holds."""
    cities = scenarios.build_world(*scenarios.SIZES[3])
    for number, city in enumerate(cities):
        ledger = city.ledger = Ledger(1000 + number, False)
        road = ledger.ensure_road("ELSEWHERE", 100)
        road.state = "up"
        city.open_road(road)
        ledger.record_arrival((77, 8 + number), "ELSEWHERE")
        road.send(Merchant("bed", 1234567, prices_mills={"fur": {"PORTSVILLE": 9}}))
    for _ in range(TICKS):
        for city in cities:
            city.run(1)
    return cities


def record_cities(folder: Path) -> None:
    """Write cities.json: {name: {"data": base64, "digest", "tick"}}."""
    rows = {}
    for city in make_cities():
        data, digest, tick = encode_city(city), city.digest(), city.tick
        rows[city.name] = {"data": base64.b64encode(data).decode(), "digest": digest, "tick": tick}
    (folder / "cities.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def record_conversations(folder: Path) -> None:
    """Write wire/sim-*.jsonl, in the form of tests/integration/wire/test_recorded_conversations.py."""
    (folder / "wire").mkdir(parents=True, exist_ok=True)
    for path in REPLAYED:
        head, _ = read_record(path)
        with pytest.MonkeyPatch.context() as patch:
            conversation = Conversation(head, patch)
            head["result"] = conversation.run()
        rows = [head, *conversation.lines]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "wire" / path.name).write_text(text, encoding="utf-8")


def record_all(folder: Path) -> None:
    """Write all records of this version into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    record_cities(folder)
    record_conversations(folder)


if __name__ == "__main__":
    record_all(TESTS / "data" / SOFTWARE)
