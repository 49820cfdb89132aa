"""Scored runs as arrays, and the weights of the statistics.

A statistic of a task is a weighted sum over its languages: the mean ("average"), the score in the source language
("english"), the mean of the other languages ("zero_shot"), and the source language minus that mean ("gap").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.inference.degenerate import CONSTANT, counts
from mtbridge.study.outline import FLOOR, NO_RECIPE, Outline, OutlineTask
from mtbridge.tasks.metrics import RANGES, metric_name

Unit = Literal["seed", "pretraining"]
ALL_LANGUAGES = "avg"  # the name of the mean in the language column of Table 4, as published


@dataclass(frozen=True)
class Scores:
    """The scores of one model, trained with one recipe, on one task: one metric and one split, in percent.

    A unit is a fine-tuning seed of one pretraining; in what `merge_pretrainings` returns, it is a pretraining.
    """

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
    reasons: np.ndarray  # [seed, language] str: why a score is degenerate, "" if it is not
    leaves_out: bool = True  # whether degenerate scores are left out of means, as the protocol says
    sizes: np.ndarray | None = None  # [language] int: test examples; None: not known
    unit: Unit = "seed"  # what the first axis counts

    @property
    def counts(self) -> np.ndarray:
        """Which scores count in means, bool [seed, language]; a missing one does, so that the mean is missing too."""
        if self.leaves_out:
            return counts(self.reasons)
        return (self.reasons == "") | ~np.isnan(self.values)


AllScores = Mapping[tuple[str, str, str], Scores]  # (recipe, model, task) -> scores, as `read_scores` returns them


def split_and_metric(task: OutlineTask, outline: Outline, protocol: str) -> tuple[str, str]:
    """The split and the metric that a protocol shows of a task."""
    settings = outline.protocol(protocol)
    return settings.split(task.name), metric_name(task.metric, settings.metric)


def read_scores(folder, outline: Outline, protocol: str) -> dict[tuple[str, str, str], Scores]:
    """Every (recipe, model, task) of the outline that has at least one scored seed, and the floor.

    `folder` holds `<recipe>/<model>/<task>/seed<k>.parquet` and `.npz`. Files that are missing are left out.
    Raises MtbridgeError if a file does not hold scores, or if seeds differ in their number of replicates.
    """
    expected: dict[tuple[str, str, str], list[int]] = {}
    for recipe, model, name, seed in outline.grid():
        expected.setdefault((recipe, model, name), []).append(seed)
    for task in outline.tasks:
        expected[NO_RECIPE, FLOOR, task.name] = [0]
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
            language_known=np.all([run[3] for run in runs], axis=0) & _has_text(outline, model, task.languages),
            reasons=np.stack([_reasons(model, run[4]) for run in runs]),
            leaves_out=outline.protocol(protocol).degenerate == "leave out",
            sizes=runs[0][5],
        )
    return result


def as_zero(run: Scores) -> Scores:
    """The floor of a correlation as 0, which is what chance gives: a constant has no value. Others as they are."""
    if run.model != FLOOR or RANGES[run.metric][0] >= 0:
        return run
    return replace(run, values=np.zeros_like(run.values), replicates=np.zeros_like(run.replicates))


def leave_out_degenerate(scores: AllScores) -> AllScores:
    """The same without degenerate scores in means, whatever the protocol says of its own means."""
    return {key: replace(run, leaves_out=True) for key, run in scores.items()}


def merge_pretrainings(scores: AllScores, outline: Outline) -> dict[tuple[str, str, str], Scores]:
    """The same with a model's pretrainings as one: its units are they, and a value is the mean over seeds that count.

    All stand under the key of the first, even if others are scored and it is not. A model with one pretraining keeps
    its seeds as units; so does one of which only one pretraining is scored.
    """
    merged: dict[tuple[str, str, str], Scores] = {}
    for recipe, model, task in scores:
        keys = outline.replicates(model) if model in outline.keys else (model,)
        if (recipe, keys[0], task) in merged:
            continue
        found = [scores[recipe, key, task] for key in keys if (recipe, key, task) in scores]
        one = replace(found[0], model=keys[0])
        if len(found) == 1:
            merged[recipe, keys[0], task] = one
            continue
        means = [_mean_over_seeds(run) for run in found]
        merged[recipe, keys[0], task] = replace(
            one,
            seeds=tuple(number for number, key in enumerate(keys, 1) if (recipe, key, task) in scores),
            values=np.stack([values for values, _, _ in means]),
            replicates=np.stack([replicates for _, replicates, _ in means]),
            reasons=np.stack([reasons for _, _, reasons in means]),
            unit="pretraining",
        )
    return merged


def _mean_over_seeds(run: Scores) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values [language], replicates [language, replicate] and reasons [language] of a pretraining.

    A language counts with the seeds that count in it; where none does, it has the first seed's values and reason.
    """
    counts = run.counts.copy()  # [seed, language]
    none = ~counts.any(axis=0)
    counts[0, none] = True
    share = counts / counts.sum(axis=0)
    values = np.where(counts, run.values, 0)
    replicates = np.where(counts[..., None], run.replicates, 0)
    reasons = np.where(none, run.reasons[0], "")
    return (share * values).sum(axis=0), (share[..., None] * replicates).sum(axis=0), reasons


