"""Checks the corpus's pickles against CPython's own unpickler, without ever running what they name.

Every global is replaced by a stub that records calls, so "this file calls os.system" is checked by the machine
that would do it, and nothing is imported.
"""

from __future__ import annotations

import _compat_pickle
import io
import pickle
import pickletools

from .case import Case


def stub_for(log: list[str], path: str) -> type:
    """A class that stands for any global: callable, a class (NEWOBJ wants one), and patient with state."""

    def record(cls: type, *args: object, **kwargs: object) -> object:
        log.append(path)
        return object.__new__(cls)

    def ignore(self: object, *args: object) -> None:
        return None

    return type("Stub", (), {
        "__new__": record, "__init__": ignore, "__setstate__": ignore, "append": ignore, "extend": ignore, "add": ignore,
        "__setitem__": ignore, "__call__": lambda self, *a: log.append(path + "()"), "__hash__": lambda self: 1,
    })


class Recorder(pickle.Unpickler):
    """C's unpickler with every way out of the sandbox stubbed."""

    def __init__(self, data: bytes, log: list[str]):
        super().__init__(io.BytesIO(data), buffers=iter([b"x"] * 8))
        self.log = log
        head = data[:2]
        self.protocol = head[1] if head[:1] == b"\x80" else 0

    def find_class(self, module: str, name: str) -> type:
        # The unpickler maps Python 2's names inside its own find_class, which this one replaces.
        seen = [(module, name)]
        if (module, name) in _compat_pickle.NAME_MAPPING:
            seen.append(_compat_pickle.NAME_MAPPING[(module, name)])
        elif module in _compat_pickle.IMPORT_MAPPING:
            seen.append((_compat_pickle.IMPORT_MAPPING[module], name))
        self.log.extend(f"import {m}.{n}" for m, n in seen)
        return stub_for(self.log, ".".join(seen[-1]))

    def persistent_load(self, pid: object) -> object:
        return stub_for(self.log, "persistent")()


def trace(data: bytes) -> tuple[list[str], str]:
    """What the first pickle of `data` imports and calls, and the error it ends in, if any."""
    log: list[str] = []
    try:
        Recorder(data, log).load()
        return log, ""
    except Exception as error:  # noqa: BLE001 (anything at all may be in the bytes)
        return log, f"{type(error).__name__}: {error}"


def check(case: Case) -> str | None:
    """What is wrong with a case that says which callables it reaches, or None."""
    if not case.runs or not isinstance(case.content, bytes):
        return None
    log, error = trace(case.content)
    for wanted in case.runs:
        if wanted not in log and f"import {wanted}" not in log:
            return f"{case.cls}/{case.id}: never reaches {wanted} ({error or 'loads'}; saw {log[:6]})"
    return None


def disassembles(data: bytes) -> bool:
    try:
        pickletools.dis(data, out=io.StringIO())
        return True
    except Exception:  # noqa: BLE001
        return False
