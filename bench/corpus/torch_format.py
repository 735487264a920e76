"""PyTorch's three containers, byte for byte the way torch.save lays them out, with nothing but the standard library."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .assembler import BINPERSID, BUILD, MARK, REDUCE, TUPLE, Asm, Code, get, glob, op, proto, put
from .zipwriter import Member, zip_bytes

a2 = Asm(2)
MAGIC = 0x1950A86A20F9469CFC6C
ELEMENT = {"FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "DoubleStorage": 8, "IntStorage": 4,
           "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1}


@dataclass(frozen=True)
class Tensor:
    shape: tuple[int, ...]
    storage: str = "FloatStorage"
    parameter: bool = False
    key: str | None = None  # shares a storage when set
    numel: int | None = None

    def count(self) -> int:
        total = 1
        for side in self.shape:
            total *= side
        return total

    def stride(self) -> tuple[int, ...]:
        strides, step = [], 1
        for side in reversed(self.shape):
            strides.append(step)
            step *= side
        return tuple(reversed(strides))

    def nbytes(self) -> int:
        return self.count() * ELEMENT[self.storage]


class Writer:
    """Memoizes the way pickle.Pickler does: every global, string and object, in order of appearance."""

    def __init__(self, legacy: bool = False):
        self.legacy = legacy
        self.memo: dict[str, int] = {}
        self.next = 0
        self.storages: dict[str, int] = {}  # key -> bytes

    def put(self) -> Code:
        self.next += 1
        return put(self.next - 1)

    def named(self, module: str, name: str) -> Code:
        return self.once(f"{module} {name}", glob(module, name))

    def text(self, s: str) -> Code:
        return self.once("text " + s, a2.text(s))

    def once(self, key: str, code: Code) -> Code:
        if key in self.memo:
            return get(self.memo[key])
        self.memo[key] = self.next
        return code + self.put()

    def ordered_dict(self) -> Code:
        return self.named("collections", "OrderedDict") + op(b")") + REDUCE + self.put()

    def ints(self, values: tuple[int, ...]) -> Code:
        code = a2.tuple(*map(a2.number, values))
        return code + self.put() if values else code

    def tensor(self, t: Tensor) -> Code:
        if t.parameter:
            head = self.named("torch._utils", "_rebuild_parameter")
            inner = self.tensor(Tensor(t.shape, t.storage, key=t.key, numel=t.numel))
            return head + inner + op(b"\x88") + self.ordered_dict() + op(b"\x87") + self.put() + REDUCE + self.put()
        key = t.key or str(len(self.storages))
        numel = t.count() if t.numel is None else t.numel
        self.storages[key] = numel * ELEMENT[t.storage]
        code = self.named("torch._utils", "_rebuild_tensor_v2") + MARK + MARK
        code += self.text("storage") + self.named("torch", t.storage) + self.text(key) + self.text("cpu") + a2.number(numel)
        if self.legacy:
            code += op(b"N")
        code += TUPLE + self.put() + BINPERSID + a2.number(0) + self.ints(t.shape) + self.ints(t.stride())
        return code + op(b"\x89") + self.ordered_dict() + TUPLE + self.put() + REDUCE + self.put()

    def state_dict(self, tensors: dict[str, Tensor], metadata: bool = False) -> Code:
        code = self.ordered_dict() + MARK
        for name, t in tensors.items():
            code += self.text(name) + self.tensor(t)
        code += op(b"u")
        if metadata:  # nn.Module.state_dict leaves versions in an attribute
            code += op(b"}") + self.put() + self.text("_metadata") + self.ordered_dict() + self.text("")
            code += op(b"}") + self.put() + self.text("version") + op(b"K\x01sss") + BUILD
        return code

    def finish(self, code: Code) -> bytes:
        return bytes(proto(2) + code + op(b"."))


LINEAR = {"weight": Tensor((4, 3)), "bias": Tensor((4,))}


def weights(size: int, seed: int = 1) -> bytes:
    """Plausible floats, the same every time: a linear congruential generator mapped to [-0.1, 0.1]."""
    values, state = [], seed
    for _ in range((size + 3) // 4):
        state = (state * 1103515245 + 12345) % (1 << 31)
        values.append(state / (1 << 31) * 0.2 - 0.1)
    return struct.pack(f"<{len(values)}f", *values)[:size]


def state_pickle(tensors: dict[str, Tensor] | None = None, metadata: bool = False) -> tuple[bytes, dict[str, int]]:
    writer = Writer()
    code = writer.state_dict(tensors or LINEAR, metadata)
    return writer.finish(code), writer.storages


def torch_members(pickle: bytes, storages: dict[str, int], root: str = "archive", torch: bool = True, modern: bool = True) -> list[Member]:
    parts = [(f"{root}/data.pkl", pickle)]
    if modern:
        parts.append((f"{root}/.format_version", b"1"))
        parts.append((f"{root}/.storage_alignment", b"64"))
    parts.append((f"{root}/byteorder", b"little"))
    parts += [(f"{root}/data/{key}", weights(size, 7 + i)) for i, (key, size) in enumerate(storages.items())]
    parts.append((f"{root}/version", b"3\n"))
    if modern:
        parts.append((f"{root}/.data/serialization_id", b"0" * 40))
    return [Member(name, data, torch=torch) for name, data in parts]


def torch_zip(pickle: bytes | None = None, storages: dict[str, int] | None = None, root: str = "archive", torch: bool = True,
              modern: bool = True) -> bytes:
    if pickle is None:
        pickle, storages = state_pickle()
    return zip_bytes(torch_members(pickle, storages or {}, root, torch, modern))


def payload_pickle(call: Code) -> bytes:
    """A state dict with one more entry, which is a call."""
    writer = Writer()
    code = writer.state_dict(LINEAR)
    return writer.finish(code + a2.text("extra") + call + op(b"s"))


def legacy_parts(tensors: dict[str, Tensor] | None = None) -> list[bytes]:
    """The five pickles of torch.save before 1.6 and the raw storages behind them, as separate parts."""
    writer = Writer(legacy=True)
    body = writer.finish(writer.state_dict(tensors or LINEAR))
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    raw = b"".join(struct.pack("<q", size // 4) + weights(size, 3 + i) for i, size in enumerate(writer.storages.values()))
    return [
        a2.stream(a2.number(MAGIC)),
        a2.stream(a2.number(1001)),
        a2.stream(a2.lit(info)),
        body,
        a2.stream(a2.lit(list(writer.storages))),
        raw,
    ]
