"""Malicious PyTorch files: where in each container the call can sit, and containers that lie."""

from __future__ import annotations

import struct

from .assembler import BINPERSID, BUILD, POP, Asm, glob, inert_call, inert_pickle, op
from .case import Shelf
from .tarwriter import entry, tar_bytes
from .torch_format import LINEAR, Tensor, Writer, legacy_parts, payload_pickle, state_pickle, torch_members, torch_zip
from .zipwriter import DEFLATED, Member, zip_bytes

a2, a4 = Asm(2), Asm(4)
BAD = payload_pickle(inert_call(a2))
CODE = b"def forward(self):\n    pass\n"


def with_member(name: str, data: bytes, **options: object) -> bytes:
    pickle, storages = state_pickle()
    return zip_bytes([*torch_members(pickle, storages), Member(name, data, torch=True, **options)])


def archives() -> Shelf:
    shelf = Shelf("torch-zip")

    def add(id: str, data: bytes, why: str, name: str = "model.pt", expect: str = "deny", source: str | None = None) -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    _, storages = state_pickle()
    for suffix in (".pt", ".pth", ".ckpt", ".bin", ".zip", ".model", ".weights", ""):
        add(f"data-pkl{suffix.replace('.', '-') or '-no-suffix'}", torch_zip(BAD, storages), "the call is in data.pkl", name=f"model{suffix}",
            source="ghsa-769v-p64c-89pr, ghsa-jgw4-cr84-mqxg (file extension)" if suffix in (".bin", ".model") else None)
    add("old-writer", torch_zip(BAD, storages, torch=False, modern=False), "written by Python's zipfile")
    add("root-other", torch_zip(BAD, storages, root="waag_model"), "another root folder")
    add("root-nested", torch_zip(BAD, storages, root="a/b/c"), "the root is three folders deep")
    add("root-none", zip_bytes([Member("data.pkl", BAD), Member("version", b"3\n")]), "no root folder")
    add("root-utf8", torch_zip(BAD, storages, root="模型"), "the root is not ASCII")
    add("root-upper", zip_bytes([Member("archive/DATA.PKL", BAD), Member("archive/version", b"3\n")]), "the name in capitals")
    add("deflated", zip_bytes([Member("archive/data.pkl", BAD, method=DEFLATED), Member("archive/version", b"3\n")]), "deflated")
    add("second-data-pkl", with_member("other/data.pkl", inert_pickle()), "a second root with its own data.pkl")
    add("data-pkl-bak", with_member("archive/data.pkl.bak", inert_pickle()), "a pickle beside data.pkl")
    add("pickle-as-storage", with_member("archive/data/9", inert_pickle(4)), "a storage that is a pickle")
    add("pickle-in-dot-data", with_member("archive/.data/serialization_id2", inert_pickle(4)), "a pickle in .data")
    add("pickle-as-version", zip_bytes([Member("archive/data.pkl", state_pickle()[0]), Member("archive/version", inert_pickle())]), "version is a pickle")
    add("pickle-as-byteorder", with_member("archive/byteorder.pkl", inert_pickle()), "a pickle called byteorder.pkl")
    add("pickle-as-text", with_member("archive/README.txt", inert_pickle(4)), "a pickle called README.txt")
    add("pickle-as-image", with_member("archive/logo.png", inert_pickle(4)), "a pickle called logo.png")
    add("pickle-proto0", torch_zip(Asm(0).stream(inert_call(Asm(0))), {}), "data.pkl at protocol 0", source="modelaudit tracker")
    add("pickle-no-proto", torch_zip(bytes(inert_call(a2) + op(b".")), {}), "data.pkl without a PROTO")
    add("two-pickles", torch_zip(state_pickle()[0] + inert_pickle(), storages), "a second pickle behind data.pkl's first")
    add("junk-then-pickle", torch_zip(b"\0" * 16 + inert_pickle(), storages), "data.pkl begins with junk")
    add("constants-pkl", zip_bytes([Member("archive/data.pkl", state_pickle()[0]), Member("archive/constants.pkl", inert_pickle()),
        Member("archive/code/__torch__.py", CODE), Member("archive/version", b"3\n")]), "TorchScript: the call is in constants.pkl")
    add("torchscript-code", zip_bytes([Member("archive/data.pkl", BAD), Member("archive/constants.pkl", a2.stream(op(b")"))),
        Member("archive/code/__torch__.py", CODE), Member("archive/version", b"3\n")]), "TorchScript whose data.pkl calls")
    add("torchscript-extra-py", with_member("archive/code/evil.py", b"import os\nos.system('echo waag-inert')\n"),
        "a Python file with a payload among the code", expect="not-allow")
    package = [Member(".data/extern_modules", b"os\nsubprocess\n"), Member(".data/version", b"6\n"),
               Member("waag/__init__.py", b"import os\nos.system('echo waag-inert')\n"), Member("model/model.pkl", inert_pickle())]
    add("torch-package", zip_bytes([Member("pkg/" + m.name, m.data) for m in package]), "torch.package: Python and pickles run on import")
    add("torch-package-python-only", zip_bytes([Member("pkg/" + m.name, m.data) for m in package[:3]]), "torch.package with nothing but Python",
        expect="not-allow")
    add("mar", zip_bytes([Member("MAR-INF/MANIFEST.json", b'{"model":{"handler":"handler.py","modelName":"x"}}'),
        Member("handler.py", b"import os\nos.system('echo waag-inert')\n"), Member("model.pt", torch_zip(BAD, storages))]),
        "TorchServe archive with a handler and a bad model", name="model.mar")
    add("zip-in-zip", zip_bytes([Member("inner.pt", torch_zip(BAD, storages))]), "a torch file inside a zip", name="model.zip")
    deep = inert_pickle()
    for depth in range(6):
        deep = zip_bytes([Member(f"level{depth}.zip" if depth else "data.pkl", deep)])
    add("zip-six-deep", deep, "six zips deep", name="model.zip")

    # CVE-2026-24747: the restricted loader's memory, corrupted by items set on what is no dict and by storages that lie.
    w = Writer()
    add("setitem-on-tensor", torch_zip(w.finish(w.tensor(Tensor((4,))) + a2.lit(0) + a2.lit(1) + op(b"s")), w.storages),
        "SETITEM on a tensor", source="cve-2026-24747")
    w = Writer()
    add("setitems-on-tensor", torch_zip(w.finish(w.tensor(Tensor((4,))) + op(b"(") + a2.lit(0) + a2.lit(1) + op(b"u")), w.storages),
        "SETITEMS on a tensor", source="cve-2026-24747")
    w = Writer()
    add("append-on-tensor", torch_zip(w.finish(w.tensor(Tensor((4,))) + a2.lit(1) + op(b"a")), w.storages), "APPEND on a tensor",
        source="cve-2026-24747")
    w = Writer()
    code = w.state_dict({"weight": Tensor((1000, 1000), numel=4)})
    add("storage-too-small", torch_zip(w.finish(code), w.storages), "a tensor of a million elements on a storage of four",
        source="cve-2026-24747", expect="not-allow")
    w = Writer()
    code = w.state_dict({"weight": Tensor((4,), numel=1 << 40)})
    add("storage-claims-more", torch_zip(w.finish(code), {"0": 16}), "a storage of sixteen bytes said to hold a terabyte",
        source="cve-2026-24747", expect="not-allow")
    w = Writer()
    code = w.state_dict({"a": Tensor((4,), key="0"), "b": Tensor((4,), "LongStorage", key="0")})
    add("storage-two-types", torch_zip(w.finish(code), {"0": 16}), "one storage under two types", source="cve-2026-24747", expect="not-allow")
    w = Writer()
    add("storage-missing", torch_zip(w.finish(w.state_dict(LINEAR)), {}), "the storages are not in the archive", expect="not-allow")
    w = Writer()
    code = w.state_dict({"a": Tensor((4,), key="../../../../nonexistent/waag-inert")})
    add("storage-key-path", torch_zip(w.finish(code), {}), "a storage key that walks out of the archive", expect="not-allow")
    add("stride-negative", torch_zip(a2.stream(a2.reduce(glob("torch._utils", "_rebuild_tensor_v2"),
        a2.tuple(a2.text("storage"), glob("torch", "FloatStorage"), a2.text("0"), a2.text("cpu"), a2.lit(4)) + BINPERSID,
        -1, (4,), (-1,), False, a2.call("collections", "OrderedDict"))), {"0": 16}), "negative offset and stride", expect="not-allow")
    hooks = a2.call("collections", "OrderedDict") + a2.lit(0) + glob("os", "system") + op(b"s")
    add("backward-hooks", torch_zip(a2.stream(a2.reduce(glob("torch._utils", "_rebuild_tensor_v2"),
        a2.tuple(a2.text("storage"), glob("torch", "FloatStorage"), a2.text("0"), a2.text("cpu"), a2.lit(4)) + BINPERSID,
        0, (4,), (1,), False, hooks)), {"0": 16}), "a backward hook that is os.system")
    add("persid-type-evil", torch_zip(a2.stream(a2.tuple(a2.text("storage"), glob("os", "system"), a2.text("0"), a2.text("cpu"), a2.lit(4))
        + BINPERSID), {"0": 16}), "a storage whose type is os.system")
    add("full-model-class", torch_zip(a2.stream(a2.newobj(glob("__main__", "Net")) + a2.lit({"training": False}) + BUILD), {}),
        "a whole model of a class of the saving script", expect="not-allow")
    add("metadata-setstate", torch_zip(a2.stream(a2.call("collections", "OrderedDict") + a2.dict((a2.text("__setstate__"), glob("os", "system")))
        + BUILD + a2.text("true") + BUILD), {}), "a state dict whose metadata plants __setstate__")
    return shelf


