"""Runs what the repository offers to other programs with those programs: the hook with pre-commit itself, and the
steps of the GitHub Action with a shell, as a runner would.

    python3 tests/integrations.py target/release/waag
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = b"cos\nsystem\n(S'echo waag-inert'\ntR."


def run(argv: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=folder, env=os.environ | env, capture_output=True, text=True, timeout=300)


def expect(what: str, holds: bool, output: str = "") -> None:
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        sys.exit(output)


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments], folder)


def hook(waag: Path, scratch: Path) -> None:
    """A repository with the hook, and commits that it passes and stops."""
    hooks, project = scratch / "hooks", scratch / "project"
    for folder in (hooks, project):
        folder.mkdir()
        git(folder, "init", "--quiet")
    (hooks / ".pre-commit-hooks.yaml").write_text((ROOT / ".pre-commit-hooks.yaml").read_text())
    git(hooks, "add", "--all")
    git(hooks, "commit", "--quiet", "--message", "hooks")
    revision = git(hooks, "rev-parse", "HEAD").stdout.strip()
    config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": "waag"}]}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    env = {"PATH": f"{waag.parent}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(scratch / "pre-commit")}

    def verdict(name: str, content: bytes) -> subprocess.CompletedProcess[str]:
        (project / name).write_bytes(content)
        git(project, "add", "--all")
        return run([sys.executable, "-m", "pre_commit", "run", "--verbose"], project, **env)

    good = verdict("weights.pkl", pickle.dumps({"w": [1.0, 2.0]}))
    expect("the hook passes an ordinary pickle", good.returncode == 0 and "allow:" in good.stdout, good.stdout + good.stderr)
    other = verdict("main.c", b"int main(void) { return 0; }\n")
    expect("the hook leaves other files alone", other.returncode == 0, other.stdout + other.stderr)
    bad = verdict("model.pkl", HOSTILE)
    expect("the hook stops a pickle that runs code", bad.returncode != 0 and "os.system" in bad.stdout, bad.stdout + bad.stderr)


def action(waag: Path, scratch: Path) -> None:
    """The check step of the action, with inputs as a runner hands them over."""
    definition = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = {step.get("id"): step for step in definition["runs"]["steps"]}
    check = steps["check"]
    named = set(definition["inputs"])
    used = {value.split("inputs.")[1].split(" ")[0] for value in check["env"].values() if "inputs." in value}
    expect("the action uses each of its inputs and no other", used == named, f"{used} and {named}")
    folder = scratch / "action"
    folder.mkdir()
    (folder / "good.pkl").write_bytes(pickle.dumps([1]))
    (folder / "bad one.pkl").write_bytes(HOSTILE)
    (folder / "odd.pkl").write_bytes(pickle.dumps([1])[:-1])

    def outcome(paths: str, **inputs: str) -> tuple[int, str, str]:
        result = folder / "output"
        result.write_text("")
        defaults = {"CONFIG": "", "SARIF": "", "JUNIT": "", "ALLOW_INCONCLUSIVE": "false"}
        env = defaults | inputs | {"WAAG": str(waag), "PATHS": paths, "GITHUB_OUTPUT": str(result)}
        done = run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", check["run"]], folder, **env)
        return done.returncode, result.read_text().strip(), done.stdout + done.stderr

    code, verdict, text = outcome("good.pkl\n\n")
    expect("the action passes an ordinary pickle", (code, verdict) == (0, "verdict=allow"), text)
    code, verdict, text = outcome("good.pkl\nbad one.pkl", SARIF="out.sarif", JUNIT="out.xml")
    expect("the action stops for one that runs code", (code, verdict) == (1, "verdict=deny") and "::error file=bad one.pkl" in text, text)
    sarif = json.loads((folder / "out.sarif").read_text())
    expect("it leaves SARIF", bool(sarif["runs"][0]["results"]))
    suites = ElementTree.parse(folder / "out.xml").getroot()
    expect("it leaves JUnit's XML", (suites.get("tests"), suites.get("failures")) == ("2", "1"))
    code, verdict, text = outcome("odd.pkl")
    expect("the action stops for what is inconclusive", (code, verdict) == (3, "verdict=inconclusive"), text)
    code, verdict, text = outcome("odd.pkl", ALLOW_INCONCLUSIVE="true")
    expect("unless it is told to go on", (code, verdict) == (0, "verdict=inconclusive"), text)
    code, verdict, text = outcome("$(touch injected)")
    expect("what stands in an input is not run", code == 2 and not (folder / "injected").exists(), text)


def main() -> int:
    waag = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        hook(waag, Path(scratch))
        action(waag, Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
