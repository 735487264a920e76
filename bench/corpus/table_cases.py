"""Parquet and Arrow: extension types that readers turn into objects, pickles in metadata, sizes that lie."""

from __future__ import annotations

import struct

from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf
from .flatbuffers import Scalar, Structs, Table, Tables, Text, flatbuffer

PICKLE = inert_pickle()


# --- Arrow IPC ---------------------------------------------------------------------------------------------------


def arrow_schema(metadata: dict[str, bytes] | None = None, field_metadata: dict[str, bytes] | None = None) -> Table:
    def pairs(items: dict[str, bytes]) -> Tables:
        return Tables([Table({0: Text(k), 1: Text(v)}) for k, v in items.items()])

    number = Table({0: Text("x"), 1: Scalar("B", 1), 2: Scalar("B", 2), 3: Table({0: Scalar("i", 32), 1: Scalar("B", 1)}), 5: Tables([]), **({6: pairs(field_metadata)} if field_metadata else {})})
    return Table({0: Scalar("h", 0), 1: Tables([number]), **({2: pairs(metadata)} if metadata else {})})


def message(kind: int, header: Table, body: int = 0) -> bytes:
    data = flatbuffer(Table({0: Scalar("h", 4), 1: Scalar("B", kind), 2: header, 3: Scalar("q", body)}))
    data += bytes(-(len(data) + 8) % 8)
    return b"\xff\xff\xff\xff" + struct.pack("<i", len(data)) + data


def arrow(metadata: dict[str, bytes] | None = None, field_metadata: dict[str, bytes] | None = None, rows: int = 3, length: int | None = None, stream: bool = False, body: bytes | None = None) -> bytes:
    values = struct.pack("<4i", 1, 2, 3, 0) if body is None else body
    batch = Table({0: Scalar("q", rows), 1: Structs([struct.pack("<qq", rows, 0)]), 2: Structs([struct.pack("<qq", 0, 0), struct.pack("<qq", 0, 12 if length is None else length)])})
    first, second = message(1, arrow_schema(metadata, field_metadata)), message(3, batch, len(values))
    end = b"\xff\xff\xff\xff\0\0\0\0"
    if stream:
        return first + second + values + end
    at = 8 + len(first)
    block = struct.pack("<qi4xq", at, len(second), len(values))
    footer = flatbuffer(Table({0: Scalar("h", 4), 1: arrow_schema(metadata, field_metadata), 2: Structs([]), 3: Structs([block])}))
    return b"ARROW1\0\0" + first + second + values + end + footer + struct.pack("<i", len(footer)) + b"ARROW1"


# --- Parquet (Thrift's compact protocol) -------------------------------------------------------------------------


