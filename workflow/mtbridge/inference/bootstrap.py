"""The bootstrap over examples (Efron 1979): the values that metrics would have on other examples of the same kind.

Clusters of units (examples, sentences, queries: see `inference.clusters`) are drawn with replacement. A resample
depends only on its key (task and split, and the language unless rows are aligned) and on the number of clusters. So
replicate b of any two models, and of any two languages of an aligned task, uses the same examples, and the difference
of two models is a paired difference.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from mtbridge.inference.clusters import Clusters
from mtbridge.tasks.metrics import Metric

REPLICATES = 1000
# Largest number of counts (resamples × units) in memory at a time: 64 MB as float64.
CHUNK = 8_000_000
# Replicates are stored in single precision, whose numbers near 100 are 8e-6 apart.
ROUNDING = 2e-5
# A metric may have no value on a few resamples, and its interval leaves them out; with more, it has no interval.
UNDEFINED = 0.05


def resamples(size: int, key: str, count: int = REPLICATES) -> Iterator[tuple[slice, np.ndarray]]:
    """`count` resamples of `size` clusters, in parts; key: what the draws depend on.

    Yields (which resamples, how often each of them has each cluster, float64 [resample, cluster]).
    """
    digest = hashlib.sha256(key.encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    step = max(1, CHUNK // size)
    for start in range(0, count, step):
        part = min(step, count - start)
        # Resample r has the numbers r·size to (r+1)·size − 1, so that one bincount counts for all resamples.
        indices = generator.integers(size, size=(part, size)) + size * np.arange(part)[:, None]
        counts = np.bincount(indices.ravel(), minlength=part * size).reshape(part, size)
        yield slice(start, start + part), counts.astype(np.float64)


def bootstrap(metric: Metric, columns: np.ndarray, clusters: Clusters, key: str, count: int = REPLICATES) -> np.ndarray:
    """The values [count] of a metric on resamples of clusters, in percent; columns: its quantities per unit, [unit, k].

    A resample on which the metric has no value (an F1 without entities) is NaN.
    """
    values = np.empty(count)
    sums = np.zeros((clusters.size, columns.shape[1]))
    np.add.at(sums, clusters.of_unit, columns)
    for rows, counts in resamples(clusters.size, key, count):
        if metric.of_resamples:
            values[rows] = metric.of_resamples(columns, counts[:, clusters.of_unit])
        else:
            values[rows] = metric.of_sums(counts @ sums)
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
