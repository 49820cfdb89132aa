"""What an interval holds: examples and seeds, and how two models share them."""

import numpy as np
import pytest

from mtbridge.inference.intervals import draws, summary
from mtbridge.inference.scores import Scores


def run_of(values, replicates=None, seeds=None, model="a"):
    values = np.asarray(values, float)
    replicates = np.repeat(values[:, :, None], 1000, axis=2) if replicates is None else replicates
    languages = tuple(f"l{i}" for i in range(values.shape[1]))
    known = np.ones(values.shape[1], bool)
    return Scores(
        "default", model, "nc", "test", "accuracy", languages, tuple(range(len(values))), values, replicates, known
    )


def test_seed_part_has_the_variance_of_a_mean_of_seeds():
    values = np.random.default_rng(0).normal(size=(5, 1))
    sample = draws(run_of(values), 40_000)[:, 0]
    assert sample.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.04)
    assert sample.mean() == pytest.approx(values.mean(), abs=0.02)


def test_example_part_has_the_variance_of_the_replicates_of_the_seed_mean():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(1, 2, 1000))  # the same resample moves both seeds alike: no averaging out
    replicates = np.repeat(shared, 2, axis=0) + 50
    sample = draws(run_of([[50, 50], [50, 50]], replicates), 40_000)
    np.testing.assert_allclose(sample.var(axis=0), shared[0].var(axis=1), rtol=0.05)
    assert abs(np.corrcoef(sample.T)[0, 1]) < 0.05  # languages have independent examples
    assert sample.mean(axis=1).var() == pytest.approx(shared[0].var(axis=1).sum() / 4, rel=0.05)


def test_seeds_are_shared_by_languages():
    """A seed that is good in one language is good in all: averaging over languages must not narrow the interval."""
    values = np.repeat([[60.0], [70.0], [65.0]], 4, axis=1)
    sample = draws(run_of(values))
    np.testing.assert_allclose(sample.mean(axis=1), sample[:, 0])


def test_more_spread_between_seeds_widens_the_interval():
    narrow, wide = (
        run_of(np.array([[60.0], [61.0], [62.0]]) * [[1]] + s * np.array([[-1.0], [0], [1]])) for s in (0, 3)
    )
    weight = np.ones(1)
    widths = [summary(run, weight)["high"] - summary(run, weight)["low"] for run in (narrow, wide)]
    assert widths[1] == pytest.approx(4 * widths[0])


def test_draws_of_two_models_share_examples_and_not_seeds():
    rng = np.random.default_rng(2)
    replicates = 50 + rng.normal(size=(1, 1, 1000))
    one, other = (run_of([[50.0]], replicates, model=name) for name in "ab")
    np.testing.assert_array_equal(draws(one), draws(other))
    one, other = (run_of(rng.normal(size=(5, 1)), model=name) for name in "ab")
    assert abs(np.corrcoef(draws(one)[:, 0], draws(other)[:, 0])[0, 1]) < 0.1
