"""An .mpy file: its names, objects and functions, read and written.

Here: the file as MicroPython's loader reads it (py/persistentcode.c, version 6.3). Not here: the instructions of its
functions (bytecode.py), what is changed in a file (mpy.py).
"""

from collections.abc import Iterator

from deskonomy_host.boards.deploy.shrink.bytecode import (
    BYTECODE,
    Function,
    Instruction,
    decode_number,
    disassemble,
    encode_number,
)

_HEADER_BYTES = 4
# The types of a module's objects; those up to 4 have no data.
_TEXT = 5
_BYTES = 6
_TUPLE = 10


class MpyFile:
    """A compiled module.

    Attributes:
        names: Each a str, or the number of a name that every MicroPython has.
        objects: Each as the file holds it: its type, then its data.
        functions: All functions of the module, the outermost first; empty if it has native code.
    """

    def __init__(self, data: bytes) -> None:
        reader = _Reader(data, _HEADER_BYTES)
        if data[2] & 0x40:
            reader.take_number()
        self._header = data[: reader.at]
        names, objects = reader.take_number(), reader.take_number()
        self.names: list[str | int] = [reader.take_name() for _ in range(names)]
        self.objects = [reader.take_object() for _ in range(objects)]
        self.functions: list[Function] = []
        if reader.take_function(self.functions) is None:
            self.functions = []

    @property
    def has_native_code(self) -> bool:
        """Whether its functions cannot be changed."""
        return not self.functions

    def encode(self) -> bytes:
        """Return the file. It must have no native code."""
        counts = encode_number(len(self.names)) + encode_number(len(self.objects))
        names = b"".join([_encode_name(name) for name in self.names])
        return self._header + counts + names + b"".join(self.objects) + self.functions[0].encode()

    def instructions(self) -> Iterator[Instruction]:
        """Yield every instruction of its functions."""
        for function in self.functions:
            yield from function.code

    def text_of(self, number: int) -> str | None:
        """Return the text that is object number `number`; None if that is no text."""
        data = self.objects[number]
        _, at = decode_number(data, 1)
        return data[at:-1].decode() if data[0] == _TEXT else None


class _Reader:
    """Reads an .mpy file. at: how far it has read."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take_number(self) -> int:
        number, self.at = decode_number(self._data, self.at)
        return number

    def take_bytes(self, count: int) -> bytes:
        self.at += count
        return self._data[self.at - count : self.at]

    def take_name(self) -> str | int:
        length = self.take_number()
        return length >> 1 if length & 1 else self.take_bytes((length >> 1) + 1)[:-1].decode()

    def take_object(self) -> bytes:
        start = self.at
        object_type = self.take_bytes(1)[0]
        if object_type > 4:
            length = self.take_number()
            if object_type == _TUPLE:
                for _ in range(length):
                    self.take_object()
            else:
                self.take_bytes(length + (object_type in (_TEXT, _BYTES)))  # these two end with a zero byte
        return self._data[start : self.at]

    def take_function(self, found: list[Function]) -> Function | None:
        """Return the next function, and add it and those inside to `found`; None if any of them is native code."""
        head = self.take_number()
        if head & 3 != BYTECODE:
            return None
        end = self.at + (head >> 3)
        start = self.at
        arguments, optional = self._count_arguments()
        signature = self._data[start : self.at]
        names_bytes, cells_bytes = self._take_sizes()
        names_end = self.at + names_bytes
        name = self.take_number()
        numbers = [self.take_number() for _ in range(arguments)]
        lines = self.take_bytes(names_end - self.at)
        cells = self.take_bytes(cells_bytes)
        code = disassemble(self.take_bytes(end - self.at))
        function = Function(signature, name, numbers, optional, lines, cells, code)
        found.append(function)
        if head & 4:
            function.has_children = True
            for _ in range(self.take_number()):
                child = self.take_function(found)
                if child is None:
                    return None
                function.children.append(child)
        return function

    def _take_sizes(self) -> tuple[int, int]:
        """Return the sizes in bytes of a function's names with line numbers, and of its cells."""
        names = cells = n = 0
        has_next = True
        while has_next:
            byte = self.take_bytes(1)[0]
            names |= (byte >> 1 & 0x3F) << 6 * n
            cells |= (byte & 1) << n
            n, has_next = n + 1, bool(byte & 0x80)
        return names, cells

    def _count_arguments(self) -> tuple[int, int]:
        """Return how many arguments a function has, and how many of them are passed by name or have a default."""
        byte = self.take_bytes(1)[0]
        positional, by_name, defaults, n = byte & 3, 0, 0, 0
        while byte & 0x80:
            byte = self.take_bytes(1)[0]
            positional |= (byte & 4) << n
            by_name |= (byte >> 3 & 1) << n
            defaults |= (byte & 1) << n
            n += 1
        return positional + by_name, by_name + defaults


def _encode_name(name: str | int) -> bytes:
    """Return a name as _Reader.take_name() reads it."""
    if isinstance(name, int):
        return encode_number(name << 1 | 1)
    return encode_number(len(name.encode()) << 1) + name.encode() + b"\0"
