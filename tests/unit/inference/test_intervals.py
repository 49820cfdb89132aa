"""What an interval holds: examples and seeds, in closed form and as often as it claims."""

from dataclasses import replace

import numpy as np
import pytest

from mtbridge.inference.intervals import difference, interval, limits_of, seed_part, seed_variance, statistic, summary
from mtbridge.inference.scores import Scores
from mtbridge.inference.simulate import Setting, coverage, coverage_over_tasks, found, scored_runs

ONE = np.ones(1)
MEAN = np.ones(5) / 5
GAP = np.array([1, -0.25, -0.25, -0.25, -0.25])


def run_of(values, spread=1.0, replicates=None, reasons=None, seed=0):
    """Scores [seed, language] of one model; by default its replicates scatter by `spread`, alike for all seeds."""
    values = np.asarray(values, float)
    if replicates is None:
        noise = np.random.default_rng(seed).normal(size=(1, values.shape[1], 4000))
        replicates = values[:, :, None] + spread * noise
    languages = tuple(f"l{i}" for i in range(values.shape[1]))
    known = np.ones(values.shape[1], bool)
    why = np.full(values.shape, "", dtype="U20") if reasons is None else np.array(reasons)
    seeds = tuple(range(len(values)))
    return Scores("r", "m", "nc", "test", "accuracy", languages, seeds, values, replicates, known, why)


def width(low_high):
    return low_high[1] - low_high[0]


def test_an_interval_adds_the_seeds_variance_and_the_examples():
    one = statistic(run_of([[60.0], [62.0], [64.0]]), ONE)
    seeds = seed_variance([one])
    assert seeds == (4.0, 2)
    low, high = one.interval(seed_part(seeds, one), seeds.freedom)
    # t(2; .975) = 4.3027
    assert (high - low) / 2 == pytest.approx(4.3027 * np.sqrt(4 / 3 + 1), rel=0.02)
    assert (low + high) / 2 == pytest.approx(62)


def test_the_seeds_variance_is_pooled_over_models():
    runs = [statistic(run_of([[60.0], [60.0 + apart]]), ONE) for apart in (0.0, 2.0, 4.0)]
    assert seed_variance(runs) == (pytest.approx((0 + 2 + 8) / 3), 3)
    # A model with one seed has no spread of its own, and an interval all the same.
    once = statistic(run_of([[70.0]]), ONE)
    assert seed_variance([*runs, once]) == seed_variance(runs)
    row = summary(once, seed_variance([*runs, once]))
    assert row["df"] == 3 and np.isnan(row["sd"])
    assert row["high"] - 70 == pytest.approx(3.1824 * np.sqrt(10 / 3 + 1), rel=0.02)


def test_with_one_seed_the_interval_holds_examples_alone():
    one = statistic(run_of([[60.0]]), ONE)
    row = summary(one, seed_variance([one]))
    assert row["df"] == 0 and row["high"] - 60 == pytest.approx(1.96, rel=0.03)


def test_a_difference_is_paired_on_examples():
    one, other = run_of([[60.0], [61.0]]), run_of([[50.0], [51.0]])
    sides = statistic(one, ONE), statistic(other, ONE)
    assert difference(*sides).variance_of_examples == pytest.approx(0, abs=1e-9)
    apart = statistic(run_of([[50.0], [51.0]], seed=1), ONE)
    assert difference(sides[0], apart).variance_of_examples == pytest.approx(2, rel=0.05)


def test_seeds_are_shared_by_languages():
    """A seed that is good in one language is good in all: averaging over languages must not narrow the interval."""
    values = np.repeat([[60.0], [70.0], [65.0]], 4, axis=1)
    one, four = statistic(run_of(values[:, :1]), ONE), statistic(run_of(values), np.ones(4) / 4)
    assert seed_variance([one]) == seed_variance([four])


@pytest.mark.parametrize("value", [99.5, 0.5])
def test_no_interval_leaves_the_range_of_its_metric(value):
    one = statistic(run_of([[value], [value]], spread=3.0), ONE)
    low, high = one.interval(9.0, 1)
    assert 0 <= low < value < high <= 100
    assert width(difference(one, one).limits) == 200


def test_limits_follow_the_weights():
    assert limits_of("accuracy", MEAN) == pytest.approx((0, 100))
    assert limits_of("accuracy", GAP) == pytest.approx((-100, 100))
    assert limits_of("pearson", ONE) == (-100, 100)
    assert interval(99.0, 4.0, 0, (0, 100))[1] == 100


def test_a_score_without_width_has_no_interval():
    perfect = statistic(run_of([[100.0], [100.0]], spread=0.0), ONE)
    row = summary(perfect, seed_variance([perfect, statistic(run_of([[60.0], [62.0]]), ONE)]))
    assert row["ours"] == 100 and np.isnan(row["low"]) and row["degenerate"] == "no width" and row["left_out"] == ""
    # In a mean with others it counts: without it the mean would be too low.
    both = statistic(run_of([[100.0, 50.0]], replicates=np.stack([np.full((1, 99), 100.0), [np.arange(99.0)]], 1)),
                     np.ones(2) / 2)  # fmt: skip
    assert both.value == 75 and both.reasons == () and both.variance_of_examples > 0


