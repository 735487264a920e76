"""Writers of safetensors and GGUF whose every field can be told to lie."""

from __future__ import annotations

import json
import struct

from .torch_format import weights


def safetensors(header: str | dict, data: bytes = b"", length: int | None = None, pad: bool = True) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header, separators=(",", ":"))
    raw = text.encode("utf-8", "surrogatepass")
    if pad:
        raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def plain_safetensors(metadata: dict | None = None, tensors: dict[str, list[int]] | None = None, dtype: str = "F32") -> bytes:
    header: dict = {"__metadata__": metadata} if metadata is not None else {}
    at, width = 0, {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "BOOL": 1, "F64": 8, "I8": 1, "F8_E4M3": 1}[dtype]
    for name, shape in (tensors or {"weight": [4, 3], "bias": [4]}).items():
        size = width
        for side in shape:
            size *= side
        header[name] = tensor(shape, at, at + size, dtype)
        at += size
    return safetensors(header, weights(at))


U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PACK = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B", U64: "<Q", I64: "<q", F64: "<d"}


def string(text: str | bytes, length: int | None = None, width: str = "<Q") -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack(width, len(raw) if length is None else length) + raw


def value(kind: int, item: object, width: str = "<Q") -> bytes:
    if isinstance(item, bytes):  # already encoded
        return item
    if kind == STRING:
        return string(item, width=width)  # type: ignore[arg-type]
    if kind == ARRAY:
        inner, items = item  # type: ignore[misc]
        return struct.pack("<I", inner) + struct.pack(width, len(items)) + b"".join(value(inner, i, width) for i in items)
    return struct.pack(PACK[kind], item)


def pair(key: str | bytes, kind: int, item: object, width: str = "<Q") -> bytes:
    return string(key, width=width) + struct.pack("<I", kind) + value(kind, item, width)


def info(name: str, dims: list[int], offset: int, kind: int = 0, width: str = "<Q", count: int | None = None) -> bytes:
    out = string(name, width=width) + struct.pack("<I", len(dims) if count is None else count)
    return out + b"".join(struct.pack(width, d) for d in dims) + struct.pack("<IQ", kind, offset)


def gguf(pairs: list[bytes], infos: list[bytes] | None = None, data: bytes = b"", version: int = 3, tensors: int | None = None,
         count: int | None = None, align: int = 32, magic: bytes = b"GGUF", pad: bool = True) -> bytes:
    width = "<I" if version == 1 else "<Q"
    infos = infos or []
    out = magic + struct.pack("<I", version)
    out += struct.pack(width, len(infos) if tensors is None else tensors) + struct.pack(width, len(pairs) if count is None else count)
    out += b"".join(pairs) + b"".join(infos)
    if pad:
        out += bytes(-len(out) % align)
    return out + data


def architecture(name: str = "llama", width: str = "<Q") -> list[bytes]:
    return [
        pair("general.architecture", STRING, name, width),
        pair("general.name", STRING, "waag test model", width),
        pair(f"{name}.context_length", U32, 2048, width),
        pair(f"{name}.embedding_length", U32, 32, width),
        pair(f"{name}.block_count", U32, 1, width),
        pair("general.file_type", U32, 0, width),
    ]


def model_gguf(template: str | None = None, version: int = 3, extra: list[bytes] | None = None, keys: str = "tokenizer.chat_template") -> bytes:
    width = "<I" if version == 1 else "<Q"
    pairs = architecture(width=width)
    pairs += [
        pair("tokenizer.ggml.model", STRING, "llama", width),
        pair("tokenizer.ggml.tokens", ARRAY, (STRING, ["<unk>", "<s>", "</s>", "hello", "world"]), width),
        pair("tokenizer.ggml.scores", ARRAY, (F32, [0.0, 0.0, 0.0, -1.0, -2.0]), width),
        pair("tokenizer.ggml.token_type", ARRAY, (I32, [2, 3, 3, 1, 1]), width),
        pair("tokenizer.ggml.bos_token_id", U32, 1, width),
    ]
    if template is not None:
        pairs.append(pair(keys, STRING, template, width))
    infos = [info("token_embd.weight", [32, 5], 0, width=width), info("output_norm.weight", [32], 640, width=width)]
    return gguf(pairs + (extra or []), infos, weights(640) + weights(128), version)
