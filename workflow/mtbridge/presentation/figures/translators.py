"""Good translator, good encoder? Zero-shot scores beside chrF: one panel a kind of task, one point a model."""

import math
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.base.files import read_parquet
from mtbridge.inference.translators import BOTH, COLUMNS, EVERY, FEWEST, INTO, OUT, UNDERSTANDING
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.layout import number
from mtbridge.presentation.words import OUTPUT_MEASURES, language_name
from mtbridge.study.outline import Outline

PANEL = (3.3, 2.9)  # inches
MARKERS = {INTO: "<", OUT: ">", BOTH: "D", EVERY: "o"}


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`."""
    return read_parquet(inputs, COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Panels across; markers say in which directions a model translates; lines are models that do not."""
    if frame["x"].notna().sum() == 0:
        return nothing_to_draw("No model that translates has zero-shot scores on tasks that models have learnt.")
    panels = list(dict.fromkeys(frame["panel"]))
    models = list(dict.fromkeys(frame["model"]))
    palette = seaborn.color_palette("colorblind" if len(models) <= 10 else "husl", len(models))
    colours = dict(zip(models, palette, strict=True))
    figure = Figure(figsize=(PANEL[0] * len(panels), PANEL[1] + 0.6))
    figure.set_layout_engine("constrained")
    for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        part = frame[frame["panel"] == panel]
        _panel(ax, part, outline, colours)
        ax.set_xlabel("translation: chrF, mean over a model's directions")
        ax.set_ylabel(_height(part, panel, outline))
    english = language_name(outline.source_language)
    names = {INTO: f"into {english}", OUT: f"out of {english}", BOTH: f"into and out of {english}"}
    names[EVERY] = "all directions"
    empty = figure.axes[0]
    handles = [
        empty.plot([], [], MARKERS[kind], color="0.35", markersize=5, label=name)[0]
        for kind, name in names.items()
        if (frame["directions"] == kind).any()
    ]
    handles += [
        empty.plot([], [], ":", color=colours[model], label=f"{short(outline, model)}: does not translate")[0]
        for model in dict.fromkeys(frame.loc[frame["x"].isna(), "model"])
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4,
        frameon=False,
        title="Bars and bands: 95 % intervals; of one pretraining they hold test sentences, examples and seeds alone",
        title_fontsize=6.5,
    )
    return figure


def _height(part: pd.DataFrame, panel: str, outline: Outline) -> str:
    if panel == UNDERSTANDING:
        recipe = f", recipe {part['recipe'].iloc[0]}" if len(outline.recipes) > 1 else ""
        tasks = int(part["tasks"].iloc[0])
        return wrap(f"understanding: zero-shot, mean of {tasks} task{'s' * (tasks != 1)}{recipe}, %", 40)
    task = next(task for task in outline.writing if task.name == panel)
    return wrap(f"generation: {task.label}, {OUTPUT_MEASURES[task.metric]}, zero-shot, %", 40)


def _panel(ax: Axes, part: pd.DataFrame, outline: Outline, colours: dict) -> None:
    points, others = part[part["x"].notna()], part[part["x"].isna()]
    for row in others.itertuples():
        ax.axhline(row.y, color=colours[row.model], linewidth=0.9, linestyle=":")
        if not math.isnan(row.y_low):
            ax.axhspan(row.y_low, row.y_high, color=colours[row.model], alpha=0.1, linewidth=0)
    for row in points.itertuples():
        # An interval that is not known has no bar.
        x_bar, y_bar = (None if math.isnan(low) else [[value - low], [high - value]] for value, low, high in _bars(row))
        colour = colours[row.model]
        style: Any = {"color": colour, "markersize": 5, "linewidth": 0.9}
        ax.errorbar(row.x, row.y, y_bar, x_bar, fmt=MARKERS[row.directions], **style)
        # On the inner side, so that no name leaves the panel.
        to_left = row.x > (points["x"].min() + points["x"].max()) / 2
        beside: Any = {"xytext": (-5 if to_left else 5, 5), "ha": "right" if to_left else "left", "fontsize": 6.5}
        name = ax.annotate(
            short(outline, row.model), (row.x, row.y), textcoords="offset points", color=colour, **beside
        )
        name.set_in_layout(False)
    ax.margins(0.16)
    ax.set_title(correlation_text(part.iloc[0]), fontsize=7)
    seaborn.despine(ax=ax)


def _bars(row) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    return (row.x, row.x_low, row.x_high), (row.y, row.y_low, row.y_high)


def correlation_text(row) -> str:
    """The rank correlation of a panel, or why there is none."""
    models = int(row["correlation_models"])
    if models < FEWEST:
        many = f"{models} models" if models > 1 else "no two models"
        return wrap(f"no rank correlation: {many} with the same directions, {FEWEST} are needed", 48)
    if math.isnan(row["correlation"]):
        return "no rank correlation: all models are equal on one side"
    text = f"rank correlation of {models} models {number(row['correlation'], 2)}"
    if math.isnan(row["correlation_low"]):
        return f"{text}; no interval can be given"
    return f"{text} [{number(row['correlation_low'], 2)}, {number(row['correlation_high'], 2)}]"
