"""Similarity of models on the same texts, as heat maps."""

import altair
import pandas as pd

from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.picture import ROWS, SEQUENTIAL, Picture, lines, panels
from mtbridge.study.outline import Outline

HEIGHT = 14  # pixels: a cell


def of_models(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Similarity of two models by layer and language. frame: that of `figures.figure1`."""
    rows = frame.dropna(subset=["value"])
    if rows.empty:
        return None
    pairs = [
        lines(f"{comparisons.short(outline, row.model_row)} and {comparisons.short(outline, row.model_column)}", 30)
        for row in rows.itertuples()
    ]
    rows = rows.assign(panel=pairs)
    tips = [altair.Tooltip("panel:N", title="models"), altair.Tooltip("language:N"), altair.Tooltip("layer:O")]
    tips += [altair.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")]
    tips += [altair.Tooltip("null:Q", title="unrelated texts", format=".3f"), altair.Tooltip("n:Q", title="texts")]
    heat = (
        altair.Chart(ROWS)
        .mark_rect()
        .encode(
            x=altair.X("language:N", axis=altair.Axis(labelAngle=0, ticks=False, domain=False)),
            y=altair.Y("layer:O", axis=altair.Axis(ticks=False, domain=False)),
            color=altair.Color(
                "value:Q",
                title=f"{rows['estimator'].iloc[0]} similarity",
                scale=altair.Scale(scheme=SEQUENTIAL, zero=False),
                legend=altair.Legend(gradientLength=200, format=".2f"),
            ),
            tooltip=tips,
        )
    )
    shown = panels(heat, "panel", list(dict.fromkeys(pairs)), height=HEIGHT * rows["layer"].nunique())
    kept = ["panel", "language", "layer", "value", "low", "high", "null", "n"]
    text = (
        "One colour scale, from the lowest value here to the highest: see its ends before comparing colours. "
        "Layer 0 is the embeddings."
    )
    return Picture(rows[kept], {"value": shown}, "How alike are two models' states on the same texts?", text)
