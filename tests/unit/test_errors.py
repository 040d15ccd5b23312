"""The words for errors of the system."""

import errno
import socket

import pytest
from deskonomy_host.errors import describe_os_error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "connection refused"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no route to host"),
        (OSError(errno.EADDRINUSE, "no free port from 65535 on"), "no free port from 65535 on"),
        (
            OSError(errno.EADDRNOTAVAIL, "error while attempting to bind on address ('192.0.2.1', 5): cannot assign"),
            "cannot assign requested address",
        ),
        (
            OSError(
                f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] Connect call failed ('::1', 1, 0, 0), "
                f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 1)"
            ),
            "connection refused",
        ),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ENETUNREACH}] no, [Errno {errno.ECONNREFUSED}] no"),
            "network is unreachable and connection refused",
        ),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name or service not known"),
        (OSError("desktwon.local is not on this network"), "desktwon.local is not on this network"),
        (TimeoutError(), "no answer in time"),
    ],
)
def test_error_of_system_is_described_in_words(error, text):
    assert describe_os_error(error) == text
