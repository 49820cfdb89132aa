"""What the page answers: English, zero-shot and gap are read together, and nothing is claimed beyond its ground."""

import json
import re

import pandas as pd
import pytest

from mtbridge.base.files import write_parquet
from mtbridge.inference import ranking
from mtbridge.presentation import comparisons
from mtbridge.presentation.page import answers
from mtbridge.presentation.requirements import RANKING
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study
from tests.support.verdicts import NAN, frame, row, three, write_contrasts

OBJECTIVES = {"mbart": "denoising", "mbart-dn": "denoising", "random": "none", "mbert": "masked_lm"}
CHECKPOINT = {"scope": "checkpoint", "P": 1, "S": 3, "by_pretraining": []}
NO_RANKS = pd.DataFrame(columns=ranking.COLUMNS)


@pytest.fixture(scope="module")
def outline():
    study = presentation_study()
    for model in study["models"]:
        model["objective"] = OBJECTIVES.get(model["key"], "translation")
    return read_outline(json.dumps(study))


def found(*rows):
    return list(comparisons.contrasts(frame(*rows)))


def sentence(outline, **changes):
    (contrast,) = found(three(**changes))
    return answers.sentence(outline, contrast)


def test_a_contrast_is_one_text_with_its_ground(outline):
    assert sentence(outline) == (
        "Continuing on translation (mBART m2m-like) instead of more denoising (mBART + denoising): zero-shot +6.7 "
        "points [5.3, 8.1], helps (5 pretrainings, 1 seed, 8 tasks, n = 16,000). English +0.1 [−0.8, 1.0], equivalent "
        "within 1 point; gap −6.6 [−8.1, −5.1], narrower. The gap narrowed because zero-shot scores rose."
    )


@pytest.mark.parametrize(
    ("english", "zero_shot", "says"),
    [
        ("equivalent", "helps", "narrowed because zero-shot scores rose."),
        ("helps", "helps", "narrowed because zero-shot scores rose."),
        ("hurts", "helps", "because zero-shot scores rose, and because English fell."),
        ("hurts", "undecided", "narrowed because English fell, which is no better transfer."),
        ("hurts", "equivalent", "narrowed because English fell, which is no better transfer."),
        ("hurts", "hurts", "narrowed because English fell, and zero-shot scores fell too."),
        ("undecided", "hurts", "so English must have fallen further."),
        ("undecided", "undecided", "it is not clear whether zero-shot scores rose or English fell."),
    ],
)
def test_a_narrower_gap_is_good_only_where_zero_shot_rose(outline, english, zero_shot, says):
    text = sentence(outline, english=(-2.0, 1.0, english), zero_shot=(1.0, 0.5, zero_shot), gap=(-3.0, 1.0, "helps"))
    assert says in text
    assert ("because zero-shot scores rose" in text) == (zero_shot == "helps")


@pytest.mark.parametrize(
    ("english", "zero_shot", "gap", "says"),
    [
        ("helps", "equivalent", "hurts", "The gap widened because English rose, which is no worse transfer."),
        ("undecided", "hurts", "hurts", "The gap widened because zero-shot scores fell."),
        ("helps", "hurts", "hurts", "because zero-shot scores fell, and because English rose."),
        ("helps", "helps", "hurts", "because English rose, and zero-shot scores rose less."),
        ("helps", "helps", "undecided", "English rose too: a better model, but better transfer is not shown."),
        ("hurts", "hurts", "equivalent", "English fell too: a worse model, but worse transfer is not shown."),
    ],
)
def test_a_wider_gap_and_an_equal_one_are_read_with_english(outline, english, zero_shot, gap, says):
    text = sentence(outline, english=(1.0, 0.5, english), zero_shot=(1.0, 0.5, zero_shot), gap=(0.1, 0.5, gap))
    assert says in text


def test_a_verdict_on_one_pretraining_is_about_checkpoints_and_never_says_helps(outline):
    text = sentence(outline, **CHECKPOINT)
    assert "about these checkpoints, not about the objective" in text
    assert "higher (1 pretraining, 3 seeds" in text and "helps" not in text
    assert "checkpoint" not in sentence(outline)


