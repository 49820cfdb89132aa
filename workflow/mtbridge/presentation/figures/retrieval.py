"""How often translations find each other, by depth: one line a model, with a band over pretrainings and sentences."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.inference.retrieval import BOTH, EVERY, curves
from mtbridge.presentation.figures.looks import draw_lines, looks, name_lines
from mtbridge.presentation.figures.panels import panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit
from mtbridge.presentation.words import RETRIEVAL
from mtbridge.study.outline import Outline

PANEL, LEAST = (3.2, 2.4), 1.5  # inches


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The curves of `inference.retrieval` in the file `inputs`, without derived models."""
    found = curves(outline, inputs)
    derived = [model.key for model in outline.models if model.kind == "derived"]
    return found[~found["model"].isin(derived)].reset_index(drop=True)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Means over languages and both directions: on the states as they are, and centred."""
    frame = frame[(frame["language"] == EVERY) & (frame["direction"] == BOTH)]
    measures = [name for name in RETRIEVAL if (frame["measure"] == name).any()]
    if not measures:
        return nothing_to_draw("There is one language, or no hidden states yet.", width)
    styles = looks(outline, set(frame["model"]))
    drawn = panels(1, len(measures), PANEL, LEAST, width, share="all")
    for place, (ax, measure) in enumerate(zip(drawn.every, measures, strict=True)):
        _panel(ax, frame[frame["measure"] == measure], styles, outline.retrieval_depth)
        ax.set_title(fit(RETRIEVAL[measure], drawn.inner))
        ax.set_xlabel(fit("depth (0: embeddings, 1: last layer)", drawn.inner))
        if drawn.starts_line(place):
            ax.set_ylabel("translations found, %")
    drawn.every[0].set_ylim(0, None)  # after all panels share their range: it ends where the highest line does
    name_lines(drawn, outline, _what(frame))
    return drawn.figure


def _panel(ax: Axes, part: pd.DataFrame, styles: dict, depth: float) -> None:
    draw_lines(ax, part, styles, "depth", factor=100)
    ax.axvline(depth, color="0.85", linewidth=2.5, zorder=0)


def _what(frame: pd.DataFrame) -> str:
    """What the bands hold, and the other lines."""
    most = int(frame["P"].max())
    several = f"of up to {most} pretrainings and sentences" if most > 1 else "of sentences alone"
    several += f" (n = {int(frame['n'].max()):,})"
    lines = "Dotted: chance. Dashed black: the untrained encoder. Upright: the table's layer."
    return f"Bands: 95 % intervals {several}. {lines}"
