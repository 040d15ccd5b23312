"""Compiled modules (.mpy) that take less of a board's heap than the compiler makes them take.

- A text of more than 10 characters is an object to the compiler: 40 bytes beside its own, rounded up, and anew in each
  module that has it. As a name it takes 13 beside its own, once for all modules. So all but long ones become names.
- A private name (_x) that is no function's becomes one that every MicroPython has, and this firmware no use for. The
  name of an argument goes, unless somebody may pass the argument by it. Both would only be seen at a board's REPL.

Here: modules, from and to files. Not here: the code of their functions (bytecode.py), compiling (build.py). The format
is that of MicroPython 1.23 and later: its loader is py/persistentcode.c, and the names that every one has are in
py/makeqstrdata.py, in an order that is part of the format.
"""

from collections import Counter
from typing import Any

from deskonomy_host.boards.deploy.shrink.bytecode import (
    BYTECODE,
    LOAD_OBJECT,
    Function,
    disassembled,
    number_at,
    varied,
)

_HEADER_BYTES = 4
_TEXT = 5  # the kinds of objects of a module; those up to 4 have no data
_BYTES = 6
_TUPLE = 10

_LOAD_TEXT = 0x10  # the instruction that loads a text by the number of its name
_STORE_NAME = 0x16  # at the top of a module or a class
_STORES = (_STORE_NAME, 0x17, 0x18)  # and a global, an attribute
_ATTRIBUTES = (0x13, 0x14, 0x15, 0x18)  # that load one, or a method, or store one

# Numbers of names that every MicroPython has, like "append" and "zip". Not those that an exception (args, value) or
# somebody who is given an object (read, write, send ...) may look for. And names of modules that boards have built in.
_EVERYWHERE = sorted(set(range(30, 166)) - {61, 71, 116, 120, 125, 126, 127, 137, 138, 155, 162, 164})
_ELSEWHERE = """acos asin atan atan2 ceil copysign cos degrees exp fabs floor fmod frexp isfinite isinf isnan ldexp modf
radians sin sqrt tan trunc calcsize pack_into unpack_from a2b_base64 b2a_base64 heapify heappop heappush getaddrinfo
setsockopt recvfrom sendto ilistdir rmdir umount chdir getcwd EACCES EALREADY EBADF EISDIR ENODEV EOPNOTSUPP EPERM"""
# Longer texts stay objects, which costs some 30 bytes each: with them there would be more than 620 names, and for the
# next one MicroPython's table of names takes 7 KiB more.
_TEXT_BYTES_MAX = 30


def packed(files, dropped=()):
    """The same {path: bytes} of .mpy files, made smaller. Files with machine code stay as they are.

    dropped: paths of modules that the firmware lets go of again: a name would outlive them.
    """
    modules = {path: _Module(data) for path, data in files.items()}
    own = {path: module for path, module in modules.items() if module.top is not None}
    used = {name for module in modules.values() for name in module.names}
    texts = {name for module in own.values() for name in module.texts()}
    kept = {name for path, module in modules.items() if path not in own for name in module.names} | texts
    unused = [name for name in [*_EVERYWHERE, *_ELSEWHERE.split()] if name not in used]
    # What only one module has, and only as a global, may be called as another module's.
    private = {path: module.private(path in dropped) - kept for path, module in own.items()}
    spread = Counter(name for path, module in own.items() for name in module.names)
    alone = {path: sorted(n for n in private[path] - own[path].attributes() if spread[n] == 1) for path in own}
    everywhere = sorted(set().union(*private.values()) - set().union(*alone.values()))
    shared = dict(zip(everywhere, unused, strict=False))
    unused = unused[len(shared) :]
    for path, module in own.items():
        module.rename(shared | dict(zip(alone[path], unused, strict=False)))
        module.forget_arguments(kept)
        module.tidy(name_texts=path not in dropped)
    return {path: data if path not in own else own[path].data() for path, data in files.items()}


