"""Runs the bundles of sigstore-conformance, the test suite that Sigstore's clients share, on waag. Each is verified twice,
over the file and over its digest, offline. The suite is not part of waag: take a checkout of
https://github.com/sigstore/sigstore-conformance, and

    python3 tests/sigstore_conformance.py CHECKOUT target/release/waag
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

# Whose the bundles are that name nobody: the workflow that the suite signs with.
IDENTITY = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"


def text(path: Path, otherwise: str) -> str:
    return path.read_text().strip() if path.exists() else otherwise


def arguments(case: Path) -> list[str]:
    """What the suite gives a client for a case, without the artifact."""
    given = ["--bundle", str(case / "bundle.sigstore.json")]
    if (case / "key.pub").exists():
        given += ["--key", str(case / "key.pub")]
    else:
        given += ["--certificate-identity", text(case / "identity", IDENTITY)]
        given += ["--certificate-oidc-issuer", text(case / "issuer", ISSUER)]
    if (case / "trusted_root.json").exists():
        given += ["--trusted-root", str(case / "trusted_root.json")]
    return given


def main(checkout: str, waag: str) -> None:
    bundles = Path(checkout) / "test" / "assets" / "bundle-verify"
    cases = sorted(path for path in bundles.iterdir() if path.is_dir())
    if not cases:
        sys.exit(f"no cases in {bundles}")
    good = wrong = 0
    for case in cases:
        artifact = case / "artifact" if (case / "artifact").exists() else bundles / "a.txt"
        digest = "sha256:" + hashlib.sha256(artifact.read_bytes()).hexdigest()
        for given in (str(artifact), digest):
            command = [waag, "conformance", "verify-bundle", *arguments(case), given]
            run = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60)
            # A file that is no bundle or no root at all may be a mistake of whoever runs waag: that is 2.
            expected = run.returncode in (1, 2) if case.name.endswith("_fail") else run.returncode == 0
            good, wrong = good + expected, wrong + (not expected)
            if not expected or "-v" in sys.argv:
                print(f"{'ok' if expected else 'FAILED'}: {case.name}: {(run.stdout + run.stderr).strip()}")
    print(f"{good} of {good + wrong} as they should be, in {len(cases)} cases")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(*[argument for argument in sys.argv[1:] if argument != "-v"])
