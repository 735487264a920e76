"""TFLite and ExecuTorch: FlatBuffers whose operators, buffers and offsets can lie."""

from __future__ import annotations

import struct

from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf
from .flatbuffers import At, Numbers, Scalar, Table, Tables, Text, flatbuffer
from .zipwriter import Member, zip_bytes

WEIGHTS = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
FULLY_CONNECTED, ADD, CUSTOM = 9, 0, 32


def code(builtin: int, custom: str | None = None, old: int | None = None) -> Table:
    slots: dict[int, object] = {0: Scalar("b", min(builtin, 127) if old is None else old), 2: Scalar("i", 1), 3: Scalar("i", builtin)}
    if custom is not None:
        slots[1] = Text(custom)
    return Table(slots)


def tensor(name: str, shape: list[int], buffer: int = 0, kind: int = 0, signature: list[int] | None = None) -> Table:
    more: dict[int, object] = {7: Numbers("i", signature)} if signature else {}
    return Table({0: Numbers("i", shape), 1: Scalar("b", kind), 2: Scalar("I", buffer), 3: Text(name), **more})


def operator(index: int = 0, inputs: tuple[int, ...] = (0, 1), outputs: tuple[int, ...] = (2,), custom: bytes | None = None, extra: dict[int, object] | None = None) -> Table:
    slots: dict[int, object] = {0: Scalar("I", index), 1: Numbers("i", list(inputs)), 2: Numbers("i", list(outputs)), **(extra or {})}
    if custom is not None:
        slots[5] = Numbers("B", custom)
    return Table(slots)


def subgraph(tensors: list[Table] | None = None, operators: list[Table] | None = None, inputs: tuple[int, ...] = (0,), outputs: tuple[int, ...] = (2,), name: str = "main") -> Table:
    tensors = tensors or [tensor("x", [1, 3]), tensor("w", [2, 3], 1), tensor("y", [1, 2])]
    return Table({0: Tables(list(tensors)), 1: Numbers("i", list(inputs)), 2: Numbers("i", list(outputs)), 3: Tables(list([operator()] if operators is None else operators)), 4: Text(name)})


def buffer(data: bytes | None = None, length: int | None = None, offset: int | None = None, size: int | None = None) -> Table:
    slots: dict[int, object] = {}
    if data is not None:
        slots[0] = Numbers("B", data, length, align=16)
    if offset is not None:
        slots |= {1: Scalar("Q", offset), 2: Scalar("Q", size or 0)}
    return Table(slots)


def tflite(codes: list[Table] | None = None, graphs: list[object] | None = None, buffers: list[object] | None = None, metadata: list[tuple[str, int]] | None = None,
           description: str = "MLIR Converted.", version: int = 3, identifier: bytes = b"TFL3") -> bytes:
    slots: dict[int, object] = {0: Scalar("I", version), 1: Tables(list([code(FULLY_CONNECTED)] if codes is None else codes)), 2: Tables(list([subgraph()] if graphs is None else graphs)),
                                3: Text(description), 4: Tables(list([buffer(), buffer(WEIGHTS)] if buffers is None else buffers))}
    if metadata:
        slots[6] = Tables([Table({0: Text(name), 1: Scalar("I", index)}) for name, index in metadata])
    return flatbuffer(Table(slots), identifier)


