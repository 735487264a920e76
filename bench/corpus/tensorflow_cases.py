"""TensorFlow: graphs that read, write and call, wherever a SavedModel keeps graphs; assets, checkpoints and Keras metadata."""

from __future__ import annotations

import base64
import json
import marshal
import struct

from .assembler import inert_pickle
from .case import Content, Link, Shelf
from .confusion import elf
from .keras_format import lambda_layer
from .protobuf import field, varint
from .tensorflow_format import (
    FLOAT, STRING, bundle_entry, checkpoint, function, graph, keras_metadata, library, meta_graph, node, plain_nodes, saved_model, saver_nodes, table, tensor, text_constant,
)

WEIGHTS = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
INERT = "/nonexistent/waag-inert"


def ops() -> dict[str, tuple[list[bytes], str, str]]:
    """Operator -> nodes, what it does, expectation."""
    path, text = text_constant("path", INERT), text_constant("text", "waag-inert")
    one = lambda op, *inputs, **attrs: [path, text, node("evil", op, inputs, {k: field(2, v) for k, v in attrs.items()})]  # noqa: E731
    return {
        "write-file": (one("WriteFile", "path", "text"), "writes a file", "deny"),
        "read-file": (one("ReadFile", "path"), "reads a file", "deny"),
        "matching-files": (one("MatchingFiles", "path"), "lists files", "deny"),
        "print-v2": (one("PrintV2", "text", output_stream="file://" + INERT), "prints into a file", "deny"),
        "save": (one("Save", "path", "text"), "writes tensors into a file of its choice", "not-allow"),
        "save-slices": (one("SaveSlices", "path", "text"), "writes tensors into a file of its choice", "not-allow"),
        "save-v2-constant": ([text_constant("prefix", "/nonexistent/home/.bashrc"), node("evil", "SaveV2", ("prefix", "prefix", "prefix"))], "saves to a constant path outside", "not-allow"),
        "restore-v2-constant": ([text_constant("prefix", "/etc/passwd"), node("evil", "RestoreV2", ("prefix", "prefix", "prefix"))], "restores from a constant path outside", "not-allow"),
        "merge-delete": ([text_constant("prefix", "/nonexistent/x"), node("evil", "MergeV2Checkpoints", ("prefix", "prefix"), {"delete_old_dirs": field(5, 1)})],
                         "merges checkpoints of a constant path and deletes folders", "not-allow"),
        "py-func": (one("PyFunc", "text", token="pyfunc_0"), "calls Python", "deny"),
        "py-func-stateless": (one("PyFuncStateless", "text", token="pyfunc_0"), "calls Python", "deny"),
        "eager-py-func": (one("EagerPyFunc", "text", token="pyfunc_0"), "calls Python", "deny"),
        "debug-identity-file": ([path, node("evil", "DebugIdentity", ("path",), {"debug_urls": field(1, field(2, "file://" + INERT))})], "writes what passes by to a file", "deny"),
        "debug-identity-grpc": ([path, node("evil", "DebugIdentity", ("path",), {"debug_urls": field(1, field(2, "grpc://example.invalid:443"))})], "sends what passes by over the net", "deny"),
        "debug-numeric-summary": ([path, node("evil", "DebugNumericSummary", ("path",), {"debug_urls": field(1, field(2, "grpc://example.invalid:443"))})], "sends a summary over the net", "deny"),
        "rpc-call": (one("RpcCall", "text"), "calls a remote procedure", "not-allow"),
        "rpc-client": (one("RpcClient", "text"), "opens a remote client", "not-allow"),
        "rpc-server": (one("RpcServer", "text"), "opens a server", "not-allow"),
        "register-dataset": (one("RegisterDataset", "text"), "talks to a data service", "not-allow"),
        "data-service-dataset": (one("DataServiceDatasetV4", "text"), "reads from a data service", "not-allow"),
        "load-library": (one("LoadLibrary", "path"), "loads a shared library", "not-allow"),
        "whole-file-reader": (one("WholeFileReaderV2"), "reads whole files", "not-allow"),
        "text-line-dataset": (one("TextLineDataset", "path"), "reads text of a constant path", "not-allow"),
        "fixed-length-record": (one("FixedLengthRecordDataset", "path"), "reads records of a constant path", "not-allow"),
        "tf-record-dataset": (one("TFRecordDataset", "path"), "reads records of a constant path", "not-allow"),
        "sql-dataset": (one("SqlDataset", "path", "text", "text"), "queries a database", "not-allow"),
        "summary-writer": (one("CreateSummaryFileWriter", "path"), "writes event files", "not-allow"),
        "summary-db-writer": (one("CreateSummaryDbWriter", "path"), "writes a database", "not-allow"),
        "immutable-const": (one("ImmutableConst", memory_region_name="/etc/passwd"), "maps a file into memory", "not-allow"),
        "initialize-table-file": (one("InitializeTableFromTextFileV2", "text", "path"), "reads a table of a constant path outside", "not-allow"),
        "lookup-file": ([text_constant("path", "/etc/passwd"), node("t", "HashTableV2"), node("evil", "InitializeTableFromTextFileV2", ("t", "path"))], "reads /etc/passwd as a vocabulary", "deny"),
        "xla-custom-call": (one("XlaCustomCallV2", call_target_name="waag"), "calls a registered native function", "deny"),
        "custom-operator": (one("WaagEvilOp", "text"), "an operator TensorFlow does not have", "not-allow"),
        "ffmpeg": (one("DecodeVideo", "text"), "an operator of a removed package that starts ffmpeg", "deny"),
        "iterator-from-file": (one("LoadDataset", "path"), "loads a data set of a constant path", "not-allow"),
        "save-dataset": (one("SaveDatasetV2", "path"), "saves a data set to a constant path", "not-allow"),
        "copy-to-snapshot": (one("SnapshotDatasetV2", "path", "path"), "writes a snapshot to a constant path", "not-allow"),
        "cache-file": (one("CacheDatasetV2", "path", "path"), "caches into a constant path", "not-allow"),
        "bigtable": (one("BigtableClient", project_id="x"), "opens a cloud database", "not-allow"),
    }


