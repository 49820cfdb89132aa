"""Figure of verdicts: every contrast with its intervals, its single pretrainings and the margin of equivalence."""

import math
from dataclasses import dataclass

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.inference.verdicts import (
    CHECKPOINT,
    EQUIVALENT,
    EVERY_TARGET,
    EXAMPLES,
    HELPS,
    HURTS,
    OF_DERIVED,
    SHOWN,
    UNDECIDED,
)
from mtbridge.presentation import comparisons
from mtbridge.presentation.comparisons import Contrast
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit, is_narrow, line_height, style_ticks, text_width
from mtbridge.study.outline import Outline

# Verdict -> marker and whether it is filled. Colour says nothing, so that print without colour loses nothing.
MARKERS = {HELPS: ("D", True), HURTS: ("D", True), EQUIVALENT: ("s", True), UNDECIDED: ("o", False)}
NO_MARKER = ("x", True)
KEY = (
    "Mark and line: what stands first minus what it is against, with 95 % interval. Right of zero the first scores "
    "higher; left of zero a gap is narrower.",
    "   ".join(
        text.replace(" ", "\N{NO-BREAK SPACE}")  # a mark and what it means stay on one line
        for text in (
            "◆ clearly different",
            "■ equivalent: inside the margin (grey)",
            "○ undecided",
            "× no verdict",
            "• single pretrainings",
        )
    ),
)
INK, DOT, BAND = "0.1", "0.55", "0.9"
POINTS, SMALL = 7.5, 6.5  # of text in lines, and of the key below
# Inches: a line, the heading of a contrast, the picture on a screen, between columns, and left of everything.
LINE, HEADING, MIDDLE, BETWEEN, MARGIN = 0.175, 0.23, 3.6, 0.12, 0.08
LEAST = 1.5  # inches of the picture, below which verdicts in words are left out: the marks say them too


@dataclass(frozen=True)
class Columns:
    """Where the columns of a figure begin, and its width, in inches."""

    picture: float
    numbers: float
    verdicts: float | None
    width: float

    @property
    def middle(self) -> float:
        """The width of the picture."""
        return self.numbers - BETWEEN - self.picture

    def across(self, inches: float) -> float:
        """A place, in inches from the left, as a share of the picture's width."""
        return (inches - self.picture) / self.middle


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The contrasts in the file `inputs`, in the mean over tasks and all languages. by_pretraining is text in a CSV.

    Derived models are left out, because the figure `interventions` shows them.
    """
    rows = comparisons.mean_rows(inputs, protocol)
    rows = rows[(rows["languages"] == EVERY_TARGET) & ~rows["family"].isin(OF_DERIVED)].reset_index(drop=True)
    return rows.assign(by_pretraining=[" ".join(f"{value:.6g}" for value in each) for each in rows["by_pretraining"]])


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Contrasts down, each with zero-shot, English and gap; differences across; verdicts at the right.

    In a narrow figure the marks alone say the verdicts.
    """
    found = [contrast for contrast in comparisons.contrasts(frame) if not math.isnan(contrast.main.estimate)]
    if not found:
        return nothing_to_draw("Nothing is compared, or nothing counted.", width)
    points = 6.5 if is_narrow(width) else POINTS
    columns = _columns(found, outline, width, points)
    titles = [fit(_title(contrast, outline), columns.width - 2 * MARGIN, points, bold=True) for contrast in found]
    headings = [HEADING + line_height(points) * title.count("\n") for title in titles]
    lines = sum(len(contrast.rows) for contrast in found)
    height = sum(headings) + LINE * lines
    key = "\n".join(fit(text, columns.width - 2 * MARGIN, SMALL) for text in (*KEY, _basis(found)))
    below = 0.47 + line_height(SMALL) * (key.count("\n") + 1)
    total = height + below + 0.03
    figure = Figure(figsize=(columns.width, total))
    place = columns.picture / columns.width, below / total, columns.middle / columns.width, height / total
    ax = figure.add_axes(place)
    # The vertical axis counts inches from the top, so that lines and headings have one size in every figure.
    ax.set_ylim(height, 0)
    y = 0.0
    for contrast, title, heading in zip(found, titles, headings, strict=True):
        _text(ax, title, columns.across(MARGIN), y + heading - 0.04, points, fontweight="bold", va="bottom")
        y += heading
        names = [name for name in SHOWN if name in contrast.rows]
        ax.plot([0, 0], [y, y + LINE * len(names)], "-", color=INK, linewidth=0.6, zorder=1)
        for name in names:
            place_of_name = columns.across(columns.picture - BETWEEN / 2)
            _text(ax, comparisons.statistic_name(outline, name), place_of_name, y + LINE / 2, points, ha="right")
            _line(ax, contrast.rows[name], y + LINE / 2, columns, points)
            y += LINE
    _axis(ax, found)
    figure.text(MARGIN / columns.width, 0.05 / total, key, fontsize=SMALL, va="bottom", linespacing=1.2)
    return figure


