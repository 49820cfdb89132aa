"""Differences of models: paired on examples, independent over tasks, and only of scores that say something."""

import numpy as np
import pytest

from mtbridge.inference.contrasts import changes
from tests.support.presentation import flat, outline_of, write_run

MODELS = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))
TASKS = (("nc", "accuracy", ("de", "en")), ("qam", "accuracy", ("de", "en")))


def written(folder, seeds=(1, 2), own=1.0, of_seed=1.0, reasons=None, models=MODELS):
    """The changes of three models whose replicates share their noise but for a part of size `own`."""
    rng = np.random.default_rng(3)
    noise = 5 * rng.normal(size=(2, 1000))
    for task, *_ in TASKS:
        for model, shift in (("base", 0.0), ("cp", -2.0), ("dn", 1.0)):
            for seed in seeds:
                level = 60 + shift + of_seed * (seed - 1)
                replicates = {
                    "de": level + noise[0] + own * rng.normal(size=1000),
                    "en": level + 20 + shift + noise[1] + own * rng.normal(size=1000),
                }
                values = flat({"de": level, "en": level + 20 + shift})
                why = (reasons or {}).get((model, task, seed), {})
                write_run(folder, "default", model, task, seed, values, replicates=replicates, reasons=why)
    outline = outline_of(models=models, tasks=TASKS, seeds=seeds)
    return changes(outline, "sound", folder).set_index(["model", "against", "task", "statistic"])


def test_changes_are_paired_and_average_over_all_tasks(tmp_path):
    frame = written(tmp_path)
    row = frame.loc["cp", "base", "mean over tasks", "zero_shot"]
    # Two seeds one point apart: s² = 1/2 in each of three models. V: the models' own noise, shared by their two seeds'
    # mean. Both are halved by the mean over two tasks, and two times 3 · (2 − 1) = 6 degrees of freedom give t = 2.447.
    variance = (2 * 0.5 / 2 + 2 * 1 / 2) / 2
    half_width = 2.447 * np.sqrt(variance)
    assert (row["change"], row["df"]) == (pytest.approx(-2), pytest.approx(6))
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half_width, rel=0.05)
    assert frame.loc[("cp", "dn", "nc", "english"), "change"] == pytest.approx(-6)
    assert frame.loc[("dn", "base", "qam", "gap"), "change"] == pytest.approx(1)
    assert ("base", "base", "nc", "gap") not in frame.index


def test_one_seed_gives_an_interval_of_examples_without_degrees_of_freedom(tmp_path):
    frame = written(tmp_path, seeds=(1,), own=0.1)
    row = frame.loc["cp", "base", "nc", "zero_shot"]
    assert row["df"] == 0 and row["high"] < 0
    again = written(tmp_path, own=0.1, of_seed=0.1)
    assert again.loc[("cp", "base", "nc", "zero_shot"), "df"] == 3


def test_a_constant_answer_is_in_no_difference_and_no_mean(tmp_path):
    constant = {"de": "constant answer"}
    frame = written(tmp_path, reasons={("cp", "nc", seed): constant for seed in (1, 2)})
    row = frame.loc["cp", "base", "nc", "zero_shot"]
    assert np.isnan([row["change"], row["low"], row["high"]]).all()
    assert (row["degenerate"], row["left_out"]) == ("constant answer", "all")
    mean, qam = (frame.loc["cp", "base", task, "zero_shot"] for task in ("mean over tasks", "qam"))
    assert mean["left_out"] == "nc" and mean["change"] == pytest.approx(qam["change"])
    assert frame.loc["cp", "base", "nc", "english"]["left_out"] == ""
    assert frame.loc["dn", "base", "nc", "zero_shot"]["left_out"] == ""


def test_a_seed_whose_answer_is_constant_is_left_out(tmp_path):
    frame = written(tmp_path, reasons={("cp", "nc", 2): {"de": "constant answer"}}, of_seed=4.0)
    # Seed 1 of cp, 58, against both of base, 60 and 64.
    row = frame.loc["cp", "base", "nc", "zero_shot"]
    assert (row["change"], row["left_out"], row["df"]) == (pytest.approx(-4), "seed 2", 2)
    # In the mean over languages too, although English counts.
    assert frame.loc["cp", "base", "nc", "average"]["left_out"] == "seed 2"


def test_models_are_compared_on_the_languages_that_count_in_both(tmp_path):
    frame = written(tmp_path, reasons={("base", "nc", seed): {"de": "constant answer"} for seed in (1, 2)})
    row, english = (frame.loc["cp", "base", "nc", name] for name in ("average", "english"))
    assert row["left_out"] == "de" and row["change"] == pytest.approx(english["change"])
    assert np.isnan(frame.loc["cp", "base", "nc", "gap"]["change"])


def test_equal_answers_have_a_difference_but_no_interval(tmp_path):
    row = written(tmp_path, own=0.0).loc["dn", "base", "nc", "zero_shot"]
    assert row["change"] == pytest.approx(1) and row["degenerate"] == "no width" and np.isnan(row["low"])
