"""The answer in plain English: it says what the verdicts say, and no more."""

import json
import re

import pandas as pd
import pytest

from mtbridge.inference.claims.generation import COLUMNS
from mtbridge.presentation import comparisons
from mtbridge.presentation.page import names, plain
from mtbridge.presentation.page.sentence import ASKED, FOUND, OPEN, SURE
from mtbridge.study.outline import read_outline
from tests.support.presentation import outline_of, presentation_study
from tests.support.verdicts import NAN, frame, three

OBJECTIVES = {"mbart": "denoising", "mbart-dn": "denoising", "random": "none", "mbert": "masked_lm"}
SILENT = {name: (5.0, 1.0, "no verdict") for name in ("english", "zero_shot", "gap")}
ONCE = {"scope": "examples", "P": 1, "S": 1, "p_holm": NAN}


@pytest.fixture(scope="module")
def outline():
    study = presentation_study()
    for model in study["models"]:
        model["objective"] = OBJECTIVES.get(model["key"], "translation")
        if model["key"].startswith("mbart-") and model["key"] != "mbart-dn":
            model["directions"] = {"mbart-m2o": "many-to-one", "mbart-o2m": "one-to-many"}.get(
                model["key"], "english-centric"
            )
    next(model for model in study["models"] if model["key"] == "mbart-dn")["match"] = "mbart-m2m"
    return read_outline(json.dumps(study))


def found(*rows):
    return list(comparisons.contrasts(frame(*rows)))


def said(outline, *rows) -> dict[str, str]:
    """Heading -> sentence."""
    return {sentence.heading: sentence.text for sentence in plain.answer(outline, found(*rows))}


def test_question_and_way_of_testing_need_no_word_of_the_project(outline):
    asked = said(outline, three())[ASKED]
    assert "if it is first trained further on translation? It is compared with one that is trained as long on" in asked
    assert "taught 8 tasks with English examples only, and then tested in" in asked
    against_base = said(outline, three(against="mbart"))[ASKED]
    assert "compared with the model that it continues" in against_base and "denoising" not in against_base


def test_one_pair_of_models_is_asked_about_by_name(outline):
    pair = {"family": "compare", "primary": False, "p_holm": NAN, "model": "mbert", "against": "xlmr"}
    told = said(outline, three(**pair))
    assert told[ASKED].startswith(
        "Does mBERT-like carry more of what it learns in English over to other languages than"
    )
    assert told[FOUND] == "mBERT-like scores higher in other languages."


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("helps", "The model trained further on translation scores higher in other languages."),
        ("hurts", "The model trained further on translation scores lower in other languages."),
        ("equivalent", "scores the same in other languages, within 1 point of 100."),
        ("undecided", "may score higher or lower in other languages (these data do not tell)."),
    ],
)
def test_the_answer_is_the_verdict_on_zero_shot_scores(outline, verdict, says):
    text = said(outline, three(zero_shot=(1.0, 0.5, verdict)))[FOUND]
    assert text.endswith(says)


def test_verdicts_of_several_models_are_counted_and_none_is_lost(outline):
    text = said(
        outline,
        three(model="mbart-m2m", zero_shot=(4.0, 5.0, "undecided")),
        three(model="mbart-m2o", **SILENT, **ONCE),
        three(model="mbart-o2m", **SILENT, **ONCE),
    )[FOUND]
    assert text.startswith("Of 3 such models, 1 may score higher or lower")
    assert text.endswith("; 2 were run too few times to be judged.")
    assert sum(map(int, re.findall(r"(?<![\w.])\d+(?= (?:may|were|was|score))", text))) == 3


def test_one_verdict_for_all_is_said_once_and_what_was_lost_in_english_with_it(outline):
    lost = {"english": (-2.6, 1.0, "hurts"), "zero_shot": (2.6, 1.0, "helps")}
    text = said(outline, three(**lost), three(model="mbart-o2m"))[FOUND]
    assert text == "All 2 such models score higher in other languages. In English 1 of them scores lower."
    assert said(outline, three(**lost))[FOUND].endswith(" other languages. In English it scores lower.")


