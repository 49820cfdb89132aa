"""Intervals of a similarity over rows, from halves of the rows drawn without replacement."""

from typing import NamedTuple

import torch

SUBSAMPLES = 100  # the standard error from 100 halves is itself known to 7 %
MINIMUM_ROWS = 8  # U-centring needs 4 rows, and so does each half


class Similarity(NamedTuple):
    """The similarity of each pair of m representations, and what it must be read against; all [m, m] float64."""

    value: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    null: torch.Tensor  # what unrelated rows would score


def half_subsamples(n: int, count: int = SUBSAMPLES, seed: int = 0) -> torch.Tensor:
    """0/1 columns [n, count], each a half (n // 2 rows) drawn without replacement; the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(n, count, generator=generator, dtype=torch.float64).argsort(0)[: n // 2]
    return torch.zeros(n, count, dtype=torch.float64).scatter_(0, chosen, 1)


def interval(
    value: torch.Tensor, halves: torch.Tensor, n: int, least: float = -1.0, most: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The 95 % interval over rows of a value [m, m], from its values on half-subsamples [s, m, m] of n rows.

    A statistic with variance σ²/n varies over subsamples of b rows, given the n rows, with variance σ²/b · (1 − b/n)
    (Politis & Romano 1994; Shao & Wu 1989). So its standard error is the subsamples' standard deviation times
    sqrt(b/(n−b)), a factor of 1 at b = n/2, and the interval is value ± 1.96 of these, cut to [least, most]. The
    deviations are from the subsamples' mean. A bootstrap of rows would be wrong: a row that is drawn twice is alike to
    its twin in both representations.
    """
    error = halves.std(0) * (n // 2 / (n - n // 2)) ** 0.5
    return (value - 1.96 * error).clamp(least, most), (value + 1.96 * error).clamp(least, most)
