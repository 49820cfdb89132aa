"""A table as it is read, whatever it is written in: cells, blocks of cells, and numbers as text."""

import math
from dataclasses import dataclass, field

from mtbridge.inference.published_values import format_count

GAP = "—"


@dataclass(frozen=True)
class Cell:
    """One cell: its text, signs that refer to the notes, and smaller lines below it."""

    text: str
    details: tuple[str, ...] = ()
    marks: str = ""


@dataclass(frozen=True)
class Block:
    """One grid of cells. `groups` spans the columns as (text, number of columns); a line is drawn after the rows
    `rules`; the first `stub` columns name the rows; `left` are further columns of text."""

    header: list[str]
    rows: list[list[Cell]]
    title: str = ""
    groups: list[tuple[str, int]] = field(default_factory=list)
    rules: frozenset[int] = frozenset()
    stub: int = 1
    left: frozenset[int] = frozenset()

    def is_left(self, column: int) -> bool:
        """Does a column hold text, which stands on its left?"""
        return column < self.stub or column in self.left


@dataclass(frozen=True)
class Layout:
    """A table as it is read: a caption, blocks, notes."""

    name: str
    caption: str
    blocks: list[Block]
    notes: list[str]


def number(value, digits: int = 1) -> str:
    """A number with a true minus sign, or the gap."""
    if value is None or math.isnan(value):
        return GAP
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value, digits: int = 1) -> str:
    """A difference: with its sign, unless it rounds to zero."""
    text = number(value, digits)
    return "+" + text if value > 0 and float(text) > 0 else text


def count(value) -> str:
    """A number of examples as the paper writes it (907, 2.8K, 100K), or the gap."""
    return GAP if value is None or math.isnan(value) else format_count(value)


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{number(100 * share, 0)} %"


def interval_text(low: float, high: float, digits: int = 1) -> str:
    """An interval in brackets."""
    return f"[{number(low, digits)}, {number(high, digits)}]"
