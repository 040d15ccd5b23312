"""The pages of the repository: their code runs, their links lead somewhere, and references name what the code has."""

import ast
import json
import re
import subprocess
import sys
import tomllib

import pytest
from deskonomy_board import config
from deskonomy_host.cli.app import app
from deskonomy_host.world import file as world_file
from helpers.repository import REPO

PAGES = [REPO / "README.md", *sorted((REPO / "docs").rglob("*.md")), *sorted((REPO / "boards").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(language):
    """Return the pages' code blocks of a language, as pytest parameters."""
    found = []
    for page in PAGES:
        texts = [text for name, text in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]
        found += [pytest.param(text, id=f"{page.stem}-{number}") for number, text in enumerate(texts)]
    return found


def page(name):
    """Return the text of a page of docs/."""
    return (REPO / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml_block_is_a_world_file(text, tmp_path):
    table = tomllib.loads(text)
    if "cities" in table:
        (tmp_path / "world.toml").write_text(text, encoding="utf-8")
        assert world_file.read(tmp_path / "world.toml").cities


@pytest.mark.parametrize("text", blocks("json"))
def test_json_block_is_json(text):
    value = json.loads(text)
    if "city" in value and "wifi" in value:
        config.check_settings(value)


@pytest.mark.parametrize("text", blocks("python"))
def test_python_block_compiles(text):
    compile(text, "page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("text", [block for block in blocks("python") if "City(" in block.values[0]])
def test_python_block_with_cities_runs(text):
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["city"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPO).as_posix())
def test_links_lead_to_files(path):
    missing = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPO).as_posix())
def test_named_paths_exist(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = re.findall(r"`((?:tests|host|firmware|boards|docs)/[\w./-]+)", text)
    missing = [name for name in names if "NAME" not in name and not (REPO / name.rstrip("/")).exists()]
    assert missing == []


def test_readme_is_short():
    assert len((REPO / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def commands():
    """Return {command as it is typed: typer's command}, of every command."""
    import typer

    def walk(name, command):
        if hasattr(command, "commands"):
            for child, found in command.commands.items():
                yield from walk(f"{name} {child}", found)
        else:
            yield name, command

    return dict(walk("deskonomy", typer.main.get_command(app)))


@pytest.mark.parametrize(
    "name, command", sorted(commands().items()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_command_page_names_each_option(name, command):
    text = page("cli.md")
    assert f"## {name}" in text
    options = [option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]]
    missing = [
        option for option in options if option.startswith("--") and option != "--help" and f"`{option}" not in text
    ]
    assert missing == []


def test_world_file_page_names_each_key():
    text = page("world-file.md")
    keys = {*world_file.WORLD_KEYS, *world_file.CITY_KEYS, *world_file.GOOD_KEYS}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_config_page_names_each_key():
    text = page("config.md")
    keys = {"city", *config.check_settings({"city": "A"})}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_schemas_are_valid_and_accept_the_examples():
    jsonschema = pytest.importorskip("jsonschema")
    for name in ("merchant.schema.json", "messages.schema.json"):
        schema = json.loads(page(name))
        jsonschema.Draft202012Validator.check_schema(schema)
        for example in schema.get("examples", ()):
            jsonschema.validate(example, schema)
