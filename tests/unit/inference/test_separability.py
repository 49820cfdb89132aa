"""Separability over pretrainings: paired differences, verdicts, and the slope of transfer over it."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbridge.base.files import write_parquet
from mtbridge.inference.separability import READ, curves, differences, slopes
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study
from tests.support.verdicts import frame as contrasts_of
from tests.support.verdicts import row

MODELS = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))


def outline_of(pretrainings=3):
    study = presentation_study(models=MODELS, tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1,))
    for model in study["models"]:
        model["replicates"] = [f"{model['key']}@{number}" for number in range(2, pretrainings + 1)]
    return read_outline(json.dumps(study))


def written(folder, outline, value, spread=0.01, task="", seeds=(0,)):
    """value: (model, number) -> language_share in layer 2; layer 1 has half of it. Halves scatter alike in all."""
    noise = spread * np.random.default_rng(0).normal(size=100)
    rows = []
    for model in outline.models:
        for number, key in enumerate(outline.replicates(model.key), 1):
            for layer, factor in ((1, 0.5), (2, 1.0)):
                for seed in seeds:
                    one = factor * value(model.key, number)
                    recipe = "default" if task else ""
                    rows.append((outline.corpus("sound"), key, recipe, task, seed, layer, "language_share", "all",
                                 "all", one, 0.01, one + noise))  # fmt: skip
    path = folder / "separability.parquet"
    write_parquet(pd.DataFrame(rows, columns=READ), path)
    return path


def value_of(model, number):
    return 0.2 + 0.02 * number + (0.1 + 0.01 * number if model == "cp" else 0.0)


def test_a_curve_has_the_interval_of_pretrainings_and_sentences(tmp_path):
    outline = outline_of()
    path = written(tmp_path, outline, lambda model, number: 0.2 + 0.02 * number)
    found = curves(outline, "sound", path).set_index(["model", "layer"]).loc[("base", 2)]
    noise = 0.01 * np.random.default_rng(0).normal(size=100)
    half_width = stats.t.ppf(0.975, 2) * np.sqrt(0.02**2 / 3 + noise.var(ddof=1))
    assert (found["value"], found["P"], found["df"]) == (pytest.approx(0.24), 3, 2)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(half_width)


def test_differences_are_paired_by_pretraining_and_by_half(tmp_path):
    outline = outline_of()
    found = differences(outline, "sound", written(tmp_path, outline, value_of)).set_index(["model", "against"])
    one = found.loc[("cp", "dn")]
    assert one["layer"] == 2 and one["by_pretraining"] == pytest.approx([0.11, 0.12, 0.13])
    # What all models share, of pretrainings and of halves, is gone.
    assert (one["high"] - one["low"]) / 2 == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 / np.sqrt(3))
    assert (one["verdict"], found.loc[("dn", "base"), "verdict"]) == ("rises", "no verdict"), "nothing varies in dn"


def test_one_pretraining_has_no_verdict(tmp_path):
    outline = outline_of(pretrainings=1)
    found = differences(outline, "sound", written(tmp_path, outline, value_of))
    assert set(found["verdict"]) == {"no verdict"} and set(found["df"]) == {0}


def test_after_fine_tuning_seeds_are_averaged(tmp_path):
    outline = outline_of()
    path = written(tmp_path, outline, value_of, task="nc", seeds=(1, 2))
    found = differences(outline, "sound", path).set_index(["model", "against"])
    assert found.loc[("cp", "dn"), "task"] == "nc"
    assert found.loc[("cp", "dn"), "by_pretraining"] == pytest.approx([0.11, 0.12, 0.13])


def test_the_slope_is_that_of_single_pretrainings_through_their_base(tmp_path):
    outline = outline_of()
    share = {"base": 0.2, "cp": 0.3, "dn": 0.25}
    path = written(tmp_path, outline, lambda model, number: share[model])
    each = [20.0, 40.0, 60.0]  # points for 1 of the share, by pretraining
    rows = [
        row("zero_shot", 0.0, 1.0, "undecided", family="base", primary=False, model=model, against="base",
            by_pretraining=[slope * more for slope in each], numbers=[1, 2, 3], P=3)
        for model, more in (("cp", 0.1), ("dn", 0.05))
    ]  # fmt: skip
    contrasts = contrasts_of(rows)
    (found,) = slopes(outline, "sound", differences(outline, "sound", path), contrasts).itertuples()
    assert (found.slope, found.P) == (pytest.approx(40), 3)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t.ppf(0.975, 2) * 20 / np.sqrt(3))
    assert found.n == [int(contrasts["n"].iloc[0])] * 3 + [int(contrasts["n"].iloc[1])] * 3 and found.n[0] > 0
    assert found.models == ["cp"] * 3 + ["dn"] * 3 and found.x == pytest.approx([0.1] * 3 + [0.05] * 3)
    # A pretraining that has no scores yet is no point, and the others stay with their own scores.
    fewer = contrasts.assign(
        by_pretraining=[[values[0], values[2]] for values in contrasts["by_pretraining"]], numbers=[[1, 3], [1, 3]]
    )
    (found,) = slopes(outline, "sound", differences(outline, "sound", path), fewer).itertuples()
    assert (found.slope, found.P, found.numbers) == (pytest.approx(40), 2, [1, 3, 1, 3])
    assert found.y == pytest.approx([2.0, 6.0, 1.0, 3.0])
    nothing = contrasts.assign(estimate=np.nan, by_pretraining=[[], []])
    assert slopes(outline, "sound", differences(outline, "sound", path), nothing).empty


def test_the_untrained_encoder_is_the_floor(tmp_path):
    study = presentation_study(
        models=(*MODELS, ("random", "Untrained", "control", None)), tasks=(("nc", "accuracy", ("de", "en")),)
    )
    outline = read_outline(json.dumps(study))
    value = {"base": 0.2, "cp": 0.3, "dn": 0.2, "random": 0.45}
    found = differences(outline, "sound", written(tmp_path, outline, lambda model, number: value[model]))
    assert set(found["floor"]) == {0.45} and "random" not in set(found["model"])
    assert differences(outline_of(), "sound", written(tmp_path, outline_of(), value_of))["floor"].isna().all()
