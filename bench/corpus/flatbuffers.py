"""FlatBuffers, written front to back from a tree of tables, so that any offset can be told to lie."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


@dataclass
class Scalar:
    code: str  # struct's letter
    value: int | float


@dataclass
class Struct:
    """A fixed structure that lies in the table itself."""

    data: bytes
    align: int = 8


@dataclass
class Text:
    value: str | bytes
    length: int | None = None  # what the length field says, if not the truth


@dataclass
class Numbers:
    code: str
    values: list[int] | bytes
    length: int | None = None
    align: int = 4


@dataclass
class Structs:
    """A vector of structures."""

    rows: list[bytes]
    align: int = 8


@dataclass
class Tables:
    items: list[object] = field(default_factory=list)  # tables, or texts


@dataclass
class Table:
    slots: dict[int, object] = field(default_factory=dict)
    offset: int | None = None  # written instead of the offset to this table


@dataclass
class At:
    """An offset that points where the writer was told, relative to its own place."""

    offset: int


INLINE = (Scalar, Struct)


class Buffer:
    def __init__(self) -> None:
        self.out = bytearray()
        self.later: list[tuple[int, object]] = []

    def pad(self, align: int, ahead: int = 0) -> None:
        while (len(self.out) + ahead) % align:
            self.out.append(0)

    def place(self, thing: object) -> int:
        """Writes one object where the buffer ends, and returns its address."""
        if isinstance(thing, Table):
            return self.table(thing)
        if isinstance(thing, Text):
            raw = thing.value.encode() if isinstance(thing.value, str) else thing.value
            return self.vector(raw + b"\0", len(raw) if thing.length is None else thing.length, 4)
        if isinstance(thing, Numbers):
            raw = thing.values if isinstance(thing.values, bytes) else b"".join(struct.pack("<" + thing.code, v) for v in thing.values)
            count = len(raw) // struct.calcsize("<" + thing.code)
            return self.vector(raw, count if thing.length is None else thing.length, max(thing.align, struct.calcsize("<" + thing.code)))
        if isinstance(thing, Structs):
            return self.vector(b"".join(thing.rows), len(thing.rows), thing.align)
        assert isinstance(thing, Tables)
        address = self.vector(bytes(4 * len(thing.items)), len(thing.items), 4)
        for i, item in enumerate(thing.items):
            self.later.append((address + 4 + 4 * i, item))
        return address

    def vector(self, raw: bytes, count: int, align: int) -> int:
        self.pad(align, 4)
        self.pad(4)
        address = len(self.out)
        self.out += struct.pack("<I", count) + raw
        return address

    def table(self, table: Table) -> int:
        count = max(table.slots, default=-1) + 1
        # The fields in order of size, the widest first, as flatc lays them out; the table begins on eight bytes.
        def width(item: object) -> int:
            return struct.calcsize("<" + item.code) if isinstance(item, Scalar) else len(item.data) if isinstance(item, Struct) else 4

        def align(item: object) -> int:
            return item.align if isinstance(item, Struct) else width(item)

        at, places = 4, {}
        for slot, item in sorted(table.slots.items(), key=lambda pair: -align(pair[1])):
            at += -at % align(item)
            places[slot] = at
            at += width(item)
        vtable = struct.pack("<HH", 4 + 2 * count, at) + b"".join(struct.pack("<H", places.get(slot, 0)) for slot in range(count))
        self.pad(8, len(vtable))
        start = len(self.out)
        self.out += vtable
        address = len(self.out)
        self.out += struct.pack("<i", address - start) + bytes(at - 4)
        for slot, item in table.slots.items():
            where = address + places[slot]
            if isinstance(item, Scalar):
                struct.pack_into("<" + item.code, self.out, where, item.value)
            elif isinstance(item, Struct):
                self.out[where : where + len(item.data)] = item.data
            else:
                self.later.append((where, item))
        return address


def flatbuffer(root: Table, identifier: bytes = b"") -> bytes:
    buffer = Buffer()
    buffer.out += bytes(4) + identifier
    buffer.later.append((0, root))
    while buffer.later:
        where, thing = buffer.later.pop(0)
        lie = thing.offset if isinstance(thing, At | Table) and thing.offset is not None else None
        if isinstance(thing, At):
            struct.pack_into("<I", buffer.out, where, thing.offset)
            continue
        address = buffer.place(thing)
        struct.pack_into("<I", buffer.out, where, address - where if lie is None else lie)
    buffer.pad(4)
    return bytes(buffer.out)