def test_without_a_verdict_the_reason_stands_there(outline):
    silent = {"english": (0, 1, "no verdict"), "zero_shot": (5, 1, "no verdict"), "gap": (-5, 1, "no verdict")}
    text = sentence(outline, **silent, scope="examples", P=1, S=1)
    assert text.endswith(
        "No verdict: one pretraining and one fine-tuning seed, so the intervals hold test examples alone."
    )
    assert not re.search("helps|higher|narrow|rose|fell|equivalent", text)
    assert "No verdict: one pretraining of each model." in sentence(outline, **silent, scope="checkpoint", P=1, S=3)
    nothing = (NAN, NAN, "no verdict")
    text = sentence(outline, english=nothing, zero_shot=nothing, gap=nothing, degenerate="constant answer")
    assert text.endswith("(mBART + denoising): no verdict; nothing counted (constant answer).")
    text = sentence(outline, english=nothing, gap=nothing, degenerate="constant answer")
    assert "zero-shot +6.7" in text and "English: nothing counted (constant answer)" in text


def test_what_is_undecided_has_its_smallest_effect_and_tasks_left_out_are_named(outline):
    text = sentence(outline, zero_shot=(0.5, 2.0, "undecided"), gap=(-0.4, 2.0, "undecided"), left_out="qadsm, wpr")
    assert "Cannot tell: effects below 2.1 points on zero-shot and the gap." in text
    assert "6 tasks (without QADSM and WPR)" in text


def test_a_difference_is_not_more_precise_than_its_interval_nor_at_odds_with_its_verdict():
    def text(*values):
        one = next(frame([row("zero_shot", *values, "helps")]).itertuples())
        return f"{comparisons.difference(one)} {comparisons.interval(one)}"

    assert text(-31.2, 13.4) == "−31 [−45, −18]"
    assert text(4.54, 4.5) == "+4.5 [0.04, 9.0]", "a limit that excludes zero is not shown as zero"
    assert text(1.0, 1.02) == "+1.0 [0.0, 2.0]"


def test_an_interval_without_zero_that_correction_leaves_undecided_says_so(outline):
    text = sentence(outline, zero_shot=(1.5, 1.2, "undecided"), p_holm=0.09)
    assert "undecided after correction" in text


def test_an_undecided_difference_whose_interval_leaves_out_zero_is_told_with_its_p(outline):
    undecided = three(zero_shot=(1.5, 1.2, "undecided"), p_holm=0.09)
    assert "(+1.5 points [0.3, 2.7], p = 0.09 after correction)" in leads(outline, found(undecided), NO_RANKS)[0]
    open_ = three(zero_shot=(0.3, 1.9, "undecided"), p_holm=0.7)
    assert "p = " not in leads(outline, found(open_), NO_RANKS)[0] + leads(outline, found(three()), NO_RANKS)[0]


def test_recipes_and_pairs_of_models_are_named(outline):
    pair = {"family": "compare", "primary": False, "p_holm": NAN, "model": "xlmr", "against": "nllb-600m"}
    assert sentence(outline, **pair).startswith(
        "XLM-R-like against NLLB-like: zero-shot +6.7 points [5.3, 8.1], higher"
    )
    recipes = pair | {"family": "recipes", "model": "xlmr", "against": "xlmr", "against_recipe": "fast"}
    assert sentence(outline, **recipes).startswith("XLM-R-like, recipe default against fast:")
    base = pair | {"family": "base", "model": "mbart-m2m", "against": "mbart"}
    assert sentence(outline, **base).startswith(
        "mBART m2m-like, continued on translation, against its base mBART-like:"
    )


def test_without_a_control_the_base_is_not_called_one(outline):
    text = sentence(outline, against="mbart")
    assert text.startswith(
        "mBART m2m-like, continued on translation, against its base mBART-like; there is no control:"
    )
    first = leads(outline, found(three(against="mbart")), NO_RANKS)
    assert first[0].startswith("Continuing on translation, against the base without more training: zero-shot scores")


# ---- The leading sentences -----------------------------------------------------------------------------------------


def leads(*arguments) -> list[str]:
    """The leading sentences alone."""
    return [sentence.text for sentence in answers.leads(*arguments)]


def test_three_sentences_say_what_was_found_how_sure_and_what_is_not_shown(outline):
    fell = {"english": (-2.8, 1.0, "hurts"), "zero_shot": (0.3, 1.9, "undecided"), "gap": (-3.1, 1.0, "helps")}
    first = leads(outline, found(three(), three(model="mbart-o2m", **fell)), NO_RANKS)
    assert len(first) == 3
    assert first[0] == (
        "Continuing on translation instead of more denoising: zero-shot scores are higher for mBART m2m-like (+6.7 "
        "points [5.3, 8.1]); cannot be told apart for mBART o2m-like (+0.3 points [−1.6, 2.2]); the gap narrowed for "
        "mBART o2m-like because English fell, which is no better transfer."
    )
    assert (
        "5 pretrainings of each model, 1 fine-tuning seed" in first[1] and "Holm's correction for 4 tests" in first[1]
    )
    assert first[2].startswith("Not shown: effects below 2.1 points, where scores cannot be told apart;")
    assert "effects" not in leads(outline, found(three()), NO_RANKS)[2], "what is decided leaves nothing open"


