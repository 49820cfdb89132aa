"""Differences of two models, or of two recipes, with paired intervals.

What varies decides what a difference is about. P pretrainings of two models are paired by their number, because both
were continued from the same pretraining of their base. With Δ[r] the difference of the pretrainings r, a mean over
seeds, languages and tasks,

    mean_r Δ[r]  ±  t(P − 1; .975) · √(s²_Δ / P + V),     V = variance over b of mean_r Δ[r, b]

s²_Δ is the variance of Δ over pretrainings, which holds chance in fine-tuning seeds too; replicate b of the bootstrap
draws the same test examples for all. In simulations (`inference.simulate`) a difference that is not there is found in
at most 5 % of the studies for P = 2, 3, 5, and the interval is wider than it must be at P = 2.

Of models with unequal numbers of pretrainings those with the same number are compared, so a model with one is compared
with the first of another. With one pretraining, or of published checkpoints, a difference is about these checkpoints:
its interval is that of `inference.intervals`, of fine-tuning seeds and examples. With one seed it holds examples alone,
and is no verdict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.intervals import ALL, Statistic, difference, seed_part, seed_variance, statistic
from mtbridge.inference.scores import AllScores, Scores
from mtbridge.study.outline import Outline

ALL_TASKS = "mean over tasks"


class Side(NamedTuple):
    """One side of a difference: a model, by the key of its first pretraining, trained with a recipe."""

    recipe: str
    model: str


@dataclass(frozen=True)
class Change:
    """A difference on one task, or its mean over tasks.

    found: value, and replicates [replicate] of the examples.
    variance_of_units, freedom: of the pretrainings' part, or with one pretraining of the seeds'; freedom 0: not known.
    by_pretraining: the difference of each pretraining; empty if there is one, or if the difference does not count.
    numbers: which pretrainings are compared.
    seeds, examples: the fewest seeds of a side, and test examples.
    """

    found: Statistic
    variance_of_units: float
    freedom: float
    by_pretraining: np.ndarray = field(default_factory=lambda: np.empty(0))
    numbers: tuple[int, ...] = (1,)
    seeds: int = 0
    examples: int = 0

    @property
    def variance(self) -> float:
        """The variance of the difference; NaN where it is not known."""
        return self.found.variance_of_examples + self.variance_of_units

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval; NaN where there is none."""
        return self.found.interval(self.variance_of_units, self.freedom)


# ---- One task --------------------------------------------------------------------------------------------------------


def change(scores: AllScores, outline: Outline, one: Side, other: Side, task: str, weight: np.ndarray) -> Change | None:
    """A statistic of one side minus that of the other on a task; None if a side has no scores. weight [language].

    Raises MtbridgeError if the two differ in their number of bootstrap replicates.
    """
    keys = zip(outline.replicates(one.model), outline.replicates(other.model), strict=False)
    pairs = {
        number: (scores[one.recipe, key, task], scores[other.recipe, against, task])
        for number, (key, against) in enumerate(keys, 1)
        if (one.recipe, key, task) in scores and (other.recipe, against, task) in scores
    }
    if not pairs:
        return None
    for a, b in pairs.values():
        if a.replicates.shape[-1] != b.replicates.shape[-1]:
            raise MtbridgeError(f"scores of {a.model} and {b.model} differ in their number of replicates on {task}")
    first = next(iter(pairs.values()))
    if len(pairs) > 1:
        found = of_pretrainings([paired(a, b, weight) for a, b in pairs.values()])
    else:
        runs = [run for key, run in scores.items() if key[0] in (one.recipe, other.recipe) and key[2] == task]
        found = of_checkpoints(*first, runs, weight)
    return replace(
        found,
        numbers=tuple(pairs),
        seeds=min(len(run.seeds) for pair in pairs.values() for run in pair),
        examples=0 if first[0].sizes is None else int(first[0].sizes[weight != 0].sum()),
    )


def paired(one: Scores, other: Scores, weight: np.ndarray) -> Statistic:
    """The difference of two runs' scores on the languages that count in both, paired on examples."""
    return difference(statistic(one, weight, beside=other), statistic(other, weight, beside=one))


def of_pretrainings(found: Sequence[Statistic]) -> Change:
    """The mean of the differences of two or more pretrainings, by the module's equation.

    If one of them does not count, for the reasons of `inference.degenerate`, the difference has no value: pretrainings
    without the failed ones would not be what such models are like.
    """
    values = np.array([one.value for one in found])
    reasons = tuple(sorted({why for one in found for why in one.reasons}))
    replicates = np.mean([one.replicates for one in found], axis=0)
    counts = all(one.counts for one in found)
    left_out = ", ".join(dict.fromkeys(part for one in found for part in one.left_out.split(", ") if part))
    mean = Statistic(
        float(values.mean()) if counts else float("nan"),
        values,
        replicates,
        found[0].limits,
        reasons,
        left_out if counts else ALL,
    )
    return Change(
        mean,
        float(values.var(ddof=1)) / len(found),
        len(found) - 1,
        values if counts else np.empty(0),
        tuple(range(1, len(found) + 1)),
    )


