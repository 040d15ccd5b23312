"""The lines of the wire: which are read and which are rejected, the same on both interpreters."""

import unittest

from core.lines import line_of
from core.scenarios import collect_fields
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire import codec
from deskonomy.wire.codec import decode_merchant, decode_message, encode_merchant
from deskonomy.wire.strict_json import TOO_LARGE_MILLS, parse_mills

SEED = (
    b'{"Money": 1211.4803370633176, "BuysSells": "chair", "CarryingCapacity": 20, "Owned": 3, "ExpectedPrices": {'
    b'"bed": {"PORTSVILLE": 31.896729121741835, "RIVERWOOD": 16.95381916897244}, '
    b'"wood": {"SEASIDE": 2.288907176392255}}}\n'
)
PLAIN = b'{"Money":1000,"BuysSells":"bed","CarryingCapacity":20,"Owned":0,"ExpectedPrices":{}}\n'


def merchant(**fields):
    """Return a line with the fields of PLAIN, except those given as JSON text; None leaves a field out."""
    texts = {"Money": "1000", "BuysSells": '"bed"', "CarryingCapacity": "20", "Owned": "0", "ExpectedPrices": "{}"}
    texts.update(fields)
    return ("{%s}\n" % ",".join(['"%s":%s' % (key, texts[key]) for key in texts if texts[key] is not None])).encode()


