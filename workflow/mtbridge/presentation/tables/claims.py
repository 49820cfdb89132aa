"""The ledger: what the paper claims, what its own tables say to it, and what this study says."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.finding import NOT_TESTABLE
from mtbridge.inference.claims.ledger import COLUMNS, PUBLISHED, STUDY
from mtbridge.presentation.layout import Block, Cell, interval_text, number
from mtbridge.study.outline import Outline

# Unit of an effect -> how many decimals are shown.
DIGITS = {"points": 1, "percent": 1, "CKA": 3, "share of variance": 3, "share": 2, "ratio": 2}


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`."""
    return read_parquet(inputs, COLUMNS)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """Claims down; verdicts of the published tables and of this study across, with what was tested below each."""
    frame = frame.fillna({"tested": "", "unit": "", "basis": ""})
    rows = []
    for _, part in frame.groupby("claim", sort=False):
        by_source = {row.source: row for row in part.itertuples()}
        first = part.iloc[0]
        claim = Cell(first["text"], (first["place"], f"supported by: {first['support']}"))
        rows.append([claim, *(_cell(by_source.get(source)) for source in (PUBLISHED, STUDY))])
    header = ["claim of arXiv 2403.16777", PUBLISHED, STUDY]
    notes = [
        "Supported: the whole 95 % interval lies on the claim's side; contradicted: on the other. Published tables "
        "have one checkpoint a model, so what they say is about these. A study of small models says nothing of large "
        "ones. P: pretrainings, S: seeds, n: test examples.",
    ]
    return [Block(header, rows, text_columns=frozenset([1, 2]))], notes


def _cell(row) -> Cell:
    """The verdict, and below it effect, interval, what was tested and what it rests on."""
    if row is None:
        return Cell("—")
    if row.verdict == NOT_TESTABLE:
        return Cell(NOT_TESTABLE, (row.tested,))
    digits = DIGITS.get(row.unit, 2)
    effect = f"{number(row.effect, digits)} {row.unit}" if not math.isnan(row.effect) else ""
    if not math.isnan(row.low):
        effect += f" {interval_text(row.low, row.high, digits)}"
    return Cell(row.verdict, tuple(text for text in (effect, row.tested, row.basis) if text))
