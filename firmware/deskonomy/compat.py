"""The only module that asks what this interpreter has.

Here: stand-ins for what MicroPython has and CPython lacks, and the reverse. They are found by trying, never by the name
of a platform. Not here: any rule of the economy or of the wire.
"""

# A type checker takes this name for true. What depends on it is for type checkers only: MicroPython has no `typing`
# module, and the shrinking build removes these blocks.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    Value = TypeVar("Value", int, str)

# Imported by name: a type checker knows either MicroPython's modules or CPython's, never both.
try:
    micropython = __import__("micropython")
    const = micropython.const
except ImportError:

    class _Compiler:
        """The part of the `micropython` module that the kernel uses; an engine may replace `viper` by its compiler."""

        def viper(self, function: "Callable[..., int]") -> "Callable[..., int]":
            """Return the function as it is."""
            return function

    micropython = _Compiler()

    def const(value: "Value") -> "Value":
        """Return the value: only MicroPython compiles constants."""
        return value


try:
    _time = __import__("time")
    ticks_ms, ticks_add, ticks_diff = _time.ticks_ms, _time.ticks_add, _time.ticks_diff
except AttributeError:

    def ticks_ms() -> int:
        """Return the milliseconds of a monotonic clock."""
        return _time.monotonic_ns() // 1_000_000

    def ticks_add(ticks: int, delta_ms: int) -> int:
        """Return the time that is delta_ms after `ticks`."""
        return ticks + delta_ms

    def ticks_diff(later: int, earlier: int) -> int:
        """Return the milliseconds from `earlier` to `later`."""
        return later - earlier


def can_dial_concurrently(host: str) -> bool:
    """Return whether other tasks run while this host is dialled.

    MicroPython resolves names in a blocking call, but an address needs none.
    """
    import asyncio

    return hasattr(asyncio, "to_thread") or host.replace(".", "").isdigit()


def ptr32(buffer: "Any") -> "Any":
    """Return the buffer: viper's cast to a pointer, for engines that need no cast."""
    return buffer


ptr8 = ptr32


def slice_by_step(values: "array[int]", start: int, stop: int, step: int) -> "Sequence[int]":
    """Return values[start:stop:step], also where slices take no step (MicroPython)."""
    try:
        return values[start:stop:step]
    except NotImplementedError:
        return [values[i] for i in range(start, stop, step)]


# The same on lwIP, Linux and macOS; MicroPython's unix port has no names for them.
_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)


def configure_stream(writer: "Any") -> None:
    """Make a stream send each line at once, and make its drain() return only when the system has taken every byte.

    CPython does the first by default, MicroPython the second. Where the system can, it also finds out within 30 s that
    the other machine is gone.
    """
    if hasattr(writer, "transport"):
        socket = __import__("socket")
        writer.transport.set_write_buffer_limits(high=0)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        return
    try:
        writer.s.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    except OSError:
        pass  # the connection is broken already, which the next read reports


async def abort_stream(writer: "Any") -> None:
    """Close a stream or a server at once. Bytes that the system has not taken yet are dropped."""
    if hasattr(writer, "transport"):
        writer.transport.abort()
    else:
        writer.close()  # does nothing to a MicroPython stream, which wait_closed() closes
    try:
        await writer.wait_closed()
    except Exception:
        pass  # the stream was broken already, or this is the exception that ended the server


def is_listening(server: "Any") -> bool:
    """Return whether an asyncio.Server still listens.

    MicroPython's server is a task, which ends if there is no memory for a new connection.
    """
    task = getattr(server, "task", None)
    return task is None or not task.done()


def get_peer_host(writer: "Any", dialled_host: "str | None") -> "str | None":
    """Return the host of a stream's peer, without its port.

    Args:
        writer: the stream.
        dialled_host: the host that was dialled, if any: MicroPython knows the address of accepted streams only.
    """
    try:
        peer = writer.get_extra_info("peername")
    except KeyError:
        return dialled_host
    if isinstance(peer, (bytes, bytearray)):  # MicroPython's unix port returns a raw struct sockaddr_in
        return ".".join(["%d" % byte for byte in peer[4:8]])
    return peer[0] if peer else "nowhere"


def print_traceback(error: BaseException) -> None:
    """Print the traceback of an exception on MicroPython; on CPython the log of the program has it."""
    sys = __import__("sys")
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
