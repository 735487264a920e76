"""One model's whole history, with real files: data that was prepared, a base model, a fine-tune of it, a quantised copy of that,
each step signed by another key. The copy is verified from a folder that has nothing but itself, the statements and the policy.
Then each link is broken in turn, and waag has to say which.

    python3 tests/chain.py target/release/waag
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from safetensors.numpy import save_file

CODE = "git+https://git.example.org/team/train"
COMMIT = "4c76e1f0a3b2d1c0ffee4c76e1f0a3b2d1c0ffee"
RAW = "https://data.example.org/raw.jsonl@sha256:" + "ab" * 32
# Who makes what. Nobody else counts for it.
SIGNERS = {"data": "train.jsonl", "lab": "base", "tuner": "tuned", "release": "quantised"}
POLICY = """\
[policy.controls]
signature = "deny"
provenance = "deny"
ancestors-signed = "deny"
"""


def run(*argv: object, folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"XDG_CACHE_HOME": str(cache), "NO_COLOR": "1"}
    return subprocess.run([str(item) for item in argv], cwd=folder, env=env, capture_output=True, text=True, timeout=300)


class Chain:
    """The folder of those who made the model."""

    def __init__(self, waag: Path, folder: Path) -> None:
        self.waag_path, self.folder, self.cache = waag, folder, folder / "cache"
        self.work = folder / "work"
        self.work.mkdir()
        self.keys()
        self.models()
        (self.work / "waag.toml").write_text(self.policy())

    def waag(self, *arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        return run(self.waag_path, *arguments, folder=folder or self.work, cache=self.cache)

    def must(self, *arguments: object, folder: Path | None = None) -> str:
        done = self.waag(*arguments, folder=folder)
        if done.returncode:
            sys.exit(f"waag {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def keys(self) -> None:
        for name in (*SIGNERS, "stranger"):
            key, public = self.work / f"{name}.pem", self.work / f"{name}.pub.pem"
            make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]
            subprocess.run(make, check=True, capture_output=True)
            subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)

    def models(self) -> None:
        random = numpy.random.default_rng(1)
        base = {f"layers.{i}.weight": random.standard_normal((64, 64)).astype(numpy.float32) for i in range(4)}
        tuned = {name: value + numpy.float32(0.01) * random.standard_normal((64, 64)).astype(numpy.float32)
                 for name, value in base.items()}  # fmt: skip
        quantised = {name: value.astype(numpy.float16) for name, value in tuned.items()}
        for name, tensors in {"base": base, "tuned": tuned, "quantised": quantised}.items():
            (self.work / name).mkdir()
            save_file(tensors, self.work / name / "model.safetensors", metadata={"format": "pt"})
            (self.work / name / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
        (self.work / "train.jsonl").write_text('{"text": "a"}\n' * 50)

    def policy(self, more: str = "") -> str:
        signers = [f'[[trust.signer]]\nname = "{name}"\nkey = "{name}.pub.pem"\n' for name in SIGNERS]
        rules = [f'[[trust.rule]]\nsubject = "{what}"\nsigners = ["{name}"]\n' for name, what in SIGNERS.items()]
        return POLICY + more + "".join(signers + rules)

    def attest(self, subject: str, step: str, *options: str, signer: str | None, output: str) -> Path:
        who = ["--key", f"{signer}.pem"] if signer else ["--unsigned"]
        self.must("attest", subject, "--type", "provenance", "--build-type", step, *options, *who, "--output", output)
        return self.work / output

    def fine_tune(self, signer: str | None, output: str, dataset: str = "train.jsonl") -> Path:
        return self.attest(
            "tuned", "fine-tune", "--dependency", "base-model=base", "--dependency", f"dataset={dataset}",
            "--dependency", f"code={CODE}@gitCommit:{COMMIT}", "--parameter", "seed=42", signer=signer, output=output,
        )  # fmt: skip

    def steps(self) -> dict[str, Path]:
        """Each step's statement, signed by whoever made it."""
        code = ["--dependency", f"code={CODE}@gitCommit:{COMMIT}"]
        return {
            "data": self.attest("train.jsonl", "prepare-dataset", "--dependency", f"input={RAW}", signer="data", output="1.json"),
            "base": self.attest("base", "train", *code, "--parameter", "seed=1", signer="lab", output="2.json"),
            "tuned": self.fine_tune("tuner", "3.json"),
            "quantised": self.attest(
                "quantised", "quantize", "--dependency", "base-model=tuned", "--parameter", "method=float16",
                signer="release", output="4.json",
            ),  # fmt: skip
        }


class Consumer:
    """A clean folder: the copy, its signature, the policy, public keys, and a ledger of the statements that were published."""

    def __init__(self, chain: Chain, name: str, statements: list[Path], more: str = "") -> None:
        self.chain, self.folder = chain, chain.folder / name
        self.folder.mkdir()
        shutil.copytree(chain.work / "quantised", self.folder / "quantised")
        shutil.copy(chain.work / "quantised.sig", self.folder)
        for name in SIGNERS:
            shutil.copy(chain.work / f"{name}.pub.pem", self.folder)
        (self.folder / "waag.toml").write_text(chain.policy(more))
        chain.must("ledger", "add", *statements, folder=self.folder)

    def expect(self, what: str, *arguments: object, code: int, words: list[str]) -> None:
        done = self.chain.waag(*arguments, folder=self.folder)
        said = " ".join((done.stdout + done.stderr).split())
        missing = [word for word in words if word not in said]
        good = done.returncode == code and not missing
        print(f"{'ok' if good else 'FAILED'}: {what}")
        if not good:
            sys.exit(f"exit {done.returncode}, expected {code}; not said: {missing}\n{done.stdout}{done.stderr}")


