#!/usr/bin/env python3
"""Runs waag and every peer on the generated corpus and on every peer's own test files; writes docs/comparison.md.

    python3 bench/peers.py --waag target/release/waag --peer-tests DIR --out docs/comparison.md

The peers' test files come from their public sources at run time, and nothing of them is kept. A release on PyPI is
used when it holds the tests; for the others DIR holds git checkouts: DIR/picklescan, DIR/modelscan, DIR/fickling.
Files are labelled by what the peer itself expects of them: by their names, or by the assertion of the test that makes
them. Tests that only make files are run without network where the system allows it; nothing hostile is loaded.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from compare import CRASH, DENY, SKIPPED, TIMEOUT, TOOLS, UNSURE, Tool, choose, execute, outcome, prepare  # noqa: E402
from corpus.generate import generate  # noqa: E402
from tables import head, percent, printable, row  # noqa: E402

HOSTILE, GOOD = "malicious", "good"


@dataclass(frozen=True)
class Sample:
    corpus: str
    label: str
    path: Path


@dataclass(frozen=True)
class Source:
    """Where a peer's test files are, and how its names say what they are; the first rule that matches decides."""

    package: str
    folders: tuple[str, ...]
    rules: tuple[tuple[str, str | None], ...]  # (regular expression, label or None: left out)
    maker: str = ""  # a script that makes files, run in the peer's own environment
    needs: tuple[str, ...] = ()


# modelscan's tests make their pickles in a pytest fixture, in a module that imports torch and TensorFlow. Only the
# fixture that writes pickles is run, with stand-ins for what it does not need.
MODELSCAN = r"""
import importlib.machinery, pathlib, sys, types
from unittest import mock

class Anything(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return mock.MagicMock()

def fixture(*args, **kwargs):
    return args[0] if args and callable(args[0]) else lambda f: f

tests, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
class Base:
    pass
for name in ("torch", "torch.nn", "tensorflow", "tf_keras", "pytest", "modelscan", "modelscan.modelscan", "modelscan.cli", "modelscan.issues", "modelscan.tools",
             "modelscan.tools.picklescanner", "modelscan.skip", "modelscan.settings", "modelscan.model"):
    module = sys.modules[name] = Anything(name)
    module.__path__ = []
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
sys.modules["pytest"].fixture = fixture
sys.modules["torch.nn"].Module = Base
sys.modules["tf_keras"].Model = Base
sys.modules["tf_keras"].__getattr__ = lambda name: mock.MagicMock()
sys.path.insert(0, str(tests))
import test_modelscan

class Factory:
    def mktemp(self, name):
        folder = out / name
        folder.mkdir()
        return folder

for maker in ("zip_file_path", "file_path"):
    try:
        getattr(test_modelscan, maker)(Factory())
    except Exception as error:
        print(f"note: {maker} stopped early: {error!r}", file=sys.stderr)
"""

# fickling's tests put pickles together from opcodes and assert what fickling says of them. check_safety is wrapped to
# write each of them down, and the assertion against LIKELY_SAFE gives the label.
FICKLING = r"""
import pathlib, sys, unittest
tests, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(tests.parent))
import fickling.analysis as analysis
from fickling.analysis import Severity
from fickling.fickle import Pickled
real, pending, current = analysis.check_safety, [], [""]

load, read = Pickled.load, {}

def remember(pickled, *args, **kwargs):
    parsed = load(pickled, *args, **kwargs)
    if isinstance(pickled, (bytes, bytearray)):
        read[id(parsed)] = parsed, bytes(pickled)
    return parsed

Pickled.load = staticmethod(remember)

def check_safety(pickled, *args, **kwargs):
    try:
        # What was read is written down as it was: fickling's own writer would put frames right that lie.
        data = read[id(pickled)][1] if id(pickled) in read else pickled.dumps()
        if data not in pending:
            pending.append(data)
    except Exception:
        pass
    return real(pickled, *args, **kwargs)

analysis.check_safety = check_safety
count = 0

def settle(label):
    global count
    for data in pending:
        count += 1
        (out / f"{label}-{current[0]}-{count}.pkl").write_bytes(data)
    pending.clear()

def watch(name, label):
    method = getattr(unittest.TestCase, name)
    def watched(self, a, b, *rest, **more):
        if any(x is Severity.LIKELY_SAFE or x == Severity.LIKELY_SAFE for x in (a, b) if isinstance(x, Severity)):
            settle(label)
        elif any(x in (Severity.SUSPICIOUS, getattr(Severity.SUSPICIOUS, "severity", None)) for x in (b,)) and name == "assertGreaterEqual":
            settle("malicious")
        return method(self, a, b, *rest, **more)
    setattr(unittest.TestCase, name, watched)

for name, label in (("assertGreater", "malicious"), ("assertNotEqual", "malicious"), ("assertEqual", "good"), ("assertLessEqual", "good"), ("assertGreaterEqual", "malicious")):
    watch(name, label)
for file in ("test_bypasses", "test_analysis", "test_expansion_attack_analysis"):
    suite = unittest.defaultTestLoader.loadTestsFromName(f"{tests.name}.{file}")
    for group in suite:
        for test in group:
            current[0], before = getattr(test, "_testMethodName", file), pending.clear()
            test.run(unittest.TestResult())
"""