def test_a_better_model_is_not_called_better_transfer(outline):
    better = three(english=(5, 1, "helps"), gap=(-0.5, 2, "undecided"))
    assert (
        "In English the scores rose too: a better model, but better transfer is not shown."
        in (said(outline, better)[FOUND])
    )
    assert "rose too" not in said(outline, three())[FOUND]


def test_how_sure_depends_on_what_varied(outline):
    sure = said(outline, three(zero_shot=(0.5, 2.0, "undecided")))[SURE]
    assert "trained 5 times" in sure
    assert "A true difference below 2.1 points of 100 may well have been missed; 1 point would matter, so the" in sure
    assert "missed" not in said(outline, three())[SURE]
    once = said(outline, three(scope="checkpoint", P=1, S=3))[SURE]
    assert "only once" in once and "about these very models" in once
    assert SURE not in said(outline, three(**SILENT, **ONCE)), "what is not judged is not sure"


def test_small_models_are_no_published_ones(outline):
    assert "Nothing follows for large published models" in said(outline, three())[OPEN]
    study = presentation_study()
    study["models"][0]["origin"] = "published"
    assert "published" not in said(read_outline(json.dumps(study)), three())[OPEN]
    assert plain.answer(outline, []) == []


def test_names_say_what_a_model_was_trained_on_and_that_it_is_not_the_published_one(outline):
    explained = dict(names.names_of(outline, found(three())))
    assert list(explained) == ["…-like", "mBART-like", "mBART m2m-like", "mBART + denoising"]
    assert "it is not that model" in explained["…-like"]
    assert explained["mBART m2m-like"] == (
        "mBART-like, further trained on translation from English into other languages and back"
    )
    assert "The control of mBART m2m-like" in explained["mBART + denoising"]
    study = presentation_study()
    for model in study["models"]:
        model["origin"] = "published"
    assert names.names_of(read_outline(json.dumps(study)), found(three())) == []
    assert dict(names.names_of(outline, []))["untrained"].startswith("random weights"), (
        "all models, if none is compared"
    )


def test_what_is_written_is_explained_with_its_tasks():
    study = presentation_study()
    study["writing"][0]["description"] = "tell what happened"
    rows = [
        {"claim": claim, "verdict": verdict, "P": 1, "S": 2, "effect": 70.0}
        for claim, verdict in (("lower_rate", "supported"), ("lower_rate", "undecided"), ("frozen", "supported"))
    ]
    sentences = plain.of_writing(read_outline(json.dumps(study)), pd.DataFrame(rows).reindex(columns=COLUMNS))
    told = {sentence.heading: sentence.text for sentence in sentences}
    assert "“event” (tell what happened)" in told[ASKED]
    assert told[FOUND].startswith("In 1 of 2 comparisons it is clear that a model that is taught in large steps")
    assert "In the one comparison made large steps do less harm" in told[FOUND]
    assert "2 random seeds" in told[SURE] and "these very models" in told[SURE]
    summary = pd.DataFrame(
        [
            ("wrong_language", statistic, way, model, "event", rate, value)
            for model, values in (("mbart", (2.2, 80.4)), ("nllb-600m", (5.6, 96.3)))
            for rate, value in zip((0.01, 0.001), values[::-1], strict=True)
            for statistic, way in (("zero_shot", "full"), ("english", "full"), ("zero_shot", "frozen"))
        ],
        columns=["measure", "statistic", "way", "model", "task", "learning_rate", "value"],
    )
    summary.loc[(summary["statistic"] == "english") | (summary["way"] == "frozen"), "value"] = 50.0
    with_shares = plain.of_writing(outline_of(), pd.DataFrame(rows).reindex(columns=COLUMNS), summary)
    assert "it is 80 to 96 with the largest steps, and 2 to 6 with the smallest." in with_shares[1].text
    nothing = plain.of_writing(outline_of(), pd.DataFrame(columns=COLUMNS))
    assert [sentence.heading for sentence in nothing] == [ASKED]
