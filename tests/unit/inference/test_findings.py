"""What may be said of a study's numbers."""

import numpy as np
import pandas as pd

from mtbridge.inference import findings
from tests.support.presentation import TASKS, outline_of

NC = (TASKS[0],)


def test_the_untrained_model_is_told_apart_by_its_objective_and_the_floor_is_no_model():
    rows = [
        ("default", "nc", "mbert", 80.0, 8, 30.0, "", ""),
        ("default", "nc", "xlmr", 41.0, 8, -1.0, "", ""),
        ("default", "nc", "random", 42.0, 8, 1.0, "", ""),
        ("default", "nc", "mbart", 50.0, 8, np.nan, "constant answer", "all"),
        ("default", "nc", "mbart-m2m", 100.0, 8, np.nan, "one gold class", "all"),
        ("none", "nc", "floor", 40.0, 0, np.nan, "", ""),
    ]
    columns = ["recipe", "task", "model", "ours", "df", "over_floor_low", "degenerate", "left_out"]
    frame = pd.DataFrame(rows, columns=columns).assign(statistic="average")
    statistic, found = findings.above_floor(outline_of(tasks=NC), frame)
    assert statistic == "average", "the mean, where the source language has no row of its own"
    assert found.set_index("model")[["untrained", "constant", "verdict"]].to_dict("index") == {
        "mbert": {"untrained": False, "constant": False, "verdict": "above"},
        "xlmr": {"untrained": False, "constant": False, "verdict": "not above"},
        "random": {"untrained": True, "constant": False, "verdict": "above"},
        "mbart": {"untrained": False, "constant": True, "verdict": "not above"},
    }
    _, found = findings.above_floor(outline_of(tasks=NC), frame.assign(df=0))
    assert set(found["verdict"]) == {""}, "one seed"


def test_models_are_compared_with_their_bases_in_the_last_layer_alone():
    rows = [
        (layer, "mbart", model, value) for layer in (0, 1) for model, value in (("mbart-m2m", layer), ("random", 9))
    ]
    frame = pd.DataFrame(rows, columns=["layer", "model_row", "model_column", "value"])
    found = findings.last_layer_alike(outline_of(), frame)
    assert found.to_numpy().tolist() == [["mbart", "mbart-m2m", 1], ["mbart", "random", 9]]


def test_the_last_layer_is_that_of_each_pair():
    """A pair with a shallower model has fewer layers than the others."""
    rows = [(layer, "mbart", "mbart-m2m", layer) for layer in range(5)]
    rows += [(layer, "mbart", "random", 10 + layer) for layer in range(3)]
    frame = pd.DataFrame(rows, columns=["layer", "model_row", "model_column", "value"])
    found = findings.last_layer_alike(outline_of(), frame)
    assert found.to_numpy().tolist() == [["mbart", "mbart-m2m", 4], ["mbart", "random", 12]]


def test_weights_moved_by_the_medians_over_matrices():
    rows = [("mbart-m2m", 0.5 + step, 0.1, 0.9) for step in (0.0, 0.1, 0.4)] + [("mbart-m2o", 0.2, 0.1, 0.8)]
    frame = pd.DataFrame(rows, columns=["model", "relative_distance", "relative_d", "turned_share"])
    found = findings.weights_moved(outline_of(), frame)
    assert found.to_numpy().tolist() == [["mbart-m2o", 0.2, 0.1, 0.8], ["mbart-m2m", 0.6, 0.1, 0.9]]
