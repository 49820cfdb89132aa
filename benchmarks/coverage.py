"""How often each kind of interval that tables, figures and page show holds the truth, in simulated studies.

Run it: `python -m benchmarks.coverage > docs/coverage.md`; `docs/verdicts.md` has the intervals of verdicts.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

from mtbridge.base.progress import Progress
from mtbridge.inference import simulate
from mtbridge.inference.intervals import seed_variance, statistic, summary
from mtbridge.inference.separability import _slope, over_pretrainings
from mtbridge.representations.cka import similarities
from mtbridge.representations.measures import procrustes_similarities
from mtbridge.representations.separability import shares
from mtbridge.representations.subsamples import half_subsamples

TRIALS = 1000
ZERO_SHOT = np.array([0, 0.25, 0.25, 0.25, 0.25])
GAP = np.array([1, -0.25, -0.25, -0.25, -0.25])
HEAD = """\
# How often intervals hold the truth

Simulated studies with a known truth, {trials:,} for each line (Procrustes: {few:,}). A 95 % interval should hold it in
.93 to .97 of them; one that holds it more often is wider than it must be. What an interval is meant to hold is in the
second column. [verdicts.md](verdicts.md) has the intervals of contrasts over pretrainings, and how often verdicts are
right. `benchmarks/coverage.py` makes this page.

