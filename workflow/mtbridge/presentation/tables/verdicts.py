"""Table of verdicts: what is compared down, with differences, intervals and verdicts in words."""

import math

import pandas as pd

from mtbridge.inference.verdicts import CHECKPOINT, EQUIVALENT, EVERY_TARGET, EXAMPLES, SHOWN
from mtbridge.presentation import comparisons
from mtbridge.presentation.comparisons import FAMILIES, KEYS
from mtbridge.presentation.layout import GAP, Block, Cell, number
from mtbridge.presentation.tables.scores import note_on_degenerate
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The contrasts in the file `inputs` in the mean over tasks, with their verdicts in words in the column `says`."""
    rows = comparisons.mean_rows(inputs, protocol)
    # A CSV has no lists.
    by_pretraining = [" ".join(f"{value:.6g}" for value in values) for values in rows["by_pretraining"]]
    says = [comparisons.verdict_text(row) for row in rows.itertuples()]
    return rows.assign(by_pretraining=by_pretraining, says=says)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block for each family of contrasts; none if nothing is compared."""
    blocks = [_block(frame[frame["family"] == family], outline, FAMILIES[family]) for family in FAMILIES]
    blocks = [block for block in blocks if block.rows]
    return blocks, _notes(frame, outline) if blocks else ["Nothing is compared: see `compare` in the settings."]


def _block(part: pd.DataFrame, outline: Outline, title: str) -> Block:
    """The contrasts of one family; those of English, zero-shot and gap one below the other."""
    has_p = bool(part["p_holm"].notna().any())
    by_language = bool((part["languages"] != EVERY_TARGET).any())
    order = {name: place for place, name in enumerate(SHOWN)}
    rows, rules = [], set()
    for _, group in part.groupby(KEYS, sort=False, dropna=False):
        group = group.assign(place=group["statistic"].map(order)).sort_values("place", kind="stable")
        for index, row in enumerate(group.itertuples()):
            cells = [Cell(comparisons.label(outline, row) if index == 0 else "")]
            cells.append(Cell(comparisons.statistic_name(outline, row.statistic)))
            if by_language:
                cells.append(Cell(row.languages))
            cells += [_difference(outline, row), *([Cell(_probability(row))] if has_p else [])]
            cells += [_verdict(row), Cell(str(int(row.P))), Cell(str(int(row.S))), Cell(f"{int(row.n):,}")]
            rows.append([*cells, Cell(GAP if row.scope == EXAMPLES else comparisons.effect(row.smallest_effect))])
        rules.add(len(rows) - 1)
    names = ["contrast", "score", *["languages"] * by_language]
    header = [*names, "difference", *["p (Holm)"] * has_p, "verdict", "P", "S", "n", "smallest effect"]
    text_columns = frozenset([header.index("verdict")])
    return Block(header, rows, title=title, rules=frozenset(rules), stub=len(names), text_columns=text_columns)


def _difference(outline: Outline, row) -> Cell:
    mark = "°" if row.degenerate else ""
    if math.isnan(row.estimate):
        return Cell(GAP, (row.degenerate,) if row.degenerate else (), mark)
    details = [comparisons.interval(row)]
    if row.left_out:
        details.append(f"without {', '.join(comparisons.tasks_left_out(outline, row)) or row.left_out}")
    return Cell(comparisons.difference(row), tuple(details), mark)


def _probability(row) -> str:
    """A p value; small ones as an upper limit."""
    p = row.p_holm
    return GAP if math.isnan(p) else "< 0.001" if p < 0.001 else number(p, 3)


def _verdict(row) -> Cell:
    """The verdict; below it what it is about, unless it holds pretrainings."""
    about = {CHECKPOINT: ("these checkpoints",), EXAMPLES: ("test examples only",)}
    return Cell(comparisons.verdict_text(row), about.get(row.scope, ()))


def _notes(frame: pd.DataFrame, outline: Outline) -> list[str]:
    """What a reader must know about the numbers."""
    notes = [
        "Percent points, mean over tasks; brackets: 95 % interval. P: pretrainings, S: fine-tuning seeds, n: test "
        "examples. Smallest effect: what the study finds four times in five; it says little about smaller ones.",
        "Read the gap with English and zero-shot: it also narrows where English falls.",
    ]
    margins = sorted(set(frame["margin"].dropna()))
    if (frame["verdict"] == EQUIVALENT).any() and margins:
        notes.append(
            "Equivalent: the difference lies within the margin that was fixed beforehand (two one-sided tests)."
        )
    notes += [text for name, text in comparisons.VERDICTS_EXPLAINED.items() if (frame["verdict"] == name).any()]
    if frame["p_holm"].notna().any():
        notes.append("p (Holm): corrected for all primary tests; others are secondary and have none.")
    if (frame["scope"] == CHECKPOINT).any():
        notes.append(
            "These checkpoints: each model was pretrained once, so the verdict is not about the objective; the "
            "interval holds fine-tuning seeds and test examples."
        )
    if (frame["scope"] == EXAMPLES).any():
        notes.append("Test examples only: one pretraining and one seed are no ground for a verdict.")
    return notes + note_on_degenerate(frame, leaves_out=True)
