"""Flax's msgpack and Orbax checkpoints."""

from __future__ import annotations

import json
import struct

from .assembler import inert_pickle
from .case import Content, Link, Shelf
from .confusion import elf
from .msgpack import Ext, Pairs, Raw, array, pack

F = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
PARAMS = {"params": {"Dense_0": {"kernel": array((3, 2), "float32", F), "bias": array((2,), "float32", F[:8])}}}


def flax() -> Shelf:
    shelf = Shelf("flax", source="construction, after flax.serialization")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", name: str = "flax_model.msgpack") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    def with_leaf(leaf: object) -> bytes:
        return pack({"params": {"Dense_0": {"kernel": leaf}}})

    add("shape-larger", with_leaf(array((1000, 1000), "float32", F)), "a million elements on twenty-four bytes")
    add("shape-smaller", with_leaf(array((1,), "float32", F)), "one element on twenty-four bytes")
    add("shape-overflow", with_leaf(array((1 << 40, 1 << 40), "float32", F)), "a shape that overflows")
    add("shape-negative", with_leaf(Ext(1, pack(((-3, -2), "float32", F)))), "a negative shape")
    add("dtype-object", with_leaf(array((1,), "object", inert_pickle())), "an array of objects", "not-allow")
    add("dtype-unknown", with_leaf(array((6,), "evil", F)), "a type that does not exist")
    add("array-pickle", with_leaf(array((len(inert_pickle()),), "uint8", inert_pickle())), "a pickle as an array of bytes")
    add("array-elf", with_leaf(array((len(elf()),), "uint8", elf())), "a program as an array of bytes")
    add("bytes-pickle", with_leaf(inert_pickle()), "a pickle as bytes")
    add("bytes-elf", with_leaf(elf()), "a program as bytes")
    add("ext-unknown", with_leaf(Ext(42, b"x" * 16)), "an extension type nobody knows")
    add("ext-nested-pickle", with_leaf(Ext(99, inert_pickle())), "a pickle in an extension")
    add("ext-scalar-wrong", with_leaf(Ext(3, b"\xff")), "a scalar that is none")
    add("duplicate-key", pack(Pairs([("params", {"a": array((6,), "float32", F)}), ("params", {"b": array((6,), "float32", F)})])), "one key twice")
    add("map-count", b"\xdf\xff\xff\xff\xff" + pack("a"), "a map of four billion entries")
    add("array-count", b"\xdd\xff\xff\xff\xff" + pack(1), "an array of four billion entries")
    add("bin-length", b"\x81" + pack("params") + b"\xc6\xff\xff\xff\xff" + b"abc", "bytes of four gigabytes")
    add("deep", b"\x91" * 100_000 + b"\xc0", "arrays a hundred thousand deep")
    add("truncated", pack(PARAMS)[:-5], "the end is missing")
    add("tail-pickle", pack(PARAMS) + inert_pickle(), "a pickle behind the parameters", "deny")
    add("two-values", pack(PARAMS) + pack({"b": 1}), "a second value behind the first")
    add("reserved", b"\x81" + pack("params") + b"\xc1", "the byte that is never used")
    add("chunks-lie", pack({"w": {"__msgpack_chunked_array__": True, "shape": {"0": 1 << 40}, "chunks": {"0": array((6,), "float32", F)}}}), "a chunked array of a terabyte")
    add("key-not-text", pack(Pairs([(Raw(b"\x93\x01\x02\x03"), 1)])), "a key that is a list")
    add("named-bin", pack({"params": {"k": inert_pickle()}}), "a pickle in msgpack called .bin", name="weights.bin")
    return shelf


