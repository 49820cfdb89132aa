"""Differences with their intervals: contrasts, derived weights, findings on generation, separability and transfer."""

import math

import altair
import pandas as pd

from mtbridge.inference.claims.finding import CONTRADICTED, NOT_TESTABLE, SUPPORTED
from mtbridge.inference.verdicts import EQUIVALENT, HELPS, HURTS, UNDECIDED
from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.picture import (
    COLOURS,
    INK,
    LABEL,
    LINE,
    PAPER,
    ROWS,
    SOFT,
    Picture,
    lines,
    panels,
)
from mtbridge.presentation.words import SEPARABILITY
from mtbridge.study.outline import Outline

ORDER = ("zero_shot", "english", "gap")  # the one that a study is about first
STEP = 24  # pixels: a line of a forest plot
WORDS = {HELPS: "clearly different", HURTS: "clearly different", EQUIVALENT: "equivalent", UNDECIDED: "undecided"}
SAYS = ["clearly different", "equivalent", "undecided", "no verdict"]
SHAPES_OF_VERDICTS = ["diamond", "square", "circle", "cross"]
# Kinds of languages in the picture of scores, and their marks.
SOURCE, OTHER, UNSEEN = "source language", "other language", "language the model has not seen"
LANGUAGES = {SOURCE: ("diamond", COLOURS[1]), OTHER: ("circle", COLOURS[0]), UNSEEN: ("cross", COLOURS[3])}
SCORES_WIDTH = 210  # pixels: a panel of the picture of scores


def forest(frame: pd.DataFrame, outline: Outline, primary: bool = False) -> Picture | None:
    """Every contrast with its intervals; `primary`: those that the leading sentences are about, if there are any.

    frame: that of `figures.forest`. None if nothing is compared.
    """
    found = [one for one in comparisons.contrasts(frame) if not math.isnan(one.main.estimate)]
    main = [one for one in found if any(row.primary for row in one.rows.values())]
    found = main if primary and main else found
    rows = [_row(outline, one, name) for one in found for name in ORDER if name in one.rows]
    rows = [row for row in rows if not math.isnan(row["estimate"])]
    if not rows:
        return None
    source = comparisons.statistic_name(outline, "english")
    said = {row["says"] for row in rows}
    text = (
        "Right of zero, the model named first scores higher, left of zero lower, in percent points, mean over tasks; "
        f"for the gap, which is {source} minus zero-shot, left of zero is narrower. Colour: which score is compared. "
        "Large mark: the difference; its form says the verdict. Line: its 95 % interval. Small upright marks: single "
        "pretrainings. Grey: differences too small to matter, the margin of equivalence."
    )
    notes = [text_of for name, text_of in comparisons.VERDICTS_EXPLAINED.items() if name in said]
    views = {"value": _intervals("difference, percent points", said)}
    return Picture(pd.DataFrame(rows), views, "What differs, and how surely?", text, notes)


def _row(outline: Outline, contrast, statistic: str) -> dict:
    row = contrast.rows[statistic]
    return {
        "what": lines(comparisons.label(outline, contrast)),
        "part": comparisons.statistic_name(outline, statistic),
        "estimate": row.estimate,
        "low": row.low,
        "high": row.high,
        "margin": row.margin,
        "below": -row.margin,
        "says": WORDS.get(row.verdict, "no verdict"),
        "verdict": comparisons.verdict_text(row),
        "shown": f"{comparisons.difference(row)} {comparisons.interval(row)}",
        "basis": comparisons.basis(outline, row),
        "each": [float(value) for value in str(row.by_pretraining).split() if value != "nan"],
    }


