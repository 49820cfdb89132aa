"""How models and ways look in all figures, and lines of models over depth with a band for their interval.

A colour alone says nothing in print without colour, so that each one has a form too: of its line and of its marks.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.panels import Panels, add_legend, handles_of
from mtbridge.study.outline import Outline

# The scheme "muted" of Paul Tol (2021), "Colour Schemes", SRON/EPS/TN/09-002, in another order, the dark ones first.
PALETTE = ("#332288", "#CC6677", "#117733", "#999933", "#882255", "#44AA99", "#AA4499", "#88CCEE", "#DDCC77")
STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")  # with STYLES, 44 pairs before one comes again
HOLLOW = ("s", "D", "P")  # so that marks of about one shape differ also where they are small
MARKS = 4  # on a line with many points


class Look(NamedTuple):
    """How something is drawn: its colour, the style of its line, its marker, and whether that is hollow."""

    colour: str
    style: Any
    marker: str
    hollow: bool = False

    @property
    def marks(self) -> dict[str, Any]:
        """The keywords of a plot for its marks."""
        face = "white" if self.hollow else self.colour
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": face, "markersize": 3.6}

    @property
    def line(self) -> dict[str, Any]:
        """The keywords of a plot for a line with marks."""
        return {**self.marks, "linestyle": self.style, "linewidth": 1.1, "markeredgewidth": 0.8}


UNTRAINED = Look("0.1", (0, (4, 2)), "|")  # the floor: black


def look(place: int) -> Look:
    """The look of the n-th of several lines; two of the first 44 differ in form."""
    marker = MARKERS[place % len(MARKERS)]
    return Look(PALETTE[place % len(PALETTE)], STYLES[place % len(STYLES)], marker, marker in HOLLOW)


def looks_of(keys: Iterable) -> dict[Any, Look]:
    """Key -> its look, for all keys in their order."""
    return {key: look(place) for place, key in enumerate(dict.fromkeys(keys))}


def looks(outline: Outline, shown: set[str]) -> dict[str, Look]:
    """Model -> its look, of the models that are shown, in the study's order."""
    models = [model for model in outline.models if model.key in shown]
    trained = looks_of(model.key for model in models if not model.is_untrained)
    return {model.key: trained.get(model.key, UNTRAINED) for model in models}


def mark_every(points: int, place: int) -> int | list[int]:
    """Which points of a line have a mark: all of a few; of many some, at other places for each line."""
    if points <= 3 * MARKS + 1:
        return 1
    return sorted({int(at) for at in (np.arange(MARKS) + (place % 5) / 5) / MARKS * (points - 1)})


def draw_lines(ax: Axes, part: pd.DataFrame, styles: dict[str, Look], x: str, factor: float = 1.0) -> None:
    """Draw the lines of models and their bands; a dotted line for what chance gives.

    part: model, x, value, low, high and null; a row a point. factor: of the values, 100 for shares in percent.
    """
    for place, (model, style) in enumerate(styles.items()):
        line = part[part["model"] == model].sort_values(x)
        if len(line):
            every = mark_every(len(line), place)
            ax.plot(line[x], factor * line["value"], label=model, markevery=every, **style.line)
            low, high = factor * line["low"], factor * line["high"]
            ax.fill_between(line[x], low, high, color=style.colour, alpha=0.13, linewidth=0)
    if len(part):
        ax.axhline(factor * part["null"].iloc[0], color="0.7", linewidth=0.6, linestyle=":")
    ax.grid(alpha=0.3, linewidth=0.4)
    seaborn.despine(ax=ax)


def name_lines(drawn: Panels, outline: Outline, text: str = "") -> None:
    """The legend below a figure whose lines have models as labels, each once, under a text."""
    handles = handles_of(drawn.every)
    add_legend(drawn, handles.values(), [short(outline, key) for key in handles], text)
