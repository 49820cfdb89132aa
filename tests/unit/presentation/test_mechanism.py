"""The questions behind the verdicts: what the page answers, and the pictures of derived models and doses."""

import json

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.files import write_parquet
from mtbridge.inference.separability import DIFFERENCES, SLOPES
from mtbridge.inference.translators import BOTH, COLUMNS
from mtbridge.presentation import requirements
from mtbridge.presentation.figures import dose, interventions, transfer, translators
from mtbridge.presentation.page import mechanism
from mtbridge.study.outline import read_outline
from tests.support.presentation import make, presentation_study
from tests.support.verdicts import NAN, row, three, write_contrasts

DERIVED = [
    {"key": "m2m-values", "label": "m2m's values", "kind": "derived", "base": "mbart", "other": "mbart-m2m"},
    {"key": "m2m-a50", "label": "half to m2m", "kind": "derived", "base": "mbart", "other": "mbart-m2m", "alpha": 0.5},
]
WEIGHTS = {"family": "weights", "primary": False, "p_holm": NAN, "against": "mbart"}
BASE = {"family": "base", "primary": False, "p_holm": NAN, "against": "mbart"}


def outline_of(*more, **keys):
    study = presentation_study()
    for model in study["models"]:
        model["objective"] = {"mbart": "denoising", "mbart-dn": "denoising"}.get(model["key"], "translation")
        model |= {"steps": {"mbart-m2m": 800, "mbart-m2o": 200, "mbart-o2m": 200, "mbart-dn": 800}.get(model["key"])}
        model |= {"directions": "all" if model["key"] in ("mbart-m2m", "mbart-o2m") else None}
    study["models"] += more
    return read_outline(json.dumps({**study, **keys}))


def separability(verdict="falls", task="", **changes) -> dict:
    values = ("objectives", "mbart-m2m", "mbart-dn", "default" if task else "", task, "language_share", 4, 0.2, 0.3,
              -0.1, -0.15, -0.05, 4, 0.01, 0.01, 5, [-0.1] * 5, [1, 2, 3, 4, 5], verdict, 0.4)  # fmt: skip
    return dict(zip(DIFFERENCES, values, strict=True)) | changes


def answers(folder, outline, separable=(), slope=(), rows=()) -> dict[str, str]:
    write_parquet(pd.DataFrame(separable, columns=DIFFERENCES), folder / requirements.SEPARABILITY)
    write_parquet(pd.DataFrame(slope, columns=SLOPES), folder / requirements.SLOPES)
    write_contrasts(folder, *rows)
    return dict(mechanism.read(folder, outline, "sound"))


def test_a_study_without_such_results_asks_nothing(tmp_path):
    assert mechanism.read(tmp_path, outline_of(), "sound") == []
    assert answers(tmp_path, outline_of(), rows=[three()]) == {}


def test_separability_is_told_before_and_after_fine_tuning_with_its_pretrainings(tmp_path):
    found = answers(tmp_path, outline_of(), [separability(), separability("rises", "nc", estimate=0.02)])
    text = found["Does it make languages more separable?"]
    assert text.startswith("No, less so. ")
    told = "mBART m2m-like against mBART + denoising −0.100 [−0.150, −0.050] (falls, 5 pretrainings); +0.020"
    assert told in text and "after NC (rises, 5 pretrainings)" in text


@pytest.mark.parametrize(
    ("verdicts", "begins"),
    [
        (("rises", "rises"), "Yes. "),
        (("rises", "undecided"), "Yes, where there is a verdict. "),
        (("rises", "falls"), "Some do, and others the opposite. "),
        (("undecided", "no verdict"), "Measured by"),
    ],
)
def test_the_answer_on_separability_begins_with_the_verdicts(tmp_path, verdicts, begins):
    rows = [separability(verdict, number=place) for place, verdict in enumerate(verdicts)]
    (text,) = answers(tmp_path, outline_of(), rows).values()
    assert text.startswith(begins)


def test_one_pretraining_is_said_to_be_no_ground(tmp_path):
    (text,) = answers(tmp_path, outline_of(), [separability("no verdict", P=1)]).values()
    assert "(no verdict, 1 pretraining)" in text and "falls" not in text


def test_the_slope_is_told_for_a_tenth_with_its_interval(tmp_path):
    slope = ("default", "mbart", "language_share", -50.0, -80.0, -20.0, 0.01, 5, ["a"], [1], [0.1], [-5.0], [400])
    (text,) = answers(tmp_path, outline_of(), slope=[slope]).values()
    assert "0.1 of the variance further apart" in text and "−5.0 points [−8.0, −2.0] (5 pretrainings)" in text


def test_derived_weights_and_languages_with_little_text_have_answers(tmp_path):
    rows = [
        three(),
        three(**WEIGHTS, model="m2m-values", zero_shot=(0.4, 0.5, "equivalent")),
        three(**WEIGHTS, model="m2m-a50", zero_shot=(9.0, 0.5, "helps")),
        [row("zero_shot", 4.0, 1.0, "helps", languages="little text: fr", primary=False, p_holm=NAN)],
        [row("zero_shot", -1.0, 1.5, "undecided", languages="unseen", primary=False, p_holm=NAN)],
    ]
    found = answers(tmp_path, outline_of(*DERIVED), rows=rows)
    text = found["Is it the singular values?"]
    assert "m2m's values +0.4 [−0.1, 0.9], equivalent within 1 point" in text
    assert "half to m2m" not in text, "the path has a figure"
    text = found["And by what a model has seen of a language?"]
    assert "little text: fr +4.0 [3.0, 5.0], helps; unseen −1.0 [−2.5, 0.5], undecided" in text


