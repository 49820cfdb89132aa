"""The style of all drawings, how text is fitted into them, and how they are written to files.

A figure has three forms: as large as what it shows needs, for a screen, and as wide as one column or the text of a
paper. `draw` of a figure gets the width and lays itself out for it; nothing is shrunk, so that no text is smaller than
`SMALLEST`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")  # draws without a display

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from mtbridge.base.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLOURS = "mako_r"  # darker is more alike, also in print without colour
# Red above zero, blue below: told apart with all kinds of colour vision. Both ends are equally dark, so that in print
# without colour a shade says the size alone; figures mark the sign too.
DIVERGING = "RdBu_r"
SMALLEST = 6.0  # points, in print
STYLE: "dict[RcKeyType, Any]" = {
    "svg.hashsalt": "mtbridge",  # a fixed salt for ids: the same picture gives the same file
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.title_fontsize": 6.5,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # a dollar sign in a label is no formula
    "pdf.fonttype": 42,  # TrueType: text stays text, as publishers ask
}
NARROW = 5.0  # inches; a narrower figure has smaller labels
STYLE_OF_NARROW: "dict[RcKeyType, Any]" = STYLE | {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "legend.fontsize": 6.5,
}
QUESTION = 9.5  # points of the question above a picture
HIGHEST = 8.5  # inches of a figure in print, unless what it shows would get too small
EDGE = 0.08  # inches between text and the edge of a figure

# None leaves out what a file would say about the program and the day, so that equal input gives equal files.
METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
}


@contextmanager
def styled(width: float | None) -> Iterator[None]:
    """Sizes of text for a figure of this width in inches; None is a figure for the screen."""
    with matplotlib.rc_context(STYLE_OF_NARROW if is_narrow(width) else STYLE):
        yield


def is_narrow(width: float | None) -> bool:
    """Is a figure as narrow as one column of two?"""
    return width is not None and width < NARROW


def points_of(name: Any) -> float:
    """The size of text in the current style, by its name in matplotlib: "axes.titlesize", "xtick.labelsize", …"""
    size: Any = matplotlib.rcParams[name]
    return float(matplotlib.rcParams["font.size"]) if isinstance(size, str) or size is None else float(size)


def style_ticks(ax: Axes) -> None:
    """Give the labels of ticks the size of the current style, also those that are made when the figure is written."""
    for name in ("x", "y"):
        ax.tick_params(axis=name, which="both", labelsize=points_of(f"{name}tick.labelsize"))


@lru_cache(maxsize=4096)
def text_width(text: str, points: float, bold: bool = False) -> float:
    """Inches of a line of text, with a little room: on a screen letters stand on whole dots."""
    font = FontProperties(size=points, weight="bold" if bold else "normal")
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] * 1.03 / 72


def fit(text: str, inches: float, points: float | None = None, bold: bool = False) -> str:
    """The text in lines that are at most so wide. A longer word stays whole, as do a number and its unit (1.1 M).

    points: size of the text, None for that of labels.
    """
    size = points_of("font.size") if points is None else points
    lines: list[str] = []
    # Names of models hold hyphens: a line is broken at spaces alone.
    for word in re.sub(r"(\d) (?=[KMB%]( |,|$))", "\\1\N{NO-BREAK SPACE}", text).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def line_height(points: float) -> float:
    """Inches from one line of text to the next."""
    return 1.4 * points / 72


def add_question(figure: Figure, question: str) -> float:
    """Put the question that a picture answers above it. Returns the inches that the picture gets taller by."""
    if not question:
        return 0.0
    width, height = figure.get_size_inches()
    points = QUESTION if not is_narrow(width) else 8.0
    text = fit(question, width - 2 * EDGE, points, bold=True)
    place = EDGE / width, 1 + 0.06 / height
    figure.text(*place, text, fontsize=points, fontweight="bold", ha="left", va="bottom", in_layout=False)
    return 0.12 + line_height(points) * (text.count("\n") + 1)


def write(figure: Figure, frame: pd.DataFrame, png=None, svg=None, pdf=None, csv=None, title: str = "") -> None:
    """Write the picture in its formats and the frame as CSV, each file completely or not at all.

    The file is as wide as the figure, so that text has its size where it is included without scaling.
    title: the question that the picture answers; it stands above the picture, which gets taller by it.
    """
    width, height = figure.get_size_inches()
    area = Bbox([[0, 0], [width, height + add_question(figure, title)]])
    with styled(width):
        for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)):
            if path is not None:
                with atomic_write(path) as temporary:
                    options: dict[str, Any] = {"format": kind, "metadata": METADATA[kind], "facecolor": "white"}
                    figure.savefig(temporary, dpi=300, bbox_inches=area, **options)
    if csv is not None:
        with atomic_write(csv) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")
