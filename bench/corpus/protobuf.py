"""Protocol Buffers' wire format, written field by field."""

from __future__ import annotations

import struct


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1  # negative numbers are written as sixty-four bits
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def key(field: int, wire: int) -> bytes:
    return varint(field << 3 | wire)


def field(number: int, *values: bytes | str | int | float | None) -> bytes:
    """Each value as one occurrence of the field; None is left out."""
    out = b""
    for value in values:
        if value is None:
            continue
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        if isinstance(value, bool | int):
            out += key(number, 0) + varint(int(value))
        elif isinstance(value, float):
            out += key(number, 5) + struct.pack("<f", value)
        else:
            out += key(number, 2) + varint(len(value)) + value
    return out


def double(number: int, value: float) -> bytes:
    return key(number, 1) + struct.pack("<d", value)


def packed(number: int, values: list[int]) -> bytes:
    return field(number, b"".join(varint(v) for v in values)) if values else b""


def entry(number: int, name: str, value: bytes | str | int) -> bytes:
    """One entry of a map<string, …>."""
    return field(number, field(1, name) + field(2, value))


def entries(number: int, items: dict[str, bytes]) -> bytes:
    return b"".join(entry(number, name, value) for name, value in items.items())