def of_checkpoints(one: Scores, other: Scores, runs: Sequence[Scores], weight: np.ndarray) -> Change:
    """The difference of two checkpoints; runs: all scores with their recipes on the task, whose seeds' variance is
    pooled."""
    sides = statistic(one, weight, beside=other), statistic(other, weight, beside=one)
    seeds = seed_variance(statistic(run, weight) for run in runs)
    return Change(difference(*sides), seed_part(seeds, *sides), seeds.freedom)


# ---- Mean over tasks -------------------------------------------------------------------------------------------------


def mean_over_tasks(changes_of: Mapping[str, Change], leave_out: Mapping[str, str] | None = None) -> Change:
    """The mean of a difference over one or more tasks. leave_out: task -> why it is left out beforehand.

    Left out are tasks on which the difference does not count, and those of which the variance of units is not known, if
    there are others; of tasks without the same pretrainings, those with the fewest. If nothing is left, the mean does
    not count: it has no value, and says why. Examples of different tasks are independent, so their V is the sum of the
    tasks' over T².
    Pretrainings are not: Δ[r] is the mean over tasks of one pretraining's differences. With one pretraining the seeds'
    parts are independent, and their degrees of freedom are Welch's and Satterthwaite's, (Σ a)² / Σ (a² / ν).
    """
    leave_out = leave_out or {}
    counted = {task: one for task, one in changes_of.items() if one.found.counts and task not in leave_out}
    if any(one.freedom for one in counted.values()):
        counted = {task: one for task, one in counted.items() if one.freedom}
    # A task with other pretrainings, of an unfinished study, would make Δ[r] a mean over other tasks for some r.
    numbers = max((one.numbers for one in counted.values()), key=len, default=())
    counted = {task: one for task, one in counted.items() if one.numbers == numbers}
    reasons = dict.fromkeys(
        why
        for task, one in changes_of.items()
        if task not in counted
        for why in ([leave_out[task]] if task in leave_out else one.found.reasons)
    )
    if not counted:
        return _no_mean(list(changes_of.values()), tuple(reasons))
    ones = list(counted.values())
    left_out = ", ".join(task for task in changes_of if task not in counted)
    limits = [float(np.mean([one.found.limits[side] for one in ones])) for side in (0, 1)]
    replicates = np.mean([one.found.replicates for one in ones], axis=0)
    several = len(numbers) > 1
    by_pretraining = np.mean([one.by_pretraining for one in ones], axis=0) if several else np.empty(0)
    value = float(np.mean([one.found.value for one in ones]))
    found = Statistic(value, by_pretraining, replicates, (limits[0], limits[1]), tuple(reasons), left_out)
    if several:
        variance, freedom = float(by_pretraining.var(ddof=1)) / len(numbers), float(len(numbers) - 1)
    else:
        variance = float(np.sum([one.variance_of_units for one in ones])) / len(ones) ** 2
        freedom = _freedom(ones)
    sizes = {"seeds": min(one.seeds for one in ones), "examples": sum(one.examples for one in ones)}
    return Change(found, variance, freedom, by_pretraining, numbers, **sizes)


def _no_mean(ones: Sequence[Change], reasons: tuple[str, ...]) -> Change:
    """The mean over tasks of which none counts."""
    one = max(ones, key=lambda each: len(each.numbers))
    none = Statistic(float("nan"), np.empty(0), np.full(1, np.nan), one.found.limits, reasons, ALL)
    return Change(none, float("nan"), one.freedom, numbers=one.numbers, seeds=min(each.seeds for each in ones))


def _freedom(ones: Sequence[Change]) -> float:
    """Welch's and Satterthwaite's degrees of freedom of a sum of variances between seeds; 0 if they are not known."""
    if not all(one.freedom for one in ones):
        return 0
    seeds = np.array([one.variance_of_units for one in ones])
    freedom = np.array([one.freedom for one in ones])
    if not seeds.any():
        return float(freedom.sum())
    return float(seeds.sum() ** 2 / (seeds**2 / freedom).sum())


def over_tasks(
    scores: AllScores, outline: Outline, one: Side, other: Side, weight_of: Callable[..., np.ndarray | None]
) -> dict[str, Change]:
    """The differences of two sides by task, of those that have scores; weight_of: task -> weight [language]."""
    found = {}
    for task in outline.tasks:
        weight = weight_of(task)
        one_change = None if weight is None else change(scores, outline, one, other, task.name, weight)
        if one_change is not None:
            found[task.name] = one_change
    return found