def _intervals(unit: str, said: set):
    """What is compared down; estimates with their intervals across. said: the verdicts that there are (`SAYS`)."""
    what = altair.Y("what:N", sort=None, title=None, axis=altair.Axis(labelExpr=LABEL, ticks=False, domain=False))
    offset = altair.YOffset("part:N", sort=None)
    colour = altair.Color("part:N", sort=None, title="score")
    tips = [
        altair.Tooltip("what:N", title="compared"),
        altair.Tooltip("part:N", title="score"),
        altair.Tooltip("shown:N", title=unit),
        altair.Tooltip("verdict:N"),
        altair.Tooltip("basis:N", title="rests on"),
    ]
    empty = altair.Chart(ROWS)
    base = empty.encode(y=what, yOffset=offset, color=colour, tooltip=tips)
    across = altair.X("low:Q", title=unit)
    margin = empty.mark_rect(color=LINE, opacity=0.5).encode(x="min(below):Q", x2="max(margin):Q")
    zero = empty.mark_rule(color=INK, opacity=0.5).encode(x=altair.datum(0))
    bars = base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q")
    each = base.transform_flatten(["each"]).mark_tick(thickness=1, size=9, opacity=0.6).encode(x="each:Q")
    legend = altair.Legend(symbolStrokeColor=INK, symbolFillColor="transparent")
    shapes = {name: shape for name, shape in zip(SAYS, SHAPES_OF_VERDICTS, strict=True) if name in said}
    scale = altair.Scale(domain=list(shapes), range=list(shapes.values()))
    shape = altair.Shape("says:N", title="verdict", legend=legend, scale=scale)
    is_open = "datum.says == 'undecided' || datum.says == 'no verdict'"
    points = base.encode(x="estimate:Q", shape=shape)
    filled = points.transform_filter(f"!({is_open})").mark_point(size=75, filled=True, opacity=1)
    hollow = points.transform_filter(is_open).mark_point(size=75, fill=PAPER, strokeWidth=2, opacity=1)
    return (margin + zero + bars + each + filled + hollow).properties(width="container", height=altair.Step(STEP))


