"""Intervals of statistics of scored runs.

A run has values v[s, l] (seed s, language l) and bootstrap replicates r[s, l, b], where replicate b resamples the same
examples for every model and seed. A statistic is a weighted sum over languages, averaged over seeds. Its interval holds
two sources of chance:

    draw[l] = mean_s r[s, l, b_l] + √(S/(S−1)) · mean_{s ∈ S*} (v[s, l] − mean_s v[s, l])

with b_l drawn per language (shared by seeds and models, so differences between models are paired) and S* a resample of
the S seeds, one for all languages, because one fine-tuned model scores them all. Resampling S seeds gives a variance of
the mean that is too small by (S−1)/S (Efron & Tibshirani 1993, eq. 5.12 against 5.11), hence the factor. With one
seed only the examples vary.

What this gives up: a third source, another pretraining of the same model, is not in any interval.
"""

import hashlib

import numpy as np

from mtbridge.inference.scores import Scores, weighted_sum

DRAWS = 2000


def _generator(*key) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:16]))


def draws(scores: Scores, number_of_draws: int = DRAWS) -> np.ndarray:
    """The draws [draw, language] of the module's equation; draws of two models on one task share their examples."""
    seeds, languages, replicates = scores.replicates.shape
    result = np.empty((number_of_draws, languages))
    examples = scores.replicates.mean(axis=0)  # [language, replicate]
    for index, language in enumerate(scores.languages):
        # The key names no model: two models are drawn on the same examples.
        chosen = _generator("examples", scores.task, scores.split, language).integers(replicates, size=number_of_draws)
        result[:, index] = examples[index, chosen]
    if seeds > 1:
        generator = _generator("seeds", scores.recipe, scores.model, scores.task)
        resample = generator.integers(seeds, size=(number_of_draws, seeds))
        deviations = scores.values - scores.values.mean(axis=0)
        result += np.sqrt(seeds / (seeds - 1)) * deviations[resample].mean(axis=1)
    return result


def interval(sample: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of draws; NaN where any is missing."""
    if np.isnan(sample).any():
        return float("nan"), float("nan")
    low, high = np.percentile(sample, [2.5, 97.5])
    return float(low), float(high)


def summary(scores: Scores, weight: np.ndarray) -> dict[str, float]:
    """ours, sd (over seeds), low, high of one statistic, and new_run_low, new_run_high.

    The last two are the 95 % prediction interval for one new fine-tuning run scored on the same examples,
    mean ± t(S−1) · sd · √(1 + 1/S): what a published number from a single run is compared with.
    """
    per_seed = weighted_sum(scores.values, weight)
    size = len(per_seed)
    low, high = interval(weighted_sum(draws(scores), weight))
    if size > 1:
        from scipy.stats import t

        sd = float(np.std(per_seed, ddof=1))
        half = float(t.ppf(0.975, size - 1)) * sd * np.sqrt(1 + 1 / size)
    else:
        sd = half = float("nan")
    mean = float(per_seed.mean())
    return {"ours": mean, "sd": sd, "low": low, "high": high, "new_run_low": mean - half, "new_run_high": mean + half}
