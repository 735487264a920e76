"""Where a stream starts, stops, breaks and starts again, and what loaders and disassemblers disagree about."""

from __future__ import annotations

import struct

from .assembler import NONE, POP, STOP, Asm, Code, frame, glob, inert_call, inert_pickle, op, proto, put, u32, u64
from .case import Shelf

a0, a2, a4 = Asm(0), Asm(2), Asm(4)
CALL0, CALL2, CALL4 = inert_call(a0), inert_call(a2), inert_call(a4)
HARMLESS = a2.stream(a2.lit({"epoch": 3, "lr": 0.001}))


def frames() -> Shelf:
    """C's unpickler treats FRAME as a hint; pickletools and Python's unpickler enforce it, each in its way."""
    shelf = Shelf("machine-frames", source="CPython's unpicklers disagree on FRAME bounds")
    body = CALL4 + STOP

    def framed(id: str, length: int, why: str, code: bytes = body, expect: str = "deny") -> None:
        shelf.bad(id, bytes(proto(4) + frame(length) + code), why, expect=expect)

    framed("too-short", 4, "the frame ends inside the program")
    framed("too-short-in-opcode", 5, "the frame ends inside an opcode's argument")
    framed("one-byte", 1, "the frame holds one byte")
    framed("zero", 0, "an empty frame")
    framed("too-long", len(body) + 1, "the frame says one byte more than there is", expect="not-allow")
    framed("far-too-long", 1 << 20, "the frame says a megabyte more than there is", expect="not-allow")
    framed("huge", 1 << 62, "the frame's length is absurd", expect="not-allow")
    framed("negative", (1 << 64) - 1, "the frame's length does not fit a signed size", expect="not-allow")
    head = a4.text("x") + POP
    shelf.bad("nested", bytes(proto(4) + frame(len(head) + 9 + len(body)) + head + frame(len(body)) + body), "a frame in a frame")
    shelf.bad("straddled", bytes(proto(4) + frame(len(CALL4) - 7) + CALL4 + frame(1) + STOP), "the call straddles the frame's end")
    shelf.bad("two-frames", bytes(proto(4) + frame(len(head)) + head + frame(len(body)) + body), "the call is in the second frame", runs="os.system")
    shelf.bad("before-frame", bytes(proto(4) + CALL4 + POP + frame(2) + NONE + STOP), "the call comes before the first frame", runs="os.system")
    shelf.bad("between-frames", bytes(proto(4) + frame(len(head)) + head + CALL4 + POP + frame(2) + NONE + STOP), "the call is between frames", runs="os.system")
    shelf.bad("at-protocol-2", bytes(proto(2) + frame(len(CALL2) + 1) + CALL2 + STOP), "frames at protocol 2", runs="os.system")
    # A string whose bytes are the frame's tail: one reader sees data, the other opcodes.
    payload = a4.text("harmless" + "x" * 40) + POP + CALL4
    for cut in (3, 9, 20, 45):
        shelf.bad(f"cut-string-at-{cut}", bytes(proto(4) + frame(cut) + payload + STOP), f"the frame ends {cut} bytes into a string")
    hidden = CALL4 + STOP
    shelf.bad("data-in-one-reading", bytes(proto(4) + frame(6) + op(b"\x8c\x02ok0") + op(b"N") + hidden), "the frame ends just before the call")
    return shelf


