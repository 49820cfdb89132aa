"""What the figures of similarities have in common: heat maps on a sheet, their scales, and what is said below them.

Under a protocol with one scale the whole figure has one bar, so that panels can be compared by eye; with a scale for
each panel, as published, numbers can be compared and colours cannot.
"""

import math
import textwrap

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
from mtbridge.study.outline import Outline

NUMBERS = ["value", "low", "high", "null", "n"]
CKA = "linear CKA"  # what the measure is called in the pictures, unless a row of the catalog says otherwise


def read_similarity(path, keys: list[str], outline: Outline, protocol: str) -> pd.DataFrame:
    """The similarities that a protocol shows: keys, corpus, layer, estimator and `NUMBERS`.

    Raises MtbridgeError where the file holds other corpora alone.
    """
    frame = read_parquet(path, ["corpus", "layer", *keys, "estimator", *NUMBERS])
    return select(frame, outline, protocol, path)


def select(frame: pd.DataFrame, outline: Outline, protocol: str, where) -> pd.DataFrame:
    """The rows of the protocol's corpus and estimator; of a measure with estimators of its own, all of the corpus.

    Raises MtbridgeError where there are other corpora alone.
    """
    corpus = outline.corpus(protocol)
    if len(frame) and corpus not in set(frame["corpus"]):
        seen = ", ".join(sorted(set(frame["corpus"])))
        raise MtbridgeError(f"{where}: the similarities hold no corpus '{corpus}', expected one of: {seen}")
    frame, estimator = frame[frame["corpus"] == corpus], outline.protocol(protocol).estimator
    return frame[frame["estimator"] == estimator] if (frame["estimator"] == estimator).any() else frame


def estimator_of(similarity: pd.DataFrame, outline: Outline, protocol: str) -> str:
    """The estimator that selected rows hold; without rows, the protocol's."""
    return similarity["estimator"].iloc[0] if len(similarity) else outline.protocol(protocol).estimator


def bar_label(frame: pd.DataFrame, label: str) -> str:
    """What the one bar of a figure shows."""
    return f"{frame['estimator'].iloc[0]} {label} (no unit)"


def scale_of_figure(frame: pd.DataFrame) -> tuple[float, float]:
    """One scale for the whole figure: 0 to 1, lower only where values are negative."""
    lowest = frame["value"].min()
    return (float(np.floor(lowest * 10) / 10) if lowest < 0 else 0.0), 1.0


def scale_of_panel(matrix: np.ndarray) -> tuple[float, float]:
    """A scale of a panel's own: from its lowest value to its highest."""
    values = matrix[~np.isnan(matrix)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.05, high + 0.05)


def cka_text(value: float) -> str:
    """A CKA in at most four characters: .07, −.03, 1.0."""
    if math.isnan(value):
        return ""
    text = f"{abs(value):.2f}"
    text = "1.0" if text == "1.00" else text[1:]
    return ("−" if value < 0 and text != ".00" else "") + text


def range_text(scale: tuple[float, float]) -> str:
    """A panel's own scale, as it is said below the panel."""
    return f"scale {cka_text(scale[0])} to {cka_text(scale[1])}"


def draw_panel(ax: Axes, matrix: np.ndarray, scale: tuple[float, float], font: float, missing: np.ndarray) -> None:
    """One heat map; `missing` marks the cells [row, column] that should have a value and do not."""
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
    """Name the columns and rows of a heat map, where given."""
    if columns is not None:
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=0)
    if rows is not None:
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    ax.tick_params(length=0, pad=1.5)


def _spread(frame: pd.DataFrame) -> str:
    """What a reader needs to judge a value: n, interval, null."""
    drawn = frame.dropna(subset=["value"])
    if drawn.empty:
        return "No values yet."
    n = sorted({int(n) for n in drawn["n"].dropna()})
    text = f"n = {n[0]} texts per language" if len(n) == 1 else f"n = {n[0]} to {n[-1]} texts" if n else ""
    half = ((drawn["high"] - drawn["low"]) / 2).dropna()
    if len(half):
        plus_minus = "±\N{NO-BREAK SPACE}"
        text += f"; 95 % intervals: {plus_minus}{half.median():.3f} (median), {plus_minus}{half.max():.3f} (widest)"
    null = drawn["null"].dropna()
    if len(null):
        low, high = null.min(), null.max()
        shown = cka_text(low) if cka_text(low) == cka_text(high) else f"{cka_text(low)} to {cka_text(high)}"
        text += f"; unrelated texts would score {shown}"
    missing = len(frame) - len(drawn)
    return text + (f"; hatched: {missing} cells not there yet." if missing else ".")


def caption(frame: pd.DataFrame, outline: Outline, protocol: str, what: str) -> str:
    """What the picture itself says about its numbers."""
    if frame.empty:
        return ""
    settings = outline.protocol(protocol)
    corpus = frame["corpus"].iloc[0]
    text = f"{frame['estimator'].iloc[0].capitalize()} {what}; corpus {corpus}, {_spread(frame)}"
    if settings.scale == "panel":
        text += " Every panel has its own colour scale: compare numbers, not colours."
    return text


class Sheet:
    """A figure whose panels are placed in inches, so that cells have one size and nothing overlaps."""

    def __init__(self, shape, panel, gap, left, top, bottom, caption, bar=None):
        """shape: rows and columns of panels; panel, gap: width and height in inches, as left, top and bottom are;
        bar: what the one bar of the figure shows, None without a bar."""
        self.panel_size, self.gap, self.left, self.bar = panel, gap, left, bar
        self.width = left + shape[1] * (panel[0] + gap[0]) + (0.8 if bar else 0.05)
        lines = textwrap.wrap(caption, int(self.width * 16))
        self.bottom = bottom + 0.15 * len(lines) + 0.1
        self.height = self.bottom + shape[0] * (panel[1] + gap[1]) - gap[1] + top
        self.top = self.height - top
        self.figure = Figure(figsize=(self.width, self.height))
        self.figure.text(0.08 / self.width, 0.06 / self.height, "\n".join(lines), fontsize=7.5, ha="left", va="bottom")

    def panel(self, row: int, column: int) -> Axes:
        """The axes of one panel."""
        width, height = self.panel_size
        x = self.left + column * (width + self.gap[0])
        y = self.top - height - row * (height + self.gap[1])
        return self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))

    def finish(self, scale: tuple[float, float]) -> Figure:
        """The figure, with its bar if it has one."""
        if self.bar:
            middle, size = (self.top + self.bottom) / 2, min(self.top - self.bottom, 3.2)
            place = (self.width - 0.72, middle - size / 2, 0.13, size)
            ax = self.figure.add_axes([place[k] / (self.height if k % 2 else self.width) for k in range(4)])
            mappable = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(*scale), matplotlib.colormaps[COLOURS])
            bar = self.figure.colorbar(mappable, cax=ax)
            # A short bar has its label in two lines.
            bar.set_label(textwrap.fill(self.bar, int(size * 19)))
            bar.outline.set_visible(False)
        return self.figure


def nothing_to_draw(text: str) -> Figure:
    """A figure that says why it is empty."""
    figure = Figure(figsize=(6, 1))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure
