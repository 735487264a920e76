"""Attests with waag what other people's libraries read and verify, and the other way round: in-toto-attestation parses every
type that it knows, securesystemslib verifies and signs envelopes by key, and sigstore does so on an instance on this machine,
with both versions of the transparency log.

    cargo build --package waag-testkit --features sigstore --example local-sigstore
    python3 tests/attestations.py target/release/waag target/debug/examples/local-sigstore
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.scai.v0 import scai_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from keyless import IDENTITY, ISSUER, OTHER, expect, instance, model, run

DIGEST = {"sha256": "ab" * 32}
# What has to be read from a file, in the words of each specification.
PREDICATES = {
    "test-result": {"result": "PASSED", "configuration": [{"name": "suite.yaml", "digest": DIGEST}], "passedTests": ["a"]},
    "vulns": {
        "scanner": {"uri": "pkg:pypi/pip-audit@2", "db": {"lastUpdate": "2026-11-01T00:00:00Z"}, "result": []},
        "metadata": {"scanStartedOn": "2026-11-02T00:00:00Z", "scanFinishedOn": "2026-11-02T00:00:01Z"},
    },
    "scai": {
        "attributes": [{"attribute": "DETERMINISTIC", "conditions": {"seed": 1}, "evidence": {"name": "log", "digest": DIGEST}}],
        "producer": {"uri": "https://example.org/trainer"},
    },
    "reference": {
        "attester": {"id": "https://example.org/cards"},
        "references": [{"downloadLocation": "https://example.org/card", "mediaType": "text/markdown", "digest": DIGEST}],
    },
    "cyclonedx": {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []},
    "spdx": {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "model", "packages": []},
    "claims": {
        "claims": [{
            "subject": {"name": "model"}, "role": "base-model", "object": {"uri": "pkg:huggingface/org/base"},
            "voice": "self-declared", "source": {"kind": "huggingface-card", "location": "README.md"},
        }],
    },
}  # fmt: skip
STEP = [
    "--build-type", "fine-tune", "--dependency", "base-model=pkg:huggingface/org/base@1",
    "--dependency", f"dataset=https://example.org/data@sha256:{'cd' * 32}", "--parameter", "seed=42",
]  # fmt: skip
# Predicates that in-toto's library has a form for.
FORMS = {
    "provenance": provenance_pb2.Provenance,
    "verdict": vsa_pb2.VerificationSummary,
    "test-result": test_result_pb2.TestResult,
    "scai": scai_pb2.AttributeReport,
}


def holds(what: str, condition: bool, output: object = "") -> None:
    print(f"{'ok' if condition else 'FAILED'}: {what}")
    if not condition:
        sys.exit(str(output))


class Bench:
    """A model, a key, and what waag attests of the model with it."""

    def __init__(self, waag: Path, folder: Path) -> None:
        self.waag, self.folder = waag, folder
        self.model = model(folder / "model")
        header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
        (self.model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        key = ec.generate_private_key(ec.SECP256R1())
        self.signer = CryptoSigner(key)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (folder / "key.pem").write_bytes(private)
        (folder / "key.pub.pem").write_bytes(public)
        # waag leaves the hint to the key empty, as nothing follows from it.
        self.key = SSlibKey.from_crypto(key.public_key())
        self.key.keyid = ""

    def claim(self, kind: str) -> list[str]:
        if kind in ("scan", "verdict"):
            return []
        if kind == "provenance":
            return STEP
        path = self.folder / f"{kind}.predicate.json"
        path.write_text(json.dumps(PREDICATES[kind]))
        return ["--predicate", str(path)]

    def attest(self, kind: str, output: Path, *signer: object) -> dict:
        argv = [self.waag, "attest", self.model, "--type", kind, *self.claim(kind), "--output", output, *signer]
        expect(f"waag attests {kind}", run(*argv))
        return json.loads(output.read_text())

    def verify(self, subject: Path, attestation: Path, *more: object) -> list[object]:
        return [self.waag, "verify", subject, "--attestation", attestation, "--key", self.folder / "key.pub.pem", *more]


def read_by_in_toto(kind: str, payload: bytes) -> None:
    parsed = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    holds(f"in-toto-attestation reads the statement of {kind}", len(parsed.subject) == 4, parsed)
    if kind in FORMS:
        predicate = json.loads(payload)["predicate"]
        if kind == "verdict":
            # The library's form is older than `verifier.version` and a policy with annotations, and has one level where the
            # specification has a list.
            del predicate["verifier"]["version"]
            del predicate["policy"]["annotations"]
            levels = predicate["verifiedLevels"]
            holds("the verdict is one of those levels", "WAAG_CHECK_ALLOW" in levels, levels)
            predicate["verifiedLevels"] = levels[0]
        read = json_format.ParseDict(predicate, FORMS[kind]())
        holds(f"in-toto-attestation reads the predicate of {kind}", read.ByteSize() > 0)


def by_key(bench: Bench) -> None:
    key = ["--key", bench.folder / "key.pem"]
    for kind in ["provenance", "scan", "verdict", *PREDICATES]:
        path = bench.folder / f"{kind}.json"
        bundle = bench.attest(kind, path, *key)
        read_by_in_toto(kind, base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        envelope = dsse.Envelope.from_dict(bundle["dsseEnvelope"])
        holds(f"securesystemslib verifies {kind}", list(envelope.verify([bench.key], 1)) == [""])
        expect(f"waag verifies {kind}", run(*bench.verify(bench.model, path, "--type", kind, "--strict")))
        envelope.payload += b" "
        try:
            envelope.verify([bench.key], 1)
            holds(f"securesystemslib refuses another {kind}", False)
        except VerificationError:
            holds(f"securesystemslib refuses another {kind}", True)
    unsigned = bench.attest("scan", bench.folder / "unsigned.json", "--unsigned")
    holds("what nobody signed says so", unsigned["signatures"] == [])
    expect("waag refuses what nobody signed", run(*bench.verify(bench.model, bench.folder / "unsigned.json")), good=False)
    foreign_envelope(bench, base64.b64decode(unsigned["payload"]))


def foreign_envelope(bench: Bench, payload: bytes) -> None:
    """An envelope as in-toto's own tools write it: by itself, with a hint to the key that is not ours."""
    envelope = dsse.Envelope(payload, "application/vnd.in-toto+json", {})
    envelope.sign(bench.signer)
    path = bench.folder / "foreign.json"
    path.write_text(json.dumps(envelope.to_dict(), indent=1))
    expect("waag verifies what securesystemslib signed", run(*bench.verify(bench.model, path)))
    config = bench.model / "config.json"
    content = config.read_bytes()
    config.write_bytes(content + b"\n")
    expect("waag refuses it after a change", run(*bench.verify(bench.model, path)), good=False)
    config.write_bytes(content)


