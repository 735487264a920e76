"""Cards that waag drafts, read by the program that the Hub's own clients read them with: huggingface_hub.

    python3 tests/card.py target/release/waag

Each draft has to be read as a ModelCard or DatasetCard with the values that the files prove; and what `waag card check`
calls malformed in an index of results has to be what EvalResult refuses.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from huggingface_hub import DatasetCard, ModelCard

WAAG = str(pathlib.Path(sys.argv[1]).resolve())


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def safetensors(shape):
    count = 1
    for extent in shape:
        count *= extent
    header = json.dumps({"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * count)


def run(*arguments):
    return subprocess.run([WAAG, "card", *arguments], capture_output=True, text=True, timeout=60)


def drafts(root):
    model = root / "tuned"
    write(model, {
        "config.json": '{"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2048}',
        "adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8}',
        "adapter_model.safetensors": safetensors([2, 2]),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "`|\u001b[31m: no\n---\n"}),
    })
    assert run("init", str(model)).returncode == 0
    assert run("init", str(model)).returncode == 2, "a card is not replaced without being asked"
    card = ModelCard.load(model / "README.md")
    values = card.data.to_dict()
    assert values["base_model"] == "org/base" and values["base_model_relation"] == "adapter", values
    assert values["pipeline_tag"] == "text-generation" and values["library_name"] == "peft", values
    assert "license" not in values and "\u001b" not in card.content

    dataset = root / "data"
    write(dataset, {"data/train.jsonl": "{}\n{}\n", "dataset_infos.json": "{}"})
    assert run("init", str(dataset), "--kind", "dataset").returncode == 0
    assert DatasetCard.load(dataset / "README.md").data is not None


def results(root):
    good = {"task": {"type": "fill-mask"}, "dataset": {"type": "a/b", "name": "B"}, "metrics": [{"type": "f1", "value": 0.5}]}
    cases = [good]
    for part, key in [("task", "type"), ("dataset", "type"), ("dataset", "name")]:
        case = json.loads(json.dumps(good))
        del case[part][key]
        cases.append(case)
    for key in ["type", "value"]:
        case = json.loads(json.dumps(good))
        del case["metrics"][0][key]
        cases.append(case)
    for number, case in enumerate(cases):
        folder = root / f"results{number}"
        matter = json.dumps({"license": "mit", "model-index": [{"name": "Tiny", "results": [case]}]})
        write(folder, {"README.md": f"---\n{matter}\n---\n# Tiny\n", "config.json": '{"architectures": ["BertModel"]}'})
        found = json.loads(run("check", str(folder), "--format", "json").stdout)
        is_malformed = any(finding["rule"] == "card-malformed" for finding in found["findings"])
        try:
            refused = not ModelCard.load(folder / "README.md", ignore_metadata_errors=False).data.eval_results
        except (KeyError, TypeError, ValueError):
            refused = True
        assert is_malformed == refused == (number > 0), (case, found["findings"])


with tempfile.TemporaryDirectory() as folder:
    drafts(pathlib.Path(folder))
    results(pathlib.Path(folder))
print("cards: drafts are read by huggingface_hub, and malformed results are refused by both")