def folder(data: bytes, **more: bytes | Link) -> dict[str, bytes | Link]:
    return {"saved_model.pb": data, **checkpoint_files(), **{name.replace("__", "/"): item for name, item in more.items()}}


def checkpoint_files(**lies: bytes) -> dict[str, bytes]:
    return {f"variables/{name}": data for name, data in checkpoint({"dense/kernel": ((3, 2), WEIGHTS)}, lies={k.replace("__", "/"): v for k, v in lies.items()}).items()}


def bad() -> Shelf:
    shelf = Shelf("tensorflow", source="construction, after TensorFlow's protos and SECURITY.md")

    def add(id: str, content: Content, why: str, expect: str = "deny", name: str | None = None, source: str | None = None) -> None:
        shelf.bad(id, content, why, name=name or ("model" if isinstance(content, dict) else "saved_model.pb"), expect=expect, source=source)

    table_of = ops()
    for id, (nodes, why, expect) in table_of.items():
        add(f"op-{id}", folder(saved_model(meta_graph(graph(plain_nodes() + nodes)))), f"the graph {why}", expect)
    evil = table_of["write-file"][0]
    call = [node("call", "StatefulPartitionedCall", attrs={"f": field(10, field(1, "f"))})]
    add("function-called", folder(saved_model(meta_graph(graph(plain_nodes() + call, library(function("f", evil)))))), "a function writes a file")
    add("function-only-library", folder(saved_model(meta_graph(graph([], library(function("f", evil)))))), "the graph is empty, the library is not")
    add("function-gradient", folder(saved_model(meta_graph(graph(plain_nodes(), library(function("g", evil), gradients=(("MatMul", "g"),)))))), "a gradient writes a file")
    nested = [node("call", "PartitionedCall", attrs={"f": field(10, field(1, "g"))})]
    add("function-nested", folder(saved_model(meta_graph(graph(plain_nodes() + call, library(function("f", nested), function("g", evil)))))), "a function's function writes a file")
    add("function-while", folder(saved_model(meta_graph(graph(plain_nodes() + [node("w", "While", attrs={"body": field(10, field(1, "f")), "cond": field(10, field(1, "g"))})],
        library(function("f", evil), function("g", plain_nodes())))))), "a loop's body writes a file")
    add("function-map", folder(saved_model(meta_graph(graph([node("m", "MapDataset", attrs={"f": field(10, field(1, "f"))})], library(function("f", evil)))))), "a data set's map writes a file")
    add("dataset-graph-string", folder(saved_model(meta_graph(graph(plain_nodes() + [text_constant("g", graph(evil)), node("d", "DatasetFromGraph", ("g",))])))),
        "a graph inside a string, for DatasetFromGraph", "not-allow")
    add("second-meta-graph", folder(saved_model(meta_graph(), meta_graph(graph(evil), ("train",)))), "the second of two graphs writes a file")
    add("second-field-graph", folder(saved_model(meta_graph(extra=field(2, graph(evil))))), "the graph given twice: parsers merge them")
    add("node-op-twice", folder(saved_model(meta_graph(graph([text_constant("path", INERT), node("evil", "Identity", ("path", "path")) + field(2, "WriteFile")])))), "an operator named twice: the last one counts")
    add("init-op", folder(saved_model(meta_graph(graph(plain_nodes() + evil), collections={"saved_model_main_op": field(1, field(1, "evil"))}))), "the file is written on loading")
    add("legacy-init-op", folder(saved_model(meta_graph(graph(plain_nodes() + evil), collections={"legacy_init_op": field(1, field(1, "evil"))}))), "the file is written on loading, the older way")
    add("collection-bytes-pickle", folder(saved_model(meta_graph(collections={"x": field(2, field(1, inert_pickle()))}))), "a pickle in a collection", "not-allow")
    for id, where in (("parent", "../../../../../etc/waag-inert"), ("absolute", "/etc/passwd"), ("url", "https://example.invalid/x"), ("backslash", "..\\..\\x")):
        add(f"asset-{id}", folder(saved_model(meta_graph(assets=(where,)))), f"an asset at {where}", "not-allow" if id in ("url", "backslash") else "deny")
    add("asset-symlink", folder(saved_model(meta_graph(assets=("vocab.txt",))), assets__vocab_txt=Link("/etc/passwd")), "an asset that is a link out of the folder", "not-allow")
    add("asset-pickle", {**folder(saved_model(meta_graph(assets=("vocab.pkl",)))), "assets/vocab.pkl": inert_pickle()}, "an asset that is a pickle")
    add("asset-extra-program", {**folder(saved_model()), "assets.extra/tool": elf()}, "a program among the extra assets")

    code = base64.b64encode(marshal.dumps(compile("lambda x: __import__('os').system('echo waag-inert')", "waag", "eval"))).decode()
    layer = lambda_layer(code, encoded=True)
    add("keras-metadata-lambda", {**folder(saved_model()), "keras_metadata.pb": keras_metadata(layer)}, "a Lambda in keras_metadata.pb", source="cve-2024-3660")
    add("keras-metadata-nested", {**folder(saved_model()), "keras_metadata.pb": keras_metadata({"class_name": "Sequential", "config": {"layers": [layer]}}, "_tf_keras_sequential")},
        "a Lambda inside a sequence, in keras_metadata.pb", source="cve-2024-3660")
    add("keras-metadata-in-object-graph", folder(saved_model(meta_graph(objects=field(1, field(4, field(1, "_tf_keras_layer") + field(3, json.dumps(layer))))))),
        "a Lambda in the object graph of an older TensorFlow", source="cve-2024-3660")
    add("keras-metadata-wrapped", {**folder(saved_model()), "keras_metadata.pb": keras_metadata({"class_name": "TimeDistributed", "config": {"layer": layer}})}, "a Lambda inside a wrapper", source="cve-2024-3660")
    add("keras-metadata-custom", {**folder(saved_model()), "keras_metadata.pb": keras_metadata({"class_name": "waag>EvilLayer", "config": {"module": "os", "fn": "system"}})}, "a custom class", "not-allow")
    add("keras-metadata-broken", {**folder(saved_model()), "keras_metadata.pb": keras_metadata(layer)[:40]}, "metadata that is cut off", "not-allow")

    # Single files.
    add("graph-def", graph(plain_nodes() + evil), "a frozen graph writes a file", name="frozen_graph.pb")
    add("graph-def-function", graph([], library(function("f", evil))), "a frozen graph's library writes a file", name="graph.pb")
    add("graph-def-pyfunc", graph(table_of["py-func"][0]), "a frozen graph calls Python", name="model.pb")
    add("graph-def-no-suffix", graph(plain_nodes() + evil), "a frozen graph without a suffix", "not-allow", name="frozen")
    add("meta-graph", meta_graph(graph(plain_nodes() + evil)), "a checkpoint's graph writes a file", name="model.ckpt.meta")
    add("meta-graph-saver", meta_graph(graph(saver_nodes() + evil), saver=field(1, "save/Const:0") + field(2, "save/control_dependency:0") + field(3, "save/restore_all")),
        "a checkpoint's graph with a saver, and a file it writes", name="model-1000.meta")
    text = 'node {{\n  name: "evil"\n  op: "{op}"\n  input: "path"\n  attr {{ key: "T" value {{ type: DT_STRING }} }}\n}}\n'
    add("pbtxt-graph", text.format(op="WriteFile").encode(), "a graph in text writes a file", name="graph.pbtxt")
    add("pbtxt-graph-escaped", text.format(op="Write\\106ile").encode(), "the operator's name with an escape", name="graph.pbtxt")
    add("pbtxt-graph-joined", text.replace('"{op}"', '"Write" "File"').format().encode(), "the operator's name in two strings", name="graph.pbtxt")
    add("pbtxt-graph-angles", b"node < name: 'e' op: 'PyFunc' attr < key: 'token' value < s: 'pyfunc_0' > > >\n", "angles for braces", name="graph.pbtxt")
    add("pbtxt-graph-comment", b'# a comment {\nnode { name: "e" # }\n op: "WriteFile" }\n', "comments with braces", name="graph.pbtxt")
    add("pbtxt-saved-model", {"saved_model.pbtxt": b'saved_model_schema_version: 1\nmeta_graphs { meta_info_def { tags: "serve" } graph_def { node { name: "e" op: "ReadFile" } } }\n', **checkpoint_files()},
        "a SavedModel in text reads a file")
    add("pbtxt-function", b'library { function { signature { name: "f" } node_def { name: "e" op: "WriteFile" } } }\n', "a function in text writes a file", name="graph.pbtxt")
    add("checkpoint-state-absolute", {"checkpoint": b'model_checkpoint_path: "/etc/passwd"\nall_model_checkpoint_paths: "/etc/passwd"\n', "x.index": checkpoint_files()["variables/variables.index"]},
        "the checkpoint's state points elsewhere", "not-allow")
    add("checkpoint-state-parent", {"checkpoint": b'model_checkpoint_path: "../../../../tmp/evil"\n', "x.index": checkpoint_files()["variables/variables.index"]},
        "the checkpoint's state points up", "not-allow")

    # Checkpoints that lie.
    for id, lie in (("beyond", bundle_entry((3, 2), 1 << 40, WEIGHTS)), ("size", bundle_entry((3, 2), 0, WEIGHTS, size=4)), ("shape-huge", bundle_entry((1 << 31, 1 << 31), 0, WEIGHTS)),
                    ("negative", bundle_entry((-3, 2), 0, WEIGHTS)), ("shard", bundle_entry((3, 2), 0, WEIGHTS, shard=7))):
        add(f"checkpoint-{id}", {"saved_model.pb": saved_model(), **checkpoint_files(dense__kernel=lie)}, f"a checkpoint entry that lies: {id}", "not-allow")
    index = checkpoint_files()["variables/variables.index"]
    add("checkpoint-truncated", index[:-9], "an index whose end is missing", "not-allow", name="variables.index")
    add("checkpoint-crc", index[:12] + bytes([index[12] ^ 1]) + index[13:], "an index whose checksum is wrong", "not-allow", name="variables.index")
    add("checkpoint-duplicate", {"saved_model.pb": saved_model(), **checkpoint_files(), "variables/variables.index": table([(b"", field(1, 1) + field(3, field(1, 1))), (b"a", bundle_entry((6,), 0, WEIGHTS)),
        (b"a", bundle_entry((3,), 0, WEIGHTS[:12]))])}, "one tensor twice in the index", "not-allow")
    add("checkpoint-tail", {"saved_model.pb": saved_model(), **checkpoint_files(), "variables/variables.data-00000-of-00001": WEIGHTS + inert_pickle()}, "a pickle behind the tensors", "not-allow")
    add("checkpoint-string-pickle", {"saved_model.pb": saved_model(), "variables/variables.index": table([(b"", field(1, 1) + field(3, field(1, 1))), (b"a", bundle_entry((), 0, b"x" * 20, dtype=STRING))]),
        "variables/variables.data-00000-of-00001": varint(len(inert_pickle())) + bytes(4) + inert_pickle()}, "a pickle as a string tensor", "not-allow")
    # The file itself.
    add("tail-pickle", folder(saved_model() + inert_pickle()), "a pickle behind the model", "not-allow")
    add("unknown-field-elf", folder(saved_model() + field(900, elf())), "a program in a field no reader knows", "not-allow")
    add("const-elf", folder(saved_model(meta_graph(graph(plain_nodes() + [text_constant("c", elf())])))), "a program in a constant", "not-allow")
    add("const-pickle", folder(saved_model(meta_graph(graph(plain_nodes() + [text_constant("c", inert_pickle())])))), "a pickle in a constant", "not-allow")
    add("const-shape-bomb", folder(saved_model(meta_graph(graph(plain_nodes() + [node("c", "Const", attrs={"value": field(8, tensor(FLOAT, (1 << 30, 1 << 12), WEIGHTS[:4]))})])))),
        "a constant of sixteen terabytes, from one number", "not-allow")
    add("truncated", folder(saved_model()[:-11]), "the end is missing", "not-allow")
    add("named-bin", saved_model(meta_graph(graph(evil))), "a SavedModel called .bin", "not-allow", name="pytorch_model.bin")
    add("fingerprint-pickle", {**folder(saved_model()), "fingerprint.pb": inert_pickle()}, "a pickle called fingerprint.pb")
    return shelf


