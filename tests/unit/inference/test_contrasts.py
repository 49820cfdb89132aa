"""Differences of checkpoints: paired on examples, independent over tasks, and only of scores that say something."""

import json

import numpy as np
import pytest

from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.verdicts import contrasts_frame
from mtbridge.study.outline import read_outline
from tests.support.presentation import flat, presentation_study, write_run

MODELS = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))
TASKS = (("nc", "accuracy", ("de", "en")), ("qam", "accuracy", ("de", "en")))


def written(folder, seeds=(1, 2), own=1.0, of_seed=1.0, reasons=None, french=False):
    """The contrasts of three models whose replicates share their noise but for a part of size `own`.

    With French, whose differences are twice those of German.
    """
    rng = np.random.default_rng(3)
    noise = 5 * rng.normal(size=(3, 1000))
    for task, *_ in TASKS:
        for model, shift in (("base", 0.0), ("cp", -2.0), ("dn", 1.0)):
            for seed in seeds:
                level = 60 + shift + of_seed * (seed - 1)
                levels = {"de": level, "en": level + 20 + shift} | ({"fr": level + 10 + shift} if french else {})
                replicates = {
                    language: value + noise[row] + own * rng.normal(size=1000)
                    for row, (language, value) in enumerate(levels.items())
                }
                why = (reasons or {}).get((model, task, seed), {})
                write_run(folder, "default", model, task, seed, flat(levels), replicates=replicates, reasons=why)
    tasks = [(task, metric, (*languages, "fr") if french else languages) for task, metric, languages in TASKS]
    study = presentation_study(models=MODELS, tasks=tasks, seeds=seeds)
    study["protocols"] = {"sound": study["protocols"]["sound"]}
    frame = contrasts_frame(read_outline(json.dumps(study)), folder)
    return frame.set_index(["model", "against", "task", "statistic"]).sort_index()


def test_differences_are_paired_and_average_over_all_tasks(tmp_path):
    frame = written(tmp_path)
    row = frame.loc[("cp", "base", ALL_TASKS, "zero_shot")]
    # Two seeds one point apart: s² = 1/2 in each of three models. V: the models' own noise, shared by their two seeds'
    # mean. Both are halved by the mean over two tasks, and two times 3 · (2 − 1) = 6 degrees of freedom give t = 2.447.
    variance = (2 * 0.5 / 2 + 2 * 1 / 2) / 2
    half_width = 2.447 * np.sqrt(variance)
    assert (row["estimate"], row["df"]) == (pytest.approx(-2), pytest.approx(6))
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half_width, rel=0.05)
    assert frame.loc[("cp", "dn", "nc", "english"), "estimate"] == pytest.approx(-6)
    assert frame.loc[("dn", "base", "qam", "gap"), "estimate"] == pytest.approx(1)
    assert ("base", "base", "nc", "gap") not in frame.index


def test_tasks_whose_seeds_vary_unequally_have_the_degrees_of_freedom_of_welch_and_satterthwaite(tmp_path):
    frame = written(tmp_path, own=0.1)
    for model, *_ in MODELS:  # QAM's seeds lie ten points apart, and one model has no second seed there
        for seed in (1, 2):
            level = {"de": 60.0 + 10 * seed, "en": 80.0}
            write_run(tmp_path, "default", model, "qam", seed, flat(level), spread=0.1)
    (tmp_path / "default" / "dn" / "qam" / "seed2.parquet").unlink()
    study = presentation_study(models=MODELS, tasks=TASKS, seeds=(1, 2))
    study["protocols"] = {"sound": study["protocols"]["sound"]}
    again = contrasts_frame(read_outline(json.dumps(study)), tmp_path).set_index(list(frame.index.names)).sort_index()
    # s² is 1/2 with 3 degrees of freedom on NC and 50 with 2 on QAM; of the difference of cp and base both count twice,
    # each over two seeds.
    of_nc, of_qam = 0.5, 50.0
    freedom = (of_nc + of_qam) ** 2 / (of_nc**2 / 3 + of_qam**2 / 2)
    assert again.loc[("cp", "base", ALL_TASKS, "zero_shot"), "df"] == pytest.approx(freedom, rel=1e-4)


def test_one_seed_gives_an_interval_of_examples_without_degrees_of_freedom(tmp_path):
    frame = written(tmp_path, seeds=(1,), own=0.1)
    row = frame.loc[("cp", "base", "nc", "zero_shot")]
    assert row["df"] == 0 and row["high"] < 0 and row["verdict"] == "no verdict"
    again = written(tmp_path, own=0.1, of_seed=0.1)
    assert again.loc[("cp", "base", "nc", "zero_shot"), "df"] == 3


def test_a_constant_answer_is_in_no_difference_and_no_mean(tmp_path):
    constant = {"de": "constant answer"}
    frame = written(tmp_path, reasons={("cp", "nc", seed): constant for seed in (1, 2)})
    row = frame.loc[("cp", "base", "nc", "zero_shot")]
    assert row[["estimate", "low", "high", "p"]].isna().all()
    assert (row["degenerate"], row["left_out"], row["verdict"]) == ("constant answer", "all", "no verdict")
    mean, qam = (frame.loc[("cp", "base", task, "zero_shot")] for task in (ALL_TASKS, "qam"))
    assert mean["left_out"] == "nc" and mean["estimate"] == pytest.approx(qam["estimate"])
    assert frame.loc[("cp", "base", "nc", "english"), "left_out"] == ""
    assert frame.loc[("dn", "base", "nc", "zero_shot"), "left_out"] == ""


def test_a_seed_whose_answer_is_constant_is_left_out(tmp_path):
    frame = written(tmp_path, reasons={("cp", "nc", 2): {"de": "constant answer"}}, of_seed=4.0)
    # Seed 1 of cp, 58, against both of base, 60 and 64.
    row = frame.loc[("cp", "base", "nc", "zero_shot")]
    assert (row["estimate"], row["left_out"], row["df"]) == (pytest.approx(-4), "seed 2", 2)
    # Of the gap too, although English counts.
    assert frame.loc[("cp", "base", "nc", "gap"), "left_out"] == "seed 2"


def test_models_are_compared_on_the_languages_that_count_in_both(tmp_path):
    frame = written(tmp_path, reasons={("base", "nc", seed): {"de": "constant answer"} for seed in (1, 2)}, french=True)
    row = frame.loc[("cp", "base", "nc", "zero_shot")]
    assert row["left_out"] == "de" and row["estimate"] == pytest.approx(-4), "German of cp is left out too"
    frame = written(tmp_path, reasons={("base", "nc", seed): {"de": "constant answer"} for seed in (1, 2)})
    assert np.isnan(frame.loc[("cp", "base", "nc", "gap"), "estimate"])


def test_equal_answers_have_a_difference_but_no_interval(tmp_path):
    row = written(tmp_path, own=0.0).loc[("dn", "base", "nc", "zero_shot")]
    assert row["estimate"] == pytest.approx(1) and row["degenerate"] == "no width"
    assert np.isnan(row["low"]) and row["verdict"] == "no verdict"
