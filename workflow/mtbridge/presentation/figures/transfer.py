"""Does transfer go with how far languages lie apart? Every pretraining of every continued model is a point."""

import math

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbridge.base.files import read_parquet
from mtbridge.inference.separability import SLOPES
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.looks import Look, looks_of, name_lines
from mtbridge.presentation.figures.panels import panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit, is_narrow
from mtbridge.presentation.layout import EQUALS, number, span
from mtbridge.presentation.words import SEPARABILITY, SEPARABILITY_SHOWN
from mtbridge.study.outline import Outline

PANEL, LEAST = (2.7, 2.4), 1.0  # inches
STEP = 0.1  # of a measure, for which slopes are stated
COLUMNS = ["recipe", "base", "measure", "model", "number", "x", "y", "slope", "low", "high", "P", "n"]


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """One row a point; slope, low, high: percent points for one of the measure. From the file `inputs`."""
    rows = [
        (row.recipe, row.base, row.measure, *point, row.slope, row.low, row.high, row.P, n)
        for row in read_parquet(inputs, SLOPES).itertuples()
        for *point, n in zip(row.models, row.numbers, row.x, row.y, row.n, strict=True)
        if row.measure in SEPARABILITY_SHOWN
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Measures across, bases (and recipes) down; the origin is the base."""
    if frame.empty:
        return nothing_to_draw("No model continues another one, or nothing is scored yet.", width)
    measures = [name for name in SEPARABILITY_SHOWN if (frame["measure"] == name).any()]
    groups = list(frame[["recipe", "base"]].drop_duplicates().itertuples(index=False))
    styles = looks_of(frame["model"])
    drawn = panels(len(groups), len(measures), PANEL, LEAST, width, share="group")
    for group, (recipe, base) in enumerate(groups):
        for place, (ax, measure) in enumerate(zip(drawn.axes[group], measures, strict=True)):
            own = (frame["recipe"] == recipe) & (frame["base"] == base) & (frame["measure"] == measure)
            _panel(ax, frame[own], styles)
            ax.set_title(fit(_slope(frame[own].iloc[0]), drawn.inner))
            ax.set_xlabel(fit(f"{SEPARABILITY[measure]}, last layer, more than the base", drawn.inner))
            ax.xaxis.set_major_locator(MaxNLocator(3 if is_narrow(width) else 5))
            if drawn.starts_line(place):
                of_recipe = f", recipe {recipe}" if len(outline.recipes) > 1 else ""
                text = f"zero-shot, points more than {short(outline, base)}{of_recipe}"
                ax.set_ylabel(text)
    text = "Points: single pretrainings. Line: the slope through the base, the origin. "
    name_lines(drawn, outline, f"{text}Scores rest on n{EQUALS}{span(frame['n'])} test examples")
    return drawn.figure


def _panel(ax: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> None:
    ax.axhline(0, color="0.75", linewidth=0.6)
    ax.axvline(0, color="0.75", linewidth=0.6)
    for model, points in part.groupby("model", sort=False):
        ax.plot(points["x"], points["y"], linestyle="", label=model, **styles[str(model)].marks)
    first = part.iloc[0]
    if not math.isnan(first["slope"]):
        ends = np.array([min(0.0, part["x"].min()), max(0.0, part["x"].max())])
        ax.plot(ends, first["slope"] * ends, "-", color="0.3", linewidth=0.9, zorder=1)
    seaborn.despine(ax=ax)


def _slope(row) -> str:
    """The slope in words, with its interval over pretrainings."""
    if math.isnan(row["slope"]):
        return "no slope: one model"
    text = f"{number(STEP * row['slope'])} points for {STEP:g} more"
    if math.isnan(row["low"]):
        return f"{text}; one pretraining: no interval"
    low, high = number(STEP * row["low"]), number(STEP * row["high"])
    return f"{text} [{low},\N{NO-BREAK SPACE}{high}], {int(row['P'])}\N{NO-BREAK SPACE}pretrainings"
