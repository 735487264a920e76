"""A small pickle assembler: programs are written as opcodes, so that they can say what `pickle.dumps` never would.

Every method of `Asm` returns `Code`, bytes of opcodes that leave (usually) one value on the stack; programs are
sums of those. `Asm(protocol)` picks the opcodes a writer of that protocol would pick.
"""

from __future__ import annotations

import struct


class Code(bytes):
    """Opcodes, as opposed to bytes that are data."""

    def __add__(self, other: bytes) -> Code:
        return Code(bytes(self) + bytes(other))


def op(*parts: bytes) -> Code:
    return Code(b"".join(parts))


def u8(n: int) -> bytes:
    return struct.pack("<B", n)


def u16(n: int) -> bytes:
    return struct.pack("<H", n)


def u32(n: int) -> bytes:
    return struct.pack("<I", n)


def i32(n: int) -> bytes:
    return struct.pack("<i", n)


def u64(n: int) -> bytes:
    return struct.pack("<Q", n)


MARK, STOP, POP, POP_MARK, DUP = op(b"("), op(b"."), op(b"0"), op(b"1"), op(b"2")
REDUCE, BUILD, OBJ, NEWOBJ, NEWOBJ_EX = op(b"R"), op(b"b"), op(b"o"), op(b"\x81"), op(b"\x92")
TUPLE, TUPLE1, TUPLE2, TUPLE3, EMPTY_TUPLE = op(b"t"), op(b"\x85"), op(b"\x86"), op(b"\x87"), op(b")")
LIST, EMPTY_LIST, APPEND, APPENDS = op(b"l"), op(b"]"), op(b"a"), op(b"e")
DICT, EMPTY_DICT, SETITEM, SETITEMS = op(b"d"), op(b"}"), op(b"s"), op(b"u")
EMPTY_SET, ADDITEMS, FROZENSET = op(b"\x8f"), op(b"\x90"), op(b"\x91")
STACK_GLOBAL, MEMOIZE, BINPERSID = op(b"\x93"), op(b"\x94"), op(b"Q")
NONE, NEWTRUE, NEWFALSE = op(b"N"), op(b"\x88"), op(b"\x89")


def proto(n: int) -> Code:
    return op(b"\x80", u8(n))


def frame(length: int) -> Code:
    return op(b"\x95", u64(length))


def put(i: int) -> Code:
    return op(b"q", u8(i)) if i < 256 else op(b"r", u32(i))


def get(i: int) -> Code:
    return op(b"h", u8(i)) if i < 256 else op(b"j", u32(i))


def text_put(i: int) -> Code:
    return op(b"p%d\n" % i)


def text_get(i: int) -> Code:
    return op(b"g%d\n" % i)


def glob(module: str, name: str) -> Code:
    """GLOBAL, the opcode of every protocol: two lines of UTF-8, not escaped."""
    return op(b"c", module.encode("utf-8", "surrogatepass"), b"\n", name.encode("utf-8", "surrogatepass"), b"\n")


def inst(module: str, name: str, *args: Code) -> Code:
    """INST calls a callable named in its own argument, with everything above the mark."""
    return MARK + op(*args) + op(b"i", module.encode(), b"\n", name.encode(), b"\n")


