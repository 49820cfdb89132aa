"""Metrics of resampled examples: what their values would have been on other examples of the same kind.

Units (examples, sentences, queries: see `tasks.metrics`) are drawn with replacement. A resample depends on task,
language, split and the number of units alone; replicate b of any two models is on the same examples, and their
difference is a paired one.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from mtbridge.tasks.metrics import Metric

REPLICATES = 1000
# At most so many resampling counts at a time, 64 MB of them.
CHUNK = 8_000_000


def resamples(
    units: int, task: str, language: str, split: str, count: int = REPLICATES
) -> Iterator[tuple[slice, np.ndarray]]:
    """`count` resamples of so many units, in parts: (which ones, how often each unit is drawn [resample, unit])."""
    stream = hashlib.sha256(f"{task}/{language}/{split}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(stream[:8], "big"))
    step = max(1, CHUNK // units)
    for start in range(0, count, step):
        size = min(step, count - start)
        drawn = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
        yield slice(start, start + size), times.astype(np.float64)


def bootstrap(
    metrics: tuple[Metric, ...], columns: list[np.ndarray], task: str, language: str, split: str, count=REPLICATES
) -> list[np.ndarray]:
    """The values [count] of each metric on the same resamples, in percent; columns [unit, k] of each metric."""
    # Side by side, so that one product gives the sums of all metrics.
    joined = np.concatenate(columns, axis=1)
    ends = np.cumsum([part.shape[1] for part in columns])
    values = [np.empty(count) for _ in metrics]
    for rows, times in resamples(len(joined), task, language, split, count):
        sums = times @ joined  # [resample, sum of k]
        for metric, part, end, value in zip(metrics, columns, ends, values, strict=True):
            if metric.of_resamples:
                value[rows] = metric.of_resamples(part, times)
            else:
                value[rows] = metric.of_sums(sums[:, end - part.shape[1] : end])
    return values
