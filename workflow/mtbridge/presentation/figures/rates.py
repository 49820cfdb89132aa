"""Scores and outputs in the wrong language against the learning rate: one panel a model, a line for each way."""

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.generation import is_method
from mtbridge.inference.generation import COLUMNS, ENGLISH, ZERO_SHOT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.ways import way_labels
from mtbridge.presentation.words import OUTPUT_MEASURES
from mtbridge.study.outline import NO_RECIPE, Outline

PANEL = (2.3, 1.75)  # inches
ROWS = ((None, ENGLISH), (None, ZERO_SHOT), ("wrong_language", ZERO_SHOT))  # (measure, statistic); None: the task's own
STYLES = ("-o", "--s", "-.^", ":D", "-v", "--P", "-.X")
LEVELS = (":", "--", "-.")  # of what is to be reached: ways that are no methods, at their chosen rates


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs` that the picture shows."""
    rows = read_parquet(inputs, COLUMNS)
    metric = {task.name: task.metric for task in outline.writing}
    rows = rows[rows["way"] != NO_RECIPE]
    own = rows["measure"] == rows["task"].map(metric)
    return rows[(own | (rows["measure"] == "wrong_language")) & rows["statistic"].isin((ENGLISH, ZERO_SHOT))]


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Models across; for every task its score in English, its score zero-shot, and the wrong language."""
    if frame.empty:
        return nothing_to_draw("Nothing is written and scored yet.")
    models = list(dict.fromkeys(frame["model"]))
    tasks = [task for task in outline.writing if (frame["task"] == task.name).any()]
    ways, levels = _ways(frame, outline)
    labels = way_labels(outline)
    colours = dict(zip(ways, seaborn.color_palette("colorblind", len(ways)), strict=True))
    lines = [(task, *row) for task in tasks for row in ROWS]
    figure = Figure(figsize=(PANEL[0] * len(models) + 0.4, PANEL[1] * len(lines) + 0.7))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(lines), len(models), squeeze=False, sharex=True, sharey="row")
    for place, (row, (task, measure, statistic)) in enumerate(zip(axes, lines, strict=True)):
        measure = measure or task.metric
        for ax, model in zip(row, models, strict=True):
            own = frame[(frame["model"] == model) & (frame["task"] == task.name) & (frame["measure"] == measure)]
            own = own[own["statistic"] == statistic]
            for number, way in enumerate(ways):
                _line(ax, own[own["way"] == way], STYLES[number % len(STYLES)], colours[way], labels.get(way, way))
            for number, way in enumerate(levels):
                _level(ax, own[own["way"] == way], LEVELS[number % len(LEVELS)], labels.get(way, way))
            if place == 0:
                ax.set_title(wrap(short(outline, model), 24))
            if place == len(lines) - 1:
                ax.set_xlabel("learning rate")
            seaborn.despine(ax=ax)
        where = {ENGLISH: "English", ZERO_SHOT: "other languages"}[statistic]
        row[0].set_ylabel(wrap(f"{task.label}: {OUTPUT_MEASURES[measure]}, {where}, %", 24))
    handles = {line.get_label(): line for ax in axes.flat for line in ax.get_lines() if line.get_label()[0] != "_"}
    seeds, most = int(frame["seeds"].max()), int(frame["pretrainings"].max())
    held = f"{most} pretrainings" if most > 1 else f"{seeds} seeds of one pretraining"
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        title=f"Bands: 95 % intervals over {held} and test examples. Rings: the rate chosen on English dev"
        + (". Grey: with translations or data of every language, at the chosen rate" if levels else ""),
        title_fontsize=6.5,
    )
    return figure


def _ways(frame: pd.DataFrame, outline: Outline) -> tuple[list[str], list[str]]:
    """The ways that are methods, and those that are to be reached, in the order of the frame."""
    about = {settings["way"]: settings for settings in outline.adaptations.values()}
    ways = list(dict.fromkeys(frame["way"]))
    methods = [way for way in ways if is_method(outline.writing, about.get(way, {}))]
    return methods, [way for way in ways if way not in methods]


def _level(ax, rows: pd.DataFrame, style: str, label: str) -> None:
    """A grey line at the value of a way at its chosen rate."""
    for value in rows.loc[rows["chosen"].astype(bool), "value"]:
        ax.axhline(value, linestyle=style, color="0.45", linewidth=1, label=label, zorder=0)


def _line(ax, rows: pd.DataFrame, style: str, colour, label: str) -> None:
    """One way: its values against the rate, with their intervals, and a ring at the chosen rate."""
    rows = rows.sort_values("learning_rate")
    if rows.empty:
        return
    ax.plot(rows["learning_rate"], rows["value"], style, color=colour, markersize=3.5, label=label)
    ax.fill_between(rows["learning_rate"], rows["low"], rows["high"], color=colour, alpha=0.13, linewidth=0)
    chosen = rows[rows["chosen"].astype(bool)]
    ax.plot(chosen["learning_rate"], chosen["value"], "o", color=colour, markersize=8, fillstyle="none")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
