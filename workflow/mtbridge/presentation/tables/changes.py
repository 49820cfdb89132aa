"""Table of what continued training changed: differences from what a model is compared with, by task."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.verdicts import COLUMNS, EVERY_TARGET, OF_CONTINUED, SHOWN
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, signed
from mtbridge.presentation.tables.scores import note_on_degenerate
from mtbridge.presentation.words import EXAMPLES_ONLY, STATISTIC_LABELS
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The contrasts of continued models in the file `inputs`, by task and in the mean. by_pretraining is text."""
    rows = read_parquet(inputs, COLUMNS)
    rows = rows[rows["family"].isin(OF_CONTINUED) & (rows["languages"] == EVERY_TARGET)]
    rows = rows[rows["protocol"] == protocol].drop(columns="numbers", errors="ignore")
    each = [" ".join(f"{value:.6g}" for value in values) for values in rows["by_pretraining"]]
    return rows.assign(by_pretraining=each).reset_index(drop=True)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """Differences down and tasks across, a block for each recipe."""
    changes = frame
    if changes.empty:
        return [], ["No model of this study was continued from another, or nothing is scored yet."]
    names = [*(task.name for task in outline.tasks), ALL_TASKS]
    tasks = [task for task in names if (changes["task"] == task).any()]
    blocks = []
    for recipe in outline.recipes:
        block = _block(changes[changes["recipe"] == recipe], outline, tasks)
        if block.rows:
            blocks.append(block)
    several = "pretrainings" if len(outline.keys) > len(outline.models) else "seeds"
    notes = [
        f"Percent points; 95 % intervals of {several} and examples, paired. They are not corrected for how many there "
        "are: what may be concluded stands under Answers."
    ]
    if (changes["df"] == 0).all():
        notes = ["Percent points; 95 % intervals of test examples alone. With one seed there is no verdict."]
    notes += note_on_degenerate(changes, leaves_out=True)
    return blocks, notes


def _block(part: pd.DataFrame, outline: Outline, tasks: list[str]) -> Block:
    """The differences with one recipe."""
    row_of = {(row.model, row.against, row.task, row.statistic): row for row in part.itertuples()}
    rows, rules, holds_seeds = [], set(), bool((part["df"] > 0).any())
    for model, against in part[["model", "against"]].drop_duplicates().itertuples(index=False):
        for statistic in SHOWN:
            label = f"{outline.label(model)} − {outline.label(against)}" if statistic == SHOWN[0] else ""
            cells = [_cell(row_of.get((model, against, task, statistic)), holds_seeds) for task in tasks]
            rows.append([Cell(label), Cell(STATISTIC_LABELS[statistic]), *cells])
        rules.add(len(rows) - 1)
    several = len(outline.recipes) > 1 and not part.empty
    title = f"Recipe {part['recipe'].iloc[0]}" if several else ""
    header = ["difference", "score", *(outline.task_labels.get(task, task) for task in tasks)]
    return Block(header, rows, title=title, rules=frozenset(rules), stub=2)


def _cell(row, holds_seeds: bool) -> Cell:
    if row is None:
        return Cell(GAP)
    mark = "°" if row.degenerate else ""
    if math.isnan(row.estimate):
        return Cell(GAP, (row.degenerate,) if row.degenerate else (), mark)
    details = [row.degenerate if math.isnan(row.low) and row.degenerate else interval_text(row.low, row.high)]
    if holds_seeds and row.df == 0:
        details.append(EXAMPLES_ONLY)
    if row.left_out:
        details.append(f"without {row.left_out}")
    return Cell(signed(row.estimate), tuple(details), mark)
