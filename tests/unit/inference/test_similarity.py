"""How alike a model's languages are, against its base on the same texts."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbridge.base.files import write_parquet
from mtbridge.inference.similarity import cells_against, languages_alike
from mtbridge.study.outline import read_outline
from tests.support.presentation import outline_of, presentation_study


def written(folder, values, noise, own=0.001, n=100):
    """Similarities of models: values model -> one value for each of three layers; `noise` [half] is shared by all."""
    rng, rows = np.random.default_rng(1), []
    for model, layers in values.items():
        for layer, value in enumerate(layers):
            for a, b in (("de", "en"), ("de", "fr")):
                halves = value + noise + own * rng.normal(size=len(noise))
                rows.append({"corpus": "parallel", "layer": layer, "model": model, "language_a": a, "language_b": b}
                            | {"estimator": "debiased", "value": value, "low": value - 0.1, "high": value + 0.1}
                            | {"null": 0.0, "n": n, "halves": halves.astype(np.float32), "aligned": True})  # fmt: skip
    path = folder / "languages.parquet"
    write_parquet(pd.DataFrame(rows), path)
    return path


def test_differences_are_paired_on_the_same_halves_of_the_texts(tmp_path):
    noise = 0.05 * np.random.default_rng(0).normal(size=100)
    values = {"mbart": (0.5, 0.6, 0.7), "mbart-m2m": (0.5, 0.62, 0.74), "random": (0.3, 0.4, 0.5)}
    path = written(tmp_path, values, noise)
    (row,) = languages_alike(outline_of(), "sound", path.parent).itertuples()
    assert (row.model, row.base, row.cells) == ("mbart-m2m", "mbart", 6)
    assert (row.value, row.value_base, row.floor) == pytest.approx((0.62, 0.6, 0.4))
    assert row.difference == pytest.approx(0.02)
    # The texts' part is shared and falls out; six cells of two models have .001 each, the mean √(2/6) of that.
    assert (row.high - row.low) / 2 == pytest.approx(1.96 * 0.001 * np.sqrt(2 / 6), rel=0.2)
    assert row.low > 0, "although the intervals of the cells overlap"


def test_the_differences_of_cells_have_the_mean_over_cells_as_their_mean(tmp_path):
    noise = 0.05 * np.random.default_rng(0).normal(size=100)
    values = {"mbart": (0.5, 0.6, 0.7), "mbart-m2m": (0.5, 0.62, 0.74), "mbert": (0.4, 0.4, 0.4)}
    folder = written(tmp_path, values | {"random": (0.3, 0.4, 0.5)}, noise).parent
    cells = cells_against(outline_of(), "sound", folder)
    assert set(zip(cells["model"], cells["against"], strict=True)) == {
        ("mbart-m2m", "mbart"), ("mbart", "random"), ("mbert", "random"),
    }  # fmt: skip
    own = cells[cells["model"] == "mbart-m2m"]
    (mean,) = languages_alike(outline_of(), "sound", folder).itertuples()
    assert own["difference"].mean() == pytest.approx(mean.difference) and len(own) == mean.cells
    assert own.groupby("layer")["difference"].mean().tolist() == pytest.approx([0, 0.02, 0.04])
    # What all cells share falls out; two models' own noise of .001 stays.
    assert ((own["high"] - own["low"]) / 2).mean() == pytest.approx(1.96 * 0.001 * np.sqrt(2), rel=0.2)
    without = {model: layers for model, layers in values.items() if model != "mbart"}
    folder = tmp_path / "no base"
    folder.mkdir()
    assert cells_against(outline_of(), "sound", written(folder, without, noise).parent).empty


def test_halves_of_an_odd_number_of_rows_are_weighed_and_models_without_a_base_left_out(tmp_path):
    values = {"mbart": (0.5,), "mbart-m2m": (0.5,)}
    found = [
        languages_alike(outline_of(), "sound", written(tmp_path, values, np.zeros(20), own=0.1, n=n).parent)
        for n in (10, 9)
    ]
    (one,), (other,) = (frame.itertuples() for frame in found)
    assert (other.high - other.low) / (one.high - one.low) == pytest.approx(np.sqrt(4 / 5))
    assert np.isnan(one.floor), "no untrained encoder"
    alone = languages_alike(outline_of(), "sound", written(tmp_path, {"mbart-m2m": (0.5,)}, np.zeros(20)).parent)
    assert alone.empty


@pytest.mark.slow
def test_intervals_of_differences_hold_the_truth_and_pairing_narrows_them(tmp_path):
    """Two models whose states are the same sentences and other noise: their languages are equally alike."""
    import torch

    from mtbridge.representations.cka import similarities

    held, paired, apart = 0, [], []
    for trial in range(60):
        generator = torch.Generator().manual_seed(trial)
        sentences = torch.randn(60, 5, generator=generator, dtype=torch.float64)
        rows = []
        for model in ("mbart", "mbart-m2m"):
            noise = 0.7 * torch.randn(2, 60, 5, generator=generator, dtype=torch.float64)
            found = similarities([sentences + noise[0], sentences + noise[1]])["debiased"]
            rows.append({"corpus": "parallel", "layer": 0, "model": model, "language_a": "de", "language_b": "en"}
                        | {"estimator": "debiased", "value": float(found.value[0, 1]), "null": 0.0, "n": 60}
                        | {"halves": found.halves[:, 0, 1].numpy()})  # fmt: skip
            apart.append(float(found.high[0, 1] - found.low[0, 1]) * np.sqrt(2))
        write_parquet(pd.DataFrame(rows), tmp_path / "languages.parquet")
        (row,) = languages_alike(outline_of(), "sound", tmp_path).itertuples()
        held += row.low <= 0 <= row.high
        paired.append(row.high - row.low)
    assert held / 60 >= 0.9 and np.mean(paired) < np.mean(apart)


def test_languages_are_not_held_against_a_base_of_another_depth(tmp_path):
    values = {"mbart": (0.5, 0.6), "mbart-m2m": (0.5, 0.62, 0.74)}
    assert languages_alike(outline_of(), "sound", written(tmp_path, values, np.zeros(20)).parent).empty


def test_several_pretrainings_are_in_the_interval(tmp_path):
    study = presentation_study(models=(("base", "Base", "LM", None), ("cp", "CP", "CP", "base")))
    for model in study["models"]:
        model["replicates"] = [f"{model['key']}@2", f"{model['key']}@3"]
    outline = read_outline(json.dumps(study))
    more = {1: 0.02, 2: 0.04, 3: 0.09}
    for number, difference in more.items():
        end = "" if number == 1 else f"@{number}"
        values = {f"base{end}": (0.5, 0.6), f"cp{end}": (0.5 + difference, 0.6 + difference)}
        path = written(tmp_path, values, np.zeros(20), own=0.0)
        path.rename(tmp_path / f"languages{end}.parquet") if end else None
        if number == 1:
            path.rename(tmp_path / "first.parquet")
    (tmp_path / "first.parquet").rename(tmp_path / "languages.parquet")
    (row,) = languages_alike(outline, "sound", tmp_path).itertuples()
    assert (row.P, row.difference) == (3, pytest.approx(0.05))
    spread = np.std(list(more.values()), ddof=1) / np.sqrt(3)
    assert (row.high - row.low) / 2 == pytest.approx(stats.t.ppf(0.975, 2) * spread, rel=1e-4)
