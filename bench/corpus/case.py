"""What a case is, and the shelf every class module puts its cases on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MALICIOUS = "malicious"
GOOD = "good"


@dataclass(frozen=True)
class Link:
    """A symbolic link inside a folder case."""

    target: str


@dataclass(frozen=True)
class Executable:
    """A file with its executable bit set inside a folder case."""

    data: bytes


# A case is one file (bytes) or one folder (name -> bytes, Link or Executable).
Content = bytes | dict[str, "bytes | Link | Executable"]


@dataclass(frozen=True)
class Case:
    id: str
    label: str
    cls: str
    why: str
    source: str
    name: str  # the file's name on disk: scanners that trust names see this one
    content: Content
    # What a scanner has to say: "deny", "not-allow" (deny or inconclusive: nothing runs, but nobody could vouch
    # for the file), or "allow".
    expect: str
    # Callables that CPython's own unpickler reaches when it loads the bytes; checked by verify.py.
    runs: tuple[str, ...] = field(default=())

    def write(self, out: Path) -> Path:
        """Writes below out/<class>/<id>/ so that odd file names never meet each other."""
        home = out / self.cls / self.id
        home.mkdir(parents=True, exist_ok=True)
        if isinstance(self.content, bytes):
            target = home / self.name
            target.write_bytes(self.content)
            return target
        root = home / self.name
        for relative, item in sorted(self.content.items()):
            target = root / relative
            if not target.is_relative_to(root) or ".." in target.parts:
                raise ValueError(f"{self.cls}/{self.id} would write outside its folder: {relative}")
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(item, Link):
                os.symlink(item.target, target)
            elif isinstance(item, Executable):
                target.write_bytes(item.data)
                target.chmod(0o755)
            else:
                target.write_bytes(item)
        return root


class Shelf:
    """Collects the cases of one class, and refuses a second case of the same id."""

    def __init__(self, cls: str, source: str = "construction"):
        self.cls = cls
        self.source = source
        self.cases: list[Case] = []
        self.notes: list[str] = []
        self._ids: set[str] = set()

    def _add(self, case: Case) -> None:
        if case.id in self._ids:
            raise ValueError(f"two cases called {case.id}")
        self._ids.add(case.id)
        self.cases.append(case)

    def bad(
        self,
        id: str,
        content: Content,
        why: str,
        name: str = "model.pkl",
        source: str | None = None,
        expect: str = "deny",
        runs: tuple[str, ...] | str = (),
    ) -> None:
        runs = (runs,) if isinstance(runs, str) else runs
        self._add(Case(id, MALICIOUS, self.cls, why, source or self.source, name, content, expect, runs))

    def good(
        self, id: str, content: Content, why: str, name: str = "model.pkl", source: str | None = None
    ) -> None:
        self._add(Case(id, GOOD, self.cls, why, source or self.source, name, content, "allow"))

    def skip(self, note: str) -> None:
        """Says what could not be made on this machine, e.g. because a library is missing."""
        self.notes.append(f"{self.cls}: {note}")


Maker = Callable[[], Shelf]