SOURCES = {
    "picklescan": Source("picklescan", ("tests/data", "tests/data2"), (
        (r"(broken|not_a_pickle|bad_pytorch|password_protected|invalid-bytes)", None),
        (r"/(benign|int_array|object_array|pytorch_model\.bin|new_pytorch_model\.bin)", GOOD), (r"\.(pkl|pickle|bin|pt|npy|npz|zip|7z)$", HOSTILE))),
    "modelscan": Source("modelscan", ("tests/data",), ((r"password_protected", None), (r"/(benign|safe)", GOOD), (r"/(malicious|unsafe|test\.zip)", HOSTILE)), MODELSCAN, ("dill", "requests", "aiohttp", "numpy")),
    "fickling": Source("fickling", ("test/fixtures",), ((r"/malicious-", HOSTILE), (r"/good-", GOOD), (r"\.pt$", GOOD)), FICKLING),
    "modelaudit": Source("modelaudit", ("tests/assets",), (
        (r"(\.py|manifest\.json|README\.txt|LICENSE|\.csv|/config\.json)$|edge_cases|/suspicious_config|dill_func|pipeline\.skops|training_data", None),
        (r"malicious|multiple_patterns|shell_commands|suspicious_url|exploit|attack|nested_pickle|simple_nested|decode_exec|obfuscated|injection|path_traversal", HOSTILE),
        (r"/safe_|benign|license_scenarios|model_config\.yaml|sentencepiece", GOOD))),
}


def version(name: str) -> str:
    return TOOLS[name].packages[0].partition("==")[2]


def source_of(name: str, source: Source, given: Path | None, scratch: Path) -> Path | None:
    """The peer's sources: a checkout the user names, else the release on PyPI if it holds the tests."""
    checkout = given / name if given else None
    if checkout and (checkout / source.folders[0]).parent.is_dir():
        return checkout
    home = scratch / f"sdist-{name}"
    home.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps", "--dest", str(home), f"{source.package}=={version(name)}"]
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        return None
    for archive in home.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(home, filter="data")
    return next((p for p in home.iterdir() if (p / source.folders[0]).is_dir()), None)


def sandbox(argv: list[str]) -> list[str]:
    """Without network, where the system lets an ordinary user do that."""
    wrap = ["unshare", "--map-root-user", "--net"]
    usable = shutil.which("unshare") and subprocess.run([*wrap, "true"], check=False, capture_output=True).returncode == 0
    return [*wrap, *argv] if usable else argv


def make_files(name: str, source: Source, root: Path, venvs: Path, scratch: Path) -> Path | None:
    """Runs the tests that make files. They pickle and assemble; they unpickle nothing."""
    if not source.maker:
        return None
    bin = prepare(TOOLS[name], venvs, None)
    if bin is None:
        return None
    if source.needs:
        subprocess.run([f"{bin}/pip", "install", "--quiet", *source.needs], check=False)
    out, script = scratch / f"made-{name}", scratch / f"make-{name}.py"
    out.mkdir()
    script.write_text(source.maker)
    run = execute(sandbox([f"{bin}/python", "-B", str(script), str((root / source.folders[0]).parent.resolve()), str(out)]), 300, 8 << 30)
    for line in run.err.splitlines():
        if line.startswith("note:"):
            print(f"{name}: {line}", file=sys.stderr)
    if run.code:
        print(f"note: {name}'s tests ended with {run.code}: {run.err.strip()[-300:]}", file=sys.stderr)
    return out


