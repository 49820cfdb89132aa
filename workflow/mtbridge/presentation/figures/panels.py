"""Panels with axes, in lines that fit a figure's width, and the legend below them.

Figures of panels are laid out by matplotlib (constrained layout). Here is decided how many panels stand beside each
other, how large they are, and how much higher the legend makes the figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mtbridge.base.numbers import ceil_div
from mtbridge.presentation.figures.style import EDGE, HIGHEST, fit, points_of, style_ticks, text_width

LOWEST = 0.62  # inches of a panel's height, without its labels


@dataclass(frozen=True)
class Panels:
    """A figure and its axes, [group][panel].

    A group that does not fit on one line is continued on the next.
    size: inches of a panel, with its labels; inner: inches that its title and the label below it may have.
    in_print: does the figure have a given width?
    """

    figure: Figure
    axes: list[list[Axes]]
    size: tuple[float, float]
    inner: float
    per_line: int
    in_print: bool

    def starts_line(self, place: int) -> bool:
        """Is a panel of a group the first of its line?"""
        return place % self.per_line == 0

    def is_lowest(self, group: int, place: int) -> bool:
        """Has a panel no other below it?"""
        return group == len(self.axes) - 1 and place + self.per_line >= len(self.axes[group])

    @property
    def every(self) -> list[Axes]:
        """All axes."""
        return [ax for group in self.axes for ax in group]


def panels(
    groups: int,
    across: int,
    size: tuple[float, float],
    least: float,
    width: float | None,
    share: Literal["group", "place", "all", "none"] = "none",
) -> Panels:
    """Groups of panels, one below the other, `across` panels each.

    size: inches of a panel on a screen; least: of its width in print; width: inches of the figure, None for a screen.
    share: which panels have one vertical axis: those of a group, those at one place of all groups, all, or none.
    """
    in_print = width is not None
    if width is None:
        per_line, inches, width = across, size, size[0] * across
    else:
        per_line = max(1, min(across, int(width / least)))
        per_line = ceil_div(across, ceil_div(across, per_line))  # lines of about equal length
        inches = width / per_line, size[1]
    lines = ceil_div(across, per_line)
    figure = Figure(figsize=(width, inches[1] * lines * groups))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.02)
    grid = figure.add_gridspec(lines * groups, per_line)
    axes: list[list[Axes]] = []
    for group in range(groups):
        axes.append([])
        for place in range(across):
            cell = grid[group * lines + place // per_line, place % per_line]
            ax = figure.add_subplot(cell, sharey=_shared(axes, group, place, share))
            style_ticks(ax)
            if share in ("group", "all") and place % per_line:
                ax.tick_params(axis="y", labelleft=False)
            axes[group].append(ax)
    # Labels of the vertical axis stand beside each panel, or where panels share it beside the first alone.
    inner = inches[0] - 0.5 if share in ("none", "place") else (width - 0.85) / per_line - 0.08
    return Panels(figure, axes, inches, inner, per_line, in_print)


def _shared(axes: list[list[Axes]], group: int, place: int, share: str) -> Axes | None:
    """The axes whose vertical axis a new panel shares, if there are any."""
    if share == "group" and place:
        return axes[group][0]
    if share == "place" and group:
        return axes[0][place]
    return axes[0][0] if share == "all" and (group or place) else None


def handles_of(axes: Iterable[Axes]) -> dict[str, Artist]:
    """Label -> the first line that has it, over all axes."""
    found: dict[str, Artist] = {}
    for ax in axes:
        for line in ax.get_lines():
            label = str(line.get_label())
            if not label.startswith("_"):  # matplotlib's own for no label
                found.setdefault(label, line)
    return found


def add_legend(drawn: Panels, handles: Iterable[Artist], names: Sequence[str], text: str = "") -> None:
    """The legend below the panels, in as many columns as the figure's width holds; then the figure's height is set.

    text: what is said above the names.
    """
    figure = drawn.figure
    width = figure.get_figwidth() - 2 * EDGE
    points = points_of("legend.fontsize")
    em = points / 72
    room = 3.4 * em  # a handle and the space beside it
    names = [fit(name, width - room, points) for name in names]
    options: dict[str, Any] = {
        "loc": "outside lower center",
        "frameon": False,
        "handletextpad": 0.8,
        "handlelength": 2.6,
    }
    options |= {"borderpad": 0.1, "borderaxespad": 0.3, "columnspacing": 1.5, "fontsize": points}
    options["ncols"] = _columns(names, width, points, room, 1.5 * em)
    if text:
        options["title"] = fit(text, width, points_of("legend.title_fontsize"))
    legend = figure.legend(list(handles), names, **options)
    legend.get_title().set_multialignment("center")
    canvas = FigureCanvasAgg(figure)
    height = legend.get_window_extent(canvas.get_renderer()).height / figure.dpi
    figure.set_figheight(figure.get_figheight() + height + 0.05)
    _fit_labels(drawn, _set_height(drawn) if drawn.in_print else 0.65 * drawn.size[1])


def _set_height(drawn: Panels) -> float:
    """Make the figure as high as its panels look well and a page allows. Returns the height of a panel without labels.

    Titles and labels keep their heights.
    """
    figure, rows = drawn.figure, len(drawn.axes) * ceil_div(len(drawn.axes[0]), drawn.per_line)
    figure.draw_without_rendering()
    height = figure.get_figheight()
    wide, high = (min(sizes) for sizes in zip(*(ax.get_position().size for ax in drawn.every), strict=True))
    labels = height - rows * high * height
    wanted = min(0.75 * wide * figure.get_figwidth(), 0.8 * drawn.size[1])
    of_panel = max(LOWEST, min(wanted, (HIGHEST - labels) / rows))
    figure.set_figheight(labels + rows * of_panel)
    return of_panel


def _fit_labels(drawn: Panels, inches: float) -> None:
    """Break the labels of vertical axes into lines that are as long as a panel is high."""
    for ax in drawn.every:
        ax.set_ylabel(fit(ax.get_ylabel(), inches + 0.08, points_of("axes.labelsize")))
    drawn.figure.align_ylabels()


def _columns(names: Sequence[str], width: float, points: float, room: float, between: float) -> int:
    """The largest number of columns in which the names fit the width; names fill one column after the other."""
    widths = [max(text_width(line, points) for line in name.split("\n")) for name in names]
    for columns in range(min(len(names), 6), 1, -1):
        parts = np.array_split(widths, columns)
        if sum(max(part) + room for part in parts) + between * (columns - 1) <= width:
            return columns
    return 1