class _Module:
    """A .mpy file. top: its outermost Function; None if there is machine code in it."""

    def __init__(self, data):
        reader = _Reader(data, _HEADER_BYTES)
        if data[2] & 0x40:
            reader.number()
        self._head = data[: reader.at]
        names, objects = reader.number(), reader.number()
        self.names = [reader.name() for _ in range(names)]  # a str, or the number of one that every MicroPython has
        self._objects = [reader.thing() for _ in range(objects)]
        self._functions = []
        self.top: Any = reader.function(self._functions)

    def data(self):
        """As a .mpy file, unless there is machine code in it."""
        counts = varied(len(self.names)) + varied(len(self._objects))
        names = b"".join([_name(name) for name in self.names])
        return self._head + counts + names + b"".join(self._objects) + self.top.data()

    def texts(self):
        """The names that it uses as texts; to pass an argument by its name is such a use."""
        return {self.names[one.operand] for one in self._instructions() if one.opcode == _LOAD_TEXT}

    def private(self, functions_too):
        """The private names that it makes; those of functions and classes if wanted."""
        made = {self.names[one.operand] for one in self._instructions() if one.opcode in _STORES}
        if not functions_too:
            made -= {self.names[function.name] for function in self._functions}
        return {name for name in made if isinstance(name, str) and name[:1] == "_" and name[:2] != "__"}

    def attributes(self):
        """The names that it looks up in objects, or that a class of its makes."""
        inside = {one for function in self.top.children for one in function.code}
        names = {self.names[one.operand] for one in self._instructions() if one.opcode in _ATTRIBUTES}
        return names | {self.names[one.operand] for one in inside if one.opcode == _STORE_NAME}

    def rename(self, names):
        """Change names: {old: new}."""
        self.names = [names.get(name, name) for name in self.names]

    def forget_arguments(self, kept):
        """Let arguments that have no default share a name that costs nothing, but for the names that are kept."""
        for function in self._functions:
            required = len(function.arguments) - function.optional
            for at, number in enumerate(function.arguments[:required]):
                if self.names[number] not in kept:
                    function.arguments[at] = 0

    def tidy(self, name_texts):
        """Make names of texts if wanted, and number names so that the most used take one byte in an instruction."""
        uses = Counter()  # of ("name", number) and ("text", number)
        for function in self._functions:
            uses.update([("name", function.name), *[("name", number) for number in function.arguments]])
            for one in function.code:
                if one.opcode >> 4 == 1:
                    uses["name", one.operand] += 1
                elif one.opcode == LOAD_OBJECT and name_texts and self._is_text(one.operand):
                    uses["text", one.operand] += 1
        del uses["name", 0]  # the module's own, which stays the first
        order = [("name", 0), *[key for key, _ in uses.most_common()]]
        places = {key: at for at, key in enumerate(order)}
        objects = [number for number in range(len(self._objects)) if ("text", number) not in places]
        for function in self._functions:
            function.name = places["name", function.name]
            function.arguments = [places["name", number] for number in function.arguments]
            for one in function.code:
                if one.opcode >> 4 == 1:
                    one.operand = places["name", one.operand]
                elif one.opcode == LOAD_OBJECT and ("text", one.operand) in places:
                    one.opcode = _LOAD_TEXT
                    one.operand = places["text", one.operand]
                elif one.opcode == LOAD_OBJECT:
                    one.operand = objects.index(one.operand)
        self.names = [self.names[number] if kind == "name" else self._text(number) for kind, number in order]
        self._objects = [self._objects[number] for number in objects]

    def _instructions(self):
        return [one for function in self._functions for one in function.code]

    def _is_text(self, number):
        return self._objects[number][0] == _TEXT and len(self._text(number).encode()) <= _TEXT_BYTES_MAX

    def _text(self, number):
        _, at = number_at(self._objects[number], 1)
        return self._objects[number][at:-1].decode()


class _Reader:
    """Reads a .mpy file. at: how far it is."""

    def __init__(self, data, at):
        self._data = data
        self.at = at

    def number(self):
        number, self.at = number_at(self._data, self.at)
        return number

    def take(self, count):
        self.at += count
        return self._data[self.at - count : self.at]

    def name(self):
        length = self.number()
        return length >> 1 if length & 1 else self.take((length >> 1) + 1)[:-1].decode()

    def thing(self):
        """The bytes of an object."""
        start = self.at
        kind = self.take(1)[0]
        if kind > 4:
            length = self.number()
            if kind == _TUPLE:
                for _ in range(length):
                    self.thing()
            else:
                self.take(length + (kind in (_TEXT, _BYTES)))  # these two end with a zero byte
        return self._data[start : self.at]

    def function(self, found):
        """The Function that comes next; None if it, or one in it, is machine code. Each one is added to `found`."""
        kind = self.number()
        if kind & 3 != BYTECODE:
            return None
        end = self.at + (kind >> 3)
        start = self.at
        arguments, optional = self._count_arguments()
        signature = self._data[start : self.at]
        info = cells = n = 0
        more = True
        while more:
            byte = self.take(1)[0]
            info |= (byte >> 1 & 0x3F) << 6 * n
            cells |= (byte & 1) << n
            n, more = n + 1, byte & 0x80
        info_end = self.at + info
        name = self.number()
        numbers = [self.number() for _ in range(arguments)]
        lines = self.take(info_end - self.at)
        function = Function(
            signature, name, numbers, optional, lines, self.take(cells), disassembled(self.take(end - self.at))
        )
        found.append(function)
        if kind & 4:
            function.has_children = True
            for _ in range(self.number()):
                child = self.function(found)
                if child is None:
                    return None
                function.children.append(child)
        return function

    def _count_arguments(self):
        """How many arguments a function has, and how many of them are passed by name or have a default."""
        byte = self.take(1)[0]
        positional, by_name, defaults, n = byte & 3, 0, 0, 0
        while byte & 0x80:
            byte = self.take(1)[0]
            positional |= (byte & 4) << n
            by_name |= (byte >> 3 & 1) << n
            defaults |= (byte & 1) << n
            n += 1
        return positional + by_name, by_name + defaults


def _name(name):
    """A name as _Reader.name() reads it."""
    if isinstance(name, int):
        return varied(name << 1 | 1)
    return varied(len(name.encode()) << 1) + name.encode() + b"\0"
