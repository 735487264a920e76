"""NumPy's .npy and joblib's interleaved arrays, written by hand."""

from __future__ import annotations

import struct

from .assembler import BUILD, NONE, Asm, Code, glob, op

a2 = Asm(2)


def npy(descr: str, shape: str, data: bytes, order: str = "False", version: tuple[int, int] = (1, 0), header: str | None = None,
        length: int | None = None) -> bytes:
    text = header if header is not None else f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    width = 2 if version[0] == 1 else 4
    raw = text.encode("utf-8" if version[0] >= 3 else "latin-1", "replace")
    raw += b" " * (-(10 - 2 + width + len(raw) + 1) % 64) + b"\n"
    size = len(raw) if length is None else length
    return b"\x93NUMPY" + bytes(version) + size.to_bytes(width, "little") + raw + data


def floats(count: int) -> bytes:
    return struct.pack(f"<{count}d", *(i / 7 for i in range(count)))


def dtype(kind: str = "f8", byteorder: str = "<") -> Code:
    made = a2.reduce(glob("numpy", "dtype"), kind, False, True)
    flags = 63 if kind.startswith("O") else 0
    return made + a2.tuple(a2.lit(3), a2.text(byteorder), NONE, NONE, NONE, a2.lit(-1), a2.lit(-1), a2.lit(flags)) + BUILD


def ndarray(shape: tuple[int, ...], data: bytes | Code, kind: str = "f8", module: str = "numpy.core.multiarray") -> Code:
    """An array inside a plain pickle, as numpy's __reduce__ writes it at protocol 2."""
    made = a2.reduce(glob(module, "_reconstruct"), glob("numpy", "ndarray"), (0,), b"b")
    return made + a2.tuple(a2.lit(1), a2.lit(shape), dtype(kind, "|" if kind.startswith("O") else "<"), a2.lit(False), a2.lit(data)) + BUILD


def wrapper(shape: tuple[int, ...], kind: str = "f8", align: int | None = 16, subclass: Code | None = None) -> Code:
    """joblib's NumpyArrayWrapper: says what raw bytes follow in the file."""
    pairs = [
        (a2.text("subclass"), subclass or glob("numpy", "ndarray")),
        (a2.text("shape"), a2.lit(shape)),
        (a2.text("order"), a2.text("C")),
        (a2.text("dtype"), dtype(kind)),
        (a2.text("allow_mmap"), a2.lit(True)),
    ]
    if align is not None:
        pairs.append((a2.text("numpy_array_alignment_bytes"), a2.lit(align)))
    return glob("joblib.numpy_pickle", "NumpyArrayWrapper") + op(b")\x81") + a2.dict(*pairs) + BUILD


def aligned(before: int, data: bytes, align: int = 16) -> bytes:
    """The padding joblib puts before raw data: its length in one byte, then that many 0xff."""
    pad = align - (before + 1) % align
    return bytes([pad]) + b"\xff" * pad + data


def joblib_dump(before: Code, arrays: list[tuple[tuple[int, ...], bytes]], after: Code, align: int | None = 16) -> bytes:
    """`before`, each array as wrapper and raw bytes, `after`."""
    out = bytearray(b"\x80\x02" + before)
    for shape, data in arrays:
        out += wrapper(shape, align=align)
        out += aligned(len(out), data, align) if align else data
    return bytes(out + after + b".")
