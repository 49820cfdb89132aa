import numpy as np
import pytest

from mtbridge.inference.contrasts import changes
from tests.support.presentation import flat, outline_of, write_run


def test_changes_are_paired_and_average_over_all_tasks(tmp_path):
    models = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))
    outline = outline_of(
        models=models, tasks=(("nc", "accuracy", ("de", "en")), ("qam", "accuracy", ("de", "en"))), seeds=(1,)
    )
    noise = 5 * np.random.default_rng(3).normal(size=(2, 1000))
    for task in ("nc", "qam"):
        for model, shift in (("base", 0.0), ("cp", -2.0), ("dn", 1.0)):
            replicates = {"de": 60 + shift + noise[0], "en": 80 + 2 * shift + noise[1]}
            values = flat({"de": 60 + shift, "en": 80 + 2 * shift})
            write_run(tmp_path, "default", model, task, 1, values, replicates=replicates)
    frame = changes(outline, "sound", tmp_path).set_index(["model", "against", "task", "statistic"])
    row = frame.loc["cp", "base", "mean over tasks", "zero_shot"]
    assert (row["change"], row["low"], row["high"]) == pytest.approx((-2, -2, -2), abs=1e-4)
    assert frame.loc[("cp", "dn", "nc", "english"), "change"] == pytest.approx(-6)
    assert frame.loc[("dn", "base", "qam", "gap"), "change"] == pytest.approx(1)
    assert ("base", "base", "nc", "gap") not in frame.index