def arguments() -> Shelf:
    """Numbers and strings that loaders parse more leniently than readers."""
    shelf = Shelf("machine-arguments", source="C unpickler's parsing of text arguments")

    def num(id: str, text: bytes, why: str, expect: str = "not-allow", tail: Code = CALL2, runs: str | tuple = "os.system") -> None:
        shelf.bad(id, a2.stream(op(text) + POP + tail), why, expect=expect, runs=runs)

    num("int-hex", b"I0x1f\n", "INT takes base 0: hexadecimal", "deny")
    num("int-binary", b"I0b11\n", "INT takes base 0: binary", "deny")
    num("int-octal", b"I0o17\n", "INT takes base 0: octal", "not-allow", runs=())
    num("int-leading-zero", b"I017\n", "INT with a leading zero is octal in C", "deny")
    num("int-space", b"I 5\n", "INT with a space", "deny")
    num("int-plus", b"I+5\n", "INT with a plus", "deny")
    num("int-underscore", b"I1_000\n", "INT with an underscore", "not-allow")
    num("int-huge", b"I" + b"9" * 400 + b"\n", "INT beyond 64 bits", "deny")
    num("long-no-l", b"L5\n", "LONG without its L", "deny")
    num("long-two-l", b"L5LL\n", "LONG with two Ls", "not-allow", runs=())
    num("long-hex", b"L0x1fL\n", "LONG in hexadecimal", "deny")
    num("float-nan", b"Fnan\n", "FLOAT nan", "deny")
    num("float-hex", b"F0x1p3\n", "FLOAT in hexadecimal", "not-allow", runs=())
    num("float-infinity", b"F-Infinity\n", "FLOAT infinity", "deny")
    num("int-bool-02", b"I02\n", "INT 02 is a number, 01 is true", "deny")
    num("long1-empty", b"\x8a\x00", "LONG1 of no bytes is 0", "deny")
    num("long4-negative", b"\x8b" + struct.pack("<i", -1), "LONG4 of negative length", "not-allow", runs=())
    num("get-leading-zeros", b"Nq\x010g001\n", "GET with leading zeros", "deny")
    num("put-hex", b"Np0x10\n", "PUT in hexadecimal", "not-allow", runs=())
    num("put-negative", b"Np-1\n", "PUT of a negative number", "not-allow", runs=())
    num("put-spaces", b"Np 3 \n", "PUT with spaces", "not-allow")
    num("string-unbalanced", b"S'abc\n", "STRING with one quote", "not-allow", runs=())
    num("string-double", b'S"a\'b"\n', "STRING in double quotes", "deny")
    num("string-bad-escape", b"S'\\q'\n", "STRING with an unknown escape", "deny")
    num("string-non-ascii", b"S'\xff'\n", "STRING with a byte above 127", "not-allow", runs=())
    num("unicode-bad-escape", b"V\\u12\n", "UNICODE with half an escape", "not-allow", runs=())
    num("unicode-astral", b"V\\U0001f600\n", "UNICODE with an astral character", "deny")
    num("persid-empty", b"P\n", "PERSID without an id", "not-allow")
    num("no-newline-before", b"I5", "INT swallows what follows up to the next line end", "not-allow", runs=())
    num("binstring-negative", b"T" + struct.pack("<i", -1), "BINSTRING of negative length", "not-allow", runs=())
    return shelf