def flax_good() -> Shelf:
    shelf = Shelf("good-flax", source="construction, after flax.serialization")

    def add(id: str, data: bytes, why: str, name: str = "flax_model.msgpack") -> None:
        shelf.good(id, data, why, name=name)

    add("plain", pack(PARAMS), "a dense layer")
    add("state", pack({"step": 100, "opt_state": {"0": {"count": Ext(3, pack(((), "int32", b"\x64\0\0\0")))}}, **PARAMS}), "a training state")
    add("complex", pack({"c": Ext(2, pack((1.0, 2.0))), **PARAMS}), "a complex number")
    add("bfloat16", pack({"w": array((2, 2), "bfloat16", bytes(range(8)))}), "half of the bits")
    add("chunked", pack({"w": {"__msgpack_chunked_array__": True, "shape": {"0": 6}, "chunks": {"0": array((3,), "float32", F[:12]), "1": array((3,), "float32", F[12:])}}}), "an array in chunks")
    add("empty", pack({"params": {}}), "no parameters")
    add("words", pack({"params": {"eval": array((6,), "float32", F), "os.system": array((6,), "float32", F)}, "note": "never exec() this"}), "names that frighten scanners")
    add("scalar", pack({"s": array((), "float32", F[:4])}), "a scalar")
    add("zero", pack({"s": array((0, 4), "float32", b"")}), "an array without elements")
    add("nan", pack({"params": {"w": array((6,), "float32", struct.pack("<f", float("nan")) * 6)}}), "broken, but harmless: weights that are not numbers")
    try:
        import flax.serialization
        import numpy as np
    except ImportError:
        shelf.skip("flax is missing: its own files were left out")
        return shelf
    add("library", flax.serialization.to_bytes({"params": {"kernel": np.ones((3, 2), "f4"), "step": np.int32(3), "c": 1 + 2j}}), "written by flax")
    return shelf


def orbax() -> Shelf:
    shelf = Shelf("orbax", source="construction, after Orbax's layout")
    zarray = {"chunks": [3, 2], "compressor": {"id": "zstd", "level": 1}, "dtype": "<f4", "fill_value": None, "filters": None, "order": "C", "shape": [3, 2], "zarr_format": 2}
    ok = layout()

    def add(id: str, more: dict[str, bytes | Link], why: str, expect: str = "not-allow") -> None:
        content: Content = {**ok, **more}
        shelf.bad(id, content, why, name="checkpoint", expect=expect)

    # Names of functions and types in _METADATA are looked up in Orbax's own registry and never imported: no case.
    add("pickle", {"state.pkl": inert_pickle()}, "a pickle beside the arrays", "deny")
    add("pickle-in-d", {"d/0badcafe": inert_pickle()}, "a pickle among the data", "deny")
    add("aggregate-pickle", {"checkpoint": inert_pickle()}, "a pickle in place of the aggregate", "deny")
    add("zarray-object", {"params.kernel/.zarray": js({**zarray, "dtype": "|O", "filters": [{"id": "pickle"}]})}, "an array of pickled objects", "deny")
    add("zarray-path", {"params.kernel/.zarray": js({**zarray, "shape": [1 << 40, 1 << 20]})}, "an array of a quintillion elements")
    add("kvstore-path", {"params.kernel/.zarray": js(zarray), "spec.json": js({"driver": "zarr", "kvstore": {"driver": "file", "path": "/etc/"}})}, "a store that reads elsewhere")
    add("python", {"restore.py": b"import os\nos.system('echo waag-inert')\n"}, "Python beside the arrays")
    add("symlink", {"params.kernel/0.0": Link("/etc/passwd")}, "a chunk that is a link")
    add("elf", {"d/tool": elf()}, "a program among the data", "deny")
    return shelf


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def metadata(value_type: str = "jax.Array") -> bytes:
    return js({"tree_metadata": {"('params', 'kernel')": {"key_metadata": [{"key": "params", "key_type": 2}, {"key": "kernel", "key_type": 2}], "value_metadata": {"value_type": value_type, "skip_deserialize": False}}},
               "use_zarr3": False})


def layout() -> dict[str, bytes | Link]:
    return {"_METADATA": metadata(), "_CHECKPOINT_METADATA": js({"item_handlers": "orbax.checkpoint._src.handlers.pytree_checkpoint_handler.PyTreeCheckpointHandler", "init_timestamp_nsecs": 1, "commit_timestamp_nsecs": 2}),
            "params.kernel/.zarray": js({"chunks": [3, 2], "compressor": None, "dtype": "<f4", "fill_value": None, "filters": None, "order": "C", "shape": [3, 2], "zarr_format": 2}), "params.kernel/0.0": F}


def orbax_good() -> Shelf:
    shelf = Shelf("good-orbax", source="construction, after Orbax's layout")
    shelf.good("plain", layout(), "one array", name="checkpoint")
    shelf.good("aggregate", {**layout(), "checkpoint": pack(PARAMS)}, "one array, and the aggregate in msgpack", name="checkpoint")
    return shelf
