"""The ledger: what follows from where an interval lies, and what the published tables say, counted by other means."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbridge.inference.claims import published, study
from mtbridge.inference.claims.finding import above_zero, direction
from mtbridge.inference.claims.ledger import CLAIMS, COLUMNS, claims_frame
from mtbridge.inference.separability import DIFFERENCES, SLOPES
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study
from tests.support.verdicts import frame, three

REFERENCE = Path(__file__).resolve().parents[3] / "workflow" / "reference"
TABLES = published.Tables(REFERENCE)


def outline_of(**changes):
    made = presentation_study()
    for model in made["models"]:
        model["objective"] = {"mbart": "denoising", "mbart-dn": "denoising"}.get(model["key"], "translation")
    return read_outline(json.dumps({**made, **changes}))


def asked(name: str, *rows, outline=None, **frames):
    """What a study with these contrasts says to a claim."""
    claim = next(claim for claim in CLAIMS if claim.name == name)
    return claim.study(study.Study(outline or outline_of(), frame(*rows), **frames))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 2, "supported"), (-2, -0.1, "contradicted"), (-1, 1, "undecided"), (np.nan, np.nan, "undecided")],
)
def test_a_verdict_follows_from_where_the_interval_lies(low, high, verdict):
    assert direction(low, high) == verdict


def test_an_interval_over_tasks_is_that_of_student():
    values = np.array([1.0, 2.0, 4.0])
    found = above_zero("", values, "points", "")
    expected = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert above_zero("", -values, "points", "", sign=-1).verdict == above_zero("", values, "points", "").verdict


# ---- The published tables --------------------------------------------------------------------------------------------


def test_the_published_tables_say_what_a_count_by_hand_says():
    cells = pd.read_csv(REFERENCE / "table4.csv").query("language != 'avg'")
    means = {
        (task, model, english): part["score"].mean()
        for (task, model, english), part in cells.groupby(["task", "model", cells["language"] == "en"])
    }
    tasks = sorted(set(cells["task"]))
    changes = [means[t, "mbart-m2m", False] - means[t, "mbart", False] for t in tasks]
    assert np.mean(changes) == pytest.approx(-4.1, abs=0.06), "as computed elsewhere"
    assert TABLES.change("mbart-m2m", "mbart", False).to_numpy() == pytest.approx(changes)
    assert TABLES.change("mbart-m2m", "mbart", True).mean() == pytest.approx(-1.7, abs=0.06)


def test_what_is_arithmetic_in_the_tables():
    assert "43 of 105 of test, 105 of dev" in published.xnli_is_test(TABLES).tested
    assert "smaller in 12 of 216 cells" in published.norms_grow(TABLES).tested
    assert "higher in 92 of 130 cells" in published.more_agnostic(TABLES).tested
    assert published.more_agnostic(TABLES).effect == pytest.approx(0.152 - 0.173, abs=0.002)
    assert "another mean in wpr" in published.means_count_every_language(TABLES).tested


def test_every_claim_has_its_place_and_an_answer_of_the_tables():
    found = claims_frame(TABLES, None)
    assert list(found.columns) == COLUMNS and len(found) == len(CLAIMS) >= 12
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS) and (found["place"] != "").all()
    verdicts = found.set_index("claim")["verdict"]
    assert verdicts["no-gain"] == "supported" and verdicts["agnostic"] == "contradicted"
    assert verdicts["values-cause"] == "not testable"


# ---- A study ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "no_gain"),
    [("helps", "contradicted"), ("hurts", "supported"), ("equivalent", "supported"), ("undecided", "undecided")],
)
def test_a_gain_contradicts_that_there_is_none(verdict, no_gain):
    found = asked("no-gain", three(zero_shot=(2.0, 1.0, verdict)))
    assert (found.verdict, found.effect) == (no_gain, 2.0) and "P = 5" in found.basis


@pytest.mark.parametrize(
    ("verdict", "expected"), [("helps", "contradicted"), ("hurts", "supported"), ("undecided", "undecided")]
)
def test_a_wider_gap_is_worse_transfer(verdict, expected):
    assert asked("detrimental", three(gap=(1.0, 1.0, verdict))).verdict == expected


def test_the_contrast_with_the_most_pretrainings_is_asked():
    few = three(model="mbart-o2m", zero_shot=(9.0, 1.0, "helps"), P=1, scope="checkpoint")
    assert asked("no-gain", few, three()).effect == 6.7


def test_without_a_verdict_a_claim_stays_open_and_without_numbers_it_is_not_testable():
    silent = ("no verdict", "no verdict", "no verdict")
    rows = three(*((0.0, 1.0, each) for each in silent), P=1, S=1, scope="examples")
    assert asked("no-gain", rows).verdict == "undecided"
    nothing = three(zero_shot=(np.nan, np.nan, "no verdict"), degenerate="at the floor")
    found = asked("no-gain", nothing)
    assert found.verdict == "not testable" and found.tested.endswith("nothing counted (at the floor)")
    assert asked("no-gain").verdict == "not testable"


def test_separability_is_that_of_the_main_contrast():
    pair, numbers = ("objectives", "mbart-m2m", "mbart-dn"), (4, 0.01, 0.01, 5, [0.1] * 5, [1, 2, 3, 4, 5])
    rows = [
        (*pair, "", "", "language_share", 4, 0.3, 0.2, 0.1, 0.05, 0.15, *numbers, "rises", 0.4),
        (*pair, "default", "nc", "language_share", 4, 0.3, 0.4, -0.1, -0.2, 0.0, *numbers, "falls", 0.4),
    ]
    found = asked("separates", three(), separability=pd.DataFrame(rows, columns=DIFFERENCES))
    assert (found.verdict, found.effect) == ("supported", 0.1), "before fine-tuning"


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(-30, -5, "supported"), (5, 30, "contradicted"), (-5, 5, "undecided")]
)
def test_transfer_that_falls_where_languages_lie_apart_supports_the_explanation(low, high, expected):
    slope = ("default", "mbart", "language_share", (low + high) / 2, low, high, 0.01, 5, [], [], [], [], [])
    other = ("default", "xlmr", "language_share", -99.0, -100.0, -98.0, 0.01, 9, [], [], [], [], [])
    found = asked("due-to-separability", three(), slopes=pd.DataFrame([other, slope], columns=SLOPES))
    assert found.verdict == expected and found.effect == pytest.approx(0.1 * (low + high) / 2)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("hurts", "supported"), ("helps", "contradicted"), ("equivalent", "contradicted"), ("undecided", "undecided")],
)
def test_the_cause_is_asked_of_the_model_that_has_the_others_values_alone(verdict, expected):
    made = presentation_study()
    made["models"] += [
        {"key": f"m{number}", "label": what, "kind": "derived", "base": "mbart", "other": "mbart-m2m"}
        | {"intervention": what}
        for number, what in enumerate(("vectors", "values"))
    ]
    outline = read_outline(json.dumps(made))
    own = {"family": "weights", "primary": False, "against": "mbart"}
    vectors = three(**own, model="m0", zero_shot=(6.0, 1.0, "helps"))
    values = three(**own, model="m1", zero_shot=(-0.1, 0.5, verdict))
    found = asked("values-cause", three(), vectors, values, outline=outline)
    assert (found.verdict, found.effect) == (expected, -0.1)
    assert asked("values-cause", three()).verdict == "not testable"


def test_weights_are_those_of_the_main_contrasts_model():
    rows = [("mbart-m2m", 0, "k", 10.0, 11.0, 0.2, 0.1, 0.01), ("mbart-m2m", 1, "k", 10.0, 11.02, 0.2, 0.1, 0.01),
            ("mbart-dn", 0, "k", 10.0, 9.0, 0.1, 0.1, 0.99)]  # fmt: skip
    names = ["model", "layer", "matrix", "base_norm", "norm", "relative_distance", "relative_d", "uniform_share"]
    weights = pd.DataFrame(rows, columns=names)
    assert asked("rescaling", three(), weights=weights)[1:3] == ("contradicted", 0.01)
    assert asked("d-is-change", three(), weights=weights)[1:3] == ("contradicted", 0.5)
    grown = asked("norms-grow", three(), weights=weights)
    assert (grown.verdict, grown.effect) == ("supported", pytest.approx(10.1))
