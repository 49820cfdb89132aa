"""Tables as LaTeX."""

import math
from dataclasses import replace

from mtbridge.presentation import fitting
from mtbridge.presentation.fitting import Fitted
from mtbridge.presentation.layout import Block, Cell, Layout

# Characters that LaTeX does not print as they are -> commands that print them.
_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "—": "---",
    "–": "--",
    "−": "$-$",
    "†": r"\textsuperscript{\textdagger}",
    "‡": r"\textsuperscript{\textdaggerdbl}",
    "°": r"\textsuperscript{$\circ$}",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "‖": r"$\Vert$",
    "σ": r"$\sigma$",
    "₀": "$_0$",
    "₂": "$_2$",
    "²": "$^2$",
    "√": r"$\surd$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
}


def escape_tex(text: str) -> str:
    """The text escaped, so that LaTeX (UTF-8 input) prints it unchanged."""
    return "".join(_TEX.get(character, character) for character in str(text).replace("\n", " "))


LINES = 38  # that a float may hold below its caption, in documents of one column and of two
LINES_TURNED = 26  # the same where the page is turned
CHARACTERS_OF_NOTE = 85  # in a line of a note
PAGE = 7.0  # inches


def to_tex(layout: Layout, width: float = PAGE) -> str:
    """A table in LaTeX, for a document that loads booktabs and graphicx, and rotating if the page is turned.

    width: inches of the page's text, see `fitting.fit`. Its floats are as wide as the text of all columns (`table*`). A
    table that is higher than a page becomes several floats with one number: blocks stay whole where they fit, and
    others are continued under their header.
    """
    fitted = fitting.fit(layout, width)
    floats = _floats(fitted)
    environment = "sidewaystable*" if fitted.is_turned else "table*"
    numbers, details = fitting.NUMBERS / fitting.SHRINK, fitting.DETAILS / fitting.SHRINK
    lines = [
        rf"% Needs \usepackage{{booktabs,graphicx{',rotating' if fitted.is_turned else ''}}}. "
        f"Made for text {width:g} inches wide and {fitting.TURNED:g} high: there numbers have at least "
        f"{numbers:.1f} points, lines below them {details:.1f}."
    ]
    for index, (blocks, notes) in enumerate(floats):
        lines += [
            rf"\begin{{{environment}}}",
            rf"\centering\small\setlength{{\tabcolsep}}{{{fitting.SEPARATION / 2:g}pt}}",
        ]
        caption = escape_tex(layout.caption) + (f" ({index + 1} of {len(floats)})" if len(floats) > 1 else "")
        if index > 0:
            # All parts have the number of the first.
            lines.append(r"\addtocounter{table}{-1}")
        lines.append(rf"\caption{{{caption}}}")
        if index == 0:
            lines.append(rf"\label{{tab:{layout.name.lower().replace(' ', '-')}}}")
        for block in blocks:
            lines += _tex_block(block, fitted.wrap)
        if notes:
            lines.append(r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize")
            # A signature of a metric is one long word; it may end a line after each of its bars.
            lines += [escape_tex(note).replace("|", r"|\allowbreak{}") + r"\par" for note in notes]
            lines.append(r"\end{minipage}")
        lines.append(rf"\end{{{environment}}}")
    return "\n".join(lines) + "\n"


def _floats(fitted: Fitted) -> list[tuple[list[Block], list[str]]]:
    """(blocks, notes) of each float. Heights are those before wide tables are shrunk, so a float is never too high."""
    floats: list[tuple[list[Block], list[str]]] = [([], [])]
    used, limit = 0.0, LINES_TURNED if fitted.is_turned else LINES
    layout, wrap = fitted.layout, fitted.wrap
    characters = CHARACTERS_OF_NOTE * (1.5 if fitted.is_turned else 1)
    for block in layout.blocks:
        height = _height(block, block.rows, wrap)
        if used and used + height > limit:
            floats.append(([], []))
            used = 0.0
        for number, part in enumerate(_parts(block, limit, wrap)):
            if number:
                floats.append(([], []))
            floats[-1][0].append(part)
            used = (0.0 if number else used) + _height(part, part.rows, wrap)
    for note in layout.notes:
        height = 0.9 * math.ceil(len(note) / characters)
        if used and used + height > limit:
            floats.append(([], []))
            used = 0.0
        floats[-1][1].append(note)
        used += height
    return floats


def _parts(block: Block, limit: float, wrap: int) -> list[Block]:
    """The block, or if it is higher than a page its rows in several blocks with the same header.

    Rows without a name of their own belong to the last row that has one; the first row of a part repeats it.
    """
    if _height(block, block.rows, wrap) <= limit:
        return [block]
    starts: list[int] = [0]
    rows: list = []
    for index, row in enumerate(block.rows):
        if rows and _height(block, [*rows, row], wrap) > limit:
            starts.append(index)
            rows = []
        rows.append(row)
    parts = []
    for start, end in zip(starts, [*starts[1:], len(block.rows)], strict=True):
        first, *others = block.rows[start:end]
        if not first[0].text:
            named = next((row[0] for row in reversed(block.rows[:start]) if row[0].text), first[0])
            first = [named, *first[1:]]
        title = block.title + (", continued" if block.title and start else "")
        rules = frozenset(index - start for index in block.rules if start <= index < end)
        parts.append(replace(block, title=title, rows=[first, *others], rules=rules))
    return parts


def _height(block: Block, rows: list[list[Cell]], wrap: int) -> float:
    """Lines of a block with these rows, its title and header."""
    header = max((len(fitting.header_lines(text)) for text in block.header), default=1)
    height = (2.5 if block.title else 0.5) + header + (1 if block.groups else 0)
    for row in rows:
        cells = [fitting.cell_lines(cell, block.is_text(column), wrap) for column, cell in enumerate(row)]
        # A smaller line takes less, because it stands closer to the one above.
        heights = [len(texts) + 0.82 * len(details) for texts, details in cells]
        height += max(heights, default=1) + (0.3 if any(details for _, details in cells) else 0)
    return height


def _tex_block(block: Block, wrap: int) -> list[str]:
    def side(column: int) -> str:
        return "l" if block.is_text(column) else "r"

    def stack(lines: list[str], place: str, column: int) -> str:
        """Several lines in one cell; `place` says which of them is level with the row (t: the first, b: the last)."""
        return rf"\begin{{tabular}}[{place}]{{@{{}}{side(column)}@{{}}}}" + r"\\[-2pt]".join(lines) + r"\end{tabular}"

    def show(cell: Cell, column: int) -> str:
        texts, details = fitting.cell_lines(cell, block.is_text(column), wrap)
        shown = [rf"\textbf{{{escape_tex(text)}}}" if cell.strong else escape_tex(text) for text in texts]
        shown[-1] += escape_tex(cell.marks)
        shown += [r"{\scriptsize " + escape_tex(detail) + "}" for detail in details]
        return shown[0] if len(shown) == 1 else stack(shown, "t", column)

    def heading(column: int) -> str:
        parts = [escape_tex(part) for part in fitting.header_lines(block.header[column])]
        return parts[0] if len(parts) == 1 else stack(parts, "b", column)

    lines = [rf"\par\medskip\textbf{{{escape_tex(block.title)}}}\par\smallskip"] if block.title else []
    # Shrinks a table that is wider than the text, and leaves others at their size.
    lines.append(r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%")
    lines.append(r"\begin{tabular}{" + "".join(side(column) for column in range(len(block.header))) + "}")
    lines.append(r"\toprule")
    if block.groups:
        cells, rules, column = [], [], 1
        for text, span in block.groups:
            cells.append(rf"\multicolumn{{{span}}}{{c}}{{{escape_tex(text)}}}" if text else "&" * (span - 1))
            if text:
                rules.append(rf"\cmidrule(lr){{{column}-{column + span - 1}}}")
            column += span
        lines += [" & ".join(cells) + r" \\", "".join(rules)]
    lines += [" & ".join(heading(column) for column in range(len(block.header))) + r" \\", r"\midrule"]
    for index, row in enumerate(block.rows):
        space = "[3pt]" if any(cell.details for cell in row) else ""
        lines.append(" & ".join(show(cell, column) for column, cell in enumerate(row)) + rf" \\{space}")
        if index in block.rules and index + 1 < len(block.rows):
            lines.append(r"\midrule")
    return [*lines, r"\bottomrule", r"\end{tabular}}"]
