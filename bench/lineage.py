"""How long the ledger takes to add statements and to answer which models descend from something, as it grows.

The graph is generated: models that were made from earlier ones (the popular ones more often), from datasets, code and
packages, ten edges a statement. A query is one process of waag: cold is the first after the page cache was dropped (by
root) or after every file of the ledger was advised away; warm is the process again. The median of the runs is printed.

    python3 bench/lineage.py --waag target/release/waag --edges 10000 100000 1000000
"""

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

EDGES_EACH = 10


def digest(kind, number):
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def dependency(kind, number, role):
    return {"name": f"{kind}-{number}", "digest": {"sha256": digest(kind, number)}, "annotations": {"role": role}}


def statement(number, choose, popular):
    bases = {choose.choice(popular) for _ in range(2)} if number else set()
    parts = [dependency("model", base, "base-model") for base in sorted(bases)]
    parts += [dependency("dataset", choose.randrange(1 + number // 20), "dataset") for _ in range(2)]
    parts.append(dependency("code", choose.randrange(1 + number // 10), "code"))
    while len(parts) < EDGES_EACH:
        parts.append({"uri": f"pkg:pypi/package-{choose.randrange(400)}@1.{choose.randrange(9)}"})
    popular += [number, *bases]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"model-{number}", "digest": {"sha256": digest("model", number)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://waag.dev/build-types/fine-tune/v1",
                "externalParameters": {},
                "resolvedDependencies": parts,
            },
            "runDetails": {"builder": {"id": "https://example.org/builder"}},
        },
    }


def write(path, edges):
    choose, popular = random.Random(7), []
    with path.open("w") as lines:
        for number in range(edges // EDGES_EACH):
            lines.write(json.dumps(statement(number, choose, popular), separators=(",", ":")) + "\n")


def timed(command, folder):
    before = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - before
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    return took, done.stdout


def drop_caches(folder):
    """Whether the whole page cache was dropped; otherwise the ledger's files are advised away."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
        return True
    except OSError:
        for path in (folder / ".waag").rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return False


def measure(waag, edges, runs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "all.jsonl", edges)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        added, _ = timed([waag, "ledger", "import", "all.jsonl"], folder)
        (folder / "one.json").write_text(json.dumps(statement(10**9, random.Random(1), [0, 1])))
        one, _ = timed([waag, "ledger", "add", "one.json"], folder)
        rows = []
        middle = edges // EDGES_EACH // 100
        questions = [
            ("a model", digest("model", middle)),
            ("the first model", digest("model", 0)),
            ("a package", "pkg:pypi/package-7@1.3"),
        ]
        time.sleep(3)
        timed([waag, "lineage", "--affected-by", questions[0][1]], folder)
        for words, what in questions:
            command = [waag, "lineage", "--affected-by", what, "--limit", "200", "--format", "json"]
            warm, cold = [], []
            for _ in range(runs):
                dropped = drop_caches(folder)
                # The program itself is no part of what grows.
                timed([waag, "--version"], folder)
                cold.append(timed(command, folder)[0])
            for _ in range(runs):
                took, answer = timed(command, folder)
                warm.append(took)
            reached = json.loads(answer)["reached"]
            rows.append((words, reached, statistics.median(cold), statistics.median(warm)))
        return added, one, rows, dropped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waag", type=Path, required=True)
    parser.add_argument("--edges", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    waag = arguments.waag.resolve()
    print("| edges | statements | import | add one | affected by | artifacts | cold | warm |")
    print("|---:|---:|---:|---:|---|---:|---:|---:|")
    dropped = True
    for edges in arguments.edges:
        added, one, rows, dropped = measure(waag, edges, arguments.runs)
        for words, reached, cold, warm in rows:
            print(
                f"| {edges:,} | {edges // EDGES_EACH:,} | {added:.1f} s | {one * 1000:.0f} ms | {words} | {reached:,} "
                f"| {cold * 1000:.0f} ms | {warm * 1000:.0f} ms |",
                flush=True,
            )
    if not dropped:
        print("\nThe page cache could not be dropped; files of the ledger were advised away instead.")


if __name__ == "__main__":
    main()
