"""Are two languages more alike than in the base? Differences of CKA by layer and pair of languages, around zero."""

import math

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.inference.similarity import cells_against
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import DIVERGING, HIGHEST, fit, line_height, points_of, text_width
from mtbridge.study.outline import Outline

PER_LINE, WIDTH, HEIGHT = 4, 1.45, 0.15  # panels a line; inches of a panel and of a cell
NOISE = "0.87"  # grey of a cell whose interval holds zero


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """Differences of every cell from the base, or without one from the untrained encoder; `inputs` is a folder."""
    return cells_against(outline, protocol, inputs)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """A panel for each model: layers across, pairs of languages down; cells whose interval holds zero are grey."""
    if frame.empty:
        text = "No model has a base or an untrained encoder to compare with, or no states yet."
        return sheet.nothing_to_draw(text, width)
    models = list(dict.fromkeys(frame["model"]))
    names = sorted(set(frame["language_a"] + "–" + frame["language_b"]))
    most = float(frame["difference"].abs().max()) or 1.0
    points, gap = points_of("axes.titlesize"), 0.14
    left = max(text_width(name, points_of("xtick.labelsize")) for name in names) + 0.14
    against = {model: str(part["against"].iloc[0]) for model, part in frame.groupby("model")}
    titles = {model: [short(outline, model), f"minus {short(outline, against[model])}"] for model in models}
    per_line, panel, height = min(PER_LINE, len(models)), WIDTH, HEIGHT
    if width is not None:
        least = max(
            sheet.LEAST_CELL * frame["layer"].nunique(),
            1.0,
            sheet.longest_word([text for both in titles.values() for text in both], points),
        )
        per_line = sheet.per_line(len(models), width - left - 0.05, least, gap)
        panel = min(2.0, (width - left - 0.05 + gap) / per_line - gap)
        # A line needs about 0.5 inches for its titles, and a figure 1.5 for its caption and its colour bar.
        most_high = ((HIGHEST - 1.5) / math.ceil(len(models) / per_line) - 0.5) / len(names)
        height = max(sheet.LEAST_CELL, min(HEIGHT, most_high))
    title_of = {model: "\n".join(fit(text, panel + 0.06) for text in both) for model, both in titles.items()}
    of_titles = 0.06 + line_height(points) * (max(title.count("\n") for title in title_of.values()) + 1)
    of_ticks = line_height(points) + 0.02
    layout = sheet.Layout(
        (math.ceil(len(models) / per_line), per_line),
        (panel, height * len(names)),
        gap=(gap, of_ticks + of_titles + 0.04),
        margins=sheet.Margins(left=left, top=of_titles, bottom=of_ticks + line_height(points) + 0.04),
    )
    page = sheet.Sheet(
        layout, _caption(frame, outline, protocol), bar="difference of CKA (no unit)", colours=DIVERGING, width=width
    )
    for place, model in enumerate(models):
        ax = page.panel(place // per_line, place % per_line)
        layers = _cells(ax, frame[frame["model"] == model], names, most)
        cell = panel / len(layers)
        sheet.set_ticks(ax, columns=layers, rows=names if place % per_line == 0 else [], cell=cell)
        if place + per_line >= len(models):
            ax.set_xlabel(fit("layer (0: embeddings)", panel + 0.06), labelpad=2)
        ax.set_title(title_of[model], pad=3)
    return page.finish((-most, most))


def _cells(ax: Axes, part: pd.DataFrame, names: list[str], most: float) -> list[str]:
    """Draw the cells of one model, from −most to most. Returns the labels of its layers."""
    part = part.assign(
        pair=part["language_a"] + "–" + part["language_b"], held=(part["low"] <= 0) & (part["high"] >= 0)
    )
    table = part.pivot(index="pair", columns="layer", values="difference").reindex(names).astype(float)
    noise = part.pivot(index="pair", columns="layer", values="held").reindex(names).to_numpy() == True  # noqa: E712
    options = {"vmin": -most, "vmax": most, "cmap": DIVERGING, "cbar": False, "linewidths": 0.3}
    seaborn.heatmap(table, ax=ax, mask=noise | table.isna().to_numpy(), **options)
    for row, column in np.argwhere(noise):
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor=NOISE, edgecolor="white", hatch="////", linewidth=0))
    # Both ends of the scale are equally dark, so that a size can be read; in grey a stroke tells the sign.
    less = np.argwhere(~noise & (table.to_numpy() < 0))
    dark = np.abs(table.to_numpy()[tuple(less.T)]) > 0.6 * most
    for is_dark, colour in ((True, "white"), (False, "0.1")):
        ax.plot(less[dark == is_dark, 1] + 0.5, less[dark == is_dark, 0] + 0.5, "_", color=colour, markersize=3.5)
    ax.set(xlabel="", ylabel="")
    return [str(layer) for layer in table.columns]


def _caption(frame: pd.DataFrame, outline: Outline, protocol: str) -> str:
    """What the colours say, and what the intervals hold."""
    most = int(frame["P"].max())
    held = f"up to {most} pretrainings and the choice of texts" if most > 1 else "the choice of texts alone"
    inside = ((frame["low"] <= 0) & (frame["high"] >= 0)).mean()
    estimator, n = outline.protocol(protocol).estimator.capitalize(), int(frame["n"].max())
    return (
        f"{estimator} CKA of two languages, minus that of the base (of the untrained encoder for models without one); "
        f"n = {n} texts. Grey, hatched: the 95 % interval of {held} holds zero ({100 * inside:.0f} % of the cells); "
        "intervals are not corrected for the number of cells. A stroke: less alike."
    )
