"""The check of statuses that come from other machines."""

import math

import pytest
from deskonomy_host.telemetry.schema import check_status, check_statuses
from helpers.sources import make_status


def test_valid_status_is_unchanged_without_unknown_fields():
    status = make_status("A", roads=["B"], heap={"used": 1, "free": 2}, rssi=-50, reset="hard", address="127.0.0.1:1")
    status |= {"version": {"software": "0.2.0", "wire": 2}}
    status["roads"]["B"]["peer_version"] = "0.2.0"
    assert check_statuses({"cities": [status, make_status("B")]}) == [status, make_status("B")]
    assert check_statuses(status) == [status]  # a board answers with one
    assert check_status(make_status("A", rssi=None, evil="<script>"))["city"] == "A"
    assert "evil" not in check_status(make_status("A", evil=1))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        7,
        {},
        {"cities": 7},
        {"cities": [7]},
        {"cities": [make_status("A")] * 1000},
        make_status("A\nB"),
        make_status("x" * 1000),
        make_status(""),
        make_status("A", tick="1"),
        make_status("A", tick=-1),
        make_status("A", price={}),
        make_status("A", price={"wood": 1}),
        make_status("A", price={"wood": {"min": 1, "mean": math.inf, "max": 2}}),
        make_status("A", price=7),
        make_status("A") | {"yield": {"gold": 1}},
        make_status("A", money={"locals": 1}),
        make_status("A", merchants={"wood": True}),
        make_status("A") | {"roads": {"B": {"state": "up"}}},
        make_status("A", sensors=[1]),
        make_status("A", sensors={"light": {"raw": 1, "level": "0.5"}}),
        make_status("A", sensors={"light": {"raw": 1, "error": 5}}),
        make_status("A", made={f"g{index}": 1 for index in range(1000)}),
        make_status("A", detail={"wealth": []}),
        make_status("A", detail=7),
        make_status("A", heap={"used": 1}),
        make_status("A", address=["x"]),
        make_status("A", version="0.2.0"),
        make_status("A", version={"software": "0.2.0", "wire": "2"}),
        make_status("A") | {"roads": {"B": make_status("A", roads=["B"])["roads"]["B"] | {"peer_version": "\x1b[0m"}}},
        {"cities": [{"city": {}}]},
    ],
)
def test_invalid_status_is_rejected(answer):
    with pytest.raises(ValueError):
        check_statuses(answer)
