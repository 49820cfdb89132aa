"""Scores that say nothing about a model, although they look exact: which they are, and why.

A score is degenerate if nothing was counted, if its examples have one gold label, if the model gives one answer to
everything, or if its interval has no width. A degenerate score is shown with its reason and without an interval. Means
over languages and seeds, differences and verdicts leave it out, with one exception: a score whose interval has no width
(all right, all wrong, a single unit) counts in means, which would be too low without those that are all right.
"""

import numpy as np

from mtbridge.inference.bootstrap import has_width
from mtbridge.tasks.judged import Judged, has_one_gold_class
from mtbridge.tasks.metrics import Metric

ONE_GOLD_CLASS = "one gold class"
CONSTANT = "constant answer"
NOTHING = "nothing counted"
NO_WIDTH = "no width"
REASONS = (ONE_GOLD_CLASS, CONSTANT, NOTHING, NO_WIDTH)


def reason(metric: Metric, judged: Judged, value: float, replicates: np.ndarray) -> str:
    """Why a score is degenerate: one of `REASONS`, the first that applies; "" if none does.

    value, replicates [replicate]: the score and its bootstrap, in percent; NaN where the metric has no value.
    """
    if has_one_gold_class(judged):
        return ONE_GOLD_CLASS
    if metric.is_constant(judged):
        return CONSTANT
    if np.isnan(value):
        return NOTHING
    return "" if has_width(replicates) else NO_WIDTH


def counts(reasons: np.ndarray) -> np.ndarray:
    """Which scores count in means and differences, bool; reasons: `""` or one of `REASONS`, of the same shape."""
    return np.isin(reasons, ("", NO_WIDTH))
