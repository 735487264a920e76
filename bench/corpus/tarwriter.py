"""Tar records by hand, so that names, links and sizes can lie."""

from __future__ import annotations

BLOCK = 512


def octal(value: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def header(name: bytes, size: int, kind: bytes = b"0", link: bytes = b"", mode: int = 0o644, magic: bytes = b"ustar\x0000",
           size_field: bytes | None = None, prefix: bytes = b"", checksum: int | None = None) -> bytes:
    head = name.ljust(100, b"\0")[:100] + octal(mode, 8) + octal(0, 8) + octal(0, 8)
    head += (size_field or octal(size, 12)) + octal(0, 12)
    rest = kind + link.ljust(100, b"\0")[:100] + magic + bytes(64) + octal(0, 8) + octal(0, 8) + prefix.ljust(155, b"\0")[:155]
    total = sum(head) + 8 * 32 + sum(rest)
    return (head + b"%06o\0 " % (total if checksum is None else checksum) + rest).ljust(BLOCK, b"\0")


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def entry(name: str, data: bytes = b"", kind: bytes = b"0", link: str = "", **options: object) -> bytes:
    raw = name.encode("utf-8", "surrogateescape")
    return header(raw, len(data), kind, link.encode(), **options) + padded(data)


def pax(records: dict[str, str], kind: bytes = b"x") -> bytes:
    body = b""
    for key, value in records.items():
        tail = f" {key}={value}\n".encode()
        length = len(tail) + 1
        while len(str(length)) + len(tail) != length:
            length = len(str(length)) + len(tail)
        body += str(length).encode() + tail
    return header(b"PaxHeader", len(body), kind) + padded(body)


def long_name(name: str) -> bytes:
    raw = name.encode() + b"\0"
    return header(b"././@LongLink", len(raw), b"L", magic=b"ustar  \0") + padded(raw)


def tar_bytes(records: list[bytes], end: bool = True) -> bytes:
    return b"".join(records) + (bytes(2 * BLOCK) if end else b"")
