"""Simulated studies with several pretrainings: how often a verdict is wrong, and how often an effect is found.

A pretraining of an arm moves the true score on every task, a fine-tuning seed moves that of one run, and examples are
drawn: with Δ the true difference of the arms,

    score[arm, pretraining, task, seed, language, example]
        = truth + Δ · [arm 0] + base[pretraining] + arm's own [pretraining] + its task part + seed + example + rest

base[pretraining] is shared by the two arms, which continue the same pretraining; so pairing removes it. Standard
deviations are in percent points.

Run it: `python -m mtbridge.inference.simulate_pretrainings > docs/verdicts.md`
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mtbridge.base.progress import Progress
from mtbridge.inference.contrasts import Change, mean_over_tasks, of_pretrainings, paired
from mtbridge.inference.scores import Scores
from mtbridge.inference.verdicts import ALPHA, holm, tests


@dataclass(frozen=True)
class Arms:
    """A study of two arms."""

    pretrainings: int = 3
    seeds: int = 1
    tasks: int = 3
    languages: int = 4
    examples: int = 100
    base_sd: float = 3.0
    arm_sd: float = 1.5  # of a pretraining's own part, on all tasks alike
    task_sd: float = 1.0  # of its part on each task
    seed_sd: float = 1.0
    example_sd: float = 30.0
    replicates: int = 200


VARIANTS = {
    "pretrainings vary little": Arms(base_sd=1.0, arm_sd=0.3, task_sd=0.3),
    "pretrainings vary": Arms(),
    "pretrainings vary much": Arms(base_sd=6.0, arm_sd=4.0, task_sd=3.0),
    "pretrainings do not vary": Arms(base_sd=0.0, arm_sd=0.0, task_sd=0.0, seed_sd=0.5),
    "seeds vary much, two of them": Arms(arm_sd=0.5, task_sd=0.5, seed_sd=4.0, seeds=2),
}


def contrast(arms: Arms, rng: np.random.Generator, shift: float = 0.0) -> Change:
    """The zero-shot contrast of two arms in one simulated study; the truth is `shift`."""
    weight = np.full(arms.languages, 1 / arms.languages)
    base = arms.base_sd * rng.normal(size=arms.pretrainings)
    own = arms.arm_sd * rng.normal(size=(2, arms.pretrainings))
    found = {}
    for task in range(arms.tasks):
        draws = rng.multinomial(arms.examples, np.full(arms.examples, 1 / arms.examples), size=arms.replicates)
        difficulty = arms.example_sd * rng.normal(size=arms.examples)
        sides: list[list[Scores]] = []
        for arm in (0, 1):
            level = 50 + base + own[arm] + arms.task_sd * rng.normal(size=arms.pretrainings) + shift * (arm == 0)
            sides.append([_scores(arms, rng, mean, difficulty, draws / arms.examples) for mean in level])
        pairs = zip(*sides, strict=True)
        found[str(task)] = of_pretrainings([paired(one, other, weight) for one, other in pairs])
    return mean_over_tasks(found)


def _scores(arms: Arms, rng, level: float, difficulty: np.ndarray, draws: np.ndarray) -> Scores:
    """The scores of one pretraining on one task; draws [replicate, example]."""
    shape = (arms.seeds, arms.languages, arms.examples)
    scores = level + difficulty + arms.example_sd * rng.normal(size=shape)
    scores = scores + arms.seed_sd * rng.normal(size=(arms.seeds, 1, 1))
    return Scores(
        recipe="default",
        model="simulated",
        task="simulated",
        split="test",
        metric="accuracy",
        languages=tuple(f"l{index}" for index in range(arms.languages)),
        seeds=tuple(range(arms.seeds)),
        values=scores.mean(axis=-1),
        replicates=scores @ draws.T,
        language_known=np.ones(arms.languages, bool),
        reasons=np.full((arms.seeds, arms.languages), ""),
    )


@dataclass(frozen=True)
class Rates:
    """Shares of simulated studies: the interval holds the truth, p < .05, equivalent; and the mean half-width."""

    covered: float
    found: float
    equivalent: float
    half_width: float


def rates(arms: Arms, trials: int, rng: np.random.Generator, shift: float = 0.0, margin: float = 1.0) -> Rates:
    """The rates of a variant over `trials` studies."""
    counts = np.zeros(4)
    for one in _studies(arms, trials, rng, shift):
        (low, high), results = one.interval, tests(one, margin)
        equivalent = results["p"] >= ALPHA and results["p_equivalence"] < ALPHA
        counts += low <= shift <= high, results["p"] < ALPHA, equivalent, (high - low) / 2
    return Rates(*(counts / trials))


def family_wise(arms: Arms, family: int, trials: int, rng: np.random.Generator) -> float:
    """How often a study of `family` contrasts without any effect has at least one verdict after Holm's correction."""
    wrong = 0
    for _ in range(trials):
        p = [tests(contrast(arms, rng), 1.0)["p"] for _ in range(family)]
        wrong += bool((holm(p) < ALPHA).any())
    return wrong / trials


def _studies(arms: Arms, trials: int, rng: np.random.Generator, shift: float) -> Iterator[Change]:
    for _ in range(trials):
        yield contrast(arms, rng, shift)


HEAD = """\
# How often verdicts are right

Simulated studies of two arms, {trials:,} for each line: how often a verdict is found where nothing differs (.05 or less
is right), how often the 95 % interval holds the truth (more than .95: it is wider than it must be), and how often an
effect of 2 points is found. P is the number of pretrainings of each arm. The equations are those of
`mtbridge.inference.contrasts`, of tasks above the floor; `mtbridge.inference.simulate_pretrainings` has the variants,
and makes this page.

| variant | P | false verdicts | coverage | half-width, points | 2 points found |
|---|---|---|---|---|---|
"""
FAMILY = """
Families of six primary contrasts (three objectives, zero-shot and gap) without any effect, P = 3: at least one verdict
after Holm's correction in {rate:.3f} of {trials:,} studies.

The interval adds V, the examples' part, to the variance over pretrainings, which holds some of it already: so it never
misses what pretrainings cannot show, and is too wide where examples dominate. From two pretrainings there is one degree
of freedom: right, and so wide that little is found. Pretrainings help more than seeds, which narrow their part alone.
"""


def page(trials: int = 2000, seed: int = 0) -> str:
    """The page docs/verdicts.md."""
    rng = np.random.default_rng(seed)
    lines = []
    progress = Progress("simulated", len(VARIANTS) * 3)
    for number, (name, variant) in enumerate(VARIANTS.items()):
        for place, pretrainings in enumerate((2, 3, 5)):
            arms = replace(variant, pretrainings=pretrainings)
            null, effect = rates(arms, trials, rng), rates(arms, trials // 4, rng, shift=2.0)
            numbers = f"{null.found:.3f} | {null.covered:.3f} | {null.half_width:.1f} | {effect.found:.2f}"
            lines.append(f"| {name} | {pretrainings} | {numbers} |")
            progress(3 * number + place + 1)
    rate = family_wise(Arms(), 6, trials // 4, rng)
    return HEAD.format(trials=trials) + "\n".join(lines) + "\n" + FAMILY.format(rate=rate, trials=trials // 4)


if __name__ == "__main__":
    sys.stdout.write(page())