class TestDecode(unittest.TestCase):
    def assert_rejects(self, line, why):
        try:
            decode_merchant(line)
        except InvalidLineError as error:
            self.assertIn(why, str(error), line)
            return
        self.fail("%r was accepted" % line)

    def test_merchant_of_seed_is_read(self):
        prices = {"bed": {"PORTSVILLE": 31897, "RIVERWOOD": 16954}, "wood": {"SEASIDE": 2289}}
        self.assertEqual(collect_fields(decode_merchant(SEED)), ("chair", 1_211_480, 20, 3, prices, None))

    def test_space_and_order_of_fields_do_not_matter(self):
        line = (
            b' {"Owned" :\t3 , "CarryingCapacity":20,\r "ExpectedPrices" : { "bed" : { "A" : 1.5 } , "wood":{ } } '
            b',"BuysSells":"chair","Money":1 } \r\n'
        )
        self.assertEqual(
            collect_fields(decode_merchant(line)), ("chair", 1000, 20, 3, {"bed": {"A": 1500}, "wood": {}}, None)
        )

    def test_null_is_an_empty_map(self):
        self.assertEqual(decode_merchant(merchant(ExpectedPrices="null")).prices_mills, {})
        self.assertEqual(decode_merchant(merchant(ExpectedPrices=None)).prices_mills, {})
        self.assertEqual(decode_merchant(merchant(ExpectedPrices='{"bed":null}')).prices_mills, {"bed": {}})

    def test_unknown_fields_are_skipped(self):
        line = merchant(
            Home='"a { [ \\" \\u00e9 }"', Tags='[1,-2.5e3,true,false,null,{"x":[]},"]"]', Fox='{"a":{"b":1}}'
        )
        self.assertEqual(collect_fields(decode_merchant(line)), collect_fields(decode_merchant(PLAIN)))

    def test_unknown_goods_and_cities_are_kept(self):
        prices = {"fur": {"ÅRHUS": 2500, "a\\b": 1}}
        m = decode_merchant(line_of(Merchant("fur", 5, 7, 3, prices)))
        self.assertEqual(collect_fields(m), ("fur", 5, 7, 3, prices, None))

    def test_escapes_in_names_are_decoded(self):
        line = merchant(
            BuysSells='"f\\u0075r"', ExpectedPrices='{"fur":{"M\\u00dcNCHEN":1,"\\ud83e\\udd8a\\/":2,"ÅRHUS":3}}'
        )
        m = decode_merchant(line)
        self.assertEqual(m.good, "fur")
        self.assertEqual(m.prices_mills, {"fur": {"MÜNCHEN": 1000, "🦊/": 2000, "ÅRHUS": 3000}})

    def test_price_a_little_below_0_is_0(self):
        for text, price in (("-0.004", 0), ("-10", 0), ("-0", 0), ("0", 0), ("1000000", codec.MONEY_MAX_MILLS)):
            self.assertEqual(
                decode_merchant(merchant(ExpectedPrices='{"bed":{"A":%s}}' % text)).prices_mills, {"bed": {"A": price}}
            )
        for text in ("-10.001", "1000000.001", "1e999", "-1e999"):
            self.assert_rejects(merchant(ExpectedPrices='{"bed":{"A":%s}}' % text), "a price is ")

    def test_money_has_limits(self):
        for text, money in (
            ("0", 0),
            ("1000000", codec.MONEY_MAX_MILLS),
            ("1000000.0004", codec.MONEY_MAX_MILLS),
            ("-0.0", 0),
        ):
            self.assertEqual(decode_merchant(merchant(Money=text)).money_mills, money)
        for text in ("-0.001", "1000000.0005", "1e999", "1e7"):
            self.assert_rejects(merchant(Money=text), "Money is %s, not 0 to 1000000" % text)

    def test_mills_is_exact_unless_money_was_changed(self):
        # A 24-bit float made of 999999.999.
        self.assertEqual(decode_merchant(merchant(Money="1000000.0", Mills="999999999")).money_mills, 999_999_999)
        self.assertEqual(decode_merchant(merchant(Money="1211.48", Mills="1211480")).money_mills, 1_211_480)
        self.assertEqual(decode_merchant(merchant(Money="1190.332", Mills="1211480")).money_mills, 1_190_332)
        self.assertEqual(decode_merchant(merchant(Money="1.003", Mills="1000")).money_mills, 1003)
        for text in ("1.5", "-1", "1000000001", "true", '"5"', "1e3", "99999999999999999999999"):
            self.assert_rejects(merchant(Mills=text), "Mills is ")

    def test_whole_numbers_have_limits(self):
        for field, least in (("CarryingCapacity", 1), ("Owned", 0)):
            for text in (str(least), "10000"):
                decode_merchant(merchant(**{field: text}))
            for text in (
                str(least - 1),
                "10001",
                "1.0",
                "1e1",
                "true",
                "null",
                '"1"',
                "01",
                "",
                "1 2",
                "1_0",
                "+1",
                "٣",
            ):
                self.assert_rejects(merchant(**{field: text}), "%s is " % field)

    def test_text_that_is_no_number_is_rejected(self):
        numbers = "01 -01 1. .5 -.5 -- --1 +1 1e 1e+ 1e- 1e1.0 e5 0x10 1_0 ٣ 1.5.2 NaN Infinity -Infinity nan inf"
        for text in numbers.split(" ") + ["", "-", "1 0", "1" * 65]:
            self.assert_rejects(merchant(Money=text), "")
            self.assert_rejects(merchant(ExpectedPrices='{"bed":{"A":%s}}' % text), "")
            self.assert_rejects(merchant(Fox=text), "")
        for text in ("true", "false", "null", '"1"', "[1]", "{}"):
            self.assert_rejects(merchant(Money=text), "")
            self.assert_rejects(merchant(ExpectedPrices='{"bed":{"A":%s}}' % text), "")

    def test_missing_fields_are_named(self):
        for field in ("Money", "BuysSells", "CarryingCapacity", "Owned"):
            self.assert_rejects(merchant(**{field: None}), "%s is missing" % field)
        self.assert_rejects(b"{}", "Money, BuysSells, CarryingCapacity, Owned is missing")

    def test_invalid_names_are_rejected(self):
        for bad in (
            '""',
            '"%s"' % ("x" * 65),
            '"a{"',
            '"a["',
            '"a\\"b"',
            '"a\\nb"',
            '"\\u007f"',
            '"\\u0085"',
            '"é%s"' % ("x" * 63),
        ):
            self.assert_rejects(merchant(BuysSells=bad), "a name ")
            self.assert_rejects(merchant(ExpectedPrices="{%s:{}}" % bad), "a name ")
            self.assert_rejects(merchant(ExpectedPrices='{"bed":{%s:1}}' % bad), "a name ")
        for bad in ("5", "null", "[]", "bed"):
            self.assert_rejects(merchant(BuysSells=bad), "")

    def test_duplicate_keys_are_rejected(self):
        for line in (
            b'{"Money":1,' + PLAIN[1:],
            b'{"Mon\\u0065y":1,' + PLAIN[1:],
            merchant(ExpectedPrices='{"bed":{},"bed":{}}'),
            merchant(ExpectedPrices='{"bed":{"A":1,"\\u0041":1}}'),
            merchant(Fox='{"a":1,"a":1}'),
        ):
            self.assert_rejects(line, "twice")

    def test_invalid_characters_are_rejected(self):
        bad_utf8 = (
            b"\xff",
            b"\xc3",
            b"\xc0\x80",
            b"\xe0\x80\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\x80",
        )
        for raw in bad_utf8:
            self.assert_rejects(merchant(BuysSells='"@"').replace(b"@", raw), "not UTF-8")
            self.assert_rejects(merchant(Fox='"@"').replace(b"@", raw), "not UTF-8")
        for escape in ("\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x"):
            self.assert_rejects(merchant(BuysSells='"%s"' % escape), "")
        for text in ('"\\x41"', '"\\u12"', '"\\u12g4"', '"\\U0041"', '"\t"', '"\x00"', '"a\\"\t"', '"\\', '"\\"', '"'):
            self.assert_rejects(merchant(BuysSells=text), "")
            self.assert_rejects(merchant(Fox=text), "")

    def test_depth_and_number_of_fields_have_limits(self):
        decode_merchant(merchant(Fox="[[[1]]]"))
        self.assert_rejects(merchant(Fox="[[[[1]]]]"), "more than 4 levels")
        self.assert_rejects(merchant(Fox="[" * 10000), "more than 4 levels")
        self.assert_rejects(merchant(Fox='{"a":' * 5000), "more than 4 levels")
        self.assert_rejects(merchant(Fox="{%s}" % ",".join(['"%d":0' % n for n in range(65)])), "more than 64 fields")

    def test_number_of_prices_has_limits(self):
        prices = {"bed": {}, "wood": {}}
        for n in range(128):
            prices["bed"]["B%d" % n] = n
            prices["wood"]["W%d" % n] = n
        full = line_of(Merchant("bed", prices_mills=prices))
        self.assertEqual(decode_merchant(full).prices_mills, prices)
        one_more = full.replace(b'"wood":{', b'"wood":{"X":1,')
        self.assert_rejects(one_more, "more than 256 prices")
        goods = ",".join(['"g%d":{}' % n for n in range(33)])
        self.assert_rejects(merchant(ExpectedPrices="{%s}" % goods), "more than 32 goods")

    def test_invalid_json_is_rejected(self):
        for line in (
            b"", b" ", b"{", b"}", b"[]", b"5", b'"x"', b"null", b"{}{}", b"{,}", b'{"a"}', b'{"a":}', b'{"a":1,}',
            b'{"a" 1}', b"{a:1}", b'{"a":[1,]}', b'{"a":[1 2]}', b'{"a":[,1]}', b'{"a":[1}', b'{"a":{"b":1]}',
            b"{'a':1}", PLAIN + b"x", PLAIN + b"\x0c",
            b"\xef\xbb\xbf" + PLAIN, PLAIN.replace(b",", b"\x0b,"), PLAIN.replace(b":", b"="),
            PLAIN.replace(b"{}", b"[]"), PLAIN.replace(b"{}", b'{"bed":[]}'),
        ):  # fmt: skip
            self.assert_rejects(line, "")
        for end in range(len(SEED) - 2):
            self.assert_rejects(SEED[:end], "")

    def test_id_is_read(self):
        self.assertEqual(decode_merchant(merchant(Id="[7, 12]")).id, (7, 12))
        self.assertEqual(decode_merchant(merchant(Id="[9007199254740991,0]")).id, (codec.ID_MAX, 0))
        for bad in (
            "[]",
            "[1]",
            "[1,2,3]",
            "7",
            "null",
            '["a",1]',
            "[1,-2]",
            "[1.0,2]",
            "[9007199254740992,1]",
            "[[1],2]",
            "{}",
        ):
            self.assert_rejects(merchant(Id=bad), "")


