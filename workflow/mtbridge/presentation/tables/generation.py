"""Table of what models write: scores and faults of their outputs, at the learning rate chosen on English dev."""

import math

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.generation import COLUMNS, ENGLISH, REFERENCE, ZERO_SHOT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number
from mtbridge.presentation.words import BASELINE_NAMES, METHODS, OUTPUT_MEASURES
from mtbridge.study.outline import NO_RECIPE, Outline

SHOWN = ("chrf", "rouge_l", "exact_match")  # of English and of the other languages
FAULTS = ("wrong_language", "copy", "empty", "leftover")  # of the other languages


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
        header += [f"{OUTPUT_MEASURES[measure]}, {where}" for measure in SHOWN for where in ("English", "zero-shot")]
        header += [f"{OUTPUT_MEASURES[measure]}, zero-shot" for measure in FAULTS]
        rows = []
        order = {key: place for place, key in enumerate(dict.fromkeys(own["model"]))}
        own = own.sort_values("model", key=lambda models: models.map(order), kind="stable")
        for (model, way), part in own.groupby(["model", "way"], sort=False):
            value_of = {(row.measure, row.statistic): row for row in part.itertuples()}
            wanted = [(measure, name) for measure in SHOWN for name in (ENGLISH, ZERO_SHOT)]
            wanted += [(measure, ZERO_SHOT) for measure in FAULTS]
            rows.append([*_names(part.iloc[0], model, way, outline), *(_cell(value_of.get(key)) for key in wanted)])
        blocks.append(Block(header, rows, title=task.label))
    return blocks, _notes(frame, outline) if blocks else []


def _names(first: pd.Series, model: str, way: str, outline: Outline) -> list[Cell]:
    """Model, method and rate of a row; a baseline has its name alone."""
    if way == NO_RECIPE:
        return [Cell(BASELINE_NAMES[model]), Cell(GAP), Cell(GAP)]
    method = METHODS[first["method"]] if way == first["method"] else way
    return [Cell(short(outline, model)), Cell(method), Cell(f"{first['learning_rate']:g}")]


def _cell(row) -> Cell:
    if row is None or math.isnan(row.value):
        return Cell(GAP)
    details = () if math.isnan(row.low) else (interval_text(row.low, row.high, 1),)
    return Cell(number(row.value, 1), details)


def _notes(frame: pd.DataFrame, outline: Outline) -> list[str]:
    most, seeds = int(frame["pretrainings"].max()), int(frame["seeds"].max())
    held = f"{most} pretrainings" if most > 1 else "1 pretraining, which no interval holds"
    error = frame[(frame["measure"] == REFERENCE) & (frame["statistic"] == ZERO_SHOT)].groupby("task")["value"].mean()
    errors = ", ".join(f"{outline_label(outline, task)} {value:.1f} %" for task, value in error.items())
    return [
        f"In percent. Rates are chosen on English dev. Brackets: 95 % intervals over {seeds} seeds and test examples "
        f"({held}).",
        "Wrong language: outputs that the identifier finds in another of the study's languages than that of the input; "
        f"of the references it finds: {errors}. Copy: the whole input. chrF rewards copying; exact match does not.",
    ]


def outline_label(outline: Outline, task: str) -> str:
    """The label of a task of generation."""
    return next(one.label for one in outline.writing if one.name == task)
