"""Verdicts: the pretraining is the unit, tests are corrected, and nothing is claimed that could not be known."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtbridge.inference import simulate_pretrainings as simulate
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.ranking import ranking_frame
from mtbridge.inference.verdicts import contrasts_frame, holm, questions, verdict
from mtbridge.study.outline import read_outline
from tests.support.presentation import flat, presentation_study, write_run

MODELS = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))
TASKS = (("nc", "accuracy", ("de", "en")), ("qam", "accuracy", ("de", "en")))


def outline_of(pretrainings=3, seeds=(1,), recipes=("default",), **keys):
    study = presentation_study(models=MODELS, tasks=TASKS, seeds=seeds, recipes=recipes)
    study["protocols"] = {"sound": study["protocols"]["sound"]}
    for model in study["models"]:
        model["replicates"] = [f"{model['key']}@{number}" for number in range(2, pretrainings + 1)]
    return read_outline(json.dumps({**study, **keys}))


def scored(folder, outline, german, english=None, own=0.5, reasons=None):
    """Write scores: german, english: (model, pretraining) -> level; the floor is 30 in both languages.

    reasons: (key of a model, task) -> language -> why a score is degenerate.
    """
    rng = np.random.default_rng(0)
    english = english or (lambda model, number: 80.0)
    reasons = reasons or {}
    for task in outline.tasks:
        noise = rng.normal(size=(2, 1000))
        for recipe in outline.recipes:
            for model in outline.models:
                for number, key in enumerate(outline.replicates(model.key), 1):
                    levels = {"de": german(model.key, number), "en": english(model.key, number)}
                    replicates = {
                        language: level + noise[row] + own * rng.normal(size=1000)
                        for row, (language, level) in enumerate(levels.items())
                    }
                    why = reasons.get((key, task.name), {})
                    for seed in outline.seeds:
                        write_run(
                            folder, recipe, key, task.name, seed, flat(levels), replicates=replicates, reasons=why
                        )
        floor = {"de": 30.0, "en": 30.0}
        constant = {language: np.full(1000, 30.0) for language in floor}
        write_run(folder, "none", "floor", task.name, 0, flat(floor), replicates=constant)
    return folder


def row(frame, **where):
    for key, value in where.items():
        frame = frame[frame[key] == value]
    (found,) = frame.itertuples()
    return found


def test_the_interval_is_that_of_the_differences_of_pretrainings(tmp_path):
    outline = outline_of()
    shared = {1: -4.0, 2: 0.0, 3: 5.0}  # of a pretraining of the base, in all that continue it
    own = {("cp", 1): 6.0, ("cp", 2): 7.0, ("cp", 3): 8.0}
    german = lambda model, number: 50 + shared[number] + own.get((model, number), 0.0)
    frame = contrasts_frame(outline, scored(tmp_path, outline, german))
    found = row(frame, family="objectives", task=ALL_TASKS, statistic="zero_shot")
    assert (found.model, found.against, found.P, found.S, found.scope) == ("cp", "dn", 3, 1, "pretraining")
    assert found.by_pretraining == pytest.approx([6, 7, 8])
    assert found.estimate == pytest.approx(7)
    # s² = 1; V: each pretraining's own noise of .5 in both arms, over 3 pretrainings and 2 tasks.
    error = np.sqrt(1 / 3 + 2 * 0.25 / 3 / 2)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t.ppf(0.975, 2) * error, rel=0.03)
    assert found.p == pytest.approx(2 * stats.t.sf(7 / error, 2), rel=0.1)
    assert found.n == 2 * 400, "German test examples of two tasks"
    # Holm's first step for two primary contrasts, zero-shot and gap.
    smallest = (stats.t.ppf(1 - 0.025 / 2, 2) + stats.t.ppf(0.8, 2)) * error
    assert found.smallest_effect == pytest.approx(smallest, rel=0.03)


def test_a_single_pretraining_is_no_verdict_on_an_objective(tmp_path):
    german = lambda model, number: 50.0 + 20 * (model == "cp")
    one = outline_of(pretrainings=1)
    found = row(contrasts_frame(one, scored(tmp_path / "1", one, german)), primary=True, statistic="zero_shot")
    assert (found.scope, found.verdict, found.P) == ("examples", "no verdict", 1)
    two = outline_of(pretrainings=1, seeds=(1, 2))
    found = row(contrasts_frame(two, scored(tmp_path / "2", two, german)), primary=True, statistic="zero_shot")
    assert (found.scope, found.verdict, found.S) == ("checkpoint", "helps", 2)


@pytest.mark.parametrize(
    ("shift", "spread", "expected"), [(8.0, 0.5, "helps"), (-8.0, 0.5, "hurts"), (0.0, 6.0, "undecided")]
)
def test_a_difference_helps_hurts_or_is_undecided(tmp_path, shift, spread, expected):
    outline = outline_of()
    german = lambda model, number: 55 + (shift + spread * (number - 2)) * (model == "cp")
    frame = contrasts_frame(outline, scored(tmp_path, outline, german))
    assert row(frame, primary=True, statistic="zero_shot").verdict == expected
    # English is the same in all, so the gap moves against zero-shot: smaller helps.
    gap = row(frame, primary=True, statistic="gap")
    assert gap.verdict == expected and np.sign(gap.estimate) == -np.sign(shift)


def test_equivalent_needs_the_whole_interval_inside_the_margin(tmp_path):
    german = lambda model, number: 55 + 0.02 * (number - 2) * (model == "cp")
    for margin, expected in ((5.0, "equivalent"), (0.2, "undecided")):
        outline = outline_of(margin=margin)
        frame = contrasts_frame(outline, scored(tmp_path / str(margin), outline, german))
        assert row(frame, primary=True, statistic="zero_shot").verdict == expected


def test_primary_p_values_are_corrected_and_cells_are_not(tmp_path):
    outline = outline_of()
    german = lambda model, number: 55 + (4 + number) * (model == "cp")
    frame = contrasts_frame(outline, scored(tmp_path, outline, german))
    primary = frame[frame["primary"]]
    assert set(zip(primary["model"], primary["against"], primary["statistic"], strict=True)) == {
        ("cp", "dn", "zero_shot"),
        ("cp", "dn", "gap"),
    }
    assert primary["p_holm"].to_numpy() == pytest.approx(holm(primary["p"]))
    assert frame.loc[~frame["primary"], "p_holm"].isna().all()


def test_holm_corrects_as_published():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    corrected = holm([0.01, np.nan])
    assert corrected[0] == pytest.approx(0.01) and np.isnan(corrected[1])


def test_tasks_at_the_floor_are_left_out_of_means_and_said(tmp_path):
    outline = outline_of()
    level = {"nc": 60.0, "qam": 30.0}
    rng = np.random.default_rng(0)
    folder = scored(tmp_path, outline, lambda model, number: 60 + 5 * (model == "cp"))
    for model in outline.keys:  # QAM again: nobody is above the floor
        values = {"de": level["qam"], "en": level["qam"]}
        write_run(folder, "default", model, "qam", 1, flat(values),
                  replicates={k: 30 + rng.normal(size=1000) for k in values})  # fmt: skip
    found = row(contrasts_frame(outline, folder), primary=True, statistic="zero_shot")
    assert (found.left_out, found.estimate) == ("qam", pytest.approx(5))
    assert "at the floor" in found.degenerate


def test_where_every_task_is_at_the_floor_the_mean_says_so(tmp_path):
    outline = outline_of()
    frame = contrasts_frame(outline, scored(tmp_path, outline, lambda model, number: 30.0))
    found = row(frame, primary=True, statistic="zero_shot")
    assert np.isnan([found.estimate, found.low, found.p_holm]).all()
    assert (found.left_out, found.degenerate, found.verdict) == ("all", "at the floor", "no verdict")
    assert (found.P, found.scope) == (3, "pretraining")


def test_a_gap_needs_both_its_parts_above_the_floor(tmp_path):
    outline = outline_of()
    for name, german, english in (("english", 60.0, 30.0), ("german", 30.0, 60.0)):
        frame = contrasts_frame(
            outline, scored(tmp_path / name, outline, lambda *_, a=german: a, lambda *_, a=english: a)
        )
        kept, gone = ("zero_shot", "english") if name == "english" else ("english", "zero_shot")
        for statistic, is_left_out in ((kept, False), (gone, True), ("gap", True)):
            mean = row(frame, family="objectives", task=ALL_TASKS, statistic=statistic)
            assert np.isnan(mean.estimate) == is_left_out, (name, statistic)


def test_a_task_is_kept_if_one_side_is_above_the_floor(tmp_path):
    outline = outline_of()
    german = lambda model, number: 60.0 if model == "cp" else 30.0
    found = row(contrasts_frame(outline, scored(tmp_path, outline, german)), primary=True, statistic="zero_shot")
    assert (found.left_out, found.estimate) == ("", pytest.approx(30))


def test_two_pretrainings_that_differ_much_are_above_a_floor_far_below(tmp_path):
    # Of two pretrainings alone, 12.7 · 7.1 / √2 would reach down to the floor; pooled over models it does not.
    outline = outline_of(pretrainings=2)
    german = lambda model, number: 50.0 + 10 * number
    found = row(contrasts_frame(outline, scored(tmp_path, outline, german)), primary=True, statistic="zero_shot")
    assert found.left_out == ""


def test_a_mean_names_the_tasks_that_have_no_scores_yet(tmp_path):
    outline = outline_of()
    folder = scored(tmp_path, outline, lambda model, number: 60 + 5 * (model == "cp"))
    for number in ("", "@2", "@3"):
        (folder / "default" / f"dn{number}" / "qam" / "seed1.parquet").unlink()
    found = row(contrasts_frame(outline, folder), primary=True, statistic="zero_shot")
    assert (found.left_out, found.estimate) == ("qam", pytest.approx(5))


def test_a_mean_is_over_tasks_with_the_same_pretrainings(tmp_path):
    outline = outline_of()
    german = lambda model, number: 60 + 5 * number * (model == "cp")
    folder = scored(tmp_path, outline, german)
    (folder / "default" / "dn@2" / "qam" / "seed1.parquet").unlink()
    found = row(contrasts_frame(outline, folder), primary=True, statistic="zero_shot")
    assert (found.left_out, found.P) == ("qam", 3) and found.by_pretraining == pytest.approx([5, 10, 15])
    # As many, but others.
    (folder / "default" / "dn@3" / "nc" / "seed1.parquet").unlink()
    found = row(contrasts_frame(outline, folder), primary=True, statistic="zero_shot")
    assert (found.left_out, found.P) == ("qam", 2) and found.by_pretraining == pytest.approx([5, 10])


def test_one_failed_pretraining_leaves_a_difference_without_a_value(tmp_path):
    outline = outline_of()
    failed = {("cp@2", "nc"): {"de": "constant answer"}}
    frame = contrasts_frame(outline, scored(tmp_path, outline, lambda *_: 60.0, reasons=failed))
    cell = row(frame, family="objectives", task="nc", statistic="zero_shot")
    assert np.isnan(cell.estimate) and (cell.degenerate, cell.verdict) == ("constant answer", "no verdict")
    assert row(frame, primary=True, statistic="zero_shot").left_out == "nc"


def test_a_constant_answer_counts_in_no_verdict_whatever_the_protocol_says_of_its_means(tmp_path):
    outline = outline_of()
    counting = replace(outline.protocol("sound"), degenerate="count")
    outline = replace(outline, protocols={"sound": counting})
    reasons = {(key, "nc"): {"de": "constant answer"} for key in outline.replicates("cp")}
    frame = contrasts_frame(outline, scored(tmp_path, outline, lambda *_: 60.0, reasons=reasons))
    found = row(frame, primary=True, statistic="zero_shot")
    assert (found.left_out, found.degenerate) == ("nc", "constant answer")


def test_equivalence_is_corrected_for_how_many_are_asked(tmp_path):
    outline = outline_of(margin=1.0)
    german = lambda model, number: 55 + 0.48 * (number - 2) * (model == "cp")
    found = contrasts_frame(outline, scored(tmp_path, outline, german, own=0.01))
    primary = found[found["primary"]]
    error, df = primary["standard_error"], primary["df"]
    single = [stats.t.cdf((abs(e) - 1.0) / s, d) for e, s, d in zip(primary["estimate"], error, df, strict=True)]
    assert 0.025 < single[0] < 0.05, "one question alone would be answered"
    assert primary["p_equivalence"].to_numpy() == pytest.approx(holm(single))
    assert set(primary["verdict"]) == {"undecided"}


def test_seen_and_unseen_languages_stand_apart(tmp_path):
    study = presentation_study(models=MODELS, tasks=(("nc", "accuracy", ("de", "en", "sw")),), seeds=(1,))
    study["protocols"] = {"sound": study["protocols"]["sound"]}
    for model in study["models"]:
        model |= {"replicates": [f"{model['key']}@2"], "seen": {"denoising": ["de", "en"]}}
    outline = read_outline(json.dumps(study))
    for key in outline.keys:
        values = {"de": 60.0 + 9 * key.startswith("cp"), "en": 80.0, "sw": 50.0}
        write_run(tmp_path, "default", key, "nc", 1, flat(values), spread=0.1)
    write_run(tmp_path, "none", "floor", "nc", 0, flat(dict.fromkeys(("de", "en", "sw"), 30.0)), spread=0.1)
    frame = contrasts_frame(outline, tmp_path)
    part = frame[(frame["family"] == "objectives") & (frame["statistic"] == "zero_shot") & (frame["task"] == ALL_TASKS)]
    estimates = dict(zip(part["languages"], part["estimate"], strict=True))
    assert estimates == {"all": pytest.approx(4.5), "seen": pytest.approx(9), "unseen": pytest.approx(0)}


def test_a_config_names_pairs_of_models_and_of_recipes(tmp_path):
    outline = outline_of(recipes=("default", "other"), compare=[["dn", "base"], ["other", "default"]])
    asked = [(q.family, *q.one, *q.other) for q in questions(outline)]
    assert ("compare", "default", "dn", "default", "base") in asked
    assert ("recipes", "other", "cp", "default", "cp") in asked
    frame = contrasts_frame(outline, scored(tmp_path, outline, lambda model, number: 50.0 + number))
    recipes = frame[frame["family"] == "recipes"]
    assert set(recipes["against_recipe"]) == {"default"} and set(recipes["recipe"]) == {"other"}


def test_no_interval_leaves_what_a_difference_can_be(tmp_path):
    outline = outline_of(pretrainings=2)
    german = lambda model, number: 99.0 if (model, number) == ("cp", 1) else 40.0
    frame = contrasts_frame(outline, scored(tmp_path, outline, german))
    zero_shot = frame[frame["statistic"] == "zero_shot"]
    assert zero_shot["low"].min() >= -100 and zero_shot["high"].max() <= 100


@pytest.mark.parametrize(
    ("statistic", "estimate", "p", "p_equivalence", "scope", "expected"),
    [
        ("english", 2.0, 0.01, 0.9, "pretraining", "helps"),
        ("gap", 2.0, 0.01, 0.9, "pretraining", "hurts"),
        ("gap", -2.0, 0.01, 0.9, "pretraining", "helps"),
        ("zero_shot", 0.1, 0.5, 0.01, "pretraining", "equivalent"),
        ("zero_shot", 0.1, 0.01, 0.01, "pretraining", "helps"),
        ("zero_shot", 2.0, 0.2, 0.9, "checkpoint", "undecided"),
        ("zero_shot", 2.0, 0.001, 0.9, "examples", "no verdict"),
        ("zero_shot", 2.0, np.nan, np.nan, "pretraining", "no verdict"),
    ],
)
def test_words_of_verdicts(statistic, estimate, p, p_equivalence, scope, expected):
    assert verdict(statistic, estimate, p, p_equivalence, scope) == expected


def test_a_ranking_has_ties_where_nothing_tells_models_apart(tmp_path):
    outline = outline_of()
    level = {"base": 50.0, "cp": 70.0, "dn": 50.2}
    german = lambda model, number: level[model] + number * (1.0 if model == "dn" else 0.8)
    ranking = ranking_frame(outline, scored(tmp_path, outline, german)).set_index("model")
    assert list(ranking.index) == ["cp", "dn", "base"]
    assert tuple(ranking.loc["cp", ["best_rank", "worst_rank", "tied_with"]]) == (1, 1, "")
    assert tuple(ranking.loc["dn", ["best_rank", "worst_rank"]]) == (2, 3)
    assert ranking.loc["base", "tied_with"] == "dn" and ranking.loc["base", "tasks"] == 2


def test_a_ranking_is_corrected_for_all_its_pairs(tmp_path):
    outline = outline_of(pretrainings=5)
    # t = 3.2 with four degrees of freedom in each of three pairs: p = .033, and .1 after Holm's correction.
    away = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    steps = 1 + away * (np.sqrt(5) / 3.2 / away.std(ddof=1))
    place = {"base": 0, "cp": 1, "dn": -1}
    german = lambda model, number: 60 + 4 * place[model] * steps[number - 1]
    ranking = ranking_frame(outline, scored(tmp_path, outline, german, own=0.01))
    assert set(ranking["best_rank"]) == {1} and set(ranking["worst_rank"]) == {3}


def test_a_ranking_tests_only_models_with_the_same_pretrainings(tmp_path):
    study = presentation_study(models=MODELS, tasks=TASKS, seeds=(1,))
    study["protocols"] = {"sound": study["protocols"]["sound"]}
    study["models"][1]["replicates"] = ["cp@2", "cp@3"]
    outline = read_outline(json.dumps(study))
    german = lambda model, number: 40.0 + 10 * number
    ranking = ranking_frame(outline, scored(tmp_path, outline, german)).set_index("model")
    assert (ranking.loc["cp", "value"], ranking.loc["cp", "P"]) == (pytest.approx(60), 3)
    assert ranking.loc["cp", "tied_with"] == "base, dn" and tuple(ranking["P"]) == (3, 1, 1)


# A cut for every run of the tests; `make test-statistics` takes 2,000.
TRIALS = int(os.environ.get("MTBRIDGE_TRIALS", "120"))


def most_wrong(trials: int) -> float:
    """The share of wrong answers that a procedure with a rate of .05 exceeds once in 10,000 times."""
    return float(stats.binom.ppf(0.9999, trials, 0.05)) / trials


@pytest.mark.slow
@pytest.mark.parametrize("variant", simulate.VARIANTS)
@pytest.mark.parametrize("pretrainings", [2, 3, 5])
def test_false_verdicts_are_rare_and_intervals_hold_the_truth(variant, pretrainings):
    arms = replace(simulate.VARIANTS[variant], pretrainings=pretrainings, replicates=100, examples=60)
    found = simulate.rates(arms, TRIALS, np.random.default_rng(1))
    assert found.found <= most_wrong(TRIALS) and found.covered >= 1 - most_wrong(TRIALS)


@pytest.mark.slow
def test_an_effect_is_found_when_there_are_pretrainings_enough():
    arms = simulate.Arms(pretrainings=5, arm_sd=0.5, task_sd=0.5, replicates=100)
    found = simulate.rates(arms, 40, np.random.default_rng(2), shift=8.0)
    assert found.found > 0.9 and found.covered > 0.85


@pytest.mark.slow
def test_a_family_of_questions_is_rarely_answered_wrongly():
    arms, trials = simulate.Arms(tasks=1, replicates=60, examples=40), max(60, TRIALS // 4)
    assert simulate.family_wise(arms, 6, trials, np.random.default_rng(3)) <= most_wrong(trials)