def streams() -> Shelf:
    shelf = Shelf("machine-streams", source="scanner trackers (several pickles, broken pickles)")
    bad = inert_pickle()

    def add(id: str, data: bytes, why: str, expect: str = "deny", runs: str | tuple = ()) -> None:
        shelf.bad(id, bytes(data), why, expect=expect, runs=runs)

    add("second", HARMLESS + bad, "the second pickle of the file")
    add("fifth", HARMLESS * 4 + bad, "the fifth pickle of the file")
    add("second-proto0", HARMLESS + a0.stream(CALL0), "the second pickle, without a PROTO")
    add("second-proto4", HARMLESS + inert_pickle(4), "the second pickle, at protocol 4")
    add("after-zeros", HARMLESS + bytes(64) + bad, "after zeros")
    add("after-many-zeros", HARMLESS + bytes(1 << 20) + bad, "after a megabyte of zeros")
    add("after-text", HARMLESS + b"this is not a pickle\n" + bad, "after text")
    add("after-newlines", HARMLESS + b"\n\n\n" + bad, "after empty lines")
    add("after-broken", bytes(proto(2)) + b"}\xff" + bad, "after a pickle that does not parse")
    add("after-stop-only", b"." + bad, "after a STOP on an empty stack")
    add("after-random", bytes((i * 37 + 11) % 256 for i in range(4096)) + bad, "after four kilobytes of noise", "not-allow")
    add("after-aligned", HARMLESS + bytes(4096 - len(HARMLESS)) + bad, "at an offset somebody could seek to")
    add("no-proto", bytes(CALL2 + STOP), "no PROTO, but protocol 2 opcodes", runs="os.system")
    add("no-proto-4", bytes(CALL4 + STOP), "no PROTO, but protocol 4 opcodes", runs="os.system")
    add("proto-0", bytes(proto(0) + CALL0 + STOP), "PROTO 0", runs="os.system")
    add("proto-1-with-4", bytes(proto(1) + CALL4 + STOP), "PROTO 1 with protocol 4 opcodes", runs="os.system")
    add("proto-6", bytes(proto(6) + CALL4 + STOP), "PROTO 6: loaders of today refuse, those of tomorrow may not", "not-allow")
    add("proto-255", bytes(proto(255) + CALL4 + STOP), "PROTO 255", "not-allow")
    add("proto-mid", bytes(proto(2) + a2.lit(1) + POP + proto(2) + CALL2 + STOP), "a PROTO in mid-stream", runs="os.system")
    add("proto-mid-many", bytes((proto(2) + NONE + POP) * 40 + CALL2 + STOP), "forty PROTOs", runs="os.system")
    add("proto-mid-6", bytes(proto(2) + CALL2 + POP + proto(6) + NONE + STOP), "the call comes before a PROTO loaders refuse", runs="os.system")
    add("no-stop", bytes(proto(2) + CALL2), "no STOP: the call is made, then the loader fails", runs="os.system")
    add("truncated-after-call", bytes(proto(2) + CALL2 + op(b"X\x10\0\0\0ab")), "cut off after the call", runs="os.system")
    add("truncated-in-memo", bytes(proto(2) + CALL2 + op(b"q")), "cut off inside an opcode", runs="os.system")
    add("bad-opcode-after-call", bytes(proto(2) + CALL2 + op(b"\xff")), "an unknown opcode after the call", runs="os.system")
    add("bad-opcode-before-second", bytes(proto(2) + op(b"N\xfe")) + bad, "an unknown opcode, then another pickle")
    add("underflow-after-call", bytes(proto(2) + CALL2 + POP + POP + POP + STOP), "the stack runs out after the call", runs="os.system")
    add("missing-memo-after-call", bytes(proto(2) + CALL2 + op(b"h\x63") + STOP), "a missing memo entry after the call", runs="os.system")
    add("missing-mark-after-call", bytes(proto(2) + CALL2 + op(b"t") + STOP), "a missing mark after the call", runs="os.system")
    add("error-in-second-call", bytes(proto(2) + CALL2 + POP + glob("waag_missing", "x") + STOP), "the second global does not exist", runs="os.system")
    add("bad-utf8-after-call", bytes(proto(2) + CALL2 + op(b"X\x02\0\0\0\xff\xfe") + STOP), "broken UTF-8 after the call", runs="os.system")
    add("bad-utf8-before-call", bytes(proto(2) + op(b"X\x02\0\0\0\xff\xfe0") + CALL2 + STOP), "broken UTF-8 before the call: loaders stop there", "not-allow")
    add("odd-dict-after-call", bytes(proto(2) + CALL2 + op(b"(NNNd") + STOP), "a dict of three items after the call", runs="os.system")
    add("stack-left-over", bytes(proto(2) + NONE + NONE + CALL2 + STOP), "values are left on the stack", runs="os.system")
    add("mark-left-over", bytes(proto(2) + op(b"(") + CALL2 + STOP), "a mark is left on the stack")
    add("stop-in-string", bytes(proto(2) + a2.text("...." * 10) + POP + CALL2 + STOP), "a string full of STOPs", runs="os.system")
    add("pickle-in-string", bytes(proto(2) + a2.text("N.") + POP + CALL2 + STOP), "a string that is a pickle", runs="os.system")
    add("base64-of-pickle", a4.stream(a4.call("pickle", "loads", a4.call("base64", "b64decode", "Ti4="))), "a pickle in base64", runs="pickle.loads")
    add("long-prefix", bytes(proto(2) + (a2.lit(1) + POP) * 100_000 + CALL2 + STOP), "after two hundred thousand opcodes", runs="os.system")
    add("long-string-prefix", bytes(proto(2) + a2.text("x" * (2 << 20)) + POP + CALL2 + STOP), "after a string of two megabytes", runs="os.system")
    add("long-list-prefix", bytes(proto(2) + op(b"](") + a2.lit(7) * 120_000 + op(b"e0") + CALL2 + STOP), "after a list of 120,000 numbers", runs="os.system")
    add("many-memo-prefix", bytes(proto(2) + b"".join(NONE + put(i) + POP for i in range(60_000)) + CALL2 + STOP), "after 60,000 memo entries", runs="os.system")
    add("deep-list-prefix", bytes(proto(2) + op(b"]") * 3000 + op(b"a") * 2999 + POP + CALL2 + STOP), "after lists three thousand deep", runs="os.system")
    add("legacy-magic-broken", bytes(proto(2) + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + proto(2)) + b"M\xe9\x03." + bad, "torch's magic number, then the call")
    return shelf


