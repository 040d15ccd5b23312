"""Whatever bytes come, the worst is a refusal; whatever merchant goes, the same one arrives."""

import json
import math

from core.lines import line_of
from core.scenarios import facts
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire import codec
from deskonomy.wire.protocol import Arrived, Broken, Connection, Message, Named, Refusal
from deskonomy.wire.strict_json import NUMBER_BYTES, mills
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no fault of the code's.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters='{["'), min_size=1, max_size=20
).filter(lambda text: len(text.encode()) <= codec.NAME_BYTES)
amounts = st.integers(0, codec.COINS_MILLS)
merchants = st.builds(
    Merchant,
    names,
    amounts,
    st.integers(1, codec.UNITS),
    st.integers(0, codec.UNITS),
    st.dictionaries(names, st.dictionaries(names, amounts, max_size=8), max_size=8),
    st.none() | st.tuples(st.integers(0, codec.ID_MAX), st.integers(0, codec.ID_MAX)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
STRANGE = b'{}[]",:\\0123456789eE+-.\x00\xff tfn'
fields = st.sampled_from(["Money", "BuysSells", "CarryingCapacity", "Owned", "ExpectedPrices", "Mills", "Id", "Fox"])


@unhurried
@given(merchants)
def test_a_merchant_arrives_as_it_left(merchant):
    line = line_of(merchant)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and len(line) <= codec.LINE_BYTES
    assert facts(codec.decode(line)) == facts(merchant)
    assert line_of(codec.decode(line)) == line


@unhurried
@given(merchants)
def test_others_read_what_we_write(merchant):
    read = json.loads(line_of(merchant))
    seeds = ["Money", "BuysSells", "CarryingCapacity", "Owned", "ExpectedPrices"]
    assert [field for field in read if field in seeds] == seeds
    assert round(read["Money"] * 1000) == read["Mills"] == merchant.money_mills
    assert read["BuysSells"] == merchant.good
    assert {good: list(prices) for good, prices in read["ExpectedPrices"].items()} == {
        good: sorted(merchant.prices_mills[good]) for good in sorted(merchant.prices_mills)
    }


@unhurried
@given(st.floats(0, 1_000_000))
def test_floats_are_read_to_the_nearest_mill(value):
    assert abs(mills(repr(value).encode()) - value * 1000) <= 0.5 + 1e-6


@unhurried
@given(merchants, st.booleans())
def test_what_others_write_is_read(merchant, escaped):
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
    assert facts(codec.decode(json.dumps(written, ensure_ascii=escaped).encode())) == facts(merchant)


def refused_or(read, line):
    try:
        return read(line)
    except InvalidLineError as refused:
        assert str(refused)
        return None


@unhurried
@given(st.binary(max_size=200))
def test_any_bytes(line):
    for start in (b"", b"{", b"[", b'{"Money":', b'{"Fox":', b'{"ExpectedPrices":{"bed":{"A":', b'["'):
        refused_or(codec.decode, start + line)
        refused_or(codec.decode_message, start + line)


@unhurried
@given(merchants, st.data())
def test_a_line_with_a_few_other_bytes(merchant, data):
    line = bytearray(line_of(merchant))
    for _ in range(data.draw(st.integers(1, 3))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.sampled_from(STRANGE))
    found = refused_or(codec.decode, bytes(line))
    if found is not None:
        assert 0 <= found.money_mills <= codec.COINS_MILLS and 1 <= found.capacity <= codec.UNITS
        # Where we read something, so does the standard library, and the same.
        read = json.loads(bytes(line))
        assert (read["BuysSells"], read["CarryingCapacity"], read["Owned"]) == (found.good, found.capacity, found.owned)


@unhurried
@given(st.dictionaries(fields, json_values, max_size=8), st.dictionaries(fields, json_values, max_size=2))
def test_any_json(some, others):
    whole = {"Money": 1.0, "BuysSells": "bed", "CarryingCapacity": 1, "Owned": 0, "ExpectedPrices": {}}
    for value in (some, dict(whole, **others)):
        line = json.dumps(value).encode()
        found = refused_or(codec.decode, line)
        if any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in leaves(value)):
            assert found is None


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [value]
    return [leaf for inner in value for leaf in leaves(inner)]


@unhurried
@given(st.from_regex(rb"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z"))
def test_every_json_number_is_a_number(number):
    value = json.loads(number, parse_float=str, parse_int=str)
    assert value.encode() == number and len(number) <= NUMBER_BYTES
    assert isinstance(mills(number), int)


@unhurried
@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=20), st.integers(20, 100))
def test_any_stream_in_any_pieces(stream, sizes, line_max):
    connection = Connection("RIVERWOOD", 0, line_max)
    connection.elapse(0)
    stream = b"SEASIDE\n" + stream
    at = 0
    for n, size in enumerate(sizes + [len(stream)]):
        connection.receive(stream[at : at + size], n)
        at += size
        while (event := connection.next_event()) is not None:
            assert isinstance(event, (Named, Arrived, Message, Refusal, Broken))
        assert sum(map(len, connection._line or ())) <= line_max
