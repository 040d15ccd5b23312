"""The log: records of the core and of the host, with event and city, and their way to handlers and other processes."""

import asyncio
import logging
import pickle

import pytest
from deskonomy.events import BUG, LISTENING, ROAD_CLOSED, print_text
from deskonomy_host import cli, logs
from deskonomy_host.boards.serial.lines import LineParser
from deskonomy_host.errors import OperationError


@pytest.fixture
def records():
    """The records of the logger, with handlers attached as in a run."""
    found = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(record)

    with logs.attach(Keep()):
        yield found


def test_core_log_makes_records_with_event_and_city(records):
    logs.make_core_log("RIVERWOOD")(LISTENING, "RIVERWOOD listens")
    (record,) = records
    assert (record.name, record.event, record.city) == ("deskonomy", LISTENING, "RIVERWOOD")
    assert (record.getMessage(), record.exc_info) == ("RIVERWOOD listens", None)


def test_core_log_has_no_numbers_of_errors(records):
    logs.make_core_log("RIVERWOOD")(ROAD_CLOSED, "the connection broke ([Errno 104] Connection reset by peer)")
    assert records[0].getMessage() == "the connection broke (Connection reset by peer)"


def test_core_log_of_bug_has_traceback(records):
    try:
        raise KeyError("x")
    except KeyError as error:
        logs.make_core_log("RIVERWOOD")(BUG, "the connection has failed")
        assert records[0].exc_info[1] is error
    assert (records[0].levelno, records[0].getMessage()) == (logging.ERROR, "the connection has failed")


def test_text_with_percent_sign_is_written_as_it_is(records):
    logs.log_event(logs.NOTE, "100 % of it, and %s")
    assert records[0].getMessage() == "100 % of it, and %s"


def test_text_of_a_peer_is_one_printable_line_for_every_handler(records, capsys):
    text = 'SEASIDE rejects a merchant: \x1b]0;title\x07\n{"city": 1}\u202e\x9b'
    expected = 'SEASIDE rejects a merchant: \\x1b]0;title\\x07 {"city": 1}\\xe2\\x80\\xae\\xc2\\x9b'
    logs.make_core_log("RIVERWOOD")(LISTENING, text)
    logs.log_event(logs.NOTE, text)
    assert [record.getMessage() for record in records] == [expected] * 2
    print_text(LISTENING, text)
    assert capsys.readouterr().out == expected.replace("07 {", "07\\x0a{") + "\n"
    assert cli._print_error(text, 1) == 1 and expected in capsys.readouterr().err
    assert LineParser().feed(text.encode() + b"\n")[0].isprintable()


def test_line_handler_passes_on_one_line_of_chosen_events():
    lines = []
    with logs.attach(logs.keep_events(logs.LineHandler(lines.append), [logs.STORY, BUG])):
        logs.log_event(logs.STORY, "night\non the board")
        logs.log_event(logs.SCHOOL, "merchants set out")
        try:
            raise KeyError("x")
        except KeyError:
            logs.LOGGER.exception("the feed has failed")
    logs.log_event(logs.STORY, "day")
    assert lines == ["night on the board", "the feed has failed"]


def test_handlers_and_level_are_removed_at_end_of_block():
    before = (list(logs.LOGGER.handlers), logs.LOGGER.level)
    with logs.attach(logs.LineHandler(print)):
        assert len(logs.LOGGER.handlers) == len(before[0]) + 1
    assert (logs.LOGGER.handlers, logs.LOGGER.level) == before


def test_record_of_other_process_keeps_event_city_and_traceback(records):
    try:
        raise KeyError("x")
    except KeyError:
        logs.LOGGER.exception("the feed has failed", extra={"event": BUG, "city": "SEASIDE"})
    fields = pickle.loads(pickle.dumps(logs.pack_record(records.pop())))
    logs.handle_packed(fields)
    (record,) = records
    assert (record.event, record.city, record.getMessage()) == (BUG, "SEASIDE", "the feed has failed")
    assert "KeyError: 'x'" in logging.Formatter().format(record)


def test_error_that_loop_reports_is_logged_with_traceback(records):
    async def main():
        logs.watch_loop()
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: {}["x"])
        await asyncio.sleep(0.01)

    asyncio.run(main())
    (record,) = records
    assert record.event == BUG and record.exc_info[0] is KeyError
    assert record.getMessage().startswith("a bug in deskonomy, please report it: KeyError at test_logs.py:")


def test_log_file_gets_every_record_with_traceback(tmp_path, monkeypatch):
    file = tmp_path / "deskonomy.log"
    monkeypatch.setenv(logs.LOG_FILE, str(file))
    with logs.attach(*logs.make_file_handlers()):
        logs.log_event(logs.NOTE, "it starts")
        try:
            raise KeyError("x")
        except KeyError:
            logs.LOGGER.exception("it has failed")
    text = file.read_text()
    assert "INFO it starts" in text and "ERROR it has failed\nTraceback" in text


def test_log_file_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv(logs.LOG_FILE, str(tmp_path / "none" / "deskonomy.log"))
    with pytest.raises(OperationError, match="DESKONOMY_LOG"):
        logs.make_file_handlers()
