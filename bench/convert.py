"""Converts files that PyTorch itself writes, and compares what safetensors reads back with what PyTorch loads: bit for bit.

    python3 bench/convert.py --waag target/release/waag

needs torch, numpy and safetensors (`pip install torch safetensors`; any build of torch will do). It prints one line a case
and ends with 1 when one of them differs. `--speed` also converts a file of 2 GB and says how fast, and with how much memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open

Tensors = dict[str, torch.Tensor]
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool, torch.complex64]
NEWER = ["uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"]
#: safetensors for PyTorch has no reader for these, so that their bytes are compared.
FNUZ = ["float8_e4m3fnuz", "float8_e5m2fnuz"]


def some(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    size = torch.empty((), dtype=dtype).element_size()
    count = 1
    for extent in shape:
        count *= extent
    if dtype == torch.bool:
        return torch.rand(shape) > 0.5
    return torch.randint(0, 256, (count * size,), dtype=torch.uint8).view(dtype).reshape(shape)


def flat(value: object, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of nested containers, named as waag names them."""
    if isinstance(value, torch.Tensor):
        yield name or "tensor", value.detach()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flat(item, f"{name}.{index}" if name else str(index))


def raw(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def compare(loaded: Tensors, path: Path) -> str:
    """What differs, in words; nothing when nothing does."""
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        if names != set(loaded):
            return f"names differ: {sorted(names ^ set(loaded))[:5]}"
        for name, tensor in loaded.items():
            found = file.get_tensor(name)
            if found.dtype != tensor.dtype or found.shape != tensor.shape:
                return f"{name}: {found.dtype} {tuple(found.shape)} for {tensor.dtype} {tuple(tensor.shape)}"
            if raw(found) != raw(tensor):
                return f"{name}: other bytes"
    return ""


def model() -> torch.nn.Module:
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = torch.nn.Embedding(50, 16)
            self.block = torch.nn.TransformerEncoderLayer(16, 4, 32)
            self.norm = torch.nn.BatchNorm1d(16)
            self.head = torch.nn.Linear(16, 50, bias=False)
            self.head.weight = self.embed.weight

    return Tied()


def trained() -> dict:
    net = model()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    net.head(net.embed(torch.arange(5))).sum().backward()
    optimizer.step()
    return {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5,
            "args": argparse.Namespace(lr=1e-3), "history": [0.5, 0.25]}


def views() -> Tensors:
    base = some(torch.float32, 12, 10)
    return {"base": base, "row": base[3], "column": base[:, 4], "block": base[2:9:3, 1:8:2], "transposed": base.T,
            "permuted": some(torch.int16, 3, 4, 5).permute(2, 0, 1), "expanded": base[:1].expand(7, 10), "scalar": base[0, 0],
            "diagonal": base.diagonal(), "strided": base.as_strided((3, 3), (7, 2), 5), "empty": base[:0],
            "flipped": base.flip(0), "channels_last": some(torch.float16, 2, 3, 4, 5).to(memory_format=torch.channels_last)}


def cases() -> dict[str, tuple[object, dict]]:
    old = {str(dtype): some(dtype, 4, 3) for dtype in DTYPES}
    # PyTorch itself cannot load the newer types from its older files.
    dtypes = old | {name: some(getattr(torch, name), 5, 2) for name in NEWER if hasattr(torch, name)}
    nested = OrderedDict(a={"b": [some(torch.float32, 2), {"c": some(torch.int8, 3)}], 5: some(torch.bool, 2)}, d=(some(torch.int64, 1),))
    legacy = {"_use_new_zipfile_serialization": False}
    net = model()
    return {
        "all types": (dtypes, {}),
        "all older types, older file": (old, legacy),
        "views": (views(), {}),
        "views, older file": (views(), legacy),
        "tied state dict": (net.state_dict(), {}),
        "tied state dict, older file": (net.state_dict(), legacy),
        "parameters": (dict(net.named_parameters()), {}),
        "nested": (nested, {}),
        "nested, older file": (nested, legacy),
        "checkpoint with optimizer": (trained(), {}),
        "checkpoint with optimizer, older file": (trained(), legacy),
        "a single tensor": (some(torch.float32, 3, 3), {}),
        "protocol 4": (net.state_dict(), {"pickle_protocol": 4}),
        "buffer": ({"b": torch.nn.Buffer(some(torch.float32, 4))} if hasattr(torch.nn, "Buffer") else {"b": some(torch.float32, 4)}, {}),
        "untrained lazily": ({"w": torch.zeros(300, 400)}, {}),
    }


def refused() -> dict[str, object]:
    """What has no faithful form: waag has to say so, and write nothing."""
    return {
        "quantised": {"w": torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.qint8)},
        "complex128": {"w": torch.zeros(3, dtype=torch.complex128)},
        "sparse": {"w": torch.eye(3).to_sparse()},
        "conjugated lazily": {"w": torch.zeros(3, dtype=torch.complex64).conj()},
        "a whole module": torch.nn.Linear(2, 2),
    }


