"""Tables as LaTeX."""

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


def to_tex(layout: Layout) -> str:
    """A table in LaTeX, for a document that loads booktabs and graphicx."""
    # A page holds about 40 rows; with more, every block becomes a float of its own.
    is_long = sum(len(block.rows) for block in layout.blocks) > 40
    parts = [[block] for block in layout.blocks] if is_long else [layout.blocks]
    lines = ["% Needs \\usepackage{booktabs,graphicx}."]
    for index, blocks in enumerate(parts):
        lines += [r"\begin{table*}", r"\centering\small"]
        caption = escape_tex(layout.caption) + (f" ({index + 1} of {len(parts)})" if len(parts) > 1 else "")
        if index > 0:
            # All parts have the number of the first.
            lines.append(r"\addtocounter{table}{-1}")
        lines.append(rf"\caption{{{caption}}}")
        if index == 0:
            lines.append(rf"\label{{tab:{layout.name.lower().replace(' ', '-')}}}")
        for block in blocks:
            lines += _tex_block(block)
        if layout.notes and index + 1 == len(parts):
            lines.append(r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize")
            lines += [escape_tex(note) + r"\par" for note in layout.notes]
            lines.append(r"\end{minipage}")
        lines.append(r"\end{table*}")
    return "\n".join(lines) + "\n"


def _tex_block(block: Block) -> list[str]:
    def stack(lines: list[str], place: str) -> str:
        """Several lines in one cell; `place` says which of them is level with the row (t: the first, b: the last)."""
        return rf"\begin{{tabular}}[{place}]{{@{{}}r@{{}}}}" + r"\\[-2pt]".join(lines) + r"\end{tabular}"

    def show(cell: Cell) -> str:
        text = rf"\textbf{{{escape_tex(cell.text)}}}" if cell.strong else escape_tex(cell.text)
        text += escape_tex(cell.marks)
        small = [r"{\tiny " + escape_tex(detail) + "}" for detail in cell.details]
        return stack([text, *small], "t") if small else text

    def heading(column: int) -> str:
        # Each part of a label that has commas gets a line of its own, so that columns stay narrow.
        parts = [escape_tex(part) for part in block.header[column].split(", ")]
        return parts[0] if len(parts) == 1 else stack(parts, "b")

    lines = [rf"\par\medskip\textbf{{{escape_tex(block.title)}}}\par\smallskip"] if block.title else []
    # Shrinks a table that is wider than the text, and leaves others at their size.
    lines.append(r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%")
    lines.append(
        r"\begin{tabular}{" + "".join("l" if block.is_text(i) else "r" for i in range(len(block.header))) + "}"
    )
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
        lines.append(" & ".join(show(cell) for cell in row) + rf" \\{space}")
        if index in block.rules and index + 1 < len(block.rows):
            lines.append(r"\midrule")
    return [*lines, r"\bottomrule", r"\end{tabular}}"]
