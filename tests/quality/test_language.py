"""The language rules of docs/CONTRIBUTING.md, over every text file of the repository."""

from quality import language

PER_THOUSAND_LINES_MAX = 2


def test_python_identifiers_have_one_meaning():
    names = [name for name in language.tracked_files() if name.endswith(".py")]
    found = [finding for finding in language.findings(names) if finding.text.startswith("identifier ")]
    assert not found, "\n".join(map(str, found))


def test_subjects_are_nouns():
    names = language.tracked_files()
    lines = sum(len((language.REPO / name).read_text(encoding="utf-8").splitlines()) for name in names)
    found = [finding for finding in language.findings(names) if not finding.text.startswith("identifier ")]
    assert len(found) * 1000 < PER_THOUSAND_LINES_MAX * lines, "\n".join(map(str, found))


def test_banned_identifier_is_found():
    found = list(language.identifier_findings("host/x.py", "def read(words):\n    return words\n"))
    assert [finding.line for finding in found] == [1, 2]


def test_banned_subject_is_found():
    assert [finding.text for finding in language.prose_findings("x.md", "Whoever comes\nis let in by nobody")] == [
        "Whoever",
        "nobody",
    ]
