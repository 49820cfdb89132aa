"""Intervals of a similarity over rows, from random halves of the rows, drawn without replacement."""

from typing import NamedTuple

import torch

# The standard error from s halves has a relative error of about 1/√(2s): 7 % with 100.
SUBSAMPLES = 100
MINIMUM_ROWS = 8  # U-centring needs 4 rows in each half


class Similarity(NamedTuple):
    """The similarity of each pair of m representations, its interval and its null; all but `halves` [m, m] float64."""

    value: torch.Tensor
    low: torch.Tensor  # ends of the 95 % interval over rows
    high: torch.Tensor
    null: torch.Tensor  # the expected value if the rows were unrelated
    halves: torch.Tensor  # [s, m, m] its values on the half-subsamples behind the interval


def half_subsamples(n: int, count: int = SUBSAMPLES, seed: int = 0) -> torch.Tensor:
    """0/1 columns [n, count], each with n // 2 rows drawn without replacement; they depend on the arguments alone."""
    generator = torch.Generator().manual_seed(seed)
    # The first half of a random order of the rows, in each column.
    rows = torch.rand(n, count, generator=generator, dtype=torch.float64).argsort(0)[: n // 2]
    return torch.zeros(n, count, dtype=torch.float64).scatter_(0, rows, 1)


def interval(
    value: torch.Tensor, halves: torch.Tensor, n: int, least: float = -1.0, most: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The 95 % interval over rows of a value [m, m], from its values on half-subsamples [s, m, m] of n rows.

    A statistic with variance σ²/n varies over subsamples of b rows, given the n rows, with variance σ²/b · (1 − b/n)
    (Politis & Romano 1994; Shao & Wu 1989). So its standard error is the subsamples' standard deviation, about their
    mean, times sqrt(b/(n−b)), which is 1 at b = n/2. The interval is value ± 1.96 standard errors, clipped to
    [least, most]. A bootstrap of rows would be wrong: a row that is drawn twice is similar to its copy in both
    representations.
    """
    error = halves.std(0) * (n // 2 / (n - n // 2)) ** 0.5
    return (value - 1.96 * error).clamp(least, most), (value + 1.96 * error).clamp(least, most)
