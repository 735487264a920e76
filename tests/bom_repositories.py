"""Folders that bills of materials are made of: one as people publish them, and others that are odd or hostile.

Nothing in them is of any use but to be listed: weights are a few zeros, code prints a word.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from pathlib import Path

CARD = """---
license: llama3.2
license_link: https://example.org/llama-3.2/LICENSE
base_model: meta-llama/Llama-3.2-1B
base_model_relation: finetune
datasets:
- HuggingFaceH4/ultrachat_200k
language:
- en
library_name: transformers
pipeline_tag: text-generation
tags:
- llama
- arxiv:2407.21783
metrics:
- accuracy
co2_eq_emissions:
  emissions: 1230
  energy_consumed: 2.5
  source: CodeCarbon
  training_type: fine-tuning
  geographical_location: Groningen
  hardware_used: 1 x A100
model-index:
- name: tiny-llama-ft
  results:
  - task:
      type: text-generation
    dataset:
      name: MMLU
      type: cais/mmlu
      split: test
      revision: 0123456789abcdef0123456789abcdef01234567
    metrics:
    - type: accuracy
      value: 0.42
---
# tiny-llama-ft

A small model that answers in few words.

## Intended use

Short answers in English.

## Bias, Risks, and Limitations

Known bias toward English.

## Training Data

Conversations of the dataset that is named above.
"""

CONFIG = {
    "_name_or_path": "meta-llama/Llama-3.2-1B",
    "architectures": ["LlamaForCausalLM"],
    "auto_map": {"AutoModelForCausalLM": "modeling_tiny.TinyForCausalLM"},
    "hidden_size": 64,
    "max_position_embeddings": 2048,
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.44.0",
    "vocab_size": 128,
}

REQUIREMENTS = """--extra-index-url https://download.pytorch.org/whl/cu124
torch==2.4.0
transformers==4.44.0
numpy>=1.20
accelerate
git+https://github.com/huggingface/peft@main
"""

DOCKERFILE = """FROM nvidia/cuda:11.8.0-runtime-ubuntu22.04
RUN pip install torch==2.4.0 --index-url https://download.pytorch.org/whl/cu124
COPY . /app
"""


def safetensors(tensors: dict[str, list[int]], dtype: str = "BF16", size: int = 2) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        length = size
        for extent in shape:
            length *= extent
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(at)


def gguf(metadata: dict[str, str | int], tensors: dict[str, int]) -> bytes:
    """A file of version 3 with tensors of Q8_0, each of so many blocks of 32."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        out += text(key)
        out += struct.pack("<I", 8) + text(value) if isinstance(value, str) else struct.pack("<II", 4, value)
    data = b""
    for name, blocks in tensors.items():
        out += text(name) + struct.pack("<IQIQ", 1, blocks * 32, 8, len(data))
        data += bytes(34 * blocks)
        data += bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + data


