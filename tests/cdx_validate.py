"""Lets cdxgen's own validator judge the bills of materials of the folders that `tests/bom.py` makes.

    python3 tests/cdx_validate.py target/release/waag

It installs cdxgen of one version from npm into `.cdxgen`, without its optional parts. Where there is no Node 20 or newer with npm, or
cdxgen cannot be installed, it says so and is skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bom_repositories import REPOSITORIES  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "@cyclonedx/cdxgen@12.8.4"


def validator() -> Path:
    program = ROOT / ".cdxgen" / "node_modules" / ".bin" / "cdx-validate"
    if not (shutil.which("npm") and node_version() >= 20):
        skip("there is no Node 20 or newer with npm")
    if not program.exists():
        program.parent.parent.parent.mkdir(exist_ok=True)
        argv = ["npm", "install", "--omit=optional", "--no-audit", "--no-fund", "--prefix", str(ROOT / ".cdxgen"), PACKAGE]
        if subprocess.run(argv, stdout=subprocess.DEVNULL).returncode:
            skip(f"{PACKAGE} cannot be installed")
    return program


def node_version() -> int:
    if not shutil.which("node"):
        return 0
    told = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(told.removeprefix("v").partition(".")[0] or 0)


def skip(why: str) -> NoReturn:
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(0)


def main() -> None:
    waag, program = sys.argv[1], validator()
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, make in REPOSITORIES.items():
            top = Path(scratch) / name
            top.mkdir()
            folder = make(top)
            for version in ("1.6", "1.7"):
                path = Path(scratch) / f"{name}.{version}.cdx.json"
                made = subprocess.run([waag, "bom", str(folder), "--format", f"cyclonedx-{version}"], capture_output=True)
                path.write_bytes(made.stdout)
                argv = [str(program), "--input", str(path), "--report", "json", "--no-include-manual", "--min-severity", "critical"]
                # Into a file: it ends before a pipe has taken all of a long report.
                told = Path(scratch) / "report.json"
                with told.open("w") as out:
                    judged = subprocess.run(argv, stdout=out, stderr=subprocess.PIPE, text=True)
                report = json.loads(told.read_text() or "{}")
                holds = report.get("schemaValid") is True and report.get("deepValid") is True
                wrong += not holds
                print(f"{'ok' if holds else 'FAILED'}: {name}, CycloneDX {version}")
                if not holds:
                    print(told.read_text()[:2000], judged.stderr[:2000])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
