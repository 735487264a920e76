"""Signs with waag what model-signing from PyPI verifies, and the other way round: keys on all curves, certificates, keys
in a token (SoftHSM, where it is installed), folders and single files, certificates with timestamps (openssl ts).

    python3 tests/signing.py target/release/waag
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CURVES = {"p256": "prime256v1", "p384": "secp384r1", "p521": "secp521r1"}
HSM = next((path for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so") if Path(path).exists()), "")
PIN = "1234"


def run(argv: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=folder, env=os.environ | env, capture_output=True, text=True, timeout=300)


def expect(what: str, holds: bool, output: str = "") -> None:
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        sys.exit(output)


class Bench:
    """A folder with a model, keys and two programs that sign."""

    def __init__(self, waag: Path, folder: Path) -> None:
        self.waag_path, self.folder = waag, folder
        self.model = folder / "model"
        for name, content in {
            "config.json": b"{}",
            "a/b.txt": b"below",
            "a-1.txt": b"sorts before a folder of that name as text, and after it as a path",
            "a.txt": b"",
            "na\u00efve-\u6a21\u578b.safetensors": bytes(100_000),
            ".git/HEAD": b"ref: refs/heads/main\n",
            "sub/.git/HEAD": b"is signed\n",
        }.items():
            (self.model / name).parent.mkdir(parents=True, exist_ok=True)
            (self.model / name).write_bytes(content)
        self.keys()
        self.certificates()

    def openssl(self, *arguments: str) -> None:
        done = run(["openssl", *arguments], self.folder)
        if done.returncode:
            sys.exit(done.stderr)

    def keys(self) -> None:
        for name, curve in CURVES.items():
            self.openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", f"{name}.sec1.pem")
            self.openssl("pkcs8", "-topk8", "-nocrypt", "-in", f"{name}.sec1.pem", "-out", f"{name}.pem")
            self.openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:secret", "-in", f"{name}.pem", "-out", f"{name}.enc.pem")
            self.openssl("pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub.pem")

    def certificates(self) -> None:
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=Test Root",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self.openssl("req", "-new", "-key", "p256.pem", "-subj", "/CN=Test Signer", "-out", "signer.csr")
        (self.folder / "signer.ext").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
            "subjectAltName=email:signer@example.org\n")
        self.openssl("x509", "-req", "-in", "signer.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "signer.crt", "-days", "30", "-extfile", "signer.ext")

    def waag(self, command: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run([str(self.waag_path), command, *arguments], self.folder, **env)

    def other(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run([sys.executable, "-m", "model_signing", *arguments], self.folder, **env)

    def agree(self, what: str, target: str, signature: str, waag: list[str], other: list[str], **env: str) -> None:
        """Both programs verify a signature, and refuse it once a byte of the model has changed."""
        ours = self.waag("verify", target, "--signature", signature, *waag)
        expect(f"waag verifies {what}", ours.returncode == 0, ours.stdout + ours.stderr)
        theirs = self.other("verify", other[0], "--signature", signature, *other[1:], target, **env)
        expect(f"model-signing verifies {what}", theirs.returncode == 0, theirs.stdout + theirs.stderr)
        file = self.folder / target if (self.folder / target).is_file() else self.model / "config.json"
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
        ours = self.waag("verify", target, "--signature", signature, *waag)
        theirs = self.other("verify", other[0], "--signature", signature, *other[1:], target, **env)
        file.write_bytes(content)
        expect(f"both refuse {what} after a change", (ours.returncode, theirs.returncode) == (1, 1), ours.stdout + theirs.stdout)


def by_key(bench: Bench) -> None:
    single = "model/na\u00efve-\u6a21\u578b.safetensors"
    for curve in CURVES:
        public = (["--key", f"{curve}.pub.pem"], ["key", "--public_key", f"{curve}.pub.pem"])
        for target, words in (("model", "a folder"), (single, "a single file")):
            signature = f"{curve}.sig"
            done = bench.waag("sign", target, "--signature", signature, "--key", f"{curve}.pem")
            expect(f"waag signs {words} with {curve}", done.returncode == 0, done.stderr)
            bench.agree(f"{words} that waag signed with {curve}", target, signature, *public)
            done = bench.other("sign", "key", "--private_key", f"{curve}.pem", "--signature", signature, target)
            expect(f"model-signing signs {words} with {curve}", done.returncode == 0, done.stdout + done.stderr)
            bench.agree(f"{words} that model-signing signed with {curve}", target, signature, *public)
        forms = {}
        for form in ("sec1", "enc", ""):
            name = f"{curve}.{form}.pem".replace("..", ".")
            done = bench.waag("sign", "model", "--signature", "form.sig", "--key", name, "--password-env", "SECRET", SECRET="secret")
            expect(f"waag signs with {name}", done.returncode == 0, done.stderr)
            forms[name] = (bench.folder / "form.sig").read_bytes()
        # `form.sig` lies beside the model, so all of them sign the same.
        expect(f"every form of a {curve} key gives the same bytes", len(set(forms.values())) == 1)
    inside = "model/model.sig"
    done = bench.waag("sign", "model", "--signature", inside, "--key", "p256.pem")
    expect("waag writes a signature into the model", done.returncode == 0, done.stderr)
    bench.agree("a folder with its signature inside", "model", inside, ["--key", "p256.pub.pem"], ["key", "--public_key", "p256.pub.pem"])
    (bench.folder / inside).unlink()
    done = bench.waag("sign", "model", "--signature", "ignore.sig", "--key", "p256.pem", "--ignore", "a")
    expect("waag leaves out a folder", done.returncode == 0, done.stderr)
    bench.agree("a folder of which a part is left out", "model", "ignore.sig", ["--key", "p256.pub.pem"],
                ["key", "--public_key", "p256.pub.pem", "--ignore-paths", "model/a"])


def by_certificate(bench: Bench) -> None:
    trust = (["--roots", "ca.crt", "--identity", "signer@example.org"], ["certificate", "--certificate_chain", "ca.crt"])
    done = bench.waag("sign", "model", "--signature", "c.sig", "--key", "p256.pem", "--certificate", "signer.crt")
    expect("waag signs with a certificate", done.returncode == 0, done.stderr)
    bench.agree("what waag signed with a certificate", "model", "c.sig", *trust)
    done = bench.other("sign", "certificate", "--private_key", "p256.pem", "--signing_certificate", "signer.crt",
                       "--certificate_chain", "ca.crt", "--signature", "c.sig", "model")
    expect("model-signing signs with a certificate", done.returncode == 0, done.stdout + done.stderr)
    bench.agree("what model-signing signed with a certificate", "model", "c.sig", *trust)
    wrong = bench.waag("verify", "model", "--signature", "c.sig", "--roots", "ca.crt", "--identity", "somebody@example.org")
    expect("waag refuses another name", wrong.returncode == 1 and "identity-mismatch" in wrong.stdout, wrong.stdout + wrong.stderr)


def timestamped(bench: Bench) -> None:
    """A certificate that has expired, and timestamps that OpenSSL made as an authority while it was valid."""
    done = bench.waag("sign", "model", "--signature", "now.sig", "--key", "p256.pem", "--certificate", "signer.crt")
    expect("waag signs with a certificate that will expire", done.returncode == 0, done.stderr)
    bundle = json.loads((bench.folder / "now.sig").read_text())
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    for name in ("tsa", "other-tsa"):
        authority(bench, name)
    trust = ["--roots", "ca.crt", "--identity", "signer@example.org", "--timestamp-authority", "tsa.pem"]
    later = {"SOURCE_DATE_EPOCH": str(int(time.time()) + 10 * 365 * 86400)}
    for what, stamp, code in [
        ("that OpenSSL made in time", ("tsa", signature), ""),
        ("over something else", ("tsa", b"something else"), "timestamp-mismatch"),
        ("of another authority", ("other-tsa", signature), "timestamp-untrusted"),
        ("that is not there", None, "certificate-expired"),
    ]:
        stamps = [{"signedTimestamp": base64.b64encode(answer(bench, *stamp)).decode()}] if stamp else []
        bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        (bench.folder / "stamped.sig").write_text(json.dumps(bundle))
        done = bench.waag("verify", "model", "--signature", "stamped.sig", *trust, **later)
        good = done.returncode == 0 and "a timestamp authority" in done.stdout
        expect(f"a timestamp {what}", done.returncode == 1 and code in done.stdout if code else good, done.stdout + done.stderr)
        done = bench.waag("verify", "model", "--signature", "stamped.sig", *trust)
        expect(f"a timestamp {what}, while the certificate is valid", done.returncode == 0, done.stdout + done.stderr)


def authority(bench: Bench, name: str) -> None:
    """A timestamp authority: a root, a certificate for timestamps, and OpenSSL's settings."""
    for part in ("root", "own"):
        bench.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}-{part}.key")
    bench.openssl("req", "-x509", "-new", "-key", f"{name}-root.key", "-days", "30", "-subj", f"/CN={name} root", "-out", f"{name}-root.crt",
                  "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    bench.openssl("req", "-new", "-key", f"{name}-own.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (bench.folder / f"{name}.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n")
    bench.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-root.crt", "-CAkey", f"{name}-root.key", "-CAcreateserial",
                  "-out", f"{name}-own.crt", "-days", "30", "-extfile", f"{name}.ext")
    own, root = ((bench.folder / f"{name}-{part}.crt").read_text() for part in ("own", "root"))
    (bench.folder / f"{name}.pem").write_text(own + root)
    (bench.folder / f"{name}.serial").write_text("01\n")
    (bench.folder / f"{name}.cnf").write_text(
        f"[tsa]\ndefault_tsa = own\n[own]\nserial = {bench.folder}/{name}.serial\ncrypto_device = builtin\nsigner_cert = {bench.folder}/{name}-own.crt\n"
        f"signer_key = {bench.folder}/{name}-own.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\ness_cert_id_alg = sha256\n")


