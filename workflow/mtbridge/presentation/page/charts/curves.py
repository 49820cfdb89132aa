"""Curves with bands: separability and retrieval by layer, dose and response, and losses of training."""

import altair
import pandas as pd

from mtbridge.inference.retrieval import EVERY, FROM, TO
from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.picture import (
    COLOURS,
    DASHES,
    FLOOR,
    LINE,
    ROWS,
    SOFT,
    Picture,
    lines,
    number_axis,
    panels,
)
from mtbridge.presentation.words import MATRIX_LABELS, RETRIEVAL, SEPARABILITY, STATISTIC_LABELS, language_name
from mtbridge.study.outline import Outline


def with_bands(by: str, x, y, tips: list, names: list, floor: str | None = None):
    """A line for each value of a column, told apart by colour and dashes, with a band from low to high.

    names: the values of the column, in the order of the legend; floor: the one of the untrained encoder.
    """
    colour, dash = line_looks(by, names, floor)
    base = altair.Chart(ROWS).encode(x=x, color=colour, tooltip=tips)
    drawn = base.mark_line(strokeWidth=1.6).encode(y=y, strokeDash=dash)
    points = base.mark_point(size=14, filled=True, opacity=1).encode(y=y)
    bands = base.mark_area(opacity=0.13).encode(y=altair.Y("low:Q"), y2="high:Q")
    return bands + drawn + points


def line_looks(by: str, names: list, floor: str | None = None) -> tuple[altair.Color, altair.StrokeDash]:
    """Colour and dashes of lines, for all marks of a picture: where one has no legend, none has colours in it.

    The numbers of colours and of dashes have no common divisor, so that no two of 28 lines look alike.
    """
    others = [name for name in names if name != floor]
    looks = {name: (COLOURS[i % (len(COLOURS) - 1)], DASHES[i % len(DASHES)]) for i, name in enumerate(others)}
    looks |= {name: FLOOR for name in names if name == floor}
    colours, dashes = (altair.Scale(domain=names, range=[looks[name][part] for name in names]) for part in (0, 1))
    stroke = altair.Legend(symbolType="stroke", symbolSize=400, symbolStrokeWidth=2, symbolOpacity=1)
    legend = stroke if names != [""] else None  # one line without a name has none
    return (
        altair.Color(f"{by}:N", sort=None, title=None, scale=colours, legend=legend),
        altair.StrokeDash(f"{by}:N", sort=None, title=None, scale=dashes, legend=legend),
    )


def _models(rows: pd.DataFrame, outline: Outline) -> tuple[list, str | None]:
    """The labels of the models in the column `model`, in the study's order, and that of the untrained encoder."""
    shown = set(rows["model"])
    labels = {model.key: comparisons.short(outline, model.key) for model in outline.models}
    untrained = [labels[model.key] for model in outline.models if model.is_untrained and labels[model.key] in shown]
    return [label for label in labels.values() if label in shown], untrained[0] if untrained else None


def _floor_in_words(floor: str | None) -> str:
    return f" Grey: {floor}, the floor." if floor else ""


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
    models, floor = _models(rows, outline)
    drawn = with_bands("model", layer, altair.Y("value:Q", axis=number_axis("")), tips, models, floor)
    null = altair.Chart(ROWS).mark_rule(strokeDash=[1, 3], color=SOFT).encode(y="mean(null):Q")
    shown = panels(drawn + null, "panel", list(dict.fromkeys(rows["panel"])))
    most = int(rows["P"].max())
    held = f"up to {most} pretrainings and sentences" if most > 1 else "sentences alone"
    text = f"Bands: 95 % intervals of {held}. Dotted: states without structure.{_floor_in_words(floor)}"
    kept = ["panel", "model", "layer", "value", "low", "high", "null", "P"]
    return Picture(rows[kept], {"value": shown}, "How far apart do languages lie, layer by layer?", text)


def retrieval(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """How often translations find each other, by depth and direction. frame: that of `figures.retrieval`."""
    rows = frame[(frame["language"] == EVERY) & frame["direction"].isin([TO, FROM])]
    if rows.empty:
        return None
    source = language_name(outline.source_language)
    ways = {TO: f"to {source}", FROM: f"from {source}"}
    panel_of = {
        (measure, way): lines(f"{text}, {name}", 30)
        for way, text in ways.items()
        for measure, name in RETRIEVAL.items()
    }
    rows = rows.assign(
        panel=[panel_of[row.measure, row.direction] for row in rows.itertuples()],
        model=[comparisons.short(outline, key) for key in rows["model"]],
        **{name: 100 * rows[name] for name in ("value", "low", "high", "null")},
    )
    tips = [altair.Tooltip("model:N"), altair.Tooltip("layer:Q"), altair.Tooltip("layers:Q", title="of layers")]
    tips += [altair.Tooltip("value:Q", title="found, percent", format=".1f")]
    tips += [altair.Tooltip(f"{name}:Q", format=".1f") for name in ("low", "high")]
    tips += [altair.Tooltip("null:Q", title="chance", format=".2f"), altair.Tooltip("n:Q", title="sentences")]
    tips += [altair.Tooltip("P:Q", title="pretrainings")]
    axis = altair.Axis(tickCount=3, grid=False)
    depth = altair.X("depth:Q", title="depth (0: embeddings, 1: last layer)", axis=axis)
    found = altair.Y("value:Q", axis=number_axis("found, percent"))
    chosen = altair.Chart(ROWS).mark_rule(color=LINE, strokeWidth=2.5).encode(x=altair.datum(outline.retrieval_depth))
    chance = altair.Chart(ROWS).mark_rule(strokeDash=[1, 3], color=SOFT).encode(y="mean(null):Q")
    models, floor = _models(rows, outline)
    drawn = with_bands("model", depth, found, tips, models, floor)
    order = [panel for panel in panel_of.values() if panel in set(rows["panel"])]
    shown = panels(chosen + chance + drawn, "panel", order)
    most = int(rows["P"].max())
    held = f"up to {most} pretrainings and sentences" if most > 1 else "sentences alone"
    text = (
        f"Mean over the other languages. Bands: 95 % intervals of {held}. Dotted: chance.{_floor_in_words(floor)} "
        "The upright line is the depth that the table shows, fixed beforehand."
    )
    kept = ["panel", "model", "depth", "layer", "layers", "value", "low", "high", "null", "n", "P"]
    return Picture(rows[kept], {"value": shown}, "In which layers do translations find each other?", text)


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
    points = altair.Y("estimate:Q", axis=number_axis("percent points"))
    drawn = with_bands("arm", updates, points, tips, list(dict.fromkeys(rows["arm"])))
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
    colour, dashes = line_looks("model", *_models(rows, outline))
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
    colour, dashes = line_looks("model", list(dict.fromkeys(rows["model"])))
    chart = altair.Chart(ROWS).mark_line(strokeWidth=1.1).encode(x=step, y=loss, color=colour, tooltip=tips)
    shown = panels(chart.encode(strokeDash=dashes), "panel", list(dict.fromkeys(rows["panel"])), height=110)
    return Picture(rows, {"value": shown.resolve_scale(x="independent")}, title, "Loss against updates.")
