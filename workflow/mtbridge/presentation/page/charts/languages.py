"""Similarity of two languages inside a model, and its difference from the model's base, as heat maps."""

import altair
import pandas as pd

from mtbridge.presentation import comparisons
from mtbridge.presentation.page.charts.picture import DIVERGING, ROWS, SEQUENTIAL, Picture, lines, panels
from mtbridge.study.outline import Outline

KEYS = ["layer", "language_a", "language_b"]
HEIGHT = 14  # pixels: a cell
NOISE = "#9aa2ab55"  # of a cell whose interval holds zero


def inside_models(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Similarity of languages by layer and pair, and beside it minus the base's. frame: that of `figures.figure2`."""
    rows = frame.dropna(subset=["value"])
    if rows.empty:
        return None
    bases = {key: outline.model(key).base for key in rows["model"].unique()}
    of_base = rows[["model", *KEYS, "value"]].rename(columns={"model": "base", "value": "of_base"})
    rows = rows.assign(base=rows["model"].map(bases)).merge(of_base, on=["base", *KEYS], how="left")
    rows = rows.assign(
        difference=rows["value"] - rows["of_base"],
        pair=rows["language_a"] + "–" + rows["language_b"],
        panel=[lines(comparisons.short(outline, key), 30) for key in rows["model"]],
        minus=[
            lines(f"{comparisons.short(outline, row.model)} − {comparisons.short(outline, row.base)}", 30)
            if isinstance(row.base, str)
            else None
            for row in rows.itertuples()
        ],
    )
    names = {"published": "published"} if "published" in rows else {}
    numbers = ["value", "low", "high", "difference", *names]
    views = {"value": _heat(rows, "value", "panel", f"{rows['estimator'].iloc[0]} CKA", numbers)}
    if rows["difference"].notna().any():
        views["difference"] = _heat(
            rows.dropna(subset=["difference"]), "difference", "minus", "minus the base's", numbers
        )
    kept = ["panel", "minus", "pair", "layer", "n", *numbers]
    text = "Pairs of languages down, layers across (0: embeddings); one colour scale for all panels."
    notes = ["Differences have no interval in this picture; the next one has them."] * ("difference" in views)
    return Picture(rows[kept], views, "How alike are two languages inside a model?", text, notes)


def differences(frame: pd.DataFrame, outline: Outline) -> Picture | None:
    """Similarity of languages minus that in the base, with intervals. frame: that of `figures.alike`."""
    if frame.empty:
        return None
    panel = [
        lines(f"{comparisons.short(outline, row.model)} − {comparisons.short(outline, row.against)}", 30)
        for row in frame.itertuples()
    ]
    rows = frame.assign(
        pair=frame["language_a"] + "–" + frame["language_b"],
        panel=panel,
        clear=["no" if low <= 0 <= high else "yes" for low, high in zip(frame["low"], frame["high"], strict=True)],
    )
    most = float(rows["difference"].abs().max()) or 1.0
    scale = altair.Scale(**DIVERGING, domain=[-most, most])
    legend = altair.Legend(gradientLength=200, format=".2f")
    colour = altair.Color("difference:Q", title="difference of CKA", scale=scale, legend=legend)
    numbers = ("difference", "low", "high", "value", "value_against")
    tips = [altair.Tooltip("panel:N", title="models"), altair.Tooltip("pair:N"), altair.Tooltip("layer:O")]
    tips += [altair.Tooltip(f"{name}:Q", format="+.3f" if name == "difference" else ".3f") for name in numbers]
    tips += [altair.Tooltip("P:Q", title="pretrainings"), altair.Tooltip("n:Q", title="texts")]
    x = altair.X("layer:O", axis=altair.Axis(labelAngle=0, ticks=False, domain=False))
    y = altair.Y("pair:N", title=None, axis=altair.Axis(ticks=False, domain=False))
    base = altair.Chart(ROWS).mark_rect().encode(x=x, y=y, tooltip=tips)
    heat = base.encode(color=altair.condition("datum.clear == 'yes'", colour, altair.value(NOISE)))
    shown = panels(heat, "panel", list(dict.fromkeys(panel)), height=HEIGHT * rows["pair"].nunique())
    held = int(frame["P"].max())
    what = f"up to {held} pretrainings and the choice of texts" if held > 1 else "the choice of texts alone"
    text = f"Grey: the 95 % interval of {what} holds zero. Not corrected for the number of cells."
    kept = ["panel", "pair", "layer", *numbers, "clear", "P", "n"]
    return Picture(rows[kept], {"value": shown}, "Are two languages more alike than in the base?", text)


def _heat(rows: pd.DataFrame, column: str, panel: str, title: str, numbers: list[str]):
    """One column as a heat map; differences around zero."""
    scale = altair.Scale(scheme=SEQUENTIAL, zero=False)
    if column == "difference":
        most = float(rows["difference"].abs().max()) or 1.0
        scale = altair.Scale(**DIVERGING, domain=[-most, most])
    tips = [altair.Tooltip("panel:N", title="model"), altair.Tooltip("pair:N"), altair.Tooltip("layer:O")]
    tips += [altair.Tooltip(f"{name}:Q", format=".3f") for name in numbers] + [altair.Tooltip("n:Q", title="texts")]
    heat = (
        altair.Chart(ROWS)
        .transform_filter(f"isValid(datum.{column})")
        .mark_rect()
        .encode(
            x=altair.X("layer:O", axis=altair.Axis(labelAngle=0, ticks=False, domain=False)),
            y=altair.Y("pair:N", title=None, axis=altair.Axis(ticks=False, domain=False)),
            color=altair.Color(
                f"{column}:Q", title=title, scale=scale, legend=altair.Legend(gradientLength=200, format=".2f")
            ),
            tooltip=tips,
        )
    )
    order = list(dict.fromkeys(rows[panel]))
    return panels(heat, panel, order, height=HEIGHT * rows["pair"].nunique())
