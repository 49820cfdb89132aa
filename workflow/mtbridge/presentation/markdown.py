"""Tables as GitHub's Markdown."""

from mtbridge.presentation.layout import Cell, Layout


def escape_markdown(text: str) -> str:
    """The text escaped, so that GitHub shows it unchanged, also in a table."""
    text = " ".join(str(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_|~":
        text = text.replace(character, "\\" + character)
    # No link, in case a text contains one's punctuation.
    return text.replace("](", "]\\(")


def to_markdown(layout: Layout) -> str:
    """A table in GitHub's Markdown, which has one header row: a group's name stands above each of its labels."""

    def show(cell: Cell) -> str:
        text = f"**{escape_markdown(cell.text)}**" if cell.strong else escape_markdown(cell.text)
        lines = [text + cell.marks, *(f"<sub>{escape_markdown(d)}</sub>" for d in cell.details)]
        return "<br>".join(lines)

    lines = [f"**{layout.name}.** {escape_markdown(layout.caption)}", ""]
    for block in layout.blocks:
        if block.title:
            lines += [f"#### {escape_markdown(block.title)}", ""]
        above = [text for text, span in block.groups for _ in range(span)] or [""] * len(block.header)
        header = [
            "<br>".join(escape_markdown(part) for part in pair if part)
            for pair in zip(above, block.header, strict=True)
        ]
        align = ["---" if block.is_text(column) else "---:" for column in range(len(header))]
        lines += ["| " + " | ".join(header) + " |", "| " + " | ".join(align) + " |"]
        lines += ["| " + " | ".join(show(cell) for cell in row) + " |" for row in block.rows]
        lines.append("")
    lines += [f"- {escape_markdown(note)}" for note in layout.notes]
    return "\n".join(lines).rstrip() + "\n"
