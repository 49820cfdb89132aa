"""Intervals of statistics of scored runs.

A run has values v[s, l] (seed s, language l) and bootstrap replicates r[s, l, b]; replicate b resamples the same
examples for every model and seed, and for every language if the task's rows are aligned. A statistic is a weighted sum
over languages, averaged over seeds: x[s] = Σ_l w[l] v[s, l], and likewise r[b]. Its interval holds two sources of
chance, fine-tuning seeds and test examples:

    mean_s x[s]  ±  t(ν; .975) · √(s² / S + V),     V = variance over b of mean_s r[b]

s² is the variance of x between seeds, pooled over the M models of a task (one recipe, one statistic), because two or
three seeds of one model do not tell it; ν = Σ_m (S_m − 1), which is M (S − 1). t is too wide for V, which is known
better than s²; coverage is .94 to .99 for 2 to 5 seeds, also if the models' spreads differ by a lognormal factor of .5
(`inference.simulate`). If no model has a second seed, ν = 0 and the interval holds test examples alone (the normal
quantile); no verdict may rest on it.

A difference of two models has s² / S of both, and the V of the differences of their replicates: it is paired on
examples. No interval leaves the range of what it is an interval of.

A third source of chance is another pretraining of the same model. Where there are several, they are the units in the
place of seeds (`scores.merge_pretrainings`); where there is one, no interval holds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mtbridge.inference.bootstrap import UNDEFINED, has_width
from mtbridge.inference.degenerate import NO_WIDTH
from mtbridge.inference.scores import Scores, Unit, selection, weighted_sum
from mtbridge.study.outline import FLOOR
from mtbridge.tasks.metrics import RANGES

LEVEL = 0.975  # the upper end of a two-sided 95 % interval
ALL = "all"  # what is left out of a statistic of which nothing counts


@dataclass(frozen=True)
class Statistic:
    """A statistic of one model on one task, or a difference of two, in percent.

    reasons: why scores of it are degenerate, see `inference.degenerate`. left_out: the languages and seeds that are
    therefore left out, as text; `ALL` if nothing is left, and then there is a value to show but no interval.
    """

    value: float
    per_seed: np.ndarray  # [seed], of the seeds that count
    replicates: np.ndarray  # [replicate], their mean
    limits: tuple[float, float]
    reasons: tuple[str, ...] = ()
    left_out: str = ""

    @property
    def counts(self) -> bool:
        """Does it count in means, differences and verdicts?"""
        return self.left_out != ALL and not np.isnan(self.value)

    @property
    def variance_of_examples(self) -> float:
        """V of the module's equation; NaN where nothing counts, or too few replicates have a value."""
        if not self.counts or np.isnan(self.replicates).mean() > UNDEFINED:
            return float("nan")
        return float(np.nanvar(self.replicates, ddof=1))

    def interval(self, variance_of_seeds: float, freedom: float) -> tuple[float, float]:
        """The interval of the module's equation; NaN where there is none, or the examples' part has no width."""
        variance = self.variance_of_examples + variance_of_seeds if has_width(self.replicates) else float("nan")
        return interval(self.value, variance, freedom, self.limits)


class SeedVariance(NamedTuple):
    """The variance between seeds, pooled over models, and its degrees of freedom; NaN and 0 if no model has two."""

    variance: float
    freedom: int


def statistic(scores: Scores, weight: np.ndarray, beside: Scores | None = None) -> Statistic:
    """A statistic of one model; weight [language].

    Languages of which no seed counts are left out, then seeds of which one of the other languages does not count.
    beside: a model that it is compared with; languages that do not count there are left out too.
    """
    limits = limits_of(scores.metric, weight)
    chosen = selection(scores, weight, beside)
    reasons = tuple(sorted({why for why in scores.reasons[:, weight != 0].ravel() if why not in ("", NO_WIDTH)}))
    if chosen is None:
        per_seed = weighted_sum(scores.values, weight)
        value = float(np.nanmean(per_seed)) if np.isfinite(per_seed).any() else float("nan")
        return Statistic(value, per_seed, np.full(scores.replicates.shape[-1], np.nan), limits, reasons, ALL)
    weight, seeds, left_out = chosen
    per_seed = weighted_sum(scores.values[seeds], weight)
    # [seed, language, replicate] -> [replicate]
    replicates = weighted_sum(scores.replicates[seeds].mean(axis=0).T, weight)
    found = Statistic(float(per_seed.mean()), per_seed, replicates, limits, reasons, left_out)
    # The baseline is one answer to everything, so that its gap has no width is no fault.
    if scores.model != FLOOR and found.counts and np.isfinite(replicates).any() and not has_width(replicates):
        return Statistic(found.value, per_seed, replicates, limits, (*reasons, NO_WIDTH), left_out)
    return found