def label_of(source: Source, path: Path) -> str | None:
    return next((label for rule, label in source.rules if re.search(rule, path.as_posix())), None)


def peer_samples(given: Path | None, venvs: Path, scratch: Path) -> tuple[list[Sample], list[str]]:
    samples, notes = [], []
    for name, source in SOURCES.items():
        root = source_of(name, source, given, scratch)
        if root is None:
            notes.append(f"{name}: its release holds no tests, and no checkout was named (--peer-tests)")
            continue
        homes = [root / folder for folder in source.folders if (root / folder).is_dir()]
        made = make_files(name, source, root, venvs, scratch)
        files = sorted(f for home in [*homes, *([made] if made else [])] for f in home.rglob("*") if f.is_file())
        found = [Sample(name, label, f.resolve()) for f in files if (label := label_of(source, f))]
        samples += found
        notes.append(f"{name}: {sum(s.label == HOSTILE for s in found)} hostile and {sum(s.label == GOOD for s in found)} good files; {len(files) - len(found)} left out (texts, broken or encrypted files, and those whose label is not clear)")
    return samples, notes


def generated_samples(root: Path, sample: int) -> list[Sample]:
    manifest = json.loads((root / "manifest.json").read_text())
    return [Sample("generated", c["label"], root / c["path"]) for c in choose(manifest["cases"], None, sample)]


def run_all(samples: list[Sample], tools: list[tuple[Tool, str]], args: argparse.Namespace) -> dict[tuple[str, str], list[tuple[str, str, float]]]:
    """(tool, corpus) -> label, outcome, CPU seconds of each file."""
    results: dict[tuple[str, str], list[tuple[str, str, float]]] = {}
    kept: dict[str, list[list]] = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}

    def one(tool: Tool, where: str, sample: Sample) -> tuple[str, str, float]:
        if sample.path.is_dir() and not tool.folders:
            return sample.label, SKIPPED, 0.0
        run = execute(tool.command(where, str(sample.path)), args.timeout, int(args.memory * (1 << 30)))
        return sample.label, outcome(tool, run), run.cpu

    for tool, where in tools:
        for corpus in dict.fromkeys(s.corpus for s in samples):
            chosen = [s for s in samples if s.corpus == corpus]
            names = [s.path.name for s in chosen]
            before = kept.get(f"{tool.name} {corpus}", [])
            if not before and args.only_kept:
                continue
            if [r[0] for r in before] == names:
                results[tool.name, corpus] = [(label, result, cpu) for _, label, result, cpu in before]
                continue
            work: Callable[[Sample], tuple[str, str, float]] = lambda s, t=tool, w=where: one(t, w, s)  # noqa: E731
            with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
                results[tool.name, corpus] = list(pool.map(work, chosen))
            print(f"{tool.name} on {corpus}: done", file=sys.stderr)
            kept[f"{tool.name} {corpus}"] = [[n, *r] for n, r in zip(names, results[tool.name, corpus], strict=True)]
            if args.json:
                args.json.write_text(json.dumps(kept, indent=1) + "\n")
    return results


def cells(rows: list[tuple[str, str, float]]) -> list[str]:
    def share(label: str, kinds: tuple[str, ...]) -> str:
        judged = [r for seen, r, _ in rows if seen == label and r != SKIPPED]
        part = sum(r in kinds for r in judged)
        return f"{part}/{len(judged)} ({percent(part, len(judged))})" if judged else "–"

    broken = sum(r in (CRASH, TIMEOUT) for _, r, _ in rows)
    return [share(HOSTILE, (DENY,)), share(HOSTILE, (DENY, UNSURE)), share(GOOD, (DENY,)), share(GOOD, (DENY, UNSURE)), str(broken), f"{sum(cpu for _, _, cpu in rows):.1f}"]


def table(results: dict[tuple[str, str], list[tuple[str, str, float]]]) -> list[str]:
    lines = head(["test files of", "tool"], ["hostile denied", "hostile not clean", "good denied", "good not clean", "crashes, timeouts", "CPU s"])
    for corpus in dict.fromkeys(c for _, c in results):
        title = "waag (generated)" if corpus == "generated" else corpus
        for tool in dict.fromkeys(t for t, _ in results):
            own = " (its own)" if tool == corpus or (tool == "waag" and corpus == "generated") else ""
            lines.append(row([title, tool + own, *(cells(results[tool, corpus]) if (tool, corpus) in results else ["not run"] + [""] * 5)]))
    return lines