def legacy() -> Shelf:
    shelf = Shelf("torch-legacy")
    labels = ("magic", "protocol", "system-info", "object", "storage-keys")
    for i, label in enumerate(labels):
        parts = legacy_parts()
        # The value stays, and a call is popped before it, so that the loader goes on as if nothing had happened.
        parts[i] = bytes(op(b"\x80\x02") + inert_call(a2) + POP + parts[i][2:])
        shelf.bad(f"payload-in-{label}", b"".join(parts), f"the call is in the {label} pickle", name="model.pt")
    parts = legacy_parts()
    shelf.bad("payload-after-keys", b"".join([*parts[:5], inert_pickle(), parts[5]]), "a sixth pickle where storages begin", name="model.pt")
    shelf.bad("payload-after-storages", b"".join([*parts, inert_pickle()]), "a pickle behind the last storage", name="model.pth")
    shelf.bad("payload-before-magic", inert_pickle() + b"".join(parts), "a pickle before the magic number", name="model.pt")
    shelf.bad("storages-short", b"".join(parts)[:-20], "the last storage is cut off", name="model.pt", expect="not-allow")
    shelf.bad("storages-count-lies", b"".join([*parts[:5], struct.pack("<q", 1 << 40), parts[5][8:]]), "a storage says it is a terabyte",
              name="model.pt", expect="not-allow")
    shelf.bad("container-class", b"".join([*parts[:3], a2.stream(a2.tuple(a2.text("module"), glob("__main__", "Net"), a2.text("net.py"),
              a2.text("import os; os.system('echo waag-inert')")) + BINPERSID), *parts[4:]]), "a module id that carries source", name="model.pt",
              expect="not-allow")
    # The tar of torch 0.1: torch.load falls to it by itself, even with weights_only (CVE-2025-32434).
    members = {
        "sys_info": a2.stream(a2.lit({"protocol_version": 1000, "little_endian": True})),
        "pickle": a2.stream(a2.lit({"epoch": 1})),
        "storages": a2.stream(a2.number(0)),
        "tensors": a2.stream(a2.number(0)),
    }
    for member in members:
        changed = dict(members)
        changed[member] = inert_pickle() if member != "storages" else a2.stream(inert_call(a2) + POP + a2.number(0))
        shelf.bad(f"tar-{member.replace('_', '-')}", tar_bytes([entry(n, d) for n, d in changed.items()]),
                  f"torch's tar layout with the call in {member}", name="model.pt", source="cve-2025-32434")
    shelf.bad("tar-tensor-records", tar_bytes([entry(n, d if n != "tensors" else a2.stream(a2.number(1)) + inert_pickle())
              for n, d in members.items()]), "the call is in the second pickle of a member", name="model.tar", source="cve-2025-32434")
    return shelf

