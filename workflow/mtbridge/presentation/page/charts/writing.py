"""What models write, against the learning rate."""

import altair
import pandas as pd

from mtbridge.inference.generation import ENGLISH
from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.curves import line_looks, with_bands
from mtbridge.presentation.page.charts.picture import ROWS, Picture, lines, number_axis, panels
from mtbridge.presentation.ways import way_labels
from mtbridge.presentation.words import OUTPUT_MEASURES, language_name
from mtbridge.study.outline import Outline


def rates(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Scores and outputs in the wrong language against the rate, a line a way. frame: that of `figures.rates`."""
    rows = frame[~((frame["measure"] == "wrong_language") & (frame["statistic"] == ENGLISH))]
    if rows.empty:
        return None
    labels = {task.name: task.label for task in outline.writing}
    labels_of_ways = way_labels(outline)
    where = {ENGLISH: language_name(outline.source_language)}
    measures = [
        f"{labels[row.task]}: {OUTPUT_MEASURES[row.measure]}, {where.get(row.statistic, 'other languages')}"
        for row in rows.itertuples()
    ]
    models = [comparisons.short(outline, key) for key in rows["model"]]
    rows = rows.assign(
        panel=[lines(f"{measure} ({model})", 32) for measure, model in zip(measures, models, strict=True)],
        model=models,
        way=[labels_of_ways.get(way, way) for way in rows["way"]],
        rate=["chosen on dev" if chosen else "not chosen" for chosen in rows["chosen"].astype(bool)],
    )
    order = [
        panel
        for measure in dict.fromkeys(measures)
        for panel, own in zip(rows["panel"], measures, strict=True)
        if own == measure
    ]
    tips = [altair.Tooltip("model:N"), altair.Tooltip("way:N"), altair.Tooltip("learning_rate:Q", title="rate")]
    tips += [altair.Tooltip("rate:N", title="this rate is"), altair.Tooltip("n:Q", title="n a language")]
    tips += [altair.Tooltip(f"{name}:Q", format=".1f") for name in ("value", "low", "high")]
    axis = altair.Axis(tickCount=3, format="~g", grid=False)
    rate = altair.X("learning_rate:Q", title="learning rate", scale=altair.Scale(type="log"), axis=axis)
    value = altair.Y("value:Q", axis=number_axis("percent"))
    ways = list(dict.fromkeys(rows["way"]))
    drawn = with_bands("way", rate, value, tips, ways)
    colour, _ = line_looks("way", ways)
    rings = (
        altair.Chart(ROWS)
        .transform_filter("datum.rate == 'chosen on dev'")
        .mark_point(size=150, filled=False, strokeWidth=1.5)
        .encode(x=rate, y=value, color=colour, tooltip=tips)
    )
    shown = panels(drawn + rings, "panel", list(dict.fromkeys(order)), height=120).resolve_scale(y="independent")
    most, seeds = int(rows["pretrainings"].max()), int(rows["seeds"].max())
    held = f"{most} pretrainings" if most > 1 else f"{seeds} seeds of one pretraining"
    text = f"Bands: 95 % intervals over {held} and test examples. Rings: the rate that is best on dev."
    kept = ["panel", "model", "way", "learning_rate", "rate", "value", "low", "high", "n"]
    return Picture(rows[kept], {"value": shown}, "At which learning rate does a model keep the language?", text)
