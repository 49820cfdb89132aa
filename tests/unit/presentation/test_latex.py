"""Tables in LaTeX: they compile, none is wider or higher than a page of one column or of two, and all can be read."""

import re
import shutil
import subprocess

import pytest

from mtbridge.presentation import catalog, fitting
from mtbridge.presentation.fitting import SHRINK, TURNED, natural_width, split_columns
from mtbridge.presentation.latex import LINES, PAGE, to_tex
from mtbridge.presentation.layout import Block, Cell, Layout
from mtbridge.study.outline import read_outline
from tests.support.presentation import lay_out, make

DOCUMENT = r"""\documentclass[%s]{article}
\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx,rotating}
\begin{document}
%s
\end{document}
"""
needs_latex = pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on this machine")


def long_layout(rows: int, name: str = "") -> Layout:
    """A block of numbered rows, of which only every tenth has a name; notes of one long word."""
    cells = [
        [Cell(f"group {row // 10}" if row % 10 == 0 else ""), Cell(str(row), ("[1, 2]",), "†")] for row in range(rows)
    ]
    return Layout("Long", "A long table.", [Block(["what", "score"], cells, name)], ["nrefs:1|" * 30])


def compile_tex(body: str, folder, columns: str) -> str:
    """The log of LaTeX. Raises AssertionError if it does not compile."""
    (folder / "paper.tex").write_text(DOCUMENT % (columns, body), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    return log


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_every_table_compiles_and_stays_on_its_page(presentation_results, tmp_path, columns):
    folder, _, study = presentation_results
    outline = read_outline(study)
    tables = [to_tex(long_layout(rows)) for rows in (3, 41, 200)]
    for entry in (entry for entry in catalog.ENTRIES if entry.kind == "table" and entry.section):
        frame = make(entry.name, outline, "sound", folder / entry.inputs)
        tables.append(to_tex(lay_out(entry.name, frame, outline, "sound")))
    log = compile_tex("\n\\clearpage\n".join(tables), tmp_path, columns)
    assert not re.findall(r"Overfull|Float too large|LaTeX Error", log)


def test_a_table_higher_than_a_page_is_continued_under_its_header_with_every_row_once():
    text = to_tex(long_layout(100, "Block"))
    floats = text.split(r"\begin{table*}")[1:]
    assert len(floats) > 100 * 1.5 / LINES
    shown = re.findall(r"\{r@\{\}\}(\d+)\\textsuperscript|@\{\}\}(\d+)\\textsuperscript", text)
    assert [int(one or other) for one, other in shown] == list(range(100))
    for number, part in enumerate(floats[:-1]):
        assert f"({number + 1} of {len(floats)})" in part and "what & score" in part
        assert ("continued" in part) == (number > 0)
        assert re.search(r"\\midrule\ngroup \d", part), "the first row says what it belongs to"
    assert text.count(r"\label") == 1


def test_long_text_is_broken_and_numbers_are_not():
    words = "a finding that is told in a sentence of many words and more"
    text = to_tex(Layout("t", "c", [Block(["what", "n"], [[Cell(words), Cell("1 234 567")]])], []))
    assert words not in text and "{@{}l@{}}a finding that is told in a" in text and "1 234 567" in text


# ---- Wide tables --------------------------------------------------------------------------------------------------


def wide_layout(columns: int, groups: int = 0, what: str = "long words that name a row of it") -> Layout:
    """Two rows of numbered cells with intervals, in columns under headings of equal length."""
    header = ["what", "seed", *(f"model {column}" for column in range(columns))]
    rows = [
        [Cell(what), Cell("1"), *(Cell(f"{row}{column}.0", ("[10.0, 20.0]",)) for column in range(columns))]
        for row in (1, 2)
    ]
    headings = [("", 2), *((f"group {group}", columns // groups) for group in range(groups))] if groups else []
    return Layout("Wide", "A wide table.", [Block(header, rows, "Title", groups=headings, stub=2)], [])


def test_a_table_stands_upright_while_it_fits_and_is_turned_before_it_is_split():
    found = [fitting.fit(wide_layout(columns), PAGE) for columns in (3, 10, 14, 30)]
    assert [(one.is_turned, len(one.layout.blocks)) for one in found[:3]] == [(False, 1), (False, 1), (True, 1)]
    assert not found[3].is_turned and len(found[3].layout.blocks) > 2
    for one in found:
        for block in one.layout.blocks:
            assert natural_width(block, one.wrap) <= 72 * SHRINK * (TURNED if one.is_turned else PAGE)
    assert fitting.fit(wide_layout(10), 5.5).is_turned, "the width of a page is a setting"
    assert "sidewaystable*" in to_tex(wide_layout(14)) and "rotating" in to_tex(wide_layout(14))
    assert "sideways" not in to_tex(wide_layout(3)) and "rotating" not in to_tex(wide_layout(3))


def test_parts_of_a_split_table_have_every_column_once_and_keep_names_and_headings():
    (block,) = wide_layout(12, groups=4).blocks
    parts = split_columns(block, 400, 36)
    assert [header for part in parts for header in part.header[2:]] == block.header[2:]
    assert [part.title for part in parts] == ["Title", *["Title, further columns"] * (len(parts) - 1)]
    for part in parts:
        assert part.header[:2] == ["what", "seed"] and part.stub == 2
        assert sum(span for _, span in part.groups) == len(part.header)
        assert all(span in (2, 3) for _, span in part.groups), "columns under one heading stay together"
        place = block.header.index(part.header[2])
        assert [row[2] for row in part.rows] == [row[place] for row in block.rows]
    assert split_columns(block, 10_000, 36) == [block]
    alone = split_columns(block, 10, 36)
    assert [len(part.header) for part in alone] == [3] * 12, "a part has a column of its own"


def test_columns_of_text_stay_columns_of_text_in_every_part():
    rows = [[Cell("a"), Cell("1"), Cell("some text"), Cell("2"), Cell("more text")]]
    block = Block(["name", "one", "two", "three", "four"], rows, text_columns=frozenset({2, 4}))
    for part in split_columns(block, 90, 36):
        texts = {header for column, header in enumerate(part.header) if part.is_text(column)}
        assert texts == {"name", *({"two", "four"} & set(part.header))}


def test_smaller_lines_of_a_column_of_text_are_broken_too():
    cell = Cell("short", ("a finding that is told in a sentence of many words, and more",))
    texts, details = fitting.cell_lines(cell, is_text=True, wrap=20)
    assert texts == ["short"] and len(details) > 1 and " ".join(details) == cell.details[0]
    assert fitting.cell_lines(cell, is_text=False, wrap=20) == (["short"], list(cell.details))


MEASURE = r"""\newsavebox\measured
\renewcommand{\resizebox}[3]{\sbox\measured{#3}\typeout{NATURAL \the\wd\measured}}
"""


@needs_latex
@pytest.mark.slow
def test_no_table_is_shrunk_further_than_it_says(presentation_results, tmp_path):
    folder, _, study = presentation_results
    outline, room, tables = read_outline(study), [], []
    for entry in (entry for entry in catalog.ENTRIES if entry.kind == "table" and entry.section):
        layout = lay_out(entry.name, make(entry.name, outline, "sound", folder / entry.inputs), outline, "sound")
        text = to_tex(layout)
        inches = TURNED if fitting.fit(layout, PAGE).is_turned else PAGE
        room += [72 * inches * SHRINK] * text.count("\\resizebox")
        tables.append(text)
    log = compile_tex(MEASURE + "\n\\clearpage\n".join(tables), tmp_path, "onecolumn")
    widths = [float(width) for width in re.findall(r"NATURAL ([\d.]+)pt", log)]
    assert len(widths) == len(room) > 10
    # Widths are estimated within a few percent.
    assert max(width / most for width, most in zip(widths, room, strict=True)) < 1.05
