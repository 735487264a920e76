"""A zip writer in which the local header, the central directory and the end record can each tell another story."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .assembler import u16, u32, u64

LOCAL, CENTRAL, END, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
STORED, DEFLATED = 0, 8
DATE, TIME = 0x21, 0  # 1980-01-01: the same bytes every time


@dataclass
class Member:
    name: str
    data: bytes
    method: int = STORED
    flags: int = 0
    # Written the way torch's writer (miniz) does: sizes 0 in the local header, data aligned to 64 bytes, and a
    # data descriptor behind the data.
    torch: bool = False
    in_central: bool = True
    in_local: bool = True
    local_name: str | None = None
    local_flags: int | None = None
    local_method: int | None = None
    local_crc: int | None = None
    local_size: int | None = None
    local_packed: int | None = None
    central_flags: int | None = None
    central_method: int | None = None
    central_crc: int | None = None
    central_size: int | None = None
    central_packed: int | None = None
    central_offset: int | None = None
    central_extra: bytes = b""
    local_extra: bytes = b""
    external: int = 0
    copies: int = 1  # central entries for the one local record
    raw: bytes | None = None  # what is stored, if not what `method` makes of `data`
    gap_before: bytes = b""


def pick(override: int | None, honest: int) -> int:
    return honest if override is None else override


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def zip_bytes(
    members: list[Member],
    comment: bytes = b"",
    prefix: bytes = b"",
    before_central: bytes = b"",
    tail: bytes = b"",
    count: int | None = None,
    central_offset_shift: int = 0,
    offsets_include_prefix: bool = True,
    zip64_end: bool = False,
    end_size: int | None = None,
) -> bytes:
    out = bytearray(prefix)
    base = 0 if offsets_include_prefix else len(prefix)
    central = bytearray()
    entries = 0
    for m in members:
        packed = m.raw if m.raw is not None else (deflate(m.data) if m.method == DEFLATED else m.data)
        crc, size = zlib.crc32(m.data), len(m.data)
        flags = m.flags | (0x0808 if m.torch else 0)
        out += m.gap_before
        offset = len(out) - base
        if m.in_local:
            local_name = encode(m.local_name if m.local_name is not None else m.name)
            extra = m.local_extra
            if m.torch:
                pad = -(offset + 30 + len(local_name) + 4) % 64
                extra = b"FB" + u16(pad) + b"Z" * pad
            hide = m.torch and bool(m.data)
            out += LOCAL + struct.pack(
                "<HHHHHIIIHH",
                0 if m.torch else 20,
                pick(m.local_flags, flags),
                pick(m.local_method, m.method),
                TIME,
                DATE,
                pick(m.local_crc, 0 if hide else crc),
                pick(m.local_packed, 0 if hide else len(packed)),
                pick(m.local_size, 0 if hide else size),
                len(local_name),
                len(extra),
            )
            out += local_name + extra + packed
            if hide:
                out += DESCRIPTOR + struct.pack("<III", crc, len(packed), size)
        for _ in range(m.copies if m.in_central else 0):
            name = encode(m.name)
            entries += 1
            central += CENTRAL + struct.pack(
                "<HHHHHHIIIHHHHHII",
                0x031E if m.external else 0,
                0 if m.torch else 20,
                pick(m.central_flags, flags),
                pick(m.central_method, m.method),
                TIME,
                DATE,
                pick(m.central_crc, crc),
                pick(m.central_packed, len(packed)),
                pick(m.central_size, size),
                len(name),
                len(m.central_extra),
                0,
                0,
                0,
                m.external,
                pick(m.central_offset, offset),
            )
            central += name + m.central_extra
    out += before_central
    start = len(out) - base + central_offset_shift
    out += central
    entries = pick(count, entries)
    if zip64_end:
        where = len(out) - base
        out += b"PK\x06\x06" + u64(44) + struct.pack("<HHIIQQQQ", 45, 45, 0, 0, entries, entries, len(central), start)
        out += b"PK\x06\x07" + u32(0) + u64(where) + u32(1)
        out += END + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment)) + comment
    else:
        out += END + struct.pack("<HHHHIIH", 0, 0, entries, entries, pick(end_size, len(central)), start, len(comment)) + comment
    return bytes(out + tail)
