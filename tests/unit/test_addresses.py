"""Addresses: HOST:PORT parsed once for the whole host tool, and formatted as it was typed."""

import contextlib
import socket

import pytest
from deskonomy_host import addresses
from deskonomy_host.addresses import Address, find_reachable_host, format_address, parse_address, parse_host
from deskonomy_host.cli.options import DashboardAt
from deskonomy_host.errors import UsageError

INVALID = [
    "",
    "b",
    "b:",
    ":5",
    "b:0",
    "b:65536",
    "b:x",
    "b:٣",
    "http://b:5",
    "b c:5",
    "a@b:5",
    "[::1",
    "[:5",
    "b]:5",
    7,
]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("desktown.local:55555", ("desktown.local", 55555)),
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("::1:80", ("::1", 80)),
    ],
)
def test_address_is_parsed(text, address):
    assert parse_address(text, "--connect") == address


@pytest.mark.parametrize("text", INVALID)
def test_invalid_address_is_an_error_with_its_label(text):
    with pytest.raises(UsageError, match=r"^--connect takes HOST:PORT, such as 127\.0\.0\.1:55555, not "):
        parse_address(text, "--connect")


@pytest.mark.parametrize(
    ("text", "host"),
    [("b", ("b", None)), ("b:80", ("b", 80)), ("[::1]", ("::1", None)), ("[::1]:80", ("::1", 80))],
)
def test_host_is_parsed_with_or_without_port(text, host):
    assert parse_host(text, "--watch") == host


@pytest.mark.parametrize("text", ["", "b:x", "b:0", "a b", "[]"])
def test_invalid_host_is_an_error_with_its_label(text):
    with pytest.raises(UsageError, match=r"^--watch takes HOST or HOST:PORT"):
        parse_host(text, "--watch")


def test_example_in_error_is_of_the_argument():
    with pytest.raises(UsageError, match=r"^--dashboard-at takes HOST:PORT, such as 127\.0\.0\.1:8055, not 'foo'"):
        DashboardAt.parser("foo")


class NetworkOf:
    """A stand-in for the module socket: this machine's only route has this address, or there is none."""

    AF_INET, AF_INET6, SOCK_DGRAM = socket.AF_INET, socket.AF_INET6, socket.SOCK_DGRAM

    def __init__(self, host):
        self._host = host

    def socket(self, family, type_):
        assert type_ == socket.SOCK_DGRAM  # no packet is sent
        return contextlib.nullcontext(self)

    def connect(self, address):
        if self._host is None:
            raise OSError("Network is unreachable")

    def getsockname(self):
        return self._host, 5

    def gethostname(self):
        return "my-laptop"


@pytest.mark.parametrize(
    ("listen", "own", "host"),
    [
        ("0.0.0.0", "192.168.1.7", "192.168.1.7"),
        ("::", "fd00::7", "fd00::7"),
        ("0.0.0.0", None, "my-laptop"),
        ("127.0.0.1", "192.168.1.7", "127.0.0.1"),
        ("192.168.2.9", "192.168.1.7", "192.168.2.9"),
    ],
)
def test_other_machines_are_told_an_address_that_they_reach(listen, own, host, monkeypatch):
    monkeypatch.setattr(addresses, "socket", NetworkOf(own))
    assert find_reachable_host(listen) == host


def test_address_is_formatted_as_typed():
    assert str(Address("b", 5)) == f"{Address('b', 5)}" == format_address("b", 5) == "b:5"
    assert str(Address("::1", 5)) == "[::1]:5"
