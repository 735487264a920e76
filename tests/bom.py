"""Makes bills of materials of several folders, and lets programs that nobody here wrote say whether they are right.

    .venv/bin/python tests/bom.py target/release/waag

CycloneDX 1.6 and 1.7 go through cyclonedx-python-lib's strict validator; SPDX 3.0.1 goes through spdx3-validate, which takes
the JSON schema and the SHACL shapes of the SPDX project from tests/spdx, without a network. `tests/cdx_validate.py` is
cdxgen's own validator, which needs Node.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.response import addinfourl

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bom_repositories import REPOSITORIES  # noqa: E402

HERE = Path(__file__).resolve().parent
SPDX = {
    "https://spdx.org/rdf/3.0.1/spdx-context.jsonld": ("spdx-context-3.0.1.jsonld", "application/ld+json"),
    "https://spdx.org/rdf/3.0.1/spdx-model.ttl": ("spdx-model-3.0.1.ttl", "text/turtle"),
    "https://spdx.org/schema/3.0.1/spdx-json-schema.json": ("spdx-json-schema-3.0.1.json", "application/json"),
}
# What could not be read is said by the exit code.
CODES = {"broken": 3, "hostile": 3, "trained": 3}
# Folders of which the shapes can find nothing new take a minute each: the same elements are in the others.
WITHOUT_SHAPES = {"published", "cached", "project", "broken"}


def expect(what: str, holds: bool, output: str = "") -> None:
    print(f"{'ok' if holds else 'FAILED'}: {what}", flush=True)
    if not holds:
        sys.exit(output)


def bom(waag: str, folder: Path, *arguments: str, code: int = 0) -> bytes:
    env = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    done = subprocess.run([waag, "bom", str(folder), *arguments], capture_output=True, timeout=60, env=env)
    expect(f"bom {folder.name} {' '.join(arguments)} ends with {code}", done.returncode == code, done.stderr.decode())
    return done.stdout


def offline(url: Any, *_: Any, **__: Any) -> addinfourl:
    """spdx.org, from files."""
    address = url if isinstance(url, str) else url.full_url
    if address not in SPDX:
        raise OSError(f"no network: {address}")
    name, kind = SPDX[address]
    headers = Message()
    headers["Content-Type"] = kind
    return addinfourl(io.BytesIO((HERE / "spdx" / name).read_bytes()), headers, address, 200)


def without_network() -> None:
    urllib.request.urlopen = offline
    import rdflib._networking
    import rdflib.parser

    for module in (rdflib.parser, rdflib._networking):
        for name in ("urlopen", "_urlopen"):
            if hasattr(module, name):
                setattr(module, name, offline)


class Spdx:
    """The validator, with schema and shapes read once. Shapes are checked over all documents together, which takes seconds."""

    def __init__(self) -> None:
        from spdx3_validate import core

        self.core = core
        self.graph: Any = None
        self.version: Any = None
        self.schema: Any = None
        self.shapes: Any = None

    def problem(self, path: Path, has_shapes: bool = True) -> str | None:
        """What the schema says of a document. Its graph joins those that are checked for shapes."""
        document = self.core.Document.load(str(path))
        if self.graph is None:
            import rdflib

            self.graph, self.version = rdflib.Graph(), document.version
            self.schema, self.shapes = self.core.load_validation_data(document.version)
        wrong = list(self.core.schema_validator(self.schema).iter_errors(document.data))
        if has_shapes:
            self.graph += document.graph
        return "\n".join(str(one)[:500] for one in wrong[:3]) or None

    def violations(self, graph: Any) -> list[str]:
        """What the shapes say."""
        return list(self.core.check_graph(graph, self.shapes, self.version, True))


def cyclonedx_problem(text: str, version: str) -> str | None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    schema = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}[version]
    problem = JsonStrictValidator(schema).validate_str(text)
    return None if problem is None else str(problem)[:3000]


def components(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = list(document.get("components", []))
    while waiting:
        component = waiting.pop()
        found.append(component)
        waiting += component.get("components", [])
    return found


def every_file_once(folder: Path, document: dict[str, Any]) -> None:
    files = [part for part in components(document) if part["type"] == "file"]
    there = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    expect(f"{folder.name}: every file is listed, and once", len(files) == len(there), f"{len(files)} of {len(there)}")
    digests = sorted(part["hashes"][0]["content"] for part in files if part.get("hashes"))
    own = sorted(hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in there)
    expect(f"{folder.name}: with its SHA-256", digests == own)


def identifiers_hold(name: str, document: dict[str, Any]) -> None:
    identifiers = [one["spdxId"] for one in document["@graph"] if "spdxId" in one]
    expect(f"{name}: SPDX identifiers are unique", len(identifiers) == len(set(identifiers)))


def references_hold(name: str, document: dict[str, Any]) -> None:
    references = [part["bom-ref"] for part in components(document) if "bom-ref" in part]
    references.append(document["metadata"]["component"]["bom-ref"])
    expect(f"{name}: references are unique", len(references) == len(set(references)))
    used = {edge["ref"] for edge in document["dependencies"]} | {on for edge in document["dependencies"] for on in edge.get("dependsOn", [])}
    expect(f"{name}: and lead to components", used <= set(references), str(used - set(references)))


def published_holds(document: dict[str, Any]) -> None:
    model = document["components"][0]
    properties = {one["name"]: one["value"] for one in model["properties"]}
    shown = json.dumps(model, indent=1)
    expect("the model is first, under its own name", model["type"] == "machine-learning-model" and model["name"] == "tiny-llama-ft", shown)
    expect("parameters are those of both shards", properties["waag:weights:parameters"] == str(2 * 128 * 64 + 2 * 64 * 64), shown)
    expect("and of one type", properties["waag:weights:dtype:BF16"] == properties["waag:weights:parameters"], shown)
    ancestors = model["pedigree"]["ancestors"]
    said = [one["value"] for one in ancestors[0]["properties"] if one["name"] == "waag:lineage:said-in"]
    expect("one base model", [(one.get("group"), one["name"]) for one in ancestors] == [("meta-llama", "Llama-3.2-1B")], shown)
    expect("that four places name", len(said) == 4, shown)
    expect("with the revision that one of them has", ancestors[0]["version"] == "4e20de362430cd3b72f300e6b0f18e50e7166e08", shown)
    expect("the declared licence", model["licenses"][0]["license"]["acknowledgement"] == "declared", shown)
    concluded = model["evidence"]["licenses"][0]["license"]
    expect("beside that of the text", concluded == {"id": "Apache-2.0", "acknowledgement": "concluded"}, shown)
    kinds = sorted(part["name"] for part in model["components"] if part["type"] == "machine-learning-model")
    expect("variants and adapter are parts of it", len(kinds) == 3, str(kinds))
    metric = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]
    expect("the metric with its data", metric == {"type": "accuracy", "value": "0.42", "slice": "text-generation on cais/mmlu (test)"}, str(metric))
    energy = model["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"][0]
    expect("energy in kWh and tonnes", energy["activityEnergyCost"]["value"] == 2.5 and energy["co2CostEquivalent"]["value"] == 0.00123, str(energy))
    expect("what the file of PyTorch looks up", "torch._utils._rebuild_tensor_v2" in shown, shown)


def trained_holds(document: dict[str, Any]) -> None:
    model = document["components"][0]
    shown = json.dumps(document, indent=1)
    said = {part["description"] for part in model["components"] if part["type"] == "machine-learning-model"}
    expect("neither checkpoints nor drafts are variants", said == {"a checkpoint of its training", "other weights in its folder"}, str(said))
    expect("the shard that is not there is named", "model-00002-of-00003.safetensors" in shown, shown)
    unread = [one["value"] for one in document["metadata"]["properties"] if one["name"] == "waag:not-read"]
    places = ["checkpoint-500/model.safetensors", "eval_results.json", "poetry.lock", "."]
    expect("and everything that could not be read", all(any(text.startswith(place) for text in unread) for place in places), str(unread))
    expect("and the document does not claim to be complete", document["compositions"][0]["aggregate"] == "incomplete", shown)


def names_hold(document: dict[str, Any]) -> None:
    software = [part for part in document["components"] if part["type"] == "library"]
    expect("what has no name is called by its address", all(part["name"] != "unnamed" for part in software), str(software))
    ranges = [part["versionRange"] for part in software if "versionRange" in part]
    expect("ranges stand in order of version", ranges in ([], ["vers:pypi/>=1.9|<1.10"]), str(ranges))


def main() -> None:
    waag = sys.argv[1]
    without_network()
    spdx = Spdx()
    with tempfile.TemporaryDirectory() as scratch:
        for name, make in REPOSITORIES.items():
            top = Path(scratch) / name
            top.mkdir()
            folder = make(top)
            code = CODES.get(name, 0)
            for version in ("1.6", "1.7"):
                text = bom(waag, folder, "--format", f"cyclonedx-{version}", code=code).decode()
                problem = cyclonedx_problem(text, version)
                expect(f"{name}: CycloneDX {version} is valid", problem is None, problem or "")
                again = bom(waag, folder, "--format", f"cyclonedx-{version}", code=code).decode()
                expect(f"{name}: two runs give the same bytes", text == again)
                document = json.loads(text)
                every_file_once(folder, document)
                references_hold(name, document)
                clean = not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 or letter in "\u202e\u200b" for letter in text if letter != "\n")
                expect(f"{name}: no text of it commands a terminal", clean)
                if name == "published":
                    published_holds(document)
                if name == "trained":
                    trained_holds(document)
                if name == "names":
                    names_hold(document)
            page = bom(waag, folder, "--format", "html", code=code).decode()
            forbidden = ["<script", "\x1b", "\u202e", "http-equiv=\"refresh", " src=", "url("]
            expect(f"{name}: the page runs nothing", not any(text in page for text in forbidden))
            screen = bom(waag, folder, code=code).decode()
            expect(f"{name}: the screen is one", len(screen.splitlines()) < 60 and "\x1b" not in screen, screen)
            path = Path(scratch) / f"{name}.spdx.json"
            path.write_bytes(bom(waag, folder, "--format", "spdx", "--timestamp", "2026-01-02T03:04:05Z", code=code))
            problem = spdx.problem(path, name not in WITHOUT_SHAPES)
            identifiers_hold(name, json.loads(path.read_bytes()))
            expect(f"{name}: SPDX 3.0.1 is valid by its schema", problem is None, problem or "")
        the_command_holds(waag, Path(scratch))
        every_demand(waag, Path(scratch), spdx)
        wrong = spdx.violations(spdx.graph)
        expect("all SPDX documents are valid by the shapes", not wrong, "\n".join(wrong[:5])[:4000])
        a_broken_document_is_refused(Path(scratch), spdx)
    print("bills of materials: all hold")


def the_command_holds(waag: str, scratch: Path) -> None:
    """What only the command does: what it refuses, what it reads of one file, what it writes beside what it lists."""
    several, one = scratch / "project", scratch / "project" / "models" / "tuned"
    for flags in (["--gaps", "annex-xi"], ["--supplier", "acme"]):
        bom(waag, several, *flags, code=2)
    bom(waag, one, "--download-location", "s3://bucket/model", code=2)
    bom(waag, scratch / "trained", "--gaps", "owasp", code=3)
    listed = bom(waag, several / "requirements.txt", "--format", "cyclonedx-1.6").decode()
    expect("one file that names packages is read", "pkg:pypi/torch@2.4.0" in listed, listed)
    expect("and told below what was named", str(scratch) not in listed, listed)
    paths = {version: scratch / f"{version}.json" for version in ("1.6", "1.7")}
    for version, path in paths.items():
        path.write_bytes(bom(waag, scratch / "names", "--format", f"cyclonedx-{version}"))
    done = subprocess.run([waag, "diff", *map(str, paths.values())], capture_output=True, timeout=60)
    expect("two versions of one bill of materials do not differ", done.returncode == 0, done.stdout.decode())
    inside = scratch / "adapter" / "bom.cdx.json"
    written = []
    for _ in range(3):
        bom(waag, inside.parent, "--format", "cyclonedx-1.6", "--output", str(inside))
        written.append(inside.read_bytes())
    expect("what is written does not list its former self", len(set(written)) == 1)
    inside.unlink()


def every_demand(waag: str, scratch: Path, spdx: Spdx) -> None:
    """With what only a person can say, the AI profile is claimed."""
    given = ["--supplier", "acme", "--model-version", "1", "--release-time", "2026-01-01T00:00:00Z"]
    given += ["--download-location", "https://example.org/tiny", "--timestamp", "2026-01-02T03:04:05Z"]
    path = scratch / "whole.spdx.json"
    path.write_bytes(bom(waag, scratch / "published", "--format", "spdx", *given))
    graph = json.loads(path.read_text())["@graph"]
    document = next(one for one in graph if one["type"] == "SpdxDocument")
    expect("the AI profile is claimed where all of it is there", "ai" in document["profileConformance"])
    problem = spdx.problem(path)
    expect("and the document is valid", problem is None, problem or "")


def a_broken_document_is_refused(scratch: Path, spdx: Spdx) -> None:
    """The validators are no rubber stamps: what breaks the rules is refused by each."""
    text = (scratch / "whole.spdx.json").read_text()
    path = scratch / "wrong.spdx.json"
    path.write_text(text.replace('"relationshipType": "contains"', '"relationshipType": "has"', 1))
    expect("a wrong SPDX document is refused by the schema", spdx.problem(path) is not None)
    # A number is a double for the shapes, which want a decimal: the schema takes it.
    small = json.loads(text)
    kept = ("CreationInfo", "SoftwareAgent", "ai_AIPackage", "Agent")
    small["@graph"] = [one for one in small["@graph"] if one["type"] in kept]
    path.write_text(json.dumps(small).replace('"ai_energyQuantity": "2.5"', '"ai_energyQuantity": 2.5'))
    document = spdx.core.Document.load(str(path))
    expect("and by the shapes", bool(spdx.violations(document.graph)))
    wrong = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [{"type": "model", "name": "x"}]}'
    expect("a wrong CycloneDX document is refused", cyclonedx_problem(wrong, "1.6") is not None)


if __name__ == "__main__":
    main()
