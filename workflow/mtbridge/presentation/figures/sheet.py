"""What both figures of similarities use: heat maps on a sheet, their colour scales, and the line below the picture.

Under a protocol with one scale, the whole figure has one colour bar, and panels can be compared by eye. With a scale
for each panel, as in the paper's figures, one can compare numbers but not colours.
"""

import math
import textwrap
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.presentation.figures.style import COLOURS
from mtbridge.representations.measures import MEASURES
from mtbridge.study.outline import Outline

LAYERS = ["layer_a", "layer_b"]  # of two models, where models differ in depth
NUMBERS = ["value", "low", "high", "null", "n"]
MEASURE = "cka"  # whose similarities the pictures show, unless an entry of the catalog names another


def read_similarity(path, keys: list[str], outline: Outline, protocol: str) -> pd.DataFrame:
    """The similarities that a protocol shows: `keys`, corpus, layer, estimator and `NUMBERS`; `LAYERS` if there.

    Raises MtbridgeError if the file holds other corpora only.
    """
    frame = read_parquet(path)
    columns = ["corpus", "layer", *keys, "estimator", *NUMBERS, *(name for name in LAYERS if name in frame)]
    return select(read_parquet(path, columns), outline, protocol, path)


def select(frame: pd.DataFrame, outline: Outline, protocol: str, where) -> pd.DataFrame:
    """The rows of the protocol's corpus and estimator. For a measure that has other estimators: all rows of the corpus.

    Raises MtbridgeError if there are other corpora only.
    """
    corpus = outline.corpus(protocol)
    if len(frame) and corpus not in set(frame["corpus"]):
        corpora = ", ".join(sorted(set(frame["corpus"])))
        raise MtbridgeError(f"{where}: the similarities hold no corpus '{corpus}', expected one of: {corpora}")
    frame, estimator = frame[frame["corpus"] == corpus], outline.protocol(protocol).estimator
    return frame[frame["estimator"] == estimator] if (frame["estimator"] == estimator).any() else frame


def estimator_of(similarity: pd.DataFrame, outline: Outline, protocol: str) -> str:
    """The estimator of the rows that `select` returned; the protocol's if there are none."""
    return similarity["estimator"].iloc[0] if len(similarity) else outline.protocol(protocol).estimator


def bar_label(frame: pd.DataFrame, measure: str) -> str:
    """The label of a figure's colour bar."""
    return f"{frame['estimator'].iloc[0]} {MEASURES[measure].label} (no unit)"


def scale_of_figure(frame: pd.DataFrame) -> tuple[float, float]:
    """One scale for the whole figure: from its lowest value, rounded down to a tenth, to its highest, rounded up.

    On a scale from 0 to 1 values from .7 to 1 would all look alike. The bar shows the ends, and cells hold numbers.
    """
    low, high = frame["value"].min(), frame["value"].max()
    if math.isnan(low):
        return 0.0, 1.0
    # Six decimals, so that 0.3 is not rounded down to 0.2 for its last bit.
    low, high = float(np.floor(round(low * 10, 6)) / 10), float(np.ceil(round(high * 10, 6)) / 10)
    return (low, high) if high > low else (low, low + 0.1)


def scale_of_panel(matrix: np.ndarray) -> tuple[float, float]:
    """The scale of one panel: from its lowest value to its highest."""
    values = matrix[~np.isnan(matrix)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    # Equal values still need a scale with an extent.
    return (low, high) if high > low else (low - 0.05, high + 0.05)


def cka_text(value: float) -> str:
    """A CKA in at most four characters: .07, −.03, 1.0."""
    if math.isnan(value):
        return ""
    text = f"{abs(value):.2f}"
    text = "1.0" if text == "1.00" else text[1:]
    return ("−" if value < 0 and text != ".00" else "") + text


def range_text(scale: tuple[float, float]) -> str:
    """The scale of one panel, for the line below the panel."""
    return f"scale {cka_text(scale[0])} to {cka_text(scale[1])}"


def draw_panel(ax: Axes, matrix: np.ndarray, scale: tuple[float, float], font: float, missing: np.ndarray) -> None:
    """Draw one heat map. matrix: [row, column]; font: size of the numbers in points; missing: cells to hatch."""
    texts = np.array([[cka_text(value) for value in row] for row in matrix], dtype=object)
    seaborn.heatmap(
        pd.DataFrame(matrix),
        ax=ax,
        vmin=scale[0],
        vmax=scale[1],
        cmap=COLOURS,
        cbar=False,
        annot=texts if font else False,
        fmt="",
        annot_kws={"fontsize": font} if font else None,
        mask=np.isnan(matrix),
        linewidths=0.4,
        linecolor="white",
    )
    for row, column in np.argwhere(missing):
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor="0.9", edgecolor="0.65", hatch="////", linewidth=0))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("")
    ax.set_ylabel("")


