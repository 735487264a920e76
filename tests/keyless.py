"""Signs and verifies with waag and with the clients that other people use, each what the other signed: model-signing and
sigstore from PyPI, on a Sigstore instance on this machine, with both versions of the transparency log.

    cargo build --package waag-testkit --features sigstore --example local-sigstore
    python3 tests/keyless.py target/release/waag target/debug/examples/local-sigstore
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

IDENTITY = "signer@waag.test"
ISSUER = "https://issuer.waag.test"
OTHER = "other@waag.test"


def run(*argv: object) -> subprocess.CompletedProcess[str]:
    # Proxies would be asked for what is on this machine.
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([str(item) for item in argv], env=env, capture_output=True, text=True, timeout=300)


def expect(what: str, done: subprocess.CompletedProcess[str], good: bool = True) -> None:
    holds = (done.returncode == 0) == good
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        sys.exit(f"exit {done.returncode}\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def instance(program: str, folder: Path, log: int) -> Iterator[None]:
    """The instance, while it runs; what it wrote is in the folder."""
    with subprocess.Popen([program, str(folder), "--rekor", str(log)]) as process:
        try:
            for _ in range(600):
                if (folder / "address").exists() or process.poll() is not None:
                    break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def model(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "config.json").write_text('{"model_type": "llama"}\n')
    (folder / "sub" / "vocab.txt").write_text("a\nb\n")
    return folder


def check(waag: Path, scratch: Path, log: int) -> None:
    place, here = scratch / "instance", f"(log version {log})"
    trust = ["--trust_config", place / "trust_config.json"]
    waag_root = ["--trusted-root", place / "trusted_root.json"]
    waag_services = [*waag_root, "--signing-config", place / "signing_config.json"]
    token, python = (place / "token").read_text(), sys.executable
    who = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER]
    reference = [python, "-m", "model_signing"]

    # A model: the reference signs, waag verifies.
    signed, theirs, ours = model(scratch / "model"), scratch / "theirs.sig", scratch / "ours.sig"
    done = run(*reference, "sign", "sigstore", *trust, "--identity_token", token, "--signature", theirs, signed)
    expect(f"model_signing signs with the instance {here}", done)
    our_verify = [waag, "verify", signed, *waag_root, "--issuer", ISSUER, "--signature"]
    expect(f"waag verifies what model_signing signed {here}", run(*our_verify, theirs, "--identity", IDENTITY))
    expect(f"waag refuses another identity {here}", run(*our_verify, theirs, "--identity", OTHER), good=False)

    # The other way round.
    our_sign = [waag, "sign", signed, "--keyless", *waag_services, "--identity-token", place / "token", "--signature"]
    expect(f"waag signs with the instance {here}", run(*our_sign, ours))
    expect(f"waag verifies what waag signed {here}", run(*our_verify, ours, "--identity", IDENTITY))
    their_verify = [*reference, "verify", "sigstore", *trust, "--signature", ours, "--identity_provider", ISSUER, "--identity"]
    expect(f"model_signing verifies what waag signed {here}", run(*their_verify, IDENTITY, signed))
    expect(f"model_signing refuses another identity {here}", run(*their_verify, OTHER, signed), good=False)
    (signed / "config.json").write_text("{}\n")
    expect(f"model_signing refuses a changed file {here}", run(*their_verify, IDENTITY, signed), good=False)
    expect(f"waag refuses a changed file {here}", run(*our_verify, theirs, "--identity", IDENTITY), good=False)

    # A file, with Sigstore's own client.
    client = [python, "-m", "sigstore", "--trust-config", place / "trust_config.json"]
    artifact, bundle = scratch / "artifact.bin", scratch / "artifact.sigstore.json"
    artifact.write_bytes(b"weights")
    verify = [waag, "conformance", "verify-bundle", *waag_root, "--bundle"]
    sign = [waag, "conformance", "sign-bundle", *waag_services, "--identity-token", token, "--bundle"]
    digest = "sha256:" + hashlib.sha256(b"weights").hexdigest()
    done = run(*client, "sign", "--identity-token", token, "--bundle", bundle, artifact)
    expect(f"sigstore signs with the instance {here}", done)
    for given in (artifact, digest):
        expect(f"waag verifies what sigstore signed {here}", run(*verify, bundle, *who, given))
    expect(f"waag signs a file {here}", run(*sign, scratch / "ours.sigstore.json", artifact))
    done = run(
        *client, "verify", "identity", "--bundle", scratch / "ours.sigstore.json", "--cert-identity", IDENTITY,
        "--cert-oidc-issuer", ISSUER, artifact,
    )  # fmt: skip
    expect(f"sigstore verifies what waag signed {here}", done)


def main(waag: str, program: str) -> None:
    for log in (1, 2):
        with tempfile.TemporaryDirectory() as scratch, instance(program, Path(scratch, "instance"), log):
            check(Path(waag).resolve(), Path(scratch), log)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