def test_a_better_model_is_not_called_better_transfer(outline):
    first = leads(outline, found(three(english=(5, 1, "helps"), gap=(-0.5, 2, "undecided"))), NO_RANKS)
    assert "English rose too for mBART m2m-like, so better transfer is not shown" in first[0]


def test_an_interval_without_zero_that_the_correction_leaves_undecided_is_explained(outline):
    unclear = {"english": (4.0, 3.0, "undecided"), "zero_shot": (4.2, 4.0, "undecided"), "gap": (0.1, 3, "undecided")}
    sure = leads(outline, found(three(**unclear), three(model="mbart-o2m")), NO_RANKS)[1]
    assert sure.endswith("4 tests, for which an interval that leaves out zero is not enough.")
    assert "not enough" not in leads(outline, found(three(), three(model="mbart-o2m")), NO_RANKS)[1]


def test_checkpoints_and_single_seeds_are_no_answer_about_objectives(outline):
    first = leads(outline, found(three(**CHECKPOINT)), NO_RANKS)
    assert "about these checkpoints and not about the objectives" in first[1] and "helps" not in " ".join(first)
    silent = {"english": (0, 1, "no verdict"), "zero_shot": (5, 1, "no verdict"), "gap": (-5, 1, "no verdict")}
    (only,) = leads(outline, found(three(**silent, scope="examples", P=1, S=1)), NO_RANKS)
    assert only.startswith("No answer yet: one pretraining and one fine-tuning seed")
    pair = {"family": "compare", "primary": False, "p_holm": NAN, "model": "mbert", "against": "xlmr"}
    mixed = found(three(**silent, scope="examples", P=1, S=1), three(**pair, **CHECKPOINT))
    assert "higher for mBERT-like against XLM-R-like" in leads(outline, mixed, NO_RANKS)[0]


def test_what_holds_pretrainings_and_what_holds_a_checkpoint_are_told_apart(outline):
    silent = {"english": (0, 1, "no verdict"), "zero_shot": (5, 1, "no verdict"), "gap": (-5, 1, "no verdict")}
    rows = [
        three(),
        three(model="mbart-o2m", **CHECKPOINT),
        three(model="mbart-m2o", **silent, scope="examples", P=1, S=1, p_holm=NAN),
    ]
    sure = leads(outline, found(*rows), NO_RANKS)[1]
    assert sure == (
        "The 95 % intervals hold 5 pretrainings of each model with a verdict, 1 fine-tuning seed and the test "
        "examples, except for mBART o2m-like, pretrained once: that is about these checkpoints alone; verdicts stand "
        "after Holm's correction for 4 tests."
    )
    sure = leads(outline, found(rows[0], rows[2]), NO_RANKS)[1]
    assert "except" not in sure and "correction for 2 tests" in sure, "what has no verdict is not counted"


def test_a_study_that_compares_nothing_names_its_best_model(outline, tmp_path):
    assert answers.read(tmp_path, outline, "sound") == ([], [])
    write_contrasts(tmp_path)
    ranks = [
        ("sound", "default", "mbert", 61.0, 1, 2, 1, 2, 8, "xlmr"),
        ("sound", "default", "xlmr", 60, 1, 2, 1, 2, 8, ""),
    ]
    write_parquet(pd.DataFrame(ranks, columns=ranking.COLUMNS), tmp_path / RANKING)
    first, sentences = answers.read(tmp_path, outline, "sound")
    assert [sentence.link for sentence in first] == ["models", "ranking"]
    first = [sentence.text for sentence in first]
    assert sentences == [] and len(first) == 2 and "compares no models" in first[0]
    assert first[1] == "Its highest zero-shot mean is that of mBERT-like; XLM-R-like may be as good."


def test_a_run_ends_with_the_answers_and_the_report(tmp_path):
    write_contrasts(tmp_path, three())
    lines = answers.closing_lines(tmp_path, json.dumps(presentation_study()), "sound")
    assert len(lines) == 5 and lines[3].startswith("- Continuing on translation")
    assert lines[-1] == f"Report: {tmp_path}/report/index.html"
