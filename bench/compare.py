#!/usr/bin/env python3
"""Runs waag and other scanners over the corpus, one process per case, and prints one Markdown table.

    python3 bench/compare.py --tools waag,picklescan --waag target/release/waag

Each tool is judged by what a build would see: its exit code with default options.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from corpus.generate import generate  # noqa: E402
from tables import head, percent, printable, row  # noqa: E402

# What a run can come to. `unsure` is everything that is not a clean bill and not a verdict of danger.
DENY, UNSURE, CLEAN, CRASH, TIMEOUT, SKIPPED = "deny", "unsure", "clean", "crash", "timeout", "skipped"


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str
    cpu: float
    timed_out: bool


@dataclass(frozen=True)
class Tool:
    name: str
    packages: tuple[str, ...]  # what pip installs; empty for waag
    command: Callable[[str, str], list[str]]  # (program or venv's bin, path) -> argv
    judge: Callable[[Run], str]
    folders: bool = True
    note: str = ""


def judge_waag(run: Run) -> str:
    return {0: CLEAN, 1: DENY, 3: UNSURE}.get(run.code, CRASH)


def judge_picklescan(run: Run) -> str:
    if run.code == 1:
        return DENY
    suspicious = re.search(r"Suspicious globals: (\d+)", run.out + run.err)
    return UNSURE if run.code or (suspicious and int(suspicious[1])) else CLEAN


def judge_modelscan(run: Run) -> str:
    return {0: CLEAN, 1: DENY}.get(run.code, UNSURE)


def judge_fickling(run: Run) -> str:
    return {0: CLEAN, 1: DENY}.get(run.code, UNSURE)


def judge_modelaudit(run: Run) -> str:
    return {0: CLEAN, 1: DENY}.get(run.code, UNSURE)


TOOLS = {
    "waag": Tool("waag", (), lambda program, path: [program, "scan", "--format", "json", path], judge_waag, note="0 allow, 1 deny, 3 inconclusive"),
    "picklescan": Tool("picklescan", ("picklescan==1.0.5", "numpy"), lambda bin, path: [f"{bin}/picklescan", "-p", path], judge_picklescan,
                       note="1 denied; 2, or a count of suspicious globals, not clean; NumPy is installed beside it, as it asks"),
    "modelscan": Tool("modelscan", ("modelscan==0.8.8",), lambda bin, path: [f"{bin}/modelscan", "-p", path], judge_modelscan,
                      note="1 denied; 2 (error) and 3 (nothing scanned) not clean"),
    "fickling": Tool("fickling", ("fickling==0.1.12", "typing_extensions"), lambda bin, path: [f"{bin}/fickling", "--check-safety", path],
                     judge_fickling, folders=False, note="1 denied; other codes not clean; folders are not its business and are left out"),
    "modelaudit": Tool("modelaudit", ("modelaudit==0.2.54",), lambda bin, path: [f"{bin}/modelaudit", "scan", path, "--format", "json"],
                       judge_modelaudit, note="1 denied; 2 (error or inconclusive) not clean; installed without extras"),
}
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}


def execute(argv: list[str], seconds: float, memory: int) -> Run:
    """One child in its own session, with a deadline, a memory limit and an empty home; CPU of it and its children."""

    def limits() -> None:
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        env = {"PATH": os.environ.get("PATH", ""), "HOME": home, "XDG_CACHE_HOME": home, "LANG": "C.UTF-8"} | QUIET
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=home, env=env, start_new_session=True, preexec_fn=limits)
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        timer = threading.Timer(seconds, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        code = child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read(1 << 20).decode("utf-8", "replace"))
        return Run(code, texts[0], texts[1], usage.ru_utime + usage.ru_stime, expired.is_set())


def outcome(tool: Tool, run: Run) -> str:
    if run.timed_out:
        return TIMEOUT
    if run.code < 0 or run.code == 101 or "Traceback (most recent call last)" in run.err:
        return CRASH
    return tool.judge(run)


def prepare(tool: Tool, venvs: Path, waag: str | None) -> str | None:
    """The program (waag) or the bin folder of the tool's own virtual environment, made when it is not there."""
    if not tool.packages:
        program = waag or shutil.which("waag") or next((str(p) for p in (HERE.parent / "target" / "release" / "waag",) if p.exists()), None)
        if program is None or not Path(program).exists():
            print("note: waag was not found; build it (cargo build --release) or name it with --waag", file=sys.stderr)
            return None
        return str(Path(program).resolve())
    home = venvs.resolve() / tool.name
    if not (home / "bin" / tool.name).exists():
        print(f"installing {' '.join(tool.packages)} ...", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
            subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", *tool.packages], check=True)
        except subprocess.CalledProcessError as error:
            print(f"note: {tool.name} is left out, it could not be installed: {error}", file=sys.stderr)
            return None
    return str(home / "bin")


def met(expect: str, result: str) -> bool:
    if expect == "deny":
        return result == DENY
    if expect == "not-allow":
        return result in (DENY, UNSURE)
    return result == CLEAN


def cell(results: list[str]) -> str:
    """Denied / not clean. A crash or a timeout is neither; they are counted on their own below."""
    judged = [r for r in results if r != SKIPPED]
    denied = sum(r == DENY for r in judged)
    unclean = sum(r in (DENY, UNSURE) for r in judged)
    return f"{percent(denied, len(judged))} / {percent(unclean, len(judged))}" if judged else "–"


def table(cases: list[dict], tools: list[Tool], results: dict[str, dict[str, str]], cpu: dict[str, float]) -> str:
    lines = head(["class"], ["cases", *(t.name for t in tools)])

    def line(title: str, chosen: list[dict]) -> None:
        cells = [cell([results[t.name][c["id"]] for c in chosen]) for t in tools]
        lines.append(row([title, len(chosen), *cells]))

    for label in ("malicious", "good"):
        for cls in sorted({c["class"] for c in cases if c["label"] == label}):
            line(cls, [c for c in cases if c["class"] == cls and c["label"] == label])
        line(f"**all {label}: denied / not clean**", [c for c in cases if c["label"] == label])
    wanted = [c for c in cases if c["label"] == "malicious"]
    lines.append(row(["malicious, met what the case expects", len(wanted), *(
        percent(sum(met(c["expect"], results[t.name][c["id"]]) for c in wanted), sum(results[t.name][c["id"]] != SKIPPED for c in wanted)) for t in tools)]))
    for kind in (CRASH, TIMEOUT):
        lines.append(row([f"{kind}{'es' if kind == CRASH else 's'}", len(cases), *(sum(r == kind for r in results[t.name].values()) for t in tools)]))
    lines.append(row(["CPU seconds, all cases", len(cases), *(f"{cpu[t.name]:.1f}" for t in tools)]))
    lines += ["", "Cells: share denied / share not clean. Every tool ran as one process per case with its default options, so CPU includes start-up. Exit codes:"]
    lines += [f"- {t.name}{' (' + t.packages[0].partition('==')[2] + ')' if t.packages else ''}: {t.note}." for t in tools]
    return "\n".join(lines)


def listing(title: str, rows: list[tuple[dict, str]]) -> str:
    out = [f"\n{title}: {len(rows)}"]
    out += [f"- {c['id']} ({result}; wanted {c['expect']}): {c['why']}" for c, result in rows]
    return "\n".join(out)


def choose(cases: list[dict], classes: str | None, sample: int) -> list[dict]:
    if classes:
        wanted = set(classes.split(","))
        cases = [c for c in cases if c["class"] in wanted or c["label"] in wanted]
    if sample:
        groups: dict[str, list[dict]] = collections.defaultdict(list)
        for c in cases:
            groups[c["class"]].append(c)
        cases = [c for group in groups.values() for c in group[:: max(1, -(-len(group) // sample))]]
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="a corpus made before; by default one is made in a temporary folder")
    parser.add_argument("--tools", default="waag,picklescan,modelscan,fickling,modelaudit")
    parser.add_argument("--waag", help="the waag binary")
    parser.add_argument("--venvs", type=Path, default=HERE / ".venvs", help="where the peers are installed")
    parser.add_argument("--timeout", type=float, default=60, help="wall seconds per case")
    parser.add_argument("--memory", type=float, default=8, help="address space per process in GiB, 0 for no limit")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once; timings are only honest with 1")
    parser.add_argument("--classes", help="only these classes, or `malicious` or `good`, separated by commas")
    parser.add_argument("--sample", type=int, default=0, help="at most about this many cases of each class")
    parser.add_argument("--floor", type=float, help="fail unless waag meets this share of the malicious cases' expectations")
    parser.add_argument("--deny-floor", type=float, help="fail unless waag denies this share of the malicious cases")
    parser.add_argument("--good-floor", type=float, help="fail unless waag allows this share of the good cases")
    parser.add_argument("--json", type=Path, help="also write every outcome here")
    args = parser.parse_args()

    unknown = [t for t in args.tools.split(",") if t not in TOOLS]
    if unknown:
        parser.error(f"unknown tool {unknown[0]}; known: {', '.join(TOOLS)}")
    with tempfile.TemporaryDirectory() as scratch:
        root = (args.corpus or Path(scratch) / "corpus").resolve()
        if not (root / "manifest.json").exists():
            generate(root)
        manifest = json.loads((root / "manifest.json").read_text())
        cases = choose(manifest["cases"], args.classes, args.sample)
        if not cases:
            parser.error("no case is left; look at --classes")
        ready = [(TOOLS[t], where) for t in args.tools.split(",") if (where := prepare(TOOLS[t], args.venvs, args.waag))]
        if not ready:
            return 2
        results: dict[str, dict[str, str]] = {}
        cpu: dict[str, float] = {}
        memory = int(args.memory * (1 << 30))

        def one(tool: Tool, where: str, case: dict) -> tuple[str, float]:
            if case["kind"] == "folder" and not tool.folders:
                return SKIPPED, 0.0
            path = str(root / case["path"])
            run = execute(tool.command(where, path), args.timeout, memory)
            return outcome(tool, run), run.cpu

        for tool, where in ready:
            with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
                done = list(pool.map(lambda c, t=tool, w=where: one(t, w, c), cases))
            results[tool.name] = {c["id"]: r for c, (r, _) in zip(cases, done, strict=True)}
            cpu[tool.name] = sum(seconds for _, seconds in done)
            print(f"{tool.name}: done", file=sys.stderr)
        tools = [t for t, _ in ready]
        print(printable(table(cases, tools, results, cpu)))
        for note in manifest["notes"]:
            print(f"- not in this corpus: {note}")
        if args.json:
            args.json.write_text(json.dumps({"results": results, "cpu": cpu}, indent=1, sort_keys=True) + "\n")
        return verdict(cases, results.get("waag"), args.floor, args.good_floor, args.deny_floor)


def verdict(cases: list[dict], waag: dict[str, str] | None, floor: float | None, good_floor: float | None, deny_floor: float | None = None) -> int:
    if waag is None:
        if floor or good_floor or deny_floor:
            print("error: a floor was asked for, but waag did not run", file=sys.stderr)
            return 2
        return 0
    bad = [c for c in cases if c["label"] == "malicious"]
    good = [c for c in cases if c["label"] == "good"]
    print(printable(listing("waag: malicious, yet allowed", [(c, waag[c["id"]]) for c in bad if waag[c["id"]] == CLEAN])))
    weaker = [(c, waag[c["id"]]) for c in bad if waag[c["id"]] != CLEAN and not met(c["expect"], waag[c["id"]])]
    print(printable(listing("waag: malicious, not allowed, but less than expected", weaker)))
    print(printable(listing("waag: good, yet not allowed", [(c, waag[c["id"]]) for c in good if waag[c["id"]] != CLEAN])))
    code = 0
    for name, chosen, wanted in (("malicious cases met", bad, floor), ("good cases allowed", good, good_floor)):
        if wanted is None or not chosen:
            continue
        share = sum(met(c["expect"], waag[c["id"]]) for c in chosen) / len(chosen)
        print(f"\nfloor: {name} {share:.4f}, wanted {wanted}: {'ok' if share >= wanted else 'NOT MET'}")
        code |= share < wanted
    if deny_floor is not None and bad:
        share = sum(waag[c["id"]] == DENY for c in bad) / len(bad)
        print(f"\nfloor: malicious cases denied {share:.4f}, wanted {deny_floor}: {'ok' if share >= deny_floor else 'NOT MET'}")
        code |= share < deny_floor
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
