"""Older and smaller formats: R data, Torch7, MXNet, CNTK, Darknet, Java's serialization."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct

from .archives_bad import gz
from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf
from .protobuf import entry, field

# --- R -----------------------------------------------------------------------------------------------------------

NIL, GLOBAL, BASE_NAMESPACE, UNBOUND, EMPTY_ENV, BASE_ENV = 254, 253, 247, 252, 242, 241
SYM, LIST, CLOSURE, ENV, PROMISE, LANG, BUILTIN, CHAR, LGL, INT, REAL, STR, VEC, BYTECODE, EXTPTR, S4 = 1, 2, 3, 4, 5, 6, 8, 9, 10, 13, 14, 16, 19, 21, 22, 25
OBJECT, ATTRIBUTES, TAG = 0x100, 0x200, 0x400


def i32(value: int) -> bytes:
    return struct.pack(">i", value)


def atom(kind: int) -> bytes:
    return i32(kind)


def char(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return i32(CHAR | 0x40000) + i32(len(raw)) + raw


def symbol(name: str) -> bytes:
    return i32(SYM) + char(name)


def strings(*values: str | bytes, attributes: bytes = b"") -> bytes:
    return i32(STR | (ATTRIBUTES if attributes else 0)) + i32(len(values)) + b"".join(char(v) for v in values) + attributes


def reals(*values: float, attributes: bytes = b"") -> bytes:
    return i32(REAL | (ATTRIBUTES if attributes else 0)) + i32(len(values)) + struct.pack(f">{len(values)}d", *values) + attributes


def integers(*values: int, attributes: bytes = b"", flags: int = 0) -> bytes:
    return i32(INT | (ATTRIBUTES if attributes else 0) | flags) + i32(len(values)) + struct.pack(f">{len(values)}i", *values) + attributes


def pairs(*items: tuple[str | None, bytes]) -> bytes:
    return b"".join(i32(LIST | (TAG if name else 0)) + (symbol(name) if name else b"") + value for name, value in items) + atom(NIL)


def call(function: str, *arguments: bytes, attributes: bytes = b"", flags: int = 0) -> bytes:
    return i32(LANG | (ATTRIBUTES if attributes else 0) | flags) + attributes + symbol(function) + b"".join(i32(LIST) + a for a in arguments) + atom(NIL)


def vector(items: dict[str, bytes], cls: str | None = None, more: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    attributes = pairs(("names", strings(*items)), *more, *([("class", strings(cls))] if cls else []))
    return i32(VEC | ATTRIBUTES | (OBJECT if cls else 0)) + i32(len(items)) + b"".join(items.values()) + attributes


def promise(code: bytes, environment: bytes = b"") -> bytes:
    return i32(PROMISE | TAG) + (environment or atom(GLOBAL)) + atom(UNBOUND) + code


def closure(body: bytes, formals: bytes = b"", environment: bytes = b"") -> bytes:
    return i32(CLOSURE | TAG) + (environment or atom(GLOBAL)) + (formals or atom(NIL)) + body


def environment(items: bytes, locked: int = 0) -> bytes:
    return i32(ENV) + i32(locked) + atom(EMPTY_ENV) + items + atom(NIL) + atom(NIL)


def rds(item: bytes, version: int = 3) -> bytes:
    head = b"X\n" + i32(version) + i32(0x00040301) + i32(0x00030500 if version == 3 else 0x00020300)
    return head + (i32(5) + b"UTF-8" if version == 3 else b"") + item


def rda(version: int = 3, **objects: bytes) -> bytes:
    return f"RDX{version}\n".encode() + rds(pairs(*objects.items()), version)


SYSTEM = call("system", strings("echo waag-inert"))


def r_data() -> Shelf:
    shelf = Shelf("r-data", source="construction, after R Internals")

    def add(id: str, data: bytes, why: str, expect: str = "deny", name: str = "model.rds", source: str | None = None) -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    evil = rds(promise(SYSTEM))
    for id, data in (("gzip", gz(evil)), ("plain", evil), ("bzip2", bz2.compress(evil)), ("xz", lzma.compress(evil)), ("version-2", gz(rds(promise(SYSTEM), 2)))):
        add(f"promise-{id}", data, f"a promise that calls system when it is looked at, {id}", source="cve-2024-27322")
    add("promise-rdata", gz(rda(model=promise(SYSTEM))), "a promise as a variable", name="model.RData", source="cve-2024-27322")
    add("promise-rda", gz(rda(2, model=promise(SYSTEM))), "a promise as a variable, version 2", name="model.rda", source="cve-2024-27322")
    add("promise-in-list", gz(rds(vector({"coefficients": reals(1.0, 2.0), "x": promise(SYSTEM)}, "lm"))), "a promise inside a model", source="cve-2024-27322")
    add("promise-in-attribute", gz(rds(reals(1.0, attributes=pairs(("hook", promise(SYSTEM)))))), "a promise as an attribute", source="cve-2024-27322")
    add("promise-in-environment", gz(rds(environment(pairs(("x", promise(SYSTEM)))))), "a promise in an environment", source="cve-2024-27322")
    add("promise-eval", gz(rds(promise(call("eval", i32(LANG) + symbol("parse") + pairs(("text", strings("system('echo waag-inert')"))))))), "a promise that evaluates text", source="cve-2024-27322")
    add("promise-namespace", gz(rds(promise(call("::", symbol("base"), symbol("system"))))), "a promise that takes base::system", source="cve-2024-27322")
    add("promise-bytecode", gz(rds(promise(i32(BYTECODE) + i32(1) + i32(BYTECODE) + integers(12) + i32(0)))), "a promise of byte code", "not-allow", source="cve-2024-27322")
    add("closure", gz(rds(closure(SYSTEM))), "a function that calls system", "not-allow")
    add("closure-in-model", gz(rds(vector({"predict": closure(SYSTEM)}, "model"))), "a model with a function that calls system", "not-allow")
    add("active-binding", gz(rda(**{".Last": closure(SYSTEM)})), "a function that R calls on leaving", "not-allow", name="model.RData")
    add("first", gz(rda(**{".First": closure(SYSTEM)})), "a function that R calls on starting, when it lies as .RData", "not-allow", name=".RData")
    add("shadow-print", gz(rda(print=closure(SYSTEM), model=reals(1.0))), "a function that replaces print", "not-allow", name="model.RData")
    add("builtin-system", gz(rds(i32(BUILTIN) + i32(6) + b"system")), "a built-in function", "not-allow")
    add("count-lies", gz(rds(i32(REAL) + i32(0x7FFFFFFF))), "two billion numbers that are not there", "not-allow")
    add("count-long", gz(rds(i32(REAL) + i32(-1) + i32(1 << 20) + i32(0))), "a long vector that is not there", "not-allow")
    add("reference-beyond", gz(rds(i32(255 | 99999 << 8))), "a reference to nothing", "not-allow")
    add("deep", gz(rds(b"".join(i32(VEC) + i32(1) for _ in range(100_000)) + atom(NIL))), "lists a hundred thousand deep", "not-allow")
    add("truncated", gz(evil[:-6]), "the end is missing", "not-allow")
    add("tail-pickle", gz(rds(reals(1.0)) + inert_pickle()), "a pickle behind the object", "not-allow")
    add("raw-pickle", gz(rds(i32(24) + i32(len(inert_pickle())) + inert_pickle())), "a pickle as raw bytes", "not-allow")
    add("raw-elf", gz(rds(i32(24) + i32(len(elf())) + elf())), "a program as raw bytes", "not-allow")
    add("ascii", b"A\n3\n262913\n197888\n5\nUTF-8\n1029\n253\n252\n6\n1\n262153\n6\nsystem\n2\n16\n1\n262153\n15\necho\\040waag-inert\n254\n", "a promise in R's text form", source="cve-2024-27322")
    add("named-bin", gz(evil), "R data called .bin", name="model.bin", source="cve-2024-27322")
    return shelf


def r_data_good() -> Shelf:
    shelf = Shelf("good-r-data", source="construction, after R Internals")

    def add(id: str, data: bytes, why: str, name: str = "model.rds") -> None:
        shelf.good(id, data, why, name=name)

    frame = vector({"x": reals(1.0, 2.0, 3.0), "y": integers(1, 2, 3), "word": strings("eval", "system", "exec")}, "data.frame", (("row.names", integers(-(1 << 31), -3)),))
    formula = call("~", symbol("y"), symbol("x"), attributes=pairs(("class", strings("formula")), (".Environment", atom(GLOBAL))), flags=OBJECT)
    model = vector({"coefficients": reals(0.5, 1.5, attributes=pairs(("names", strings("(Intercept)", "x")))), "residuals": reals(0.1, -0.1, 0.0), "rank": integers(2), "call": call("lm", formula), "terms": formula, "model": frame}, "lm")
    for id, data in (("frame", gz(rds(frame))), ("lm", gz(rds(model))), ("lm-plain", rds(model)), ("lm-bzip2", bz2.compress(rds(model))), ("lm-xz", lzma.compress(rds(model))), ("lm-version-2", gz(rds(model, 2)))):
        add(id, data, f"an ordinary {id.partition('-')[0]}")
    add("workspace", gz(rda(model=model, data=frame, note=strings("never eval() this; system('x') is a word"))), "a workspace", "workspace.RData")
    add("workspace-2", gz(rda(2, coefficients=reals(1.0))), "a workspace of version 2", "old.rda")
    add("factor", gz(rds(integers(1, 2, 1, attributes=pairs(("levels", strings("eval", "b")), ("class", strings("factor"))), flags=OBJECT))), "a factor")
    add("matrix", gz(rds(reals(1.0, 2.0, 3.0, 4.0, attributes=pairs(("dim", integers(2, 2)))))), "a matrix")
    add("nested", gz(rds(vector({"a": vector({"b": i32(LGL) + i32(1) + i32(1)}), "n": atom(NIL)}))), "lists in lists")
    return shelf


# --- Torch7 ------------------------------------------------------------------------------------------------------


class Torch7:
    """Torch7's binary form; every object gets the next index."""

    def __init__(self) -> None:
        self.index = 0

    def next(self) -> bytes:
        self.index += 1
        return struct.pack("<i", self.index)

    def number(self, value: float) -> bytes:
        return struct.pack("<id", 1, value)

    def text(self, value: str | bytes) -> bytes:
        raw = value.encode() if isinstance(value, str) else value
        return struct.pack("<ii", 2, len(raw)) + raw

    def table(self, items: list[tuple[bytes, bytes]], count: int | None = None) -> bytes:
        return struct.pack("<i", 3) + self.next() + struct.pack("<i", len(items) if count is None else count) + b"".join(k + v for k, v in items)

    def object(self, name: str, payload: bytes) -> bytes:
        version = b"V 1"
        return struct.pack("<i", 4) + self.next() + struct.pack("<i", len(version)) + version + struct.pack("<i", len(name)) + name.encode() + payload

    def function(self, code: bytes, kind: int = 8) -> bytes:
        head = struct.pack("<i", kind) + self.next()
        return head + struct.pack("<i", len(code)) + code + self.table([])

    def tensor(self, sides: tuple[int, ...] = (2, 3), count: int = 6) -> bytes:
        head = struct.pack("<i", 4) + self.next() + struct.pack("<i", 3) + b"V 1" + struct.pack("<i", 17) + b"torch.FloatTensor"
        strides = [3, 1] if len(sides) == 2 else [1]
        body = struct.pack("<i", len(sides)) + struct.pack(f"<{len(sides)}q", *sides) + struct.pack(f"<{len(sides)}q", *strides) + struct.pack("<q", 1)
        storage = struct.pack("<i", 4) + self.next() + struct.pack("<i", 3) + b"V 1" + struct.pack("<i", 18) + b"torch.FloatStorage" + struct.pack("<q", count) + struct.pack("<6f", *range(6))
        return head + body + storage