def test_other_objectives_are_told_apart_from_translation(tmp_path):
    outline = outline_of(primary=["mbart-m2m"])
    study = presentation_study()
    for model in study["models"]:
        model["objective"] = {"mbart-o2m": "alignment", "mbart": "denoising"}.get(model["key"], "translation")
    outline = read_outline(json.dumps(study))
    found = answers(tmp_path, outline, rows=[three(), three(model="mbart-o2m", zero_shot=(2.0, 1.0, "helps"))])
    text = found["Do other objectives on parallel text do otherwise?"]
    assert "mBART o2m-like against mBART + denoising +2.0 [1.0, 3.0], helps" in text and "m2m" not in text


# ---- Pictures --------------------------------------------------------------------------------------------------------


def test_derived_models_stand_beside_the_model_whose_weights_they_hold(tmp_path):
    rows = [three(**BASE, zero_shot=(6.0, 1.0, "helps"))]
    rows += [three(**WEIGHTS, model=one["key"], zero_shot=(value, 0.5, "helps"))
             for one, value in zip(DERIVED, (0.4, 3.0), strict=True)]  # fmt: skip
    outline = outline_of(*DERIVED)
    frame = make("interventions", outline, "sound", write_contrasts(tmp_path, *rows))
    assert frame["model"].tolist() == ["m2m-values", "m2m-a50", "mbart-m2m"]
    assert frame["estimate"].tolist() == [0.4, 3.0, 6.0]
    assert frame["alpha"].fillna(-1).tolist() == [-1, 0.5, 1.0], "the other model is the end of the path"
    left, right = interventions.draw(frame, outline, "sound").axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["m2m's values", "mBART m2m-like"]
    assert list(right.get_lines()[0].get_xdata()) == [0, 0.5, 1.0]


def test_a_dose_is_a_line_of_models_with_one_objective(tmp_path):
    rows = [three(**BASE, model=key, zero_shot=(value, 0.5, "helps"))
            for key, value in (("mbart-m2m", 6.0), ("mbart-o2m", 2.0), ("mbart-dn", -1.0))]  # fmt: skip
    outline = outline_of()
    frame = make("dose", outline, "sound", write_contrasts(tmp_path, *rows))
    zero_shot = frame[frame["statistic"] == "zero_shot"]
    assert dict(zip(zero_shot["model"], zero_shot["steps"], strict=True)) == {"mbart-o2m": 200, "mbart-m2m": 800}
    ax = dose.draw(frame, outline, "sound").axes[1]
    line = ax.get_lines()[0]
    assert list(line.get_xdata()) == [0, 200, 800] and list(line.get_ydata()) == pytest.approx([0, 2, 6])


def test_points_of_transfer_are_pretrainings_and_the_line_is_their_slope(tmp_path):
    slope = ("default", "mbart", "language_share", 20.0, 5.0, 35.0, 0.01, 2, ["mbart-m2m"] * 2, [1, 2], [0.1, 0.2],
             [2.0, 4.1], [1600, 1600])  # fmt: skip
    path = tmp_path / "slopes.parquet"
    write_parquet(pd.DataFrame([slope], columns=SLOPES), path)
    frame = make("transfer", outline_of(), "sound", path)
    assert frame[["number", "x", "y"]].to_numpy().tolist() == [[1, 0.1, 2.0], [2, 0.2, 4.1]]
    drawn = transfer.draw(frame, outline_of(), "sound")
    said = " ".join(text.get_text() for legend in drawn.legends for text in [legend.get_title()])
    assert "n = 1,600 test examples" in " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split())
    (ax,) = drawn.axes
    title = " ".join(ax.get_title().replace("\N{NO-BREAK SPACE}", " ").split())
    assert title == "2.0 points for 0.1 more [0.5, 3.5], 2 pretrainings"
    ends = ax.get_lines()[-1]
    assert list(ends.get_ydata()) == pytest.approx([0.0, 4.0])


def test_points_of_translators_say_how_much_they_rest_on_from_the_least_to_the_most():
    """A base that translates nothing has no lines, and a number that is not known is not said."""
    points = [("understanding", "mbart", 3, 0, 400), ("understanding", "mbart-m2m", 1, 100, 1600)]
    points += [("event", "mbart", 2, 0, 0), ("event", "mbart-m2m", 1, 100, 0)]
    columns = ["panel", "model", "pretrainings", "lines", "n"]
    drawn = pd.DataFrame(points).set_axis(columns, axis=1).reindex(columns=[*dict.fromkeys([*columns, *COLUMNS])])
    drawn = drawn.assign(
        x=[np.nan, 50.0] * 2,
        y=[60.0, 65.0, 20.0, 25.0],
        df=2.0,
        directions=["", BOTH] * 2,
        correlation_models=2,
        tasks=5,
    )
    drawn = drawn.assign(
        recipe="default", **{f"{axis}_{side}": drawn[axis] for axis in "xy" for side in ("low", "high")}
    )
    writing = [{"name": "event", "label": "event", "metric": "chrf", "languages": ["de", "en"]}]
    sheet = translators.draw(drawn, outline_of(writing=writing), "sound")
    said = " ".join(legend.get_title().get_text() for legend in sheet.legends)
    said = " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split())
    assert said.endswith("P = 1 to 3; n = 100 sentences a direction; 400 to 1,600 test examples (understanding)")
