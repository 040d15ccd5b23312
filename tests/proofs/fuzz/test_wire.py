"""Any bytes lead to a rejection at worst; any merchant arrives as it was sent."""

import json
import math

from core.lines import line_of
from core.scenarios import collect_fields
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire import codec
from deskonomy.wire.protocol import LineRejected, MerchantReceived, MessageReceived, PeerNamed, Protocol, ProtocolFailed
from deskonomy.wire.strict_json import NUMBER_MAX_BYTES, parse_mills
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is not a failure of the code.
no_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"), exclude_characters='{["'),
    min_size=1,
    max_size=20,
).filter(lambda text: len(text.encode()) <= codec.NAME_MAX_BYTES and not codec.is_http(text.encode()))
amounts = st.integers(0, codec.MONEY_MAX_MILLS)
merchants = st.builds(
    Merchant,
    names,
    amounts,
    st.integers(1, codec.UNITS_MAX),
    st.integers(0, codec.UNITS_MAX),
    st.dictionaries(names, st.dictionaries(names, amounts, max_size=8), max_size=8),
    st.none() | st.tuples(st.integers(0, codec.ID_MAX), st.integers(0, codec.ID_MAX)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
SPECIAL_BYTES = b'{}[]",:\\0123456789eE+-.\x00\xff tfn'
fields = st.sampled_from(["Money", "BuysSells", "CarryingCapacity", "Owned", "ExpectedPrices", "Mills", "Id", "Fox"])


@no_deadline
@given(merchants)
def test_merchant_arrives_as_it_was_sent(merchant):
    line = line_of(merchant)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and len(line) <= codec.LINE_MAX_BYTES
    assert collect_fields(codec.decode_merchant(line)) == collect_fields(merchant)
    assert line_of(codec.decode_merchant(line)) == line


@no_deadline
@given(merchants)
def test_merchant_line_is_json_of_tutorial(merchant):
    read = json.loads(line_of(merchant))
    tutorial_fields = ["Money", "BuysSells", "CarryingCapacity", "Owned", "ExpectedPrices"]
    assert [field for field in read if field in tutorial_fields] == tutorial_fields
    assert round(read["Money"] * 1000) == read["Mills"] == merchant.money_mills
    assert read["BuysSells"] == merchant.good
    assert {good: list(prices) for good, prices in read["ExpectedPrices"].items()} == {
        good: sorted(merchant.prices_mills[good]) for good in sorted(merchant.prices_mills)
    }


@no_deadline
@given(st.floats(0, 1_000_000))
def test_float_is_read_to_nearest_mill(value):
    assert abs(parse_mills(repr(value).encode()) - value * 1000) <= 0.5 + 1e-6


@no_deadline
@given(merchants, st.booleans())
def test_json_of_tutorial_is_read(merchant, escaped):
    written = {
        "Money": merchant.money_mills / 1000,
        "BuysSells": merchant.good,
        "CarryingCapacity": merchant.capacity,
        "Owned": merchant.owned,
        "ExpectedPrices": {
            good: {city: price / 1000 for city, price in prices.items()}
            for good, prices in merchant.prices_mills.items()
        },
    }
    merchant.id = None
    assert collect_fields(codec.decode_merchant(json.dumps(written, ensure_ascii=escaped).encode())) == collect_fields(
        merchant
    )


def read_or_reject(read, line):
    """Return what read() makes of a line, None if it rejects the line with a reason."""
    try:
        return read(line)
    except InvalidLineError as error:
        assert str(error)
        return None


@no_deadline
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(line):
    for start in (b"", b"{", b"[", b'{"Money":', b'{"Fox":', b'{"ExpectedPrices":{"bed":{"A":', b'["'):
        read_or_reject(codec.decode_merchant, start + line)
        read_or_reject(codec.decode_message, start + line)


@no_deadline
@given(merchants, st.data())
def test_changed_line_is_read_as_by_standard_library(merchant, data):
    line = bytearray(line_of(merchant))
    for _ in range(data.draw(st.integers(1, 3))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.sampled_from(SPECIAL_BYTES))
    found = read_or_reject(codec.decode_merchant, bytes(line))
    if found is not None:
        assert 0 <= found.money_mills <= codec.MONEY_MAX_MILLS and 1 <= found.capacity <= codec.UNITS_MAX
        # What the codec reads, the standard library reads, too, and the same.
        read = json.loads(bytes(line))
        assert (read["BuysSells"], read["CarryingCapacity"], read["Owned"]) == (found.good, found.capacity, found.owned)


@no_deadline
@given(st.dictionaries(fields, json_values, max_size=8), st.dictionaries(fields, json_values, max_size=2))
def test_any_json_is_read_or_rejected(value_without_merchant, changes):
    merchant = {"Money": 1.0, "BuysSells": "bed", "CarryingCapacity": 1, "Owned": 0, "ExpectedPrices": {}}
    for value in (value_without_merchant, dict(merchant, **changes)):
        line = json.dumps(value).encode()
        found = read_or_reject(codec.decode_merchant, line)
        if any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in list_leaves(value)):
            assert found is None


def list_leaves(value):
    """Return all values of a JSON document that are not containers."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [value]
    return [leaf for inner in value for leaf in list_leaves(inner)]


@no_deadline
@given(st.from_regex(rb"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z"))
def test_every_json_number_is_read_as_mills(number):
    value = json.loads(number, parse_float=str, parse_int=str)
    assert value.encode() == number and len(number) <= NUMBER_MAX_BYTES
    assert isinstance(parse_mills(number), int)


@no_deadline
@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=20), st.integers(20, 100))
def test_any_stream_in_any_pieces_keeps_bounds(stream, sizes, line_max):
    protocol = Protocol("RIVERWOOD", 0, line_max)
    protocol.elapse(0)
    stream = b"SEASIDE\n" + stream
    at = 0
    for n, size in enumerate(sizes + [len(stream)]):
        protocol.receive(stream[at : at + size], n)
        at += size
        while (event := protocol.next_event()) is not None:
            assert isinstance(event, (PeerNamed, MerchantReceived, MessageReceived, LineRejected, ProtocolFailed))
        assert sum(map(len, protocol._line or ())) <= line_max
