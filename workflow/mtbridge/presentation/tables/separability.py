"""Table of how far languages lie apart in hidden states: continued models against what they are compared with."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.separability import DIFFERENCES
from mtbridge.inference.verdicts import NO_VERDICT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number, signed
from mtbridge.presentation.words import SEPARABILITY
from mtbridge.study.outline import Outline

DIGITS = 3


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The differences in the file `inputs`. by_pretraining is text in a CSV."""
    found = read_parquet(inputs, DIFFERENCES)
    return found.assign(by_pretraining=[" ".join(f"{value:.6g}" for value in each) for each in found["by_pretraining"]])


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block before fine-tuning, and one for every recipe and task after it; measures across."""
    frame = frame.fillna({"recipe": "", "task": ""})
    measures = [name for name in SEPARABILITY if (frame["measure"] == name).any()]
    blocks = []
    for (recipe, task), part in frame.groupby(["recipe", "task"], sort=False):
        of_recipe = f", recipe {recipe}" if len(outline.recipes) > 1 and recipe else ""
        title = f"After fine-tuning on {outline.task_labels[task]}{of_recipe}" if task else "Before fine-tuning"
        rows = []
        for (model, against), own in part.groupby(["model", "against"], sort=False):
            row_of = {row.measure: row for row in own.itertuples()}
            pair = f"{short(outline, model)} − {short(outline, against)}"
            rows.append([Cell(pair), *(_cell(row_of.get(name)) for name in measures)])
        floors = part.drop_duplicates("measure").set_index("measure")["floor"].reindex(measures)
        if floors.notna().any():
            rows.append([Cell("untrained encoder: value"), *(Cell(number(value, DIGITS)) for value in floors)])
        blocks.append(Block(["difference", *(SEPARABILITY[name] for name in measures)], rows, title=title))
    return blocks, _notes(frame) if blocks else []


def _cell(row) -> Cell:
    if row is None or math.isnan(row.estimate):
        return Cell(GAP)
    details = [] if math.isnan(row.low) else [interval_text(row.low, row.high, DIGITS)]
    verdict = "" if row.verdict == NO_VERDICT else row.verdict
    return Cell(signed(row.estimate, DIGITS), (*details, *filter(None, [verdict])))


def _notes(frame: pd.DataFrame) -> list[str]:
    most = int(frame["P"].max())
    held = f"up to {most} pretrainings and sentences" if most > 1 else "sentences alone, so there are no verdicts"
    return [
        f"Last layer; brackets: 95 % interval of {held}. Verdicts stand after Holm's correction over the pairs of a "
        "kind of comparison.",
        "Languages apart: share of the variance that is the same for all sentences of a language. Sentences together: "
        "share that the translations of a sentence have in common. Fisher's ratio: variance between languages over "
        "that within. Retrieval: sentences whose nearest neighbour in another language is their translation; centred: "
        "without each language's mean. Cosine: of translations, centred.",
    ]
