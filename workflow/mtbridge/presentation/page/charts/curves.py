"""Curves with bands: separability by layer, dose and response, and losses of training."""

import altair
import pandas as pd

from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.picture import DASHES, ROWS, SOFT, Picture, lines, number_axis, panels
from mtbridge.presentation.words import MATRIX_LABELS, SEPARABILITY, STATISTIC_LABELS
from mtbridge.study.outline import Outline


def with_bands(by: str, x, y, tips: list):
    """A line for each value of a column, told apart by colour and dashes, with a band from low to high."""
    base = altair.Chart(ROWS).encode(x=x, color=altair.Color(f"{by}:N", sort=None, title=None), tooltip=tips)
    dashes = altair.StrokeDash(f"{by}:N", sort=None, title=None, scale=altair.Scale(range=DASHES))
    drawn = base.mark_line(strokeWidth=1.6).encode(y=y, strokeDash=dashes)
    points = base.mark_point(size=14, filled=True, opacity=1).encode(y=y, color=_silent(by))
    bands = base.mark_area(opacity=0.13).encode(y=altair.Y("low:Q"), y2="high:Q", color=_silent(by))
    return bands + drawn + points


def _silent(by: str):
    """The colour of a column, without a legend: the lines have one."""
    return altair.Color(f"{by}:N", sort=None, legend=None)


