"""Check the language rules of docs/CONTRIBUTING.md: `python tests/quality/language.py [PATH ...]`.

Here: which words and identifiers are not used, and where they stand. Not here: the rules' reasons and the glossary
(docs/CONTRIBUTING.md), the test that runs this over the repository (test_language.py).
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parents[2]
PROSE = re.compile(r"\b(who|whoever|whom|nobody|somebody|(?:one|none) of (?:ours|its))\b", re.IGNORECASE)
IDENTIFIERS = {
    "words",
    "word",
    "one",
    "said",
    "says",
    "told",
    "tell",
    "more",
    "ours",
    "theirs",
    "show",
    "shown",
    "settle",
}
# `kind` is a sensor's; elsewhere a peer, a board or an event has its own noun.
KIND_PATHS = ("sensors", "sensor", "spec", "SIMULATED", "config", "board", "indicator")
PUBLIC_KIND_PATHS = ("roads/client.py", "test_library.py")  # Road.kind is a public name of the library
TEXT_SUFFIXES = {".md", ".html", ".js", ".css", ".toml", ".json", ".yaml", ".yml"}
LEFT_OUT = ("vendor/", "tests/data/", "tests/quality/language.py", "LICENSE")


class Finding(NamedTuple):
    """A breach of the rules: where it stands, and the text that breaks them."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def tracked_files() -> list[str]:
    """Return the paths of all text files of the repository, relative to it."""
    command = ["git", "-C", str(REPO), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if is_checked(name) and (REPO / name).is_file()]


def is_checked(name: str) -> bool:
    """Return whether a file, by its path in the repository, has to follow the rules."""
    suffix = Path(name).suffix
    return (suffix == ".py" or suffix in TEXT_SUFFIXES) and not any(part in name for part in LEFT_OUT)


def prose_findings(name: str, text: str) -> Iterator[Finding]:
    """Yield the words of a file's lines that are not used as subjects."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in PROSE.finditer(line):
            yield Finding(name, number, match[0])


def identifier_findings(name: str, text: str) -> Iterator[Finding]:
    """Yield the identifiers of a Python source that have another meaning in each place."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.NAME:
            continue
        bare = token.string.strip("_")
        if bare in IDENTIFIERS or (bare == "kind" and not any(part in name for part in KIND_PATHS + PUBLIC_KIND_PATHS)):
            yield Finding(name, token.start[0], f"identifier {token.string}")


def findings(names: list[str]) -> list[Finding]:
    """Return every finding in these files, in their order."""
    found = []
    for name in names:
        text = (REPO / name).read_text(encoding="utf-8")
        found += prose_findings(name, text)
        if name.endswith(".py"):
            found += identifier_findings(name, text)
    return found


def main(arguments: list[str]) -> int:
    """Print every finding under these paths (all files without any); return 1 if there is one."""
    prefixes = tuple(Path(path).resolve().relative_to(REPO).as_posix() for path in arguments)
    names = [name for name in tracked_files() if not prefixes or name.startswith(prefixes)]
    found = findings(names)
    for finding in found:
        print(finding)
    print(f"{len(found)} findings in {len(names)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
