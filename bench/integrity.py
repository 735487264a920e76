#!/usr/bin/env python3
"""Times digests, signatures, conversion and comparison, beside the tools that people use for them today.

    python3 bench/integrity.py --waag target/release/waag --runs 3
    python3 bench/integrity.py --waag target/release/waag --size 0.25     a quarter of the full sizes, which take 9 GB of disk
    python3 bench/integrity.py --waag target/release/waag --only weights

openssl, and the reference signer `model_signing` where the Python that runs this has it (tests/requirements.txt).
Runs are interleaved (A B A B ...) and medians are compared within one run of this script, never between two. CPU is user
and system time, memory the peak of the process. Files are random bytes and lie in the page cache, so no disk is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from tables import head, row  # noqa: E402

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    memory: int  # MiB


@dataclass(frozen=True)
class Contender:
    name: str
    command: Sequence[str]
    environment: dict[str, str] | None = None


def once(contender: Contender) -> Cost:
    """One run in a child of a child, so that its own figures can be told from those of earlier ones."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.close(read)
        start = time.monotonic()
        environment = os.environ | (contender.environment or {})
        done = subprocess.run(contender.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, check=False)
        wall = time.monotonic() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        figures = {"code": done.returncode, "error": done.stderr.decode(errors="replace")[-400:], "wall": wall,
                   "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss // 1024}
        os.write(write, json.dumps(figures).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        figures = json.loads(pipe.read())
    os.waitpid(child, 0)
    if figures["code"] > 1:
        sys.exit(f"error: {' '.join(contender.command)} ended with {figures['code']}: {figures['error']}")
    return Cost(figures["wall"], figures["cpu"], figures["memory"])


def compare(title: str, size: int, contenders: list[Contender], runs: int) -> list[str]:
    """Rows of one comparison; the first contender is what the others are compared with."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for _ in range(runs):
        for contender in contenders:
            costs[contender.name].append(once(contender))
    rows = []
    base = costs[contenders[0].name]
    for name, measured in costs.items():
        wall = statistics.median(cost.wall for cost in measured)
        cpu = statistics.median(cost.cpu for cost in measured)
        times = statistics.median(one.wall / other.wall for one, other in zip(base, measured, strict=True))
        processor = statistics.median(one.cpu / other.cpu for one, other in zip(base, measured, strict=True))
        rows.append(row([title, name, f"{wall:.2f}", f"{cpu:.2f}", f"{size / cpu / 1e9:.2f}", max(cost.memory for cost in measured),
                         f"{times:.2f}", f"{processor:.2f}"]))
    return rows


def random_file(path: Path, size: int) -> None:
    block = os.urandom(16 * MEGABYTE)
    with path.open("wb") as file:
        while size > 0:
            size -= file.write(block[: min(size, len(block))])


def pair(before: Path, after: Path, size: int, varied: bool) -> None:
    """Two checkpoints of 4096x4096 floats, of which every number differs a little. Where one block is repeated instead of
    new ones, each matrix has no more than 64 different rows, and its change goes in no more directions."""
    each = 4096 * 4096 * 4
    count = max(1, size // each)
    header = {}
    for index in range(count):
        header[f"layers.{index}.weight"] = {"dtype": "F32", "shape": [4096, 4096], "data_offsets": [index * each, (index + 1) * each]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    # The last bits differ, in both directions.
    mask = int.from_bytes(b"\xa5\0\0\0" * (MEGABYTE // 4), "little")
    block = b""
    with before.open("wb") as one, after.open("wb") as other:
        for file in (one, other):
            file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(count * each // MEGABYTE):
            block = floats() if varied or not block else block
            one.write(block)
            other.write((int.from_bytes(block, "little") ^ mask).to_bytes(MEGABYTE, "little"))


def floats() -> bytes:
    """Random floats between 1 and 2: the bits of the exponent are fixed."""
    block = bytearray(os.urandom(MEGABYTE))
    block[3::4] = b"\x3f" * (MEGABYTE // 4)
    block[2::4] = bytes(block[2::4]).translate(bytes(byte | 0x80 for byte in range(256)))
    return bytes(block)


def pin(command: Sequence[str]) -> list[str]:
    """The same on one processor."""
    return ["taskset", "--cpu-list", "0", *command]


def keys(folder: Path) -> tuple[Path, Path]:
    private, public = folder / "private.pem", folder / "public.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private], check=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, stderr=subprocess.DEVNULL)
    return private, public


def digests(waag: str, folder: Path, scale: float, runs: int) -> list[str]:
    large, size = folder / "large.bin", int(4 * GIGABYTE * scale)
    random_file(large, size)
    many = folder / "many"
    many.mkdir()
    count = int(1000 * scale)
    for index in range(count):
        random_file(many / f"{index:04}.bin", 4 * MEGABYTE)
    hashed = [waag, "hash"]
    rows = compare("one file, one core", size, [
        Contender("openssl dgst -sha256", pin(["openssl", "dgst", "-sha256", str(large)])),
        Contender("waag hash", pin([*hashed, str(large)])),
    ], runs)
    rows += compare("one file", size, [
        Contender("waag hash, one core", pin([*hashed, str(large), "--algorithm", "blake3"])),
        Contender("waag hash --algorithm blake3", [*hashed, str(large), "--algorithm", "blake3"]),
    ], runs)
    private, _ = keys(folder)
    signed = [waag, "sign", str(large), "--key", str(private), "--signature", str(folder / "large.sig"), "--shard-size", "256MiB"]
    rows += compare("one file in shards, signed", size, [
        Contender("waag sign, one core", pin(signed)),
        Contender("waag sign --shard-size 256MiB", signed),
    ], runs)
    rows += compare(f"{count} files of 4 MiB", count * 4 * MEGABYTE, [
        Contender("waag hash, one core", pin([*hashed, str(many)])),
        Contender("waag hash", [*hashed, str(many)]),
    ], runs)
    large.unlink()
    shutil.rmtree(many)
    return rows


def signatures(waag: str, folder: Path, runs: int) -> list[str]:
    model = folder / "model"
    model.mkdir()
    for index in range(9):
        random_file(model / f"{index}.bin", 32 * 1024)
    private, public = keys(folder)
    signature = folder / "model.sig"
    subprocess.run([waag, "sign", model, "--key", private, "--signature", signature], check=True, stdout=subprocess.DEVNULL)
    contenders = [Contender("waag verify", [waag, "verify", str(model), "--signature", str(signature), "--key", str(public)])]
    reference = [sys.executable, "-m", "model_signing", "verify", "key", str(model), "--signature", str(signature), "--public_key", str(public)]
    if subprocess.run([sys.executable, "-c", "import model_signing"], check=False, capture_output=True).returncode == 0:
        contenders.insert(0, Contender("model_signing verify", reference))
    else:
        print("note: model_signing is not installed for this Python, and is left out", file=sys.stderr)
    return compare("verify 9 files", 9 * 32 * 1024, contenders, max(runs, 5))


def weights(waag: str, folder: Path, scale: float, runs: int) -> list[str]:
    size = int(2 * GIGABYTE * scale)
    before, after, same = (folder / f"{name}.safetensors" for name in ("before", "after", "same"))
    pair(before, after, size, varied=True)
    size = before.stat().st_size  # whole tensors
    shutil.copy(before, same)
    rows = compare("compare a pair (bytes of both)", 2 * size, [
        Contender("waag diff, the same", [waag, "diff", str(before), str(same)]),
        Contender("waag diff, all changed", [waag, "diff", str(before), str(after)]),
    ], runs)
    after.unlink()
    same.unlink()
    out = folder / "out.safetensors"
    rows += compare("convert (bytes of both)", 2 * size, [
        Contender("cp", ["cp", str(before), str(out)]),
        Contender("waag convert", [waag, "convert", str(before), str(out), "--force"]),
    ], runs)
    out.unlink()
    pair(before, after, size, varied=False)
    rows += compare("compare a pair (bytes of both)", 2 * size, [
        Contender("waag diff, all changed in 64 directions", [waag, "diff", str(before), str(after)]),
    ], runs)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waag", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=float, default=1.0, help="part of the full sizes: a file of 4 GiB, 1,000 files of 4 MiB, a pair of 2 GiB each")
    parser.add_argument("--only", choices=["digests", "signatures", "weights"])
    options = parser.parse_args()
    waag = str(Path(options.waag).resolve())
    lines = head(["what", "by"], ["wall s", "CPU s", "GB per CPU s", "peak MiB", "times as fast", "times less CPU"])
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "digests"):
            lines += digests(waag, Path(folder), options.size, options.runs)
        if options.only in (None, "signatures"):
            lines += signatures(waag, Path(folder), options.runs)
        if options.only in (None, "weights"):
            lines += weights(waag, Path(folder), options.size, options.runs)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
