"""Table of models in the order of their zero-shot means, with the ranks that the data allow."""

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.ranking import COLUMNS
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import Block, Cell, number
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The ranks in the file `inputs`, the best model of each recipe first."""
    ranks = read_parquet(inputs, COLUMNS)
    ranks = ranks[ranks["protocol"] == protocol]
    return ranks.sort_values(["recipe", "value"], ascending=[True, False], kind="stable").reset_index(drop=True)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block for each recipe."""
    blocks = []
    for recipe in outline.recipes:
        rows = [_row(row, outline) for row in frame[frame["recipe"] == recipe].itertuples()]
        title = f"Recipe {recipe}" if len(outline.recipes) > 1 else ""
        header = ["rank", "model", "zero-shot", "not told apart from", "tasks", "P", "S"]
        if rows:
            blocks.append(Block(header, rows, title=title, stub=2, text_columns=frozenset([3])))
    notes = [
        "Zero-shot: mean over tasks, in percent. Rank: from the best to the worst that pairwise comparisons allow "
        "after Holm's correction. Bold: may be the best, because no other model is shown to be better. Models that are "
        "not told apart may differ or not. P: pretrainings, S: seeds."
    ]
    return blocks, notes if blocks else []


def _row(row, outline: Outline) -> list[Cell]:
    best, worst = int(row.best_rank), int(row.worst_rank)
    rank = str(best) if best == worst else f"{best}–{worst}"
    # In a CSV an empty list of models is an empty cell.
    keys = [] if pd.isna(row.tied_with) else row.tied_with.split(", ")
    tied = [short(outline, key) for key in keys if key]
    # With all other models in it, the list would be longer than it says.
    text = f"{len(tied)} others" if len(tied) > 4 else ", ".join(tied)
    numbers = [str(int(value)) for value in (row.tasks, row.P, row.S)]
    return [
        Cell(rank),
        Cell(outline.label(row.model), strong=best == 1),
        Cell(number(row.value), strong=best == 1),
        Cell(text),
        *map(Cell, numbers),
    ]
