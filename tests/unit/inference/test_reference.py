"""The arithmetic of the published numbers: what the reference tables say when they are added up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.inference.scores import ALL_LANGUAGES

REFERENCE = Path(__file__).resolve().parents[3] / "workflow" / "reference"
CONTINUED = ("mbart-m2o", "mbart-o2m", "mbart-m2m")


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


@pytest.fixture(scope="module")
def cells():
    frame = read("table4")
    return frame[frame["language"] != ALL_LANGUAGES]


@pytest.fixture(scope="module")
def spectra():
    """Every continued matrix with its base's norm, and the share of d² that one factor on the base's σ explains."""
    frame = pd.concat([read("table2"), read("table5")])
    base = frame[frame["model"] == "mbart"].set_index(["layer", "matrix"])["sigma_norm"].rename("base")
    frame = frame[frame["model"] != "mbart"].join(base, on=["layer", "matrix"])
    # ⟨σ, σ₀⟩ follows from the three numbers printed: d² = ‖σ‖² + ‖σ₀‖² − 2⟨σ, σ₀⟩.
    product = (frame["sigma_norm"] ** 2 + frame["base"] ** 2 - frame["d"] ** 2) / 2
    factor = product / frame["base"] ** 2
    return frame.assign(share=(factor - 1) ** 2 * frame["base"] ** 2 / frame["d"] ** 2)


def changes(cells):
    """(task, model) -> change against mBART in English, and as the mean over the other languages."""
    wide = cells.pivot(index=["task", "language"], columns="model", values="score").reset_index()
    rows = {}
    for task, part in wide.groupby("task"):
        english = part["language"] == "en"
        for model in (*CONTINUED, "nllb-600m"):
            change = part[model] - part["mbart"]
            rows[task, model] = {"english": change[english].mean(), "zero_shot": change[~english].mean()}
    return pd.DataFrame(rows).T


def test_the_tables_are_whole():
    four = read("table4")
    assert (four["language"] != ALL_LANGUAGES).sum() == 413 and (four["language"] == ALL_LANGUAGES).sum() == 56
    assert len(read("table1")) == 56 and len(read("table2")) == 24 and len(read("table5")) == 264
    assert set(read("table2")["layer"]) == {11} and set(read("table5")["layer"]) == set(range(11))


def test_every_published_mean_counts_english_and_wprs_leaves_chinese_out(cells):
    printed = read("table4").query("language == @ALL_LANGUAGES").set_index(["task", "model"])["score"]
    every = cells.groupby(["task", "model"])["score"].mean()
    without = cells[cells["language"] != "zh"].groupby(["task", "model"])["score"].mean()
    away = (every - printed).abs()
    assert away.drop("wpr").max() < 0.0101
    assert away["wpr"].min() > 1 and (without - printed).abs()["wpr"].max() < 0.0101
    assert every["wpr", "mbert"] == pytest.approx(72.74, abs=0.005) and printed["wpr", "mbert"] == 74.42


def test_table_1_is_the_means_of_table_4():
    printed = read("table4").query("language == @ALL_LANGUAGES").set_index(["task", "model"])["score"]
    assert (read("table1").set_index(["task", "model"])["score"] - printed).abs().max() < 0.0501


def test_all_xnli_cells_are_multiples_of_one_in_2490_and_few_of_one_in_5010(cells):
    scores = cells.query("task == 'xnli'")["score"].to_numpy()

    def fitting(size):
        return int(sum(round(100 * round(score * size / 100) / size, 2) == score for score in scores))

    assert (len(scores), fitting(2490), fitting(5010)) == (105, 105, 43)


def test_twelve_norms_are_smaller_than_the_bases(spectra):
    smaller = spectra[spectra["sigma_norm"] < spectra["base"]]
    assert len(spectra) == 216 and len(smaller) == 12
    assert set(smaller["matrix"]) == {"v", "out"} and set(smaller["layer"]) == {0, 1, 2}
    assert set(smaller["model"]) == {"mbart-m2m", "mbart-m2o"}


def test_every_distance_is_above_the_difference_of_norms(spectra):
    assert (spectra["d"] > (spectra["sigma_norm"] - spectra["base"]).abs()).all()


def test_one_factor_explains_most_of_the_distance(spectra):
    assert spectra["share"].between(0, 1).all()
    assert spectra["share"].median() == pytest.approx(0.87, abs=0.005)
    medians = spectra.groupby("model")["share"].median()
    assert [medians[model] for model in CONTINUED] == pytest.approx([0.80, 0.94, 0.79], abs=0.005)


def test_english_falls_too(cells):
    mean = changes(cells).groupby(level=1).mean()
    order = [*CONTINUED, "nllb-600m"]
    assert mean.loc[order, "english"].tolist() == pytest.approx([-2.4, -2.5, -1.7, -3.3], abs=0.05)
    assert mean.loc[order, "zero_shot"].tolist() == pytest.approx([-4.3, -14.1, -4.1, -8.1], abs=0.05)


def test_on_qadsm_english_falls_more_than_the_others_for_every_continued_model(cells):
    frame = changes(cells).loc["qadsm"].loc[list(CONTINUED)]
    assert (frame["english"] < frame["zero_shot"]).all() and (frame["english"] < -4).all()


def test_in_figure_2_languages_are_more_alike_in_m2m_than_in_mbart():
    frame = read("figure2").pivot(index=["layer", "language_a", "language_b"], columns="model", values="cka")
    both = frame[["mbart", "mbart-m2m"]].dropna()
    change = both["mbart-m2m"] - both["mbart"]
    assert (len(both), (change > 0).sum(), (change < 0).sum()) == (130, 92, 20)
    assert both["mbart-m2m"].mean() == pytest.approx(0.173, abs=5e-4)
    assert both["mbart"].mean() == pytest.approx(0.152, abs=5e-4)
    assert np.isfinite(frame[["mbart-m2o", "mbart-o2m"]].to_numpy()).all()
