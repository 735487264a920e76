"""Writes weights into files of every container with other people's programs (NumPy, h5py, safetensors, CPython's pickler
and zipfile), and what the roots of their tensors have to be, made from NumPy's arrays alone.

    python3 files.py FOLDER

leaves the files and roots.json, {file: root}. Where a library would be needed that is too large to install for a test,
its format is written here from its specification: PyTorch's and Flax's containers, and GGUF.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save_file

DTYPES = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64", "int32": "I32", "int16": "I16",
          "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL",
          "complex64": "C64"}
roots: dict[str, str] = {}


def root(tensors: dict[str, tuple[str, np.ndarray]]) -> str:
    lines = []
    for name, (dtype, array) in tensors.items():
        dense = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
        shape = ",".join(map(str, array.shape))
        name = name.replace("\\", "\\\\").replace("\n", "\\n")
        lines.append(f"{hashlib.sha256(dense).hexdigest()}  {dtype} [{shape}] {name}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def plain(arrays: dict[str, np.ndarray]) -> dict[str, tuple[str, np.ndarray]]:
    return {name: (DTYPES[array.dtype.name], array) for name, array in arrays.items()}


def expect(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    roots[path.name] = root(tensors)


# ---- PyTorch: its pickles, by CPython's pickler and stand-ins of the same names.

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules |= {"torch": torch, "torch._utils": utils}


def stand_in(module: types.ModuleType, name: str) -> None:
    def function(*_arguments):
        raise NotImplementedError

    function.__module__, function.__name__, function.__qualname__ = module.__name__, name, name
    setattr(module, name, function)


for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_qtensor"):
    stand_in(utils, name)
STORAGES = {"float32": "FloatStorage", "float64": "DoubleStorage", "float16": "HalfStorage", "int64": "LongStorage",
            "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
            "bool": "BoolStorage", "complex64": "ComplexFloatStorage"}
NEW = {"uint16": "uint16", "uint32": "uint32", "uint64": "uint64"}
for name in [*STORAGES.values(), "BFloat16Storage", "UntypedStorage"]:
    setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))


class Constant:
    """Something that is pickled as a name."""

    def __init__(self, name: str):
        self.name = name
        setattr(torch, name, self)

    def __reduce__(self) -> str:
        return self.name

    __module__ = "torch"


for name in ("uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2"):
    Constant(name).__module__ = "torch"


class Storage:
    def __init__(self, array: np.ndarray, kind: str):
        self.array, self.kind = array, kind

    def count(self) -> int:
        return self.array.nbytes if self.kind == "UntypedStorage" else self.array.size


class Tensor:
    """A view of a storage, pickled as PyTorch does."""

    def __init__(self, base: np.ndarray, view: np.ndarray | None = None, kind: str | None = None, dtype: str | None = None,
                 parameter: bool = False, storage: Storage | None = None, named: str | None = None):
        view = base if view is None else view
        self.view, self.parameter = view, parameter
        self.dtype = dtype or (None if kind else NEW.get(view.dtype.name))
        kind = "UntypedStorage" if self.dtype else kind or STORAGES[view.dtype.name]
        self.storage = storage or Storage(base, kind)
        start = view.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        self.offset, self.stride = start // view.itemsize, tuple(step // view.itemsize for step in view.strides)
        self.named = named or DTYPES[view.dtype.name]

    def __reduce__(self):
        arguments = (self.storage, self.offset, self.view.shape, self.stride, False, OrderedDict())
        if self.dtype:
            return utils._rebuild_tensor_v3, (*arguments, getattr(torch, self.dtype))
        if self.parameter:
            inner = Tensor(self.storage.array, self.view, storage=self.storage, kind=self.storage.kind)
            return utils._rebuild_parameter, (inner, True, OrderedDict())
        return utils._rebuild_tensor_v2, arguments


class Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, is_legacy: bool):
        super().__init__(out, 2)
        self.keys: dict[int, str] = {}
        self.storages: dict[str, Storage] = {}
        self.is_legacy = is_legacy

    def persistent_id(self, value: object):
        if not isinstance(value, Storage):
            return None
        key = self.keys.setdefault(id(value), str(len(self.keys)))
        self.storages[key] = value
        identity = ("storage", getattr(torch, value.kind), key, "cpu", value.count())
        return (*identity, None) if self.is_legacy else identity


def pickled(value: object, is_legacy: bool) -> tuple[bytes, dict[str, Storage]]:
    out = io.BytesIO()
    pickler = Pickler(out, is_legacy)
    pickler.dump(value)
    return out.getvalue(), pickler.storages


def torch_zip(path: Path, value: object, big: bool = False) -> None:
    data, storages = pickled(value, False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "big" if big else "little")
        for key, storage in storages.items():
            array = storage.array.byteswap() if big else storage.array
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")


def torch_legacy(path: Path, value: object) -> None:
    data, storages = pickled(value, True)
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as out:
        for part in (0x1950A86A20F9469CFC6C, 1001, info):
            pickle.dump(part, out, 2)
        out.write(data)
        pickle.dump(sorted(storages, reverse=True), out, 2)
        for key in sorted(storages, reverse=True):
            out.write(struct.pack("<q", storages[key].count()) + storages[key].array.tobytes())


# ---- Flax: MessagePack with types of its own.

def pack(value: object) -> bytes:
    """The shortest form of each value that is needed here, as the msgpack library writes it."""
    match value:
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return bytes([value]) if value < 0x80 else struct.pack(">BH", 0xCD, value)
        case str():
            text = value.encode()
            return (bytes([0xA0 | len(text)]) if len(text) < 32 else struct.pack("BB", 0xD9, len(text))) + text
        case bytes():
            return struct.pack("BB", 0xC4, len(value)) + value
        case dict():
            return bytes([0x80 | len(value)]) + b"".join(pack(key) + pack(item) for key, item in value.items())
        case list() | tuple():
            return bytes([0x90 | len(value)]) + b"".join(map(pack, value))
        case np.ndarray():
            body = pack((value.shape, value.dtype.name, value.tobytes()))
            return struct.pack("BBB", 0xC7, len(body), 1) + body
    raise TypeError(value)


# ---- GGUF.

def gguf(path: Path, arrays: dict[str, np.ndarray]) -> None:
    kinds, align = {"float32": 0, "float16": 1, "int8": 24, "int32": 26}, 32
    head, data = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), 0), b""
    for name, array in arrays.items():
        head += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *reversed(array.shape))
        head += struct.pack("<IQ", kinds[array.dtype.name], len(data))
        data += array.tobytes() + b"\0" * (-array.nbytes % align)
    path.write_bytes(head + b"\0" * (-len(head) % align) + data)


def main(folder: Path) -> None:
    random = np.random.default_rng(7)

    def some(dtype: str, *shape: int) -> np.ndarray:
        if dtype == "complex64":
            return (random.normal(size=shape) + 1j * random.normal(size=shape)).astype(dtype)
        return (random.normal(size=shape) * 50).astype(dtype) if dtype != "bool" else random.normal(size=shape) > 0

    everything = {f"layer.{dtype}": some(dtype, 3, 5) for dtype in DTYPES} | {
        "scalar": np.array(2.5, "float32"), "empty": np.zeros((0, 4), "float32")}

    path = folder / "plain.safetensors"
    arrays = {name: array for name, array in everything.items() if array.dtype.name != "complex64"}
    arrays["näme \\ with\nlines"] = some("int8", 2)
    save_file(arrays, path)
    expect(path, plain(arrays))

    path = folder / "array.npy"
    np.save(path, everything["layer.float32"])
    expect(path, plain({"tensor": everything["layer.float32"]}))
    for path, save in ((folder / "arrays.npz", np.savez), (folder / "deflated.npz", np.savez_compressed)):
        arrays = everything | {"fortran": np.asfortranarray(some("float64", 4, 3, 2)), "big": some("int32", 7).astype(">i4"),
                               "big-complex": some("complex64", 3).astype(">c8"), "odd/name": some("uint8", 300_000)}
        save(path, **arrays, words=np.array(["left", "out"]))
        expect(path, plain(arrays))

    path = folder / "weights.h5"
    arrays = {"model/dense/kernel": some("float32", 40, 30), "model/dense/bias": some("float16", 30), "flags": some("bool", 9),
              "big": some("float64", 3, 3).astype(">f8"), "chunked": some("float32", 70, 33, 3), "count": np.array(4, "int64"),
              "shuffled": some("int32", 1000)}
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            options = {"chunked": {"chunks": (16, 20, 2), "compression": "gzip"},
                       "shuffled": {"chunks": (64,), "compression": "gzip", "shuffle": True, "fletcher32": True}}
            file.create_dataset(name, data=array, **options.get(name, {}))
        file["again"] = file["flags"]
        file.create_dataset("words", data=["left", "out"])
    expect(path, plain(arrays | {"again": arrays["flags"]}))
    with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", path.read_bytes())
    roots["model.keras"] = roots["weights.h5"]

    path = folder / "flax.msgpack"
    flat = some("float32", 2, 6)
    pieces = {"__msgpack_chunked_array__": True, "shape": {"0": 2, "1": 6},
              "chunks": {"0": flat.reshape(-1)[:5], "1": flat.reshape(-1)[5:]}}
    kernel = some("float16", 3, 4)
    path.write_bytes(pack({"params": {"dense": {"kernel": kernel, "pieces": pieces}}, "step": 3}))
    expect(path, plain({"params.dense.kernel": kernel, "params.dense.pieces": flat}))

    path = folder / "model.gguf"
    arrays = {"token_embd.weight": some("float32", 4, 6), "blk.0.w": some("float16", 2, 3, 5), "ids": some("int32", 3)}
    gguf(path, arrays)
    expect(path, plain(arrays))

    base = some("float32", 6, 8)
    shared = Storage(base, "FloatStorage")
    bfloat, small = some("uint16", 4, 4), some("uint8", 5)
    tensors = {
        "sliced": Tensor(base, base[1:4, 2:7:2], storage=shared),
        "transposed": Tensor(base, base.T, storage=shared),
        "tied.a": Tensor(base, storage=shared),
        "tied.b": Tensor(base, storage=shared),
        "repeated": Tensor(base, np.broadcast_to(base[0], (3, 8)), storage=shared),
        "parameter": Tensor(some("float64", 2, 2), parameter=True),
        "bfloat": Tensor(bfloat, bfloat[1:, ::2], kind="BFloat16Storage", named="BF16"),
        "bytes.e4m3": Tensor(small, dtype="float8_e4m3fn", named="F8_E4M3"),
        "bytes.e5m2": Tensor(some("uint8", 3), dtype="float8_e5m2", named="F8_E5M2"),
        "empty": Tensor(np.zeros((0, 3), "float32")),
        "scalar": Tensor(np.array(1.5, "float32")),
    }
    tensors |= {f"all.{dtype}": Tensor(some(dtype, 2, 3)) for dtype in DTYPES}
    model: OrderedDict = OrderedDict()
    for name, tensor in tensors.items():
        first, dot, second = name.partition(".")
        if dot:
            model.setdefault(first, {})[second] = tensor
        else:
            model[name] = tensor
    # nn.Module.state_dict leaves versions in an attribute.
    model._metadata = OrderedDict({"": {"version": 1}})
    whole = {"model": model, "epoch": 3, "note": "words", "optimizer": {"state": {0: {"exp_avg": tensors["parameter"]}},
             "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0, 1]}]}}
    expected = {f"model.{name}": (tensor.named, tensor.view) for name, tensor in tensors.items()}
    expected["optimizer.state.0.exp_avg"] = ("F64", tensors["parameter"].view)
    torch_zip(folder / "checkpoint.pt", whole)
    torch_legacy(folder / "legacy.pt", whole)
    # A big-endian machine's: 8-bit and complex types turn number by number.
    only = {name: Tensor(some(name, 3)) for name in ("float32", "int64", "int8", "bool")}
    torch_zip(folder / "big-endian.pt", only, big=True)
    roots["big-endian.pt"] = root({name: (tensor.named, tensor.view) for name, tensor in only.items()})
    for name in ("checkpoint.pt", "legacy.pt"):
        roots[name] = root(expected)

    # Arrays of NumPy within a pickle.
    arrays = {"w": some("float32", 3, 4), "t": np.asfortranarray(some("float64", 3, 2)), "b": some("int16", 3).astype(">i2")}
    (folder / "arrays.pkl").write_bytes(pickle.dumps({"w": arrays["w"], "again": [arrays["w"]], "n": 3, "more": {
        "t": arrays["t"], "b": arrays["b"]}}, protocol=4))
    named = {"w": arrays["w"], "again.0": arrays["w"], "more.t": arrays["t"], "more.b": arrays["b"]}
    expect(folder / "arrays.pkl", plain(named))

    shards = folder / "shards"
    shards.mkdir()
    torch_zip(shards / "pytorch_model-00001-of-00002.bin", {"a": Tensor(everything["layer.float32"])})
    torch_zip(shards / "pytorch_model-00002-of-00002.bin", {"b": Tensor(everything["layer.int8"])})
    weight_map = {name: f"pytorch_model-0000{number}-of-00002.bin" for number, name in enumerate("ab", 1)}
    (shards / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    roots["shards"] = root(plain({"a": everything["layer.float32"], "b": everything["layer.int8"]}))
    (folder / "roots.json").write_text(json.dumps(roots))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
