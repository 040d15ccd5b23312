"""Bytecode of a compiled function: instructions that can be changed, and assembled again.

Here: functions, instructions, jumps, and numbers of seven bits a byte. Not here: modules and their files (mpy.py). The
format is that of MicroPython 1.23 and later: py/bc.h and py/bc0.h there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

BYTECODE = 0  # the type of a function that is no native code

LOAD_OBJECT = 0x23  # the instruction that loads an object by its number
_SIGNED_JUMPS = (0x40, 0x42, 0x43, 0x44)  # they go in either direction; the other jumps only forward
# The formats of instructions that have an operand other than a name.
_NUMBER_FORMAT = 2
_JUMP_FORMAT = 3


@dataclass(eq=False)
class Instruction:
    """An instruction.

    Attributes:
        opcode: Its first byte.
        operand: The number of a name or an object (int), the instruction that a jump goes to, or other bytes.
        extra: Bytes after the operand.
    """

    opcode: int
    operand: Any
    extra: bytes

    @property
    def is_jump(self) -> bool:
        """Whether its operand is an instruction."""
        return self.opcode >> 4 == 4

    @property
    def uses_name(self) -> bool:
        """Whether its operand is the number of a name."""
        return self.opcode >> 4 == 1


@dataclass
class Function:
    """The bytecode of a function. py/bc.h describes the parts between its arguments and its code.

    Attributes:
        signature: Bytes: the sizes of its stack and of its arguments.
        name: The number of its name.
        arguments: The numbers of its arguments' names.
        optional: How many of the last arguments are passed by name or have a default.
        lines: Bytes: its line numbers.
        cells: Bytes: which local variables inner functions use.
        code: Its instructions.
        children: Functions that are defined in it.
        has_children: Whether the file has a number of children, which may be 0.
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

    def encode(self) -> bytes:
        """Return the function, with its children, as an .mpy file holds it."""
        names = b"".join(map(encode_number, [self.name, *self.arguments])) + self.lines
        code = assemble(self.code)
        body = self.signature + _encode_sizes(len(names), len(self.cells)) + names + self.cells + code
        result = encode_number(len(body) << 3 | self.has_children << 2 | BYTECODE) + body
        if self.has_children:
            result += encode_number(len(self.children)) + b"".join([child.encode() for child in self.children])
        return result


def disassemble(code: bytes) -> list[Instruction]:
    """Return the instructions of bytecode."""
    found = {}  # {where it begins: instruction}
    at = 0
    while at < len(code):
        start, opcode = at, code[at]
        instruction_format = 0x3A4 >> 2 * (opcode >> 4) & 3
        operand: Any = b""
        at += 1
        if instruction_format == _JUMP_FORMAT:
            is_long = code[at] & 0x80
            operand = code[at] & 0x7F | (code[at + 1] << 7 if is_long else 0)
            at += 2 if is_long else 1
            operand += at - ((0x4000 if is_long else 0x40) if opcode in _SIGNED_JUMPS else 0)
        elif instruction_format:
            operand, at = decode_number(code, at)
            if instruction_format == _NUMBER_FORMAT and opcode != LOAD_OBJECT:
                operand = code[start + 1 : at]
        extra_bytes = 1 if opcode & 0x9E == 0 else 0
        found[start] = Instruction(opcode, operand, code[at : at + extra_bytes])
        at += extra_bytes
    for instruction in found.values():
        if instruction.is_jump:
            instruction.operand = found[instruction.operand]
    return list(found.values())


def assemble(instructions: Sequence[Instruction]) -> bytes:
    """Return the bytecode of instructions, with jumps of one byte wherever the distance allows it."""
    long_jumps: set[int] = set()  # id() of each jump that needs two bytes
    while True:
        places, at = {}, 0
        for instruction in instructions:
            places[id(instruction)] = at
            at += len(_encode(instruction, bytes(_jump_size(instruction, long_jumps))))
        jumps = {}
        too_far = set()
        for instruction in filter(lambda instruction: instruction.is_jump, instructions):
            size = _jump_size(instruction, long_jumps)
            distance = places[id(instruction.operand)] - places[id(instruction)] - 1 - size
            distance += (0x40 if size == 1 else 0x4000) if instruction.opcode in _SIGNED_JUMPS else 0
            if size == 2:
                jumps[id(instruction)] = bytes([distance & 0x7F | 0x80, distance >> 7])
            elif 0 <= distance <= 0x7F:
                jumps[id(instruction)] = bytes([distance])
            else:
                too_far.add(id(instruction))
        if not too_far:
            return b"".join([_encode(instruction, jumps.get(id(instruction), b"")) for instruction in instructions])
        long_jumps |= too_far


def decode_number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, seven bits a byte, and where it ends."""
    number = 0
    while data[at] & 0x80:
        number = number << 7 | data[at] & 0x7F
        at += 1
    return number << 7 | data[at], at + 1


def encode_number(number: int) -> bytes:
    """Return a number as decode_number() reads it."""
    data = [number & 0x7F]
    while number > 0x7F:
        number >>= 7
        data.append(number & 0x7F | 0x80)
    return bytes(reversed(data))


def _jump_size(instruction: Instruction, long_jumps: set[int]) -> int:
    return 2 if id(instruction) in long_jumps else 1


def _encode(instruction: Instruction, jump: bytes) -> bytes:
    operand = instruction.operand
    if instruction.is_jump:
        operand = jump
    elif isinstance(operand, int):
        operand = encode_number(operand)
    return bytes([instruction.opcode]) + operand + instruction.extra


def _encode_sizes(names: int, cells: int) -> bytes:
    """Return the sizes of a function's names with line numbers, and of its cells, as py/bc.h packs them."""
    data = []
    while not data or names or cells:
        data.append((names & 0x3F) << 1 | cells & 1)
        names >>= 6
        cells >>= 1
    return bytes([byte | 0x80 for byte in data[:-1]] + data[-1:])
