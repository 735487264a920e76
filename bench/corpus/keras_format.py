"""Keras models: configurations, `.keras` archives, and HDF5 through h5py where it is installed."""

from __future__ import annotations

import base64
import io
import json
import marshal

from .zipwriter import DEFLATED, Member, zip_bytes

PYTHON = "lambda x: __import__('os').system('echo waag-inert')"
CODE = base64.b64encode(marshal.dumps(compile(PYTHON, "waag", "eval").co_consts[0])).decode()


def h5py() -> object | None:
    try:
        import h5py as module
    except ImportError:
        return None
    return module


def lambda_layer(code: str = CODE, name: str = "lambda", encoded: bool = False) -> dict:
    """Keras 2's Lambda: a triple of code, defaults and closure; a list in HDF5 and JSON, encoded in a SavedModel. Loaders take both everywhere."""
    return {"class_name": "Lambda", "config": {"name": name, "trainable": True, "dtype": "float32", "function": {"class_name": "__tuple__", "items": [code + "\n", None, None]} if encoded else [code + "\n", None, None],
            "function_type": "lambda", "module": "__main__", "output_shape": None, "output_shape_type": "raw", "output_shape_module": None, "arguments": {}}}


def layer(class_name: str, config: dict | None = None, module: str = "keras.layers", registered: str | None = None, **more: object) -> dict:
    return {"module": module, "class_name": class_name, "config": {"name": class_name.lower(), **(config or {})}, "registered_name": registered, **more}


def lambda3(code: str = CODE, **config: object) -> dict:
    """Keras 3's Lambda."""
    return layer("Lambda", {"trainable": True, "function": {"class_name": "__lambda__", "config": {"code": code + "\n", "defaults": None, "closure": None}}, "arguments": {}, **config})


DENSE = layer("Dense", {"name": "dense", "trainable": True, "units": 2, "activation": "relu", "use_bias": True,
              "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}, "registered_name": None}})
INPUT = layer("InputLayer", {"batch_shape": [None, 3], "dtype": "float32", "name": "input"})


def sequential(*layers: dict, **more: object) -> dict:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "trainable": True, "layers": [INPUT, *layers], "build_input_shape": [None, 3]},
            "registered_name": None, "build_config": {"input_shape": [None, 3]}, **more}


def functional(*layers: dict) -> dict:
    nodes = [dict(item, name=item["config"]["name"], inbound_nodes=[]) for item in (INPUT, *layers)]
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "functional", "trainable": True, "layers": nodes,
            "input_layers": [["input", 0, 0]], "output_layers": [[nodes[-1]["name"], 0, 0]]}, "registered_name": "Functional"}


def archive(config: dict | str | bytes, weights: bytes | None = None, more: list[Member] | None = None, metadata: dict | None = None, method: int = 0) -> bytes:
    raw = config if isinstance(config, bytes) else (config if isinstance(config, str) else json.dumps(config)).encode()
    members = [Member("metadata.json", json.dumps(metadata or {"keras_version": "3.12.0", "date_saved": "2026-01-01@00:00:00"}).encode(), method=method),
               Member("config.json", raw, method=method), Member("model.weights.h5", EMPTY if weights is None else weights, method=method)]
    return zip_bytes([*members, *(more or [])])


def deflated(config: dict) -> bytes:
    return archive(config, method=DEFLATED)


def model_h5(config: dict | str | None, attributes: dict[str, object] | None = None, fill: object = None, user_block: int = 0, **how: object) -> bytes:
    """A legacy HDF5 model; needs h5py."""
    import h5py as module
    import numpy as np

    buffer = io.BytesIO()
    with module.File(buffer, "w", userblock_size=user_block, **how) as file:
        file.attrs["keras_version"] = np.bytes_(b"2.15.0")
        file.attrs["backend"] = np.bytes_(b"tensorflow")
        if config is not None:
            file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        for name, value in (attributes or {}).items():
            file.attrs[name] = value
        group = file.create_group("model_weights/dense")
        group.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        group.create_dataset("dense/kernel:0", data=np.arange(6, dtype="f4").reshape(3, 2))
        group.create_dataset("dense/bias:0", data=np.arange(2, dtype="f4"))
        if fill:
            fill(file)
    return buffer.getvalue()


def weights_h5(fill: object = None, **how: object) -> bytes:
    """The weights of a `.keras` file; needs h5py."""
    import h5py as module
    import numpy as np

    buffer = io.BytesIO()
    with module.File(buffer, "w", **how) as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", data=np.arange(6, dtype="f4").reshape(3, 2))
        group.create_dataset("1", data=np.arange(2, dtype="f4"))
        if fill:
            fill(file)
    return buffer.getvalue()


def empty_hdf5() -> bytes:
    """The smallest HDF5 file: a superblock of version 0 and a root group with nothing in it."""
    import struct

    undefined = b"\xff" * 8
    tree, heap, header, data = 136, 680, 96, 712
    superblock = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    superblock += struct.pack("<Q", 0) + undefined + struct.pack("<Q", 800) + undefined
    superblock += struct.pack("<QQII", 0, header, 1, 0) + struct.pack("<QQ", tree, heap)
    assert len(superblock) == 96
    objects = struct.pack("<BBHII", 1, 0, 1, 1, 24) + bytes(4) + struct.pack("<HHB3x", 0x11, 16, 0) + struct.pack("<QQ", tree, heap)
    node = b"TREE" + bytes([0, 0]) + struct.pack("<H", 0) + undefined + undefined
    names = b"HEAP" + bytes(4) + struct.pack("<QQQ", 88, 8, data)
    body = bytes(8) + struct.pack("<QQ", 1, 80)
    out = bytearray(800)
    for at, part in ((0, superblock), (header, objects), (tree, node), (heap, names), (data, body)):
        out[at : at + len(part)] = part
    return bytes(out)


EMPTY = empty_hdf5()