def interventions(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Zero-shot scores of derived models against their base. frame: that of `figures.interventions`."""
    rows = [
        {
            "what": lines(comparisons.short(outline, str(row.model))),
            "part": f"minus {comparisons.short(outline, str(row.base))}",
            "shown": f"{row.estimate:+.1f} [{row.low:.1f}, {row.high:.1f}]",
            "basis": comparisons.amount(row.P, "pretraining"),
            "says": WORDS.get(str(row.verdict), "no verdict"),
            "each": [float(value) for value in str(row.by_pretraining).split() if value != "nan"],
            "margin": outline.margin,
            "below": -outline.margin,
        }
        | {"estimate": row.estimate, "low": row.low, "high": row.high, "verdict": row.verdict}
        for row in frame.itertuples()
    ]
    if not rows:
        return None
    text = "Zero-shot scores as differences from the base in percent points, with 95 % intervals."
    title = "Which part of the weights carries the gain?"
    views = {"value": _intervals("difference, percent points", {row["says"] for row in rows})}
    return Picture(pd.DataFrame(rows), views, title, text)


def findings(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """The findings on generation as differences. frame: that of `tables.generation_claims`."""
    tested = frame[(frame["verdict"] != NOT_TESTABLE) & frame["effect"].notna()]
    if tested.empty:
        return None
    labels = {task.name: task.label for task in outline.writing}
    order = list(dict.fromkeys(tested["text"]))
    rows = pd.DataFrame(
        {
            "finding": lines(f"Claim: {row.text}", 56),
            "what": lines(f"{comparisons.short(outline, str(row.model))}, {labels.get(str(row.task), row.task)}", 34),
            "estimate": row.effect,
            "low": row.low,
            "high": row.high,
            "verdict": row.verdict,
            "tested": row.tested,
            "basis": row.basis,
            "shown": f"{row.effect:+.1f} [{row.low:.1f}, {row.high:.1f}]",
        }
        for row in tested.itertuples()
    )
    # Comparisons of one row stand side by side about its middle.
    of_row = rows.groupby(["finding", "what"], sort=False)["what"]
    many = of_row.transform("size")
    rows["place"] = (of_row.cumcount() - (many - 1) / 2) / many.max()
    tips = [altair.Tooltip(f"{name}:N") for name in ("finding", "what", "tested", "shown", "verdict", "basis")]
    domain = [SUPPORTED, CONTRADICTED, "undecided"]
    colours = altair.Scale(domain=domain, range=[COLOURS[0], COLOURS[1], COLOURS[7]])
    shapes = altair.Scale(domain=domain, range=["diamond", "square", "circle"])
    base = altair.Chart(ROWS).encode(
        y=altair.Y("what:N", sort=None, title=None, axis=altair.Axis(labelExpr=LABEL, ticks=False, domain=False)),
        yOffset=altair.YOffset("place:Q", scale=altair.Scale(domain=[-0.5, 0.5])),
        color=altair.Color("verdict:N", scale=colours, title="the finding is"),
        tooltip=tips,
    )
    zero = altair.Chart(ROWS).mark_rule(color=INK, opacity=0.5).encode(x=altair.datum(0))
    bars = base.mark_rule(strokeWidth=1.5).encode(x=altair.X("low:Q", title="percent points"), x2="high:Q")
    shape = altair.Shape("verdict:N", scale=shapes, title="the finding is")
    points = base.mark_point(filled=True, size=40, opacity=1).encode(x="estimate:Q", shape=shape)
    panel_order = [lines(f"Claim: {text}", 56) for text in order]
    # A label has two lines at most, and several comparisons share a row.
    height = 32 * rows["what"].nunique()
    shown = panels(zero + bars + points, "finding", panel_order, 280, height)
    text = (
        "Each panel is a claim of arXiv 2402.12279, each mark a difference with its 95 % interval; colour and shape "
        "say whether it supports the claim. A tap on it, or the table, says what is subtracted. No mark: not run."
    )
    return Picture(rows, {"value": shown}, "Which findings do these outputs support?", text)


def transfer(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Separability beside transfer: a point for each pretraining. frame: that of `figures.transfer`."""
    if frame.empty:
        return None
    rows = frame.assign(
        model=[comparisons.short(outline, key) for key in frame["model"]],
        panel=[
            lines(f"{SEPARABILITY[row.measure]}, more than {comparisons.short(outline, str(row.base))}", 30)
            for row in frame.itertuples()
        ],
    )
    tips = [altair.Tooltip("model:N"), altair.Tooltip("number:Q", title="pretraining")]
    tips += [altair.Tooltip("x:Q", title="representation", format="+.3f")]
    tips += [altair.Tooltip("y:Q", title="zero-shot, points", format="+.1f")]
    base = altair.Chart(ROWS)
    axis = altair.Axis(title="zero-shot, points more", tickCount=5)
    points = base.mark_point(filled=True, size=55, opacity=0.9).encode(
        x=altair.X("x:Q", title="more than the base", axis=altair.Axis(tickCount=4)),
        y=altair.Y("y:Q", axis=axis),
        color=altair.Color("model:N", sort=None, title=None),
        shape=altair.Shape("model:N", sort=None, title=None),
        tooltip=tips,
    )
    zeros = base.mark_rule(color=SOFT).encode(y=altair.datum(0)) + base.mark_rule(color=SOFT).encode(x=altair.datum(0))
    shown = panels(zeros + points, "panel", list(dict.fromkeys(rows["panel"]))).resolve_scale(x="independent")
    title = "Does transfer go with how far languages lie apart?"
    text = "A point is a pretraining; both axes are differences from its base, in the last layer."
    return Picture(rows.drop(columns=["slope", "low", "high"]), {"value": shown}, title, text)


def scores(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Scores by language, a panel for each task. frame: rows of `page.grids.score_rows`."""
    rows = frame[frame["shown"].notna()].rename(columns={"shown": "score"})
    if rows.empty:
        return None
    rows = rows.assign(short=[lines(name, 22) for name in rows["short"]], panel=rows["task"])
    models = list(dict.fromkeys(rows["short"]))
    tips = [altair.Tooltip(f"{name}:N") for name in ("model", "task", "language", "script", "seen")]
    tips += [altair.Tooltip("text:N", title="score, 95 %"), altair.Tooltip("basis:N")]

    base = altair.Chart(ROWS).encode(
        y=altair.Y("short:N", sort=models, title=None, axis=altair.Axis(labelExpr=LABEL, ticks=False)),
        x=altair.X("score:Q", title="score, percent", scale=altair.Scale(zero=False), axis=altair.Axis(tickCount=4)),
        tooltip=tips,
    )
    marks, colours = zip(*LANGUAGES.values(), strict=True)
    shape = altair.Shape("kind:N", title=None, scale=altair.Scale(domain=list(LANGUAGES), range=marks))
    colour = altair.Color("kind:N", title=None, scale=altair.Scale(domain=list(LANGUAGES), range=colours))
    points = base.mark_point(size=60, opacity=0.85, strokeWidth=1.6).encode(shape=shape, color=colour)
    shown = panels(points, "panel", list(dict.fromkeys(rows["panel"])), SCORES_WIDTH, 26 * len(models))
    views = {"value": shown.resolve_scale(x="independent")}
    text = "A mark is a language: where the models lie, and how far other languages lie behind the source language."
    notes = ["What may be claimed of differences between models stands in the verdicts."]
    kept = ["model", "short", "task", "panel", "language", "script", "seen", "kind", "score", "text"]
    return Picture(rows[[*kept, "basis"]], views, "How do scores in other languages compare?", text, notes)
