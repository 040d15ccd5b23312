"""A board on its Wi-Fi: hours with a clock that jumps, and the whole firmware with a clock that is fast."""

import json
import socket
from itertools import pairwise

from helpers.ports import find_free_ports

HOME, SHED = ["HOME", "correct horse"], ["SHED", "battery"]
AIR = {"networks": {"HOME": "correct horse"}, "join_ms": 1500}
DEAF_S = 15 + 1 + 0.4  # the silence, two questions to the gateway, and the time between two looks


def select_log(records):
    """Return [(at_s, line)] of the log."""
    return [(at_s, detail) for at_s, event, detail in records if event == "log"]


def log_lines(records):
    return [line for _, line in select_log(records)]


def find_times(records, text):
    """Return the moments, in seconds, of the log lines with this text."""
    return [at_s for at_s, line in select_log(records) if text in line]


def test_board_joins_and_its_servers_listen_at_its_address(leap):
    records = leap(60, wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert [(event, detail) for _, event, detail in records] == [
        ("log", "on Wi-Fi HOME as 127.0.0.1"),
        ("moved", "127.0.0.1"),
        ("page", "127.0.0.1"),
    ]
    assert records[0][0] < 2


def test_second_network_is_joined_where_the_first_is_absent(leap):
    records = leap(60, wifi=[SHED, HOME], begin={"air": AIR, "quiet_ms": 0})
    assert log_lines(records) == ["no Wi-Fi SHED in reach", "on Wi-Fi HOME as 127.0.0.1"]
    assert select_log(records)[-1][0] < 5


def test_reason_of_a_failure_is_not_reported_for_the_next_network(leap):
    """An ESP32 returns the old reason while it tries the next network."""
    air = {"networks": {"HOME": "correct horse"}, "join_ms": 4000}
    records = leap(60, wifi=[["BARN", ""], SHED, HOME], begin={"air": air, "quiet_ms": 0})
    assert log_lines(records) == ["no Wi-Fi BARN in reach", "no Wi-Fi SHED in reach", "on Wi-Fi HOME as 127.0.0.1"]


def test_wrong_password_is_reported_and_retried_with_growing_waits(leap):
    records = leap(3600, wifi=[["HOME", "wrong"]], begin={"air": AIR})
    assert set(log_lines(records)) == {"no answer from Wi-Fi HOME (202): is the password right?"}
    tries = find_times(records, "is the password right")
    waits = [after - before for before, after in pairwise(tries)]
    assert tries[0] < 3 and waits[0] < 20
    assert all(30 <= wait <= 60 + 15 + 1 for wait in waits[8:]), waits


def test_board_joins_after_the_router_gets_the_right_password(leap):
    records = leap(
        300, (100, {"air": {"networks": {"HOME": "battery"}}}), wifi=[["HOME", "battery"]], begin={"air": AIR}
    )
    assert find_times(records, "on Wi-Fi HOME")[0] < 100 + 80


def test_board_joins_a_network_that_appears_later(leap):
    appeared = {"air": {"networks": {"HOME": "correct horse"}}, "quiet_ms": 0}
    records = leap(900, (600, appeared), wifi=[SHED, HOME], begin={"air": {**AIR, "networks": {}}})
    assert 600 < find_times(records, "on Wi-Fi HOME")[0] < 600 + 100
    assert log_lines(records)[-1] == "on Wi-Fi HOME as 127.0.0.1"


def test_driver_that_refuses_to_connect_is_cured_by_radio_restart(leap):
    records = leap(60, wifi=[HOME], begin={"air": {**AIR, "busy": True}, "quiet_ms": 0})
    assert log_lines(records) == ["Wi-Fi HOME: Wifi Internal Error", "on Wi-Fi HOME as 127.0.0.1"]
    assert select_log(records)[-1][0] < 4


def test_radio_that_cannot_be_switched_is_retried_with_growing_waits(leap):
    broken = {"air": {"networks": {}}, "broken": True}
    appeared = {"air": {"networks": {"HOME": "correct horse"}}, "broken": False}
    records = leap(900, (60, broken), (600, appeared), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    tries = find_times(records, "the radio failed: Wifi Unknown Error 0x3015")
    assert 5 < len(tries) < 30 and tries[-1] - tries[-2] > 30
    assert log_lines(records)[-1] == "on Wi-Fi HOME as 127.0.0.1" and select_log(records)[-1][0] < 600 + 100


def test_board_rejoins_a_lost_network(leap):
    records = leap(
        *(300, (60, {"air": {"networks": {}}}), (120, {"air": {"networks": {"HOME": "correct horse"}}})),
        wifi=[HOME],
        begin={"air": AIR, "quiet_ms": 0},
    )
    assert log_lines(records)[:3] == ["on Wi-Fi HOME as 127.0.0.1", "the Wi-Fi is lost", "no Wi-Fi HOME in reach"]
    assert log_lines(records)[-1] == "on Wi-Fi HOME as 127.0.0.1" and select_log(records)[-1][0] < 120 + 60
    assert [event for _, event, _ in records].count("moved") == 1, "it still listens at its address"


def test_servers_listen_at_a_changed_address(leap):
    records = leap(60, (30, {"air": {"address": "127.0.0.2"}}), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert records[-2:] == [(records[-1][0], "moved", "127.0.0.2"), (records[-1][0], "page", "127.0.0.2")]
    assert 30 <= records[-1][0] < 31


def test_ended_server_listens_again(leap):
    records = leap(60, (30, {"dead": ["page"]}), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    moves = [(event, detail) for at_s, event, detail in records if event in ("moved", "page") and at_s >= 30]
    assert moves == [("moved", "127.0.0.1"), ("page", "127.0.0.1")]


def test_listening_is_retried_where_it_fails(leap):
    events = [(30, {"air": {"address": "0.0.0.1"}}), (60, {"air": {"address": "127.0.0.2"}})]
    records = leap(90, *events, wifi=[HOME], begin={"air": AIR, "quiet_ms": 0})
    assert 5 <= len(find_times(records, "cannot listen at 0.0.0.1: 23")) <= 7
    assert records[-2][1:] == ("moved", "127.0.0.2") and records[-2][0] < 60 + 6


def test_deaf_link_is_cured_by_radio_restart(leap):
    """Nothing is received from second 60 on, although the station reports that it is connected."""
    records = leap(
        *(300, (60, {"air": {"deaf": True}, "quiet_ms": 15_000})), wifi=[HOME], begin={"air": AIR, "quiet_ms": 0}
    )
    [deaf_s] = find_times(records, "no traffic through the Wi-Fi: the radio restarts")
    assert 60 + 15 < deaf_s < 60 + DEAF_S + 1
    assert log_lines(records)[-1] == "on Wi-Fi HOME as 127.0.0.1" and select_log(records)[-1][0] < deaf_s + 3
    assert "the Wi-Fi is lost" not in log_lines(records)


def test_radio_is_not_restarted_while_gateway_answers(leap):
    assert log_lines(leap(3600, wifi=[HOME], begin={"air": AIR})) == ["on Wi-Fi HOME as 127.0.0.1"]


def test_gateway_is_not_asked_while_a_peer_is_heard(leap):
    records = leap(3600, wifi=[HOME], begin={"air": {**AIR, "deaf": True}, "quiet_ms": 14_000})
    assert log_lines(records) == ["on Wi-Fi HOME as 127.0.0.1"]


def test_radio_restarts_less_often_where_gateway_never_answers(leap):
    restarts = find_times(
        leap(4 * 3600, wifi=[HOME], begin={"air": {**AIR, "gateway": "255.255.255.255"}}), "the radio restarts"
    )
    waits = [round(after - before) for before, after in pairwise(restarts)]
    assert restarts[0] < 20 and waits[0] < 40 and waits == sorted(waits) and 600 <= waits[-1] < 605, waits


def test_board_without_a_network_logs_nothing(leap):
    assert leap(3600, wifi=[]) == []


# The whole firmware, with a fast clock.


def wait_for_status(desk, text, times=1):
    """Wait for so many status lines with this text, and return the last of them."""
    return json.loads(desk.wait_for(text, times)[-1])


def test_city_lives_without_wifi_and_listens_when_it_appears(desk):
    desk.restart({"wifi": [HOME]}, networks={})
    desk.wait_for("no Wi-Fi HOME in reach")
    alone = wait_for_status(desk, '"rssi": null', 3)
    assert alone["tick"] > 20 and alone["address"] is None
    desk.change_air(networks={"HOME": "correct horse"})
    desk.wait_for("on Wi-Fi HOME as 127.0.0.1")
    there = wait_for_status(desk, '"address": "127.0.0.1:')
    assert there["tick"] > alone["tick"] and there["rssi"] == -50


def test_board_without_a_network_reports_that_and_lives(desk):
    desk.restart({"wifi": []})
    desk.wait_for("no Wi-Fi: config.json names no network, so this city stays alone")
    desk.wait_for('"digest"', 60)  # longer than the watchdog waits
    while wait_for_status(desk, '"digest"')["tick"] <= 1000:
        pass


def test_board_with_a_changed_address_listens_there(desk):
    [port] = find_free_ports(1)  # so that no other test's board takes it meanwhile
    desk.restart({"port": port})
    before = wait_for_status(desk, '"address": "127.0.0.1')
    desk.change_air(address="127.0.0.2")
    after = wait_for_status(desk, '"address": "127.0.0.2')
    assert after["address"].split(":")[1] == before["address"].split(":")[1]
    for status, is_open in ((before, False), (after, True)):
        host, port = status["address"].split(":")
        with socket.socket() as sock:
            assert (sock.connect_ex((host, int(port))) == 0) == is_open


def test_city_ticks_while_a_deaf_link_is_cured(desk):
    desk.restart({})
    before = wait_for_status(desk, '"rssi": -50')
    desk.change_air(deaf=True)
    output = desk.wait_for("no traffic through the Wi-Fi: the radio restarts") + desk.wait_for("on Wi-Fi SIMULATED as")
    lines = [json.loads(line) for line in output if line.startswith("{")]
    ticks = [before["tick"]] + [status["tick"] for status in lines]
    assert len(lines) >= 10 and all(before < after for before, after in pairwise(ticks))
    assert ticks[-1] - ticks[0] >= 5 * len(lines)
    assert all(status["rssi"] == -50 for status in lines), "the station reports a connection"
