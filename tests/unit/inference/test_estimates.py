"""Scores read, combined into statistics and put beside published values."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.estimates import by_language, by_statistic
from mtbridge.inference.scores import ALL_LANGUAGES, split_and_metric, weights
from mtbridge.study.outline import read_outline
from tests.support.presentation import (
    MODELS,
    flat,
    make,
    outline_of,
    presentation_study,
    published_outline,
    small,
    write_run,
)

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "workflow" / "reference"


def published_cells():
    cells = pd.read_csv(REFERENCE / "table4.csv")
    return cells[cells["language"] != ALL_LANGUAGES]


def mean_of(outline, task: str, part: pd.DataFrame, protocol: str) -> float:
    """The mean of published cells as a protocol has it."""
    found = next(found for found in outline.tasks if found.name == task)
    found = replace(found, languages=tuple(part["language"]))
    return part["score"].to_numpy() @ weights("average", found, outline, protocol)


def test_published_table1_is_the_mean_of_table4_with_english_and_wpr_without_chinese():
    outline, cells, means = published_outline(), published_cells(), pd.read_csv(REFERENCE / "table1.csv")
    for (task, model), part in cells.groupby(["task", "model"]):
        published = means.query("task == @task and model == @model")["score"].item()
        assert mean_of(outline, task, part, "paper") == pytest.approx(published, abs=0.0501), (task, model)
    wpr = cells.query("task == 'wpr' and model == 'mbert'")
    assert mean_of(outline, "wpr", wpr, "sound") == pytest.approx(72.74, abs=0.01)  # and not the published 74.42


def test_every_published_xnli_cell_is_a_dev_accuracy():
    cells = published_cells().query("task == 'xnli'")["score"].to_numpy()
    # Multiples of 1/2490 are .040 apart and two decimals blur by ±.005: a quarter of other numbers would fit by chance.
    away = np.abs(cells - np.round(cells * 24.90) / 24.90)
    assert len(cells) == 105 and away.max() <= 0.005 + 1e-9
    outline = published_outline()
    tasks = {task.name: task for task in outline.tasks}
    assert split_and_metric(tasks["xnli"], outline, "paper") == ("dev", "accuracy")
    assert split_and_metric(tasks["xnli"], outline, "sound") == ("test", "accuracy")
    assert split_and_metric(tasks["wpr"], outline, "paper") == ("test", "xglue_ndcg")


def test_statistics_of_one_run_in_closed_form(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0)
    frame = by_statistic(small(), "sound", tmp_path).query("model == 'a'").set_index("statistic")
    assert frame["ours"].to_dict() == pytest.approx({"average": 60, "english": 90, "zero_shot": 45, "gap": 45})
    assert frame["sd"].isna().all()
    assert (frame["seeds"] == 1).all()
    frame = by_statistic(small(), "paper", tmp_path).query("model == 'a'")
    assert list(frame["statistic"]) == ["average"]


def test_spread_over_seeds_is_the_sample_deviation_of_the_statistic(tmp_path):
    for seed, (de, en) in enumerate([(40, 80), (50, 90), (60, 82)]):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": de, "en": en}), spread=0)
    outline = small(seeds=(0, 1, 2), languages=("de", "en"))
    frame = by_statistic(outline, "sound", tmp_path).query("model == 'a'").set_index("statistic")
    assert frame.loc["average", "ours"] == pytest.approx(67)
    assert frame.loc["average", "sd"] == pytest.approx(np.std([60, 70, 71], ddof=1))
    assert frame.loc["gap", "sd"] == pytest.approx(np.std([40, 40, 22], ddof=1))


def test_paper_protocol_reads_xnli_dev_and_official_metrics_and_leaves_chinese_out_of_wpr(tmp_path):
    outline = outline_of(
        models=(("a", "A", "LM", None),),
        tasks=(
            ("xnli", "accuracy", ("en",)),
            ("wpr", "ndcg", ("en", "fr", "zh")),
            ("pos", "tagging_accuracy", ("en",)),
        ),
        seeds=(1,),
    )
    both = {("en", "dev", "accuracy"): 61.0, ("en", "test", "accuracy"): 71.0}
    write_run(tmp_path, "default", "a", "xnli", 1, both)
    rows = {"en": 80.0, "fr": 70.0, "zh": 30.0}
    write_run(
        tmp_path,
        "default",
        "a",
        "wpr",
        1,
        flat(rows, metric="xglue_ndcg") | flat({k: v + 6 for k, v in rows.items()}, metric="ndcg"),
    )
    values = flat({"en": 88.0}, metric="xglue_chunk_precision") | flat({"en": 93.0}, metric="token_accuracy")
    write_run(tmp_path, "default", "a", "pos", 1, values)

    def ours(protocol):
        frame = by_statistic(outline, protocol, tmp_path).query("model == 'a' and statistic == 'average'")
        return frame.set_index("task")["ours"].to_dict()

    assert ours("paper") == pytest.approx({"xnli": 61, "wpr": 75, "pos": 88})
    assert ours("sound") == pytest.approx({"xnli": 71, "wpr": 66, "pos": 93})


def test_published_values_stand_beside_the_average_with_difference_and_prediction_interval(tmp_path):
    for seed, value in enumerate([70.0, 72.0]):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": value, "en": value}), spread=0)
    outline = small(seeds=(0, 1), languages=("de", "en"))
    reference = pd.DataFrame({"task": ["nc"], "model": ["a"], "score": [75.5]})
    row = by_statistic(outline, "paper", tmp_path, reference).query("model == 'a'").iloc[0]
    assert row["difference"] == pytest.approx(71 - 75.5)
    # t(1; 0.975) = tan(0.475 π), sd = √2, one new run: √(1 + 1/2)
    half = np.tan(0.475 * np.pi) * np.sqrt(2) * np.sqrt(1.5)
    assert (row["new_run_low"], row["new_run_high"]) == pytest.approx((71 - half, 71 + half))
    assert "published" not in by_statistic(outline, "paper", tmp_path)


def test_no_variance_is_no_certainty(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0)
    frame = by_statistic(small(seeds=(1, 2)), "sound", tmp_path).query("model == 'a'")
    assert frame[["low", "high"]].isna().all(axis=None) and set(frame["degenerate"]) == {"no width"}
    assert frame["ours"].notna().all() and set(frame["left_out"]) == {""}


def test_a_degenerate_score_is_shown_and_counts_nowhere(tmp_path):
    for seed in (1, 2):
        values = flat({"de": 60.0, "en": 90.0, "fr": 33.3})
        write_run(tmp_path, "default", "a", "nc", seed, values, reasons={"fr": "constant answer"})
    outline = small(seeds=(1, 2))
    cells = by_language(outline, "sound", tmp_path).query("model == 'a'").set_index("language")
    assert cells.loc["fr", ["ours", "degenerate", "left_out"]].tolist() == [33.3, "constant answer", "all"]
    assert np.isnan(cells.loc["fr", "low"]) and cells.loc["de", "degenerate"] == ""
    assert cells.loc[ALL_LANGUAGES, "ours"] == pytest.approx(75) and cells.loc[ALL_LANGUAGES, "left_out"] == "fr"
    mean = by_statistic(outline, "paper", tmp_path).query("model == 'a' and statistic == 'average'").iloc[0]
    assert mean["ours"] == pytest.approx((60 + 90 + 33.3) / 3), "the paper's mean counts it"
    assert (mean["degenerate"], mean["left_out"]) == ("constant answer", "")


def test_a_score_is_compared_with_the_floor_on_the_same_examples(tmp_path):
    noise = 10 * np.random.default_rng(0).normal(size=1000)
    outline = small(seeds=(1, 2), languages=("de", "en"))
    floors = {"de": 50.0, "en": 60.0}
    for seed in (1, 2):
        values = {"de": 52.0, "en": 64.0}
        replicates = {key: value + noise + 0.1 * np.random.default_rng(seed).normal(size=1000)
                      for key, value in values.items()}  # fmt: skip
        write_run(tmp_path, "default", "a", "nc", seed, flat(values), replicates=replicates)
    replicates = {key: value + noise for key, value in floors.items()}
    write_run(tmp_path, "none", "floor", "nc", 0, flat(floors), replicates=replicates,
              reasons=dict.fromkeys(floors, "constant answer"))  # fmt: skip
    frame = by_statistic(outline, "sound", tmp_path).set_index(["model", "statistic"])
    row = frame.loc["a", "english"]
    # The score alone is known to some 20 points; what it is above the floor, to one.
    assert row["over_floor"] == pytest.approx(4) and row["over_floor_low"] > 2 and row["low"] < 60
    assert np.isnan(frame.loc[("a", "gap"), "over_floor"]) and np.isnan(frame.loc[("floor", "english"), "over_floor"])
    assert frame.loc[("floor", "english"), "degenerate"] == "", "the floor is a constant by definition"


def test_the_floor_adds_no_variance_of_seeds(tmp_path):
    for seed, level in ((1, 70.0), (2, 72.0)):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": level, "en": level}), spread=0.2)
    write_run(tmp_path, "none", "floor", "nc", 0, flat({"de": 50.0, "en": 50.0}), spread=0.2)
    frame = by_statistic(small(seeds=(1, 2), languages=("de", "en")), "sound", tmp_path)
    row = frame.query("model == 'a'").set_index("statistic").loc["english"]
    # s² = 2 with one degree of freedom; V: two seeds' .04 / 2 and the floor's .04.
    half_width = 12.706 * np.sqrt(2 / 2 + 0.04 / 2 + 0.04)
    assert row["over_floor"] - row["over_floor_low"] == pytest.approx(half_width, rel=0.01)


def test_pretrainings_are_merged_under_the_first_even_if_it_is_not_scored(tmp_path):
    study = presentation_study(models=(("a", "A", "LM", None),), tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1,))
    study["models"][0]["replicates"] = ["a@2", "a@3"]
    outline = read_outline(json.dumps(study))
    for key, level in (("a@2", 50.0), ("a@3", 60.0)):
        write_run(tmp_path, "default", key, "nc", 1, flat({"de": level, "en": level}))
    row = by_statistic(outline, "sound", tmp_path).query("model == 'a'").set_index("statistic").loc["english"]
    assert (row["ours"], row["pretrainings"], row["runs"], row["df"]) == (pytest.approx(55), 2, 2, 1)


def test_a_missing_language_leaves_a_gap_in_the_average_and_only_there(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0}))
    one = by_statistic(small(), "sound", tmp_path).query("model == 'a'").set_index("statistic")["ours"]
    assert one["english"] == 90 and np.isnan(one["average"])
    four = by_language(small(), "sound", tmp_path).query("model == 'a'").set_index("language")["ours"]
    assert four["de"] == 40 and np.isnan(four["fr"]) and np.isnan(four[ALL_LANGUAGES])


def test_replicates_that_are_missing_are_named(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}))
    beside = tmp_path / "default/a/nc/seed1.npz"
    np.savez(beside, **{"de/test/accuracy": np.ones(1000)})
    with pytest.raises(MtbridgeError, match=r"seed1\.npz.*en/test/accuracy"):
        by_statistic(small(), "sound", tmp_path)
    beside.write_bytes(b"half")
    with pytest.raises(MtbridgeError, match=r"seed1\.npz.*made again"):
        by_statistic(small(), "sound", tmp_path)


def test_exposure_is_joined_to_table_4_and_left_out_where_nothing_is_known(tmp_path):
    outline = published_outline()
    frame = make("table4", outline, "paper", tmp_path, REFERENCE / "table4.csv")
    found = frame.set_index(["model", "task", "language"])["exposure"]
    assert found["mbart", "xnli", "el"] == "none" and found["mbart-m2m", "pos", "de"] == "denoising+source+target"
    assert found.isna()["mbart", "xnli", ALL_LANGUAGES]
    assert "exposure" not in make("table4", outline_of(models=MODELS[:-1]), "paper", tmp_path)


def test_languages_that_a_protocol_of_ones_own_leaves_out_of_a_mean_do_not_count(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0)
    outline = small()
    own = replace(outline.protocol("sound"), mean_without={"nc": ("fr",)}, statistics=("average", "gap"))
    outline = replace(outline, protocols={"own": own})
    frame = by_statistic(outline, "own", tmp_path).query("model == 'a'").set_index("statistic")
    assert frame["ours"].to_dict() == pytest.approx({"average": 65, "gap": 45})
    with pytest.raises(MtbridgeError, match=r"'sound' is no protocol of the study; .*own"):
        by_statistic(outline, "sound", tmp_path)


def test_a_language_without_text_is_unknown_to_what_is_trained_here_although_it_has_a_tag(tmp_path):
    study = presentation_study(
        models=(("a", "A", "LM", None), ("b", "B", "LM", None)),
        tasks=(("nc", "accuracy", ("de", "en", "es")),),
        seeds=(1,),
    )
    study["models"][1]["origin"] = "published"
    outline = read_outline(json.dumps({**study, "shares": {"es": 0, "de": 0.02}}))
    for model in ("a", "b"):
        write_run(tmp_path, "default", model, "nc", 1, flat({"de": 50.0, "en": 60.0, "es": 40.0}))
    frame = by_language(outline, "sound", tmp_path)
    unknown = frame[~frame["language_known"]]
    assert set(zip(unknown["model"], unknown["language"], strict=True)) == {("a", "es"), ("a", ALL_LANGUAGES)}
