"""Figure of verdicts: every contrast with its intervals, its single pretrainings and the margin of equivalence."""

import math
import textwrap

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
from mtbridge.study.outline import Outline

# Verdict -> marker and whether it is filled. Colour says nothing, so that print without colour loses nothing.
MARKERS = {HELPS: ("D", True), HURTS: ("D", True), EQUIVALENT: ("s", True), UNDECIDED: ("o", False)}
NO_MARKER = ("x", True)
KEY = (
    "◆ clearly different   ■ equivalent   ○ undecided   × no verdict      small dots: single pretrainings      "
    "grey: margin of equivalence"
)
INK, DOT, BAND = "0.1", "0.55", "0.9"
# Inches: a line, the heading of a contrast, and the columns of labels, picture and verdicts.
LINE, HEADING, LEFT, MIDDLE, RIGHT = 0.185, 0.24, 0.9, 3.6, 3.0
MARGIN, NUMBERS = 0.08, 1.3  # left of everything; from the numbers to the verdict


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The contrasts in the file `inputs`, in the mean over tasks and all languages. by_pretraining is text in a CSV.

    Derived models are left out, because the figure `interventions` shows them.
    """
    rows = comparisons.mean_rows(inputs, protocol)
    rows = rows[(rows["languages"] == EVERY_TARGET) & ~rows["family"].isin(OF_DERIVED)].reset_index(drop=True)
    return rows.assign(by_pretraining=[" ".join(f"{value:.6g}" for value in each) for each in rows["by_pretraining"]])


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Contrasts down, each with zero-shot, English and gap; differences across; verdicts at the right."""
    found = [contrast for contrast in comparisons.contrasts(frame) if not math.isnan(contrast.main.estimate)]
    if not found:
        return nothing_to_draw("Nothing is compared, or nothing counted.")
    lines = sum(len(contrast.rows) for contrast in found)
    height = HEADING * len(found) + LINE * lines
    top, bottom, width = 0.12, 0.97, LEFT + MIDDLE + RIGHT
    total = height + top + bottom
    figure = Figure(figsize=(width, total))
    ax = figure.add_axes((LEFT / width, bottom / total, MIDDLE / width, height / total))
    # The vertical axis counts inches from the top, so that lines and headings have one size in every figure.
    ax.set_ylim(height, 0)
    y = 0.0
    for contrast in found:
        _heading(ax, contrast, outline, y + 0.6 * HEADING)
        y += HEADING
        names = [name for name in SHOWN if name in contrast.rows]
        ax.plot([0, 0], [y, y + LINE * len(names)], "-", color=INK, linewidth=0.6, zorder=1)
        for name in names:
            _line(ax, contrast.rows[name], y + LINE / 2, comparisons.statistic_name(outline, name))
            y += LINE
    _axis(ax, found)
    key = f"{KEY}\n{_basis(found)}"
    figure.text(MARGIN / width, 0.07 / total, key, fontsize=6.5, va="bottom")
    return figure


def _basis(found: list[Contrast]) -> str:
    """What the means rest on, from the fewest to the most."""
    rows = [row for contrast in found for row in contrast.rows.values()]

    def span(name: str, values: list) -> str:
        low, high = int(min(values)), int(max(values))
        return f"{name} = {low:,}" if low == high else f"{name} = {low:,} to {high:,}"

    pretrainings, seeds = span("P", [row.P for row in rows]), span("S", [row.S for row in rows])
    examples = span("n", [row.n for row in rows])
    return f"Mean over tasks; {pretrainings} pretrainings, {seeds} fine-tuning seeds, {examples} test examples"


def _heading(ax: Axes, contrast: Contrast, outline: Outline, y: float) -> None:
    """What is compared, and what its verdicts are about if that is not the pretraining."""
    about = {CHECKPOINT: " (about these checkpoints)", EXAMPLES: " (test examples only)"}
    text = comparisons.label(outline, contrast) + about.get(contrast.main.scope, "")
    text = textwrap.shorten(text, 95, placeholder=" …")
    place = ((MARGIN - LEFT) / MIDDLE, y)
    across = ax.get_yaxis_transform()
    ax.annotate(text, place, xycoords=across, va="center", fontweight="bold", annotation_clip=False)


def _line(ax: Axes, row, y: float, name: str) -> None:
    """One difference: interval, single pretrainings, margin, and at both sides what it is and says."""
    across = ax.get_yaxis_transform()
    ax.annotate(name, (-0.02, y), xycoords=across, ha="right", va="center", annotation_clip=False)
    if not math.isnan(row.margin):
        ax.add_patch(
            Rectangle((-row.margin, y - LINE / 2), 2 * row.margin, LINE, facecolor=BAND, linewidth=0, zorder=0)
        )
    if math.isnan(row.estimate):
        text = f"{comparisons.verdict_text(row)}: {comparisons.why_no_verdict(row)}"
        ax.annotate(text, (1.03, y), xycoords=across, va="center", annotation_clip=False)
        return
    each = [float(value) for value in str(row.by_pretraining).split()]
    if len(each) > 1:
        ax.plot(each, [y + 0.28 * LINE] * len(each), ".", color=DOT, markersize=3.5, zorder=2)
    ax.plot([row.low, row.high], [y, y], "-", color=INK, linewidth=1.1, zorder=3)
    marker, filled = MARKERS.get(row.verdict, NO_MARKER)
    ax.plot(row.estimate, y, marker, color=INK, markersize=4.5, markerfacecolor=INK if filled else "white", zorder=4)
    text = f"{comparisons.difference(row)} {comparisons.interval(row)}"
    ax.annotate(text, (1.03, y), xycoords=across, va="center", annotation_clip=False)
    weight = "bold" if row.verdict in (HELPS, HURTS) else "normal"
    place, says = (1.03 + NUMBERS / MIDDLE, y), comparisons.verdict_text(row)
    ax.annotate(says, place, xycoords=across, va="center", fontweight=weight, annotation_clip=False)


def _axis(ax: Axes, found: list[Contrast]) -> None:
    """Limits that hold everything, and which side is better."""
    rows = [row for contrast in found for row in contrast.rows.values() if not math.isnan(row.estimate)]
    values = [float(value) for row in rows for value in str(row.by_pretraining).split()]
    values += [value for row in rows for value in (row.estimate, row.low, row.high, row.margin, -row.margin, 0.0)]
    values = [value for value in values if not math.isnan(value)]
    low, high = min(values), max(values)
    room = 0.04 * (high - low or 1)
    ax.set_xlim(low - room, high + room)
    ax.set_yticks([])
    seaborn.despine(ax=ax, left=True)
    ax.set_xlabel(
        "difference in percent points, with 95 % interval\n"
        "(right of zero: the first named is higher; a gap left of zero is narrower)"
    )
