"""ONNX: external data that leaves the folder, operators that run code, functions that shadow, and sizes that lie."""

from __future__ import annotations

import hashlib
import struct

from .case import Executable, Link, Shelf
from .confusion import elf
from .onnx_format import FLOAT, INT64, STRING, UINT8, attribute, floats, function, graph, model, node, pair, subgraph, tensor, value
from .protobuf import field, packed, varint
from .assembler import inert_pickle
from .zipwriter import Member, zip_bytes

SCRIPT = b"import os\nos.system('echo waag-inert')\n"
TRAVERSALS = {
    "parent": "../weights.bin", "parent-many": "../../../../../../../../etc/passwd", "absolute": "/etc/passwd", "absolute-home": "/root/.ssh/id_rsa",
    "inner-parent": "data/../../weights.bin", "windows-parent": "..\\..\\windows\\win.ini", "windows-drive": "C:\\Windows\\win.ini",
    "windows-share": "\\\\example.invalid\\share\\weights.bin", "file-url": "file:///etc/passwd", "http-url": "http://example.invalid/weights.bin",
    "https-url": "https://example.invalid/weights.bin", "proc": "/proc/self/environ", "home": "~/.aws/credentials", "nul": "weights.bin\0/../../etc/passwd",
    "dot-parent": "./../weights.bin", "double-slash": "//etc/passwd",
}


def external(location: str, **more: str) -> bytes:
    return tensor("w", [3, 2], None, external={"location": location} | more)


