"""Retrieval over languages, directions and pretrainings: means, their intervals, and the layer that is shown."""

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.inference.retrieval import BOTH, CENTRED, EVERY, FROM, RAW, READ, TO, at_depth, curves, layer_at
from tests.unit.inference.test_separability import outline_of

VALUES = {("de", "en"): 0.6, ("en", "de"): 0.5, ("fr", "en"): 0.4, ("en", "fr"): 0.1}


def written(folder, outline, values=VALUES, halves=None, layers=4, sizes=None):
    """values: (source, target) -> accuracy in the last layer, in pretraining number r .02 r more; layer 0 has 0."""
    halves = halves or {}
    rows = [
        (key, *pair, measure, layer, layers, (value + 0.02 * number) * (layer > 0), 0.01, (sizes or {}).get(pair, 100),
         3 * (pair == ("de", "en")), (value + 0.02 * number) * (layer > 0) + halves.get(pair, np.zeros(20)))
        for model in outline.models for number, key in enumerate(outline.replicates(model.key))
        for pair, value in values.items() for measure in (RAW, CENTRED) for layer in range(layers + 1)
    ]  # fmt: skip
    path = folder / "retrieval.parquet"
    write_parquet(pd.DataFrame(rows, columns=READ), path)
    return path


def at(frame, language, direction, measure=RAW, layer=4, model="base"):
    part = frame[(frame["language"] == language) & (frame["direction"] == direction)]
    (row,) = part[(part["measure"] == measure) & (part["layer"] == layer) & (part["model"] == model)].itertuples()
    return row


def test_means_are_over_languages_and_directions(tmp_path):
    frame = curves(outline_of(1), written(tmp_path, outline_of(1)))
    expected = {("de", TO): 0.6, ("de", FROM): 0.5, ("de", BOTH): 0.55, ("fr", BOTH): 0.25,
                (EVERY, TO): 0.5, (EVERY, FROM): 0.3, (EVERY, BOTH): 0.4}  # fmt: skip
    for (language, direction), value in expected.items():
        assert at(frame, language, direction).value == pytest.approx(value)
    assert (at(frame, "de", TO).n, at(frame, EVERY, TO).n, at(frame, EVERY, BOTH).n) == (100, 200, 400)
    assert (at(frame, "de", TO).repeated, at(frame, "de", FROM).repeated) == (3, 0)


def test_the_interval_of_a_mean_holds_that_languages_share_their_sentences(tmp_path):
    noise = 0.02 * np.random.default_rng(0).normal(size=(2, 4000))
    width = lambda row: (row.high - row.low) / 2
    shared = {("de", "en"): noise[0], ("fr", "en"): noise[0]}
    apart = {("de", "en"): noise[0], ("fr", "en"): noise[1]}
    values = {pair: VALUES[pair] for pair in shared}
    frame = curves(outline_of(1), written(tmp_path, outline_of(1), values, shared))
    assert width(at(frame, EVERY, TO)) == pytest.approx(1.96 * 0.02, rel=0.05)
    frame = curves(outline_of(1), written(tmp_path, outline_of(1), values, apart))
    assert width(at(frame, EVERY, TO)) == pytest.approx(1.96 * 0.02 / 2**0.5, rel=0.05)


def test_pretrainings_are_in_the_value_and_in_the_interval(tmp_path):
    from scipy import stats

    frame = curves(outline_of(3), written(tmp_path, outline_of(3)))
    row = at(frame, "de", TO)
    assert (row.value, row.P, row.df) == (pytest.approx(0.62), 3, 2)
    assert (row.high - row.low) / 2 == pytest.approx(stats.t.ppf(0.975, 2) * 0.02 / 3**0.5, rel=1e-6)
    assert row.n == 100, "sentences are counted once, not once a pretraining"


def test_without_variation_there_is_no_interval(tmp_path):
    """Its ends would be the value itself, as if another draw of sentences could give no other."""
    row = at(curves(outline_of(1), written(tmp_path, outline_of(1), {("de", "en"): 0.98})), "de", TO)
    assert row.value > 0.9 and np.isnan(row.low) and np.isnan(row.high)


def test_the_layer_is_that_at_a_share_of_the_depth(tmp_path):
    assert [layer_at(0.667, layers) for layers in (4, 6, 12, 24)] == [3, 4, 8, 16]
    assert layer_at(7 / 12, 12) == 7 and layer_at(0, 4) == 0 and layer_at(1, 4) == 4
    frame = curves(outline_of(1), written(tmp_path, outline_of(1)))
    assert set(at_depth(frame, 0.667)["layer"]) == {3} and set(at_depth(frame, 1.0)["depth"]) == {1.0}


def test_a_language_that_is_there_twice_is_refused(tmp_path):
    path = written(tmp_path, outline_of(1))
    frame = pd.read_parquet(path)
    write_parquet(pd.concat([frame, frame.head(1)]), path)
    with pytest.raises(MtbridgeError, match="'de' is there twice"):
        curves(outline_of(1), path)
