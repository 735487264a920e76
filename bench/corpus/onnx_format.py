"""ONNX models, written from the public onnx.proto."""

from __future__ import annotations

import struct

from .protobuf import field, packed

FLOAT, UINT8, INT8, INT64, STRING = 1, 2, 3, 7, 8


def pair(key: str, value: str) -> bytes:
    return field(1, key) + field(2, value)


def tensor(name: str, dims: list[int], raw: bytes | None, kind: int = FLOAT, external: dict[str, str] | None = None,
           strings: list[bytes] | None = None, extra: bytes = b"", location: int | None = None) -> bytes:
    out = packed(1, dims) + field(2, kind) + field(6, *(strings or [])) + field(8, name)
    if raw is not None:
        out += field(9, raw)
    for key, value in (external or {}).items():
        out += field(13, pair(key, value))
    if external is not None or location is not None:
        out += field(14, 1 if location is None else location)
    return out + extra


def floats(count: int, start: float = 0.5) -> bytes:
    return struct.pack(f"<{count}f", *[start + i / 8 for i in range(count)])


def attribute(name: str, value: object, kind: int | None = None, extra: bytes = b"") -> bytes:
    """A number, a text or bytes, or (field number, type, bytes) for the rarer kinds."""
    out = field(1, name)
    if isinstance(value, tuple):
        number, kind, data = value
        return out + field(number, data) + field(20, kind) + extra
    if isinstance(value, float):
        return out + field(2, value) + field(20, kind or 1) + extra
    if isinstance(value, int):
        return out + field(3, value) + field(20, kind or 2) + extra
    if isinstance(value, list):
        return out + b"".join(field(8, v) for v in value) + field(20, kind or 7) + extra
    return out + field(4, value) + field(20, kind or 3) + extra


def subgraph(name: str, inner: bytes) -> bytes:
    return attribute(name, (6, 5, inner))


def node(op: str, inputs: list[str], outputs: list[str], attributes: list[bytes] | None = None, domain: str = "", name: str = "", doc: str = "") -> bytes:
    return (field(1, *inputs) + field(2, *outputs) + field(3, name or op.lower() + "_0") + field(4, op) + field(5, *(attributes or []))
            + (field(6, doc) if doc else b"") + (field(7, domain) if domain else b""))


def value(name: str, dims: list[int | str], kind: int = FLOAT) -> bytes:
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def graph(nodes: list[bytes] | None = None, initializers: list[bytes] | None = None, name: str = "main", doc: str = "", extra: bytes = b"",
          inputs: list[bytes] | None = None, outputs: list[bytes] | None = None) -> bytes:
    nodes = [node("MatMul", ["x", "w"], ["y"])] if nodes is None else nodes
    initializers = [tensor("w", [3, 2], floats(6))] if initializers is None else initializers
    return (field(1, *nodes) + field(2, name) + field(5, *initializers) + (field(10, doc) if doc else b"")
            + field(11, *(inputs if inputs is not None else [value("x", ["N", 3])])) + field(12, *(outputs if outputs is not None else [value("y", ["N", 2])])) + extra)


def model(inner: bytes | None = None, opsets: list[tuple[str, int]] | None = None, metadata: dict[str, str] | None = None, functions: list[bytes] | None = None,
          producer: str = "waag", doc: str = "", ir: int = 8, extra: bytes = b"") -> bytes:
    out = field(1, ir) + field(2, producer) + field(3, "1.0") + (field(6, doc) if doc else b"")
    out += field(7, graph() if inner is None else inner)
    out += b"".join(field(8, field(1, domain) + field(2, version)) for domain, version in opsets or [("", 17)])
    out += b"".join(field(14, pair(k, v)) for k, v in (metadata or {}).items())
    return out + field(25, *(functions or [])) + extra


def function(domain: str, name: str, nodes: list[bytes], overload: str = "") -> bytes:
    return (field(1, name) + field(4, "a") + field(5, "b") + field(7, *nodes) + field(9, field(1, "") + field(2, 17)) + field(10, domain)
            + (field(13, overload) if overload else b""))
