"""Hostile input as data: (bytes after the name, merchants accepted, lines rejected, why the connection ends).

Here: the corpus. Not here: the tests (test_hostile.py). VALID_LINE is the line of a valid merchant with 7 mills. The
last text is a part of the reason for which the connection ends, "" if it does not end.
"""

from core.lines import line_of
from deskonomy.economy.merchant import Merchant

VALID_LINE = line_of(Merchant("bed", 7))


def line(money="1", good='"bed"', capacity="20", owned="0", prices="{}", rest=""):
    """Return a merchant's line of these JSON texts."""
    text = '{"Money":%s,"BuysSells":%s,"CarryingCapacity":%s,"Owned":%s,"ExpectedPrices":%s%s}\n'
    return (text % (money, good, capacity, owned, prices, rest)).encode()


def numbered_line(sequence, incarnation=2002):
    """Return the line of a merchant with an id."""
    return line_of(Merchant("bed", 7, id=(incarnation, sequence)))


CORPUS = (
    # Lines that are no merchants.
    (b"\n", 0, 0, ""),
    (b"\r\n \t\n\n", 0, 0, ""),
    (b"hello\n", 0, 1, ""),
    (b"5\n", 0, 1, ""),
    (b'"text"\n', 0, 1, ""),
    (b"null\n", 0, 1, ""),
    (b"\x00\n", 0, 1, ""),
    (b"\xff\xfe\x00\n", 0, 1, ""),
    (b"\xef\xbb\xbf" + VALID_LINE, 0, 1, ""),  # a byte order mark
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, 2, ""),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 0, 1, ""),  # TLS
    (b"SSH-2.0-OpenSSH_9.2\r\n", 0, 1, ""),
    (b"}{\n", 0, 1, ""),
    (b"{\n", 0, 1, ""),
    (b"{}\n", 0, 1, ""),
    (b"[\n", 0, 1, ""),
    (b"[]\n", 0, 1, ""),
    (b"{" * 5000 + b"\n", 0, 1, ""),
    (b"[" * 5000 + b"\n", 0, 1, ""),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"\n", 0, 1, ""),
    (b"x" * 9000 + b"\n", 0, 1, ""),
    (b"x" * 9000 + b"\n" + VALID_LINE, 1, 1, ""),
    (b" " * 9000 + VALID_LINE, 0, 1, ""),
    (VALID_LINE + VALID_LINE[:-1] + b"\x00\n", 1, 1, ""),
    (VALID_LINE[:-1] + VALID_LINE, 0, 1, ""),  # two merchants on one line
    (VALID_LINE[:-1], 0, 0, ""),  # no newline
    (VALID_LINE.replace(b"{", b"", 1), 0, 1, ""),
    (VALID_LINE.replace(b"}", b""), 0, 1, ""),
    (VALID_LINE + b"#\n" + VALID_LINE, 2, 1, ""),
    # Money.
    (line(money="-1"), 0, 1, ""),
    (line(money="-0.0001"), 1, 0, ""),
    (line(money="1000000.001"), 0, 1, ""),
    (line(money="1000000"), 1, 0, ""),
    (line(money="1e999"), 0, 1, ""),
    (line(money="-1e999"), 0, 1, ""),
    (line(money="1e-999"), 1, 0, ""),
    (line(money="1" * 400), 0, 1, ""),
    (line(money="0." + "0" * 400 + "1"), 0, 1, ""),
    (line(money="NaN"), 0, 1, ""),
    (line(money="Infinity"), 0, 1, ""),
    (line(money="-Infinity"), 0, 1, ""),
    (line(money="true"), 0, 1, ""),
    (line(money="null"), 0, 1, ""),
    (line(money='"1"'), 0, 1, ""),
    (line(money="[1]"), 0, 1, ""),
    (line(money="01"), 0, 1, ""),
    (line(money="+1"), 0, 1, ""),
    (line(money=".5"), 0, 1, ""),
    (line(money="1."), 0, 1, ""),
    (line(money="0x10"), 0, 1, ""),
    (line(money="1_000"), 0, 1, ""),
    (line(money="1,5"), 0, 1, ""),
    (line(money="1 000"), 0, 1, ""),
    (line(money="\uff11"), 0, 1, ""),  # a digit of another alphabet
    (line(money=""), 0, 1, ""),
    (line(rest=',"Money":2'), 0, 1, ""),
    (line(rest=',"Mon\\u0065y":2'), 0, 1, ""),
    (line(rest=',"Mills":-5'), 0, 1, ""),
    (line(rest=',"Mills":1.5'), 0, 1, ""),
    (line(rest=',"Mills":1000000001'), 0, 1, ""),
    # Units.
    (line(capacity="0"), 0, 1, ""),
    (line(capacity="10001"), 0, 1, ""),
    (line(capacity="-5"), 0, 1, ""),
    (line(capacity="2.5"), 0, 1, ""),
    (line(capacity="true"), 0, 1, ""),
    (line(capacity="1e3"), 0, 1, ""),
    (line(capacity="99999999999999999999"), 0, 1, ""),
    (line(owned="-1"), 0, 1, ""),
    (line(owned="10001"), 0, 1, ""),
    (line(owned="10000"), 1, 0, ""),
    (line(owned="null"), 0, 1, ""),
    # Names.
    (line(good='""'), 0, 1, ""),
    (line(good='"%s"' % ("x" * 65)), 0, 1, ""),
    (line(good='"%s"' % ("x" * 64)), 1, 0, ""),
    (line(good='"a\\nb"'), 0, 1, ""),
    (line(good='"a\\u0000b"'), 0, 1, ""),
    (line(good='"\\ud800"'), 0, 1, ""),
    (line(good='"<script>"'), 1, 0, ""),
    (line(good='"\\u202e\\u202d"'), 0, 1, ""),  # format characters turn the direction of a text
    (line(good='"bed\\u200b"'), 0, 1, ""),
    (line(good='"GET / HTTP/1.1"'), 0, 1, ""),
    (line(good='"../../etc/passwd"'), 1, 0, ""),
    (line(good='"{"'), 0, 1, ""),
    (line(good='["bed"]'), 0, 1, ""),
    (line(good="bed"), 0, 1, ""),
    (line(good="'bed'"), 0, 1, ""),
    (b'{"Money":1,"BuysSells":"\xff","CarryingCapacity":20,"Owned":0}\n', 0, 1, ""),
    (b'{"Money":1,"BuysSells":"\xc0\x80","CarryingCapacity":20,"Owned":0}\n', 0, 1, ""),
    (b'{"Money":1,"BuysSells":"\xed\xa0\x80","CarryingCapacity":20,"Owned":0}\n', 0, 1, ""),
    # Prices.
    (line(prices="null"), 1, 0, ""),
    (line(prices="[]"), 0, 1, ""),
    (line(prices="5"), 0, 1, ""),
    (line(prices='{"bed":5}'), 0, 1, ""),
    (line(prices='{"bed":{"A":null}}'), 0, 1, ""),
    (line(prices='{"bed":{"A":1000001}}'), 0, 1, ""),
    (line(prices='{"bed":{"A":-9}}'), 1, 0, ""),
    (line(prices='{"bed":{"A":-11}}'), 0, 1, ""),
    (line(prices='{"bed":{"A":1,"A":2}}'), 0, 1, ""),
    (line(prices='{"bed":{},"bed":{}}'), 0, 1, ""),
    (line(prices='{"bed":{"A":{"B":1}}}'), 0, 1, ""),
    (line(prices="{%s}" % ",".join(['"%d":{}' % n for n in range(33)])), 0, 1, ""),
    (line(prices='{"bed":{%s}}' % ",".join(['"%d":1' % n for n in range(257)])), 0, 1, ""),
    (line(prices='{"__proto__":{"constructor":1}}'), 1, 0, ""),
    # JSON's edges.
    (line(rest=","), 0, 1, ""),
    (line(rest=',"a":undefined'), 0, 1, ""),
    (line(rest=',"a":1//x'), 0, 1, ""),
    (line(rest=",a:1"), 0, 1, ""),
    (line(rest=',"a":[1,]'), 0, 1, ""),
    (line(rest=',"a":{"b":1,}'), 0, 1, ""),
    (line(rest=',"a":"\\x41"'), 0, 1, ""),
    (line(rest=',"a":"\t"'), 0, 1, ""),
    (line(rest=',"a":[[[[[1]]]]]'), 0, 1, ""),
    (line(rest=',"a":tru'), 0, 1, ""),
    (b'{"Money":1}\n', 0, 1, ""),
    (b'{"money":1,"buyssells":"bed","carryingcapacity":1,"owned":0}\n', 0, 1, ""),
    (b'{"ack": 5}\n', 0, 1, ""),
    # Ids and messages.
    (line(rest=',"Id":5'), 0, 1, ""),
    (line(rest=',"Id":[1,2,3]'), 0, 1, ""),
    (line(rest=',"Id":[-1,2]'), 0, 1, ""),
    (line(rest=',"Id":[1.5,2]'), 0, 1, ""),
    (line(rest=',"Id":[1001,2]'), 1, 0, ""),  # this city's own incarnation, passed on by a legacy peer
    (numbered_line(1) + numbered_line(2) + numbered_line(3), 3, 0, ""),
    (numbered_line(1) + numbered_line(1), 1, 0, "missing"),
    (numbered_line(1) + numbered_line(3), 1, 0, "missing"),
    (numbered_line(3) + numbered_line(2), 1, 0, "missing"),
    (numbered_line(1) + numbered_line(2, 2003), 1, 0, "missing"),
    (b"[1]\n", 0, 1, ""),
    (b'["ack"]\n', 0, 0, ""),
    (b'["ack",1,2]\n', 0, 0, ""),
    (b'["ack",1001,1]\n', 0, 0, "not sent"),
    (b'["ack",1001,9007199254740991]\n', 0, 0, "not sent"),
    (b'["ack",1001,9007199254740992]\n', 0, 1, ""),
    (b'["ack",1001,-1]\n', 0, 1, ""),
    (b'["ack",1001,1e3]\n', 0, 1, ""),
    (b'["refuse",1001,7,"x"]\n', 0, 0, "not sent"),
    (b'["refuse",1001,7,"\\ud800"]\n', 0, 1, ""),
    (b'["ping",1,2,3,4,5,6,7,8,9]\n', 0, 1, ""),
    (b'["ping",{"a":1}]\n', 0, 1, ""),
    (b'["ping",[1]]\n', 0, 1, ""),
    (b'["ping",1]\n' * 300, 0, 0, ""),
    (b'["%s"]\n' % (b"x" * 7000), 0, 0, ""),
    (b'["shutdown",1]\n', 0, 0, ""),
    (b'["hello","' + b"0" * 32 + b'"]\n', 0, 0, "key"),
)
