"""Arrays that are objects, headers that are programs, and calls that hide behind raw bytes."""

from __future__ import annotations

from .archives_bad import gz
from .arrays import aligned, floats, joblib_dump, ndarray, npy, wrapper
from .assembler import BUILD, NONE, POP, Asm, glob, inert_call, inert_pickle, op
from .case import Shelf
from .zipwriter import DEFLATED, Member, zip_bytes

a2 = Asm(2)
CALL = inert_call(a2)


def numpy_files() -> Shelf:
    shelf = Shelf("numpy", source="construction; cve-2019-6446 class")

    def add(id: str, data: bytes, why: str, expect: str = "deny", name: str = "array.npy") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    for version in ((1, 0), (2, 0), (3, 0)):
        add(f"object-v{version[0]}", npy("'|O'", "(1,)", inert_pickle(), version=version), f"an object array, format {version[0]}")
    add("object-pickle-4", npy("'|O'", "(1,)", inert_pickle(4)), "an object array, protocol 4")
    add("object-in-record", npy("[('a', '<f8'), ('b', '|O')]", "(1,)", inert_pickle()), "an object field in a record")
    add("object-subarray", npy("[('a', '|O', (2,))]", "(1,)", inert_pickle()), "an object sub-array")
    add("object-o8", npy("'O8'", "(1,)", inert_pickle()), "another spelling of object")
    add("object-named-bin", npy("'|O'", "(1,)", inert_pickle()), "an object array called .bin", name="array.bin")
    harmless = npy("'|O'", "(1,)", a2.stream(ndarray((1,), a2.list(a2.lit("x")), "O8")))
    shelf.good("object-harmless-pickle", harmless, "an object array whose pickle only builds data", name="array.npy")
    add("pickle-after-data", npy("'<f8'", "(4,)", floats(4) + inert_pickle()), "a pickle behind the data")
    add("pickle-as-npy", inert_pickle(), "a pickle called .npy: numpy.load falls back to pickle")
    add("pickle-as-npy-proto0", Asm(0).stream(inert_call(Asm(0))), "the same at protocol 0")
    add("header-call", npy("", "", b"", header="{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,), }"),
        "the header is an expression that calls", "not-allow")
    add("header-comprehension", npy("", "", b"", header="[0 for _ in ()]"), "the header is a comprehension", "not-allow")
    add("header-not-dict", npy("", "", b"", header="'<f8'"), "the header is a string", "not-allow")
    add("header-extra-key", npy("", "", floats(1), header="{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1, }"),
        "the header has a key too many", "not-allow")
    add("header-duplicate-key", npy("", "", inert_pickle(), header="{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
        "the second descr makes it an object array")
    add("header-deep", npy("", "", b"", header="(" * 9000 + ")" * 9000, version=(2, 0)), "nine thousand brackets", "not-allow")
    add("header-length-lies", npy("'<f8'", "(4,)", floats(4), length=60000), "the header is said to be longer than the file", "not-allow")
    add("header-length-zero", npy("'|O'", "(1,)", inert_pickle(), length=0), "the header is said to be empty")
    add("header-huge", npy("'<f8'", "(0,)", b"", version=(2, 0), length=0xFFFFFFFF), "a header of four gigabytes", "not-allow")
    add("shape-huge", npy("'<f8'", "(1099511627776, 1048576)", b""), "a shape that overflows", "not-allow")
    add("shape-negative", npy("'<f8'", "(-1,)", floats(4)), "a negative side", "not-allow")
    add("shape-short-data", npy("'<f8'", "(1000,)", floats(4)), "less data than the shape says", "not-allow")
    add("shape-not-tuple", npy("'<f8'", "4", floats(4)), "a shape that is no tuple", "not-allow")
    add("version-9", npy("'<f8'", "(4,)", floats(4), version=(9, 0)), "a version nobody knows", "not-allow")
    add("truncated-magic", b"\x93NUMPY\x01", "cut off after the magic", "not-allow")
    add("dtype-unknown", npy("'<Z9'", "(4,)", floats(4)), "a type nobody knows", "not-allow")
    good = Member("a.npy", npy("'<f8'", "(4,)", floats(4)))
    add("npz-object", zip_bytes([good, Member("b.npy", npy("'|O'", "(1,)", inert_pickle()))]), "an object array in an npz", name="arrays.npz")
    add("npz-object-deflated", zip_bytes([good, Member("b.npy", npy("'|O'", "(1,)", inert_pickle()), method=DEFLATED)]),
        "the same, compressed", name="arrays.npz")
    add("npz-pickle-member", zip_bytes([good, Member("b.npy", inert_pickle())]), "a member that is a pickle", name="arrays.npz")
    add("npz-pickle-no-suffix", zip_bytes([good, Member("b", inert_pickle())]), "a member without a suffix", name="arrays.npz")
    add("npz-hidden", zip_bytes([good, Member("b.npy", npy("'|O'", "(1,)", inert_pickle()), in_central=False)]), "a hidden member", name="arrays.npz")
    add("npy-gz", gz(npy("'|O'", "(1,)", inert_pickle())), "an object array in gzip", name="array.npy.gz")
    return shelf


def joblib_files() -> Shelf:
    shelf = Shelf("joblib", source="construction; cve-2024-34997 class")

    def add(id: str, data: bytes, why: str, expect: str = "deny", name: str = "model.joblib") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    data = floats(64)
    begin = op(b"](")
    add("call-after-array", joblib_dump(begin, [((64,), data)], CALL + op(b"e")), "a call behind the raw bytes of an array")
    add("call-after-arrays", joblib_dump(begin, [((64,), data)] * 5, CALL + op(b"e")), "a call behind five arrays")
    add("call-before-array", joblib_dump(op(b"](") + CALL, [((64,), data)], op(b"e")), "a call before an array")
    add("call-after-unaligned", joblib_dump(begin, [((64,), data)], CALL + op(b"e"), align=None), "a call behind an array of an old joblib")
    add("call-after-big-array", joblib_dump(begin, [((100_000,), floats(100_000))], CALL + op(b"e")), "a call behind 800 KB of numbers")
    add("call-after-stops", joblib_dump(begin, [((8,), b"." * 64)], CALL + op(b"e")), "the array's bytes are STOPs")
    add("call-after-pickle-bytes", joblib_dump(begin, [((8,), (b"\x80\x02N." * 16)[:64])], CALL + op(b"e")), "the array's bytes are little pickles")
    add("call-in-array-bytes", joblib_dump(begin, [((8,), (inert_pickle() + bytes(64))[:64])], op(b"e")),
        "the array's bytes are a pickle: data here, code to whoever loses the place", "not-allow")
    add("call-after-zero-array", joblib_dump(begin, [((0,), b"")], CALL + op(b"e")), "a call behind an empty array")
    add("gzip-call-after-array", gz(joblib_dump(begin, [((64,), data)], CALL + op(b"e"))), "the same in gzip")
    add("wrapper-subclass", bytes(b"\x80\x02" + wrapper((8,), subclass=glob("os", "system")) + b"\x00" + floats(8) + b"."),
        "the array's class is os.system")
    add("wrapper-object-dtype", bytes(b"\x80\x02" + wrapper((1,), kind="O8") + inert_pickle() + b"."), "an object array: the raw bytes are a pickle")
    add("wrapper-shape-lies", bytes(b"\x80\x02" + wrapper((4,), align=None) + floats(64) + CALL + b"."), "fewer elements than bytes", "not-allow")
    add("wrapper-shape-huge", bytes(b"\x80\x02" + wrapper((1 << 40,), align=None) + floats(4)), "a shape of eight terabytes", "not-allow")
    add("wrapper-pad-lies", bytes(b"\x80\x02" + wrapper((8,)) + b"\xf0" + b"\xff" * 4 + floats(8) + CALL + b"."), "the padding's length is wrong", "not-allow")
    head = b"\x80\x02" + begin + wrapper((8,))
    add("call-in-padding", bytes(head + bytes([len(CALL)]) + CALL + floats(8) + op(b"e.")), "the padding is a call", "not-allow")
    add("ndarray-wrapper-old", bytes(b"\x80\x02" + glob("joblib.numpy_pickle_compat", "NDArrayWrapper") + op(b")\x81")
        + a2.lit({"filename": "/nonexistent/waag-inert.npy", "allow_mmap": True}) + BUILD + op(b".")), "an old wrapper that opens another file")
    for id, target in (("above", "../waag-inert.npy"), ("absolute", "/nonexistent/waag-inert.npy"), ("pickle", "waag-inert.pkl")):
        add(f"ndarray-wrapper-{id}", a2.stream(glob("joblib.numpy_pickle", "NDArrayWrapper") + op(b")\x81")
            + a2.lit({"filename": target, "allow_mmap": True}) + BUILD), "a wrapper of joblib 0.9 that opens what is no array beside it")
    add("zndarray-wrapper-old", bytes(b"\x80\x02" + glob("joblib.numpy_pickle_compat", "ZNDArrayWrapper") + op(b")\x81")
        + a2.lit({"filename": "/nonexistent/waag-inert.z"}) + a2.tuple(NONE, NONE) + POP + BUILD + op(b".")), "an old wrapper that opens another file")
    add("estimator-with-call", joblib_dump(glob("sklearn.linear_model._base", "LinearRegression") + op(b")\x81}(") + a2.text("coef_"),
        [((4,), floats(4))], a2.text("callback") + CALL + op(b"ub")), "an estimator with a call among its attributes")
    add("loky-function", joblib_dump(begin, [((4,), floats(4))], a2.call("joblib.externals.loky.cloudpickle_wrapper", "_reconstruct_wrapper",
        inert_pickle(), False) + op(b"e")), "a wrapped function, which is a pickle")
    add("framed-call-after-array", framed(), "protocol 4: the frame ends, raw bytes follow, a second frame holds the call")
    return shelf


def framed() -> bytes:
    head = op(b"](") + wrapper((64,))
    out = bytearray(b"\x80\x04\x95" + len(head).to_bytes(8, "little") + head)
    out += aligned(len(out), floats(64))
    tail = inert_call(Asm(4)) + op(b"e.")
    return bytes(out + b"\x95" + len(tail).to_bytes(8, "little") + tail)
