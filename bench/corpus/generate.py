"""Writes the corpus and its manifest: `python3 -m corpus OUT`, or `python3 bench/corpus/generate.py OUT`."""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: make the package importable, then go on as one
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = "corpus"

from corpus import (  # noqa: E402
    everyday,
    archives_bad,
    arrays_bad,
    classic_cases,
    config_cases,
    confusion,
    description_cases,
    flat_cases,
    good_files,
    good_libraries,
    good_pickles,
    huggingface,
    keras_cases,
    machine_hiding,
    machine_readers,
    machine_state,
    machine_streams,
    msgpack_cases,
    onnx_cases,
    pickle_callables,
    repository_cases,
    table_cases,
    templates_bad,
    tensorflow_cases,
    tensors_bad,
    torch_bad,
    tree_cases,
    variants,
    vendor_cases,
    verify,
    zip_tricks,
)
from corpus.case import Case, Executable, Link, Maker, Shelf  # noqa: E402

MAKERS: list[Maker] = [
    pickle_callables.callables,
    pickle_callables.ways_of_calling,
    machine_hiding.operands,
    machine_hiding.stack,
    machine_hiding.spelling,
    machine_readers.arrays,
    machine_readers.planted,
    machine_readers.called,
    machine_readers.floods,
    machine_state.build,
    machine_state.tables,
    machine_state.chains,
    machine_streams.frames,
    machine_streams.arguments,
    machine_streams.streams,
    machine_streams.limits,
    torch_bad.archives,
    torch_bad.legacy,
    zip_tricks.lies,
    zip_tricks.paths,
    archives_bad.tars,
    archives_bad.compressed,
    arrays_bad.numpy_files,
    arrays_bad.joblib_files,
    tensors_bad.safetensors_files,
    tensors_bad.gguf_files,
    templates_bad.templates,
    huggingface.bad,
    confusion.files,
    onnx_cases.bad,
    tensorflow_cases.bad,
    keras_cases.archives,
    keras_cases.hdf5,
    flat_cases.tflite_bad,
    flat_cases.executorch_cases,
    msgpack_cases.flax,
    msgpack_cases.orbax,
    tree_cases.bad,
    tree_cases.skops_bad,
    classic_cases.r_data,
    classic_cases.torch7,
    classic_cases.others,
    classic_cases.java_cases,
    vendor_cases.pmml_bad,
    vendor_cases.openvino_bad,
    vendor_cases.coreml_bad,
    vendor_cases.paddle_bad,
    vendor_cases.engines,
    config_cases.yaml_bad,
    config_cases.hydra,
    config_cases.serving,
    config_cases.frameworks,
    repository_cases.code,
    repository_cases.content,
    repository_cases.containers,
    table_cases.bad,
    description_cases.carried,
    description_cases.behind,
    variants.hidden,
    variants.encodings,
    variants.source,
    variants.bombs,
    good_pickles.plain,
    good_pickles.models,
    good_files.torch_files,
    good_files.arrays,
    good_files.safetensors_files,
    good_files.gguf_files,
    good_files.others,
    everyday.everyday,
    good_libraries.libraries,
    huggingface.good,
    onnx_cases.good,
    tensorflow_cases.good,
    keras_cases.good,
    flat_cases.tflite_good,
    flat_cases.executorch_good,
    msgpack_cases.flax_good,
    msgpack_cases.orbax_good,
    tree_cases.good,
    tree_cases.skops_good,
    classic_cases.r_data_good,
    classic_cases.torch7_good,
    classic_cases.others_good,
    vendor_cases.pmml_good,
    vendor_cases.openvino_good,
    vendor_cases.coreml_good,
    vendor_cases.paddle_good,
    config_cases.yaml_good,
    config_cases.hydra_good,
    config_cases.serving_good,
    config_cases.frameworks_good,
    repository_cases.good,
    repository_cases.containers_good,
    table_cases.good,
    variants.good,
    description_cases.good,
]
MARKER = "manifest.json"


def shelves() -> list[Shelf]:
    return [make() for make in MAKERS]


def digest(case: Case) -> str:
    """One digest for a file, and one for a folder's names and contents."""
    if isinstance(case.content, bytes):
        return hashlib.sha256(case.content).hexdigest()
    total = hashlib.sha256()
    for name, item in sorted(case.content.items()):
        data = item.target.encode() if isinstance(item, Link) else item.data if isinstance(item, Executable) else item
        total.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return total.hexdigest()


def row(case: Case, path: Path, out: Path) -> dict[str, object]:
    return {
        "id": f"{case.cls}/{case.id}",
        "label": case.label,
        "class": case.cls,
        "expect": case.expect,
        "why": case.why,
        "source": case.source,
        "kind": "file" if isinstance(case.content, bytes) else "folder",
        "path": os.fsencode(path.relative_to(out)).decode("utf-8", "surrogateescape"),
        "sha256": digest(case),
    }


def generate(out: Path) -> tuple[list[dict[str, object]], list[str]]:
    """Writes everything afresh; refuses to empty a folder that is not a corpus."""
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise SystemExit(f"error: {out} is not empty and holds no {MARKER}\nhint: name a new or an empty folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    rows, notes = [], []
    for shelf in shelves():
        notes += shelf.notes
        rows += [row(case, case.write(out), out) for case in shelf.cases]
    manifest = {"schema": 1, "notes": notes, "cases": rows}
    (out / MARKER).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return rows, notes


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="corpus", description="Write an inert, labelled corpus of model files.")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--verify", action="store_true", help="also check the pickles against CPython's unpickler, with every global stubbed")
    args = parser.parse_args(argv)
    rows, notes = generate(args.out)
    counts = collections.Counter((r["label"], r["class"]) for r in rows)
    for (label, cls), n in sorted(counts.items()):
        print(f"{label:9}  {cls:18} {n:4}")
    labels = collections.Counter(r["label"] for r in rows)
    print(f"{len(rows)} cases: {labels['malicious']} malicious, {labels['good']} good, in {args.out}")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if args.verify:
        wrong = [w for shelf in shelves() for case in shelf.cases if (w := verify.check(case))]
        checked = sum(1 for shelf in shelves() for case in shelf.cases if case.runs)
        print(f"verified {checked} pickles, {len(wrong)} wrong")
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
