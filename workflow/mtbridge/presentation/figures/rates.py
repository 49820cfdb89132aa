"""Scores and outputs in the wrong language against the learning rate: one panel a model, a line for each way."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.generation import is_method
from mtbridge.inference.generation import COLUMNS, ENGLISH, ZERO_SHOT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.looks import Look, looks_of
from mtbridge.presentation.figures.panels import add_legend, handles_of, panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit
from mtbridge.presentation.ways import way_labels
from mtbridge.presentation.words import OUTPUT_MEASURES
from mtbridge.study.outline import NO_RECIPE, Outline

PANEL, LEAST = (2.3, 1.75), 0.75  # inches
ROWS = ((None, ENGLISH), (None, ZERO_SHOT), ("wrong_language", ZERO_SHOT))  # (measure, statistic); None: the task's own
LEVELS = (":", "--", "-.", (0, (7, 2)))  # of what is to be reached: ways that are no methods, at their chosen rates


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs` that the picture shows."""
    rows = read_parquet(inputs, COLUMNS)
    metric = {task.name: task.metric for task in outline.writing}
    rows = rows[rows["way"] != NO_RECIPE]
    own = rows["measure"] == rows["task"].map(metric)
    return rows[(own | (rows["measure"] == "wrong_language")) & rows["statistic"].isin((ENGLISH, ZERO_SHOT))]


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Models across; for every task its score in English, its score zero-shot, and the wrong language."""
    if frame.empty:
        return nothing_to_draw("Nothing is written and scored yet.", width)
    models = list(dict.fromkeys(frame["model"]))
    tasks = [task for task in outline.writing if (frame["task"] == task.name).any()]
    ways, levels = _ways(frame, outline)
    labels, styles = way_labels(outline), looks_of(ways)
    rows = [(task, measure or task.metric, statistic) for task in tasks for measure, statistic in ROWS]
    drawn = panels(len(rows), len(models), PANEL, LEAST, width, share="group")
    for group, (task, measure, statistic) in enumerate(rows):
        for place, (ax, model) in enumerate(zip(drawn.axes[group], models, strict=True)):
            own = frame[(frame["model"] == model) & (frame["task"] == task.name) & (frame["measure"] == measure)]
            own = own[own["statistic"] == statistic]
            for way in ways:
                _line(ax, own[own["way"] == way], styles[way], labels.get(way, way))
            for number, way in enumerate(levels):
                _level(ax, own[own["way"] == way], LEVELS[number % len(LEVELS)], labels.get(way, way))
            _rates(ax, frame["learning_rate"], drawn.inner)
            if group == 0 or drawn.per_line < len(models):
                ax.set_title(fit(short(outline, model), drawn.inner))
            if drawn.is_lowest(group, place):
                ax.set_xlabel(fit("learning rate", drawn.inner))
            else:
                ax.tick_params(axis="x", which="both", labelbottom=False)
            if drawn.starts_line(place):
                where = {ENGLISH: "English", ZERO_SHOT: "other languages"}[statistic]
                ax.set_ylabel(f"{task.label}: {OUTPUT_MEASURES[measure]}, {where}, %")
            seaborn.despine(ax=ax)
    handles = handles_of(drawn.every)
    add_legend(drawn, handles.values(), list(handles), _what(frame, bool(levels)))
    return drawn.figure


def _what(frame: pd.DataFrame, has_levels: bool) -> str:
    """What bands, rings and grey lines are."""
    seeds, most = int(frame["seeds"].max()), int(frame["pretrainings"].max())
    held = f"{most} pretrainings" if most > 1 else f"{seeds} seeds of one pretraining"
    n = f"n = {int(frame['n'].min())}" + f" to {int(frame['n'].max())}" * (frame["n"].nunique() > 1)
    text = (
        f"Bands: 95 % intervals over {held} and test examples ({n} a language). Rings: the rate chosen on English dev"
    )
    return text + ". Grey: with translations or data of every language, at the chosen rate" * has_levels


def _rates(ax: Axes, rates: pd.Series, inches: float) -> None:
    """A logarithmic axis over all rates, with labels at some powers of ten; inches: its length."""
    low, high = float(rates.min()), float(rates.max())
    ax.set_xscale("log")
    ax.set_xlim(low / 2, high * 2.5)  # room for rings
    ax.xaxis.set_major_locator(LogLocator(numticks=4 if inches > 1 else 2))
    ax.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def _ways(frame: pd.DataFrame, outline: Outline) -> tuple[list[str], list[str]]:
    """The ways that are methods, and those that are to be reached, in the order of the frame."""
    about = {settings["way"]: settings for settings in outline.adaptations.values()}
    ways = list(dict.fromkeys(frame["way"]))
    methods = [way for way in ways if is_method(outline.writing, about.get(way, {}))]
    return methods, [way for way in ways if way not in methods]


def _level(ax: Axes, rows: pd.DataFrame, style, label: str) -> None:
    """A grey line at the value of a way at its chosen rate."""
    for value in rows.loc[rows["chosen"].astype(bool), "value"]:
        ax.axhline(value, linestyle=style, color="0.45", linewidth=1, label=label, zorder=0)


def _line(ax: Axes, rows: pd.DataFrame, style: Look, label: str) -> None:
    """One way: its values against the rate, with their intervals, and a ring at the chosen rate."""
    rows = rows.sort_values("learning_rate")
    if rows.empty:
        return
    ax.plot(rows["learning_rate"], rows["value"], label=label, **style.line)
    ax.fill_between(rows["learning_rate"], rows["low"], rows["high"], color=style.colour, alpha=0.13, linewidth=0)
    chosen = rows[rows["chosen"].astype(bool)]
    ax.plot(chosen["learning_rate"], chosen["value"], "o", color=style.colour, markersize=8, fillstyle="none")
