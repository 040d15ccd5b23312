"""How a board keeps on its Wi-Fi: whole hours at a clock that leaps, and the whole firmware at one that is fast."""

import json
import socket
from itertools import pairwise

from proofs.chaos.town import free_ports

HOME, SHED = ["HOME", "correct horse"], ["SHED", "battery"]
AIR = {"networks": {"HOME": "correct horse"}, "join_ms": 1500}
DEAF_S = 15 + 1 + 0.4  # quiet for so long, asked twice, and looked at in steps


def said(told):
    return [(at_s, more) for at_s, what, more in told if what == "said"]


def words(told):
    return [more for _, more in said(told)]


def when(told, text):
    """The moments at which this was said."""
    return [at_s for at_s, more in said(told) if text in more]


def test_it_joins_and_everybody_hears_where(leap):
    told = leap(60, wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert [(what, more) for _, what, more in told] == [
        ("said", "on Wi-Fi HOME as 127.0.0.1"),
        ("moved", "127.0.0.1"),
        ("page", "127.0.0.1"),
    ]
    assert told[0][0] < 2


def test_the_second_network_where_the_first_is_absent(leap):
    told = leap(60, wifi=[SHED, HOME], begin={"air": AIR, "quiet_ms": 0})
    assert words(told) == ["no Wi-Fi SHED in reach", "on Wi-Fi HOME as 127.0.0.1"]
    assert said(told)[-1][0] < 5


def test_the_reason_of_one_failure_is_not_taken_for_the_next(leap):
    """An ESP32 goes on to give the old reason while it tries anew."""
    air = {"networks": {"HOME": "correct horse"}, "join_ms": 4000}
    told = leap(60, wifi=[["BARN", ""], SHED, HOME], begin={"air": air, "quiet_ms": 0})
    assert words(told) == ["no Wi-Fi BARN in reach", "no Wi-Fi SHED in reach", "on Wi-Fi HOME as 127.0.0.1"]


def test_a_wrong_password_is_said_and_tried_again_with_growing_waits(leap):
    told = leap(3600, wifi=[["HOME", "wrong"]], begin={"air": AIR})
    assert set(words(told)) == {"no answer from Wi-Fi HOME (202): is the password right?"}
    tries = when(told, "is the password right")
    waits = [after - before for before, after in pairwise(tries)]
    assert tries[0] < 3 and waits[0] < 20
    assert all(30 <= wait <= 60 + 15 + 1 for wait in waits[8:]), waits


def test_a_password_that_is_put_right_there(leap):
    told = leap(300, (100, {"air": {"networks": {"HOME": "battery"}}}), wifi=[["HOME", "battery"]], begin={"air": AIR})
    assert when(told, "on Wi-Fi HOME")[0] < 100 + 80


def test_a_network_that_comes_later(leap):
    there = {"air": {"networks": {"HOME": "correct horse"}}, "quiet_ms": 0}
    told = leap(900, (600, there), wifi=[SHED, HOME], begin={"air": {**AIR, "networks": {}}})
    assert 600 < when(told, "on Wi-Fi HOME")[0] < 600 + 100
    assert words(told)[-1] == "on Wi-Fi HOME as 127.0.0.1"


def test_a_driver_that_refuses_is_cured_by_the_radio_off_and_on(leap):
    told = leap(60, wifi=[HOME], begin={"air": {**AIR, "busy": True}, "quiet_ms": 0})
    assert words(told) == ["Wi-Fi HOME: Wifi Internal Error", "on Wi-Fi HOME as 127.0.0.1"]
    assert said(told)[-1][0] < 4


def test_a_radio_that_cannot_be_switched_is_tried_again_with_growing_waits(leap):
    broken = {"air": {"networks": {}}, "broken": True}
    there = {"air": {"networks": {"HOME": "correct horse"}}, "broken": False}
    told = leap(900, (60, broken), (600, there), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    tries = when(told, "the radio says: Wifi Unknown Error 0x3015")
    assert 5 < len(tries) < 30 and tries[-1] - tries[-2] > 30
    assert words(told)[-1] == "on Wi-Fi HOME as 127.0.0.1" and said(told)[-1][0] < 600 + 100


def test_a_lost_network_that_comes_back(leap):
    told = leap(
        *(300, (60, {"air": {"networks": {}}}), (120, {"air": {"networks": {"HOME": "correct horse"}}})),
        wifi=[HOME],
        begin={"air": AIR, "quiet_ms": 0},
    )
    assert words(told)[:3] == ["on Wi-Fi HOME as 127.0.0.1", "the Wi-Fi is gone", "no Wi-Fi HOME in reach"]
    assert words(told)[-1] == "on Wi-Fi HOME as 127.0.0.1" and said(told)[-1][0] < 120 + 60
    assert [what for _, what, _ in told].count("moved") == 1, "it listens where it was"


def test_another_address(leap):
    told = leap(60, (30, {"air": {"address": "127.0.0.2"}}), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert told[-2:] == [(told[-1][0], "moved", "127.0.0.2"), (told[-1][0], "page", "127.0.0.2")]
    assert 30 <= told[-1][0] < 31


def test_a_server_that_has_died_listens_anew(leap):
    told = leap(60, (30, {"dead": ["page"]}), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    moves = [(what, more) for at_s, what, more in told if what in ("moved", "page") and at_s >= 30]
    assert moves == [("moved", "127.0.0.1"), ("page", "127.0.0.1")]


def test_an_address_where_it_cannot_listen_yet(leap):
    events = [(30, {"air": {"address": "0.0.0.1"}}), (60, {"air": {"address": "127.0.0.2"}})]
    told = leap(90, *events, wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert 5 <= len(when(told, "cannot listen at 0.0.0.1: 23")) <= 7
    assert told[-2][1:] == ("moved", "127.0.0.2") and told[-2][0] < 60 + 6


def test_a_deaf_link_is_cured_by_the_radio_off_and_on(leap):
    """Nobody is heard from second 60 on, though the station says that it is connected."""
    told = leap(
        *(300, (60, {"air": {"deaf": True}, "quiet_ms": 15_000})), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0}
    )
    [deaf_s] = when(told, "nothing comes through the Wi-Fi: off and on")
    assert 60 + 15 < deaf_s < 60 + DEAF_S + 1
    assert words(told)[-1] == "on Wi-Fi HOME as 127.0.0.1" and said(told)[-1][0] < deaf_s + 3
    assert "the Wi-Fi is gone" not in words(told)


def test_a_gateway_that_answers_is_enough(leap):
    assert words(leap(3600, wifi=[HOME], begin={"air": AIR})) == ["on Wi-Fi HOME as 127.0.0.1"]


def test_who_is_heard_needs_no_gateway(leap):
    told = leap(3600, wifi=[HOME], begin={"air": {**AIR, "deaf": True}, "quiet_ms": 14_000})
    assert words(told) == ["on Wi-Fi HOME as 127.0.0.1"]


def test_a_gateway_that_never_answers_is_asked_less_and_less(leap):
    offs = when(leap(4 * 3600, wifi=[HOME], begin={"air": {**AIR, "gateway": "255.255.255.255"}}), "off and on")
    waits = [round(after - before) for before, after in pairwise(offs)]
    assert offs[0] < 20 and waits[0] < 40 and waits == sorted(waits) and 600 <= waits[-1] < 605, waits


def test_no_network_named(leap):
    assert leap(3600, wifi=[]) == []


# The whole firmware, whose time passes faster.


def statuses(desk, text, times=1):
    """The last status line up to the one that has this text."""
    return json.loads(desk.wait_for(text, times)[-1])


def test_a_city_lives_without_wifi_and_trades_when_it_comes(desk):
    desk.starts({"wifi": [HOME]}, networks={})
    desk.wait_for("no Wi-Fi HOME in reach")
    alone = statuses(desk, '"rssi": null', 3)
    assert alone["tick"] > 20 and alone["address"] is None
    desk.air(networks={"HOME": "correct horse"})
    desk.wait_for("on Wi-Fi HOME as 127.0.0.1")
    there = statuses(desk, '"address": "127.0.0.1:')
    assert there["tick"] > alone["tick"] and there["rssi"] == -50


def test_a_board_without_any_network_says_so_and_lives(desk):
    desk.starts({"wifi": []})
    desk.wait_for("no Wi-Fi: config.json names no network, so this city stays alone")
    desk.wait_for('"digest"', 60)  # longer than the watchdog waits
    while statuses(desk, '"digest"')["tick"] <= 1000:
        pass


def test_a_board_that_gets_another_address_listens_there(desk):
    [port] = free_ports(1)  # that no other test's board takes when this one leaves it
    desk.starts({"port": port})
    before = statuses(desk, '"address": "127.0.0.1')
    desk.air(address="127.0.0.2")
    after = statuses(desk, '"address": "127.0.0.2')
    assert after["address"].split(":")[1] == before["address"].split(":")[1]
    for status, works in ((before, False), (after, True)):
        host, port = status["address"].split(":")
        with socket.socket() as sock:
            assert (sock.connect_ex((host, int(port))) == 0) == works


def test_ticks_go_on_while_a_deaf_link_is_cured(desk):
    desk.starts({})
    before = statuses(desk, '"rssi": -50')
    desk.air(deaf=True)
    said = desk.wait_for("nothing comes through the Wi-Fi: off and on") + desk.wait_for("on Wi-Fi SIMULATED as")
    lines = [json.loads(line) for line in said if line.startswith("{")]
    ticks = [before["tick"]] + [status["tick"] for status in lines]
    assert len(lines) >= 10 and all(before < after for before, after in pairwise(ticks))
    assert ticks[-1] - ticks[0] >= 5 * len(lines)
    assert all(status["rssi"] == -50 for status in lines), "the station said nothing of it"