def keyless(bench: Bench, place: Path, log: int) -> None:
    here = f"(log version {log})"
    root = ["--trusted-root", place / "trusted_root.json"]
    signer = ["--keyless", *root, "--signing-config", place / "signing_config.json", "--identity-token", place / "token"]
    who = [*root, "--issuer", ISSUER, "--identity"]
    client = [sys.executable, "-m", "sigstore", "--trust-config", place / "trust_config.json"]
    verify = [*client, "verify", "identity", "--cert-oidc-issuer", ISSUER, "--bundle"]
    weights = bench.model / "model.safetensors"
    for kind in ("provenance", "test-result"):
        path = bench.folder / f"{kind}.{log}.json"
        bench.attest(kind, path, *signer)
        ours = [bench.waag, "verify", bench.model, "--attestation", path, *who]
        expect(f"waag verifies {kind} {here}", run(*ours, IDENTITY))
        expect(f"waag refuses another identity {here}", run(*ours, OTHER), good=False)
        expect(f"sigstore verifies {kind} for a file {here}", run(*verify, path, "--cert-identity", IDENTITY, weights))
        expect(f"sigstore refuses another identity {here}", run(*verify, path, "--cert-identity", OTHER, weights), good=False)
        other = bench.folder / "other.bin"
        other.write_bytes(b"other")
        expect(f"sigstore refuses another file {here}", run(*verify, path, "--cert-identity", IDENTITY, other), good=False)
    predicate = bench.folder / "theirs.predicate.json"
    predicate.write_text(json.dumps({
        "buildDefinition": {"buildType": "https://example.org/build", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.org/builder"}},
    }))  # fmt: skip
    theirs = bench.folder / f"theirs.{log}.json"
    token = (place / "token").read_text()
    done = run(*client, "attest", "--identity-token", token, "--predicate", predicate, "--predicate-type", "https://slsa.dev/provenance/v1",
               "--bundle", theirs, weights)
    expect(f"sigstore attests {here}", done)
    ours = [bench.waag, "verify", weights, "--attestation", theirs, *who, IDENTITY, "--build-type", "https://example.org/build"]
    expect(f"waag verifies what sigstore attested {here}", run(*ours, "--builder-id", "https://example.org/builder"))
    expect(f"waag refuses another builder {here}", run(*ours, "--builder-id", "https://example.org/other"), good=False)


def main(waag: str, program: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(waag).resolve(), Path(scratch))
        by_key(bench)
        for log in (1, 2):
            place = Path(scratch, f"instance-{log}")
            with instance(program, place, log):
                keyless(bench, place, log)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
