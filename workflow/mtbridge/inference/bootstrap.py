"""The bootstrap over examples (Efron 1979): the values that metrics would have on other examples of the same kind.

Units (examples, sentences, queries: see `tasks.metrics`) are drawn with replacement. A resample depends only on task,
language, split and the number of units. So replicate b of any two models uses the same examples, and the difference of
two models is a paired difference.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from mtbridge.tasks.metrics import Metric

REPLICATES = 1000
# Largest number of counts (resamples × units) in memory at a time: 64 MB as float64.
CHUNK = 8_000_000
# Replicates are stored in single precision, whose numbers near 100 are 8e-6 apart.
ROUNDING = 2e-5
# A metric may have no value on a few resamples, and its interval leaves them out; with more, it has no interval.
UNDEFINED = 0.05


def resamples(
    units: int, task: str, language: str, split: str, count: int = REPLICATES
) -> Iterator[tuple[slice, np.ndarray]]:
    """`count` resamples of `units` units, in parts.

    Yields (which resamples, how often each of them has each unit, float64 [resample, unit]).
    """
    key = hashlib.sha256(f"{task}/{language}/{split}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(key[:8], "big"))
    step = max(1, CHUNK // units)
    for start in range(0, count, step):
        size = min(step, count - start)
        # Resample r has the numbers r·units to (r+1)·units − 1, so that one bincount counts for all resamples.
        indices = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        counts = np.bincount(indices.ravel(), minlength=size * units).reshape(size, units)
        yield slice(start, start + size), counts.astype(np.float64)


def bootstrap(
    metric: Metric,
    columns: np.ndarray,
    task: str,
    language: str,
    split: str,
    count: int = REPLICATES,
) -> np.ndarray:
    """The values [count] of a metric on resamples, in percent; columns: its quantities per unit, [unit, k].

    A resample on which the metric has no value (an F1 without entities) is NaN.
    """
    values = np.empty(count)
    for rows, counts in resamples(len(columns), task, language, split, count):
        values[rows] = metric.of_resamples(columns, counts) if metric.of_resamples else metric.of_sums(counts @ columns)
    return values


def has_width(sample: np.ndarray) -> bool:
    """Do draws [draw], in percent, differ by more than the rounding of their single precision?"""
    finite = sample[np.isfinite(sample)]
    return len(finite) > 0 and bool(np.ptp(finite) > ROUNDING)


def percentiles(sample: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of draws that have a value; NaN if one in twenty has none."""
    if np.isnan(sample).mean() > UNDEFINED:
        return float("nan"), float("nan")
    low, high = np.nanpercentile(sample, [2.5, 97.5])
    return float(low), float(high)
