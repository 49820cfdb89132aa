"""Simulated scores with a known truth: how often intervals hold it, and how often a difference is found.

An example's score is a sum of normal parts,

    x[model, seed, language, example] = truth + seed + example + rest,

where the seed's part is shared by all languages of a run, and the example's part by all models and, with correlation ρ,
by all languages (the same sentence is hard in each of them). A run's score is the mean over examples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtbridge.inference.contrasts import Change, mean_over_tasks, of_checkpoints
from mtbridge.inference.intervals import seed_part, seed_variance, statistic
from mtbridge.inference.scores import Scores

TRUTH = 60.0  # the true score of every model in every language, in percent


@dataclass(frozen=True)
class Setting:
    """A study of one task. Standard deviations in percent points."""

    models: int = 9
    seeds: int = 2
    languages: int = 5
    examples: int = 100
    seed_sd: float = 2.0
    unequal: float = 0.0  # the models' seed_sd differ by a lognormal factor with this standard deviation
    example_sd: float = 30.0
    correlation: float = 0.5  # of an example's part in two languages; 0: the rows are not aligned
    rest_sd: float = 30.0
    replicates: int = 200

    def __post_init__(self):
        if not 0 <= self.correlation <= 1:
            raise ValueError(f"correlation: {self.correlation}, expected 0 to 1")


def scored_runs(
    setting: Setting, rng: np.random.Generator, shift: float = 0.0, joint: bool = True
) -> dict[str, Scores]:
    """Model -> scores of its runs; `shift` is added to the truth of model "0".

    joint: whether a replicate draws the same examples in all languages, as it does for a task whose rows are aligned.
    """
    models, seeds, languages = setting.models, setting.seeds, setting.languages
    size = setting.examples
    shared, own = rng.normal(size=(1, size)), rng.normal(size=(languages, size))
    of_example = np.sqrt(setting.correlation) * shared + np.sqrt(1 - setting.correlation) * own  # [language, example]
    sds = setting.seed_sd * np.exp(setting.unequal * rng.normal(size=models))
    of_seed = sds[:, None] * rng.normal(size=(models, seeds))
    scores = TRUTH + setting.example_sd * of_example + of_seed[:, :, None, None]  # [model, seed, language, example]
    scores = scores + setting.rest_sd * rng.normal(size=(models, seeds, languages, size))
    scores[0] += shift
    # [1 or language, replicate, example]: the share of each example in a resample
    draws = rng.multinomial(size, np.full(size, 1 / size), size=(1 if joint else languages, setting.replicates)) / size
    draws = np.broadcast_to(draws, (languages, *draws.shape[1:]))
    replicates = np.einsum("msli,lbi->mslb", scores, draws, optimize=True)
    return {
        str(model): Scores(
            recipe="default",
            model=str(model),
            task="simulated",
            split="test",
            metric="accuracy",
            languages=("en", *(f"l{index}" for index in range(1, languages))),
            seeds=tuple(range(seeds)),
            values=scores[model].mean(axis=-1),
            replicates=replicates[model],
            language_known=np.ones(languages, bool),
            reasons=np.full((seeds, languages), ""),
        )
        for model in range(models)
    }


def coverage(
    setting: Setting, weight: np.ndarray, trials: int, rng: np.random.Generator, joint: bool = True
) -> tuple[float, float]:
    """How often the interval of a score, and of a difference of two models, holds the truth; weight [language]."""
    held = np.zeros(2)
    for runs in _studies(setting, trials, rng, joint=joint):
        found = {key: statistic(run, weight) for key, run in runs.items()}
        seeds = seed_variance(found.values())
        low, high = found["0"].interval(seed_part(seeds, found["0"]), seeds.freedom)
        held[0] += low <= TRUTH * weight.sum() <= high
        low, high = _difference(runs, weight)
        held[1] += low <= 0 <= high
    return held[0] / trials, held[1] / trials


def found(setting: Setting, weight: np.ndarray, shift: float, trials: int, rng: np.random.Generator) -> float:
    """How often a model that is better by `shift` gets an interval above zero against another: the power.

    With shift 0: half the rate of false differences.
    """
    return sum(_difference(runs, weight)[0] > 0 for runs in _studies(setting, trials, rng, shift)) / trials


def coverage_over_tasks(
    settings: Sequence[Setting], weight: np.ndarray, trials: int, rng: np.random.Generator
) -> float:
    """How often the interval of the mean difference over tasks holds the truth, 0; one setting for each task."""
    held = 0
    for _ in range(trials):
        ones = {str(task): _change(scored_runs(setting, rng), weight) for task, setting in enumerate(settings)}
        low, high = mean_over_tasks(ones).interval
        held += low <= 0 <= high
    return held / trials


def _studies(
    setting: Setting, trials: int, rng: np.random.Generator, shift: float = 0.0, joint: bool = True
) -> Iterator[Mapping[str, Scores]]:
    for _ in range(trials):
        yield scored_runs(setting, rng, shift, joint)


def _difference(runs: Mapping[str, Scores], weight: np.ndarray) -> tuple[float, float]:
    """The interval of model "0" minus model "1"."""
    return _change(runs, weight).interval


def _change(runs: Mapping[str, Scores], weight: np.ndarray) -> Change:
    """Model "0" minus model "1"."""
    return of_checkpoints(runs["0"], runs["1"], list(runs.values()), weight)
