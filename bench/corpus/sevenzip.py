"""The smallest 7z archive: members stored, one folder, no compressed header."""

from __future__ import annotations

import struct
import zlib


def number(n: int) -> bytes:
    """7z's variable-length integer, up to 14 bits."""
    return bytes([n]) if n < 0x80 else bytes([0x80 | n >> 8, n & 0xFF])


def seven_zip(name: str, data: bytes) -> bytes:
    pack = b"\x06" + number(0) + number(1) + b"\x09" + number(len(data)) + b"\x00"
    folder = b"\x07\x0b\x01\x00" + b"\x01\x01\x00" + b"\x0c" + number(len(data)) + b"\x00"
    substreams = b"\x08\x0a\x01" + struct.pack("<I", zlib.crc32(data)) + b"\x00"
    names = b"\x00" + name.encode("utf-16-le") + b"\x00\x00"
    files = b"\x05" + number(1) + b"\x11" + number(len(names)) + names + b"\x00"
    header = b"\x01\x04" + pack + folder + substreams + b"\x00" + files + b"\x00"
    start = struct.pack("<QQI", len(data), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + data + header
