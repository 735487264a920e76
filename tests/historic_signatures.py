"""Verifies what earlier versions of the reference signer signed, and the vectors of the specification, from checkouts of
their repositories. Neither is part of this one.

    git clone https://github.com/sigstore/model-transparency
    git clone https://github.com/ossf/model-signing-spec
    python3 tests/historic_signatures.py target/release/waag model-transparency model-signing-spec

With one folder, only that one is run. Signatures by Sigstore identities need waag's own trusted root to be that of the
public instance, which it is unless another was imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

IDENTITY = ["--identity", "stefanb@us.ibm.com", "--issuer", "https://sigstore.verify.ibm.com/oauth2"]


def verify(waag: str, model: Path, signature: Path, trust: list[str]) -> tuple[int, str]:
    argv = [waag, "verify", str(model), "--signature", str(signature), "--format", "json", *trust]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        return done.returncode, done.stderr.strip().splitlines()[0]
    found = json.loads(done.stdout)["signatures"][0]
    codes = [problem["code"] for problem in found["problems"]] + [each["code"] for each in found["differences"]]
    return done.returncode, ", ".join(sorted(set(codes))) or found["signer"]["name"]


def historic(waag: str, checkout: Path) -> int:
    """The directories v0.2.0 to v1.1.0; all of them have to verify."""
    keys = checkout / "scripts/tests/keys/certificate"
    failed = 0
    folders = sorted(path.parent for path in (checkout / "scripts/tests").glob("v*/model.sig"))
    for folder in folders:
        method = folder.name.split("-", 1)[1]
        trust = {
            "certificate": ["--roots", str(keys / "ca-cert.pem"), "--identity", "intermediate-ca"],
            "elliptic-key": ["--key", str(keys / "signing-key-pub.pem")],
            "sigstore": IDENTITY,
        }[method]
        # Two of the signatures by key are over a single file, and early signers did not write down what they ignored.
        single = folder.name in ("v0.3.1-elliptic-key", "v1.0.0-elliptic-key")
        ignored = ["--ignore", "ignore-me"] if (folder / "ignore-me").exists() else []
        model = folder / "signme-1" if single else folder
        code, words = verify(waag, model, folder / "model.sig", [*trust, *ignored])
        failed += code != 0
        print(f"{'ok' if code == 0 else 'FAILED'}: {folder.name}: {words}")
    print(f"{len(folders) - failed} of {len(folders)} historic signatures verify")
    return failed


def vectors(waag: str, checkout: Path) -> int:
    """The specification's vectors. There are no models with them: valid ones have to fail for their files alone."""
    expected = {
        "valid": {"changed-file", "missing-file", "unsigned-file"},
        "invalid": {"malformed-bundle", "log-entry-missing"},
        "invalid-payload": {"signature-invalid", "predicate-type", "malformed-statement", "key-mismatch"},
    }
    # The vectors of the reference's own keys: their public halves are in the other repository.
    keys = checkout.parent / "model-transparency/scripts/tests/keys/certificate"
    failed = count = 0
    for kind, codes in expected.items():
        for path in sorted((checkout / f"test-vectors/v1.0/{kind}").glob("*.json")):
            name = path.name.split(".")[0]
            by_key = ["--key", str(keys / "signing-key-pub.pem")]
            trust = {"certificate": ["--roots", str(keys / "ca-cert.pem"), "--identity", "intermediate-ca"],
                     "sigstore": IDENTITY, "missing-tlog-entries": IDENTITY}.get(name, by_key)
            code, words = verify(waag, checkout / "schemas", path, trust)
            good = code == 1 and set(words.split(", ")) & codes and not (kind == "valid" and set(words.split(", ")) - codes)
            failed, count = failed + (not good), count + 1
            print(f"{'ok' if good else 'FAILED'}: {kind}/{name}: {words}")
    print(f"{count - failed} of {count} vectors of the specification end as they should")
    return failed


def main() -> int:
    waag, *checkouts = sys.argv[1:]
    if not checkouts:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    for checkout in map(Path, checkouts):
        run = historic if (checkout / "scripts/tests").is_dir() else vectors
        failed += run(waag, checkout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
