"""MessagePack, and Flax's extension types, by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass
class Ext:
    code: int
    data: bytes


@dataclass
class Raw:
    data: bytes


class Pairs(list):
    """A map given as a list of pairs: keys may be said twice."""


def head(small: tuple[int, int] | None, wide: tuple[int | None, int, int], count: int) -> bytes:
    if small and count <= small[1]:
        return bytes([small[0] | count])
    for code, fmt in zip(wide, ("B", "H", "I"), strict=True):
        if code is not None and count < 1 << (8 * struct.calcsize(fmt)):
            return bytes([code]) + struct.pack(">" + fmt, count)
    raise ValueError("too long")


def pack(value: object) -> bytes:
    if isinstance(value, Raw):
        return value.data
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return b"\xcf" + struct.pack(">Q", value) if value >= 0 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode()
        return head((0xA0, 31), (0xD9, 0xDA, 0xDB), len(raw)) + raw
    if isinstance(value, bytes):
        return head(None, (0xC4, 0xC5, 0xC6), len(value)) + value
    if isinstance(value, Ext):
        return head(None, (0xC7, 0xC8, 0xC9), len(value.data)) + struct.pack("b", value.code) + value.data
    if isinstance(value, Pairs):
        return head((0x80, 15), (None, 0xDE, 0xDF), len(value)) + b"".join(pack(k) + pack(v) for k, v in value)
    if isinstance(value, dict):
        return pack(Pairs(value.items()))
    assert isinstance(value, list | tuple)
    return head((0x90, 15), (None, 0xDC, 0xDD), len(value)) + b"".join(pack(v) for v in value)


def array(shape: tuple[int, ...], dtype: str, data: bytes) -> Ext:
    """An array the way flax.serialization writes it."""
    return Ext(1, pack((shape, dtype, data)))
