"""Ordinary torch files, arrays, safetensors, GGUF and archives."""

from __future__ import annotations

import bz2
import json
import lzma
import pickle
import zlib

from .archives_bad import gz, lz4_stored, zstd_raw
from .arrays import floats, npy
from .assembler import BUILD, Asm, glob, op
from .case import Shelf
from .good_pickles import HYPER
from .tarwriter import entry, tar_bytes
from .templates_good import TEMPLATES
from .tensors import ARRAY, F32, STRING, U8, architecture, gguf, info, model_gguf, pair, plain_safetensors
from .torch_format import Tensor, Writer, legacy_parts, state_pickle, torch_zip, weights
from .zipwriter import DEFLATED, Member, zip_bytes

a2 = Asm(2)
MLP = {"0.weight": Tensor((8, 4)), "0.bias": Tensor((8,)), "2.weight": Tensor((2, 8)), "2.bias": Tensor((2,))}


def torch_files() -> Shelf:
    shelf = Shelf("good-torch")
    for suffix in ("pt", "pth", "bin", "ckpt"):
        shelf.good(f"state-dict-{suffix}", torch_zip(), f"a state dict called .{suffix}", name=f"model.{suffix}")
    shelf.good("old-writer", torch_zip(torch=False, modern=False), "written by a plain zip writer", name="model.pt")
    shelf.good("root-other", torch_zip(root="epoch_3"), "another root folder", name="model.pt")
    shelf.good("metadata", torch_zip(*state_pickle(MLP, metadata=True)), "a state dict with versions in _metadata", name="model.pt")
    for storage in ("HalfStorage", "BFloat16Storage", "LongStorage", "DoubleStorage", "IntStorage", "CharStorage", "ByteStorage", "BoolStorage"):
        shelf.good(f"storage-{storage.lower()}", torch_zip(*state_pickle({"w": Tensor((4, 4), storage)})), f"a {storage}", name="model.pt")
    shelf.good("parameters", torch_zip(*state_pickle({"w": Tensor((4, 4), parameter=True)})), "parameters instead of tensors", name="model.pt")
    shelf.good("shared-storage", torch_zip(*state_pickle({"a": Tensor((4,), key="0"), "b": Tensor((2, 2), key="0")})), "two tensors on one storage", name="model.pt")
    shelf.good("scalar-tensor", torch_zip(*state_pickle({"n": Tensor((), "LongStorage")})), "a tensor without sides", name="model.pt")
    shelf.good("many-tensors", torch_zip(*state_pickle({f"layers.{i}.weight": Tensor((4, 4)) for i in range(300)})), "three hundred tensors", name="model.pt")
    w = Writer()
    body = op(b"}(") + a2.text("epoch") + a2.lit(3) + a2.text("model") + w.state_dict(MLP) + a2.text("optimizer")
    body += a2.lit({"state": {}, "param_groups": [{"lr": 0.001, "betas": (0.9, 0.999), "params": [0, 1, 2, 3]}]}) + op(b"u")
    shelf.good("checkpoint", torch_zip(w.finish(body), w.storages), "a training checkpoint with its optimizer", name="checkpoint.ckpt")
    w = Writer()
    body = op(b"}(") + a2.text("pytorch-lightning_version") + a2.text("2.4.0") + a2.text("state_dict") + w.state_dict(MLP)
    body += a2.text("hyper_parameters") + a2.lit({"learning_rate": 0.01, "cmd": "os.system is only a word"}) + op(b"u")
    shelf.good("lightning", torch_zip(w.finish(body), w.storages), "a Lightning checkpoint", name="last.ckpt")
    legacy = b"".join(legacy_parts())
    for suffix in ("pt", "pth", "bin"):
        shelf.good(f"legacy-{suffix}", legacy, "torch's layout before 1.6", name=f"model.{suffix}")
    shelf.good("legacy-mlp", b"".join(legacy_parts(MLP)), "a larger model in the layout before 1.6", name="model.pt")
    shelf.good("tensor-alone", torch_zip(*tensor_alone()), "one tensor, no dict", name="embedding.pt")
    shelf.good("size", torch_zip(a2.stream(a2.reduce(glob("torch", "Size"), [2, 3])), {}), "a torch.Size", name="size.pt")
    shelf.good("device", torch_zip(a2.stream(a2.reduce(glob("torch", "device"), "cpu")), {}), "a torch.device", name="device.pt")
    shelf.good("dtype", torch_zip(a2.stream(glob("torch", "float32")), {}), "a torch dtype", name="dtype.pt")
    return shelf