def answer(bench: Bench, name: str, content: bytes) -> bytes:
    """What the authority answers about some bytes."""
    (bench.folder / "content").write_bytes(content)
    bench.openssl("ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "query")
    bench.openssl("ts", "-reply", "-config", f"{name}.cnf", "-queryfile", "query", "-out", "answer")
    return (bench.folder / "answer").read_bytes()


def by_token(bench: Bench) -> None:
    if not HSM or not shutil.which("softhsm2-util"):
        print("skipped: keys in a token need softhsm2")
        return
    (bench.folder / "tokens").mkdir()
    (bench.folder / "softhsm2.conf").write_text(f"directories.tokendir = {bench.folder}/tokens\nlog.level = ERROR\n")
    env = {"SOFTHSM2_CONF": str(bench.folder / "softhsm2.conf")}
    done = run(["softhsm2-util", "--init-token", "--free", "--label", "models", "--pin", PIN, "--so-pin", PIN], bench.folder, **env)
    expect("SoftHSM makes a token", done.returncode == 0, done.stderr)
    (bench.folder / "pin").write_text(f"{PIN}\n")
    for index, curve in enumerate(CURVES):
        arguments = ["--import", f"{curve}.pem", "--token", "models", "--label", curve, "--id", f"0{index}", "--pin", PIN]
        done = run(["softhsm2-util", *arguments], bench.folder, **env)
        expect(f"SoftHSM takes a key on {curve}", done.returncode == 0, done.stderr)
        uri = f"pkcs11:token=models;object={curve};id=%0{index}?module-path={HSM}"
        public = (["--key", f"{curve}.pub.pem"], ["key", "--public_key", f"{curve}.pub.pem"])
        done = bench.waag("sign", "model", "--signature", "t.sig", "--pkcs11", uri, "--password-file", "pin", **env)
        expect(f"waag signs with a token's {curve}", done.returncode == 0, done.stderr)
        bench.agree(f"what waag signed with a token's {curve}", "model", "t.sig", *public)
        if importlib.util.find_spec("PyKCS11") and curve != "p521":
            done = bench.other("sign", "pkcs11-key", "--pkcs11_uri", f"{uri}&pin-value={PIN}", "--signature", "t.sig", "model", **env)
            expect(f"model-signing signs with a token's {curve}", done.returncode == 0, done.stdout + done.stderr)
            bench.agree(f"what model-signing signed with a token's {curve}", "model", "t.sig", *public)
    uri = f"pkcs11:token=models;object=p256?module-path={HSM}&pin-source={bench.folder}/pin"
    done = bench.waag("sign", "model", "--signature", "tc.sig", "--pkcs11", uri, "--certificate", "signer.crt", **env)
    expect("waag signs with a token and a certificate", done.returncode == 0, done.stderr)
    bench.agree("what waag signed with a token and a certificate", "model", "tc.sig",
                ["--roots", "ca.crt", "--identity", "signer@example.org"], ["certificate", "--certificate_chain", "ca.crt"])
    done = bench.waag("sign", "model", "--signature", "t.sig", "--pkcs11", uri.replace("p256", "nobody"), **env)
    expect("waag says which key is not there", done.returncode == 2 and "private key" in done.stderr, done.stderr)


def otherwise(bench: Bench) -> Iterator[tuple[str, bool, str]]:
    """What only waag does: the other program's command line knows SHA-256 of whole files."""
    for options in (["--hash", "blake3"], ["--hash", "blake2b"], ["--shard-size", "1000"], ["--shard-size", "1000", "--hash", "blake3"]):
        done = bench.waag("sign", "model", "--signature", "o.sig", "--key", "p256.pem", *options)
        verified = bench.waag("verify", "model", "--signature", "o.sig", "--key", "p256.pub.pem")
        yield f"waag signs and verifies with {' '.join(options)}", (done.returncode, verified.returncode) == (0, 0), done.stderr + verified.stdout
    again = [(bench.waag("sign", "model", "--signature", "r.sig", "--key", "p384.pem"), (bench.folder / "r.sig").read_bytes())[1] for _ in range(2)]
    yield "the same model and key give the same bytes", again[0] == again[1], ""


def main() -> int:
    waag = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(waag, Path(scratch))
        by_key(bench)
        by_certificate(bench)
        timestamped(bench)
        by_token(bench)
        for outcome in otherwise(bench):
            expect(*outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