def zigzag(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63) & ((1 << 64) - 1)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def count(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12


def thrift(fields: list[tuple[int, int, object]]) -> bytes:
    """(id, kind, value); a list's value is (kind, items)."""
    out, last = b"", 0
    for number, kind, value in fields:
        out += bytes([(number - last) << 4 | kind])
        last = number
        out += element(kind, value)
    return out + b"\0"


def element(kind: int, value: object) -> bytes:
    if kind in (I32, I64):
        return zigzag(value)  # type: ignore[arg-type]
    if kind == BINARY:
        raw = value if isinstance(value, bytes) else str(value).encode()
        return count(len(raw)) + raw
    if kind == LIST:
        inner, items = value  # type: ignore[misc]
        return (bytes([len(items) << 4 | inner]) if len(items) < 15 else bytes([0xF0 | inner]) + count(len(items))) + b"".join(element(inner, i) for i in items)
    assert isinstance(value, bytes)
    return value


def parquet(metadata: dict[str, bytes] | None = None, values: bytes = struct.pack("<3i", 1, 2, 3), rows: int = 3, size: int | None = None, offset: int = 4) -> bytes:
    page = thrift([(1, I32, 0), (2, I32, len(values) if size is None else size), (3, I32, len(values)), (5, STRUCT, thrift([(1, I32, rows), (2, I32, 0), (3, I32, 3), (4, I32, 3)]))]) + values
    root = thrift([(4, BINARY, "schema"), (5, I32, 1)])
    leaf = thrift([(1, I32, 1), (3, I32, 0), (4, BINARY, "x")])
    column = thrift([(1, I32, 1), (2, LIST, (I32, [0])), (3, LIST, (BINARY, ["x"])), (4, I32, 0), (5, I64, rows), (6, I64, len(page)), (7, I64, len(page)), (9, I64, offset)])
    group = thrift([(1, LIST, (STRUCT, [thrift([(2, I64, 0), (3, STRUCT, column)])])), (2, I64, len(page)), (3, I64, rows)])
    pairs = [thrift([(1, BINARY, k), (2, BINARY, v)]) for k, v in (metadata or {}).items()]
    footer = thrift([(1, I32, 1), (2, LIST, (STRUCT, [root, leaf])), (3, I64, rows), (4, LIST, (STRUCT, [group])), *([(5, LIST, (STRUCT, pairs))] if pairs else []), (6, BINARY, "waag")])
    return b"PAR1" + page + footer + struct.pack("<I", len(footer)) + b"PAR1"


EXTENSION = {"ARROW:extension:name": b"arrow.py_extension_type", "ARROW:extension:metadata": PICKLE}


def bad() -> Shelf:
    shelf = Shelf("tables", source="construction, after Arrow's and Parquet's specifications")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", name: str = "data.arrow", source: str | None = None) -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    for id, data, name in (("file", arrow(field_metadata=EXTENSION), "data.arrow"), ("stream", arrow(field_metadata=EXTENSION, stream=True), "data.arrows"), ("feather", arrow(field_metadata=EXTENSION), "data.feather"), ("ipc", arrow(field_metadata=EXTENSION), "data.ipc"), ("bin", arrow(field_metadata=EXTENSION), "data.bin")):
        add(f"arrow-extension-{id}", data, f"a pickled extension type, which pyarrow loads ({id})", "deny", name, "cve-2023-47248")
    add("arrow-extension-unknown", arrow(field_metadata={"ARROW:extension:name": b"waag.evil", "ARROW:extension:metadata": PICKLE}), "a pickle as an unknown extension's metadata")
    add("arrow-metadata-pickle", arrow({"blob": PICKLE}), "a pickle in the metadata")
    add("arrow-body-beyond", arrow(length=1 << 40), "a column behind the file")
    add("arrow-rows", arrow(rows=1 << 40), "a trillion rows on twelve bytes")
    add("arrow-tail", arrow() + PICKLE, "a pickle behind the table")
    add("arrow-truncated", arrow()[:-20], "the end is missing")
    schema = parquet_schema(EXTENSION)
    add("parquet-extension", parquet({"ARROW:schema": schema}), "a pickled extension type in Parquet's copy of the schema", "deny", "data.parquet", "cve-2023-47248")
    add("parquet-metadata-pickle", parquet({"blob": PICKLE}), "a pickle in the metadata", name="data.parquet")
    # Metadata of pandas is never given to jsonpickle: no case.
    add("parquet-page-size", parquet(size=1 << 30), "a page of a gigabyte", name="data.parquet")
    add("parquet-offset", parquet(offset=1 << 40), "a column behind the file", name="data.parquet")
    add("parquet-rows", parquet(rows=1 << 30), "a billion rows on twelve bytes", name="data.parquet")
    add("parquet-footer", parquet()[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1", "a footer of two gigabytes", name="data.parquet")
    add("parquet-encrypted", parquet()[:-4] + b"PARE", "an encrypted footer", name="data.parquet")
    add("parquet-tail", parquet() + elf(), "a program behind the table", name="data.parquet")
    return shelf


def parquet_schema(extension: dict[str, bytes] | None) -> bytes:
    import base64

    return base64.b64encode(message(1, arrow_schema(field_metadata=extension)))


def good() -> Shelf:
    shelf = Shelf("good-tables", source="construction, after Arrow's and Parquet's specifications")

    def add(id: str, data: bytes, why: str, name: str) -> None:
        shelf.good(id, data, why, name=name)

    add("arrow", arrow(), "a table", "data.arrow")
    add("arrow-stream", arrow(stream=True), "a stream", "data.arrows")
    add("arrow-datasets", arrow({"huggingface": b'{"info": {"features": {"x": {"dtype": "int32", "_type": "Value"}}}}'}), "a table of datasets", "data-00000-of-00001.arrow")
    add("arrow-words", arrow({"note": b"never eval() this; os.system is a word"}), "words that frighten scanners", "data.arrow")
    add("parquet", parquet(), "a table", "train.parquet")
    add("parquet-schema", parquet({"ARROW:schema": parquet_schema(None), "huggingface": b'{"info": {}}'}), "a table with Arrow's schema", "train-00000-of-00001.parquet")
    try:
        import io

        import pyarrow as pa
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError:
        shelf.skip("pyarrow is missing: its own tables were left out")
        return shelf
    table = pa.table({"x": [1, 2, 3], "word": ["eval", "os.system", None], "list": [[1.0], [], [2.0, 3.0]]})
    for id, write, name in (("parquet", lambda f: pa.parquet.write_table(table, f), "train.parquet"), ("parquet-zstd", lambda f: pa.parquet.write_table(table, f, compression="zstd"), "train.parquet"),
                            ("feather", lambda f: pa.feather.write_feather(table, f), "train.feather")):
        buffer = io.BytesIO()
        write(buffer)
        add(f"library-{id}", buffer.getvalue(), "written by pyarrow", name)
    return shelf