def _has_text(outline: Outline, model: str, languages: Sequence[str]) -> np.ndarray:
    """Which languages have any text in the pretraining of a model, bool [language]; a checkpoint's card says it.

    The tokenizer has a tag of every language of the study, also of one that no model sees.
    """
    is_trained = model in outline.keys and outline.model(model).origin == "trained"
    return np.array([not is_trained or outline.shares.get(language, 1.0) > 0 for language in languages])


def _reasons(model: str, reasons: np.ndarray) -> np.ndarray:
    """The reasons of one run; the baseline is a constant answer by definition, which is no fault of it."""
    return np.where(reasons == CONSTANT, "", reasons) if model == FLOOR else reasons


def _read_run(
    path: Path, languages: Sequence[str], split: str, metric: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One run's values [language], replicates [language, replicate], which languages it knows, why scores are
    degenerate, and how many examples there are [language]."""
    frame = read_parquet(path, ["language", "split", "metric", "value", "degenerate", "language_known", "n"])
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
    reasons = np.array([str(frame["degenerate"].get(language, "")) for language in languages])
    sizes = frame["n"].reindex(list(languages)).fillna(0).to_numpy(dtype=int)
    return values, replicates, language_known, reasons, sizes


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


def selection(
    scores: Scores, weight: np.ndarray, beside: Scores | None = None
) -> tuple[np.ndarray, np.ndarray, str] | None:
    """What counts of a statistic: its weights [language], which seeds [seed] bool, and what is left out, as text.

    First languages of which no seed counts are left out (with `beside`, of that model too), and the weights of the
    others grow so that the mean, and each side of the gap, still has the same sum. Then seeds are left out of which
    one of these languages does not count. None if nothing is left, or a side of the gap.
    """
    used = weight != 0
    kept = used & scores.counts.any(axis=0)
    if beside is not None:
        kept &= beside.counts.any(axis=0)
    weight = weight.copy()
    for side in (weight > 0, weight < 0):
        if not side.any():
            continue
        if not (side & kept).any():
            return None
        weight[side & kept] *= weight[side].sum() / weight[side & kept].sum()
    weight[~kept] = 0
    seeds = np.asarray(scores.counts[:, kept].all(axis=1))
    if not seeds.any():
        return None
    languages = [scores.languages[index] for index in np.flatnonzero(used & ~kept)]
    left_out = [*languages, *(f"{scores.unit} {scores.seeds[index]}" for index in np.flatnonzero(~seeds))]
    return weight, seeds, ", ".join(left_out)