def difference(one: Statistic, other: Statistic) -> Statistic:
    """one − other, paired on examples. It has no seeds of its own: see `seed_part`."""
    left_out = ALL if ALL in (one.left_out, other.left_out) else _joined(one.left_out, other.left_out)
    replicates = one.replicates - other.replicates
    reasons = {why for why in (*one.reasons, *other.reasons) if why != NO_WIDTH}
    if left_out != ALL and np.isfinite(replicates).any() and not has_width(replicates):
        reasons.add(NO_WIDTH)
    (low, high), (other_low, other_high) = one.limits, other.limits
    limits = low - other_high, high - other_low
    return Statistic(
        one.value - other.value, np.empty(0), replicates, limits, tuple(sorted(reasons)), left_out
    )  # fmt: skip


def _joined(*texts: str) -> str:
    """Texts of what is left out as one, without repetition."""
    parts = dict.fromkeys(part for text in texts for part in text.split(", ") if part)
    return ", ".join(parts)


def seed_variance(statistics: Iterable[Statistic]) -> SeedVariance:
    """Variance between seeds, pooled over models: Σ_m Σ_s (x[m, s] − mean_s x[m, s])² / Σ_m (S_m − 1)."""
    runs = [found.per_seed for found in statistics if found.counts]
    freedom = sum(len(per_seed) - 1 for per_seed in runs)
    if freedom <= 0:
        return SeedVariance(float("nan"), 0)
    return SeedVariance(float(sum(np.square(per_seed - per_seed.mean()).sum() for per_seed in runs)) / freedom, freedom)


def seed_part(seeds: SeedVariance, *statistics: Statistic) -> float:
    """The variance of a mean over seeds, or of a difference of such means: Σ s² / S; 0 if s² is not known."""
    if seeds.freedom == 0:
        return 0.0
    return sum(seeds.variance / len(found.per_seed) for found in statistics)


def interval(
    value: float, variance: float, freedom: float, limits: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """value ± t(freedom; .975) · √variance, inside the limits; freedom 0: the normal quantile. NaN without variance."""
    if np.isnan(variance) or np.isnan(value):
        return float("nan"), float("nan")
    half_width = quantile(freedom) * np.sqrt(variance)
    low, high = limits
    return float(max(value - half_width, low)), float(min(value + half_width, high))


def quantile(freedom: float) -> float:
    """The quantile t(freedom; .975), or that of the normal distribution for freedom 0."""
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(freedom, LEVEL) if freedom else ndtri(LEVEL))


def limits_of(metric: str, weight: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest value of a weighted sum of a metric over languages, weight [language]."""
    low, high = RANGES[metric]
    positive, negative = weight[weight > 0].sum(), weight[weight < 0].sum()
    return float(positive * low + negative * high), float(positive * high + negative * low)


def summary(found: Statistic, seeds: SeedVariance, unit: Unit = "seed") -> dict[str, float | int | str]:
    """ours, sd (over this model's units), low, high, df, new_run_low, new_run_high, degenerate, left_out.

    Numbers in percent; NaN where there is none. df: degrees of freedom of the units' part, 0: the interval holds test
    examples alone. new_run_*: the 95 % prediction interval for one new fine-tuning run on the same examples, mean ±
    t(S−1; .975) · sd · √(1 + 1/S), of this model's own seeds; NaN where units are pretrainings. A published number,
    which comes from a single run, is compared with it.
    """
    low, high = found.interval(seed_part(seeds, found), seeds.freedom)
    size = len(found.per_seed)
    sd = float(np.std(found.per_seed, ddof=1)) if size > 1 and found.counts else float("nan")
    new_run = float("nan"), float("nan")
    if size > 1 and unit == "seed":
        new_run = interval(found.value, sd**2 * (1 + 1 / size), size - 1, found.limits)
    return {
        "ours": found.value,
        "sd": sd,
        "low": low,
        "high": high,
        "df": seeds.freedom,
        "new_run_low": new_run[0],
        "new_run_high": new_run[1],
        "degenerate": ", ".join(found.reasons),
        "left_out": found.left_out,
    }
