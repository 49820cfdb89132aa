"""What views know of a study, and how it is read."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study

ONE = (("a", "A", "LM", None),)


def test_an_unknown_kind_of_exposure_is_named():
    study = presentation_study(models=ONE)
    study["models"][0]["seen"] = {"denosing": ["de"]}
    with pytest.raises(MtbridgeError, match=r"model a: seen\.denosing: expected one of masked_lm, denoising"):
        read_outline(json.dumps(study))


def test_a_study_that_lacks_a_key_is_named():
    study = presentation_study()
    with pytest.raises(MtbridgeError, match="lacks the key 'seeds'"):
        read_outline(json.dumps({k: v for k, v in study.items() if k != "seeds"}))
    study["models"][0]["kind"] = "lm"
    with pytest.raises(MtbridgeError, match="model mbert: kind 'lm', expected one of LM"):
        read_outline(json.dumps(study))
    with pytest.raises(MtbridgeError, match="cannot be read"):
        read_outline("no/such/file.json")


def test_a_setting_of_a_protocol_that_does_not_fit_is_named_in_one_line():
    study = presentation_study()
    study["protocols"]["paper"]["estimator"] = "best"
    expected = r"^--study: protocols\.paper\.estimator: .*'biased' or 'debiased'.* got 'best'$"
    with pytest.raises(MtbridgeError, match=expected):
        read_outline(json.dumps(study))


def test_a_studys_own_outline_carries_protocols_labels_and_the_untrained_model():
    labels = {"nc": {"label": "News"}}
    settings = load({"study": "mini", "protocols": ["sound", "paper"], "task_catalog": labels})
    outline = read_outline(Options(Study(settings)).outline())
    assert outline.task_labels["nc"] == "News" and outline.task_labels["paws-x"] == "PAWS-X"
    assert [model.key for model in outline.models if model.is_untrained] == ["random"]
    assert (outline.corpus("paper"), outline.corpus("sound")) == ("nc", "parallel")
    assert outline.protocol("paper").split("xnli") == "dev"


def test_what_a_task_asks_is_for_views_alone():
    changed = {"study": "smoke", "task_catalog": {"nc": {"description": "the section of a newspaper"}}}
    new, old = (Options(Study(load(config))) for config in (changed, {"study": "smoke"}))
    assert read_outline(new.outline()).tasks[0].description == "the section of a newspaper"
    assert new.task("nc") == old.task("nc") and new.examples("nc", "train") == old.examples("nc", "train")
    assert all(task.description for task in read_outline(old.outline()).tasks), "every task of the presets says it"