def tensor_alone() -> tuple[bytes, dict[str, int]]:
    w = Writer()
    return w.finish(w.tensor(Tensor((10, 4)))), w.storages


def arrays() -> Shelf:
    shelf = Shelf("good-arrays")
    for version in ((1, 0), (2, 0), (3, 0)):
        shelf.good(f"npy-v{version[0]}", npy("'<f8'", "(4,)", floats(4), version=version), f"format {version[0]}", name="a.npy")
    shelf.good("npy-matrix", npy("'<f8'", "(2, 8)", floats(16)), "a matrix", name="a.npy")
    shelf.good("npy-fortran", npy("'<f8'", "(2, 8)", floats(16), order="True"), "column by column", name="a.npy")
    shelf.good("npy-scalar", npy("'<f8'", "()", floats(1)), "a scalar", name="a.npy")
    shelf.good("npy-empty", npy("'<f8'", "(0,)", b""), "an empty array", name="a.npy")
    shelf.good("npy-bool", npy("'|b1'", "(4,)", b"\1\0\1\0"), "truth values", name="a.npy")
    shelf.good("npy-unicode", npy("'<U4'", "(1,)", "eval".encode("utf-32-le")), "text that says eval", name="a.npy")
    shelf.good("npy-record", npy("[('x', '<f8'), ('y', '<i8')]", "(2,)", floats(4)), "records", name="a.npy")
    shelf.good("npy-big-endian", npy("'>f4'", "(4,)", weights(16)), "the other byte order", name="a.npy")
    shelf.good("npy-stops", npy("'|u1'", "(64,)", b"." * 64), "bytes that look like STOPs", name="a.npy")
    a, b = Member("x.npy", npy("'<f8'", "(4,)", floats(4))), Member("y.npy", npy("'<i8'", "(4,)", floats(4)))
    shelf.good("npz", zip_bytes([a, b]), "two arrays", name="a.npz")
    shelf.good("npz-compressed", zip_bytes([Member(m.name, m.data, method=DEFLATED) for m in (a, b)]), "two arrays, compressed", name="a.npz")
    return shelf


def safetensors_files() -> Shelf:
    shelf = Shelf("good-safetensors")
    shelf.good("plain", plain_safetensors(), "no metadata", name="model.safetensors")
    shelf.good("metadata", plain_safetensors({"format": "pt"}), "ordinary metadata", name="model.safetensors")
    shelf.good("metadata-words", plain_safetensors({"format": "pt", "notes": "do not eval(); os.system and __import__ are only words",
               "modelspec.title": "x", "ss_network_args": json.dumps({"conv_dim": 4})}), "metadata with words that frighten scanners", name="model.safetensors")
    shelf.good("metadata-long", plain_safetensors({"prompt": "a photograph " * 5000}), "metadata of sixty kilobytes", name="model.safetensors")
    shelf.good("empty", plain_safetensors({"format": "pt"}, {"nothing": [0]}), "a tensor of no elements", name="model.safetensors")
    shelf.good("scalar", plain_safetensors(None, {"n": []}), "a tensor without sides", name="model.safetensors")
    shelf.good("many", plain_safetensors(None, {f"model.layers.{i:03}.w": [4, 4] for i in range(400)}), "four hundred tensors", name="model.safetensors")
    for dtype in ("F16", "BF16", "I64", "U8", "BOOL", "F64", "I8", "F8_E4M3"):
        shelf.good(f"dtype-{dtype.lower().replace('_', '-')}", plain_safetensors(None, {"w": [8, 8]}, dtype), f"tensors of {dtype}", name="model.safetensors")
    shelf.good("unicode-names", plain_safetensors({"作者": "匿名"}, {"层.权重": [4]}), "names that are not ASCII", name="model.safetensors")
    shelf.good("no-padding", plain_safetensors({"a": "b"}), "a header", name="adapter_model.safetensors")
    return shelf


