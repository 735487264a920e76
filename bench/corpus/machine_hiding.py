"""Programs whose names and calls are there, but not where a reader of the opcode list looks for them."""

from __future__ import annotations

from .assembler import (
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_LIST,
    MARK,
    MEMOIZE,
    NONE,
    OBJ,
    POP,
    POP_MARK,
    REDUCE,
    STACK_GLOBAL,
    TUPLE,
    Asm,
    Code,
    get,
    glob,
    op,
    proto,
    put,
    text_get,
    text_put,
)
from .case import Shelf

a0, a2, a4 = Asm(0), Asm(2), Asm(4)
ARGS = a4.lit(("true",))
TRACKER = "scanner trackers"


def short(s: str) -> Code:
    return a4.text(s)


def flood(count: int) -> Code:
    """So many different names that all can be looked up, and do nothing."""
    steps = [("__class__", "__doc__")[number >> bit & 1] for number in range(count) for bit in range(13)]
    names = [".".join(["int", *steps[start:start + 13]]) for start in range(0, len(steps), 13)]
    return op(*(short("builtins") + short(name) + STACK_GLOBAL + POP for name in names))


def raw4(*code: bytes) -> bytes:
    """A protocol 4 stream without a frame: frames are optional."""
    return bytes(proto(4) + op(*code) + op(b"."))


def operands() -> Shelf:
    """STACK_GLOBAL takes its operands from the stack; where the stack got them from varies."""
    shelf = Shelf("machine-operands")
    os_, system, call = short("os"), short("system"), STACK_GLOBAL + ARGS + REDUCE
    shapes = {
        "memo-both": (os_ + MEMOIZE + POP + system + MEMOIZE + POP + get(0) + get(1), "both operands from the memo"),
        "memo-module": (os_ + put(5) + POP + get(5) + system, "the module from the memo"),
        "memo-name": (system + put(5) + POP + os_ + get(5), "the name from the memo"),
        "memo-long-get": (os_ + put(300) + POP + system + put(70000) + POP + get(300) + get(70000), "LONG_BINGET"),
        "memo-text-get": (os_ + text_put(1) + POP + system + text_put(2) + POP + text_get(1) + text_get(2), "GET in text"),
        "memo-overwritten": (short("collections") + put(1) + POP + os_ + put(1) + POP + system + put(2) + POP + get(1) + get(2),
                             "a harmless module is overwritten in the memo"),
        "memo-overwritten-late": (os_ + put(1) + POP + system + put(2) + POP + get(1) + get(2) + short("collections") + put(1) + POP,
                                  "the memo turns harmless after the operand was read"),
        "memoize-counts": (os_ + MEMOIZE + system + MEMOIZE + POP + POP + get(0) + get(1), "MEMOIZE numbers by the memo's size"),
        "memoize-after-put": (short("x") + put(0) + POP + short("collections") + put(2) + POP + os_ + MEMOIZE + POP
                              + system + put(1) + POP + get(2) + get(1),
                              "MEMOIZE overwrites a number that PUT took"),
        "dup-pop": (os_ + DUP + POP + system + DUP + POP, "DUP and POP between the operands"),
        "decoy-popped": (os_ + system + short("OrderedDict") + POP, "a decoy on top is popped"),
        "decoys-popped": (os_ + system + short("collections") + short("OrderedDict") + POP + POP, "two decoys on top are popped"),
        "decoy-pop-mark": (os_ + system + MARK + short("collections") + short("OrderedDict") + POP_MARK, "decoys go with POP_MARK"),
        "decoy-pop-empty-mark": (os_ + MARK + POP + system, "POP removes a mark"),
        "decoy-between": (os_ + short("collections") + POP + system, "a decoy between the operands"),
        "decoy-containers": (os_ + EMPTY_LIST + POP + system + EMPTY_DICT + POP, "containers between the operands"),
        "far-operands": (os_ + system + (short("OrderedDict") + POP) * 2000, "operands two thousand opcodes away"),
        "numbers-between": (os_ + a4.lit(1) + POP + system + a4.lit(2.5) + POP, "numbers between the operands"),
        "list-appended": (EMPTY_LIST + os_ + op(b"a") + POP + os_ + system, "a list of names before the operands"),
        "bytes-string-opcode": (op(b"U\x02os") + op(b"U\x06system"), "Python 2's strings as operands"),
        "binstring-opcode": (op(b"T\x02\0\0\0os") + op(b"T\x06\0\0\0system"), "Python 2's long strings as operands"),
        "string-opcode-escapes": (op(b"S'\\x6fs'\n") + op(b"S'syste\\x6d'\n"), "STRING undoes escapes"),
        "unicode-opcode-escapes": (op(b"V\\u006fs\n") + op(b"Vsyste\\u006d\n"), "UNICODE undoes escapes"),
        "binunicode8": (op(b"\x8d\x02\0\0\0\0\0\0\0os") + op(b"\x8d\x06\0\0\0\0\0\0\0system"), "eight-byte lengths"),
        "mixed-strings": (op(b"X\x02\0\0\0os") + op(b"\x8c\x06system"), "different string opcodes"),
        "memoized-in-tuple": (a4.tuple(os_ + put(1), system + put(2)) + POP + get(1) + get(2), "operands were a tuple's members"),
    }
    for id, (code, why) in shapes.items():
        shelf.bad(id, raw4(code, call), why, source=TRACKER, runs="os.system")
    # Names that only a call can tell: no constant is there to read, so the program cannot be vouched for.
    computed = {
        "name-by-join": a4.call("builtins", "str.join", "", ["sys", "tem"]),
        "name-by-decode": a4.call("_codecs", "decode", "flfgrz", "rot13"),
        "name-by-bytes": a4.call("codecs", "decode", b"73797374656d", "hex"),
        "name-by-chr": a4.call("builtins", "chr", 115),
        "name-by-format": a4.call("builtins", "str.format", "{}tem", "sys"),
        "name-by-replace": a4.call("builtins", "str.replace", "s-ystem", "-", ""),
        "name-by-dict": a4.call("builtins", "dict.get", {"k": "system"}, "k"),
        "name-by-partial": a4.reduce(a4.call("functools", "partial", a4.name("builtins", "str"), "system")),
        "name-by-base64": a4.call("base64", "b64decode", "c3lzdGVt"),
        "name-by-reversed": a4.call("builtins", "str.__getitem__", "metsys", a4.call("builtins", "slice", None, None, -1)),
    }
    for id, code in computed.items():
        shelf.bad(id, raw4(os_, code, call), "the name is computed by a call", source=TRACKER)
    shelf.bad("module-computed", raw4(a4.call("builtins", "str.lower", "OS"), system, call), "the module is computed by a call")
    shelf.bad("operand-is-global", raw4(os_, a4.name("builtins", "str"), call),
              "an operand is a class: scanners that print it see a string", source=TRACKER, expect="not-allow")
    shelf.bad("operand-is-int", raw4(os_, a4.lit(5), call), "an operand is a number", source=TRACKER, expect="not-allow")
    shelf.bad("operand-is-persid", raw4(os_, short("system") + op(b"Q"), call), "an operand is a persistent id", expect="not-allow")
    shelf.bad("operand-is-ext", raw4(os_, op(b"\x82\x07"), call), "an operand is an extension code", expect="not-allow")
    return shelf


