"""output.py: a writer never waits, whatever the other end does; what is dropped is said."""

import errno
import fcntl
import io
import os
import threading

import pytest
from deskonomy_host.output import Output
from helpers.commands import PATIENCE_S

LINE = "x" * 99 + "\n"
PIPE_BYTES = 4096


class FullPipe:
    """A pipe that holds 4 KB; its reader reads when the test says so."""

    def __init__(self):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.stream = open(writer, "w")  # noqa: SIM115 - closed by read()
        self._reader = reader

    def read(self, output):
        """Return everything that the output writes."""
        data = []

        def read_all():
            with open(self._reader, "rb") as file:
                while block := file.read1(PIPE_BYTES):
                    data.append(block)

        thread = threading.Thread(target=read_all)
        thread.start()
        output.wait(PATIENCE_S)
        assert output.is_done()
        self.stream.close()
        thread.join()
        return b"".join(data).decode()


def test_lines_wait_for_the_reader():
    pipe = FullPipe()
    output = Output(pipe.stream)
    lines = [f"{n} {LINE}" for n in range(500)]
    for line in lines:
        output.write(line, can_drop=True)
    assert not output.is_done()
    assert pipe.read(output) == "".join(lines)


@pytest.mark.parametrize("has_report", [False, True])
def test_oldest_lines_are_dropped_and_counted(has_report):
    pipe, counts = FullPipe(), []
    output = Output(pipe.stream, counts.append if has_report else None, waiting_max_bytes=5000)
    first, last = "first\n", "last " + LINE
    output.write(first)
    for n in range(500):
        output.write(f"{n:3} {LINE}", can_drop=True)
    output.write(last)
    text = pipe.read(output)
    assert text.startswith(first) and text.endswith(last)
    lines = text.splitlines(keepends=True)[1:-1]
    notices = [line for line in lines if "left out" in line]
    lines = [line for line in lines if line not in notices]
    dropped = 500 - len(lines)
    assert 0 < dropped < 500 and bool(notices) != has_report
    if has_report:
        assert sum(counts) == dropped
    else:
        assert sum(int(line.split()[0]) for line in notices) == dropped
    numbers = [int(line[:3]) for line in lines]
    assert numbers == sorted(numbers) and numbers[-1] == 499
    assert all(line[4:] == LINE for line in lines)


def test_of_frames_only_the_latest_waits():
    pipe = FullPipe()
    output = Output(pipe.stream, lambda count: None, waiting_max_bytes=0)
    frames = [f"{n}" * 5000 for n in range(10)]
    for frame in frames:
        output.write(frame, can_drop=True)
    output.write("end")
    text = pipe.read(output)
    assert text.endswith(frames[-1] + "end") and len(text) <= 2 * 5000 + len("end")


def test_closed_pipe_raises_at_next_write():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        output = Output(stream)
        output.write(LINE)
        output.wait(PATIENCE_S)
        for use in (output.is_done, lambda: output.write(LINE)):
            with pytest.raises(BrokenPipeError):
                use()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_full_disk_is_tried_again_and_ends_no_writer():
    with open("/dev/full", "w") as stream:
        output = Output(stream)
        output.write(LINE)
        output.wait(0.1)
        output.write(LINE)
        with pytest.raises(OSError) as raised:
            output.is_done()
        assert raised.value.errno == errno.ENOSPC


def test_stream_without_descriptor_is_written_at_once():
    stream = io.StringIO()
    Output(stream).write("now\n")
    assert stream.getvalue() == "now\n"
