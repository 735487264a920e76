#!/usr/bin/env python3
"""Times waag against other scanners on inputs where time goes to different places, and prints one table of ratios.

    python3 bench/speed.py --tools waag,picklescan --runs 5

Runs are interleaved (A B A B ...), so that a machine that slows down slows everybody; medians are compared within one
run of this script, never between two. CPU is user and system time of the process and its children; RSS is the peak of
the largest process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pickle
import resource
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from compare import QUIET, Tool, prepare  # noqa: E402
from compare import TOOLS as SCANNERS  # noqa: E402
from corpus.assembler import Asm  # noqa: E402
from corpus.torch_format import Tensor, Writer, torch_zip  # noqa: E402
from tables import head, row  # noqa: E402

MEGABYTE = 1 << 20
# The floor under any scanner of many files: they have to be opened and read.
FLOOR = Tool("cat", (), lambda _, path: ["find", path, "-type", "f", "-exec", "cat", "{}", "+"], lambda _: "", note="opens and reads, and does nothing else")
TOOLS = SCANNERS | {"cat": FLOOR}
ZEROS = bytes(4 * MEGABYTE)
a4 = Asm(4)


# -- inputs -------------------------------------------------------------------------------------------------


def crc_of_zeros(size: int) -> int:
    crc = 0
    for at in range(0, size, len(ZEROS)):
        crc = zlib.crc32(ZEROS[: min(len(ZEROS), size - at)], crc)
    return crc


def large_torch_zip(path: Path, size: int) -> None:
    """A checkpoint of `size` bytes in eight storages that are holes: a disk hands out zeros without reading them.

    Offsets stay below 4 GiB, so no zip64 is needed.
    """
    count = 8
    each = size // count // 64 * 64
    writer = Writer()
    program = writer.finish(writer.state_dict({f"layers.{i}.weight": Tensor((each // 4,)) for i in range(count)}))
    crc = crc_of_zeros(each)
    central = bytearray()
    members = [("archive/data.pkl", program, len(program), zlib.crc32(program)), ("archive/byteorder", b"little", 6, zlib.crc32(b"little"))]
    members += [(f"archive/data/{i}", None, each, crc) for i in range(count)]
    members += [("archive/version", b"3\n", 2, zlib.crc32(b"3\n"))]
    with path.open("wb") as f:
        for name, data, length, check in members:
            raw, at = name.encode(), f.tell()
            pad = -(at + 30 + len(raw) + 4) % 64
            fields = struct.pack("<HHHHIII", 0x0800, 0, 0, 0x21, check, length, length)
            f.write(b"PK\x03\x04\0\0" + fields + struct.pack("<HH", len(raw), 4 + pad) + raw + b"FB" + struct.pack("<H", pad) + b"Z" * pad)
            f.write(data) if data is not None else f.seek(length, os.SEEK_CUR)
            central += b"PK\x01\x02\0\0\0\0" + fields + struct.pack("<HHHHHII", len(raw), 0, 0, 0, 0, 0, at) + raw
        start = f.tell()
        f.write(central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(central), start, 0))


def many_pickles(folder: Path, count: int) -> None:
    for i in range(count):
        home = folder / f"{i // 1000:03}"
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{i:05}.pkl").write_bytes(a4.stream(a4.lit({"id": i, "lr": 0.001, "layers": [64, 32, 10], "name": f"run {i}"})))


def long_pickle(path: Path, operations: int, size: int) -> None:
    """A list of strings, each memoized, in batches of a thousand, byte for byte as Python's own pickle writes it."""
    items = operations // 2
    width = max(8, size // items - 10)
    with path.open("wb") as f:
        pickle.dump([f"{i:0{width}}" for i in range(items)], f, protocol=2)


def large_safetensors(path: Path, size: int) -> None:
    count = 64
    each = size // count // 64 * 64
    entries = ",".join(f'"model.layers.{i:02}.weight":{{"dtype":"F16","shape":[{each // 2}],"data_offsets":[{i * each},{(i + 1) * each}]}}' for i in range(count))
    header = f'{{"__metadata__":{{"format":"pt"}},{entries}}}'.encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as f:
        f.write(struct.pack("<Q", len(header)) + header)
        f.truncate(8 + len(header) + each * count)


@dataclass(frozen=True)
class Input:
    id: str
    title: str
    path: Path


def make_inputs(root: Path, args: argparse.Namespace) -> list[Input]:
    root.mkdir(parents=True, exist_ok=True)
    wanted = args.inputs.split(",")
    out = []

    def add(id: str, title: str, name: str, make) -> None:  # noqa: ANN001
        if id not in wanted:
            return
        path = root / name
        if not path.exists():
            print(f"making {title} ...", file=sys.stderr)
            # In a process of its own: a child that is measured later starts at the peak of the one that forked it.
            maker = multiprocessing.get_context("fork").Process(target=make, args=(path,))
            maker.start()
            maker.join()
        out.append(Input(id, title, path))

    add("start", "a torch file of 2 KB (start-up)", "small.pt", lambda p: p.write_bytes(torch_zip()))
    add("torch", f"a torch zip of {args.torch_mb} MB", f"torch-{args.torch_mb}.pt", lambda p: large_torch_zip(p, args.torch_mb * MEGABYTE))
    add("many", f"{args.pickles} small pickles", f"many-{args.pickles}", lambda p: many_pickles(p, args.pickles))
    add("long", f"a pickle of {args.long_mb} MB, {args.operations} operations", f"long-{args.long_mb}-{args.operations}.pkl",
        lambda p: long_pickle(p, args.operations, args.long_mb * MEGABYTE))
    add("safetensors", f"a safetensors of {args.safetensors_mb} MB", f"large-{args.safetensors_mb}.safetensors",
        lambda p: large_safetensors(p, args.safetensors_mb * MEGABYTE))
    return out


# -- measuring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    cpu: float
    wall: float
    rss: int  # bytes
    code: int | None  # None when the deadline passed


def watch_peak(pid: int, peak: list[int], over: threading.Event) -> None:
    """The kernel's high-water mark of a live process, looked at every two milliseconds."""
    while not over.wait(0.002):
        try:
            with open(f"/proc/{pid}/status") as f:
                for line in f:
                    if line.startswith("VmHWM:"):
                        peak[0] = max(peak[0], int(line.split()[1]) * 1024)
        except (OSError, ValueError):
            return


def peak_rss(reported: int, watched: int) -> int:
    """A child's ru_maxrss starts at the peak of the process that forked it, so below our own peak it says nothing."""
    unit = 1 if sys.platform == "darwin" else 1024
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return reported * unit if reported * unit > ours + MEGABYTE or not watched else watched


def measure(argv: list[str], seconds: float) -> Sample:
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ.get("PATH", ""), "HOME": home, "XDG_CACHE_HOME": home, "LANG": "C.UTF-8"} | QUIET
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home, env=env,
                                 start_new_session=True)
        late, over, peak = threading.Event(), threading.Event(), [0]
        watcher = threading.Thread(target=watch_peak, args=(child.pid, peak, over))
        watcher.start()

        def stop() -> None:
            late.set()
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        timer = threading.Timer(seconds, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        timer.cancel()
        over.set()
        watcher.join()
        child.returncode = os.waitstatus_to_exitcode(status)
    return Sample(usage.ru_utime + usage.ru_stime, wall, peak_rss(usage.ru_maxrss, peak[0]), None if late.is_set() else child.returncode)


def interleaved(inputs: list[Input], tools: list[tuple[str, str]], runs: int, seconds: float) -> dict[tuple[str, str], list[Sample]]:
    samples: dict[tuple[str, str], list[Sample]] = {(i.id, name): [] for i in inputs for name, _ in tools}
    for item in inputs:
        for round in range(runs):
            for name, where in tools:
                if name == "cat" and item.id != "many":
                    continue
                taken = samples[item.id, name]
                if taken and taken[-1].code is None:
                    continue  # once past the deadline is enough
                taken.append(measure(TOOLS[name].command(where, str(item.path)), seconds))
            print(f"{item.id}: run {round + 1} of {runs}", file=sys.stderr)
    return samples


def median(samples: list[Sample], field: str) -> float:
    return statistics.median(getattr(s, field) for s in samples)


def table(inputs: list[Input], tools: list[str], samples: dict[tuple[str, str], list[Sample]], runs: int) -> str:
    first = tools[0]
    lines = head(["input", "tool", "exit"], ["CPU s", "wall s", "peak MB", "CPU ratio", "wall ratio"])
    for item in inputs:
        base = samples[item.id, first]
        for name in tools:
            mine = samples[item.id, name]
            if not mine:
                continue
            late = any(s.code is None for s in mine)
            mark = "> " if late else ""
            cpu, wall = median(mine, "cpu"), median(mine, "wall")
            ratios = [f"{mark}{a / max(b, 1e-3):.1f}" for a, b in ((cpu, median(base, "cpu")), (wall, median(base, "wall")))]
            codes = ", ".join(sorted({"late" if s.code is None else str(s.code) for s in mine}))
            lines.append(row([item.title, name, codes, f"{mark}{cpu:.2f}", f"{mark}{wall:.2f}", f"{median(mine, 'rss') / 1e6:.0f}", *ratios]))
    lines += ["", f"Medians of {runs} interleaved runs; ratios are against {first}. A `>` marks a run that was stopped at the deadline, so its numbers are lower bounds.",
              "`cat` only opens and reads the files: no scanner can be faster than that.",
              "An exit code that says the file was not looked at makes a time meaningless: modelscan's 3 and fickling's 2 are such codes, and picklescan does not read safetensors."]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default="waag,cat,picklescan,modelscan,fickling,modelaudit")
    parser.add_argument("--waag", help="the waag binary")
    parser.add_argument("--venvs", type=Path, default=HERE / ".venvs")
    parser.add_argument("--inputs", default="start,torch,many,long,safetensors", help="which inputs to make and time")
    parser.add_argument("--data", type=Path, help="keep the inputs in this folder; by default they are made in a temporary one")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=300, help="wall seconds per run")
    parser.add_argument("--torch-mb", type=int, default=1000)
    parser.add_argument("--pickles", type=int, default=10_000)
    parser.add_argument("--long-mb", type=int, default=50)
    parser.add_argument("--operations", type=int, default=2_000_000)
    parser.add_argument("--safetensors-mb", type=int, default=4000)
    args = parser.parse_args()
    unknown = [t for t in args.tools.split(",") if t not in TOOLS]
    if unknown:
        parser.error(f"unknown tool {unknown[0]}; known: {', '.join(TOOLS)}")
    if args.torch_mb > 4000:
        parser.error("--torch-mb is at most 4000: the writer knows no zip64")
    tools = [(t, where) for t in args.tools.split(",") if (where := t if t == "cat" else prepare(TOOLS[t], args.venvs, args.waag))]
    if not tools:
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        inputs = make_inputs((args.data or Path(scratch)).resolve(), args)
        if not inputs:
            parser.error("no input is left; look at --inputs")
        samples = interleaved(inputs, tools, args.runs, args.timeout)
        print(table(inputs, [name for name, _ in tools], samples, args.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
