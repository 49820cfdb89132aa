"""Lines of models over depth, the same in all figures that draw one line a model, with a band for its interval."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.style import wrap
from mtbridge.study.outline import Outline

STYLES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)))
UNTRAINED = ("0.45", (0, (4, 2)))  # the floor: grey, with long dashes


def looks(outline: Outline, shown: set[str]) -> dict[str, tuple]:
    """Model -> its colour and style of line, of the models that are shown, in the study's order."""
    models = [model for model in outline.models if model.key in shown]
    colours = seaborn.color_palette("colorblind" if len(models) <= 10 else "husl", len(models))
    return {
        model.key: UNTRAINED if model.is_untrained else (colours[i], STYLES[i // 5 % len(STYLES)])
        for i, model in enumerate(models)
    }


def draw_lines(ax: Axes, part: pd.DataFrame, styles: dict[str, tuple], x: str, factor: float = 1.0) -> None:
    """Draw the lines of models and their bands; a dotted line for what chance gives.

    part: model, x, value, low, high and null; a row a point. factor: of the values, 100 for shares in percent.
    """
    for model, (colour, style) in styles.items():
        line = part[part["model"] == model].sort_values(x)
        if len(line):
            ax.plot(line[x], factor * line["value"], linestyle=style, color=colour, linewidth=1.1, label=model)
            low, high = factor * line["low"], factor * line["high"]
            ax.fill_between(line[x], low, high, color=colour, alpha=0.15, linewidth=0)
    if len(part):
        ax.axhline(factor * part["null"].iloc[0], color="0.7", linewidth=0.6, linestyle=":")
    ax.grid(alpha=0.3, linewidth=0.4)
    seaborn.despine(ax=ax)


def name_lines(figure: Figure, axes: Iterable[Axes], outline: Outline, title: str) -> None:
    """The legend below a figure: the models that `draw_lines` drew, each once, under a title."""
    labelled = ((str(line.get_label()), line) for ax in axes for line in ax.get_lines())
    handles = {label: line for label, line in labelled if not label.startswith("_")}  # matplotlib's own for no label
    names = [wrap(short(outline, key), 24) for key in handles]
    figure.legend(
        handles.values(),
        names,
        loc="outside lower center",
        ncols=5,
        frameon=False,
        title=title,
        title_fontsize=6.5,
    )
