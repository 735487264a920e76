"""What `waag deps` reads, beside what Python's own libraries read: requirements by packaging, lock files by tomllib and json, an
environment by importlib.metadata; and an installed file that was changed.

    .venv/bin/python tests/dependencies.py target/release/waag
"""

import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

DATA = pathlib.Path(__file__).parent.parent / "crates/code/tests/dependencies/data"

NAMES = ["torch", "Torch_Vision", "a.b-c", "x1", "scikit-learn"]
EXTRAS = ["", "[a]", "[a,B_c]", " [ a , b ]"]
VERSIONS = [
    "", "==1.2", ">=1,<2", " >= 1.0 , != 1.5", "~=2.1.0", "==1.*", "===1.0", "(>=1)", "==1.0+cu118", ">=1,", "<2.0rc1",
    "==1!2.0", "=1", ">=1.x", "==1.2.3.dev4", "~=1", ">",
]
MARKERS = ["", "; python_version < '3.9'", " ; sys_platform == 'linux' and extra == 'x'", ";", "junk"]
OTHERS = [
    "peft @ git+https://github.com/huggingface/peft@main", "x@https://h.example/x-1.0-py3-none-any.whl ; os_name == 'nt'",
    "-x", "a b", "a>=1 2", "a[", "a @", "1", "_a", "é", "a;b==",
]


def waag(program, *arguments, codes=(0, 1, 3)):
    done = subprocess.run([program, "deps", "--format", "json", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in codes, done.stderr.decode()
    return json.loads(done.stdout)


def expected(line):
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def requirements(program):
    """Every line that packaging takes is taken, to the same name, extras, versions and marker; what it refuses is reported."""
    lines = [f"{n}{e}{v}{m}" for n in NAMES for e in EXTRAS for v in VERSIONS for m in MARKERS] + OTHERS
    # `===` compares words of any kind, which no version is pinned with.
    lines = [line for line in lines if not line.startswith("-") and not ("===" in line and "junk" in line)]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "requirements.txt"
        path.write_text("\n".join(lines) + "\n")
        document = waag(program, path)
    found = {dependency["location"]["line"]: dependency for dependency in document["dependencies"]}
    refused = 0
    for number, line in enumerate(lines, 1):
        wanted, read = expected(line), found.get(number)
        if wanted is None:
            # A marker is kept as it is written: whether it is one is not asked.
            is_marker = read is not None and "marker" in read and not is_marker_valid(read["marker"])
            # Nothing behind the `;` is taken for no marker.
            is_marker = is_marker or (read is not None and line.rstrip().endswith(";") and expected(line.rstrip(" ;")) is not None)
            assert read is None or is_marker, f"packaging refuses {line!r}, and it was read as {read}"
            refused += 1
            continue
        assert read is not None, f"packaging takes {line!r}, and it was not read"
        assert read["name"] == canonicalize_name(wanted.name), line
        assert set(read.get("extras", [])) == {canonicalize_name(extra) for extra in wanted.extras}, line
        if wanted.url is None:
            assert SpecifierSet(read.get("constraint", "")) == wanted.specifier, line
        assert (Marker(read["marker"]) if "marker" in read else None) == wanted.marker, line
        if "version" in read and wanted.url is None:
            assert wanted.specifier.contains(Version(read["version"]), prereleases=True), line
    print(f"requirements: {len(lines) - refused} lines read as packaging reads them, {refused} refused by both")


def is_marker_valid(text):
    try:
        Marker(text)
        return True
    except Exception:  # noqa: BLE001  whatever it is, it is none
        return False


def locks(program):
    """The packages, versions and number of digests of each lock file."""
    for tool, name, section in [
        ("uv", "uv.lock", "package"), ("uv", "pylock.toml", "packages"), ("poetry", "poetry.lock", "package"), ("pdm", "pdm.lock", "package"),
    ]:
        path = DATA / tool / name
        own = {"small"}
        wanted = {(p["name"], p["version"]) for p in tomllib.loads(path.read_text())[section] if p["name"] not in own}
        compare(program, path, wanted)
    document = json.loads((DATA / "pipenv/Pipfile.lock").read_text())
    wanted = {(n, p["version"].removeprefix("==")) for s in ("default", "develop") for n, p in document[s].items()}
    compare(program, DATA / "pipenv/Pipfile.lock", wanted)


def compare(program, path, wanted):
    read = {(d["name"], d["version"]) for d in waag(program, path)["dependencies"]}
    assert read == wanted, f"{path}: {read ^ wanted}"
    print(f"{path.name}: {len(read)} packages")


def environment(program):
    """What importlib.metadata finds installed, and one changed file."""
    site = next(path for path in map(pathlib.Path, sys.path) if path.name == "site-packages")
    installed = {
        (canonicalize_name(d.metadata["Name"]), d.version) for d in importlib.metadata.distributions(path=[str(site)])
    }
    document = waag(program, site)
    read = {(d["name"], d["version"]) for d in document["dependencies"]}
    assert read == installed, read ^ installed
    print(f"environment: {len(read)} packages, {document['verified']}")
    with tempfile.TemporaryDirectory() as folder:
        for entry in [site / "packaging", *site.glob("packaging-*.dist-info")]:
            shutil.copytree(entry, pathlib.Path(folder) / entry.name)
        clean = waag(program, folder, codes=(0,))
        assert clean["verified"]["changed"] == 0 and clean["verified"]["matching"] > 10, clean["verified"]
        with open(pathlib.Path(folder) / "packaging/version.py", "a") as file:
            file.write("# waag-inert\n")
        changed = waag(program, folder, codes=(1,))
        assert [f["location"]["file"].rsplit("/", 1)[1] for f in changed["findings"] if f["severity"] == "high"] == ["version.py"]
    print("environment: one changed file is found")


if __name__ == "__main__":
    for step in (requirements, locks, environment):
        step(sys.argv[1])