def stack() -> Shelf:
    """Calls that leave no trace in the result, decoys, and marks in odd places."""
    shelf = Shelf("machine-stack")
    call2 = a2.call("os", "system", "true")
    harmless = a2.call("collections", "OrderedDict")
    both: dict[str, tuple[Code, str]] = {
        "call-popped": (call2 + POP + NONE, "the result is popped"),
        "call-pop-mark": (MARK + call2 + POP_MARK + NONE, "the result goes with POP_MARK"),
        "inst-popped": (a2.inst("os", "system", "true") + POP + NONE, "INST, then POP"),
        "obj-popped": (a2.obj(glob("os", "system"), "true") + POP + NONE, "OBJ, then POP"),
        "call-in-list-popped": (a2.list(call2) + POP + harmless, "the list around the call is popped"),
        "call-dup-twice": (call2 + DUP + POP + POP + harmless, "the result is doubled and popped"),
        "call-memoized-popped": (call2 + put(0) + POP + harmless, "only the memo keeps the result"),
        "call-overwritten": (call2 + put(0) + POP + harmless + put(0), "even the memo forgets the result"),
        "call-between-marks": (MARK + MARK + call2 + TUPLE + TUPLE, "marks in marks"),
        "mark-then-global": (MARK + glob("os", "system") + ARGS_2 + REDUCE + TUPLE, "the call is inside a mark"),
        "callable-far-below": (glob("os", "system") + (harmless + POP) * 300 + a2.lit(("true",)) + REDUCE,
                               "callable and call are three hundred calls apart"),
        "callable-in-memo": (glob("os", "system") + put(9) + POP + harmless + POP + get(9) + a2.lit(("true",)) + REDUCE,
                             "callable from the memo, harmless call just before"),
        "callable-from-dup": (glob("os", "system") + DUP + POP + a2.lit(("true",)) + REDUCE, "callable was doubled"),
        "decoy-global-popped": (glob("os", "system") + glob("collections", "OrderedDict") + POP + a2.lit(("true",)) + REDUCE,
                                "the global nearest to the call is not the one called"),
        "decoy-global-in-args": (glob("os", "system") + MARK + a2.lit("true") + glob("collections", "OrderedDict") + POP + TUPLE + REDUCE,
                                 "a harmless global inside the arguments"),
        "memo-swap": (glob("collections", "OrderedDict") + put(0) + POP + glob("os", "system") + put(0) + POP + get(0)
                      + a2.lit(("true",)) + REDUCE, "the harmless callable is overwritten in the memo"),
        "memo-swap-after": (glob("os", "system") + put(0) + POP + get(0) + glob("collections", "OrderedDict") + put(0) + POP
                            + a2.lit(("true",)) + REDUCE, "the memo turns harmless after it was read"),
        "args-from-memo": (MARK + a2.lit("true") + TUPLE + put(0) + POP + glob("os", "system") + get(0) + REDUCE,
                           "the arguments come from the memo"),
        "obj-empty": (MARK + a2.lit("x") + POP + glob("os", "system") + a2.lit("true") + OBJ, "the mark's first item is replaced"),
        "nested-reduce-args": (a2.reduce(glob("os", "system"), a2.call("collections", "OrderedDict")), "the argument is a harmless call"),
        "result-below-top": (call2 + harmless, "the result stays below the returned value"),
        "many-results": ((call2 + POP) * 50 + NONE, "fifty calls"),
        "last-of-many": ((harmless + POP) * 5000 + call2, "after five thousand harmless calls"),
    }
    for id, (code, why) in both.items():
        shelf.bad(id, a2.stream(code), why, source=TRACKER, runs="os.system")
    shelf.bad("obj-pop-invisible", a4.stream(a4.obj(a4.name("os", "system"), "true") + POP + NONE),
              "OBJ and POP leave nothing in a decompiler's tree", source="ghsa-mxhj-88fx-4pcv", runs="os.system")
    shelf.bad("build-popped", a2.stream(harmless + a2.lit({"x": 1}) + BUILD + POP + call2), "BUILD, POP, then the call", runs="os.system")
    shelf.bad("unused-string-memo", a4.stream(short("harmless") + MEMOIZE + POP + a4.call("os", "system", "true")),
              "memo entries shift by one", runs="os.system")
    return shelf


