"""New names for globals, attributes and methods that only the firmware itself looks up.

Here: which names are replaced, and by which. Not here: what a name means where it stands (scopes.py), the names of one
module (source_module.py).

On a board a name takes 12 bytes and its letters, and the table of all names doubles when it is full, so the number of
names counts most. New names are therefore names that every MicroPython has, while there are unused ones. A global and
an attribute may get the same new name, because they are looked up in different tables.
"""

import itertools
import keyword
import string
from collections.abc import Collection, Iterable, Iterator, Mapping

from deskonomy_host.boards.deploy.shrink.source_module import MAIN, SourceModule

# Names that every MicroPython has (py/makeqstrdata.py). Left out are names that the compiler knows (const, super ...),
# or loads by itself (BaseException for `async with`, StopAsyncIteration for `async for`, AssertionError for `assert`),
# and those that a library may look up in an object that it is given (args, close, next, pop, read, send, write ...).
EVERYWHERE = """ArithmeticError AttributeError EOFError Ellipsis GeneratorExit
ImportError IndentationError IndexError LookupError NameError NoneType NotImplementedError OverflowError StopIteration
SyntaxError SystemExit TypeError ZeroDivisionError abs all any append bool builtins bytearray bytecode bytes callable
chr classmethod clear copy count dict dir divmod end endswith eval exec extend find format from_bytes get getattr
hasattr hash id index insert int isalpha isdigit isinstance islower isspace issubclass isupper items iter join key len
list little lower lstrip map object open ord popitem pow print range remove replace repr reverse rfind rindex round
rsplit rstrip sep set setattr setdefault sort sorted split start startswith staticmethod step stop str strip sum
to_bytes tuple type update upper values zip"""
# Names in modules that boards have built in.
BUILT_IN = """acos asin atan atan2 ceil copysign cos degrees exp fabs floor fmod frexp isfinite isinf isnan ldexp
modf radians sin sqrt tan trunc calcsize pack_into unpack_from a2b_base64 b2a_base64 heapify heappop heappush
getaddrinfo setsockopt recvfrom sendto ilistdir rmdir umount chdir getcwd EACCES EALREADY EBADF EISDIR ENODEV
EOPNOTSUPP EPERM acosh asinh atanh erf erfc expm1 isclose lgamma log10 log2 polar phase ARRAY BFINT16 BFINT32 BFINT8
BFUINT16 BFUINT32 BFUINT8 BF_LEN BF_POS BIG_ENDIAN FLOAT32 FLOAT64 LITTLE_ENDIAN NATIVE PTR UINT UINT64 ULONG
ULONGLONG USHORT VOID addressof bytearray_at bytes_at sizeof FrameBuffer1 GS2_HMSB GS4_HMSB GS8 MONO_HLSB MONO_HMSB
MONO_VLSB MVLSB RGB565 blit ellipse fill_rect hline pixel poly scroll vline choice getrandbits randint randrange
uniform intersection intersection_update isdisjoint issubset issuperset symmetric_difference
symmetric_difference_update union center splitlines time_pulse_us mem16 mem32 mem8 statvfs gmtime localtime mktime
ticks_cpu time_ns heap_lock heap_unlock kbd_intr opt_level stack_use python_compiler libc_ver"""
# Names that mean something to the compiler.
_COMPILER = {"const", "micropython", "native", "viper", "ptr8", "ptr16", "ptr32", "uint"}
# Attributes of MicroPython's own objects.
_FOREIGN = """abort accept acquire active any append args atten bind buf buffer cancel cancelled check clear close
code config connect convert_temp copy coro count create_connection data decode deinit digest discard disconnect done
drain drive duty encode end endswith errno error extend feed fileno fill find flush format freq get get_extra_info
getvalue group humidity ifconfig index init insert ioctl ipconfig irq is_set isalpha isconnected isdigit items
itemsize join key keys listen ljust locked log loop lower lstrip machine match measure message mode mount name next
off on open order out_buf partition peek pin pop popleft process_event protocol pull push read read_temp read_u16
read_uv readblocks readexactly readfrom readfrom_into readfrom_mem readfrom_mem_into readinto readline readonly recv
recvfrom release remove replace reset reverse rfind rom rsplit rstrip run scan seek send sendall sendto server set
set_write_buffer_limits setblocking setdefault setsockopt settimeout size sleep sleep_ms sort split ssid start
startswith state status step stop strip sub task tell temperature throw ticks_ms timeout toggle transport type update
upper value values wait wait_closed wait_done write writeblocks writeto writeto_mem"""