def test_replicates_without_a_value_are_left_out_if_they_are_few():
    replicates = 60 + np.random.default_rng(0).normal(size=(1, 1, 1000))
    few, many = replicates.copy(), replicates.copy()
    few[..., :20], many[..., :200] = np.nan, np.nan
    assert statistic(run_of([[60.0]], replicates=few), ONE).variance_of_examples == pytest.approx(1, rel=0.1)
    assert np.isnan(statistic(run_of([[60.0]], replicates=many), ONE).variance_of_examples)


def test_degenerate_scores_leave_the_mean_first_by_language_then_by_seed():
    values = [[90.0, 50.0, 70.0], [80.0, 50.0, 33.0]]
    reasons = [["", "constant answer", ""], ["", "constant answer", "constant answer"]]
    run = run_of(values, reasons=reasons)
    mean = statistic(run, np.ones(3) / 3)
    assert mean.value == pytest.approx((90 + 70) / 2) and mean.left_out == "l1, seed 1"
    gap = statistic(run, np.array([1, -0.5, -0.5]))
    assert gap.value == pytest.approx(90 - 70) and gap.left_out == "l1, seed 1"
    nothing = statistic(run, np.array([0, 1.0, 0]))
    assert (nothing.value, nothing.left_out, nothing.counts) == (50, "all", False)
    # A gap without one of its sides is none, and a protocol may count what the sound one leaves out.
    assert not statistic(run, np.array([1, -1.0, 0])).counts
    assert statistic(replace(run, leaves_out=False), np.ones(3) / 3).value == pytest.approx(np.mean(values))


# ---- As often as they claim ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("other", [{}, {"unequal": 0.5}, {"seed_sd": 6.0}])
@pytest.mark.slow
def test_intervals_hold_the_truth(seeds, other):
    setting = Setting(seeds=seeds, **other)
    of_score, of_difference = coverage(setting, MEAN, 200, np.random.default_rng(1))
    assert of_score >= 0.91 and of_difference >= 0.91
    gap, of_gaps = coverage(setting, GAP, 100, np.random.default_rng(2))
    assert gap >= 0.93 and of_gaps >= 0.93


def test_aligned_rows_must_be_drawn_together():
    """Fifteen languages of the same sentences: drawn apart, examples seem to average out over languages."""
    setting = Setting(languages=15, seed_sd=0.2, seeds=3, examples=60, replicates=100)
    weight = np.ones(15) / 15
    together, _ = coverage(setting, weight, 100, np.random.default_rng(3))
    apart, _ = coverage(setting, weight, 100, np.random.default_rng(3), joint=False)
    assert together > 0.92 and apart < 0.65

    # Of a gap the shared part falls out, so drawing apart makes its interval too wide.
    def gap_variance(joint):
        runs = scored_runs(Setting(seed_sd=0.0, correlation=1.0), np.random.default_rng(4), joint=joint)
        return statistic(runs["0"], GAP).variance_of_examples

    assert gap_variance(True) < 0.6 * gap_variance(False)


def test_rows_that_are_not_aligned_lose_nothing_by_being_drawn_together():
    """So `aligned` is safe where it is not true: rows of one number in two languages are then unrelated."""
    setting = Setting(correlation=0.0, seed_sd=0.0)
    variances = [
        np.mean([statistic(scored_runs(setting, rng, joint=joint)["0"], MEAN).variance_of_examples for _ in range(20)])
        for joint, rng in ((joint, np.random.default_rng(5)) for joint in (True, False))
    ]
    assert variances[0] == pytest.approx(variances[1], rel=0.1)


@pytest.mark.parametrize(
    "others",
    [
        [Setting(seed_sd=0.5, models=3)] * 3,
        # The spread between the seeds of two models is hardly known.
        [Setting(seed_sd=1.0, models=2), Setting(seed_sd=4.0, models=5)],
    ],
)
def test_means_over_tasks_hold_the_truth(others):
    held = coverage_over_tasks([Setting(), *others], MEAN, 150, np.random.default_rng(8))
    assert held >= 0.91


@pytest.mark.parametrize("seeds", [2, 5])
def test_equal_models_differ_as_seldom_as_the_level_says(seeds):
    assert found(Setting(seeds=seeds, unequal=0.5), MEAN, 0.0, 300, np.random.default_rng(6)) <= 0.05


def test_power_grows_with_seeds_and_with_the_difference():
    rng = np.random.default_rng(7)
    few, more = (found(Setting(seeds=seeds), MEAN, 6.0, 60, rng) for seeds in (2, 5))
    assert few < more and found(Setting(seeds=5), MEAN, 20.0, 20, rng) == 1
