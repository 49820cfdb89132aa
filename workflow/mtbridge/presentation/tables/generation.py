"""Table of what models write: scores and faults of their outputs, at the learning rate chosen on English dev."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.generation import COLUMNS, ENGLISH, REFERENCE, ZERO_SHOT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number
from mtbridge.presentation.ways import way_labels
from mtbridge.presentation.words import BASELINE_NAMES, OUTPUT_MEASURES
from mtbridge.study.outline import NO_RECIPE, Outline

# Of English and of the other languages: of texts, and of answers, whose task is scored by one of these.
SHOWN = ("chrf", "rouge_l", "exact_match")
SHOWN_OF_ANSWERS = ("f1", "f1_characters", "exact_answer")
FAULTS = ("wrong_language", "untold", "copy", "empty", "leftover")  # of the other languages


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`, of all rates."""
    return read_parquet(inputs, COLUMNS)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block for every task; models and ways of adapting down, measures across."""
    chosen = frame[frame["chosen"].astype(bool)]
    blocks = []
    for task in outline.writing:
        own = chosen[chosen["task"] == task.name]
        if own.empty:
            continue
        header = ["model", "method", "rate"]
        shown = SHOWN_OF_ANSWERS if task.metric in SHOWN_OF_ANSWERS else SHOWN
        header += [f"{OUTPUT_MEASURES[measure]}, {where}" for measure in shown for where in ("English", "zero-shot")]
        header += [f"{OUTPUT_MEASURES[measure]}, zero-shot" for measure in FAULTS]
        rows = []
        order = {key: place for place, key in enumerate(dict.fromkeys(own["model"]))}
        own = own.sort_values("model", key=lambda models: models.map(order), kind="stable")
        for (model, way), part in own.groupby(["model", "way"], sort=False):
            value_of = {(row.measure, row.statistic): row for row in part.itertuples()}
            wanted = [(measure, name) for measure in shown for name in (ENGLISH, ZERO_SHOT)]
            wanted += [(measure, ZERO_SHOT) for measure in FAULTS]
            rows.append([*_names(part.iloc[0], model, way, outline), *(_cell(value_of.get(key)) for key in wanted)])
        blocks.append(Block(header, rows, title=task.label, stub=2))
    return blocks, _notes(frame, outline) if blocks else []


def _names(first: pd.Series, model: str, way: str, outline: Outline) -> list[Cell]:
    """Model, method and rate of a row; a baseline has its name alone."""
    if way == NO_RECIPE:
        return [Cell(BASELINE_NAMES[model]), Cell(GAP), Cell(GAP)]
    method = way_labels(outline).get(way, way)
    return [Cell(short(outline, model)), Cell(method), Cell(f"{first['learning_rate']:g}")]


def _cell(row) -> Cell:
    if row is None or math.isnan(row.value):
        return Cell(GAP)
    details = () if math.isnan(row.low) else (interval_text(row.low, row.high, 1),)
    return Cell(number(row.value, 1), details)


def _notes(frame: pd.DataFrame, outline: Outline) -> list[str]:
    most, seeds = int(frame["pretrainings"].max()), int(frame["seeds"].max())
    held = f"{most} pretrainings" if most > 1 else "1 pretraining, which no interval holds"
    notes = [
        f"In percent. Rates are chosen on English dev. Brackets: 95 % intervals over {seeds} seeds and test examples "
        f"({held}).",
        "Wrong language: outputs that the identifier finds in another of the study's languages than that of the input, "
        f"of those with letters enough to tell; of the references it finds: {_by_task(frame, outline, REFERENCE)}. "
        "Copy: the whole input. chrF rewards copying; exact match does not.",
    ]
    if any(task.metric in SHOWN_OF_ANSWERS for task in outline.writing):
        notes.append(
            "F1 and exact answer are SQuAD's; F1 of characters compares letters in Chinese, Japanese and Thai. Of "
            "several accepted answers the best counts."
        )
    cut = frame[(frame["measure"] == "input_cut") & (frame["value"] > 0)]
    if len(cut):
        notes.append(f"Inputs cut at the limit of length: {_by_task(frame, outline, 'input_cut')}, in other languages.")
    return notes


def _by_task(frame: pd.DataFrame, outline: Outline, measure: str) -> str:
    """The zero-shot mean of a measure in every task, over the models and ways that have it."""
    rows = frame[(frame["measure"] == measure) & (frame["statistic"] == ZERO_SHOT) & (frame["way"] != NO_RECIPE)]
    means = rows.groupby("task")["value"].mean()
    return ", ".join(f"{task.label} {means[task.name]:.1f} %" for task in outline.writing if task.name in means)
