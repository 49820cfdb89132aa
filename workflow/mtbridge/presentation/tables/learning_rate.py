"""Table of learning rates, chosen on dev examples: tasks down, models across."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.selection import choose
from mtbridge.presentation.layout import GAP, Block, Cell, number, signed
from mtbridge.presentation.words import STATISTIC_LABELS, language_name
from mtbridge.study.outline import Outline

COLUMNS = ["recipe", "model", "task", "seed", "language", "split", "metric", "value"]


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The choice from the merged scores in the file `inputs`; see `inference.selection.choose`."""
    return choose(read_parquet(inputs, COLUMNS), outline, protocol)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """The chosen learning rate, its scores, and what the choice changed."""
    row_of = {(row["task"], row["model"]): row for row in frame.to_dict("records")}
    source = language_name(outline.source_language)
    rows = [
        [Cell(task.label), *(_cell(row_of.get((task.name, model.key)), source) for model in outline.models)]
        for task in outline.tasks
    ]
    notes = [
        f"The learning rate with the best {source}-dev score (mean over seeds), and that recipe's scores; in brackets "
        f"how far they are above those of the recipe {outline.recipes[0]}. Recipes that differ in anything but the "
        "learning rate have no part in the choice.",
    ]
    if frame["at_edge"].eq(True).any():
        notes.append("§ The lowest or the highest rate that was tried: the best may lie outside.")
    if frame["recipe"].isna().any():
        notes.append(f"{GAP} not there yet.")
    return [Block(["task", *(model.label for model in outline.models)], rows)], notes


def _cell(row, source: str) -> Cell:
    if row is None or pd.isna(row["recipe"]):
        return Cell(GAP)
    details = [f"{source} dev {number(row['english_dev'])}"]
    for statistic in ("english", "zero_shot"):
        if not math.isnan(row[statistic]):
            change = row[statistic] - row[f"first_{statistic}"]
            details.append(f"{STATISTIC_LABELS[statistic]} {number(row[statistic])} ({signed(change)})")
    return Cell(f"{row['learning_rate']:g}", tuple(details), "§" if row["at_edge"] else "")
