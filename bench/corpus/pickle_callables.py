"""One dangerous callable per file, through changing protocols and ways of calling.

The way is chosen by a digest of the id, so that a row keeps its bytes when other rows come and go.
"""

from __future__ import annotations

import hashlib

from .assembler import BINPERSID, BUILD, POP, SETITEMS, Asm, Code, get, glob, op, put, u8, u16, u32
from .case import Shelf
from .gadgets_advisories import FICKLING, PICKLESCAN, TRACKERS
from .gadgets_packages import PACKAGES, UNKNOWN
from .gadgets_standard import STANDARD

# (way, protocols it can be written in)
WAYS = [("reduce", p) for p in (0, 1, 2, 3, 4, 5)] + [
    ("inst", 0),
    ("inst", 1),
    ("inst", 4),
    ("obj", 1),
    ("obj", 2),
    ("obj", 4),
    ("memo", 2),
    ("memo", 4),
    ("newobj", 2),
    ("newobj", 4),
    ("newobj_ex", 4),
]
PYTHON_2_ONLY = ("__builtin__", "commands", "popen2")


def digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def ways_for(module: str, name: str) -> list[tuple[str, int]]:
    ways = WAYS
    if "." in name:  # loaders walk dots only from protocol 4 on
        ways = [w for w in ways if w[1] >= 4]
    if module in PYTHON_2_ONLY:  # mapped to Python 3's names only below protocol 3
        ways = [w for w in ways if w[1] < 3]
    last = name.rpartition(".")[2].lstrip("_")
    if "." in name or not last[:1].isupper():  # NEWOBJ wants a class
        ways = [w for w in ways if not w[0].startswith("newobj")]
    return ways


def call(way: str, protocol: int, module: str, name: str, args: tuple) -> Code:
    asm = Asm(protocol)
    function = asm.name(module, name)
    if way == "inst":
        return asm.inst(module, name, *args)
    if way == "obj":
        return asm.obj(function, *args)
    if way == "newobj":
        return asm.newobj(function, *args)
    if way == "newobj_ex":
        return asm.newobj_ex(function, args)
    if way == "memo":
        # The callable goes through the memo first, the way a second use of the same class is written.
        return function + put(7) + POP + asm.reduce(get(7), *args)
    return asm.reduce(function, *args)


def wrapped(asm: Asm, code: Code, shape: int) -> bytes:
    """The call alone, or among the data of an ordinary checkpoint."""
    if shape == 0:
        return asm.stream(code)
    if shape == 1:
        return asm.stream(
            asm.dict((asm.text("epoch"), asm.lit(3)), (asm.text("state"), code), (asm.text("lr"), asm.lit(0.001)))
        )
    return asm.stream(asm.tuple(asm.lit([1, 2, 3]), asm.lit("weights"), asm.list(code)))


def one(shelf: Shelf, id: str, dotted: str, args: tuple, why: str, source: str) -> None:
    module, _, name = dotted.partition(":")
    ways = ways_for(module, name)
    way, protocol = ways[digest(id) % len(ways)]
    shape = digest("shape " + id) % 3
    content = wrapped(Asm(protocol), call(way, protocol, module, name, args), shape)
    suffix = (".pkl", ".pickle", ".bin", ".pt", ".joblib", ".dat")[digest("suffix " + id) % 6]
    shelf.bad(
        f"{id}-{way.replace('_', '-')}{protocol}",
        content,
        f"{module}.{name} {why}",
        name=f"model{suffix}",
        source=source,
        expect="not-allow" if dotted in UNKNOWN else "deny",
        runs=f"{module}.{name}",
    )


def slug(dotted: str) -> str:
    text = dotted.replace(":", "-").replace(".", "-").replace("_", "-").lower()
    return "private" + text if text.startswith("-") else text.strip("-")


def callables() -> Shelf:
    shelf = Shelf("pickle-callables")
    for advisory, name, dotted, args, why in PICKLESCAN:
        one(shelf, f"{advisory}-{name}", dotted, args, why, "picklescan advisory")
    for advisory, name, dotted, args, why in FICKLING:
        one(shelf, f"{advisory}-{name}", dotted, args, why, "fickling advisory")
    for tool, name, dotted, args, why in TRACKERS:
        one(shelf, f"{tool}-{name}", dotted, args, why, f"{tool} tracker")
    for dotted, args, why in STANDARD:
        one(shelf, f"std-{slug(dotted)}", dotted, args, why, "standard library, after PickleCloak (arXiv 2508.19774)")
    for dotted, args, why in PACKAGES:
        one(shelf, f"pkg-{slug(dotted)}", dotted, args, why, "packages, after PickleCloak (arXiv 2508.19774)")
    return shelf