def torch_file(name: str = "lm_head.weight") -> bytes:
    """What torch.save writes of one tensor of 2 x 2."""

    def unicode(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(("
        + unicode("storage") + b"ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") + b"K\x04tQ"
        + b"K\x00K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)RtR"
    )
    pickle = b"\x80\x02}(" + unicode(name) + tensor + b"u."
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, content in [("data.pkl", pickle), ("byteorder", b"little"), ("version", b"3\n"), ("data/0", bytes(16))]:
            archive.writestr(zipfile.ZipInfo("archive/" + member), content)
    return out.getvalue()


def write(folder: Path, files: dict[str, bytes | str | object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = (json.dumps(content, indent=2) + "\n").encode()
        path.write_bytes(content)
    return folder


def published(folder: Path) -> Path:
    """Fifteen files at the top, as people publish them, and rows of data below."""
    first = {"model.embed_tokens.weight": [128, 64], "model.layers.0.mlp.down_proj.weight": [64, 64]}
    second = {"model.layers.1.mlp.down_proj.weight": [64, 64], "lm_head.weight": [128, 64]}
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    names = {name: shards[0] for name in first} | {name: shards[1] for name in second}
    apache = Path(__file__).resolve().parent.parent / "LICENSE"
    return write(
        folder,
        {
            shards[0]: safetensors(first),
            shards[1]: safetensors(second),
            "model.safetensors.index.json": {"metadata": {"total_size": 49152}, "weight_map": names},
            "tiny-llama-ft-Q8_0.gguf": gguf(
                {
                    "general.architecture": "llama",
                    "general.name": "tiny-llama-ft",
                    "general.file_type": 7,
                    "general.base_model.count": 1,
                    "general.base_model.0.name": "Llama 3.2 1B",
                    "general.base_model.0.repo_url": "https://huggingface.co/meta-llama/Llama-3.2-1B",
                    "llama.context_length": 2048,
                },
                {"token_embd.weight": 64, "output.weight": 64},
            ),
            "pytorch_model.bin": torch_file(),
            "config.json": CONFIG,
            "generation_config.json": {"temperature": 0.6, "top_p": 0.9},
            "tokenizer_config.json": {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}",
            },
            "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}},
            "adapter_config.json": {
                "base_model_name_or_path": "meta-llama/Llama-3.2-1B",
                "revision": "4e20de362430cd3b72f300e6b0f18e50e7166e08",
                "peft_type": "LORA",
                "r": 8,
                "lora_alpha": 16,
                "target_modules": ["q_proj", "v_proj"],
            },
            "modeling_tiny.py": "class TinyForCausalLM:\n    pass\n",
            "README.md": CARD,
            "LICENSE": apache.read_bytes(),
            "requirements.txt": REQUIREMENTS,
            "Dockerfile": DOCKERFILE,
            "data/train.jsonl": '{"text": "a"}\n{"text": "b"}\n',
        },
    )


def cached(folder: Path) -> Path:
    """The same in a cache of the hub, whose path has owner, name and commit."""
    commit = "4e20de362430cd3b72f300e6b0f18e50e7166e08"
    return published(folder / "models--acme--tiny-llama-ft" / "snapshots" / commit)


def adapter(folder: Path) -> Path:
    """An adapter alone."""
    return write(
        folder,
        {
            "adapter_config.json": {"base_model_name_or_path": "org/base", "peft_type": "LORA", "r": 4},
            "adapter_model.safetensors": safetensors({"base.q_proj.lora_A.weight": [4, 8]}, "F32", 4),
            "README.md": "---\nlibrary_name: peft\nbase_model: org/other\nlicense: apache-2.0\n---\nAn adapter.\n",
        },
    )


def dataset(folder: Path) -> Path:
    """A dataset with its card."""
    card = (
        "---\npretty_name: Few words\nlicense: cc-by-4.0\ntask_categories:\n- text-generation\nsize_categories:\n- n<1K\n"
        "dataset_info:\n  splits:\n  - name: train\n    num_examples: 2\n    num_bytes: 28\n---\nTwo rows.\n"
    )
    return write(folder, {"README.md": card, "data/train.jsonl": '{"text": "a"}\n{"text": "b"}\n'})


def project(folder: Path) -> Path:
    """A project with two models below it, dependencies and a record of how one was made."""
    published(folder / "models" / "tuned")
    return write(
        folder,
        {
            "train.py": "print('train')\n",
            "requirements.txt": REQUIREMENTS,
            "models/base/config.json": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
            "models/base/model.safetensors": safetensors({"w": [2, 2]}),
            "models/tuned/provenance.yaml": "base_model: org/base\ntraining_data: org/rows\nrun_id: 7\ntraining:\n  seed: 1\n  epochs: 3\n",
        },
    )


HOSTILE = "\x1b[31mred\x1b[0m \u202e\u200b <script>alert(1)</script> \" ' & \x00 \x7f {{title}} %s $(id) `id` ]]> -->"


def hostile(folder: Path) -> Path:
    """Texts that break terminals, pages, identifiers and addresses, wherever a text can stand."""
    quoted = json.dumps(HOSTILE)
    card = (
        f"---\nlicense: {quoted}\nlicense_name: {quoted}\nlicense_link: {json.dumps('https://x/' + HOSTILE)}\n"
        f"base_model: {quoted}\ndatasets:\n- {quoted}\n- {quoted}\nlanguage: {quoted}\ntags:\n- {quoted}\n- {json.dumps('arxiv:' + HOSTILE)}\n"
        f"pipeline_tag: {quoted}\nlibrary_name: {quoted}\nco2_eq_emissions:\n  emissions: -1\n  energy_consumed: .inf\n  source: {quoted}\n"
        f"model-index:\n- name: {quoted}\n  results:\n  - task: {{type: {quoted}}}\n    dataset: {{name: {quoted}, type: {quoted}}}\n"
        f"    metrics:\n    - type: {quoted}\n      value: {quoted}\n---\n# {HOSTILE}\n\n{HOSTILE}\n\n## Limitations\n\n{HOSTILE}\n"
    )
    config = {
        "_name_or_path": HOSTILE,
        "architectures": [HOSTILE],
        "model_type": HOSTILE,
        "auto_map": {HOSTILE: HOSTILE, "AutoModel": "../../../etc/passwd.X"},
        HOSTILE: HOSTILE,
    }
    return write(
        folder,
        {
            "README.md": card,
            "config.json": config,
            "model.safetensors": safetensors({HOSTILE.replace("\x00", ""): [1]}),
            "a b%20c#d?e.txt": "x",
            "\u202ename\u200b.txt": "x",
            "data/quote\"<b>.jsonl": "{}\n",
            "requirements.txt": "torch @ https://x/\x1b[31m\n===;;\n",
        },
    )


def broken(folder: Path) -> Path:
    """Documents that are none, a bomb of aliases, links that lead round and out."""
    laughs = "a0: &a0 [l, l, l, l, l, l, l, l, l]\n"
    for level in range(1, 12):
        laughs += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    write(
        folder,
        {
            "README.md": f"---\n{laughs}---\ntext\n",
            "config.json": '{"model_type": "llama", "a": ',
            "model.safetensors": b"\xff" * 64,
            "other.gguf": b"GGUF\x03\x00\x00\x00" + b"\xff" * 64,
            "pytorch_model.bin": b"PK\x03\x04 nothing",
            "tokenizer.json": b"\xff\xfe\x00",
            "dataset_infos.json": "[" * 100_000,
        },
    )
    (folder / "round").symlink_to(".")
    (folder / "out").symlink_to("/etc")
    return folder


def names(folder: Path) -> Path:
    """Names that are no UTF-8, and names from which the same identifier could be made."""
    write(folder, {"a b": "1", "a_20b": "2", "a_20b-2": "3", "\\xFF": "4"})
    for name in (b"\xff", b"\xfe"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(name)
    return write(
        folder,
        {
            "requirements.txt": "git+https://example.org/o/r@main\ngit+https://example.org/o/s\nnumpy>=1.9,<1.10\n",
            "one/config.json": {"model_type": "llama"},
            "one/model.safetensors": safetensors({"w": [2]}),
            "two/README.md": "---\nmodel-index:\n- name: one\n---\n",
            "two/config.json": {"model_type": "llama"},
            "two/model.safetensors": safetensors({"w": [2]}),
            "three/README.md": "---\nmodel-index:\n- name: one#2\n---\n",
            "three/config.json": {"model_type": "llama"},
        },
    )


def trained(folder: Path) -> Path:
    """What a trainer leaves, with a shard and a document that are not there or not whole."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    return write(
        folder,
        {
            "config.json": config,
            "model-00001-of-00003.safetensors": safetensors({"a": [4]}),
            "model-00003-of-00003.safetensors": safetensors({"b": [4]}),
            "checkpoint-500/config.json": config,
            "checkpoint-500/model.safetensors": safetensors({"a": [400]})[:100],
            "checkpoint-500/optimizer.pt": torch_file(),
            "draft.safetensors": safetensors({"a": [5]}),
            "embeddings.npy": b"\x93NUMPY",
            "poetry.lock": "[[package]]\nname = \n",
            "eval_results.json": "{",
            "README.md": "---\nlicense: [mit, cc-by-nc-4.0]\nco2_eq_emissions:\n  energy_consumed: 2\n  training_type: benchmarking\n---\n",
        },
    )


REPOSITORIES = {
    "published": published,
    "cached": cached,
    "adapter": adapter,
    "dataset": dataset,
    "project": project,
    "hostile": hostile,
    "broken": broken,
    "names": names,
    "trained": trained,
}
