"""How far languages lie apart: sums of squares against closed forms, invariances, and what has no structure."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.representations.separability import COLUMNS, EVERY, measure, separability

LANGUAGES = ("de", "en", "fr")


def states(n=60, dim=16, language=1.0, sentence=1.0, rest=0.5, layers=1, seed=0) -> dict[str, torch.Tensor]:
    """language -> [layer, n, dim]: the sum of a language's, a sentence's and a part of its own."""
    draw = torch.Generator().manual_seed(seed)
    of_sentence = sentence * torch.randn(layers, n, dim, generator=draw, dtype=torch.float64)
    return {
        name: language * torch.randn(layers, 1, dim, generator=draw, dtype=torch.float64)
        + of_sentence
        + rest * torch.randn(layers, n, dim, generator=draw, dtype=torch.float64)
        for name in LANGUAGES
    }


def values(frame: pd.DataFrame, layer=0) -> dict[str, float]:
    part = frame[(frame["layer"] == layer) & (frame["source"] == EVERY)]
    return dict(zip(part["measure"], part["value"], strict=True))


def test_shares_are_those_of_a_two_way_analysis_of_variance():
    made = states()
    x = torch.stack(list(made.values()))[:, 0].numpy()  # [language, sentence, dim]
    grand = x.mean((0, 1))
    total = np.square(x - grand).sum()
    of_language = x.shape[1] * np.square(x.mean(1) - grand).sum()
    of_sentence = x.shape[0] * np.square(x.mean(0) - grand).sum()
    found = values(measure(made))
    assert found["language_share"] == pytest.approx(of_language / total)
    assert found["sentence_share"] == pytest.approx(of_sentence / total)
    within = sum(np.square(rows - rows.mean(0)).sum() for rows in x)
    assert found["fisher_ratio"] == pytest.approx(of_language / within)


def test_halves_have_the_measures_of_their_sentences():
    from mtbridge.representations.subsamples import half_subsamples

    made = states(n=40)
    frame = measure(made)
    rows = half_subsamples(40).bool()[:, 3]
    half = measure({name: each[:, rows] for name, each in made.items()})
    for name in ("language_share", "sentence_share", "fisher_ratio"):
        whole = frame[(frame["measure"] == name) & (frame["source"] == EVERY)].iloc[0]
        assert whole["halves"][3] == pytest.approx(values(half)[name], rel=1e-5)


def test_measures_do_not_change_when_states_are_rotated_moved_or_scaled():
    made = states()
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    moved = {name: 3 * each @ rotation + 7 for name, each in made.items()}
    one, other = values(measure(made)), values(measure(moved))
    del one["retrieval"], other["retrieval"]  # by cosine of the states as they are, which an offset changes
    assert one == pytest.approx(other, rel=1e-5)


def test_an_offset_of_a_language_separates_it_and_disturbs_only_what_is_not_centred():
    near, far = (values(measure(states(language=size))) for size in (0.0, 5.0))
    assert far["language_share"] > 0.8 > 0.05 > near["language_share"]
    assert far["fisher_ratio"] > 10 * near["fisher_ratio"]
    assert far["retrieval_centred"] == pytest.approx(near["retrieval_centred"], abs=0.05)
    assert far["retrieval"] < near["retrieval"]
    assert far["cosine"] == pytest.approx(near["cosine"], abs=0.02)


def test_states_without_structure_give_the_null():
    frame = measure(states(n=400, dim=512, language=0.0, sentence=0.0, rest=1.0))
    whole = frame[frame["source"] == EVERY].set_index("measure")
    for name in ("language_share", "sentence_share", "fisher_ratio"):
        assert whole.loc[name, "value"] == pytest.approx(whole.loc[name, "null"], rel=0.15)
    assert whole.loc["retrieval", "null"] == 1 / 400 and whole.loc["retrieval", "value"] < 0.02
    assert abs(whole.loc["cosine", "value"]) < 0.02


def test_retrieval_finds_equal_sentences_in_both_directions_and_their_mean():
    made = states(rest=0.0, language=0.0)
    made["fr"] = made["fr"].roll(1, dims=1)  # no sentence stands beside its translation
    frame = measure(made)
    found = frame[frame["measure"] == "retrieval"].set_index(["source", "target"])["value"]
    assert (found["de", "en"], found["en", "de"], found["en", "fr"], found["fr", "en"]) == (1, 1, 0, 0)
    assert found[EVERY, EVERY] == pytest.approx(2 / 6)
    directions = frame[frame["measure"] == "cosine"]
    assert set(zip(directions["source"], directions["target"], strict=True)) == {
        (EVERY, EVERY), ("de", "en"), ("de", "fr"), ("en", "fr")}  # fmt: skip


def test_equal_states_have_no_shares_and_find_nothing():
    frame = measure({name: torch.ones(1, 20, 4) for name in LANGUAGES})
    assert frame["value"].abs().max() == 0 and np.isfinite(frame[["low", "high"]]).all(axis=None)


def test_the_interval_holds_the_value_of_many_sentences():
    """Sentences are the sample: a large one has the value that small ones' intervals should hold."""
    whole = measure(states(n=4000, seed=1))
    truth = values(whole)["sentence_share"]
    made = states(n=4000, seed=1)
    held = 0
    for start in range(0, 4000, 100):
        part = measure({name: each[:, start : start + 100] for name, each in made.items()}, aligned=True)
        row = part[(part["measure"] == "sentence_share") & (part["source"] == EVERY)].iloc[0]
        held += row["low"] <= truth <= row["high"]
    assert held >= 35, "of 40"


def test_unaligned_text_has_only_what_needs_no_translations():
    assert set(measure(states(), aligned=False)["measure"]) == {"language_share", "fisher_ratio"}


def test_a_file_has_every_layer_and_unequal_rows_are_an_error(tmp_path):
    path = tmp_path / "states.safetensors"
    save_file({name: each.float() for name, each in states(layers=3).items()}, path)
    frame = separability(path, "a", "parallel", aligned=True)
    assert list(frame.columns) == COLUMNS and set(frame["layer"]) == {0, 1, 2}
    assert set(frame["model"]) == {"a"} and set(frame["task"]) == {""}
    made = {name: each.float() for name, each in states(layers=3).items()}
    save_file({**made, "fr": made["fr"][:, :50].clone()}, path)
    with pytest.raises(MtbridgeError, match="languages differ in rows"):
        separability(path, "a", "parallel", aligned=True)


def test_one_language_has_nothing_to_measure():
    assert measure({"en": torch.randn(2, 20, 4)}).empty