LUA = b"\x1bLJ\x02\x02" + b"os.execute" + b"\0" + b"echo waag-inert" + b"\0"


def torch7() -> Shelf:
    shelf = Shelf("torch7", source="construction, after torch7's File")

    def add(id: str, data: bytes, why: str, expect: str = "deny", name: str = "model.t7") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    t = Torch7()
    add("function", t.table([(t.text("forward"), t.function(LUA))]), "a Lua function in a model")
    t = Torch7()
    add("function-legacy", t.table([(t.text("forward"), t.function(LUA, 7))]), "a Lua function in the older form")
    t = Torch7()
    add("function-oldest", t.table([(t.text("forward"), struct.pack("<ii", 6, len(LUA)) + LUA + t.table([]))]), "a Lua function in the oldest form")
    t = Torch7()
    add("function-in-module", t.object("nn.Sequential", t.table([(t.text("modules"), t.table([(t.number(1), t.object("nn.Linear", t.table([(t.text("updateOutput"), t.function(LUA))])))]))])), "a function that replaces a layer's own")
    add("function-root", Torch7().function(LUA), "nothing but a function")
    add("function-named-th", Torch7().function(LUA), "a function called .th", "not-allow", name="model.th")
    add("function-named-net", Torch7().function(LUA), "a function called .net", "not-allow", name="model.net")
    add("function-ascii", b"3\n1\n1\n2\n7\nforward\n8\n2\n15\n\x1bLJ os.execute \n3\n3\n0\n", "a function in the text form", "not-allow")
    t = Torch7()
    t = Torch7()
    add("table-count", t.table([], 1 << 30), "a table of a billion entries", "not-allow")
    add("string-length", struct.pack("<ii", 2, 1 << 30) + b"x", "a string of a gigabyte", "not-allow")
    add("string-negative", struct.pack("<ii", 2, -5) + b"xxxxx", "a string of minus five bytes", "not-allow")
    t = Torch7()
    add("storage-lies", t.table([(t.text("weight"), t.tensor(count=1 << 40))]), "a storage of four terabytes", "not-allow")
    t = Torch7()
    add("tensor-larger", t.table([(t.text("weight"), t.tensor((1000, 1000)))]), "a tensor larger than its storage", "not-allow")
    t = Torch7()
    add("tail-pickle", t.table([(t.text("weight"), t.tensor())]) + inert_pickle(), "a pickle behind the model", "deny")
    t = Torch7()
    t = Torch7()
    add("string-bytecode", t.table([(t.text("init"), t.text(LUA))]), "compiled Lua as text", "not-allow")
    return shelf


