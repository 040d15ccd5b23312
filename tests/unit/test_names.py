"""Names: one rule for the wire, world files, statuses of other machines and settings."""

import sys
import unicodedata

import pytest
from deskonomy.errors import InvalidLineError
from deskonomy.text import is_printable
from deskonomy.wire.codec import decode_name
from deskonomy_host import validation
from deskonomy_host.boards.spec import catalog
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.telemetry.schema import check_status
from helpers.sources import make_status

# Control, format and private characters, separators of lines and paragraphs, and spaces.
_NOT_SEEN = ("Cc", "Cf", "Co", "Zl", "Zp", "Zs")


def test_printable_characters_are_those_of_unicode():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category not in (
            "Cn",
            "Cs",
        ):  # what is not assigned yet, and halves of characters, which UTF-8 does not have
            expected = character == " " or category not in _NOT_SEEN
            assert is_printable(character.encode()) == expected, f"U+{code:04X} {category}"


@pytest.mark.parametrize(
    "name", ["Ann\u200b", "Ann\u202e", "Ann\x9b", "Ann\u2028", "Ann\ue000", "Ann\U000e0041", "An\xadn"]
)
def test_name_with_unseen_character_is_rejected_everywhere(name):
    with pytest.raises(InvalidLineError):
        decode_name(name.encode())
    with pytest.raises(UsageError):
        validation.check_name(name, "--name")
    with pytest.raises(ValueError):
        check_status(make_status(name))
    with pytest.raises(ValueError):
        check_status(make_status("OAK", roads=[name]))
    with pytest.raises(OperationError):
        catalog.check_config({**catalog.load_board("SIMULATED").config, "city": name})


@pytest.mark.parametrize("name", ["Århus 2", "東京", "🦊", "A/B"])
def test_name_of_seen_characters_is_accepted_everywhere(name):
    assert decode_name(name.encode()) == validation.check_name(name, "--name") == name
    assert check_status(make_status(name, roads=[name]))["city"] == name
    catalog.check_config({**catalog.load_board("SIMULATED").config, "city": name})
