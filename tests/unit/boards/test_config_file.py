"""boards/deploy/config_file.py: a config.json that cannot be read is never taken for an empty one."""

import asyncio
import json

import pytest
from deskonomy_host.boards.deploy import config_file
from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.errors import OperationError


def read(monkeypatch, text, board_output=None):
    """Return what read_config() returns for a file with this text, on a board that prints this about it."""

    async def run_mpremote(port, *arguments, **options):
        if "cat" in arguments:
            return text
        if board_output is None:
            raise OperationError("the board at X reports: syntax error in JSON")
        return board_output

    monkeypatch.setattr(config_file, "run_mpremote", run_mpremote)
    return asyncio.run(config_file.read_config("X", Inventory(files={"config.json": ""})))


def test_board_without_config_has_no_settings():
    assert asyncio.run(config_file.read_config("X", Inventory())) == {}


def test_what_the_board_reads_counts_where_json_fails(monkeypatch, capsys):
    config = {"city": "OAKHAM", "port": 55556}
    assert read(monkeypatch, json.dumps(config)) == config
    assert capsys.readouterr().out == ""
    assert read(monkeypatch, '{"city": "OAKHAM" "port": 55556}', "noise\n" + json.dumps(config)) == config
    assert "Expecting ',' delimiter" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"city": "OAKHAM\ufffd"}'])
def test_config_that_cannot_be_read_is_an_error(monkeypatch, text):
    with pytest.raises(config_file.UnreadableConfigError, match=r"X cannot be read .* nothing is changed"):
        read(monkeypatch, text)
