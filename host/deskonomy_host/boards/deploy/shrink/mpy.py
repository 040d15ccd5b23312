"""Texts and argument names in compiled modules: changed so that they take less of a board's heap.

- A text of more than 10 characters is an object for the compiler: 40 bytes beside its own, rounded up, in each module
  that has it. As a name it takes 13 bytes beside its own, once for all modules. So all but long texts become names.
- The name of an argument is dropped, unless the argument may be passed by it. That is visible only at a board's REPL.

Here: what is changed in the modules. Not here: reading and writing a module's file (mpy_file.py), the code of its
functions (bytecode.py).
"""

from collections import Counter
from collections.abc import Collection, Mapping

from deskonomy_host.boards.deploy.shrink.bytecode import LOAD_OBJECT, Function
from deskonomy_host.boards.deploy.shrink.mpy_file import MpyFile

_LOAD_TEXT = 0x10  # the instruction that loads a text by the number of its name
# Longer texts stay objects, which costs some 30 bytes each: with them there would be more than 620 names, and for the
# next name MicroPython's table of names takes 7 KiB more.
_TEXT_BYTES_MAX = 100


def shrink_files(files: Mapping[str, bytes], unloaded: Collection[str], closed: bool) -> dict[str, bytes]:
    """Return the same modules with texts as names, and without the names of arguments.

    Args:
        files: {path: .mpy file}. A file with native code stays as it is.
        unloaded: Paths of modules that the firmware unloads. Their texts stay objects, because a name is never freed.
        closed: Whether no other program uses the modules.

    Returns:
        {path: .mpy file}.
    """
    modules = {path: MpyFile(data) for path, data in files.items()}
    changed = {path: module for path, module in modules.items() if not module.has_native_code}
    kept = {name for module in changed.values() for name in _names_used_as_text(module)}
    kept |= {name for path, module in modules.items() if path not in changed for name in module.names}
    for path, module in changed.items():
        _drop_argument_names(module, kept, closed)
        _renumber(module, texts_as_names=path not in unloaded)
    return {path: changed[path].encode() if path in changed else data for path, data in files.items()}


def _names_used_as_text(module: MpyFile) -> set[str | int]:
    """Return the names that a module uses as texts; to pass an argument by its name is such a use."""
    return {module.names[found.operand] for found in module.instructions() if found.opcode == _LOAD_TEXT}


def _drop_argument_names(module: MpyFile, kept: Collection[str | int], closed: bool) -> None:
    """Give arguments the module's own name, which costs nothing, unless their names are kept.

    An argument with a default keeps its name, too, unless the modules are closed: another program may pass it by name.
    """
    for function in module.functions:
        required = len(function.arguments) - (0 if closed else function.optional)
        for at, number in enumerate(function.arguments[:required]):
            if module.names[number] not in kept:
                function.arguments[at] = 0


def _renumber(module: MpyFile, texts_as_names: bool) -> None:
    """Make names of texts if wanted; drop unused names; give the most used names the numbers that take one byte."""
    texts = _texts_for_names(module) if texts_as_names else {}
    uses = _count_uses(module, texts)
    order = [
        ("name", 0),
        *[key for key, _ in uses.most_common() if key != ("name", 0)],
    ]  # the module's own is the first
    places = {key: at for at, key in enumerate(order)}
    objects = [number for number in range(len(module.objects)) if ("text", number) not in places]
    for function in module.functions:
        _renumber_function(function, places, objects)
    module.names = [module.names[number] if table == "name" else texts[number] for table, number in order]
    module.objects = [module.objects[number] for number in objects]


def _texts_for_names(module: MpyFile) -> dict[int, str]:
    """Return {number of an object: text} of the texts that become names."""
    texts = {number: module.text_of(number) for number in range(len(module.objects))}
    return {
        number: text for number, text in texts.items() if text is not None and len(text.encode()) <= _TEXT_BYTES_MAX
    }


def _count_uses(module: MpyFile, texts: Collection[int]) -> "Counter[tuple[str, int]]":
    """Count the uses of each ("name", number), and of each ("text", number) that becomes a name."""
    uses: Counter[tuple[str, int]] = Counter()
    for function in module.functions:
        uses.update([("name", function.name), *[("name", number) for number in function.arguments]])
        for found in function.code:
            if found.uses_name:
                uses["name", found.operand] += 1
            elif found.opcode == LOAD_OBJECT and found.operand in texts:
                uses["text", found.operand] += 1
    return uses


def _renumber_function(function: Function, places: Mapping[tuple[str, int], int], objects: list[int]) -> None:
    """Change a function's numbers of names and objects. places: {("name" or "text", old number): new number}."""
    function.name = places["name", function.name]
    function.arguments = [places["name", number] for number in function.arguments]
    for found in function.code:
        if found.uses_name:
            found.operand = places["name", found.operand]
        elif found.opcode == LOAD_OBJECT and ("text", found.operand) in places:
            found.opcode = _LOAD_TEXT
            found.operand = places["text", found.operand]
        elif found.opcode == LOAD_OBJECT:
            found.operand = objects.index(found.operand)