def tflite_bad() -> Shelf:
    shelf = Shelf("tflite", source="construction, after TFLite's schema")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", name: str = "model.tflite") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    for id, custom in (("custom", "WaagEvil"), ("custom-shell", "os.system"), ("custom-library", "/tmp/libevil.so"), ("flex-unknown", "FlexWaagEvil"), ("flex-read-file", "FlexReadFile"), ("flex-write-file", "FlexWriteFile"),
                       ("flex-py-func", "FlexPyFunc"), ("flex-eager-py-func", "FlexEagerPyFunc"), ("flex-debug-identity", "FlexDebugIdentity"), ("flex-load", "FlexRestoreV2"), ("python", "PyCustomOp")):
        add(id, tflite([code(CUSTOM, custom)], [subgraph(operators=[operator(custom=b"\0")])]), f"the custom operator {custom}", "deny" if id in ("flex-read-file", "flex-write-file", "flex-py-func", "flex-eager-py-func") else "not-allow")
    add("custom-in-second-graph", tflite([code(FULLY_CONNECTED), code(CUSTOM, "FlexWriteFile")], [subgraph(), subgraph(operators=[operator(1)], name="body")]), "a writing operator in the second graph", "deny")
    add("custom-old-code", tflite([code(0, "FlexWriteFile", old=CUSTOM)], [subgraph()]), "custom by its deprecated code", "deny")
    add("custom-options-pickle", tflite([code(CUSTOM, "TFLite_Detection_PostProcess")], [subgraph(operators=[operator(custom=inert_pickle())])]), "a pickle as options")
    add("builtin-unknown", tflite([code(9999)]), "an operator that does not exist")
    add("opcode-out-of-range", tflite(graphs=[subgraph(operators=[operator(77)])]), "an operator's index out of range")
    add("tensor-out-of-range", tflite(graphs=[subgraph(operators=[operator(inputs=(0, 99))])]), "a tensor's index out of range")
    add("tensor-negative", tflite(graphs=[subgraph(operators=[operator(inputs=(0, -7))])]), "a tensor's index below minus one")
    add("input-out-of-range", tflite(graphs=[subgraph(inputs=(5000,))]), "an input's index out of range")
    add("buffer-out-of-range", tflite(graphs=[subgraph([tensor("x", [1, 3]), tensor("w", [2, 3], 55), tensor("y", [1, 2])])]), "a buffer's index out of range")
    for id, shape in (("shape-larger", [1000, 1000]), ("shape-smaller", [1, 1]), ("shape-overflow", [1 << 30, 1 << 30]), ("shape-negative", [-5, 3]), ("shape-wrap", [65536, 65536])):
        add(id, tflite(graphs=[subgraph([tensor("x", [1, 3]), tensor("w", shape, 1), tensor("y", [1, 2])])]), f"a tensor of shape {shape} on twenty-four bytes")
    add("type-unknown", tflite(graphs=[subgraph([tensor("x", [1, 3]), tensor("w", [2, 3], 1, 99), tensor("y", [1, 2])])]), "a tensor of a type that does not exist")
    add("buffer-length", tflite(buffers=[buffer(), buffer(WEIGHTS, length=1 << 30)]), "a buffer of a gigabyte, it says")
    add("buffer-offset-beyond", tflite(buffers=[buffer(), buffer(offset=1 << 40, size=24)]), "a buffer that lies behind the file")
    add("buffer-offset-header", tflite(buffers=[buffer(), buffer(offset=2, size=24)]), "a buffer over the model's head")
    add("offset-beyond", tflite(graphs=[At(0x7FFFFFFF)]), "a graph far away")
    add("offset-self", tflite(graphs=[At(0)]), "a graph at its own offset")
    add("root-beyond", struct.pack("<I", 1 << 31) + tflite()[4:], "a root far away")
    add("vector-length", tflite()[:-60], "the end is missing")
    broken = bytearray(tflite())
    root = struct.unpack_from("<I", broken)[0]
    struct.pack_into("<i", broken, root, -1 << 30)
    add("vtable-beyond", bytes(broken), "a table's shape far away")
    add("metadata-out-of-range", tflite(metadata=[("TFLITE_METADATA", 40)]), "metadata in a buffer that is not there")
    for id, payload in (("pickle", inert_pickle()), ("elf", elf()), ("script", b"#!/bin/sh\necho waag-inert\n"), ("zip-pickle", zip_bytes([Member("labels.pkl", inert_pickle())]))):
        add(f"tail-{id}", tflite() + payload, f"a {id} behind the model", "deny" if id in ("zip-pickle", "pickle") else "not-allow")
        add(f"metadata-{id}", tflite(buffers=[buffer(), buffer(WEIGHTS), buffer(payload)], metadata=[("extra", 2)]), f"a {id} as metadata")
        add(f"buffer-{id}", tflite(buffers=[buffer(), buffer(WEIGHTS), buffer(payload)]), f"a {id} in a buffer nothing uses")
    add("version-9", tflite(version=9), "a version that does not exist")
    add("bin-custom", tflite([code(CUSTOM, "FlexWriteFile")]), "a writing operator, called .bin", "deny", "model.bin")
    add("no-graphs", tflite(graphs=[]), "no graphs")
    add("named-lite-identifier", tflite(identifier=b"TFL9"), "an identifier of the future")
    return shelf


