"""Differences between a continued model and what it is compared with, with paired intervals."""

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.intervals import draws, interval
from mtbridge.inference.scores import Scores, read_scores, weighted_sum, weights
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import Outline

ALL_TASKS = "mean over tasks"
COLUMNS = ["recipe", "model", "against", "task", "statistic", "change", "low", "high"]


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

    Columns: recipe, model, against, task ("mean over tasks" last), statistic, change, low, high. All three numbers are
    in percent points; the intervals are paired on examples, and tasks are independent. The mean over tasks has a row
    only if every task has one. `folder` holds the scored runs (see `scores.read_scores`).
    Raises MtbridgeError where two models differ in their number of replicates.
    """
    scores = read_scores(folder, outline, protocol)
    rows = []
    for recipe in outline.recipes:
        for model, against in pairs(outline):
            for statistic in STATISTICS:
                points, samples = [], []
                for task in outline.tasks:
                    one, other = (scores.get((recipe, key, task.name)) for key in (model, against))
                    weight = weights(statistic, task, outline, protocol)
                    if one is None or other is None or weight is None:
                        continue
                    point, sample = _difference(one, other, weight, folder)
                    points.append(point)
                    samples.append(sample)
                    rows.append((recipe, model, against, task.name, statistic, point, *interval(sample)))
                if points and len(points) == len(outline.tasks):
                    # Draws of different tasks are independent (their generators differ), so draw b of the mean is the
                    # mean of the tasks' draws b.
                    total = np.mean(samples, axis=0)
                    mean = float(np.mean(points))
                    rows.append((recipe, model, against, ALL_TASKS, statistic, mean, *interval(total)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _difference(one: Scores, other: Scores, weight: np.ndarray, folder) -> tuple[float, np.ndarray]:
    """A statistic of one model minus that of another on the same task, and its draws [draw]."""
    if one.replicates.shape[-1] != other.replicates.shape[-1]:
        raise MtbridgeError(
            f"{folder}: {one.model} and {other.model} differ in their number of replicates on {one.task}"
        )
    point = weighted_sum(one.values, weight).mean() - weighted_sum(other.values, weight).mean()
    return float(point), weighted_sum(draws(one), weight) - weighted_sum(draws(other), weight)
