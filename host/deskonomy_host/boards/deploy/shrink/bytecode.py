"""The bytecode of a compiled function: instructions that can be changed, and put together again.

Here: functions, instructions, jumps, numbers of seven bits a byte. Not here: modules and their files (mpy.py). The
format is that of MicroPython 1.23 and later, see py/bc.h and py/bc0.h there.
"""

from dataclasses import dataclass, field
from typing import Any

BYTECODE = 0  # the kind of a function that is no machine code

LOAD_OBJECT = 0x23  # the instruction that loads an object by its number
_BACK_TOO = (0x40, 0x42, 0x43, 0x44)  # jumps in either direction; the others only go forward
_OTHER = 2  # the forms of instructions beside those with names: a number or something of its own,
_JUMP = 3  # and a jump


@dataclass(eq=False)
class Instruction:
    """An instruction. operand: a name's or an object's number, or the instruction a jump goes to; else its bytes."""

    opcode: int
    operand: Any
    extra: bytes


@dataclass
class Function:
    """A function's bytecode.

    arguments: numbers of names. optional: how many of them, the last, are passed by name or have a default. The rest is
    what stands between these, see py/bc.h.
    """

    signature: bytes
    name: int
    arguments: list[int]
    optional: int
    lines: bytes
    cells: bytes
    code: list[Instruction]
    children: list["Function"] = field(default_factory=list)
    has_children: bool = False

    def data(self):
        """As a .mpy file has it, with its children."""
        names = b"".join(map(varied, [self.name, *self.arguments])) + self.lines
        body = self.signature + _sizes(len(names), len(self.cells)) + names + self.cells + assembled(self.code)
        result = varied(len(body) << 3 | self.has_children << 2 | BYTECODE) + body
        if self.has_children:
            result += varied(len(self.children)) + b"".join([child.data() for child in self.children])
        return result


def disassembled(code):
    """The Instructions of bytecode."""
    found = {}  # by where they begin
    at = 0
    while at < len(code):
        start, opcode = at, code[at]
        form = 0x3A4 >> 2 * (opcode >> 4) & 3
        operand = b""
        at += 1
        if form == _JUMP:
            long = code[at] & 0x80
            operand = code[at] & 0x7F | (code[at + 1] << 7 if long else 0)
            at += 2 if long else 1
            operand += at - ((0x4000 if long else 0x40) if opcode in _BACK_TOO else 0)
        elif form:
            operand, at = number_at(code, at)
            if form == _OTHER and opcode != LOAD_OBJECT:
                operand = code[start + 1 : at]
        extra = 1 if opcode & 0x9E == 0 else 0
        found[start] = Instruction(opcode, operand, code[at : at + extra])
        at += extra
    for instruction in found.values():
        if instruction.opcode >> 4 == 4:
            instruction.operand = found[instruction.operand]
    return list(found.values())


def assembled(instructions):
    """The bytecode of Instructions, with jumps of one byte as far as those go."""
    long = set()  # jumps that need two
    while True:
        places, at = {}, 0
        for one in instructions:
            places[id(one)] = at
            at += len(_encoded(one, b"\0\0" if id(one) in long else b"\0"))
        jumps, fits = {}, True
        for one in instructions:
            if one.opcode >> 4 == 4:
                size = 2 if id(one) in long else 1
                distance = places[id(one.operand)] - places[id(one)] - 1 - size
                distance += (0x40 if size == 1 else 0x4000) if one.opcode in _BACK_TOO else 0
                if size == 2:
                    jumps[id(one)] = bytes([distance & 0x7F | 0x80, distance >> 7])
                elif 0 <= distance <= 0x7F:
                    jumps[id(one)] = bytes([distance])
                else:
                    long.add(id(one))
                    fits = False
        if fits:
            return b"".join([_encoded(one, jumps.get(id(one), b"")) for one in instructions])


def _encoded(instruction, jump):
    operand = instruction.operand
    if instruction.opcode >> 4 == 4:
        operand = jump
    elif isinstance(operand, int):
        operand = varied(operand)
    return bytes([instruction.opcode]) + operand + instruction.extra


def number_at(data, at):
    """The number that begins at `at`, seven bits a byte, and where it ends."""
    number = 0
    while data[at] & 0x80:
        number = number << 7 | data[at] & 0x7F
        at += 1
    return number << 7 | data[at], at + 1


def varied(number, length=1):
    """A number as number_at() reads it, in at least so many bytes."""
    data = [number & 0x7F]
    while number > 0x7F or len(data) < length:
        number >>= 7
        data.append(number & 0x7F | 0x80)
    return bytes(reversed(data))


def _sizes(info, cells):
    """The sizes of a function's names with lines, and of its cells."""
    data = []
    while not data or info or cells:
        data.append((info & 0x3F) << 1 | cells & 1)
        info >>= 6
        cells >>= 1
    return bytes([byte | 0x80 for byte in data[:-1]] + data[-1:])
