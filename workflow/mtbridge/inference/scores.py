"""Scored runs as arrays, and the weights of the statistics.

A statistic of a task is a weighted sum over its languages: the mean ("average"), the score in the source language
("english"), the mean of the other languages ("zero_shot"), and the source language minus that mean ("gap").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.study.outline import MAJORITY, NO_RECIPE, Outline, OutlineTask
from mtbridge.tasks.metrics import metric_name

ALL_LANGUAGES = "avg"  # the name of the mean in the language column of Table 4, as published


@dataclass(frozen=True)
class Scores:
    """The scores of one model, trained with one recipe, on one task: one metric and one split, in percent."""

    recipe: str
    model: str
    task: str
    split: str
    metric: str
    languages: tuple[str, ...]
    seeds: tuple[int, ...]
    values: np.ndarray  # [seed, language]; NaN where a language is missing
    replicates: np.ndarray  # [seed, language, replicate]
    language_known: np.ndarray  # [language] bool: has the model seen the language?


def split_and_metric(task: OutlineTask, outline: Outline, protocol: str) -> tuple[str, str]:
    """The split and the metric that a protocol shows of a task."""
    settings = outline.protocol(protocol)
    return settings.split(task.name), metric_name(task.metric, settings.metric)


def read_scores(folder, outline: Outline, protocol: str) -> dict[tuple[str, str, str], Scores]:
    """Every (recipe, model, task) of the outline that has at least one scored seed, and the majority baseline.

    `folder` holds `<recipe>/<model>/<task>/seed<k>.parquet` and `.npz`. Files that are missing are left out.
    Raises MtbridgeError if a file does not hold scores, or if seeds differ in their number of replicates.
    """
    expected: dict[tuple[str, str, str], list[int]] = {}
    for recipe, model, name, seed in outline.grid():
        expected.setdefault((recipe, model, name), []).append(seed)
    for task in outline.tasks:
        expected[NO_RECIPE, MAJORITY, task.name] = [0]
    tasks = {task.name: task for task in outline.tasks}
    result = {}
    for (recipe, model, name), seeds in expected.items():
        task = tasks[name]
        split, metric = split_and_metric(task, outline, protocol)
        paths = [(seed, Path(folder) / recipe / model / name / f"seed{seed}.parquet") for seed in seeds]
        runs = [(seed, *_read_run(path, task.languages, split, metric)) for seed, path in paths if path.exists()]
        if not runs:
            continue
        if len({run[2].shape for run in runs}) > 1:
            place = f"{folder}/{recipe}/{model}/{name}"
            raise MtbridgeError(f"{place}: seeds differ in their number of bootstrap replicates")
        result[recipe, model, name] = Scores(
            recipe=recipe,
            model=model,
            task=name,
            split=split,
            metric=metric,
            languages=task.languages,
            seeds=tuple(run[0] for run in runs),
            values=np.stack([run[1] for run in runs]),
            replicates=np.stack([run[2] for run in runs]),
            language_known=np.all([run[3] for run in runs], axis=0),
        )
    return result


def _read_run(
    path: Path, languages: Sequence[str], split: str, metric: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One run's values [language], replicates [language, replicate], and which languages it knows [language]."""
    frame = read_parquet(path, ["language", "split", "metric", "value", "language_known"])
    frame = frame[(frame["split"] == split) & (frame["metric"] == metric)].drop_duplicates("language")
    frame = frame.set_index("language")
    npz = path.with_suffix(".npz")
    present = [language for language in languages if language in frame.index]
    try:
        with np.load(npz, allow_pickle=False) as archive:
            rows = {language: archive[f"{language}/{split}/{metric}"] for language in present}
    except KeyError as error:
        raise MtbridgeError(f"{npz}: lacks the replicates {error}; delete it so that it is made again") from error
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{npz}: cannot be read ({error}); delete it so that it is made again") from error
    # A language without scores gets NaN replicates, as many as the others have.
    size = max((len(row) for row in rows.values()), default=1)
    missing = np.full(size, np.nan)
    values = frame["value"].reindex(list(languages)).to_numpy(dtype=float)
    replicates = np.stack([np.asarray(rows.get(language, missing), float) for language in languages])
    language_known = np.array([bool(frame["language_known"].get(language, True)) for language in languages])
    return values, replicates, language_known


def weights(statistic: str, task: OutlineTask, outline: Outline, protocol: str) -> np.ndarray | None:
    """The weights of a statistic over the task's languages, [language]; None if the task cannot have the statistic.

    The mean counts every language, also the source language, except those that the protocol leaves out.
    """
    source = np.array([language == outline.source_language for language in task.languages], float)
    if statistic == "average":
        left_out = outline.protocol(protocol).mean_without.get(task.name, ())
        average = np.array([language not in left_out for language in task.languages], float)
        return average / average.sum() if average.any() else None
    if statistic == "english":
        return source if source.any() else None
    zero_shot = 1 - source
    if not zero_shot.any():
        return None
    zero_shot /= zero_shot.sum()
    if statistic == "zero_shot":
        return zero_shot
    return source - zero_shot if source.any() else None


def language_weights(language: str, task: OutlineTask, outline: Outline, protocol: str) -> np.ndarray | None:
    """The weights of a cell of Table 4: one language, or the mean (`ALL_LANGUAGES`)."""
    if language == ALL_LANGUAGES:
        return weights("average", task, outline, protocol)
    return np.array([other == language for other in task.languages], float)


def weighted_sum(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted sum over languages of values [..., language]."""
    # A language of weight 0 may be missing, and 0 · NaN would be NaN.
    nonzero = weight != 0
    return values[..., nonzero] @ weight[nonzero]
