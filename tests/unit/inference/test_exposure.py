"""What models have seen of a language."""

import json

from mtbridge.inference.exposure import exposure
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study, published_outline

ONE = (("a", "A", "LM", None),)


def test_published_models_have_seen_what_their_papers_say():
    frame = exposure(published_outline())
    seen = frame.set_index(["model", "language"])["exposure"]
    assert len(frame) == 7 * 19
    assert set(seen["mbert"]) == set(seen["xlmr"]) == {"masked_lm"}
    assert set(seen["nllb-600m"]) == {"source+target"}
    for model in ("mbart", "mbart-m2o", "mbart-o2m", "mbart-m2m"):
        assert {language for language, kind in seen[model].items() if kind == "none"} == {"bg", "el"}
        assert seen[model, "sw"] == "denoising"
    assert seen["mbart-m2o", "de"] == "denoising+source" and seen["mbart-m2o", "en"] == "denoising+target"
    assert seen["mbart-o2m", "de"] == "denoising+target" and seen["mbart-o2m", "en"] == "denoising+source"
    assert seen["mbart-m2m", "de"] == seen["mbart-m2m", "en"] == "denoising+source+target"


def test_a_base_counts_and_models_trained_here_say_it_by_their_objective():
    study = presentation_study()
    objectives = {"mbert": "masked_lm", "xlmr": "masked_lm", "mbart": "denoising", "mbart-dn": "denoising"}
    directions = {"mbart-m2o": "many-to-one", "mbart-o2m": "one-to-many", "mbart-m2m": "all", "nllb-600m": "all"}
    for model in study["models"]:
        model["objective"] = objectives.get(model["key"], "translation" if model["key"] in directions else "none")
        model["directions"] = directions.get(model["key"])
    outline = read_outline(json.dumps({**study, "languages": ["de", "en"]}))
    seen = exposure(outline).set_index(["model", "language"])["exposure"]
    assert seen["mbart-m2o", "de"] == "denoising+source" and seen["mbart-o2m", "de"] == "denoising+target"
    assert seen["mbart-dn", "en"] == "denoising" and seen["nllb-600m", "de"] == "source+target"
    assert set(seen["random"]) == {"none"} and seen["mbert", "zh"] == "none"
