"""Two cities with a key: they find each other, and take no line from anybody else."""

import unittest
from binascii import hexlify, unhexlify

from core.forgeries import KEY, OTHER_KEY, Dice, forged, pair
from deskonomy.errors import AuthenticationError
from deskonomy.wire.sealing import KEY_BYTES, LINE_MORE, Keyed, mac, pads, same

# RFC 4231, test cases 1 to 4, 6 and 7: key, data, HMAC-SHA256. Case 5 is a MAC that is cut off.
RFC_4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)


def proven(**options):
    """Both ends of a connection whose proofs have gone both ways."""
    here, there = pair(Dice(1), **options)
    for one, other in ((here, there), (there, here)):
        other.open(one.seal(b""))
    return here, there


class TestMac(unittest.TestCase):
    def test_vectors_of_rfc_4231(self):
        for key, data, digest in RFC_4231:
            self.assertEqual(hexlify(mac(pads(key), data)).decode(), digest)
            self.assertEqual(hexlify(mac(pads(key), data[:5], b"", memoryview(data)[5:])).decode(), digest)
        self.assertEqual(
            hexlify(mac(pads(b"\x0c" * 20), b"Test With Truncation")[:16]).decode(), "a3b6167473100ee06e0c796c2955552b"
        )

    def test_same(self):
        self.assertTrue(same(b"", b"") and same(b"abc", b"abc"))
        for other in (b"", b"ab", b"abd", b"bbc", b"abcd", b"\xe1bc"):
            self.assertFalse(same(b"abc", other) or same(other, b"abc"), other)


class TestKeyed(unittest.TestCase):
    def forbids(self, end, line):
        self.assertRaises(AuthenticationError, end.open, line)

    def test_lines_arrive_both_ways(self):
        here, there = proven()
        for n in range(1, 200):
            for line in (
                b'{"Money":%d}' % n,
                b"",
                b" ",
                b"x" * 8192,
                "\u00c5RHUS".encode(),
                b"5 6 7",
                bytes(range(256)),
            ):
                for one, other in ((here, there), (there, here)):
                    sealed = one.seal(line)
                    self.assertLessEqual(len(sealed), len(line) + LINE_MORE)
                    self.assertEqual(other.open(sealed), line)

    def test_what_is_on_the_wire(self):
        here = pair(Dice(1))[0]
        self.assertEqual(len(here.hello()), 44)
        self.assertEqual((here.hello()[:10], here.hello()[-2:]), (b'["hello","', b'"]'))
        self.assertEqual(here.seal(b"")[:2], b"0 ")
        sealed = here.seal(b'{"Money":5}')
        self.assertEqual((sealed[:2], sealed[34:]), (b"1 ", b' {"Money":5}'))
        unhexlify(sealed[2:34])

    def test_the_proof_proves(self):
        here, there = pair(Dice(1))
        self.assertFalse(here.opened or there.opened)
        there.open(here.seal(b""))
        self.assertTrue(there.opened)
        self.assertFalse(here.opened)

    def test_the_first_line_is_the_proof_and_nothing_else(self):
        here, there = pair(Dice(1))
        self.forbids(there, here.seal(b'{"Money":5}'))
        self.assertFalse(there.opened)

    def test_a_wrong_key_proves_nothing(self):
        for n in range(8 * KEY_BYTES):
            wrong = bytearray(KEY)
            wrong[n // 8] ^= 1 << n % 8
            here, there = pair(Dice(n), peers_key=bytes(wrong))
            self.forbids(here, there.seal(b""))
            self.forbids(there, here.seal(b""))
            self.assertFalse(here.opened or there.opened)

    def test_both_must_mean_the_same_names(self):
        for other in (("SEASIDE", "RIVERWOO"), ("SEASIDE ", "RIVERWOOD"), ("RIVERWOOD", "SEASIDE"), ("S", "EASIDE")):
            dice = Dice(3)
            here, there = Keyed(KEY, "RIVERWOOD", "SEASIDE", dice.bytes), Keyed(KEY, *other, random=dice.bytes)
            here.meet(there.hello())
            there.meet(here.hello())
            self.forbids(here, there.seal(b""))
            self.forbids(there, here.seal(b""))

    def test_a_name_of_its_own_is_refused(self):
        self.assertRaises(AuthenticationError, Keyed, KEY, "RIVERWOOD", "RIVERWOOD")

    def test_a_key_has_its_length(self):
        for key in (b"", KEY[1:], KEY + b"\0"):
            self.assertRaises(ValueError, Keyed, key, "RIVERWOOD", "SEASIDE")

    def test_a_mirror_is_no_city(self):
        here = Keyed(KEY, "RIVERWOOD", "SEASIDE")
        here.meet(here.hello())
        self.forbids(here, here.seal(b""))

    def test_connections_differ(self):
        lines = set()
        for _ in range(50):
            here, there = Keyed(KEY, "RIVERWOOD", "SEASIDE"), Keyed(KEY, "SEASIDE", "RIVERWOOD")
            here.meet(there.hello())
            there.meet(here.hello())
            lines.update((here.hello(), there.hello(), here.seal(b""), there.seal(b"")))
        self.assertEqual(len(lines), 200)

    def test_an_old_nonce_is_of_no_use(self):
        here, there = pair(Dice(1))
        hello, proof = there.hello(), there.seal(b"")
        again = Keyed(KEY, "RIVERWOOD", "SEASIDE")
        again.meet(hello)
        self.forbids(again, proof)
        here.open(proof)

    def test_hellos_that_are_none(self):
        good = Keyed(KEY, "SEASIDE", "RIVERWOOD").hello()
        for bad in (
            (b"", b"\n", b"[]", good + b" ", b" " + good, good[:-1], good.upper(), good.replace(b"hello", b"hullo"))
            + (good[:10] + b"zz" + good[12:], good[:10] + b"+1" + good[12:], good.replace(b'"]', b"]]"), b'{"Money":5}')
            + (good[:10] + b"AB" + good[12:], b'["hello","%s"]' % (b"00" * 15), b'["hello","%s"]' % (b"00" * 17))
        ):
            here = Keyed(KEY, "RIVERWOOD", "SEASIDE")
            self.assertRaises(AuthenticationError, here.meet, bad)
            self.assertFalse(here.met)
            self.forbids(here, b"0 " + b"00" * 16 + b" ")
        here.meet(good)
        self.assertTrue(here.met)
        self.assertRaises(AuthenticationError, here.meet, good)

    def test_a_line_that_was_left_out(self):
        here, there = proven()
        here.seal(b"one")
        two = here.seal(b"two")
        self.forbids(there, two)

    def test_nothing_forged_is_taken(self):
        kinds = {}
        for end, kind, line in forged(Dice(5), 3000):
            kinds[kind] = kinds.get(kind, 0) + 1
            self.forbids(end, line)
        self.assertEqual(len(kinds), 12)

    def test_the_other_key(self):
        here, there = proven(key=OTHER_KEY)
        self.assertEqual(there.open(here.seal(b"x")), b"x")