def _columns(found: list[Contrast], outline: Outline, width: float | None, points: float) -> Columns:
    """Columns as wide as their texts; the picture has the rest of the width, or on a screen its own size."""
    rows = [row for contrast in found for row in contrast.rows.values()]
    names = {comparisons.statistic_name(outline, name) for contrast in found for name in contrast.rows}
    left = MARGIN + max(text_width(name, points) for name in names) + BETWEEN / 2
    counted = [row for row in rows if not math.isnan(row.estimate)]
    numbers = max(text_width(_numbers(row), points) for row in counted) + MARGIN
    says = max(text_width(comparisons.verdict_text(row), points, bold=True) for row in rows) + BETWEEN
    if width is None:
        width = left + MIDDLE + BETWEEN + numbers + says
    if width - left - BETWEEN - numbers - says < LEAST:
        return Columns(left, width - numbers, None, width)
    return Columns(left, width - says - numbers, width - says, width)


def _numbers(row) -> str:
    """A difference and its interval."""
    return f"{comparisons.difference(row)} {comparisons.interval(row)}"


def _text(ax: Axes, text: str, x: float, y: float, points: float, **options) -> None:
    """Text at a share of the picture's width, and at inches from its top."""
    options = {"va": "center", "fontsize": points, "annotation_clip": False, **options}
    ax.annotate(text, (x, y), xycoords=ax.get_yaxis_transform(), **options)


def _basis(found: list[Contrast]) -> str:
    """What the means rest on."""
    rows = [(row.P, row.S, row.n) for contrast in found for row in contrast.rows.values()]
    return f"Mean over tasks; {comparisons.counts(pd.DataFrame(rows, columns=['P', 'S', 'n']))}"


def _title(contrast: Contrast, outline: Outline) -> str:
    """What is compared, and what its verdicts are about if that is not the pretraining."""
    about = {CHECKPOINT: " (about these checkpoints)", EXAMPLES: " (test examples only)"}
    return comparisons.label(outline, contrast) + about.get(contrast.main.scope, "")


def _line(ax: Axes, row, y: float, columns: Columns, points: float) -> None:
    """One difference: interval, single pretrainings and margin; at its right what it is and says."""
    if not math.isnan(row.margin):
        ax.add_patch(
            Rectangle((-row.margin, y - LINE / 2), 2 * row.margin, LINE, facecolor=BAND, linewidth=0, zorder=0)
        )
    says, numbers = comparisons.verdict_text(row), columns.across(columns.numbers)
    if math.isnan(row.estimate):
        # Nothing is drawn, so that the text may begin in the picture.
        text, room = (
            f"{says}: {comparisons.why_no_verdict(row)}",
            columns.width - columns.picture - 0.6 * columns.middle,
        )
        is_long = text_width(text, points) > room
        _text(ax, says if is_long else text, columns.across(columns.width - room), y, points)
        return
    each = [float(value) for value in str(row.by_pretraining).split()]
    if len(each) > 1:
        ax.plot(each, [y + 0.3 * LINE] * len(each), ".", color=DOT, markersize=3.5, zorder=2)
    ax.plot([row.low, row.high], [y, y], "-", color=INK, linewidth=1.1, zorder=3)
    marker, filled = MARKERS.get(row.verdict, NO_MARKER)
    ax.plot(row.estimate, y, marker, color=INK, markersize=4.5, markerfacecolor=INK if filled else "white", zorder=4)
    _text(ax, _numbers(row), numbers, y, points)
    if columns.verdicts is not None:
        weight = "bold" if row.verdict in (HELPS, HURTS) else "normal"
        _text(ax, says, columns.across(columns.verdicts), y, points, fontweight=weight)


def _axis(ax: Axes, found: list[Contrast]) -> None:
    """Limits that hold everything."""
    rows = [row for contrast in found for row in contrast.rows.values() if not math.isnan(row.estimate)]
    values = [float(value) for row in rows for value in str(row.by_pretraining).split()]
    values += [value for row in rows for value in (row.estimate, row.low, row.high, row.margin, -row.margin, 0.0)]
    values = [value for value in values if not math.isnan(value)]
    low, high = min(values), max(values)
    room = 0.04 * (high - low or 1)
    ax.set_xlim(low - room, high + room)
    ax.set_yticks([])
    seaborn.despine(ax=ax, left=True)
    style_ticks(ax)
    ax.set_xlabel("difference in percent points", labelpad=2)
