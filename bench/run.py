#!/usr/bin/env python3
"""What `waag run` costs: a training on the CPU that opens some 2,500 files, with and without it.

    .venv/bin/python bench/run.py --waag target/release/waag --runs 7

The Python that runs this needs scikit-learn, scipy and pandas (tests/requirements.txt). Bare and captured runs alternate
(A B A B ...), and what is compared is the median within one run of this script, never between two. CPU is user and system time
of everything that was started, waag's own hashing included. `--strace` adds strace, the usual way to see what a program opens.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tables import head, row  # noqa: E402

TRAIN = """
import numpy, pandas, scipy.stats, scipy.optimize, joblib
import sklearn.ensemble, sklearn.linear_model, sklearn.svm, sklearn.cluster, sklearn.decomposition, sklearn.manifold
import glob, os
os.makedirs("out", exist_ok=True)
parts = [numpy.loadtxt(name, delimiter=",") for name in sorted(glob.glob("data/*.csv"))]
table = numpy.concatenate(parts)
model = sklearn.ensemble.RandomForestClassifier(n_estimators=TREES, random_state=7)
model.fit(table[:, :-1], table[:, -1].astype(int))
joblib.dump(model, "out/model.joblib")
"""


def prepare(folder: Path, files: int, trees: int) -> None:
    (folder / "data").mkdir()
    for number in range(files):
        lines = [f"{(number * 7 + line) % 13},{line * line % 11},{number % 5},{(number + line) % 2}\n" for line in range(20)]
        (folder / "data" / f"{number:04}.csv").write_text("".join(lines))
    (folder / "train.py").write_text(TRAIN.replace("TREES", str(trees)))


def once(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds on the wall and of CPU."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}: {done.stderr[-400:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def opened(folder: Path) -> int:
    """Files that the training opens, by Python's own count."""
    count = "import sys\nseen = set()\nsys.addaudithook(lambda event, a: seen.add(a[0]) if event == 'open' else None)\n"
    count += "exec(open('train.py').read())\nprint(len(seen))"
    return int(subprocess.run([sys.executable, "-c", count], cwd=folder, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waag", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--files", type=int, default=600, help="files of data")
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--strace", action="store_true")
    arguments = parser.parse_args()
    python = [sys.executable, "train.py"]
    contenders = {"bare": python, "waag run": [str(arguments.waag.resolve()), "run", "--", *python]}
    if arguments.strace and shutil.which("strace"):
        contenders["strace --seccomp-bpf"] = ["strace", "-f", "--seccomp-bpf", "-e", "trace=file,connect,bind", "-o", os.devnull, *python]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.files, arguments.trees)
        count = opened(folder)
        costs: dict[str, list[tuple[float, float]]] = {title: [] for title in contenders}
        for run in range(arguments.runs + 1):
            for title, command in contenders.items():
                cost = once(command, folder)
                if run:  # the first of each fills caches
                    costs[title].append(cost)
    medians = {title: tuple(statistics.median(part) for part in zip(*pairs)) for title, pairs in costs.items()}
    bare = medians["bare"]
    print(f"A training that opens {count} files, {arguments.runs} alternating runs, medians:\n")
    lines = head(["command"], ["wall s", "of bare", "CPU s", "of bare"])
    for title, (wall, cpu) in medians.items():
        lines.append(row([title, f"{wall:.2f}", f"{wall / bare[0]:.3f}", f"{cpu:.2f}", f"{cpu / bare[1]:.3f}"]))
    pairs = [captured[0] / alone[0] for captured, alone in zip(costs["waag run"], costs["bare"])]
    print("\n".join(lines))
    print(f"\nwaag run beside the bare run before it: {min(pairs):.3f} to {max(pairs):.3f}, median {statistics.median(pairs):.3f}")


if __name__ == "__main__":
    main()
