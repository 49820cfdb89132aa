"""Differences between a continued model and what it is compared with, with paired intervals.

The intervals are those of `inference.intervals`: they hold chance in fine-tuning seeds and test examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.intervals import ALL, Statistic, difference, interval, seed_part, seed_variance, statistic
from mtbridge.inference.scores import Scores, read_scores, weights
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import Outline

ALL_TASKS = "mean over tasks"
COLUMNS = ["recipe", "model", "against", "task", "statistic", "change", "low", "high", "df", "degenerate", "left_out"]
HIGHER, LOWER, UNCLEAR, NO_VERDICT = "higher", "lower", "unclear", "no verdict"


@dataclass(frozen=True)
class Change:
    """A difference of two models: its variance from seeds, and ν, see `inference.intervals`."""

    found: Statistic
    variance_of_seeds: float
    freedom: int

    @property
    def variance(self) -> float:
        """The variance of the difference, by seeds and examples; NaN where it is not known."""
        return self.found.variance_of_examples + self.variance_of_seeds


def pairs(outline: Outline) -> list[tuple[str, str]]:
    """(model, against): every continued model and its base; a `CP` model also each control of that base."""
    result = []
    for model in outline.models:
        if model.base is None or all(other.key != model.base for other in outline.models):
            continue
        result.append((model.key, model.base))
        if model.kind == "CP":
            controls = [other for other in outline.models if other.kind == "control" and other.base == model.base]
            result += [(model.key, control.key) for control in controls]
    return result


def changes(outline: Outline, protocol: str, folder) -> pd.DataFrame:
    """What continued training changed: model minus its base, and minus the controls continued from the same base.

    Columns: recipe, model, against, task ("mean over tasks" last), statistic, change, low, high, df, degenerate,
    left_out. change, low and high are in percent points. df: degrees of freedom of the seeds' part, 0: no model has two
    seeds, and the interval holds test examples alone. degenerate, left_out: see `intervals.Statistic`; in the mean over
    tasks left_out has the names of tasks. That mean has a row only if every task has scores.

    `folder` holds the scored runs (see `scores.read_scores`).
    Raises MtbridgeError where two models differ in their number of replicates.
    """
    scores = read_scores(folder, outline, protocol)
    rows = []
    for recipe in outline.recipes:
        for model, against in pairs(outline):
            for statistic_name in STATISTICS:
                found: dict[str, Change] = {}
                for task in outline.tasks:
                    weight = weights(statistic_name, task, outline, protocol)
                    both = [scores.get((recipe, key, task.name)) for key in (model, against)]
                    if weight is not None and both[0] is not None and both[1] is not None:
                        runs = {key[1]: run for key, run in scores.items() if (key[0], key[2]) == (recipe, task.name)}
                        found[task.name] = change(runs, model, against, weight, folder)
                common = (recipe, model, against)
                rows += [(*common, task, statistic_name, *_row(one)) for task, one in found.items()]
                if found and len(found) == len(outline.tasks):
                    rows.append((*common, ALL_TASKS, statistic_name, *_mean_row(found)))
    return pd.DataFrame(rows, columns=COLUMNS)


def change(runs: Mapping[str, Scores], model: str, against: str, weight: np.ndarray, folder="") -> Change:
    """A statistic of one model minus that of another; runs: model -> its scores, with one recipe on one task.

    The variance between seeds is pooled over all of them. weight [language].
    Raises MtbridgeError if the two differ in their number of replicates; `folder` is for its message.
    """
    one, other = runs[model], runs[against]
    if one.replicates.shape[-1] != other.replicates.shape[-1]:
        raise MtbridgeError(
            f"{folder}: {one.model} and {other.model} differ in their number of replicates on {one.task}"
        )
    sides = statistic(one, weight, beside=other), statistic(other, weight, beside=one)
    seeds = seed_variance(statistic(run, weight) for run in runs.values())
    return Change(difference(*sides), seed_part(seeds, *sides), seeds.freedom)


def _row(one: Change) -> tuple:
    """change, low, high, df, degenerate, left_out of a task; no change where one of the models does not count."""
    found = one.found
    reasons = ", ".join(found.reasons)
    if not found.counts:
        return np.nan, np.nan, np.nan, one.freedom, reasons, found.left_out
    low, high = found.interval(one.variance_of_seeds, one.freedom)
    return found.value, low, high, one.freedom, reasons, found.left_out


def _mean_row(changes_of: Mapping[str, Change]) -> tuple:
    """The same of the mean over tasks. Left out are tasks on which one of the models does not count, and those of which
    no model has two seeds that count, if there are others."""
    counted = {task: one for task, one in changes_of.items() if one.found.left_out != ALL}
    if any(one.freedom for one in counted.values()):
        counted = {task: one for task, one in counted.items() if one.freedom}
    reasons = dict.fromkeys(why for task, one in changes_of.items() if task not in counted for why in one.found.reasons)
    left_out = ", ".join(task for task in changes_of if task not in counted)
    if not counted:
        return np.nan, np.nan, np.nan, 0, ", ".join(reasons), ALL
    return *mean_change(list(counted.values())), ", ".join(reasons), left_out


def mean_change(ones: Sequence[Change]) -> tuple[float, float, float, float]:
    """The mean of differences on several tasks, its interval (low, high) and its degrees of freedom.

    Runs and examples of different tasks are independent, so the variance of the mean is the sum of theirs over T². The
    degrees of freedom of its seeds' part are Welch's and Satterthwaite's, (Σ a)² / Σ (a² / ν), a: a task's part.
    """
    value = float(np.mean([one.found.value for one in ones]))
    variance = float(np.sum([one.variance for one in ones])) / len(ones) ** 2
    limits = [float(np.mean([one.found.limits[side] for one in ones])) for side in (0, 1)]
    freedom = _freedom(ones)
    return value, *interval(value, variance, freedom, (limits[0], limits[1])), freedom


def _freedom(ones: Sequence[Change]) -> float:
    """Welch's and Satterthwaite's degrees of freedom of a sum of variances between seeds; 0 if they are not known."""
    if not all(one.freedom for one in ones):
        return 0
    seeds = np.array([one.variance_of_seeds for one in ones])
    freedom = np.array([one.freedom for one in ones])
    if not seeds.any():
        return float(freedom.sum())
    return float(seeds.sum() ** 2 / (seeds**2 / freedom).sum())


def verdicts(frame: pd.DataFrame) -> pd.Series:
    """What each row of `changes` says: `HIGHER`, `LOWER`, `UNCLEAR`, or `NO_VERDICT` with one seed or no interval."""

    def verdict(row) -> str:
        if row.df == 0 or np.isnan(row.low):
            return NO_VERDICT
        return HIGHER if row.low > 0 else LOWER if row.high < 0 else UNCLEAR

    return pd.Series([verdict(row) for row in frame.itertuples()], index=frame.index, dtype=str)
