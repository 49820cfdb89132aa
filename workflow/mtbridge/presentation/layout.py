"""A table before it is written as Markdown or LaTeX: cells, blocks of cells, and numbers as text."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from mtbridge.inference.published_values import format_count

GAP = "—"  # stands for a value that is missing
EQUALS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"  # in a text that is broken into lines


@dataclass(frozen=True)
class Cell:
    """One cell: its text, signs that refer to the notes, smaller lines below it, and whether it is printed bold."""

    text: str
    details: tuple[str, ...] = ()
    marks: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Block:
    """One grid of cells under a header.

    groups: headings over the header, (text, number of columns), from the first column to the last.
    rules: indices of rows with a line below them. stub: how many columns, from the left, name the rows.
    text_columns: indices of further columns that hold text.
    """

    header: list[str]
    rows: list[list[Cell]]
    title: str = ""
    groups: list[tuple[str, int]] = field(default_factory=list)
    rules: frozenset[int] = frozenset()
    stub: int = 1
    text_columns: frozenset[int] = frozenset()

    def is_text(self, column: int) -> bool:
        """Does a column hold text? Text is aligned left, numbers right."""
        return column < self.stub or column in self.text_columns


@dataclass(frozen=True)
class Layout:
    """A whole table: its name, caption, blocks and notes."""

    name: str
    caption: str
    blocks: list[Block]
    notes: list[str]


def number(value, digits: int = 1) -> str:
    """A number with a true minus sign, or the gap."""
    if value is None or math.isnan(value):
        return GAP
    text = f"{value:.{digits}f}"
    # A number that rounds to zero has no sign.
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value, digits: int = 1) -> str:
    """A difference with its sign, + or −; without a sign if it rounds to zero."""
    text = number(value, digits)
    return "+" + text if value > 0 and float(text) > 0 else text


def count(value) -> str:
    """A number of examples as the paper writes it (907, 2.8K, 100K), or the gap."""
    return GAP if value is None or math.isnan(value) else format_count(value)


def span(numbers: Iterable[int]) -> str:
    """Whole numbers from the least to the greatest: "400", "400 to 1,600"."""
    low, high = min(numbers := list(numbers)), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage, whole by default."""
    return f"{number(100 * share, digits)} %"


def interval_text(low: float, high: float, digits: int = 1) -> str:
    """An interval in brackets."""
    return f"[{number(low, digits)}, {number(high, digits)}]"
