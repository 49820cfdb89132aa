"""Scores over the floor, the best constant answer on the same examples: the one difference that has no seeds there.

Table 1, the choice of tasks for a mean over them, and the ranking ask the same question, so it is answered once.
"""

import numpy as np

from mtbridge.inference.intervals import (
    SeedVariance,
    Statistic,
    difference,
    seed_part,
    seed_variance,
    statistic,
)
from mtbridge.inference.scores import AllScores, Scores, as_zero
from mtbridge.study.outline import FLOOR, NO_RECIPE


def unit_variance(scores: AllScores, run: Scores, weight: np.ndarray) -> SeedVariance:
    """The variance of a statistic between units such as those of a run, pooled over the models of its recipe and task.

    scores: as `scores.merge_pretrainings` returns them; weight [language].
    """
    return seed_variance(
        statistic(other, weight)
        for (recipe, _, task), other in scores.items()
        if (recipe, task, other.unit) == (run.recipe, run.task, run.unit)
    )


def over_floor(
    run: Scores, floor: Scores, weight: np.ndarray, units: SeedVariance
) -> tuple[Statistic, tuple[float, float]]:
    """A score minus the floor's, paired on examples, and its 95 % interval. units: see `unit_variance`."""
    floor = as_zero(floor)
    one = statistic(run, weight, beside=floor)
    found = difference(one, statistic(floor, weight, beside=run))
    return found, found.interval(seed_part(units, one), units.freedom)


def against_floor(
    scores: AllScores, recipe: str, model: str, task: str, weight: np.ndarray
) -> tuple[Statistic, bool] | None:
    """A model's score minus the floor's, and whether it is above: counts, with an interval above zero.

    scores: as `scores.merge_pretrainings` returns them. None if the model or the floor has no scores.
    """
    run, floor = scores.get((recipe, model, task)), scores.get((NO_RECIPE, FLOOR, task))
    if run is None or floor is None:
        return None
    found, (low, _) = over_floor(run, floor, weight, unit_variance(scores, run, weight))
    return found, found.counts and bool(low > 0)