class TestEncode(unittest.TestCase):
    def test_fields_are_written_in_the_order_of_the_seed(self):
        m = Merchant("chair", 1_211_480, 20, 3, {"wood": {"B": 2, "A": 1}, "bed": {"A": 31_897}})
        self.assertEqual(
            line_of(m),
            b'{"Money":1211.48,"BuysSells":"chair","CarryingCapacity":20,"Owned":3,"Mills":1211480,'
            b'"ExpectedPrices":{"bed":{"A":31.897},"wood":{"A":0.001,"B":0.002}}}\n',
        )
        m.id = (5, 9)
        self.assertIn(b',"Mills":1211480,"Id":[5,9],"ExpectedPrices":{', line_of(m))
        self.assertEqual(decode_merchant(line_of(m)).id, (5, 9))

    def test_every_mill_is_written_exactly(self):
        for money in (0, 1, 9, 10, 999, 1000, 1001, 16_777_217, 123_456_789, 999_999_999, 1_000_000_000):
            m = decode_merchant(line_of(Merchant("bed", money, prices_mills={"bed": {"A": money}})))
            self.assertEqual((m.money_mills, m.prices_mills), (money, {"bed": {"A": money}}))
            # Nor is Mills needed for it.
            line = line_of(m)
            self.assertEqual(decode_merchant(line[: line.find(b',"Mills"')] + b"}").money_mills, money)

    def test_line_has_at_most_8192_bytes(self):
        long = {}
        for n in range(300):
            long["%060d" % n] = n
        for prices in ({"bed": long}, {"bed": long, "wood": long}):
            line = line_of(Merchant("bed", prices_mills=prices))
            self.assertLessEqual(len(line), codec.LINE_MAX_BYTES)
            kept = decode_merchant(line).prices_mills["bed"]
            self.assertGreater(len(kept), 50)
            self.assertEqual(sorted(kept), sorted(long)[: len(kept)])

    def test_pieces_of_a_line_are_short(self):
        for count in (0, 1, 5, 20, 80, 256):
            prices = {}
            for n in range(count):
                prices["CITY %d" % n] = 1_000_000 + n
            m = Merchant("bed", prices_mills={"bed": prices})
            line = encode_merchant(m)
            self.assertEqual(decode_merchant(b"".join(line)).prices_mills, {"bed": prices})
            self.assertLessEqual(max([len(piece) for piece in line]), 1280)  # which may end with a row of eight
            self.assertEqual(len(line) > 1, count > 20)


