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
    metrics: tuple[Metric, ...],
    columns: list[np.ndarray],
    task: str,
    language: str,
    split: str,
    count: int = REPLICATES,
) -> list[np.ndarray]:
    """The values [count] of each metric on the same resamples, in percent.

    columns: for each metric its quantities per unit, [unit, k].
    """
    # Side by side, so that one matrix product gives the sums of all metrics.
    joined = np.concatenate(columns, axis=1)
    ends = np.cumsum([part.shape[1] for part in columns])
    values = [np.empty(count) for _ in metrics]
    for rows, counts in resamples(len(joined), task, language, split, count):
        sums = counts @ joined  # [resample, sum of k]
        for metric, part, end, value in zip(metrics, columns, ends, values, strict=True):
            if metric.of_resamples:
                value[rows] = metric.of_resamples(part, counts)
            else:
                value[rows] = metric.of_sums(sums[:, end - part.shape[1] : end])
    return values
