"""Lets cdxgen's own validator judge the bills of materials of the folders that `tests/bom.py` makes.

    python3 tests/cdx_validate.py target/release/waag

It needs Node 20 or newer with npm, and installs cdxgen of one version from npm into `.cdxgen`, without its optional parts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bom_repositories import REPOSITORIES  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "@cyclonedx/cdxgen@12.8.4"


def validator() -> Path:
    program = ROOT / ".cdxgen" / "node_modules" / ".bin" / "cdx-validate"
    if not program.exists():
        program.parent.parent.parent.mkdir(exist_ok=True)
        argv = ["npm", "install", "--omit=optional", "--no-audit", "--no-fund", "--prefix", str(ROOT / ".cdxgen"), PACKAGE]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return program


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
                judged = subprocess.run(argv, capture_output=True, text=True)
                report = json.loads(judged.stdout or "{}")
                holds = report.get("schemaValid") is True and report.get("deepValid") is True
                wrong += not holds
                print(f"{'ok' if holds else 'FAILED'}: {name}, CycloneDX {version}")
                if not holds:
                    print(judged.stdout[:2000], judged.stderr[:2000])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
