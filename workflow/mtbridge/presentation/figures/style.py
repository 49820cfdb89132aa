"""The style of all drawings, and how they are written to files."""

import re
import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")  # draws without a display

import pandas as pd
from matplotlib.figure import Figure

from mtbridge.base.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLOURS = "mako_r"  # darker is more alike, also in print without colour
STYLE: "dict[RcKeyType, Any]" = {
    "svg.hashsalt": "mtbridge",  # a fixed salt for ids: the same picture gives the same file
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # a dollar sign in a label is no formula
}

# None leaves out what a file would say about the program and the day, so that equal input gives equal files.
METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
}


def wrap(label: str, width: int) -> str:
    """A label in lines of about `width` characters; a number and its unit (1.1 M) stay together."""
    unbreakable = re.sub(r"(\d) (?=[KMB%]\b)", "\\1\N{NO-BREAK SPACE}", label)
    return "\n".join(textwrap.wrap(unbreakable, max(width, 8), break_long_words=False)) or label


def write(figure: Figure, frame: pd.DataFrame, png=None, svg=None, pdf=None, csv=None, title: str = "") -> None:
    """Write the picture in its formats and the frame as CSV, each file completely or not at all.

    title: the question that the picture answers; it stands above the picture, which gets taller by it.
    """
    if title:
        left, above = 0.08 / figure.get_figwidth(), 1 + 0.1 / figure.get_figheight()
        figure.text(left, above, title, fontsize=9.5, fontweight="bold", ha="left", va="bottom", in_layout=True)
    with matplotlib.rc_context(STYLE):
        for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)):
            if path is not None:
                with atomic_write(path) as temporary:
                    options: dict[str, Any] = {"format": kind, "metadata": METADATA[kind], "facecolor": "white"}
                    figure.savefig(temporary, dpi=200, bbox_inches="tight", pad_inches=0.05, **options)
    if csv is not None:
        with atomic_write(csv) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")