def tflite_good() -> Shelf:
    shelf = Shelf("good-tflite", source="construction, after TFLite's schema")

    def add(id: str, data: bytes, why: str, name: str = "model.tflite") -> None:
        shelf.good(id, data, why, name=name)

    add("plain", tflite(), "a fully connected layer")
    add("two-graphs", tflite(graphs=[subgraph(), subgraph(name="while_body")]), "two graphs")
    add("words", tflite(graphs=[subgraph([tensor("eval/x", [1, 3]), tensor("exec;os.system", [2, 3], 1), tensor("lambda", [1, 2])])], description="never eval() this"), "names that frighten scanners")
    add("optional-input", tflite(graphs=[subgraph(operators=[operator(inputs=(0, 1, -1))])]), "an input left out")
    add("metadata", tflite(buffers=[buffer(), buffer(WEIGHTS), buffer(b"1.14.0\0\0\0\0\0\0\0\0\0\0")], metadata=[("min_runtime_version", 2)]), "the runtime's version")
    labels = zip_bytes([Member("labelmap.txt", b"person\nbicycle\neval\n")])
    add("labels", tflite() + labels, "labels in a zip behind the model, as TFLite's metadata puts them")
    add("detection", tflite([code(CUSTOM, "TFLite_Detection_PostProcess")], [subgraph(operators=[operator(custom=b"\x01\0\0")])]), "the detection step of every SSD model")
    add("scalar", tflite(graphs=[subgraph([tensor("x", [1, 3]), tensor("w", [2, 3], 1), tensor("y", [])])]), "a scalar")
    add("dynamic", tflite(graphs=[subgraph([tensor("x", [1, 3], signature=[-1, 3]), tensor("w", [2, 3], 1), tensor("y", [1, 2], signature=[-1, 2])])]), "a dynamic batch")
    add("int8", tflite(graphs=[subgraph([tensor("x", [1, 3], 0, 9), tensor("w", [4, 6], 1, 9), tensor("y", [1, 2], 0, 9)])]), "eight-bit weights")
    add("string-tensor", tflite(graphs=[subgraph([tensor("x", [1], 0, 5), tensor("w", [2, 3], 1), tensor("y", [1, 2])])]), "a tensor of strings")
    add("many", tflite([code(ADD)], [subgraph([tensor(f"t{i}", [1, 3]) for i in range(101)], [operator(0, (i, i), (i + 1,)) for i in range(100)], outputs=(100,))], [buffer()]), "a hundred operators")
    return shelf


def plan(operators: list[tuple[str, str]] | None = None, delegates: list[str] | None = None, name: str = "forward") -> Table:
    ops = Tables([Table({0: Text(a), 1: Text(b)}) for a, b in ([("aten::add", "out")] if operators is None else operators)])
    spec = [Table({0: Text(d), 1: Table({0: Scalar("b", 0), 1: Scalar("I", 0)}), 2: Tables([])}) for d in delegates or []]
    return Table({0: Text(name), 2: Tables([]), 3: Numbers("i", []), 4: Numbers("i", []), 5: Tables([]), 6: ops, 7: Tables(list(spec)), 8: Numbers("q", [0], align=8)})


def executorch(plans: list[object] | None = None, data: list[bytes] | None = None, segments: list[tuple[int, int]] | None = None, identifier: bytes = b"ET12", version: int = 0) -> bytes:
    slots: dict[int, object] = {0: Scalar("I", version), 1: Tables(list([plan()] if plans is None else plans)), 2: Tables([Table({0: Numbers("B", b"", align=16)})]),
                                3: Tables([Table({0: Numbers("B", d, align=16)}) for d in data or []]), 4: Tables([Table({0: Scalar("Q", a), 1: Scalar("Q", b)}) for a, b in segments or []])}
    return flatbuffer(Table(slots), identifier)


def executorch_cases() -> Shelf:
    shelf = Shelf("executorch", source="construction, after ExecuTorch's program schema")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", name: str = "model.pte") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    add("custom-operator", executorch([plan([("waag::evil", "out")])]), "an operator of a custom library")
    add("custom-delegate", executorch([plan(delegates=["WaagEvilBackend"])], [b"x" * 16]), "a delegate nobody knows")
    add("delegate-elf", executorch([plan(delegates=["XnnpackBackend"])], [elf()]), "a program as a delegate's data")
    add("delegate-pickle", executorch([plan(delegates=["XnnpackBackend"])], [inert_pickle()]), "a pickle as a delegate's data")
    add("segment-beyond", executorch(segments=[(1 << 40, 100)]), "a segment behind the file")
    add("segment-overflow", executorch(segments=[((1 << 64) - 8, 100)]), "a segment that wraps")
    add("offset-beyond", executorch([At(0x7FFFFFF0)]), "a plan far away")
    add("truncated", executorch()[:-30], "the end is missing")
    add("tail-pickle", executorch() + inert_pickle(), "a pickle behind the program", "deny")
    add("identifier-later", executorch(identifier=b"ET99"), "an identifier of the future")
    add("named-pte-pickle", inert_pickle(), "a pickle called .pte", "deny")
    return shelf


def executorch_good() -> Shelf:
    shelf = Shelf("good-executorch", source="construction, after ExecuTorch's program schema")
    shelf.good("plain", executorch(), "an addition", name="model.pte")
    shelf.good("operators", executorch([plan([("aten::mul", "out"), ("aten::linear", "out"), ("quantized_decomposed::dequantize_per_tensor", "out")])]), "operators of torch", name="model.pte")
    shelf.good("xnnpack", executorch([plan(delegates=["XnnpackBackend"])], [b"XH00" + bytes(60)]), "a delegate of the common kind", name="model.pte")
    return shelf