def run(waag: Path, source: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([waag, "convert", source, out, "--format", "json", *more], capture_output=True, text=True)


def check(what: str, problem: str) -> bool:
    print(f"{'DIFFERS' if problem else 'same   '} {what}{': ' + problem if problem else ''}", flush=True)
    return not problem


def one(waag: Path, folder: Path, value: object, options: dict) -> str:
    source, out = folder / "model.pt", folder / "out.safetensors"
    torch.save(value, source, **options)
    loaded = dict(flat(torch.load(source, weights_only=False)))
    done = run(waag, source, out, "--force")
    return done.stderr if done.returncode else compare(loaded, out)


def sharded(waag: Path, folder: Path) -> str:
    state = model().state_dict()
    parts = [dict(list(state.items())[start::3]) for start in range(3)]
    names = [f"pytorch_model-{number:05}-of-00003.bin" for number in range(1, 4)]
    source, out = folder / "shards", folder / "new"
    source.mkdir()
    for name, part in zip(names, parts):
        torch.save({key: tensor.clone() for key, tensor in part.items()}, source / name)
    weight_map = {key: name for name, part in zip(names, parts) for key in part}
    (source / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    done = run(waag, source, out, "--shard-size", "5KB")
    if done.returncode:
        return done.stderr
    index = json.loads((out / "model.safetensors.index.json").read_text())["weight_map"]
    for shard in sorted(set(index.values())):
        problem = compare({key: state[key] for key in index if index[key] == shard}, out / shard)
        if problem:
            return f"{shard}: {problem}"
    return "" if set(index) == set(state) else "tensors are missing"


def tied_one(waag: Path, folder: Path) -> str:
    from safetensors.torch import load_model

    net, other = model(), model()
    source, out = folder / "tied.pt", folder / "tied.safetensors"
    torch.save(net.state_dict(), source)
    done = run(waag, source, out, "--tied", "one")
    if done.returncode:
        return done.stderr
    load_model(other, out)
    same = all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values()))
    return "" if same else "load_model gives other numbers"


def fnuz(waag: Path, folder: Path) -> str:
    value = {name: some(getattr(torch, name), 3, 4) for name in FNUZ if hasattr(torch, name)}
    source, out = folder / "fnuz.pt", folder / "fnuz.safetensors"
    torch.save(value, source)
    done = run(waag, source, out)
    if done.returncode:
        return done.stderr
    data = out.read_bytes()
    length = int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            if data[begin:end] != raw(value[name]):
                return f"{name}: other bytes"
    return ""


#: Runs in a process of its own: what a process is said to take includes what the one that started it took.
MEASURE = """
import json, os, subprocess, sys, time
start = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]))
"""


def speed(waag: Path, folder: Path) -> None:
    state = {f"layer.{index}.weight": torch.rand(4096, 4096) for index in range(30)}
    source, out = folder / "large.pt", folder / "large.safetensors"
    for what in ("dense", "transposed"):
        torch.save({name: tensor.T if what == "transposed" else tensor for name, tensor in state.items()}, source)
        size = source.stat().st_size / 1e9
        command = [waag, "convert", source, out, "--force", "--quiet"]
        told = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, check=True)
        wall, processor, most, code = json.loads(told.stdout)
        print(f"{what}: {size:.2f} GB in {wall:.1f} s, {size / wall:.2f} GB/s; {size / processor:.2f} GB for each second of "
              f"processor time; {most / 1024:.0f} MiB at the most; exit code {code}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waag", type=Path, required=True)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(7)
    waag = arguments.waag.resolve()
    fine = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, (value, options) in cases().items():
            fine &= check(what, one(waag, folder, value, options))
        for what, function in (("shards to shards", sharded), ("tied, kept once, by load_model", tied_one), ("fnuz types", fnuz)):
            fine &= check(what, function(waag, folder))
        for what, value in refused().items():
            source, out = folder / "refused.pt", folder / "refused.safetensors"
            torch.save(value, source)
            done = run(waag, source, out)
            said = done.stderr.strip().splitlines()
            reason = next((line for line in said if line.startswith("error")), "nothing said")
            is_refused = done.returncode == 2 and not out.exists()
            fine &= check(f"refused: {what} ({reason})", "" if is_refused else "it was converted")
        if arguments.speed:
            speed(waag, folder)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
