"""Streams that one loader reads otherwise than another, and floods that push what matters out of a reader's memory."""

from __future__ import annotations

import struct

from .assembler import BUILD, MARK, NONE, POP, POP_MARK, STACK_GLOBAL, Asm, Code, get, glob, op, proto, put
from .case import Shelf

a4 = Asm(4)
IDLE = NONE + POP
CALL = a4.call("os", "system", "true")


def stream(*code: bytes) -> bytes:
    return bytes(proto(4) + op(*code) + op(b"."))


def raw_array(content: Code, dtype: Code, extra: tuple[tuple[Code, Code], ...] = ()) -> Code:
    """A wrapper of joblib, and behind it the bytes of the array."""
    content = content + op(b"N" * (-len(content) % 8))
    state = a4.dict(
        (a4.text("subclass"), glob("numpy", "ndarray")),
        (a4.text("shape"), a4.tuple(a4.lit(len(content) // 8))),
        (a4.text("order"), a4.text("C")),
        (a4.text("dtype"), dtype),
        (a4.text("allow_mmap"), a4.lit(False)),
        *extra,
    )
    return glob("joblib.numpy_pickle", "NumpyArrayWrapper") + op(b")\x81") + state + BUILD + content


def dtype(code: str) -> Code:
    return a4.call("numpy", "dtype", code, False, True)


def arrays() -> Shelf:
    shelf = Shelf("machine-arrays", source="joblib's unpickler beside pickle's own")
    plain = IDLE + CALL + POP + NONE
    shelf.bad("plain-loader", stream(raw_array(plain + POP, dtype("f8"))), "pickle.load runs the bytes of an array")
    shelf.bad("plain-loader-far", stream(raw_array(op(IDLE * 3000) + CALL + POP + NONE + POP, dtype("f8"))),
              "the same behind six thousand bytes that do nothing")
    objects = IDLE + CALL + op(b".")
    fields = a4.lit((3, "|", None, ("a",), {"a": (dtype("O8"), 0)}, 8, 1, 63))
    shelf.bad("objects-byte-order", stream(raw_array(objects, dtype("|O8"))), "objects by a type with a byte order", name="model.joblib")
    shelf.bad("objects-in-fields", stream(raw_array(objects, dtype("V8") + fields + BUILD)), "objects in the fields of a type",
              name="model.joblib")
    shelf.bad("objects-second-key", stream(raw_array(objects, dtype("f8"), ((a4.text("dtype"), dtype("O8")),))),
              "of two types the last counts", name="model.joblib")
    return shelf


def planted() -> Shelf:
    """A callable under a name that unpicklers call, in something that is a dictionary by another name."""
    shelf = Shelf("machine-planted", source="dictionaries by another name")
    made = a4.call("collections", "OrderedDict")
    listed = glob("collections", "Counter")
    key = a4.text("__setstate__")
    by_str = glob("builtins", "str") + a4.tuple(key) + op(b"\x81")
    states = {
        "ordered-setitem": made + key + listed + op(b"s"),
        "ordered-pairs": a4.call("collections", "OrderedDict", a4.list(a4.tuple(key, listed))),
        "defaultdict-setitem": a4.call("collections", "defaultdict") + key + listed + op(b"s"),
        "made-key": a4.dict((by_str, listed)),
        "bound-method": made + key + a4.call("builtins", "getattr", a4.call("pathlib", "PosixPath", "/tmp/x"), "write_text") + op(b"s"),
    }
    for id, state in states.items():
        shelf.bad(id, stream(made + state + BUILD + a4.text("x") + BUILD), f"the second BUILD calls what was planted: {id}")
    result = glob("scipy.optimize._optimize", "OptimizeResult") + op(b")\x81") + key + listed + op(b"s")
    shelf.bad("attributes-are-items", stream(result + a4.text("x") + BUILD), "an object whose items are its attributes")
    pairs = a4.lit((("_parse_arg_template", "pass"), ("a", 1)))
    shelf.bad("state-of-pairs", stream(glob("scipy.stats._continuous_distns", "norm_gen") + op(b")\x81") + pairs + BUILD),
              "a tuple of pairs is taken for a dictionary, and its template is executed")
    keyed = a4.tuple(a4.tuple(glob("builtins", "str") + a4.lit(("_parse_arg_template",)) + op(b"\x81"), a4.text("pass")))
    shelf.bad("state-of-made-pairs", stream(glob("scipy.stats._continuous_distns", "norm_gen") + op(b")\x81") + keyed + BUILD),
              "the same with a key that is made")
    new = a4.call("sklearn.metrics._dist_metrics", "newObj", glob("scipy.stats._distn_infrastructure", "rv_continuous"))
    shelf.bad("state-behind-a-function", stream(new + a4.lit({"_parse_arg_template": "pass"}) + BUILD),
              "a function makes an object of a class that evaluates its state")
    return shelf


def called() -> Shelf:
    """Listed functions that call what they are given."""
    shelf = Shelf("machine-called", source="functions that call their arguments")
    model = glob("ultralytics.nn.tasks", "DetectionModel")
    config = a4.lit({"nc": 1, "activation": "print('waag-inert')"})
    shelf.bad("generator", stream(a4.call("numpy.random._pickle", "__generator_ctor", config, model)),
              "the maker of random numbers calls any class")
    shelf.bad("random-state", stream(a4.call("numpy.random._pickle", "__randomstate_ctor", config, model)), "the older one does so too")
    shelf.bad("fastai-rebuild", stream(a4.call("fastai.torch_core", "_rebuild_from_type", model, glob("torch", "Tensor"),
                                               a4.tuple(config), {})), "fastai's rebuilding function calls any class")
    shelf.bad("fastai-tensor", stream(a4.call("fastai.torch_core", "_fa_rebuild_tensor", model, config)), "a class in place of a tensor")
    state = a4.lit({"_parse_arg_template": "pass"})
    made = a4.tuple(glob("scipy.stats._distn_infrastructure", "rv_sample"), glob("builtins", "object"), NONE)
    shelf.bad("rebuild-with-state", stream(a4.call("torch._tensor", "_rebuild_from_type_v2", glob("copyreg", "_reconstructor"),
                                                   glob("torch", "Tensor"), made, state)), "a state that its class evaluates")
    for module in ("IPython.__main__", "pip.__main__", "flask.__main__"):
        shelf.bad(f"program-{module.split('.')[0].lower()}", stream(glob(module, "main")), "importing the module starts a program")
    return shelf


def floods() -> Shelf:
    shelf = Shelf("machine-floods", source="limits of readers")
    unlisted = a4.call("IPython.utils.importstring", "import_item", "inert.x")
    made = a4.call("collections", "OrderedDict")
    stack = MARK + op(b"N" * ((1 << 20) - 2)) + a4.text("collections") + a4.text("OrderedDict")
    shelf.bad("stack", stream(stack + a4.text("os") + a4.text("system") + STACK_GLOBAL + a4.lit(("true",)) + op(b"R") + POP_MARK + NONE),
              "a million values below the call")
    memo = op(*(NONE + op(b"r", struct.pack("<I", 40_000 + 2 * index)) + POP for index in range(65_600)))
    hidden = glob("IPython.utils.importstring", "import_item") + put(9_000_000) + POP + get(9_000_000)
    shelf.bad("memo", stream(memo + hidden + a4.lit(("inert.x",)) + op(b"R")), "more entries of the memo than are remembered")
    nodes = op(b"K\x01\x850" * 524_300)
    ufunc = a4.call("numpy.core", "_ufunc_reconstruct", "os", "system")
    shelf.bad("objects", stream(nodes + made + a4.dict((a4.text("__setstate__"), ufunc)) + BUILD + a4.text("true") + BUILD),
              "more objects than are remembered, and arguments among those that are not")
    shelf.bad("objects-planted", stream(nodes + made + a4.dict((a4.text("__setstate__"), unlisted)) + BUILD + a4.text("x") + BUILD),
              "more objects than are remembered, and what is planted among those that are not", expect="not-allow")
    return shelf