def torch7_good() -> Shelf:
    shelf = Shelf("good-torch7", source="construction, after torch7's File")
    t = Torch7()
    shelf.good("tensor", t.table([(t.text("weight"), t.tensor())]), "a tensor in a table", name="model.t7")
    t = Torch7()
    shelf.good("module", t.object("nn.Linear", t.table([(t.text("weight"), t.tensor()), (t.text("train"), struct.pack("<ii", 5, 1)), (t.text("_type"), t.text("torch.FloatTensor"))])), "a linear layer", name="model.t7")
    t = Torch7()
    shelf.good("words", t.table([(t.text("eval"), t.text("os.execute is a word")), (t.text("n"), struct.pack("<i", 0))]), "words that frighten scanners", name="options.t7")
    return shelf


# --- MXNet, CNTK, Darknet ----------------------------------------------------------------------------------------


def ndarray(sides: tuple[int, ...] = (2, 3), data: bytes | None = None, kind: int = 0) -> bytes:
    raw = struct.pack("<6f", *range(6)) if data is None else data
    return struct.pack("<Ii", 0xF993FAC9, 0) + struct.pack("<i", len(sides)) + struct.pack(f"<{len(sides)}q", *sides) + struct.pack("<iii", 1, 0, kind) + raw


def params(arrays: dict[str, bytes], count: int | None = None, names: int | None = None) -> bytes:
    out = struct.pack("<QQQ", 0x112, 0, len(arrays) if count is None else count) + b"".join(arrays.values())
    return out + struct.pack("<Q", len(arrays) if names is None else names) + b"".join(struct.pack("<Q", len(n)) + n.encode() for n in arrays)


