"""TensorFlow's SavedModel, GraphDef and checkpoints, written from the public protos."""

from __future__ import annotations

import json
import struct

from .protobuf import entries, entry, field, varint

FLOAT, INT32, STRING = 1, 3, 7


def shape(*sides: int) -> bytes:
    return b"".join(field(2, field(1, side)) for side in sides)


def tensor(dtype: int, sides: tuple[int, ...], content: bytes = b"", strings: tuple[bytes, ...] = ()) -> bytes:
    return field(1, dtype) + field(2, shape(*sides)) + (field(4, content) if content else b"") + field(8, *strings)


def text_constant(name: str, text: bytes | str) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return node(name, "Const", attrs={"dtype": field(6, STRING), "value": field(8, tensor(STRING, (), strings=(raw,)))})


def node(name: str, op: str, inputs: tuple[str, ...] = (), attrs: dict[str, bytes] | None = None, device: str = "") -> bytes:
    return field(1, name) + field(2, op) + field(3, *inputs) + (field(4, device) if device else b"") + entries(5, attrs or {})


def function(name: str, nodes: list[bytes]) -> bytes:
    return field(1, field(1, name)) + field(3, *nodes)


def library(*functions: bytes, gradients: tuple[tuple[str, str], ...] = ()) -> bytes:
    return field(1, *functions) + b"".join(field(2, field(1, f) + field(2, g)) for f, g in gradients)


def plain_nodes() -> list[bytes]:
    weights = tensor(FLOAT, (3, 2), struct.pack("<6f", 1, 2, 3, 4, 5, 6))
    return [node("x", "Placeholder", attrs={"dtype": field(6, FLOAT)}), node("w", "Const", attrs={"dtype": field(6, FLOAT), "value": field(8, weights)}),
            node("y", "MatMul", ("x", "w"), {"T": field(6, FLOAT)})]


def graph(nodes: list[bytes] | None = None, functions: bytes = b"", extra: bytes = b"") -> bytes:
    return field(1, *(plain_nodes() if nodes is None else nodes)) + (field(2, functions) if functions else b"") + field(4, field(1, 1087)) + extra


def saver_nodes() -> list[bytes]:
    """What tf.train.Saver adds to every graph: it writes and reads files, and every SavedModel has it."""
    return [text_constant("save/Const", "model"), node("save/MergeV2Checkpoints", "MergeV2Checkpoints", ("save/ShardedFilename", "save/Const")),
            node("save/StringJoin", "StringJoin", ("save/Const",)), node("save/ShardedFilename", "ShardedFilename", ("save/StringJoin",)),
            node("save/SaveV2", "SaveV2", ("save/ShardedFilename",)), node("save/RestoreV2", "RestoreV2", ("save/Const",)), node("save/restore_all", "NoOp", ("^save/RestoreV2",))]


def meta_graph(inner: bytes | None = None, tags: tuple[str, ...] = ("serve",), assets: tuple[str, ...] = (), objects: bytes = b"", collections: dict[str, bytes] | None = None,
               extra: bytes = b"", saver: bytes | None = None) -> bytes:
    out = field(1, field(4, *tags) + field(5, "2.18.0")) + field(2, graph() if inner is None else inner)
    if saver is not None:
        out += field(3, saver)
    out += entries(4, collections or {})
    out += entry(5, "serving_default", entry(1, "x", field(1, "x:0") + field(2, FLOAT)) + entry(2, "y", field(1, "y:0") + field(2, FLOAT)) + field(3, "tensorflow/serving/predict"))
    out += b"".join(field(6, field(1, field(1, "asset:0")) + field(2, name)) for name in assets)
    return out + (field(7, objects) if objects else b"") + extra


def saved_model(*metas: bytes, version: int = 1) -> bytes:
    return field(1, version) + field(2, *(metas or (meta_graph(),)))


def keras_metadata(config: dict, identifier: str = "_tf_keras_layer", extra: dict | None = None) -> bytes:
    metadata = json.dumps({"name": "layer", "trainable": True, "class_name": config.get("class_name"), "config": config.get("config"), **(extra or {})})
    return field(1, field(2, 1) + field(3, "root.layer-0") + field(4, identifier) + field(5, metadata) + field(6, field(1, 1) + field(2, 1)))


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def block(rows: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in rows)
    return body + struct.pack("<II", 0, 1)


def table(rows: list[tuple[bytes, bytes]]) -> bytes:
    """A LevelDB table of one block, uncompressed."""
    out = bytearray()

    def put(data: bytes) -> bytes:
        handle = varint(len(out)) + varint(len(data))
        out.extend(data + b"\0" + struct.pack("<I", masked(data + b"\0")))
        return handle

    first = put(block(rows))
    meta = put(block([]))
    index = put(block([(rows[-1][0] + b"\xff", first)]))
    return bytes(out) + (meta + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def bundle_entry(sides: tuple[int, ...], offset: int, data: bytes, dtype: int = FLOAT, size: int | None = None, shard: int = 0) -> bytes:
    crc = struct.pack("<I", masked(data))
    return (field(1, dtype) + field(2, shape(*sides)) + (field(3, shard) if shard else b"") + (field(4, offset) if offset else b"")
            + field(5, len(data) if size is None else size) + b"\x35" + crc)


def checkpoint(tensors: dict[str, tuple[tuple[int, ...], bytes]], shards: int = 1, lies: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """variables.index and variables.data-00000-of-00001."""
    rows, data = [(b"", field(1, shards) + field(3, field(1, 1)))], b""
    for name, (sides, raw) in sorted(tensors.items()):
        rows.append((name.encode(), (lies or {}).get(name) or bundle_entry(sides, len(data), raw)))
        data += raw
    return {"variables.index": table(rows), f"variables.data-00000-of-{shards:05}": data}