class TestNumbers(unittest.TestCase):
    def test_numbers_are_rounded_to_the_nearest_mill(self):
        for text, amount in (
            (b"1.0004999999999999999", 1000),
            (b"1.0005", 1001),
            (b"16.95381916897244", 16954),
            (b"0.9996", 1000),
            (b"-1.0005", -1001),
            (b"123456789012", 123_456_789_012_000),
            (b"1.2114803370633176e3", 1_211_480),
            (b"1211480E-3", 1_211_480),
            (b"5e-4", 1),
            (b"4.9e-4", 0),
            (b"1e+2", 100_000),
            (b"0e999", 0),
            (b"-0.0e5", 0),
            (b"0.%s1e61" % (b"0" * 55), 100_000_000),
            (b"1e-99999999999999", 0),
            (b"1e999", TOO_LARGE_MILLS),
            (b"-1e999", -TOO_LARGE_MILLS),
            (b"9" * 64, TOO_LARGE_MILLS),
        ):
            self.assertEqual(parse_mills(text), amount, text)


class TestMessages(unittest.TestCase):
    def test_messages_are_written_and_read(self):
        self.assertEqual(decode_message(b'["ack", 7, 12]\n'), ["ack", 7, 12])
        self.assertEqual(
            decode_message(b' [ "refuse",7,12,"Money is \\"x\\" \\u00e9" ] \r\n'), ["refuse", 7, 12, 'Money is "x" é']
        )

    def test_invalid_messages_are_rejected(self):
        for line in (
            b"[]", b"[1]", b'["a",]', b'["a",1.5]', b'["a",-1]', b'["a",true]', b'["a",null]', b'["a",[1]]',
            b'["a",{}]', b'["a"', b'["a"]]', b'["a",1,2,3,4,5,6,7,8]', b'["a" 1]', b'["a",9007199254740992]',
            b'["\xff"]', b"[" * 5000, b"{}", b"",
        ):  # fmt: skip
            self.assertRaises(InvalidLineError, decode_message, line)


class TestNames(unittest.TestCase):
    def test_names_have_rules(self):
        for raw in (b"A", b"x" * 64, "MÜNCHEN 2, }]:\\".encode(), "🦊".encode() * 16):
            self.assertEqual(codec.decode_name(raw), raw.decode())
        for raw in (b"", b"x" * 65, b"a\n", b"a\x7f", b"\xc2\x80", b"{", b"a[", b'"', b"\xff", b"\xed\xa0\x80"):
            self.assertRaises(InvalidLineError, codec.decode_name, raw)