def root(chain: Chain, name: str) -> str:
    return json.loads(chain.must("hash", name, "--format", "json"))["model_signing_root"]


def whole(chain: Chain, steps: dict[str, Path]) -> None:
    clean = Consumer(chain, "clean", list(steps.values()))
    clean.expect("the whole chain is allowed", "check", "quantised", code=0, words=["allow:", "ancestors-signed"])
    words = ["base-model tuned", "[signed by release]", "base-model base", "[signed by tuner]", "dataset train.jsonl", COMMIT[:12]]
    clean.expect("its lineage names every step and who signed it", "lineage", "quantised", code=0, words=words)
    clean.expect("no path of it is unsigned", "lineage", "quantised", "--unsigned-path", code=0, words=[])
    data = chain.work / "train.jsonl"
    words = ["tuned", "quantised"]
    clean.expect("the data reaches the copy", "lineage", "--affected-by", data, code=1, words=words)
    clean.expect("the commit reaches the copy", "lineage", "--affected-by", f"gitCommit:{COMMIT}", code=1, words=words)
    verify = ["verify", "quantised", "--attestation", steps["quantised"]]
    clean.expect("its own step verifies alone", *verify, code=0, words=["quantize"])
    clean.expect("nothing is affected by what nobody used", "lineage", "--affected-by", "sha256:" + "cd" * 32, code=3, words=[])


def broken(chain: Chain, steps: dict[str, Path]) -> None:
    def without(name: str, *more: Path) -> list[Path]:
        return [path for step, path in steps.items() if step != name] + list(more)

    copy = Consumer(chain, "bytes", list(steps.values()))
    weights = copy.folder / "quantised" / "model.safetensors"
    flipped = bytearray(weights.read_bytes())
    flipped[-1] ^= 1
    weights.write_bytes(flipped)
    copy.expect("another number in the copy", "check", "quantised", code=1, words=["signature", "model.safetensors"])

    stranger = chain.fine_tune("stranger", "stranger.json")
    case = Consumer(chain, "stranger", without("tuned", stranger))
    case.expect("a fine-tune that a stranger signed", "check", "quantised", code=1, words=["ancestors-signed", "base"])

    case = Consumer(chain, "unsigned", without("tuned", chain.fine_tune(None, "unsigned.json")))
    case.expect("a fine-tune that nobody signed", "check", "quantised", code=1, words=["ancestors-signed", "only declared"])
    case.expect("the path that nobody signed", "lineage", "quantised", "--unsigned-path", code=1, words=["base"])

    # Who may say one thing may not say another: the data team has no word in how models are made.
    case = Consumer(chain, "other", without("tuned", chain.fine_tune("data", "other.json")))
    case.expect("a fine-tune that the wrong team signed", "check", "quantised", code=1, words=["ancestors-signed"])

    case = Consumer(chain, "missing", without("tuned"))
    case.expect("no statement of the fine-tune", "check", "quantised", code=3, words=["ancestors-signed", "tuned"])

    case = Consumer(chain, "no-base", without("base"))
    case.expect("no statement of the base model", "check", "quantised", code=3, words=["ancestors-signed", "base"])

    case = Consumer(chain, "no-quantise", without("quantised"))
    case.expect("no statement of the copy itself", "check", "quantised", code=1, words=["provenance", "says how it was made"])

    # Other data under the same name: its statement is about other bytes.
    shutil.copy(chain.work / "train.jsonl", chain.work / "kept.jsonl")
    (chain.work / "train.jsonl").write_text('{"text": "poison"}\n')
    swapped = chain.fine_tune("tuner", "swapped.json")
    shutil.move(chain.work / "kept.jsonl", chain.work / "train.jsonl")
    case = Consumer(chain, "swapped", without("tuned", swapped))
    case.expect("data that nobody vouches for", "check", "quantised", code=3, words=["ancestors-signed", "train.jsonl"])

    denied = f'[[trust.denied]]\ndigest = "{root(chain, "base")}"\nreason = "poisoned"\n'
    case = Consumer(chain, "denied", list(steps.values()), denied)
    case.expect("a base model that was withdrawn", "check", "quantised", code=1, words=["no-ancestor-denied", "base", "poisoned"])

    tampered(chain, steps)


def tampered(chain: Chain, steps: dict[str, Path]) -> None:
    """A statement that was changed where it is kept."""
    case = Consumer(chain, "tampered", list(steps.values()))
    envelope = json.loads(steps["tuned"].read_text())
    kept = [path for path in (case.folder / ".waag" / "statements").rglob("*.json")
            if json.loads(path.read_text())["dsseEnvelope"]["payload"] == envelope["dsseEnvelope"]["payload"]]  # fmt: skip
    kept[0].write_text(kept[0].read_text().replace('"sig":"', '"sig":"AAAA', 1))
    name = kept[0].stem[:12]
    case.expect("an entry that was changed is found", "ledger", "check", code=1, words=[name])
    case.expect("and is in no answer", "check", "quantised", code=3, words=["ancestors-signed"])


def main(waag: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        chain = Chain(Path(waag).resolve(), Path(scratch))
        steps = chain.steps()
        chain.must("sign", "quantised", "--signature", "quantised.sig", "--key", "release.pem")
        whole(chain, steps)
        broken(chain, steps)


if __name__ == "__main__":
    main(sys.argv[1])