def page(results: dict[tuple[str, str], list[tuple[str, str, float]]], notes: list[str], tools: list[tuple[Tool, str]], waag: str, sample: int) -> str:
    lines = ["# waag beside other scanners", "", "What each scanner's exit code says, with its default options, of this project's corpus and of every other scanner's own test files.", ""]
    lines += table(results)
    lines += ["", "**Denied**: the exit code says danger. **Not clean**: denied, or the tool reported something suspicious, an error, or that it looked at nothing; for good files less is better.",
              "A tool that does not know a format scores nothing on it. Files in archives and folders count once. Crashes and timeouts count as neither.", "",
              "A corpus flatters the tool it was written with: read the lines that are not marked *its own*. The labels are those of the corpus's authors, right or wrong. Hostile files include",
              "broken ones and those that nobody can vouch for, where *not clean* is the right answer and *denied* is not needed.", "", "## What was run", ""]
    lines.append(f"- {datetime.datetime.now(datetime.UTC).date().isoformat()}, Python {sys.version.split()[0]}, {waag}.")
    lines += [f"- {t.name}{' ' + version(t.name) if t.packages else ''}: {t.note}." for t, _ in tools]
    lines += [f"- {note}." for note in notes]
    lines.append(f"- Of the generated corpus, {'every case' if not sample else f'at most about {sample} cases of each class, evenly chosen'}.")
    lines += ["- One process per file, so CPU seconds include start-up.", "", "## How to repeat it", "", "    git clone https://github.com/mmaitre314/picklescan peers/picklescan", "    git clone https://github.com/protectai/modelscan peers/modelscan",
              "    git clone https://github.com/trailofbits/fickling peers/fickling", "    cargo build --release",
              f"    python3 bench/peers.py --waag target/release/waag --peer-tests peers{f' --sample {sample}' if sample else ''} --out docs/comparison.md", "",
              "modelaudit's release on PyPI holds its test files. Nothing of other projects is kept in this repository."]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-tests", type=Path, help="a folder with checkouts of the peers, one folder each")
    parser.add_argument("--tools", default="waag,picklescan,modelscan,fickling,modelaudit")
    parser.add_argument("--corpora", default=f"generated,{','.join(SOURCES)}", help="whose test files")
    parser.add_argument("--waag", help="the waag binary")
    parser.add_argument("--venvs", type=Path, default=HERE / ".venvs", help="where the peers are installed")
    parser.add_argument("--corpus", type=Path, help="a corpus made before; by default one is made in a temporary folder")
    parser.add_argument("--sample", type=int, default=0, help="at most about this many generated cases of each class")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--memory", type=float, default=8, help="address space per process in GiB, 0 for no limit")
    parser.add_argument("--jobs", type=int, default=1, help="files at once; CPU seconds are only honest with 1")
    parser.add_argument("--json", type=Path, help="keep every outcome here, and do not run again what is already there")
    parser.add_argument("--only-kept", action="store_true", help="write the page from what --json holds, and run nothing more")
    parser.add_argument("--out", type=Path, help="write the page here; by default it is printed")
    args = parser.parse_args()
    unknown = [t for t in args.tools.split(",") if t not in TOOLS]
    if unknown:
        parser.error(f"unknown tool {unknown[0]}; known: {', '.join(TOOLS)}")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        root = (args.corpus or scratch / "corpus").resolve()
        if not (root / "manifest.json").exists():
            generate(root)
        samples, notes = peer_samples(args.peer_tests.resolve() if args.peer_tests else None, args.venvs, scratch)
        tools = [(TOOLS[t], where) for t in args.tools.split(",") if (where := prepare(TOOLS[t], args.venvs, args.waag))]
        if not tools:
            return 2
        waag = next((where for tool, where in tools if tool.name == "waag"), None)
        shown = subprocess.run([waag, "--version"], capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}).stdout.strip() if waag else "without waag"
        wanted = args.corpora.split(",")
        results = run_all([s for s in [*generated_samples(root, args.sample), *samples] if s.corpus in wanted], tools, args)
        text = printable(page(results, notes, tools, shown, args.sample))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
