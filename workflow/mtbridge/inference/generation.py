"""Scores of outputs, summarised: for every way of adapting, learning rate, model and task, with intervals; the rate.

A run's value of a measure in a language is the mean over its test outputs that have one (whether an output is in the
right language cannot always be told). Statistics are those languages, the source language's value (`english`), the
mean over all others (`zero_shot`), and where some ways learn from several languages, the mean over those that none of
them does (`untaught`). Intervals are those of `inference.intervals`: units (pretrainings of a model where
there are several, else seeds), whose variance is pooled over the models that are adapted in one way with one rate, and
examples, which are resampled together in all languages where they are translations of each other. Ways are not pooled:
at a high rate the share of a wrong language varies ten times as much with all weights trained as with few.

What no model is needed for (`generation.baselines`) is a model of its name whose way is `none`.

The rate of a way is the one whose mean of the task's own measure is best on dev of the source language.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.inference.bootstrap import REPLICATES, resamples
from mtbridge.inference.intervals import SeedVariance, Statistic, seed_part, seed_variance
from mtbridge.specs.names import split_replicate
from mtbridge.study.outline import BASELINES, NO_RECIPE, Outline, OutlineTask

MEASURES = ("chrf", "rouge_1", "rouge_2", "rouge_l", "exact_match", "f1", "f1_characters", "exact_answer")
FAULTS = ("wrong_language", "untold", "other_script", "empty", "copy", "leftover", "cut", "input_cut")
REFERENCE = "reference_wrong"  # how often the identifier finds the references in another language: its own error
ENGLISH, ZERO_SHOT, UNTAUGHT = "english", "zero_shot", "untaught"
COLUMNS = [
    *("recipe", "way", "method", "learning_rate", "model", "task", "measure", "statistic", "value", "low", "high"),
    *("df", "pretrainings", "seeds", "n", "dev", "chosen"),
]
LIMITS = (0.0, 100.0)
NO_WAY = {"way": NO_RECIPE, "method": NO_RECIPE, "learning_rate": float("nan")}  # of a baseline


class Written(NamedTuple):
    """What the runs of a model, adapted in one way, have written: (measure, statistic) -> its value.

    dev: the mean of the task's own measure on dev of the source language; n: test examples of a language; counts: of
    pretrainings, and of seeds of each.
    """

    statistics: dict[tuple[str, str], Statistic]
    dev: float
    n: int
    counts: dict[str, int]


Found = Mapping[tuple[str, str], Written]  # (recipe, model) -> what its runs of a task have written


def written_of(outline: Outline, folder: str | Path) -> dict[OutlineTask, Found]:
    """What the finished runs of every task have written; folder: of the files of `scores.score_outputs`."""
    return {task: statistics_of(outline, task, Path(folder)) for task in outline.writing}


def statistics_of(outline: Outline, task: OutlineTask, folder: Path) -> Found:
    """(recipe, model) -> what its finished runs of a task have written."""
    found = {}
    for recipe, model in _pairs(outline):
        runs = list(_runs(outline, folder, recipe, model, task))
        if runs:
            found[recipe, model] = _statistics(outline, task, runs)
    return found


def summarise(outline: Outline, written: Mapping[OutlineTask, Found]) -> pd.DataFrame:
    """A row for each way with its rate, model, task, measure and statistic, in percent; see `COLUMNS`.

    df: degrees of freedom of the units' part; 0: the interval holds examples alone. n: test examples of a language.
    dev: the mean of the task's own measure on dev of the source language; chosen: whether the way's rate is this one.
    Runs without a file are gaps. written: see `written_of`.
    """
    rows = [
        {"task": task.name, **row}
        for task, found in written.items()
        for (recipe, model), one in found.items()
        for row in _rows(outline, found, recipe, model, one)
    ]
    return _with_choice(pd.DataFrame(rows))[COLUMNS] if rows else pd.DataFrame(columns=COLUMNS)


def _rows(outline: Outline, found: Found, recipe: str, model: str, one: Written) -> Iterator[dict]:
    """The rows of a model that was adapted in one way to a task."""
    about = outline.adaptations.get(recipe, NO_WAY)
    for (measure, name), value in one.statistics.items():
        units = unit_variance(found, recipe, (measure, name))
        low, high = value.interval(seed_part(units, value), units.freedom)
        row = {"recipe": recipe, **{key: about[key] for key in ("way", "method", "learning_rate")}, "model": model}
        row |= {"measure": measure, "statistic": name, "value": value.value, "low": low, "high": high}
        yield {**row, "df": units.freedom, **one.counts, "n": one.n, "dev": one.dev}


def unit_variance(found: Found, recipe: str, key: tuple[str, str]) -> SeedVariance:
    """The variance between units of a (measure, statistic), pooled over the models that are adapted in one way."""
    return seed_variance(
        one.statistics[key] for (other, _), one in found.items() if other == recipe and key in one.statistics
    )


def _pairs(outline: Outline) -> Iterator[tuple[str, str]]:
    for recipe in outline.adaptations:
        for model in outline.models:
            yield recipe, model.key
    for baseline in BASELINES:
        yield NO_RECIPE, baseline


def _runs(outline: Outline, folder: Path, recipe: str, model: str, task: OutlineTask) -> Iterator[tuple]:
    """(number of the pretraining, scored outputs) of the finished runs of a model."""
    for key in (model,) if recipe == NO_RECIPE else outline.replicates(model):
        for seed in (0,) if recipe == NO_RECIPE else outline.seeds:
            path = folder / recipe / key / task.name / f"seed{seed}.scores.parquet"
            if path.exists():
                needed = ["language", "split", "example_id", *MEASURES, *FAULTS, REFERENCE]
                yield split_replicate(key)[1], read_parquet(path, needed)


def _statistics(outline: Outline, task: OutlineTask, runs: list[tuple]) -> Written:
    """What the runs of a model that was adapted in one way have written."""
    names = [*MEASURES, *FAULTS, REFERENCE]
    per_run = [_of_run(outline, task, table, names) for _, table in runs]
    numbers = [number for number, _ in runs]
    several = len(set(numbers)) > 1
    units = sorted(set(numbers)) if several else list(range(len(runs)))
    of_unit = [[i for i, n in enumerate(numbers) if n == unit] if several else [unit] for unit in units]
    statistics = {}
    for key in per_run[0][0]:
        values = np.array([run[0][key][0] for run in per_run])
        replicates = np.array([run[0][key][1] for run in per_run])
        per_unit = np.array([values[rows].mean() for rows in of_unit])
        if np.isfinite(per_unit).all():
            mean = np.mean([replicates[rows].mean(0) for rows in of_unit], axis=0)
            statistics[key] = Statistic(float(per_unit.mean()), per_unit, mean, LIMITS)
    dev = float(np.mean([np.mean([run[1] for i, run in enumerate(per_run) if i in rows]) for rows in of_unit]))
    seeds = min(len(rows) for rows in of_unit) if several else len(runs)
    return Written(statistics, dev, per_run[0][2], {"pretrainings": len(units) if several else 1, "seeds": seeds})


def _of_run(outline: Outline, task: OutlineTask, table: pd.DataFrame, names: list[str]) -> tuple[dict, float, int]:
    """(measure, statistic) -> (value, replicates) of one run; its value on dev; test examples of a language."""
    test = table[table["split"] == "test"].sort_values("example_id", kind="stable")
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # language -> values, replicates [replicate] per measure
    size = 0
    for language, own in test.groupby("language", sort=False):
        columns = own[names].astype(float).to_numpy(copy=True)
        columns[:, [names.index(name) for name in (*FAULTS, REFERENCE)]] *= 100  # shares in percent
        known = np.isfinite(columns)
        filled, size = np.where(known, columns, 0.0), len(own)
        replicates = np.empty((REPLICATES, len(names)))
        key = f"{task.name}/test" if task.aligned else f"{task.name}/test/{language}"
        with np.errstate(invalid="ignore", divide="ignore"):
            for rows, counts in resamples(len(own), key):
                replicates[rows] = (counts @ filled) / (counts @ known)
            parts[str(language)] = filled.sum(0) / known.sum(0), replicates
    others = [language for language in parts if language != outline.source_language]
    groups = {language: [language] for language in parts} | {ENGLISH: [outline.source_language], ZERO_SHOT: others}
    untaught = untaught_languages(outline, task, others)
    if len(untaught) < len(others):
        groups[UNTAUGHT] = untaught
    found = {}
    for number, measure in enumerate(names):
        for name, languages in groups.items():
            if languages and all(language in parts for language in languages):
                value = float(np.mean([parts[language][0][number] for language in languages]))
                found[measure, name] = value, np.mean([parts[language][1][:, number] for language in languages], axis=0)
    dev = table[(table["split"] == "dev") & (table["language"] == outline.source_language)]
    if dev.empty:
        raise MtbridgeError(f"task {task.name}: no dev examples in '{outline.source_language}', which choose the rate")
    return found, float(dev[task.metric].mean()), size


def untaught_languages(outline: Outline, task: OutlineTask, languages: Sequence[str]) -> list[str]:
    """The languages whose examples of a task no way of adapting learns from, but those that learn from all of them."""
    taught = {
        language
        for about in outline.adaptations.values()
        if task.name in about.get("tasks", [task.name]) and not set(languages) <= set(about.get("languages", ()))
        for language in about.get("languages", ())
    }
    return [language for language in languages if language not in taught]


def _with_choice(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `chosen`: the rows of each way's best rate on dev."""
    runs = frame.drop_duplicates(["way", "model", "task", "recipe"])
    best = runs.sort_values("dev", ascending=False, kind="stable").drop_duplicates(["way", "model", "task"])
    chosen = set(zip(best["model"], best["task"], best["recipe"], strict=True))
    keys = zip(frame["model"], frame["task"], frame["recipe"], strict=True)
    return frame.assign(chosen=[key in chosen for key in keys])