def ways_of_calling() -> Shelf:
    """Few callables, every way: a scanner must not care how the call is spelled."""
    shelf = Shelf("pickle-ways")
    targets = [("os", "system", ("true",)), ("builtins", "eval", ("None",)), ("subprocess", "Popen", (["true"],))]
    for module, name, args in targets:
        for way, protocol in ways_for(module, name):
            if way.startswith("newobj") or (way == "reduce" and protocol in (1, 3)):
                continue
            shelf.bad(
                f"{module}-{name.lower()}-{way}{protocol}",
                Asm(protocol).stream(call(way, protocol, module, name, args)),
                f"{module}.{name} by {way} at protocol {protocol}",
                runs=f"{module}.{name}",
            )
    a2, a4 = Asm(2), Asm(4)
    for cls in ("subprocess.Popen", "ctypes.CDLL", "logging.FileHandler"):
        module, _, name = cls.partition(".")
        args = (None,) if name == "CDLL" else ("/nonexistent/waag-inert",)
        function = a4.name(module, name)
        shelf.bad(f"newobj-{name.lower()}", a2.stream(a2.newobj(glob(module, name), *args)),
                  "a class is made without a call of its name", runs=cls)
        shelf.bad(f"newobj-ex-kwargs-{name.lower()}",
                  a4.stream(a4.newobj_ex(function, args, {"waag": "inert"})),
                  "a class is made with keywords", runs=cls)
    # Extension codes: the table lives in the loading process (copyreg), so the file alone cannot say what they are.
    for width, code in ((1, op(b"\x82", u8(7))), (2, op(b"\x83", u16(700))), (4, op(b"\x84", u32(70000)))):
        number = {1: 7, 2: 700, 4: 70000}[width]
        shelf.bad(f"ext{width}-unknown", a2.stream(a2.reduce(code, "true")),
                  "an extension code names a callable the file does not name", source="modelaudit tracker", expect="not-allow")
        plant = a2.call("copyreg", "add_extension", "os", "system", number)
        shelf.bad(f"ext{width}-planted", a2.stream(plant + POP + a2.reduce(code, "true")),
                  "the pickle registers os.system under a code, then uses the code",
                  source="modelaudit tracker", runs="copyreg.add_extension")
    shelf.bad("ext1-zero", a2.stream(a2.reduce(op(b"\x82\x00"), "true")), "code 0 is not allowed", expect="not-allow")
    # Persistent ids: the operand is a value, and values are made by calls.
    system = a2.call("os", "system", "true")
    shelf.bad("persid-operand-calls", a2.stream(system + BINPERSID), "the id is the result of a call", runs="os.system")
    shelf.bad("persid-tuple-calls", a2.stream(a2.tuple(a2.text("storage"), system) + BINPERSID),
              "a torch storage id whose type is the result of a call", runs="os.system")
    shelf.bad("persid-result-called", a2.stream(a2.reduce(a2.text("os.system") + BINPERSID, "true")),
              "what the loader returns for an id is called", expect="not-allow")
    shelf.bad("persid-text-called", Asm(0).stream(Asm(0).reduce(op(b"Pos.system\n"), "true")),
              "what the loader returns for an id is called", expect="not-allow")
    # A call of a call's result, and arguments that are calls.
    inner = a2.call("functools", "partial", glob("os", "system"), "true")
    shelf.bad("call-of-call", a2.stream(a2.reduce(inner)), "the result of partial is called", runs="functools.partial")
    shelf.bad("argument-is-call", a2.stream(a2.call("collections", "OrderedDict", a2.list(a2.tuple(a2.lit(1), system)))),
              "a harmless constructor around a call", runs="os.system")
    shelf.bad("arguments-from-memo", a2.stream(a2.lit(("true",)) + put(1) + POP + glob("os", "system") + get(1) + op(b"R")),
              "the argument tuple comes from the memo", runs="os.system")
    shelf.bad("global-only", a2.stream(glob("os", "system")), "nothing is called, but the caller gets os.system",
              source="PickleCloak (arXiv 2508.19774)")
    shelf.bad("import-only", a2.stream(glob("antigravity_waag_inert", "x")),
              "importing a module already runs it", expect="not-allow")
    shelf.bad("build-slot-state", a2.stream(glob("os", "system") + a2.lit((None, {"x": 1})) + BUILD),
              "a state tuple sets attributes of a function")
    shelf.bad("set-item-of-result", a2.stream(system + a2.lit("k") + a2.lit("v") + op(b"s")),
              "an item is set on a call's result", runs="os.system")
    shelf.bad("dict-value-calls", a2.stream(op(b"}(") + a2.lit("k") + system + SETITEMS),
              "a dict's value is a call", runs="os.system")
    shelf.bad("dict-key-calls", a2.stream(op(b"}(") + system + a2.lit("v") + SETITEMS),
              "a dict's key is a call", runs="os.system")
    shelf.bad("set-member-calls", a4.stream(op(b"\x8f(") + a4.call("os", "system", "true") + op(b"\x90")),
              "a set's member is a call", runs="os.system")
    shelf.bad("bytearray-then-call", Asm(5).stream(op(b"\x96", (3).to_bytes(8, "little"), b"abc0") + Asm(5).call("os", "system", "true")),
              "protocol 5's BYTEARRAY8 before a call", runs="os.system")
    shelf.bad("out-of-band-buffer", Asm(5).stream(op(b"\x97\x98") + POP + Asm(5).call("os", "system", "true")),
              "asks the loader for an out-of-band buffer before a call", expect="not-allow")
    return shelf