def symbols(*nodes: dict, attrs: dict | None = None) -> bytes:
    nodes = nodes or ({"op": "null", "name": "data", "inputs": []}, {"op": "null", "name": "w", "inputs": []}, {"op": "FullyConnected", "name": "fc", "attrs": {"num_hidden": "2"}, "inputs": [[0, 0, 0], [1, 0, 0]]})
    return json.dumps({"nodes": list(nodes), "arg_nodes": [0], "node_row_ptr": list(range(len(nodes) + 1)), "heads": [[len(nodes) - 1, 0, 0]], "attrs": {"mxnet_version": ["int", 10900], **(attrs or {})}}).encode()


def others() -> Shelf:
    shelf = Shelf("mxnet-cntk-darknet", source="construction, after the libraries' sources")

    def add(id: str, data: bytes | dict, why: str, expect: str = "not-allow", name: str = "model-symbol.json") -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect)

    null = {"op": "null", "name": "data", "inputs": []}
    add("mxnet-custom", symbols(null, {"op": "Custom", "name": "c", "attrs": {"op_type": "waag_evil"}, "inputs": [[0, 0, 0]]}), "an operator in Python")
    add("mxnet-native", symbols(null, {"op": "_Native", "name": "c", "attrs": {"info": "0x7f0000001000"}, "inputs": [[0, 0, 0]]}), "an operator at an address in memory", "deny")
    add("mxnet-ndarray-op", symbols(null, {"op": "_NDArray", "name": "c", "attrs": {"info": "139637976727552"}, "inputs": [[0, 0, 0]]}), "an operator at an address in memory", "deny")
    add("mxnet-subgraph-custom", symbols(null, {"op": "_foreach", "name": "f", "inputs": [[0, 0, 0]], "subgraphs": [json.loads(symbols(null, {"op": "_Native", "name": "c", "attrs": {"info": "0x7f00"}, "inputs": []}))]}), "an address in a loop's body", "deny")
    add("mxnet-input-beyond", symbols(null, {"op": "relu", "name": "r", "inputs": [[999, 0, 0]]}), "an input out of range")
    add("mxnet-params-count", params({"arg:w": ndarray()}, count=1 << 50), "a quadrillion arrays", name="model-0000.params")
    add("mxnet-params-shape", params({"arg:w": ndarray((1 << 40, 1 << 20))}), "an array of an exabyte", name="model-0000.params")
    add("mxnet-params-names", params({"arg:w": ndarray()}, names=77), "more names than arrays", name="model-0000.params")
    add("mxnet-params-tail", params({"arg:w": ndarray()}) + inert_pickle(), "a pickle behind the arrays", "deny", name="model-0000.params")
    add("mxnet-params-pickle", inert_pickle(), "a pickle called .params", "deny", name="model-0000.params")
    add("mxnet-params-elf", params({"arg:w": ndarray((len(elf()),), elf(), 3)}), "a program as an array of bytes", name="model-0000.params")
    add("mxnet-pair", {"model-symbol.json": symbols(null, {"op": "_Native", "name": "c", "attrs": {"info": "0x7f00"}, "inputs": []}), "model-0000.params": params({"arg:w": ndarray()})}, "good arrays, and a bad graph", "deny")

    cntk = field(1, 1) + entry(2, "type", field(1, 1) + field(2, 8) + field(7, "CompositeFunction")) + entry(2, "version", field(2, 5) + field(5, 1))
    add("cntk-native", cntk + entry(2, "native_user_function", field(2, 8) + field(7, "libevil.so;create")), "a user function in a native library", name="model.dnn")
    add("cntk-python", cntk + entry(2, "user_function_module", field(2, 8) + field(7, "os.system")), "a user function in Python", name="model.cmf")
    add("cntk-legacy-short", b"B\0C\0N\0\0\0" + b"B\0V\0e\0r\0s\0i\0o\0n\0\0\0", "CNTK version 1, cut off", name="model.dnn")
    add("cntk-pickle", inert_pickle(), "a pickle called .cmf", "deny", name="model.cmf")

    head = struct.pack("<iiiq", 0, 2, 5, 32000)
    add("darknet-pickle", head + inert_pickle(), "a pickle behind Darknet's head", name="yolo.weights")
    add("darknet-only-pickle", inert_pickle(), "a pickle called .weights", "deny", name="yolo.weights")
    add("darknet-elf", head + elf(), "a program behind Darknet's head", name="yolo.weights")
    cfg = b"[net]\nbatch=1\nwidth=416\nheight=416\nchannels=3\n\n[convolutional]\nfilters=16\nsize=3\nstride=1\nactivation=leaky\n"
    add("darknet-width", cfg.replace(b"width=416", b"width=2000000000"), "a picture two billion pixels wide", name="yolo.cfg")
    return shelf


