"""Tables in LaTeX: they compile, and none is wider or higher than a page of one column or of two."""

import re
import shutil
import subprocess

import pytest

from mtbridge.presentation import catalog
from mtbridge.presentation.latex import LINES, to_tex
from mtbridge.presentation.layout import Block, Cell, Layout
from mtbridge.study.outline import read_outline
from tests.support.presentation import lay_out, make

DOCUMENT = r"""\documentclass[%s]{article}
\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx}
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
