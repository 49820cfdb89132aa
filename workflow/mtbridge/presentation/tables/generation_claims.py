"""The second ledger: findings on zero-shot generation, and what the study's outputs say."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.finding import NOT_TESTABLE
from mtbridge.inference.claims.generation import COLUMNS
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, signed
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`."""
    return read_parquet(inputs, COLUMNS)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """Findings and comparisons down; effect and verdict across."""
    labels = {task.name: task.label for task in outline.writing}
    rows = []
    for text, part in frame.fillna({"task": "", "model": "", "basis": ""}).groupby("text", sort=False):
        for number, row in enumerate(part.itertuples()):
            head = Cell(str(text) if number == 0 else "")
            if row.verdict == NOT_TESTABLE:
                who = f"{short(outline, row.model)}: " if row.model else ""
                task = Cell(labels.get(row.task, GAP))
                rows.append([head, task, Cell(who + row.tested), Cell(GAP), Cell(NOT_TESTABLE)])
                continue
            what = Cell(short(outline, row.model), (row.tested, row.basis))
            details = () if math.isnan(row.low) else (interval_text(row.low, row.high, 1),)
            effect = Cell(signed(row.effect, 1), details)
            rows.append([head, Cell(labels[row.task]), what, effect, Cell(row.verdict)])
    header = ["finding of arXiv 2402.12279", "task", "compared, zero-shot", "points", "verdict"]
    notes = [
        "Supported: clearly on the finding's side, after Holm's correction for all comparisons of the finding; "
        "contradicted: on the other. Brackets: 95 % intervals of seeds (or pretrainings, P) and examples. "
        f"Ways and models that are to be no worse may be {outline.margin:g} point worse. "
        "With P = 1 a verdict is about this checkpoint alone. The paper's own numbers are not at hand.",
    ]
    return [Block(header, rows, text_columns=frozenset([1, 2, 4]))] if rows else [], notes
