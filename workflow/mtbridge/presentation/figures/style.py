"""How every drawing looks, and how it is written."""

import re
import textwrap

import matplotlib

matplotlib.use("Agg")  # No display is needed, and none is asked for.

import pandas as pd
from matplotlib.figure import Figure

from mtbridge.base.files import atomic_write

COLOURS = "mako_r"
STYLE = {
    "svg.hashsalt": "mtbridge",  # The same picture is the same file.
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # A dollar in a label is one.
}

# What a file would say about the program and the day: equal input gives equal files.
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}


def wrap(label: str, width: int) -> str:
    """A label in lines of about `width` characters; a number and its unit (1.1 M) stay together."""
    tied = re.sub(r"(\d) (?=[KMB%]\b)", "\\1\N{NO-BREAK SPACE}", label)
    return "\n".join(textwrap.wrap(tied, max(width, 8), break_long_words=False)) or label


def write(figure: Figure, frame: pd.DataFrame, png=None, svg=None, pdf=None, csv=None) -> None:
    """Write the picture and its numbers, each completely or not at all."""
    with matplotlib.rc_context(STYLE):
        for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)):
            if path is not None:
                with atomic_write(path) as temporary:
                    figure.savefig(temporary, format=kind, dpi=200, metadata=METADATA[kind], facecolor="white")
    if csv is not None:
        with atomic_write(csv) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")