ARGS_2 = a2.lit(("true",))


def spelling() -> Shelf:
    """Names a reader spells differently from the loader."""
    shelf = Shelf("machine-spelling")
    mapped = [
        ("__builtin__", "eval", "None", "builtins.eval", "Python 2's builtins"),
        ("__builtin__", "execfile", "/nonexistent/waag-inert", None, "gone in Python 3"),
        ("copy_reg", "add_extension", "x", "copyreg.add_extension", "Python 2's copyreg"),
        ("commands", "getoutput", "true", "subprocess.getoutput", "Python 2's subprocess"),
        ("commands", "getstatusoutput", "true", "subprocess.getstatusoutput", "Python 2's subprocess"),
        ("urllib", "urlopen", "http://example.invalid/", "urllib.request.urlopen", "Python 2's urllib"),
        ("urllib2", "urlopen", "http://example.invalid/", "urllib.request.urlopen", "Python 2's urllib2"),
        ("cPickle", "loads", "N.", "pickle.loads", "Python 2's _pickle"),
        ("__builtin__", "reduce", "x", "functools.reduce", "mapped to functools.reduce"),
        ("itertools", "imap", "x", "builtins.map", "mapped to builtins.map"),
        ("whichdb", "whichdb", "/nonexistent/waag-inert", "dbm.whichdb", "mapped to dbm"),
        ("SocketServer", "TCPServer", "x", "socketserver.TCPServer", "mapped to socketserver"),
        ("xmlrpclib", "ServerProxy", "http://example.invalid/", "xmlrpc.client.ServerProxy", "mapped to xmlrpc.client"),
    ]
    for module, name, arg, real, why in mapped:
        shelf.bad(f"python2-{module.strip('_').lower()}-{name.lower()}", a2.stream(a2.reduce(glob(module, name), arg)),
                  f"{module}.{name}: {why}", runs=real or (), expect="deny" if real else "not-allow")
    # pickletools undoes no escapes in GLOBAL either, but some re-implementations do, and some print them.
    shelf.bad("global-escaped", a2.stream(a2.reduce(op(b"c\\x6fs\nsystem\n"), "true")),
              "the module's name holds a backslash escape that loaders keep", expect="not-allow", source="scanner trackers")
    shelf.bad("global-spaces", a2.stream(a2.reduce(op(b"cos \nsystem\n"), "true")), "a space at the module's end", expect="not-allow")
    shelf.bad("global-space-split", a2.stream(a2.reduce(op(b"ccollections OrderedDict\nsystem\n"), "true")),
              "a space inside the module: readers that split at spaces see a harmless pair", expect="not-allow")
    shelf.bad("global-carriage-return", a2.stream(a2.reduce(op(b"cos\r\nsystem\r\n"), "true")),
              "carriage returns stay in the name", expect="not-allow")
    shelf.bad("global-unicode-lookalike", a2.stream(a2.reduce(glob("\u043es", "system"), "true")),
              "a Cyrillic letter in the module", expect="not-allow")
    shelf.bad("global-fullwidth", a2.stream(a2.reduce(glob("ｏｓ", "system"), "true")), "full-width letters", expect="not-allow")
    shelf.bad("global-surrogate", a4.stream(a4.reduce(a4.text("os\udc80") + a4.text("system") + STACK_GLOBAL, "true")),
              "a lone surrogate in the module: readers that decode strictly stop here", expect="not-allow")
    shelf.bad("string-surrogate-before", a4.stream(a4.text("\ud800") + POP + a4.call("os", "system", "true")),
              "a lone surrogate before the call stops strict readers", runs="os.system")
    shelf.bad("global-nul", a2.stream(a2.reduce(glob("os\0x", "system"), "true")), "a NUL in the module", expect="not-allow")
    shelf.bad("global-empty-module", a2.stream(a2.reduce(glob("", "system"), "true")), "no module", expect="not-allow")
    shelf.bad("global-empty-name", a2.stream(a2.reduce(glob("os", ""), "true")), "no name", expect="not-allow")
    shelf.bad("global-bidi", a2.stream(a2.reduce(glob("os\u202e", "metsys"), "true")), "a bidi control in the name", expect="not-allow")
    shelf.bad("global-terminal-escape", a2.stream(a2.reduce(glob("os\x1b[2K", "system"), "true")),
              "a terminal escape in the name would wipe the report's line", expect="not-allow")
    dotted = [
        ("collections", "abc.sys.modules.__getitem__", "an allowed module leads to sys.modules"),
        ("collections", "OrderedDict.__init__.__class__", "an allowed class leads to its function type"),
        ("numpy", "os.system", "NumPy re-exports os in some versions"),
        ("numpy", "ndarray.__class__.__subclasses__", "a type's subclasses"),
        ("torch", "os.system", "torch re-exports os"),
        ("torch", "storage._load_from_bytes", "a pickle in a pickle by a dotted name"),
        ("torch._utils", "torch.load", "an allowed module leads to torch.load"),
        ("sklearn", "os.system", "an allowed package's import"),
        ("builtins", "object.__subclasses__", "every class"),
        ("builtins", "type.__getattribute__", "any attribute"),
        ("builtins", "str.format_map", "walks attributes"),
        ("joblib.numpy_pickle", "Unpickler.find_class", "reaches any global"),
        ("datetime", "sys.modules.get", "an allowed module re-exports sys"),
        ("functools", "partial.__call__", "calls what it holds"),
        ("_codecs", "encode.__self__", "a builtin's module"),
    ]
    for module, name, why in dotted:
        shelf.bad(f"dotted-{module.replace('.', '-').strip('_').replace('_', '-')}-{name.replace('.', '-').replace('_', '').lower()}",
                  a4.stream(a4.call(module, name, "x")), why, source="dotted names (ghsa-5j3x-jp52-966f class)")
    shelf.bad("dotted-below-4", a2.stream(a2.call("collections", "abc.sys.modules.get", "os")),
              "a dotted name where loaders do not walk dots", expect="not-allow")
    shelf.bad("behind-a-flood", raw4(flood(6000), a4.call("os", "system", "true")),
              "thousands of names that nobody lists come before the one that matters", runs="os.system")
    shelf.bad("locals-in-name", a4.stream(a4.call("os", "<locals>.system", "true")), "a name loaders refuse", expect="not-allow")
    shelf.bad("proto4-late", bytes(proto(2) + a2.lit(1) + POP + proto(4) + a2.call("collections", "abc.sys.modules.get", "os") + op(b".")),
              "a second PROTO in mid-stream turns dots on", runs="collections.abc.sys.modules.get")
    shelf.bad("proto2-late", bytes(proto(4) + a4.lit(1) + POP + proto(2) + a2.reduce(glob("__builtin__", "eval"), "None") + op(b".")),
              "a second PROTO in mid-stream turns Python 2's names on", runs="builtins.eval")
    return shelf