| interval | holds | simulated | coverage |
|---|---|---|---|
"""
TAIL = """
From two pretrainings there is one degree of freedom, and the part of the texts or examples is added to a variance that
holds some of it: these intervals are right, and wider than they must be. Intervals of one seed hold examples alone, and
are no ground for a verdict; those of one pretraining hold texts or seeds alone, and say so. Procrustes' are too narrow
where a dimension is more than a tenth of the texts: read that measure beside its null.
"""


def scores() -> Iterator[tuple[str, str, str, Callable]]:
    """Tables 1 and 4, differences between checkpoints, and the prediction of a new run."""
    for seeds in (2, 3, 5):
        for name, weight in (("zero-shot", ZERO_SHOT), ("gap", GAP)):
            for unequal in (0.0, 0.5):
                setting = simulate.Setting(seeds=seeds, unequal=unequal, examples=60, replicates=100)
                what = f"{seeds} seeds, 9 models" + (", whose seeds vary unequally" if unequal else "")
                yield f"score, {name}", "seeds, examples", what, _score(setting, weight)
                yield f"difference of checkpoints, {name}", "seeds, examples", what, _difference(setting, weight)
    for seeds in (2, 3, 5):
        setting = simulate.Setting(seeds=seeds + 1, examples=60, replicates=20)
        yield "prediction of a new run", "seeds of this model", f"{seeds} seeds", _new_run(setting)
    setting = simulate.Setting(seeds=1, seed_sd=0.0, examples=60, replicates=200)
    yield "score, one seed", "examples alone", "no variance of seeds", _score(setting, ZERO_SHOT)


def _score(setting: simulate.Setting, weight: np.ndarray) -> Callable:
    return lambda rng: simulate.coverage(setting, weight, 1, rng)[0] == 1


def _difference(setting: simulate.Setting, weight: np.ndarray) -> Callable:
    return lambda rng: simulate.coverage(setting, weight, 1, rng)[1] == 1


def _new_run(setting: simulate.Setting) -> Callable:
    """Whether the last seed of a model lies in the interval that the others predict; the examples are the same."""

    def once(rng: np.random.Generator) -> bool:
        run = simulate.scored_runs(replace(setting, models=1), rng)["0"]
        known = replace(run, values=run.values[:-1], replicates=run.replicates[:-1], reasons=run.reasons[:-1],
                        seeds=run.seeds[:-1])  # fmt: skip
        found = statistic(known, ZERO_SHOT)
        row = summary(found, seed_variance([found]))
        return float(row["new_run_low"]) <= run.values[-1] @ ZERO_SHOT <= float(row["new_run_high"])

    return once


# ---- Hidden states: rows are a sample of texts -----------------------------------------------------------------------

DIM, LARGE = 16, 20_000


def _states(n: int, draw: torch.Generator, shared: float = 1.0) -> list[torch.Tensor]:
    """States of two sides that share a part: [n, dim] each."""
    common = torch.randn(n, DIM, generator=draw, dtype=torch.float64)
    mix = torch.linspace(0.3, 1.5, DIM, dtype=torch.float64)  # dimensions of unequal size
    return [mix * (shared * common + torch.randn(n, DIM, generator=draw, dtype=torch.float64)) for _ in range(2)]


def _layout(n: int, draw: torch.Generator) -> torch.Tensor:
    """[language, n, dim] with fixed offsets of languages; sentences are drawn."""
    fixed = torch.Generator().manual_seed(5)
    offset = 0.5 * torch.randn(3, 1, DIM, generator=fixed, dtype=torch.float64)
    sentence = torch.randn(1, n, DIM, generator=draw, dtype=torch.float64)
    return offset + sentence + 0.7 * torch.randn(3, n, DIM, generator=draw, dtype=torch.float64)


def _masks(n: int) -> torch.Tensor:
    return torch.cat([torch.ones(n, 1, dtype=torch.float64), half_subsamples(n)], dim=1)


def hidden_states() -> Iterator[tuple[str, str, str, Callable]]:
    """CKA, Procrustes and separability over texts."""
    large = torch.Generator().manual_seed(1)
    truth = float(similarities(_states(LARGE // 10, large), subsamples=2)["debiased"].value[0, 1])
    apart = shares(_layout(LARGE, large), torch.ones(LARGE, 2, dtype=torch.float64))
    # What a biased estimator's interval is of: its own mean at this number of texts.
    expected = np.mean([float(procrustes_similarities(_states(100, large))["biased"].value[0, 1]) for _ in range(200)])

    def cka(rng: np.random.Generator) -> bool:
        found = similarities(_states(200, _draw(rng)))["debiased"]
        return bool(found.low[0, 1] <= truth <= found.high[0, 1])

    def procrustes(rng: np.random.Generator) -> bool:
        found = procrustes_similarities(_states(100, _draw(rng)))["biased"]
        return bool(found.low[0, 1] <= expected <= found.high[0, 1])

    yield "CKA, debiased", "texts", "200 texts", cka
    yield "Procrustes", "texts", "100 texts; of its own mean, since it is biased", procrustes
    for name in ("language_share", "sentence_share", "fisher_ratio"):

        def separability(rng: np.random.Generator, name=name) -> bool:
            found = shares(_layout(200, _draw(rng)), _masks(200))[name]
            return found.low <= apart[name].value <= found.high

        yield f"separability, {name.replace('_', ' ')}", "texts", "200 texts", separability


def _draw(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**31)))


def pretrainings() -> Iterator[tuple[str, str, str, Callable]]:
    """Separability and similarity over pretrainings, and slopes of transfer over them."""
    for count in (2, 3, 5):
        for between, within in ((0.05, 0.01), (0.01, 0.02)):

            def measure(rng: np.random.Generator, count=count, between=between, within=within) -> bool:
                # Texts are the same for all pretrainings, so their part is shared and must be in the halves.
                values = 0.3 + between * rng.normal(size=count) + within * rng.normal()
                halves = values[:, None] + within * rng.normal(size=(1, 100))
                _, low, high, *_ = over_pretrainings(values, halves, (-1.0, 1.0))
                return low <= 0.3 <= high

            what = f"{count} pretrainings, standard deviations {between:g} between them, {within:g} over texts"
            yield "separability or CKA, and differences", "pretrainings, texts", what, measure

        def slope(rng: np.random.Generator, count=count) -> bool:
            each = 30 + 10 * rng.normal(size=count)  # the slope of a pretraining
            x = 0.1 + 0.03 * rng.normal(size=(count, 3))
            y = each[:, None] * x + 0.5 * rng.normal(size=x.shape)
            points = [(str(m), r, x[r, m], y[r, m]) for r in range(count) for m in range(3)]
            _, low, high, *_ = _slope(points)
            return low <= 30 <= high

        yield "slope of transfer over separability", "pretrainings", f"{count} pretrainings, 3 models", slope


def main() -> None:
    """Print the page."""
    torch.set_num_threads(1)
    lines = [*scores(), *hidden_states(), *pretrainings()]
    print(HEAD.format(trials=TRIALS, few=TRIALS // 5), end="")
    progress = Progress("intervals", len(lines))
    for done, (name, holds, what, once) in enumerate(lines, 1):
        rng, trials = np.random.default_rng(done), TRIALS // 5 if name == "Procrustes" else TRIALS
        covered = sum(bool(once(rng)) for _ in range(trials)) / trials
        print(f"| {name} | {holds} | {what} | {covered:.3f} |", flush=True)
        progress(done)
    print(TAIL, end="")


if __name__ == "__main__":
    sys.exit(main())
