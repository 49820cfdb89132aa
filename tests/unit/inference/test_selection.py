"""The learning rate, chosen on English dev."""

import json
from dataclasses import asdict

import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.selection import candidates, choose
from mtbridge.presentation.markdown import to_markdown
from mtbridge.study.load import load
from mtbridge.study.outline import read_outline
from tests.support.presentation import lay_out, presentation_study, published_outline

ONE = (("a", "A", "LM", None),)
RATES = {"default": 5e-6, "fast": 1e-5, "faster": 5e-5}


def swept(dev: dict, zero_shot: dict, other=None):
    """(scores, outline) of one model on one task: `dev` recipe -> English dev by seed, `zero_shot` German test."""
    rows = []
    for recipe, values in dev.items():
        for seed, value in enumerate(values):
            for language, split, score in (
                ("en", "dev", value),
                ("en", "test", value - 1),
                ("de", "test", zero_shot[recipe]),
            ):
                rows.append((recipe, "a", "nc", seed, language, split, "accuracy", score))
    names = ["recipe", "model", "task", "seed", "language", "split", "metric", "value"]
    study = presentation_study(models=ONE, tasks=(("nc", "accuracy", ("de", "en")),))
    recipes = {name: {"learning_rate": rate, "pooling": "mean", "by_task": {}} for name, rate in RATES.items()}
    study["recipes"] = {name: {"trained": settings} for name, settings in (recipes | (other or {})).items()}
    return pd.DataFrame(rows, columns=names), read_outline(json.dumps(study))


def test_the_best_mean_on_english_dev_is_chosen_whatever_it_does_elsewhere():
    dev = {"default": [70, 72], "fast": [80, 70], "faster": [60, 89]}
    scores, outline = swept(dev, {"default": 50.0, "fast": 40.0, "faster": 60.0})
    row = choose(scores, outline, "sound").iloc[0]
    assert (row["recipe"], row["learning_rate"], row["english_dev"]) == ("fast", 1e-5, 75)
    assert (row["candidates"], row["seeds"], row["at_edge"]) == (3, 2, False)
    assert (row["english"], row["zero_shot"], row["gap"]) == (74, 40, 34)
    assert (row["first_english_dev"], row["first_zero_shot"]) == (71, 50)
    text = to_markdown(lay_out("learning_rate", choose(scores, outline, "sound"), outline, "sound"))
    assert "1e-05<br><sub>English dev 75.0</sub><br><sub>English 74.0 (+4.0)</sub>" in text
    assert "zero-shot 40.0 (−10.0)" in text and "§" not in text


def test_the_lower_rate_wins_a_tie_and_the_edge_of_the_sweep_is_marked():
    scores, outline = swept({"default": [70], "fast": [80], "faster": [80]}, dict.fromkeys(RATES, 50.0))
    assert choose(scores, outline, "sound")["recipe"][0] == "fast"
    scores, outline = swept({"default": [70], "fast": [80], "faster": [81]}, dict.fromkeys(RATES, 50.0))
    frame = choose(scores, outline, "sound")
    assert frame["at_edge"][0] and "5e-05§" in to_markdown(lay_out("learning_rate", frame, outline, "sound"))


def test_recipes_that_differ_in_more_than_the_rate_have_no_part():
    other = {"eos": {"learning_rate": 1e-5, "pooling": "eos", "by_task": {}}}
    dev = {"default": [70], "fast": [75], "eos": [99]}
    scores, outline = swept(dev, {"default": 50.0, "fast": 50.0, "eos": 90.0}, other)
    frame = choose(scores, outline, "sound")
    assert frame["recipe"][0] == "fast" and frame["candidates"][0] == 2


def test_every_task_of_the_sensitivity_study_sees_the_same_four_rates():
    settings = load({"study": "paper-sensitivity"})
    recipes = {
        name: {"published": settings.recipe_record(name, "published", settings.tasks)} for name in settings.recipes
    }
    outline = published_outline(recipes=recipes)
    for task in outline.tasks:
        assert sorted(candidates(outline, task.name, "published").values()) == [5e-6, 1e-5, 2e-5, 5e-5], task.name
    assert candidates(outline, "pos", "published")["default"] == 2e-5
    changed = {
        key
        for recipe in recipes
        for key, value in asdict(settings.recipe(recipe, "published", "nc")).items()
        if value != getattr(settings.recipe("default", "published", "nc"), key)
    }
    assert changed == {"learning_rate", "language_tag", "pooling", "pair_encoding"}


def test_recipes_without_settings_are_told():
    scores, outline = swept({"default": [70]}, {"default": 50.0})
    study = presentation_study(models=ONE) | {"recipes": ["default"]}
    with pytest.raises(MtbridgeError, match="its recipes have no settings"):
        choose(scores, read_outline(json.dumps(study)), "sound")
    empty = choose(scores[:0], outline, "sound")
    assert empty["recipe"].isna().all() and "—" in to_markdown(lay_out("learning_rate", empty, outline, "sound"))
