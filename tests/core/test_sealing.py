"""The seals of a keyed road: the proof of the key, and no accepted line that the peer has not sealed."""

import unittest
from binascii import hexlify, unhexlify

from core.forgeries import KEY, OTHER_KEY, Dice, forge_lines, make_sealers
from deskonomy.errors import AuthenticationError
from deskonomy.wire.sealing import KEY_BYTES, SEAL_MAX_BYTES, LineSealer, compute_mac, is_equal, make_pads

# RFC 4231, test cases 1 to 4, 6 and 7: key, data, HMAC-SHA256. Case 5 is a truncated MAC.
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


def make_proven_sealers(**options):
    """Return the two LineSealers of a connection, after both proofs."""
    here, there = make_sealers(Dice(1), **options)
    for sender, receiver in ((here, there), (there, here)):
        receiver.unseal(sender.seal(b""))
    return here, there


class TestMac(unittest.TestCase):
    def test_mac_equals_vectors_of_rfc_4231(self):
        for key, data, digest in RFC_4231:
            self.assertEqual(hexlify(compute_mac(make_pads(key), data)).decode(), digest)
            self.assertEqual(hexlify(compute_mac(make_pads(key), data[:5], b"", memoryview(data)[5:])).decode(), digest)
        truncated = compute_mac(make_pads(b"\x0c" * 20), b"Test With Truncation")[:16]
        self.assertEqual(hexlify(truncated).decode(), "a3b6167473100ee06e0c796c2955552b")

    def test_is_equal_compares_all_bytes(self):
        self.assertTrue(is_equal(b"", b"") and is_equal(b"abc", b"abc"))
        for other in (b"", b"ab", b"abd", b"bbc", b"abcd", b"\xe1bc"):
            self.assertFalse(is_equal(b"abc", other) or is_equal(other, b"abc"), other)


class TestLineSealer(unittest.TestCase):
    def assert_rejects(self, end, line):
        self.assertRaises(AuthenticationError, end.unseal, line)

    def test_sealed_lines_are_unsealed_in_both_directions(self):
        here, there = make_proven_sealers()
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
                for sender, receiver in ((here, there), (there, here)):
                    sealed = sender.seal(line)
                    self.assertLessEqual(len(sealed), len(line) + SEAL_MAX_BYTES)
                    self.assertEqual(receiver.unseal(sealed), line)

    def test_sealed_line_has_counter_seal_and_line(self):
        here = make_sealers(Dice(1))[0]
        self.assertEqual(len(here.make_hello()), 44)
        self.assertEqual((here.make_hello()[:10], here.make_hello()[-2:]), (b'["hello","', b'"]'))
        self.assertEqual(here.seal(b"")[:2], b"0 ")
        sealed = here.seal(b'{"Money":5}')
        self.assertEqual((sealed[:2], sealed[34:]), (b"1 ", b' {"Money":5}'))
        unhexlify(sealed[2:34])

    def test_proof_is_accepted_by_its_receiver_only(self):
        here, there = make_sealers(Dice(1))
        self.assertFalse(here.unsealed_count or there.unsealed_count)
        there.unseal(here.seal(b""))
        self.assertTrue(there.unsealed_count)
        self.assertFalse(here.unsealed_count)

    def test_first_line_must_be_empty(self):
        here, there = make_sealers(Dice(1))
        self.assert_rejects(there, here.seal(b'{"Money":5}'))
        self.assertFalse(there.unsealed_count)

    def test_proof_of_wrong_key_is_rejected(self):
        for n in range(8 * KEY_BYTES):
            wrong = bytearray(KEY)
            wrong[n // 8] ^= 1 << n % 8
            here, there = make_sealers(Dice(n), peers_key=bytes(wrong))
            self.assert_rejects(here, there.seal(b""))
            self.assert_rejects(there, here.seal(b""))
            self.assertFalse(here.unsealed_count or there.unsealed_count)

    def test_proof_of_other_names_is_rejected(self):
        for other in (("SEASIDE", "RIVERWOO"), ("SEASIDE ", "RIVERWOOD"), ("RIVERWOOD", "SEASIDE"), ("S", "EASIDE")):
            dice = Dice(3)
            here = LineSealer(KEY, "RIVERWOOD", "SEASIDE", dice.bytes)
            there = LineSealer(KEY, *other, random=dice.bytes)
            here.accept_hello(there.make_hello())
            there.accept_hello(here.make_hello())
            self.assert_rejects(here, there.seal(b""))
            self.assert_rejects(there, here.seal(b""))

    def test_peer_with_own_name_is_rejected(self):
        self.assertRaises(AuthenticationError, LineSealer, KEY, "RIVERWOOD", "RIVERWOOD")

    def test_key_of_wrong_length_raises_value_error(self):
        for key in (b"", KEY[1:], KEY + b"\0"):
            self.assertRaises(ValueError, LineSealer, key, "RIVERWOOD", "SEASIDE")

    def test_reflected_proof_is_rejected(self):
        here = LineSealer(KEY, "RIVERWOOD", "SEASIDE")
        here.accept_hello(here.make_hello())
        self.assert_rejects(here, here.seal(b""))

    def test_no_two_connections_have_equal_lines(self):
        lines = set()
        for _ in range(50):
            here, there = LineSealer(KEY, "RIVERWOOD", "SEASIDE"), LineSealer(KEY, "SEASIDE", "RIVERWOOD")
            here.accept_hello(there.make_hello())
            there.accept_hello(here.make_hello())
            lines.update((here.make_hello(), there.make_hello(), here.seal(b""), there.seal(b"")))
        self.assertEqual(len(lines), 200)

    def test_replayed_proof_is_rejected(self):
        here, there = make_sealers(Dice(1))
        hello, proof = there.make_hello(), there.seal(b"")
        again = LineSealer(KEY, "RIVERWOOD", "SEASIDE")
        again.accept_hello(hello)
        self.assert_rejects(again, proof)
        here.unseal(proof)

    def test_invalid_hello_is_rejected(self):
        good = LineSealer(KEY, "SEASIDE", "RIVERWOOD").make_hello()
        for bad in (
            (b"", b"\n", b"[]", good + b" ", b" " + good, good[:-1], good.upper(), good.replace(b"hello", b"hullo"))
            + (good[:10] + b"zz" + good[12:], good[:10] + b"+1" + good[12:], good.replace(b'"]', b"]]"), b'{"Money":5}')
            + (good[:10] + b"AB" + good[12:], b'["hello","%s"]' % (b"00" * 15), b'["hello","%s"]' % (b"00" * 17))
        ):
            here = LineSealer(KEY, "RIVERWOOD", "SEASIDE")
            self.assertRaises(AuthenticationError, here.accept_hello, bad)
            self.assertFalse(here.has_hello)
            self.assert_rejects(here, b"0 " + b"00" * 16 + b" ")
        here.accept_hello(good)
        self.assertTrue(here.has_hello)
        self.assertRaises(AuthenticationError, here.accept_hello, good)

    def test_line_after_omitted_line_is_rejected(self):
        here, there = make_proven_sealers()
        here.seal(b"one")
        second = here.seal(b"two")
        self.assert_rejects(there, second)

    def test_forged_lines_are_rejected(self):
        attacks = {}
        for end, attack, line in forge_lines(Dice(5), 3000):
            attacks[attack] = attacks.get(attack, 0) + 1
            self.assert_rejects(end, line)
        self.assertEqual(len(attacks), 12)

    def test_another_key_seals_as_well(self):
        here, there = make_proven_sealers(key=OTHER_KEY)
        self.assertEqual(there.unseal(here.seal(b"x")), b"x")