def good() -> Shelf:
    shelf = Shelf("good-tensorflow", source="construction, after TensorFlow's protos")

    def add(id: str, content: Content, why: str, name: str | None = None) -> None:
        shelf.good(id, content, why, name=name or ("model" if isinstance(content, dict) else "saved_model.pb"))

    add("plain", folder(saved_model()), "a matrix product")
    add("saver", folder(saved_model(meta_graph(graph(plain_nodes() + saver_nodes()), saver=field(1, "save/Const:0") + field(2, "save/Identity:0") + field(3, "save/restore_all") + field(7, 2)))),
        "a graph with its saver, as every SavedModel of version 1 has it")
    add("function", folder(saved_model(meta_graph(graph(plain_nodes() + [node("call", "StatefulPartitionedCall", attrs={"f": field(10, field(1, "__inference_eval_12"))})],
        library(function("__inference_eval_12", plain_nodes())))))), "a function called eval")
    add("words", folder(saved_model(meta_graph(graph(plain_nodes() + [text_constant("exec", "os.system"), node("eval/WriteFile_name", "Identity", ("exec",)), text_constant("c2", "__import__('os') is a word")])))),
        "nodes and strings with words that frighten scanners")
    add("asset", {**folder(saved_model(meta_graph(assets=("vocab.txt",)))), "assets/vocab.txt": b"eval\nexec\nhello\n"}, "a vocabulary as an asset")
    add("table", {**folder(saved_model(meta_graph(graph(plain_nodes() + [text_constant("asset", "vocab.txt"), node("t", "HashTableV2"), node("init", "InitializeTableFromTextFileV2", ("t", "asset"))]),
        assets=("vocab.txt",)))), "assets/vocab.txt": b"a\nb\n"}, "a vocabulary's table")
    add("keras-metadata", {**folder(saved_model()), "keras_metadata.pb": keras_metadata({"class_name": "Dense", "config": {"name": "lambda", "units": 2, "activation": "relu"}}),
        "fingerprint.pb": field(1, 12345) + field(2, 678)}, "a Dense layer named lambda")
    add("two-tags", folder(saved_model(meta_graph(), meta_graph(tags=("train",)))), "a graph for serving and one for training")
    add("main-op", folder(saved_model(meta_graph(graph(plain_nodes() + [node("init", "NoOp")]), collections={"saved_model_main_op": field(1, field(1, "init"))}))), "an initializer that does nothing")
    add("frozen", graph(), "a frozen graph", name="frozen_inference_graph.pb")
    add("control-flow", graph(plain_nodes() + [node("e", "Enter", ("x",)), node("m", "Merge", ("e", "n")), node("s", "Switch", ("m", "c")), node("n", "NextIteration", ("s",)), node("q", "Exit", ("s",))]),
        "a loop of version 1", name="graph.pb")
    add("assert-print", graph(plain_nodes() + [node("a", "Assert", ("x", "y")), node("p", "Print", ("x", "y"), {"message": field(2, "eval loss")})]), "an assertion and a message", name="graph.pb")
    add("image", graph([node("bytes", "Placeholder", attrs={"dtype": field(6, STRING)}), node("img", "DecodeJpeg", ("bytes",)), node("r", "ResizeBilinear", ("img", "size"))]), "an image is decoded", name="graph.pb")
    add("meta", meta_graph(graph(plain_nodes() + saver_nodes()), saver=field(1, "save/Const:0") + field(3, "save/restore_all")), "a checkpoint's graph", name="model.ckpt-100.meta")
    add("pbtxt", b'node {\n  name: "x"\n  op: "Placeholder"\n  attr { key: "dtype" value { type: DT_FLOAT } }\n}\nversions { producer: 1087 }\n', "a graph in text", name="graph.pbtxt")
    add("label-map", b"item {\n  id: 1\n  name: 'person'\n}\nitem {\n  id: 2\n  name: 'eval'\n}\n", "a label map", name="label_map.pbtxt")
    add("checkpoint", {"checkpoint": b'model_checkpoint_path: "variables"\nall_model_checkpoint_paths: "variables"\n', **checkpoint({"a/b": ((6,), WEIGHTS), "c": ((3,), WEIGHTS[:12]), "lambda/eval": ((), WEIGHTS[:4])})},
        "a checkpoint of three tensors")
    add("checkpoint-many", checkpoint({f"layer{i}/kernel": ((6,), WEIGHTS) for i in range(40)}), "a checkpoint of forty tensors")
    add("dataset", folder(saved_model(meta_graph(graph(plain_nodes() + [node("r", "RangeDataset"), node("m", "MapDataset", ("r",), {"f": field(10, field(1, "f"))})], library(function("f", plain_nodes())))))),
        "a data set that is mapped")
    add("shared-name", folder(saved_model(meta_graph(graph(plain_nodes() + [node("v", "VarHandleOp", attrs={"shared_name": field(2, "exec/os.system")}), node("read", "ReadVariableOp", ("v",))])))),
        "a variable with a name that frightens scanners")
    add("splat", folder(saved_model(meta_graph(graph(plain_nodes() + [node("c", "Const", attrs={"value": field(8, tensor(FLOAT, (256, 256)) + field(5, b"\0\0\0\0"))})])))), "a constant that repeats one number")
    return shelf
