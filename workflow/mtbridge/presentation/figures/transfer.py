"""Does transfer go with how far languages lie apart? Every pretraining of every continued model is a point."""

import math

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.base.files import read_parquet
from mtbridge.inference.separability import SLOPES
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.layout import number
from mtbridge.presentation.words import SEPARABILITY, SEPARABILITY_SHOWN
from mtbridge.study.outline import Outline

MARKERS = "osD^vP*X<>"
PANEL = (2.7, 2.5)  # inches
STEP = 0.1  # of a measure, for which slopes are stated
COLUMNS = ["recipe", "base", "measure", "model", "number", "x", "y", "slope", "low", "high", "P"]


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """One row a point; slope, low, high: percent points for one of the measure. From the file `inputs`."""
    rows = [
        (row.recipe, row.base, row.measure, *point, row.slope, row.low, row.high, row.P)
        for row in read_parquet(inputs, SLOPES).itertuples()
        for point in zip(row.models, row.numbers, row.x, row.y, strict=True)
        if row.measure in SEPARABILITY_SHOWN
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Measures across, bases (and recipes) down; the origin is the base."""
    if frame.empty:
        return nothing_to_draw("No model continues another one, or nothing is scored yet.")
    measures = [name for name in SEPARABILITY_SHOWN if (frame["measure"] == name).any()]
    groups = list(frame[["recipe", "base"]].drop_duplicates().itertuples(index=False))
    models = list(dict.fromkeys(frame["model"]))
    colours = dict(
        zip(models, seaborn.color_palette("colorblind" if len(models) <= 10 else "husl", len(models)), strict=True)
    )
    width, height = PANEL
    figure = Figure(figsize=(width * len(measures), height * len(groups) + 0.7))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(groups), len(measures), squeeze=False, sharey="row")
    for row, (recipe, base) in zip(axes, groups, strict=True):
        for ax, measure in zip(row, measures, strict=True):
            own = (frame["recipe"] == recipe) & (frame["base"] == base) & (frame["measure"] == measure)
            _panel(ax, frame[own], colours)
            ax.set_xlabel(wrap(f"{SEPARABILITY[measure]}, last layer, more than the base", 36))
        of_recipe = f", recipe {recipe}" if len(outline.recipes) > 1 else ""
        row[0].set_ylabel(wrap(f"zero-shot, points more than {short(outline, base)}{of_recipe}", 34))
    handles = {line.get_label(): line for ax in axes.flat for line in ax.get_lines() if line.get_label()[0] != "_"}
    names = [short(outline, str(key)) for key in handles]
    figure.legend(handles.values(), names, loc="outside lower center", ncols=5, frameon=False)
    return figure


def _panel(ax: Axes, part: pd.DataFrame, colours: dict) -> None:
    ax.axhline(0, color="0.75", linewidth=0.6)
    ax.axvline(0, color="0.75", linewidth=0.6)
    for place, (model, points) in enumerate(part.groupby("model", sort=False)):
        marker = MARKERS[place % len(MARKERS)]
        ax.plot(points["x"], points["y"], marker, color=colours[model], markersize=4, alpha=0.85, label=model)
    first = part.iloc[0]
    if not math.isnan(first["slope"]):
        ends = np.array([min(0.0, part["x"].min()), max(0.0, part["x"].max())])
        ax.plot(ends, first["slope"] * ends, "-", color="0.3", linewidth=0.9)
    ax.set_title(_slope(first))
    seaborn.despine(ax=ax)


def _slope(row) -> str:
    """The slope in words, with its interval over pretrainings."""
    if math.isnan(row["slope"]):
        return "no slope: one model"
    text = f"{number(STEP * row['slope'])} points for {STEP:g} more"
    if math.isnan(row["low"]):
        return f"{text}\none pretraining: no interval"
    return f"{text}\n[{number(STEP * row['low'])}, {number(STEP * row['high'])}], {int(row['P'])} pretrainings"