def gguf_files() -> Shelf:
    shelf = Shelf("good-gguf")
    for version in (1, 2, 3):
        shelf.good(f"version-{version}", model_gguf(TEMPLATES["chatml"], version), f"version {version}", name="model.gguf")
    shelf.good("no-template", model_gguf(), "no chat template", name="model.gguf")
    for id, template in TEMPLATES.items():
        shelf.good(f"template-{id}", model_gguf(template), f"the {id} chat template", name="model.gguf")
    shelf.good("metadata-words", model_gguf(TEMPLATES["chatml"], extra=[pair("general.description", STRING, "never eval() or os.system() this; __class__ is a word")]),
               "a description with words that frighten scanners", name="model.gguf")
    shelf.good("tool-template", model_gguf(TEMPLATES["qwen"], keys="tokenizer.chat_template.tool_use"), "a named template", name="model.gguf")
    words = [f"token{i}" for i in range(20_000)] + ["__import__", "eval", "os.system"]
    shelf.good("large-vocabulary", gguf([*architecture(), pair("tokenizer.ggml.tokens", ARRAY, (STRING, words)),
               pair("tokenizer.ggml.scores", ARRAY, (F32, [0.0] * len(words)))]), "a vocabulary of twenty thousand words", name="model.gguf")
    shelf.good("quantized", gguf(architecture(), [info("w", [32, 2], 0, kind=2)], weights(36) + bytes(28)), "a tensor of four-bit blocks", name="model-q4_0.gguf")
    shelf.good("array-of-bytes", gguf([*architecture(), pair("general.imatrix", ARRAY, (U8, [1, 2, 3]))]), "an array of bytes", name="model.gguf")
    return shelf


def others() -> Shelf:
    shelf = Shelf("good-other")
    good = pickle.dumps(HYPER, 2)
    for id, data, name in (
        ("pickle-gzip", gz(good), "data.pkl.gz"),
        ("pickle-bz2", bz2.compress(good), "data.pkl.bz2"),
        ("pickle-xz", lzma.compress(good), "data.pkl.xz"),
        ("pickle-zlib", zlib.compress(good), "data.joblib"),
        ("pickle-lz4", lz4_stored(good), "data.pkl.lz4"),
        ("pickle-zstd", zstd_raw(good), "data.pkl.zst"),
    ):
        shelf.good(id, data, "an ordinary pickle, compressed", name=name)
    shelf.good("tar", tar_bytes([entry("config.json", b"{}"), entry("model.safetensors", plain_safetensors())]), "an ordinary tar", name="model.tar")
    shelf.good("tar-gz", gz(tar_bytes([entry("model/", kind=b"5"), entry("model/config.json", b"{}"), entry("model/model.pt", torch_zip())])),
               "an ordinary tar.gz with a torch file", name="model.tar.gz")
    shelf.good("tar-symlink", tar_bytes([entry("v1/config.json", b"{}"), entry("latest", kind=b"2", link="v1")]), "a link inside the archive", name="model.tar")
    shelf.good("zip", zip_bytes([Member("config.json", b"{}"), Member("model.safetensors", plain_safetensors(), method=DEFLATED)]), "an ordinary zip", name="model.zip")
    shelf.good("zip-empty", zip_bytes([]), "an empty zip", name="empty.zip")
    shelf.good("config", json.dumps({"model_type": "bert", "hidden_size": 768}).encode(), "a configuration", name="config.json")
    shelf.good("vocabulary", b"eval\nexec\n__import__\nos.system\nsubprocess\n", "a vocabulary", name="vocab.txt")
    shelf.good("readme", b"# Model\n\nRun `torch.load(path, weights_only=True)`; never `eval(input())`.\n", "a README", name="README.md")
    shelf.good("csv", b"x,y\n1,2\n3,4\n", "a table", name="train.csv")
    for id in ("chatml", "llama-3-tools", "qwen-thinking", "mistral-tools", "vision", "generation"):
        shelf.good(f"jinja-{id}", TEMPLATES[id].encode(), f"the {id} chat template", name="chat_template.jinja")
    namespace = a2.newobj(glob("argparse", "Namespace")) + a2.lit({"lr": 0.1, "cmd": "python train.py"}) + BUILD
    shelf.good("argparse-namespace", a2.stream(namespace), "a training script's arguments", name="args.pkl")
    return shelf