def choose_attributes(modules: Mapping[str, SourceModule], bundled: Collection[str], closed: bool) -> dict[str, str]:
    """Return {name of an attribute or a method: its new name}.

    Renamed are private names (_x). If `closed`, i.e. no other program uses the modules, public names are renamed, too,
    unless MicroPython's own objects have attributes of the same name. Names that main.py uses stay, so that it can be
    replaced by its source.
    """
    texts = {text for module in modules.values() for text in module.texts}
    of_main = modules[MAIN].attributes if MAIN in modules else set()
    internal = {
        name
        for module in modules.values()
        for name in module.defined_attributes - texts - _COMPILER - set(_FOREIGN.split())
        if _is_private(name) or (closed and name[:2] != "__" and name not in of_main)
    }
    return dict(zip(sorted(internal), _unused_names(modules, _names_in_memory(modules, bundled)), strict=False))


def choose_globals(
    modules: Mapping[str, SourceModule], bundled: Collection[str], closed: bool, taken: Collection[str]
) -> None:
    """Give the globals of modules new names, in their own_names.

    Renamed are private globals, and if `closed` all others that no text and no attribute names, except exceptions,
    whose names tracebacks print, and what main.py imports from modules that stay alone. Of two bundled modules' equal
    names that stay, the later is changed: `line` of tcp.py becomes `tcp_line`.

    Args:
        modules: {name: module}.
        bundled: The names of modules that share one table of globals, in their order.
        closed: Whether no other program uses the modules.
        taken: Names that no global of the bundle may have.
    """
    unused = (name for name in _unused_names(modules) if name not in taken)
    taken = set(taken)
    for path in bundled:
        own_names = modules[path].own_names
        for name in own_names:
            if _is_private(name) or (closed and not _stays(name)):
                own_names[name] = next(unused)
            else:
                own_names[name] = _make_distinct(name, path, taken)
                taken.add(own_names[name])
    alone = [modules[path] for path in sorted(modules.keys() - set(bundled))]
    looked_up = {name for module in modules.values() for name in module.texts | module.attributes} | {MAIN}
    if MAIN in modules:
        looked_up |= {there for _, there in modules[MAIN].imports.values() if there}
    for module in alone:
        for name in module.own_names:
            if closed and not _is_private(name) and not _stays(name) and name not in looked_up:
                module.own_names[name] = next(unused)  # a name of its own, because other modules import it
    for module in alone:
        # Beside the names that it imports, so that a new name in one module changes as few others as possible.
        imported = {_find_new_name(modules, *there) for there in module.imports.values()}
        private = (name for name in _unused_names(modules) if name not in {*imported, *module.own_names.values()})
        for name in module.own_names:
            if _is_private(name) and name not in looked_up:
                module.own_names[name] = next(private)


def _find_new_name(modules: Mapping[str, SourceModule], origin: str, name: str | None) -> str | None:
    """Return the new name of what a module has by this name, of its own or imported; None if that is not known."""
    module = modules.get(origin)
    if module is None or name is None:
        return None
    if name in module.imports:
        return _find_new_name(modules, *module.imports[name])
    return module.own_names.get(name)


def _stays(name: str) -> bool:
    """Return whether a public global keeps its name."""
    return name.endswith("Error") or name[:2] == "__" or name in _COMPILER


def _is_private(name: str) -> bool:
    return name[:1] == "_" and name[:2] != "__"


def _make_distinct(name: str, path: str, taken: Collection[str]) -> str:
    """Return this name of a module, or one with the module's name before it, that is not taken."""
    new, stem = name, path.rpartition(".")[2]
    while new in taken:
        new = "_" + stem + name if name.startswith("_") else stem + "_" + name
        stem += "_"
    return new


def _names_in_memory(modules: Mapping[str, SourceModule], bundled: Collection[str]) -> list[str]:
    """Return names that a board holds for another use, and that are no attribute: short texts, and imported names."""
    names = set()
    for module in map(modules.__getitem__, bundled):
        names |= module.short_texts
        names |= {here for here, (origin, _) in module.imports.items() if origin not in modules}
    attributes = {name for module in modules.values() for name in module.attributes}
    return sorted(name for name in names - attributes if name[0] != "_" and not keyword.iskeyword(name))


def _unused_names(modules: Mapping[str, SourceModule], free: Iterable[str] = ()) -> Iterator[str]:
    """Yield new names: first those that take no memory, which are unused ones and the free ones, then short ones."""
    used = {name for module in modules.values() for name in module.identifiers}
    short = ("".join(pair) for length in (1, 2) for pair in itertools.product(string.ascii_letters, repeat=length))
    unused = (name for name in itertools.chain(EVERYWHERE.split(), BUILT_IN.split()) if name not in used)
    shortest = (name for name in short if name not in used and not keyword.iskeyword(name))
    return itertools.chain(unused, free, shortest)
