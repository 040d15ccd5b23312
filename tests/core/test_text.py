"""Text from a peer: which characters are printable, how the others are shown, and what looks like HTTP."""

import unittest

from deskonomy.text import escape, is_printable
from deskonomy.wire.codec import is_http

REQUESTS = (
    b"GET / HTTP/1.1", b"POST /a?b=1 HTTP/1.0", b"get / http/1.1", b"BREW /pot HTCPCP/1.0", b"GET /",
    b"M-SEARCH * HTTP/1.1",
    b"PRI * HTTP/2.0", b"OPTIONS * HTTP/1.1", b"CONNECT desk:443 HTTP/1.1", b"CONNECT [::1]:443 HTTP/1.1",
    b"GET http://desk/ HTTP/1.1", b"GET\t/\tHTTP/1.1", b"GET  / HTTP/1.1", b"GET /?{", b"HTTP/1.1 400 Bad Request",
    b"GET /" + b"x" * 2000, b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n\n{}",
)  # fmt: skip
NAMES = (
    b"RIVERWOOD",
    b"GET",
    b"A/B",
    b"HTTP",
    b"BAD HERSFELD",
    b"",
    b" ",
    "ÅRHUS 2".encode(),
    b'A\n{"a": "GET / HTTP/1.1"}',
)


class TestText(unittest.TestCase):
    def test_characters_that_are_seen_are_printable(self):
        for text in (
            "",
            "RIVERWOOD 2",
            "Århus",
            "東京",
            "🦊",
            "a\u0300",
            "\u2010\u2027\u2030",
            "\ufffd",
            "葛\U000e0100",
        ):
            self.assertTrue(is_printable(text.encode()), text)
            self.assertEqual(escape(text), text)

    def test_characters_that_are_not_seen_are_escaped(self):
        for code in (0, 10, 27, 0x7F, 0x80, 0x9B, 0xA0, 0xAD, 0x61C, 0x200B, 0x200F, 0x2028, 0x202E, 0x2066, 0x3000,
                     0xE000, 0xFEFF, 0x110BD, 0xE0001, 0xE007F, 0xF0000, 0x10FFFD):  # fmt: skip
            text = "Ann" + chr(code)
            self.assertFalse(is_printable(text.encode()), "%x" % code)
            self.assertEqual(escape(text), "Ann" + "".join(["\\x%02x" % byte for byte in chr(code).encode()]))

    def test_escape_sequence_and_forged_line_become_one_line(self):
        self.assertEqual(escape('\x1b]0;title\x07\n{"city": 1}'), '\\x1b]0;title\\x07\\x0a{"city": 1}')

    def test_http_is_recognised_by_its_first_line(self):
        for line in REQUESTS:
            self.assertTrue(is_http(line), line)
        for line in NAMES:
            self.assertFalse(is_http(line), line)


if __name__ == "__main__":
    unittest.main()
