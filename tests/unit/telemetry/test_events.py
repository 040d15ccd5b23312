"""Events: which changes of statuses become events, and which log records."""

import json
import logging

from deskonomy.events import DIAL_FAILED, ROAD_CLOSED, ROAD_OPEN
from deskonomy_host.telemetry.events import Event, EventDetector
from deskonomy_host.telemetry.log_events import BUFFER_MAX, EventBuffer, EventHandler
from deskonomy_host.telemetry.metrics import MetricReader
from deskonomy_host.telemetry.schema import check_statuses
from helpers.sources import make_status


def detect(detector, *statuses):
    return [(event.category, event.text) for event in detector.detect(0.0, statuses)]


def make_road(state="up", lost=0):
    return {"B": {"state": state, "kind": "ours", "sent": 0, "received": 0, "waiting": 0, "lost": lost}}


def test_city_road_and_reset_become_events():
    detector = EventDetector()
    assert detect(detector, make_status("A", roads=["B"])) == [("city", "A has appeared at tick 1")]
    assert detect(detector, make_status("A", 2, roads=["B"])) == []
    assert detect(detector, make_status("A", 3) | {"roads": make_road("down", 2)}) == [
        ("road", "A: the road to B is closed"),
        ("lost", "A: 2 merchants were lost on the road to B"),
    ]
    assert detect(detector, make_status("A", 4) | {"roads": make_road(lost=2)}) == [
        ("road", "A: the road to B is open")
    ]
    assert detect(detector, make_status("A", 5)) == [("road", "A: the road to B is closed")]
    assert detect(detector, make_status("A", 1, reset="watchdog")) == [("reset", "A has restarted (watchdog reset)")]
    assert detect(detector) == [("lost", "A no longer answers")]
    assert detect(detector, make_status("A", 9)) == [("city", "A has appeared at tick 9")]


def test_road_event_has_the_road_as_a_field():
    detector = EventDetector()
    detector.detect(1.0, [make_status("A")])
    [opened] = detector.detect(2.0, [make_status("A", 2, roads=["B"])])
    [closed] = detector.detect(3.0, [make_status("A", 3)])
    assert opened == Event(2.0, "A", ROAD_OPEN, "A: the road to B is open", "B")
    assert closed == Event(3.0, "A", ROAD_CLOSED, "A: the road to B is closed", "B")
    assert json.loads(json.dumps(opened.as_json())) == {
        "time": 2.0,
        "city": "A",
        "kind": "road",
        "text": "A: the road to B is open",
        "type": "road-open",
        "road": "B",
    }


def test_moving_value_is_reported_when_it_has_come_to_rest():
    detector = EventDetector()

    def board(second, level):
        yields = {"wood": 2 * level, "bed": 1.0}
        sensors = {"light": {"raw": 0, "level": level}}
        return make_status("A", second, uptime_s=second, sensors=sensors) | {"yield": yields}

    assert detect(detector, board(1, 0.1)) == [("city", "A has appeared at tick 1")]
    assert detect(detector, board(2, 0.6)) == detect(detector, board(2, 0.6)) == []
    assert detect(detector, board(3, 0.9)) == detect(detector, board(3, 0.9)) == []
    assert detect(detector, board(4, 0.9)) == [
        ("sensor", "A's light sensor reads 90%"),
        ("yield", "A: the yield of wood is now 1.8"),
    ]
    for second in range(5, 50):
        assert detect(detector, board(second, 0.9 + 0.002 * (second % 2))) == []


def test_sensor_without_a_reading_has_no_level_and_its_error_is_an_event():
    detector, metrics = EventDetector(), MetricReader()
    found = []
    readings = ({}, {"raw": 1, "level": 0.5}, {"error": "no answer (19)"}, {"raw": 1, "level": 0.5})
    for second, reading in enumerate(readings):
        sensors = {"light": {"good": "wood", **reading}}
        [status] = check_statuses(make_status("A", second, uptime_s=second, sensors=sensors))
        assert status["sensors"]["light"] == reading
        assert metrics.read(second, status).get("sensor.light") == reading.get("level")
        found += detect(detector, status)
    assert found[1:] == [("sensor", "A's light sensor fails: no answer (19)")]


def test_log_record_becomes_an_event_unless_statuses_show_it():
    buffer = EventBuffer()
    log = logging.Logger("deskonomy")
    log.addHandler(EventHandler(buffer.add))
    log.info("no road to %s", "127.0.0.1:1", extra={"event": DIAL_FAILED, "city": "A"})
    log.info("the road to B is open", extra={"event": ROAD_OPEN, "city": "A"})
    log.warning("anything else")
    dial, note = buffer.take()
    assert dial[1:] == ("A", DIAL_FAILED, "no road to 127.0.0.1:1", "") and dial.category == "note"
    assert note[1:] == ("", "note", "anything else", "") and note.time_s >= dial.time_s > 1e9
    assert buffer.take() == []


def test_buffer_drops_the_oldest_events():
    buffer = EventBuffer()
    for number in range(BUFFER_MAX + 3):
        buffer.add(Event(number, "", "note", ""))
    assert [event.time_s for event in buffer.take()] == list(range(3, BUFFER_MAX + 3))
