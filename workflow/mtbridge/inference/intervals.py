"""Intervals of statistics of scored runs.

A run has values v[s, l] (seed s, language l) and bootstrap replicates r[s, l, b], where replicate b resamples the same
examples for every model and seed. A statistic is a weighted sum over languages, averaged over seeds. Its interval
covers two sources of chance, seeds and examples:

    draw[l] = mean_s r[s, l, b_l] + √(S/(S−1)) · mean_{s ∈ S*} (v[s, l] − mean_s v[s, l])

where b_l is drawn for each language (the same for all seeds and models, so differences between models are paired), and
S* is a resample of the S seeds, the same for all languages, because one fine-tuned model has the scores of all.
Resampling S seeds gives a variance of the mean that is too small by (S−1)/S (Efron & Tibshirani 1993, eq. 5.12 against
5.11), hence the factor. With one seed, only the examples vary.

What this gives up: a third source of chance, another pretraining of the same model, is not in any interval.
"""

import hashlib

import numpy as np

from mtbridge.inference.scores import Scores, weighted_sum

DRAWS = 2000  # at the 2.5 % limits, 50 draws lie outside each


def _generator(*key) -> np.random.Generator:
    """A random generator that depends on the key alone: tables made twice, or apart, agree."""
    return np.random.default_rng(list(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:16]))


def draws(scores: Scores, number_of_draws: int = DRAWS) -> np.ndarray:
    """The draws [draw, language] of the module's equation; draws of two models on one task share their examples."""
    seeds, languages, replicates = scores.replicates.shape
    result = np.empty((number_of_draws, languages))
    examples = scores.replicates.mean(axis=0)  # [language, replicate]
    for index, language in enumerate(scores.languages):
        # The key names no model: two models are drawn on the same examples.
        generator = _generator("examples", scores.task, scores.split, language)
        result[:, index] = examples[index, generator.integers(replicates, size=number_of_draws)]
    if seeds > 1:
        generator = _generator("seeds", scores.recipe, scores.model, scores.task)
        # The key names no language: the resample of seeds is the same for all of them.
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

    All in percent; NaN where a single seed gives no value. The last two are the 95 % prediction interval for one new
    fine-tuning run on the same examples, mean ± t(S−1; .975) · sd · √(1 + 1/S). A published number, which comes from a
    single run, is compared with it.
    """
    per_seed = weighted_sum(scores.values, weight)
    size = len(per_seed)
    low, high = interval(weighted_sum(draws(scores), weight))
    if size > 1:
        from scipy.stats import t

        sd = float(np.std(per_seed, ddof=1))
        half_width = float(t.ppf(0.975, size - 1)) * sd * np.sqrt(1 + 1 / size)
    else:
        sd = half_width = float("nan")
    mean = float(per_seed.mean())
    new_run = {"new_run_low": mean - half_width, "new_run_high": mean + half_width}
    return {"ours": mean, "sd": sd, "low": low, "high": high, **new_run}
