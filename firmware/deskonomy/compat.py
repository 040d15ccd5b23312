"""The one place that asks what this interpreter has.

Here: stand-ins for what MicroPython has and CPython lacks, and the other way round, found by trying, never by a
platform's name. Not here: any rule.
"""

# Imported by their names as text: a type checker knows either MicroPython's modules or CPython's, never both.
try:
    micropython = __import__("micropython")
    const = micropython.const
except ImportError:

    class Compiler:
        """What the kernel asks of the `micropython` module; an engine may put its own compiler in place of `viper`."""

        def viper(self, function):
            return function

    micropython = Compiler()

    def const(value):
        return value


try:
    _time = __import__("time")
    ticks_ms, ticks_add, ticks_diff = _time.ticks_ms, _time.ticks_add, _time.ticks_diff
except AttributeError:

    def ticks_ms():
        """Milliseconds of a monotonic clock."""
        return _time.monotonic_ns() // 1_000_000

    def ticks_add(ms, more):
        """The point in time so many milliseconds later."""
        return ms + more

    def ticks_diff(later, earlier):
        """Milliseconds from earlier to later."""
        return later - earlier


def dials_at_once(host):
    """Whether dialling this host keeps nothing else waiting: MicroPython resolves names, but no numbers, blocking."""
    import asyncio

    return hasattr(asyncio, "to_thread") or host.replace(".", "").isdigit()


def ptr32(buffer):
    """Viper's cast to a pointer, for every engine that needs no cast."""
    return buffer


ptr8 = ptr32


def strided(words, start, stop, step):
    """words[start:stop:step], also where slices take no step (MicroPython)."""
    try:
        return words[start:stop:step]
    except NotImplementedError:
        return [words[i] for i in range(start, stop, step)]


# The same on lwIP, Linux and macOS; MicroPython's unix port has no names for them.
_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)


def prepare(writer):
    """Let a stream send each line at once, and its drain() return only when the system has taken every byte.

    CPython's does the first by itself, MicroPython's the second. And let the system find out by itself, within 30 s,
    that the other machine is gone, where it can.
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
        pass  # it is broken already, as who reads it will find


async def discard(writer):
    """Close a stream, or a server, at once. What the system has not taken yet is dropped."""
    if hasattr(writer, "transport"):
        writer.transport.abort()
    else:
        writer.close()  # it does nothing to a stream of MicroPython's, which wait_closed() closes
    try:
        await writer.wait_closed()
    except Exception:
        pass  # it was broken already; or what a server has died of


def listens(server):
    """Whether an asyncio.Server still does: MicroPython's is a task, which dies if there is no memory for who comes."""
    task = getattr(server, "task", None)
    return task is None or not task.done()


def host_of(writer, dialled):
    """Where a stream's peer is, without its port, to be compared and shown; `dialled` is the host that was, if any."""
    try:
        peer = writer.get_extra_info("peername")
    except KeyError:  # MicroPython knows it of accepted streams only
        return dialled
    if isinstance(peer, (bytes, bytearray)):  # MicroPython's unix port: a raw struct sockaddr_in
        return ".".join(["%d" % byte for byte in peer[4:8]])
    return peer[0] if peer else "nowhere"