def bad() -> Shelf:
    shelf = Shelf("onnx", source="construction, after onnx.proto and the loaders of onnx and ONNX Runtime")

    def add(id: str, data: bytes | dict, why: str, expect: str = "deny", name: str = "model.onnx", source: str | None = None) -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect, source=source)

    for id, location in TRAVERSALS.items():
        add(f"external-{id}", model(graph(initializers=[external(location)])), f"external data at {location!r}", source="cve-2022-25882, cve-2024-27318, cve-2025-51480",
            expect="not-allow" if id == "home" else "deny")
    for key in ("names", "imgsz"):
        add(f"metadata-{key}", model(metadata={key: "{0: __import__('os').system('echo waag-inert')}", "stride": "32"}), f"metadata that whoever reads `{key}` evaluates")
    add("external-second-location", model(graph(initializers=[tensor("w", [3, 2], None, external={"location": "w.bin"},
        extra=field(13, pair("location", "../../etc/passwd")))])), "two locations: the last one counts", source="cve-2024-27318")
    add("external-location-default", model(graph(initializers=[tensor("w", [3, 2], None, external={"location": "../../etc/passwd"}, location=0)])),
        "a location that leaves, in a tensor that says its data is here", "not-allow")
    add("external-in-subgraph", model(graph([node("If", ["c"], ["y"], [subgraph("then_branch", graph([], [external("../../etc/passwd")])),
        subgraph("else_branch", graph([], []))])])), "external data in a branch's initializer")
    add("external-in-attribute", model(graph([node("Constant", [], ["c"], [attribute("value", (5, 4, external("/etc/passwd")))])])), "external data in a constant")
    add("external-in-attribute-list", model(graph([node("Thing", [], ["c"], [attribute("values", (10, 9, external("/etc/passwd")))])])), "external data in a list of tensors")
    add("external-in-function", model(functions=[function("waag", "f", [node("Constant", [], ["b"], [attribute("value", (5, 4, external("/etc/passwd")))])])]),
        "external data in a function's constant")
    add("external-in-sparse", model(graph(extra=field(15, field(1, external("../../etc/passwd")) + field(2, tensor("i", [1], bytes(8), INT64)) + packed(3, [3, 2])))),
        "external data in a sparse initializer")
    add("external-in-training", model(extra=field(20, field(1, graph([], [external("../../etc/passwd")])))), "external data in training information")
    add("external-deep-subgraph", model(deep(20, graph([], [external("/etc/passwd")]))), "external data twenty graphs deep")
    add("external-symlink", {"model.onnx": model(graph(initializers=[external("w.bin")])), "w.bin": Link("/etc/passwd")},
        "external data is a link out of the folder", source="cve-2026-34446, cve-2026-34447", expect="not-allow")
    add("external-hidden-link-folder", {"model.onnx": model(graph(initializers=[external("data/w.bin")])), "data": Link("../..")},
        "external data behind a linked folder", source="cve-2026-27489", expect="not-allow")
    add("external-offset-negative", {"model.onnx": model(graph(initializers=[external("w.bin", offset="-8", length="24")])), "w.bin": floats(6)},
        "a negative offset into external data", "not-allow")
    add("external-length-beyond", {"model.onnx": model(graph(initializers=[external("w.bin", offset="0", length="99999999999")])), "w.bin": floats(6)},
        "external data longer than its file", "not-allow")
    add("external-length-wrong", {"model.onnx": model(graph(initializers=[external("w.bin", offset="0", length="8")])), "w.bin": floats(6)},
        "external data shorter than its shape", "not-allow")
    add("external-missing", {"model.onnx": model(graph(initializers=[external("w.bin")])), "README.md": b"# x\n"}, "external data that is not there", "not-allow")
    add("external-is-pickle", {"model.onnx": model(graph(initializers=[external("w.bin")])), "w.bin": inert_pickle()}, "external data that is a pickle")
    add("external-is-program", {"model.onnx": model(graph(initializers=[external("w.bin")])), "w.bin": elf()}, "external data that is a program")

    for id, op, domain in (
        ("pyop", "PyOp", "ai.onnx.contrib"), ("pyop-own-domain", "PyOp", "pyopmodule"), ("python-op-torch", "PythonOp", "com.microsoft"), ("python-op-grad", "PythonOpGrad", "com.microsoft"),
        ("aten-aten", "ATen", "aten"), ("extension-pyfunc", "PyCustomOpDef", "ai.onnx.contrib"), ("azure-invoker", "OpenAIAudioToText", "com.microsoft.extensions"),
        ("triton-invoker", "AzureTritonInvoker", "com.microsoft.extensions"), ("triton-op", "TritonOp", "com.microsoft"), ("external-stream", "ExternalOp", "com.example.waag"),
        ("caffe2", "Caffe2Op", "org.pytorch._caffe2"),
    ):
        deny = "Python" in op or "PyOp" in op or False
        add(f"operator-{id}", model(graph([node(op, ["x"], ["y"], [attribute("module", "os"), attribute("compute", "system"), attribute("func_name", "os.system")], domain)]),
            [("", 17), (domain, 1)]), f"the operator {domain}::{op}", "deny" if deny else "not-allow")
    for i, domain in enumerate(("com.example.custom", "ai.onnx.evil", "ai.onnx.ml.x", "ai.onnx ", "AI.ONNX", "local", "custom_domain", "аi.onnx")):
        add(f"custom-domain-{i}", model(graph([node("Evil", ["x"], ["y"], domain=domain)]), [("", 17), (domain, 1)]), f"an operator of the domain {domain!r}", "not-allow")
    add("custom-default-domain", model(graph([node("RunShell", ["x"], ["y"])])), "an operator that the standard does not have", "not-allow")
    add("custom-in-subgraph", model(graph([node("Loop", ["m", "c"], ["y"], [subgraph("body", graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")]))])]),
        [("", 17), ("ai.onnx.contrib", 1)]), "a Python operator in a loop's body")
    add("custom-in-function", model(functions=[function("waag", "f", [node("PyOp", ["a"], ["b"], domain="ai.onnx.contrib")])]), "a Python operator in a function")
    add("custom-in-function-subgraph", model(functions=[function("waag", "f", [node("If", ["a"], ["b"], [subgraph("then_branch",
        graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")]))])])]), "a Python operator in a branch of a function")
    add("custom-in-graph-list", model(graph([node("Switch", ["x"], ["y"], [attribute("branches", (11, 10, graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")])))])])),
        "a Python operator in a list of graphs")
    add("custom-in-training", model(extra=field(20, field(2, graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")])))), "a Python operator in training's algorithm")
    add("custom-in-type-mismatch", model(graph([node("If", ["c"], ["y"], [attribute("then_branch", (6, 2, graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")])))])])),
        "a graph in an attribute that calls itself a number", "not-allow")
    add("op-config-library", model(graph([node("CustomOp", ["x"], ["y"], [attribute("library", "./libevil.so")], "waag")]), [("", 17), ("waag", 1)]),
        "an operator that names a shared library", "not-allow")

    # Functions are looked up before the standard's operators.
    add("function-shadows-matmul", model(functions=[function("", "MatMul", [node("Identity", ["a"], ["b"])])]), "a function that replaces MatMul", "not-allow")
    add("function-shadows-ai-onnx", model(functions=[function("ai.onnx", "MatMul", [node("Identity", ["a"], ["b"])])]), "a function that replaces MatMul, domain spelled out", "not-allow")
    add("function-recursive", model(graph([node("f", ["x"], ["y"], domain="waag")]), [("", 17), ("waag", 1)], functions=[function("waag", "f", [node("f", ["a"], ["b"], domain="waag")])]),
        "a function that calls itself", "not-allow")
    add("function-cycle", model(graph([node("f", ["x"], ["y"], domain="waag")]), [("", 17), ("waag", 1)], functions=[
        function("waag", "f", [node("g", ["a"], ["b"], domain="waag")]), function("waag", "g", [node("f", ["a"], ["b"], domain="waag")])]), "functions that call one another", "not-allow")
    add("function-twice", model(graph([node("f", ["x"], ["y"], domain="waag")]), [("", 17), ("waag", 1)], functions=[
        function("waag", "f", [node("Identity", ["a"], ["b"])]), function("waag", "f", [node("Exp", ["a"], ["b"])])]), "one function defined twice", "not-allow")
    chain = [function("waag", f"f{i}", [node(f"f{i + 1}", ["a"], ["t"], domain="waag", name=f"n{j}") for j in range(10)]) for i in range(12)]
    add("function-billion", model(graph([node("f0", ["x"], ["y"], domain="waag")]), [("", 17), ("waag", 1)], functions=[*chain, function("waag", "f12", [node("Identity", ["a"], ["b"])])]),
        "functions that inline to a trillion nodes", "not-allow")

    # Sizes against shapes.
    for id, dims, raw in (("short", [1000, 1000], floats(4)), ("long", [2], floats(64)), ("overflow", [1 << 32, 1 << 32], floats(4)), ("negative", [-1, 4], floats(4)),
                          ("huge", [1 << 40], floats(1)), ("wrap-to-zero", [1 << 33, 1 << 31], b""), ("min", [-(1 << 63)], floats(1))):
        add(f"tensor-{id}", model(graph(initializers=[tensor("w", dims, raw)])), f"a tensor of shape {dims} on {len(raw)} bytes", "not-allow")
    add("tensor-type-unknown", model(graph(initializers=[tensor("w", [4], floats(4), 99)])), "a tensor of a type that does not exist", "not-allow")
    add("tensor-two-data", model(graph(initializers=[tensor("w", [4], floats(4), extra=field(4, floats(4, 9.0)))])), "a tensor with its data twice, and not the same", "not-allow")
    add("tensor-segment", model(graph(initializers=[tensor("w", [4], floats(4), extra=field(3, field(1, 0) + field(2, 1 << 40)))])), "a segment that ends far away", "not-allow")
    add("tensor-duplicate-name", model(graph(initializers=[tensor("w", [3, 2], floats(6)), tensor("w", [3, 2], floats(6, 9.0))])), "two initializers of one name", "not-allow")
    add("constant-of-shape-bomb", model(graph([node("ConstantOfShape", ["s"], ["y"])], [tensor("s", [1], struct.pack("<q", 1 << 45), INT64)])),
        "a shape constant of 2^45 elements", "not-allow")

    # Payloads in plain sight.
    payloads = {"pickle": inert_pickle(), "elf": elf(), "zip": zip_bytes([Member("data.pkl", inert_pickle())]), "script": b"#!/bin/sh\necho waag-inert\n".ljust(64, b"\n")}
    for id, payload in payloads.items():
        pad = payload + bytes(-len(payload) % 4)
        add(f"payload-{id}-tensor", model(graph(initializers=[tensor("w", [len(pad)], pad, UINT8)])), f"a {id} as a tensor of bytes", "not-allow")
        add(f"payload-{id}-string", model(graph(initializers=[tensor("w", [1], None, STRING, strings=[payload])])), f"a {id} as a tensor of strings", "not-allow")
        add(f"payload-{id}-attribute", model(graph([node("MatMul", ["x", "w"], ["y"], [attribute("blob", payload)])])), f"a {id} in an attribute", "not-allow")
        add(f"payload-{id}-tail", model() + payload, f"a {id} behind the model", "not-allow")
        add(f"payload-{id}-unknown-field", model(extra=field(900, payload)), f"a {id} in a field no reader knows", "not-allow")
    add("payload-float-tensor-elf", model(graph(initializers=[tensor("w", [len(elf()) // 4], elf()[: len(elf()) // 4 * 4])])), "a program as floats", "not-allow")
    add("truncated", model()[:-20], "the end is missing", "not-allow")
    add("length-beyond", field(1, 8) + b"\x3a" + varint(1 << 40) + b"xx", "a graph longer than the file", "not-allow")
    add("group-wire", model() + b"\xfb\x01" * 30, "groups that never end", "not-allow")
    add("graph-twice", model() + field(7, graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")])), "a second graph: parsers merge them")
    add("deep-nesting", model(deep(3000, graph([], []))), "three thousand graphs deep", "not-allow")
    add("named-pb", model(graph([node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")]), [("", 17), ("ai.onnx.contrib", 1)]), "a Python operator, called .pb", name="model.pb")
    add("named-bin", model(graph(initializers=[external("../../etc/passwd")])), "external data that leaves, called .bin", name="pytorch_model.bin", expect="not-allow")
    add("look-alike-domain", model(graph([node("MatMul", ["x", "w"], ["y"], domain="ai.0nnx")]), [("", 17), ("ai.0nnx", 1)]), "a domain that looks like the standard's", "not-allow")
    add("shared-library-beside", {"model.onnx": model(graph([node("Evil", ["x"], ["y"], domain="waag")]), [("", 17), ("waag", 1)]), "libcustom_ops.so": Executable(elf())},
        "the operator's library beside the model")
    return shelf


def deep(levels: int, inner: bytes) -> bytes:
    for _ in range(levels):
        inner = graph([node("If", ["c"], ["y"], [subgraph("then_branch", inner)])], [])
    return inner


def good() -> Shelf:
    shelf = Shelf("good-onnx", source="construction, after onnx.proto")

    def add(id: str, data: bytes | dict, why: str, name: str = "model.onnx") -> None:
        shelf.good(id, data, why, name="model" if isinstance(data, dict) else name)

    add("linear", model(), "a matrix product")
    add("external-beside", {"model.onnx": model(graph(initializers=[external("model.onnx.data", offset="0", length="24")])), "model.onnx.data": floats(6)}, "external data beside the model")
    add("external-folder", {"model.onnx": model(graph(initializers=[external("weights/w")])), "weights/w": floats(6)}, "external data in a folder below")
    add("external-two", {"model.onnx": model(graph([node("MatMul", ["x", "w"], ["t"]), node("Add", ["t", "b"], ["y"])], [external("d.bin", offset="4096", length="24"),
        tensor("b", [2], None, external={"location": "d.bin", "offset": "0", "length": "8"})])), "d.bin": floats(2).ljust(4096, b"\0") + floats(6)}, "two tensors of one data file, on pages")
    add("external-checksum", {"model.onnx": model(graph(initializers=[external("d.bin", offset="0", length="24", checksum=hashlib.sha1(floats(6)).hexdigest())])), "d.bin": floats(6)},
        "external data with a checksum")
    add("words", model(graph([node("MatMul", ["x", "w"], ["y"], name="eval/exec/os.system", doc="__import__('os') is a word here")], name="torch_jit_eval"),
        doc="Exported in eval() mode; never exec untrusted code. See os.system docs."), "names and descriptions with words that frighten scanners")
    add("metadata", model(metadata={"names": "{0: 'person', 1: 'bicycle'}", "stride": "32", "task": "detect", "author": "Ultralytics", "imgsz": "[640, 640]"}), "metadata as YOLO exports it")
    add("subgraph", model(graph([node("If", ["c"], ["y"], [subgraph("then_branch", graph([node("Identity", ["x"], ["y"])], [], inputs=[])),
        subgraph("else_branch", graph([node("Neg", ["x"], ["y"])], [], inputs=[]))])], [], inputs=[value("x", ["N", 3]), value("c", [], 9)])), "two branches")
    add("loop", model(graph([node("Loop", ["m", "c"], [], [subgraph("body", graph([node("Identity", ["b"], ["d"])], [], inputs=[value("i", [], INT64), value("b", [], 9)], outputs=[value("d", [], 9)]))])], [],
        inputs=[value("m", [], INT64), value("c", [], 9)], outputs=[])), "a loop")
    add("function", model(graph([node("Gelu2", ["x"], ["y"], domain="local")]), [("", 17), ("local", 1)], functions=[function("local", "Gelu2", [node("Erf", ["a"], ["t"]), node("Mul", ["t", "a"], ["b"])])]),
        "a function of the model's own, and its definition")
    add("torch-onnxscript", model(graph([node("aten_mean", ["x"], ["y"], domain="pkg.onnxscript.torch_lib")]), [("", 17), ("pkg.onnxscript.torch_lib", 1)], functions=[
        function("pkg.onnxscript.torch_lib", "aten_mean", [node("ReduceMean", ["a"], ["b"])])], producer="pytorch"), "functions as torch's exporter writes them")
    add("ml-domain", model(graph([node("LinearClassifier", ["x"], ["l", "y"], [attribute("post_transform", "SOFTMAX"), attribute("coefficients", (7, 6, floats(6)))], "ai.onnx.ml")]),
        [("", 17), ("ai.onnx.ml", 3)]), "an operator of the machine-learning domain")
    add("microsoft-fused", model(graph([node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft"), node("SkipLayerNormalization", ["y"], ["z"], domain="com.microsoft")]),
        [("", 17), ("com.microsoft", 1)]), "operators of ONNX Runtime's own domain")
    add("quantized", model(graph([node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["y"])], [tensor("s", [], floats(1)), tensor("z", [], b"\0", UINT8)])),
        "quantization with scalars")
    add("empty-tensor", model(graph(initializers=[tensor("w", [3, 2], floats(6)), tensor("roi", [0], b"")])), "a tensor without elements")
    add("float-data", model(graph(initializers=[packed(1, [2, 2]) + field(2, FLOAT) + field(4, floats(4)) + field(8, "w")])), "data in float_data")
    add("int64-data", model(graph([node("Reshape", ["x", "s"], ["y"])], [packed(1, [2]) + field(2, INT64) + packed(7, [-1, 3]) + field(8, "s")])), "data in int64_data")
    add("dims-unpacked", model(graph(initializers=[field(1, 3) + field(1, 2) + field(2, FLOAT) + field(8, "w") + field(9, floats(6))])), "dimensions written one by one")
    add("strings", model(graph([node("LabelEncoder", ["x"], ["y"], [attribute("keys_strings", (9, 8, b"eval"))], "ai.onnx.ml")], [tensor("labels", [3], None, STRING, strings=[b"eval", b"exec", b"os.system"])]),
        [("", 17), ("ai.onnx.ml", 3)]), "labels that frighten scanners")
    add("large", model(graph(initializers=[tensor("w", [64, 64], floats(4096))])), "a tensor of sixteen kilobytes")
    add("many-nodes", model(graph([node("Relu", [f"t{i}"], [f"t{i + 1}"], name=f"relu_{i}") for i in range(500)], [],
        inputs=[value("t0", ["N", 3])], outputs=[value("t500", ["N", 3])])), "five hundred nodes")
    add("named-model", model(), "a model called .ort.onnx", name="model_quantized.int8.onnx")
    add("dynamic-axes", model(graph(inputs=[value("x", ["batch", "sequence"], INT64)], outputs=[value("y", ["batch", "sequence", 768])])), "dynamic axes")
    add("no-producer-graph-doc", model(graph(doc="A graph's own description, with a URL: https://onnx.ai"), producer=""), "a description with an address")
    add("sparse", model(graph(extra=field(15, field(1, tensor("sw", [1], floats(1))) + field(2, tensor("sw_i", [1], struct.pack("<q", 3), INT64)) + packed(3, [3, 2])))), "a sparse initializer")
    add("nan-weights", model(graph(initializers=[tensor("w", [3, 2], struct.pack("<f", float("nan")) * 6)])), "broken, but harmless: weights that are not numbers")
    libraries(shelf)
    return shelf


def libraries(shelf: Shelf) -> None:
    try:
        import numpy as np
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        shelf.skip("onnx is missing: its own models were left out")
        return
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])
    w = numpy_helper.from_array(np.linspace(-1, 1, 8, dtype="f4").reshape(4, 2), "w")
    plain = helper.make_model(helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [w]), opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(plain)
    shelf.good("library-matmul", plain.SerializeToString(deterministic=True), "written by onnx", name="model.onnx", source="the installed library")
    half = numpy_helper.from_array(np.linspace(-1, 1, 8, dtype="f2").reshape(4, 2), "h")
    typed = helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [x], [half, numpy_helper.from_array(np.array([b"eval", b"x"], dtype=object), "s")]))
    shelf.good("library-types", typed.SerializeToString(deterministic=True), "half floats and strings, by onnx", name="model.onnx", source="the installed library")
    try:
        from skl2onnx import to_onnx
        from sklearn.linear_model import LogisticRegression
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        shelf.skip("skl2onnx is missing: its models were left out")
        return
    data, labels = np.arange(40, dtype="f4").reshape(10, 4) % 7, np.arange(10) % 2
    for id, estimator in (("logistic", LogisticRegression()), ("tree", DecisionTreeClassifier(random_state=0))):
        shelf.good(f"skl2onnx-{id}", to_onnx(estimator.fit(data, labels), data[:1]).SerializeToString(deterministic=True), "written by skl2onnx", name="model.onnx", source="the installed library")