def limits() -> Shelf:
    """Programs that cost the loader, or a careless scanner, far more than their size."""
    shelf = Shelf("machine-limits", source="resource exhaustion; parse errors (ghsa-9gvj-pp9x-gcfr class)")

    def add(id: str, code: bytes, why: str, expect: str = "not-allow", runs: str | tuple = ()) -> None:
        shelf.bad(id, bytes(proto(2) + code + STOP), why, expect=expect, runs=runs)

    add("long-binput-huge", NONE + op(b"r", u32(0x7FFFFFFF)), "a memo index of two thousand million: C makes room for all of them")
    add("long-binput-max", NONE + op(b"r", u32(0xFFFFFFFF)), "the largest memo index")
    add("long-binput-huge-then-call", CALL2 + op(b"r", u32(0x7FFFFFFF)), "a call, then a huge memo index", "deny", "os.system")
    add("put-text-huge", NONE + op(b"p4294967296\n"), "a memo index beyond 32 bits")
    add("put-text-astronomic", NONE + op(b"p" + b"9" * 30 + b"\n"), "a memo index beyond 64 bits")
    for id, head, width in (("binunicode", b"X", 4), ("binunicode8", b"\x8d", 8), ("binbytes8", b"\x8e", 8), ("bytearray8", b"\x96", 8),
                            ("binbytes", b"B", 4), ("long4", b"\x8b", 4), ("binstring", b"T", 4)):
        size = (0x7FFFFFFF).to_bytes(width, "little") if width == 4 else (1 << 60).to_bytes(8, "little")
        add(f"declared-{id}", op(head, size, b"abc"), "a declared length far beyond the file")
    add("declared-after-call", CALL2 + op(b"\x8e", u64(1 << 60)), "a call, then a declared length far beyond the file", "deny", "os.system")
    add("deep-tuples", op(b")") + op(b"\x85") * 200_000, "tuples two hundred thousand deep break whatever walks them")
    add("deep-lists", op(b"]") * 100_000 + op(b"a") * 99_999, "lists a hundred thousand deep")
    add("deep-marks", op(b"(") * 200_000 + op(b"t") * 200_000, "two hundred thousand open marks")
    add("deep-dicts", op(b"}N") * 50_000 + NONE + op(b"s") * 50_000, "dicts fifty thousand deep")
    add("laughs-tuples", a2.text("lol") + op(b"2\x86") * 60, "each of sixty tuples holds the last one twice: small here, endless when printed or hashed")
    add("laughs-lists", op(b"](K\x01e") + b"".join(op(b"q", bytes([i]), b"0](", *[op(b"h", bytes([i]))] * 10, b"e") for i in range(12)),
        "lists that hold the last list ten times")
    add("laughs-as-key", op(b"}") + a2.text("lol") + op(b"2\x86") * 60 + op(b"Ns"), "such a tuple as a dict's key: hashing never ends")
    add("laughs-then-call", a2.text("lol") + op(b"2\x86") * 60 + POP + CALL2, "such a tuple before a call", "deny", "os.system")
    add("bytes-multiply", a2.call("operator", "mul", "x", 1 << 40), "a string multiplied into a terabyte", "deny")
    add("bytes-constructor", a2.call("__builtin__", "bytearray", 1 << 40), "a terabyte of zeros by constructor")
    add("range-list", a2.call("__builtin__", "list", a2.call("__builtin__", "xrange", 1 << 40)), "a list of a million million numbers")
    add("numpy-huge-array", a2.call("numpy.core.multiarray", "_reconstruct", glob("numpy", "ndarray"), (1 << 40,), b"b"), "an array of a terabyte")
    add("ordereddict-huge", a2.call("collections", "OrderedDict", a2.call("itertools", "count")), "a constructor that never ends", "deny")
    add("deque-repeat", a2.call("collections", "deque", a2.call("itertools", "repeat", 0), 1), "a deque that never ends", "deny")
    add("long-power", a2.call("builtins", "pow", 10, 1 << 30), "a power that never ends")
    return shelf
