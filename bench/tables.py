"""Markdown tables, shared by compare.py, peers.py and speed.py."""

from __future__ import annotations

from collections.abc import Iterable


def head(texts: Iterable[str], numbers: Iterable[str]) -> list[str]:
    """The first two lines of a table: columns of text, then columns of numbers."""
    texts, numbers = list(texts), list(numbers)
    return [row([*texts, *numbers]), "|" + "---|" * len(texts) + "---:|" * len(numbers)]


def row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def printable(text: str) -> str:
    """File names come from hostile cases: nothing of them may reach the terminal as a command."""
    return "".join(ch if ch == "\n" or ch.isprintable() else f"\\x{ord(ch):02x}" for ch in text)