def long1(n: int) -> Code:
    data = n.to_bytes((n.bit_length() + 8) // 8, "little", signed=True) if n else b""
    if len(data) < 256:
        return op(b"\x8a", u8(len(data)), data)
    return op(b"\x8b", u32(len(data)), data)


class Asm:
    """Opcodes as a writer of one protocol would choose them."""

    def __init__(self, protocol: int = 2):
        self.protocol = protocol

    # -- values ---------------------------------------------------------------------------------------------

    def text(self, s: str) -> Code:
        data = s.encode("utf-8", "surrogatepass")
        if self.protocol == 0:
            escaped = s.replace("\\", "\\u005c").replace("\n", "\\u000a").encode("raw-unicode-escape")
            return op(b"V", escaped, b"\n")
        if self.protocol >= 4 and len(data) < 256:
            return op(b"\x8c", u8(len(data)), data)
        return op(b"X", u32(len(data)), data)

    def blob(self, data: bytes) -> Code:
        if self.protocol >= 3:
            return op(b"C", u8(len(data)), data) if len(data) < 256 else op(b"B", u32(len(data)), data)
        # Before protocol 3 bytes travel as a call, the way pickle.dumps writes them.
        if not data:
            return self.call("__builtin__", "bytes")
        return self.call("_codecs", "encode", data.decode("latin-1"), "latin1")

    def number(self, n: int) -> Code:
        if self.protocol == 0:
            return op(b"I%d\n" % n) if -(2**31) <= n < 2**31 else op(b"L%dL\n" % n)
        if 0 <= n < 256:
            return op(b"K", u8(n))
        if 0 <= n < 65536:
            return op(b"M", u16(n))
        if -(2**31) <= n < 2**31:
            return op(b"J", i32(n))
        return long1(n) if self.protocol >= 2 else op(b"L%dL\n" % n)

    def real(self, x: float) -> Code:
        return op(b"F", repr(x).encode(), b"\n") if self.protocol == 0 else op(b"G", struct.pack(">d", x))

    def tuple(self, *items: Code) -> Code:
        if self.protocol >= 2 and 1 <= len(items) <= 3:
            return op(*items) + (TUPLE1, TUPLE2, TUPLE3)[len(items) - 1]
        if not items and self.protocol >= 1:
            return EMPTY_TUPLE
        return MARK + op(*items) + TUPLE

    def list(self, *items: Code) -> Code:
        if self.protocol == 0:
            return MARK + op(*items) + LIST
        return EMPTY_LIST + (MARK + op(*items) + APPENDS if items else b"")

    def dict(self, *pairs: tuple[Code, Code]) -> Code:
        flat = op(*(x for pair in pairs for x in pair))
        if self.protocol == 0:
            return MARK + flat + DICT
        return EMPTY_DICT + (MARK + flat + SETITEMS if pairs else b"")

    def lit(self, value: object) -> Code:
        """A Python value as opcodes; `Code` passes through."""
        if isinstance(value, Code):
            return value
        if value is None:
            return NONE
        if isinstance(value, bool):
            if self.protocol >= 2:
                return NEWTRUE if value else NEWFALSE
            return op(b"I01\n" if value else b"I00\n")
        if isinstance(value, int):
            return self.number(value)
        if isinstance(value, float):
            return self.real(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):
            return self.blob(bytes(value))
        if isinstance(value, tuple):
            return self.tuple(*map(self.lit, value))
        if isinstance(value, list):
            return self.list(*map(self.lit, value))
        if isinstance(value, dict):
            return self.dict(*((self.lit(k), self.lit(v)) for k, v in value.items()))
        raise TypeError(f"no opcodes for {type(value)}")

    # -- names and calls ------------------------------------------------------------------------------------

    def name(self, module: str, name: str) -> Code:
        """A global as this protocol writes it: GLOBAL before 4, STACK_GLOBAL from 4."""
        if self.protocol >= 4:
            return self.text(module) + self.text(name) + STACK_GLOBAL
        return glob(module, name)

    def reduce(self, function: Code, *args: object) -> Code:
        return function + self.tuple(*map(self.lit, args)) + REDUCE

    def call(self, module: str, name: str, *args: object) -> Code:
        return self.reduce(self.name(module, name), *args)

    def inst(self, module: str, name: str, *args: object) -> Code:
        return inst(module, name, *map(self.lit, args))

    def obj(self, function: Code, *args: object) -> Code:
        return MARK + function + op(*map(self.lit, args)) + OBJ

    def newobj(self, cls: Code, *args: object) -> Code:
        return cls + self.tuple(*map(self.lit, args)) + NEWOBJ

    def newobj_ex(self, cls: Code, args: tuple = (), kwargs: dict | None = None) -> Code:
        return cls + self.tuple(*map(self.lit, args)) + self.lit(kwargs or {}) + NEWOBJ_EX

    # -- whole streams --------------------------------------------------------------------------------------

    def stream(self, *body: Code) -> bytes:
        """PROTO, a FRAME when the protocol has them, the body, STOP."""
        code = op(*body) + STOP
        if self.protocol >= 4 and len(code) >= 4:
            code = frame(len(code)) + code
        return bytes(code if self.protocol < 2 else proto(self.protocol) + code)


# The call that stands for "anything at all" in cases that are about how a call is hidden, not what it calls.
COMMAND = "echo waag-inert"


def inert_call(asm: Asm) -> Code:
    return asm.call("os", "system", COMMAND)


def inert_pickle(protocol: int = 2) -> bytes:
    asm = Asm(protocol)
    return asm.stream(inert_call(asm))
