"""What the figures of similarities use: heat maps on a sheet, their colour scales, and the line below the picture.

On a screen a sheet is as large as cells with numbers need. In print it has a given width: cells have numbers where they
fit, and the colour bar lies below.

Under a protocol with one scale, the whole figure has one colour bar, and panels can be compared by eye. With a scale
for each panel, as in the paper's figures, one can compare numbers but not colours.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.base.numbers import ceil_div
from mtbridge.presentation.figures.style import COLOURS, EDGE, SMALLEST, fit, line_height, points_of, text_width
from mtbridge.representations.measures import MEASURES
from mtbridge.study.outline import Outline

LAYERS = ["layer_a", "layer_b"]  # of two models, where models differ in depth
NUMBERS = ["value", "low", "high", "null", "n"]
MEASURE = "cka"  # whose similarities the pictures show, unless an entry of the catalog names another
LEAST_CELL = 0.095  # inches of a cell's width and height in print: a label of the smallest size fits beside it


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


class Scales(NamedTuple):
    """The colour scale of every panel; the lines below a panel that say it, and the inches that they need."""

    of: dict[Any, tuple[float, float]]
    texts: dict[Any, list[str]]
    height: float


def scales_of(parts: Mapping[Any, pd.DataFrame], frame: pd.DataFrame, is_own: bool, inches: float) -> Scales:
    """The scales of panels with these parts of the frame, each its own or all the same. inches: width of a panel."""
    if not is_own:
        return Scales(dict.fromkeys(parts, scale_of_figure(frame)), {key: [] for key in parts}, 0.0)
    scales = {key: scale_of_panel(part["value"].to_numpy(float)) for key, part in parts.items()}
    points = points_of("axes.labelsize")
    texts = {key: fit(range_text(scale), inches + 0.04, points).split("\n") for key, scale in scales.items()}
    return Scales(scales, texts, line_height(points) * max(len(lines) for lines in texts.values()))


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


def size_of_numbers(cell: tuple[float, float], width: float | None) -> float:
    """Points of the numbers in cells (inches of width and height); 0, no numbers, where they are too small to print."""
    # A number has up to four characters: points (72 an inch) that fit its width and its height.
    points = 72 * min(0.37 * cell[0], 0.42 * cell[1])
    return 0.0 if width is not None and points < SMALLEST else points


def longest_word(labels: Sequence[str], points: float) -> float:
    """Inches of the longest word: a panel that is narrower would not hold its title."""
    return max((text_width(line, points) for label in labels for line in fit(label, 0, points).split("\n")), default=0)


def per_line(columns: int, room: float, panel: float, gap: float) -> int:
    """How many of the columns of panels stand on one line, in lines of about equal length.

    room: inches for panels; panel: the least width of one.
    """
    most = max(1, min(columns, int((room + gap) / (panel + gap) + 1e-6)))
    return ceil_div(columns, ceil_div(columns, most))


def set_ticks(ax: Axes, columns=None, rows=None, cell: float | None = None) -> None:
    """Label the columns and rows of a heat map; None leaves them without labels.

    cell: inches of a column; labels that are wider are turned, and of numbers only some are shown.
    """
    points = points_of("xtick.labelsize")
    if columns is not None:
        places, labels = np.arange(len(columns)) + 0.5, list(columns)
        turned = cell is not None and are_turned(labels, cell)
        if turned and cell is not None and all(label.isdigit() for label in labels):
            widest = max(text_width(label, points) for label in labels) + 0.04
            labels = [label if place % math.ceil(widest / cell) == 0 else "" for place, label in enumerate(labels)]
            turned = False
        ax.set_xticks(places, labels, rotation=90 if turned else 0)
    if rows is not None:
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    ax.tick_params(length=0, pad=1.5, labelsize=points)


def are_turned(labels: Sequence[str], cell: float) -> bool:
    """Is a label too wide for its column?"""
    points = points_of("xtick.labelsize")
    return max((text_width(label, points) + 0.02 for label in labels), default=0.0) > cell


def height_of_ticks(labels: Sequence[str], cell: float) -> float:
    """Inches of the labels below a heat map."""
    points = points_of("xtick.labelsize")
    if are_turned(labels, cell) and not all(label.isdigit() for label in labels):
        return max(text_width(label, points) for label in labels) + 0.05
    return line_height(points) + 0.03


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


def caption(frame: pd.DataFrame, outline: Outline, protocol: str, what: str, has_numbers: bool = True) -> str:
    """The line below the picture: estimator, what is compared, corpus, and how certain the values are."""
    if frame.empty:
        return ""
    settings = outline.protocol(protocol)
    corpus = frame["corpus"].iloc[0]
    text = f"{frame['estimator'].iloc[0].capitalize()} {what}; corpus {corpus}, {_spread(frame)} Darker is more alike."
    if settings.scale == "panel":
        text += " Every panel has its own colour scale: compare numbers, not colours."
        text += "" if has_numbers else " They are in the figure's CSV, and in its form for the screen."
    return text


class Margins(NamedTuple):
    """Room around the panels, in inches; on the right is the colour bar, if there is one."""

    left: float
    top: float
    bottom: float


class Layout(NamedTuple):
    """Where panels stand; all but the shape in inches.

    shape: number of rows and columns of panels. panel, gap: width and height of a panel, and of what is between two.
    above: further room above each row; rows that are not named have none.
    """

    shape: tuple[int, int]
    panel: tuple[float, float]
    gap: tuple[float, float]
    margins: Margins
    above: Sequence[float] = ()


class Sheet:
    """A figure whose panels are placed in inches, so that cells have one size and nothing overlaps."""

    def __init__(
        self,
        layout: Layout,
        caption: str,
        bar: str | None = None,
        colours: str = COLOURS,
        width: float | None = None,
    ):
        """bar: label of the colour bar, None for a figure without a bar; colours: name of its colours; width: inches of
        the figure in print, where the bar lies below the panels."""
        (rows, columns), panel, gap, margins, above = layout
        self.colours, self.panel_size, self.gap, self.left, self.bar = colours, panel, gap, margins.left, bar
        self.above = np.cumsum([*above, *[0.0] * (rows - len(above))])
        taken = margins.left + columns * (panel[0] + gap[0])
        self.width = width or taken + (0.92 if bar else 0.05)
        points = min(7.5, points_of("axes.titlesize"))
        text = fit(caption, self.width - 2 * EDGE, points) if caption else ""
        # Where print is wider than the panels, they stand in its middle.
        self.left += max(0.0, (self.width - taken) / 2) if width else 0.0
        self.is_bar_below = bool(bar and width)
        self.below = margins.bottom + (0.46 if self.is_bar_below else 0.0)
        of_caption = line_height(points) * (text.count("\n") + 1) + 0.1 if text else 0.05
        self.bottom = self.below + of_caption
        self.height = self.bottom + rows * (panel[1] + gap[1]) - gap[1] + self.above[-1] + margins.top
        self.top = self.height - margins.top
        self.caption_height = of_caption
        # A colour bar is at most 3.2 inches high; a label that needs more than two lines there needs more room.
        self.bar_height = min(self.top - self.bottom, 3.2)
        self.bar_left = self.width - 0.84
        if bar and not width:
            self.bar_text = fit(bar, self.bar_height)
            self.width += 0.14 * max(0, self.bar_text.count("\n") - 1)
        self.figure = Figure(figsize=(self.width, self.height))
        place = EDGE / self.width, 0.05 / self.height
        self.figure.text(*place, text, fontsize=points, ha="left", va="bottom", linespacing=1.2)

    def panel(self, row: int, column: int) -> Axes:
        """The axes of one panel."""
        width, height = self.panel_size
        x = self.left + column * (width + self.gap[0])
        y = self.top - self.above[row] - height - row * (height + self.gap[1])
        return self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))

    def finish(self, scale: tuple[float, float]) -> Figure:
        """The figure, with the colour bar of `scale` if it has one."""
        if not self.bar:
            return self.figure
        colours = matplotlib.colormaps[self.colours]
        mappable = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(*scale), colours)
        if self.is_bar_below:
            size = min(2.6, self.width - 0.8)
            place = (self.width - size) / 2, self.caption_height + 0.33, size, 0.09
        else:
            middle = (self.top + self.bottom) / 2
            place = self.bar_left, middle - self.bar_height / 2, 0.13, self.bar_height
        x, y, width, height = place
        ax = self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))
        bar = self.figure.colorbar(mappable, cax=ax, orientation="horizontal" if self.is_bar_below else "vertical")
        bar.set_label(fit(self.bar, self.width - 0.4) if self.is_bar_below else self.bar_text, labelpad=2)
        bar.ax.tick_params(labelsize=points_of("xtick.labelsize"), pad=1.5, length=2)
        bar.outline.set_visible(False)
        return self.figure


def nothing_to_draw(text: str, width: float | None = None) -> Figure:
    """A figure that says why it is empty."""
    inches = width or 6.0
    figure = Figure(figsize=(inches, 1))
    figure.text(0.5, 0.5, fit(text, inches - 0.4), ha="center", va="center")
    return figure