def others_good() -> Shelf:
    shelf = Shelf("good-mxnet-darknet", source="construction, after the libraries' sources")
    shelf.good("mxnet-symbol", symbols(), "a graph", name="model-symbol.json")
    shelf.good("mxnet-params", params({"arg:w": ndarray(), "aux:eval": ndarray((3, 2))}), "two arrays", name="model-0000.params")
    shelf.good("mxnet-pair", {"model-symbol.json": symbols(), "model-0000.params": params({"arg:w": ndarray()})}, "a graph and its arrays", name="model")
    shelf.good("darknet-cfg", b"[net]\n# never eval() this\nbatch=64\nsubdivisions=16\nwidth=416\nheight=416\nchannels=3\nsteps=400000,450000\n\n[convolutional]\nbatch_normalize=1\nfilters=32\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n"
               b"[maxpool]\nsize=2\nstride=2\n\n[yolo]\nmask = 0,1,2\nanchors = 10,13,  16,30\nclasses=80\n", "a configuration", name="yolov3.cfg")
    shelf.good("darknet-names", b"person\nbicycle\neval\n", "names of classes", name="coco.names")
    return shelf


# --- Java's serialization ----------------------------------------------------------------------------------------


def java_class(name: str, fields: bytes = b"\0\0") -> bytes:
    return b"r" + struct.pack(">H", len(name)) + name.encode() + struct.pack(">Q", 1) + b"\x02" + fields + b"xp"


def java(*classes: str) -> bytes:
    return b"\xac\xed\0\x05" + b"".join(b"s" + java_class(name) for name in classes)


def java_cases() -> Shelf:
    shelf = Shelf("java", source="construction, after Java's Object Serialization")
    for id, classes in (("transformer", ("java.util.HashMap", "org.apache.commons.collections.functors.InvokerTransformer")), ("templates", ("com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",)),
                        ("jndi", ("com.sun.rowset.JdbcRowSetImpl",)), ("groovy", ("org.codehaus.groovy.runtime.MethodClosure",)), ("process", ("java.lang.ProcessBuilder",)), ("weka", ("weka.classifiers.trees.J48",)),
                        ("bean", ("org.apache.commons.beanutils.BeanComparator",)), ("unknown", ("com.example.waag.Model",))):
        shelf.bad(f"ser-{id}", java(*classes), f"a Java object of {classes[-1]}", name="model.ser", expect="not-allow" if id in ("weka", "unknown") else "deny")
    shelf.bad("named-model", java("org.apache.commons.collections.functors.InvokerTransformer"), "a Java object called .model", name="weka.model")
    shelf.bad("named-bin", java("org.apache.commons.collections.functors.InvokerTransformer"), "a Java object called .bin", name="pytorch_model.bin")
    shelf.bad("gzip", gzip.compress(java("org.apache.commons.collections.functors.InvokerTransformer"), mtime=0), "a Java object, compressed", name="model.ser.gz")
    shelf.bad("class-file", b"\xca\xfe\xba\xbe\0\0\0\x34\0\x0a" + bytes(40), "compiled Java", name="Model.class", expect="not-allow")
    return shelf
