"""Good translator, good encoder? Zero-shot scores beside chrF: one panel a kind of task, one point a model."""

import math
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from mtbridge.base.files import read_parquet
from mtbridge.inference.translators import BOTH, COLUMNS, EVERY, FEWEST, INTO, OUT, UNDERSTANDING
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.looks import Look, looks_of
from mtbridge.presentation.figures.panels import Panels, add_legend, handles_of, panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit, text_width
from mtbridge.presentation.layout import EQUALS, number, span
from mtbridge.presentation.words import OUTPUT_MEASURES, language_name
from mtbridge.study.outline import Outline

PANEL, LEAST = (3.3, 2.7), 2.2  # inches
NAMES = 6.5  # points of the names beside the marks
DASHES: tuple[Any, ...] = (":", "--", "-.", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = {INTO: "<", OUT: ">", BOTH: "D", EVERY: "o"}


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`."""
    return read_parquet(inputs, COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Panels across; markers say in which directions a model translates; lines are models that do not."""
    if frame["x"].notna().sum() == 0:
        return nothing_to_draw("No model that translates has zero-shot scores on tasks that models have learnt.", width)
    groups = list(dict.fromkeys(frame["panel"]))
    styles = looks_of(frame["model"])
    drawn = panels(1, len(groups), PANEL, LEAST, width)
    for ax, panel in zip(drawn.every, groups, strict=True):
        part = frame[frame["panel"] == panel]
        _panel(ax, part, outline, styles)
        ax.set_title(fit(correlation_text(part.iloc[0]), drawn.inner))
        ax.set_xlabel(fit("translation: chrF, mean over a model's directions", drawn.inner))
        ax.set_ylabel(_height(part, panel, outline))
    _legend(drawn, frame, outline)
    drawn.figure.draw_without_rendering()  # places the panels; only now is it known which names would touch
    for ax, panel in zip(drawn.every, groups, strict=True):
        _name_points(ax, frame[(frame["panel"] == panel) & frame["x"].notna()], outline)
    return drawn.figure


def _legend(drawn: Panels, frame: pd.DataFrame, outline: Outline) -> None:
    """What markers and lines are."""
    english = language_name(outline.source_language)
    names = {INTO: f"into {english}", OUT: f"out of {english}", BOTH: f"into and out of {english}"}
    names[EVERY] = "all directions"
    empty = drawn.every[0]
    for kind, name in names.items():
        if (frame["directions"] == kind).any():
            empty.plot([], [], MARKERS[kind], color="0.35", markersize=5, label=name)
    handles = handles_of(drawn.every)
    # Marks first, then the models that are lines.
    labels = sorted(handles, key=lambda label: label not in names.values())
    text = "Bars and bands: 95 % intervals; of one pretraining they hold test sentences, examples and seeds alone. "
    text += _counts(frame, outline)
    add_legend(drawn, [handles[label] for label in labels], labels, text)


def _counts(frame: pd.DataFrame, outline: Outline) -> str:
    """How much each axis rests on; numbers that are not known are 0, and are not said."""
    texts = [f"P{EQUALS}{span(frame['pretrainings'])}"]
    if (lines := frame.loc[frame["lines"] > 0, "lines"]).size:
        texts.append(f"n{EQUALS}{span(lines)} sentences a direction")
    labels = {task.name: f"{task.label}, a language" for task in outline.writing} | {UNDERSTANDING: UNDERSTANDING}
    for panel, part in frame.groupby("panel", sort=False):
        if (known := part.loc[part["n"] > 0, "n"]).size:
            texts.append(f"{span(known)} test examples ({labels[str(panel)]})")
    return "; ".join(texts)


def _height(part: pd.DataFrame, panel: str, outline: Outline) -> str:
    if panel == UNDERSTANDING:
        recipe = f", recipe {part['recipe'].iloc[0]}" if len(outline.recipes) > 1 else ""
        tasks = int(part["tasks"].iloc[0])
        return f"understanding: zero-shot, mean of {tasks} task{'s' * (tasks != 1)}{recipe}, %"
    task = next(task for task in outline.writing if task.name == panel)
    return f"generation: {task.label}, {OUTPUT_MEASURES[task.metric]}, zero-shot, %"


def _panel(ax: Axes, part: pd.DataFrame, outline: Outline, styles: dict[str, Look]) -> None:
    points, others = part[part["x"].notna()], part[part["x"].isna()]
    for row in others.itertuples():
        look = styles[row.model]
        # Every line has dashes of its own, but none is drawn through, as the bars are.
        dashes = DASHES[list(others["model"]).index(row.model) % len(DASHES)]
        name = f"{short(outline, row.model)}: does not translate"
        ax.axhline(row.y, color=look.colour, linewidth=0.9, linestyle=dashes, label=name)
        if not math.isnan(row.y_low):
            ax.axhspan(row.y_low, row.y_high, color=look.colour, alpha=0.1, linewidth=0)
    for row in points.itertuples():
        # An interval that is not known has no bar.
        x_bar, y_bar = (None if math.isnan(low) else [[value - low], [high - value]] for value, low, high in _bars(row))
        style: Any = {"color": styles[row.model].colour, "markersize": 5, "linewidth": 0.9}
        ax.errorbar(row.x, row.y, y_bar, x_bar, fmt=MARKERS[row.directions], label="_point", **style)
    ax.margins(0.16)
    seaborn.despine(ax=ax)


def _name_points(ax: Axes, points: pd.DataFrame, outline: Outline) -> None:
    """The names of models beside their marks, each where it touches the fewest others, and inside the panel."""
    dpi = ax.figure.dpi
    marks = ax.transData.transform(points[["x", "y"]].to_numpy(float)) * 72 / dpi  # in points, as text is
    panel = ax.get_window_extent().padded(-1).frozen().transformed(Affine2D().scale(72 / dpi))
    placed = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in marks]
    for (x, y), model in zip(marks, points["model"], strict=True):
        name = short(outline, model)
        wide, high = 72 * text_width(name, NAMES) + 2, 1.25 * NAMES
        boxes = [
            Bbox.from_bounds(x + dx - (wide if side < 0 else 0), y + dy, wide, high)
            for dy in (2, -high - 2, high + 2, -2 * high - 2)
            for dx, side in ((5, 1), (-5, -1))
        ]
        best = min(boxes, key=lambda box: (sum(box.overlaps(other) for other in placed), not _holds(panel, box)))
        placed.append(best)
        place: Any = {"xytext": (best.x0 + 1 - x, best.y0 + 1 - y), "textcoords": "offset points", "fontsize": NAMES}
        at = points.loc[points["model"] == model, ["x", "y"]].iloc[0]
        ax.annotate(name, tuple(at), color="0.1", in_layout=False, va="bottom", **place)


def _holds(outer: Bbox, inner: Bbox) -> bool:
    """Does a box lie inside another?"""
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and inner.x1 <= outer.x1 and inner.y1 <= outer.y1


def _bars(row) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    return (row.x, row.x_low, row.x_high), (row.y, row.y_low, row.y_high)


def correlation_text(row) -> str:
    """The rank correlation of a panel, or why there is none."""
    models = int(row["correlation_models"])
    if models < FEWEST:
        many = f"{models} models" if models > 1 else "no two models"
        return f"no rank correlation: {many} with the same directions, {FEWEST} are needed"
    if math.isnan(row["correlation"]):
        return "no rank correlation: all models are equal on one side"
    text = f"rank correlation of {models} models {number(row['correlation'], 2)}"
    if math.isnan(row["correlation_low"]):
        return f"{text}; no interval can be given"
    return f"{text} [{number(row['correlation_low'], 2)}, {number(row['correlation_high'], 2)}]"