def separability(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """How far languages lie apart, by layer. frame: that of `figures.separability`."""
    rows = frame[frame["recipe"].fillna("").isin(["", outline.recipes[0]])].fillna({"task": ""})
    if rows.empty:
        return None
    when = [f"after {outline.task_labels[task]}" if task else "before fine-tuning" for task in rows["task"]]
    names = [SEPARABILITY[measure] for measure in rows["measure"]]
    rows = rows.assign(
        panel=[lines(f"{name}, {moment}", 30) for name, moment in zip(names, when, strict=True)],
        model=[comparisons.short(outline, key) for key in rows["model"]],
    )
    tips = [altair.Tooltip("model:N"), altair.Tooltip("layer:Q"), altair.Tooltip("value:Q", format=".3f")]
    tips += [altair.Tooltip("low:Q", format=".3f"), altair.Tooltip("high:Q", format=".3f")]
    tips += [altair.Tooltip("P:Q", title="pretrainings")]
    layer = altair.X("layer:Q", title="layer (0: embeddings)", axis=altair.Axis(tickMinStep=1, format="d", grid=False))
    drawn = with_bands("model", layer, altair.Y("value:Q", axis=number_axis("")), tips)
    null = altair.Chart(ROWS).mark_rule(strokeDash=[1, 3], color=SOFT).encode(y="mean(null):Q")
    shown = panels(drawn + null, "panel", list(dict.fromkeys(rows["panel"])))
    most = int(rows["P"].max())
    held = f"up to {most} pretrainings and sentences" if most > 1 else "sentences alone"
    text = f"Bands: 95 % intervals of {held}. Dotted: states without structure."
    kept = ["panel", "model", "layer", "value", "low", "high", "null", "P"]
    return Picture(rows[kept], {"value": shown}, "How far apart do languages lie, layer by layer?", text)


def dose(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Scores against updates of continued pretraining. frame: that of `figures.dose`."""
    if frame.empty:
        return None
    starts = frame.drop_duplicates(["recipe", "base", "arm", "statistic"])
    starts = starts.assign(steps=0, estimate=0.0, low=0.0, high=0.0, model=starts["base"], verdict="the base")
    rows = pd.concat([starts, frame]).sort_values("steps", kind="stable")
    rows = rows.assign(
        panel=[
            lines(f"{STATISTIC_LABELS[row.statistic]}, more than {comparisons.short(outline, row.base)}", 30)
            for row in rows.itertuples()
        ],
        model=[comparisons.short(outline, key) for key in rows["model"]],
    )
    tips = [altair.Tooltip("model:N"), altair.Tooltip("steps:Q", title="updates")]
    tips += [altair.Tooltip(f"{name}:Q", format="+.1f") for name in ("estimate", "low", "high")]
    tips += [altair.Tooltip("verdict:N"), altair.Tooltip("P:Q", title="pretrainings")]
    updates = altair.X("steps:Q", title="updates", axis=altair.Axis(tickCount=4, grid=False))
    drawn = with_bands("arm", updates, altair.Y("estimate:Q", axis=number_axis("percent points")), tips)
    zero = altair.Chart(ROWS).mark_rule(color=SOFT).encode(y=altair.datum(0))
    shown = panels(zero + drawn, "panel", list(dict.fromkeys(rows["panel"])))
    text = "Differences from the base in percent points, with 95 % intervals; zero updates are the base."
    return Picture(rows, {"value": shown}, "Does more training do more?", text)


RANKS = 100  # singular values of a curve that are drawn, evenly spaced


def singular_values(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Singular values minus those of the base, by rank. frame: that of `figures.sigma`."""
    derived = [model.key for model in outline.models if model.kind == "derived"]
    rows = frame[(frame["model"] != frame["base"]) & frame["of_base"].notna() & ~frame["model"].isin(derived)]
    if rows.empty:
        return None
    step = (rows.groupby(["model", "matrix"])["rank"].transform("max") // RANKS).clip(lower=1)
    rows = rows[(rows["rank"] - 1) % step == 0]
    rows = rows.assign(
        difference=rows["value"] - rows["of_base"],
        panel=[
            lines(f"{MATRIX_LABELS[row.matrix]}, minus {comparisons.short(outline, str(row.base))}", 30)
            for row in rows.itertuples()
        ],
        model=[comparisons.short(outline, key) for key in rows["model"]],
    )
    tips = [altair.Tooltip("model:N"), altair.Tooltip("rank:Q"), altair.Tooltip("difference:Q", format="+.3f")]
    tips += [altair.Tooltip("value:Q", title="σ", format=".3f"), altair.Tooltip("of_base:Q", title="σ₀", format=".3f")]
    rank = altair.X("rank:Q", axis=altair.Axis(tickCount=4, grid=False))
    difference = altair.Y("difference:Q", title="σ − σ₀", axis=altair.Axis(tickCount=4))
    dashes = altair.StrokeDash("model:N", sort=None, title=None, scale=altair.Scale(range=DASHES))
    colour = altair.Color("model:N", sort=None, title=None)
    curves = altair.Chart(ROWS).mark_line(strokeWidth=1.3).encode(x=rank, y=difference, color=colour, tooltip=tips)
    zero = altair.Chart(ROWS).mark_rule(color=SOFT).encode(y=altair.datum(0))
    shown = panels(zero + curves.encode(strokeDash=dashes), "panel", list(dict.fromkeys(rows["panel"])), height=120)
    text = "Last layer, of every model the first pretraining, so there is no interval. At 0 lies the base."
    kept = ["panel", "model", "rank", "difference", "value", "of_base"]
    return Picture(rows[kept], {"value": shown}, "Which singular values did continuing change?", text)


def losses(panels_of: dict[str, dict[str, list]], title: str) -> Picture | None:
    """Loss against updates. panels_of: title of a panel -> label of a line -> [(step, loss), …]."""
    rows = pd.DataFrame(
        [
            {"panel": lines(panel, 30), "model": label, "step": step, "loss": loss}
            for panel, curves in panels_of.items()
            for label, points in curves.items()
            for step, loss in points
        ],
        columns=["panel", "model", "step", "loss"],
    )
    if rows.empty:
        return None
    tips = [altair.Tooltip("model:N"), altair.Tooltip("step:Q"), altair.Tooltip("loss:Q", format=".3f")]
    step = altair.X("step:Q", axis=altair.Axis(tickCount=4, grid=False))
    loss = altair.Y("loss:Q", title="loss (nats)", axis=altair.Axis(tickCount=4))
    legend = None if set(rows["model"]) == {""} else altair.Undefined
    colour = altair.Color("model:N", sort=None, title=None, legend=legend)
    dashes = altair.StrokeDash("model:N", sort=None, title=None, legend=legend, scale=altair.Scale(range=DASHES))
    chart = altair.Chart(ROWS).mark_line(strokeWidth=1.1).encode(x=step, y=loss, color=colour, tooltip=tips)
    shown = panels(chart.encode(strokeDash=dashes), "panel", list(dict.fromkeys(rows["panel"])), height=110)
    return Picture(rows, {"value": shown.resolve_scale(x="independent")}, title, "Loss against updates.")
