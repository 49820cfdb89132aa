"""How a table in LaTeX is made to fit a page: text in narrower lines, the page turned, or the columns in several parts.

A table is shrunk by `SHRINK` at most, so that its numbers have 7.5 points and the smaller lines below them 5.8 in a
document of 10 points. Widths are estimated from those of Computer Modern; a narrower face leaves room.
"""

import textwrap
from dataclasses import dataclass, replace

from mtbridge.presentation.layout import Block, Cell, Layout

NUMBERS, DETAILS = 9.0, 7.0  # points of \small and \scriptsize in a document of 10 points
SHRINK = 1.2
TURNED = 9.0  # inches of a turned page's width: the height of the text
SEPARATION = 8.0  # points between two columns; LaTeX's own 12 would turn many a page
WRAPS = (36, 26, 20)  # characters of the lines into which long text in cells is broken; the first where there is room
HEADER = 16  # characters of a line of a column's header
# Em of Computer Modern's characters; every other one counts as one of average width.
_AVERAGE = 0.5
_EM = {
    **dict.fromkeys("ijl.,:;'|![]·", 0.28),
    **dict.fromkeys(" frst()-I", 0.39),
    **dict.fromkeys("bdhnpuvxykq", 0.55),
    **dict.fromkeys("mwM%−+=±×→σW", 0.8),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.7),
}


@dataclass(frozen=True)
class Fitted:
    """A table that fits: its layout, whether the page is turned, and the characters of a line of long text."""

    layout: Layout
    is_turned: bool
    wrap: int


def fit(layout: Layout, width: float) -> Fitted:
    """The table as it fits a page whose text is `width` inches wide, or `TURNED` where the page is turned.

    Tried in this order: as it is, long text in narrower lines, the page turned, that with narrower lines. A table that
    is still wider stands upright with its columns in several parts, each under the columns that name the rows.
    """
    for is_turned, room in ((False, width), (True, TURNED)):
        for wrap in WRAPS[: 3 if is_turned else 2]:
            if all(natural_width(block, wrap) <= 72 * SHRINK * room for block in layout.blocks):
                return Fitted(layout, is_turned, wrap)
    wrap = WRAPS[1]
    blocks = [part for block in layout.blocks for part in split_columns(block, 72 * SHRINK * width, wrap)]
    return Fitted(replace(layout, blocks=blocks), False, wrap)


def header_lines(header: str) -> list[str]:
    """The lines of a column's header: each part of a label that has commas, long parts broken."""
    return [line for part in header.split(", ") for line in textwrap.wrap(part, HEADER, break_on_hyphens=False) or [""]]


def cell_lines(cell: Cell, is_text: bool, wrap: int) -> tuple[list[str], list[str]]:
    """(lines of a cell's text, smaller lines below); those of a column of text broken at `wrap` characters.

    A table as wide as a sentence would be shrunk until nobody could read it.
    """
    if not is_text:
        return [cell.text], list(cell.details)
    details = [line for detail in cell.details for line in textwrap.wrap(detail, wrap + wrap // 4)]
    return textwrap.wrap(cell.text, wrap) or [cell.text], details


def natural_width(block: Block, wrap: int) -> float:
    """Points of a block before it is shrunk."""
    widths = _column_widths(block, wrap)
    return sum(widths) + SEPARATION * len(widths)


def split_columns(block: Block, room: float, wrap: int) -> list[Block]:
    """The block in parts that are at most `room` points wide, each with the columns that name the rows.

    Columns under one heading stay together where they fit. A part is never without a column of its own.
    """
    widths = [width + SEPARATION for width in _column_widths(block, wrap)]
    room -= sum(widths[: block.stub])
    parts: list[list[int]] = [[]]
    for together in _together(block):
        pieces = [together] if sum(widths[column] for column in together) <= room else [[c] for c in together]
        for piece in pieces:
            used = sum(widths[column] for column in parts[-1])
            if parts[-1] and used + sum(widths[column] for column in piece) > room:
                parts.append([])
            parts[-1] += piece
    return [block] if len(parts) == 1 else [_with_columns(block, columns, n > 0) for n, columns in enumerate(parts)]


def _column_widths(block: Block, wrap: int) -> list[float]:
    """Points of every column: of the widest among its header, its cells and the lines below these."""
    widths = []
    for column, header in enumerate(block.header):
        lines = [(line, NUMBERS, False) for line in header_lines(header)]
        for row in block.rows:
            texts, details = cell_lines(row[column], block.is_text(column), wrap)
            lines += [(text + row[column].marks, NUMBERS, row[column].strong) for text in texts]
            lines += [(detail, DETAILS, False) for detail in details]
        widths.append(max(_width(*line) for line in lines))
    return widths


def _width(text: str, points: float, bold: bool) -> float:
    """Points of a line; small and bold letters of this face are wider than their size says."""
    face = (1.1 if points < 8 else 1.03) * (1.15 if bold else 1.0)
    return points * face * sum(_EM.get(character, _AVERAGE) for character in text)


def _together(block: Block) -> list[list[int]]:
    """The columns that name no rows, those under one heading in one list."""
    groups: list[list[int]] = []
    start = 0
    for text, span in block.groups:
        columns = [column for column in range(start, start + span) if column >= block.stub]
        groups += [columns] if text else [[column] for column in columns]
        start += span
    return [group for group in [*groups, *([c] for c in range(max(start, block.stub), len(block.header)))] if group]


def _with_columns(block: Block, columns: list[int], is_continued: bool) -> Block:
    """A block with the columns that name rows and some of the others."""
    kept = [*range(block.stub), *columns]
    of_column = [place for place, (_, span) in enumerate(block.groups) for _ in range(span)]
    of_column += [-1] * (len(block.header) - len(of_column))  # -1: under no heading
    groups: list[tuple[str, int]] = []
    last = None
    for column in kept if block.groups else []:
        own = of_column[column]
        if own == last:
            groups[-1] = groups[-1][0], groups[-1][1] + 1
        else:
            groups.append((block.groups[own][0] if own >= 0 else "", 1))
        last = own
    return replace(
        block,
        title=block.title + (", further columns" if block.title and is_continued else ""),
        header=[block.header[column] for column in kept],
        rows=[[row[column] for column in kept] for row in block.rows],
        groups=groups,
        text_columns=frozenset(place for place, column in enumerate(kept) if column in block.text_columns),
    )