def set_ticks(ax: Axes, columns=None, rows=None) -> None:
    """Label the columns and rows of a heat map; None leaves them without labels."""
    if columns is not None:
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=0)
    if rows is not None:
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    ax.tick_params(length=0, pad=1.5)


def _spread(frame: pd.DataFrame) -> str:
    """What a reader needs to judge a value: number of texts, widths of intervals, value of unrelated texts."""
    cells = frame.dropna(subset=["value"])
    if cells.empty:
        return "No values yet."
    n = sorted({int(n) for n in cells["n"].dropna()})
    text = f"n = {n[0]} texts per language" if len(n) == 1 else f"n = {n[0]} to {n[-1]} texts" if n else ""
    half_widths = ((cells["high"] - cells["low"]) / 2).dropna()
    if len(half_widths):
        median, widest = (f"±\N{NO-BREAK SPACE}{width:.3f}" for width in (half_widths.median(), half_widths.max()))
        text += f"; 95 % intervals: {median} (median), {widest} (widest)"
    null = cells["null"].dropna()
    if len(null):
        low, high = null.min(), null.max()
        values = cka_text(low) if cka_text(low) == cka_text(high) else f"{cka_text(low)} to {cka_text(high)}"
        text += f"; unrelated texts would score {values}"
    missing = len(frame) - len(cells)
    return text + (f"; hatched: {missing} cells not there yet." if missing else ".")


def caption(frame: pd.DataFrame, outline: Outline, protocol: str, what: str) -> str:
    """The line below the picture: estimator, what is compared, corpus, and how certain the values are."""
    if frame.empty:
        return ""
    settings = outline.protocol(protocol)
    corpus = frame["corpus"].iloc[0]
    text = f"{frame['estimator'].iloc[0].capitalize()} {what}; corpus {corpus}, {_spread(frame)}"
    if settings.scale == "panel":
        text += " Every panel has its own colour scale: compare numbers, not colours."
    return text


class Margins(NamedTuple):
    """Room around the panels, in inches; on the right is the colour bar, if there is one."""

    left: float
    top: float
    bottom: float


class Sheet:
    """A figure whose panels are placed in inches, so that cells have one size and nothing overlaps."""

    def __init__(self, shape, panel, gap, margins: Margins, caption, bar=None, colours=COLOURS):
        """shape: number of rows and columns of panels; panel, gap: width and height in inches; bar: label of the colour
        bar, None for a figure without a bar; colours: name of its colours."""
        self.colours = colours
        self.panel_size, self.gap, self.left, self.bar = panel, gap, margins.left, bar
        self.width = margins.left + shape[1] * (panel[0] + gap[0]) + (0.92 if bar else 0.05)
        # At 7.5 points an inch holds 16 characters, and a line takes 0.15 inches.
        lines = textwrap.wrap(caption, int(self.width * 16))
        self.bottom = margins.bottom + 0.15 * len(lines) + 0.1
        self.height = self.bottom + shape[0] * (panel[1] + gap[1]) - gap[1] + margins.top
        self.top = self.height - margins.top
        # A colour bar is at most 3.2 inches high; a label that needs more than two lines there needs more room.
        self.bar_height = min(self.top - self.bottom, 3.2)
        self.bar_lines = textwrap.wrap(bar, max(1, int(self.bar_height * 19))) if bar else []
        self.bar_left = self.width - 0.84
        self.width += 0.14 * max(0, len(self.bar_lines) - 2)
        self.figure = Figure(figsize=(self.width, self.height))
        self.figure.text(0.08 / self.width, 0.06 / self.height, "\n".join(lines), fontsize=7.5, ha="left", va="bottom")

    def panel(self, row: int, column: int) -> Axes:
        """The axes of one panel."""
        width, height = self.panel_size
        x = self.left + column * (width + self.gap[0])
        y = self.top - height - row * (height + self.gap[1])
        return self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))

    def finish(self, scale: tuple[float, float]) -> Figure:
        """The figure, with the colour bar of `scale` if it has one."""
        if self.bar:
            middle, size = (self.top + self.bottom) / 2, self.bar_height
            left, bottom = self.bar_left / self.width, (middle - size / 2) / self.height
            ax = self.figure.add_axes((left, bottom, 0.13 / self.width, size / self.height))
            mappable = matplotlib.cm.ScalarMappable(
                matplotlib.colors.Normalize(*scale), matplotlib.colormaps[self.colours]
            )
            bar = self.figure.colorbar(mappable, cax=ax)
            bar.set_label("\n".join(self.bar_lines))
            bar.outline.set_visible(False)
        return self.figure


def nothing_to_draw(text: str) -> Figure:
    """A figure that says why it is empty."""
    figure = Figure(figsize=(6, 1))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure
