"""How often translations find each other, by depth: one line a model, with a band over pretrainings and sentences."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.inference.retrieval import BOTH, EVERY, curves
from mtbridge.presentation.figures.looks import draw_lines, looks, name_lines
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.words import RETRIEVAL
from mtbridge.study.outline import Outline

PANEL = (3.2, 2.4)  # inches


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The curves of `inference.retrieval` in the file `inputs`, without derived models."""
    found = curves(outline, inputs)
    derived = [model.key for model in outline.models if model.kind == "derived"]
    return found[~found["model"].isin(derived)].reset_index(drop=True)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Means over languages and both directions: on the states as they are, and centred."""
    frame = frame[(frame["language"] == EVERY) & (frame["direction"] == BOTH)]
    measures = [name for name in RETRIEVAL if (frame["measure"] == name).any()]
    if not measures:
        return nothing_to_draw("There is one language, or no hidden states yet.")
    styles = looks(outline, set(frame["model"]))
    width, height = PANEL
    figure = Figure(figsize=(width * len(measures), height + 0.9))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(1, len(measures), squeeze=False, sharex=True, sharey=True)[0]
    for ax, measure in zip(axes, measures, strict=True):
        _panel(ax, frame[frame["measure"] == measure], styles, outline.retrieval_depth)
        ax.set_title(RETRIEVAL[measure])
    axes[0].set_ylim(0, None)  # after all panels share their range: it ends where the highest line does
    axes[0].set_ylabel("translations found, %")
    name_lines(figure, axes, outline, _what(frame))
    return figure


def _panel(ax: Axes, part: pd.DataFrame, styles: dict, depth: float) -> None:
    draw_lines(ax, part, styles, "depth", factor=100)
    ax.axvline(depth, color="0.85", linewidth=2.5, zorder=0)
    ax.set_xlabel("depth (0: embeddings, 1: last layer)")


def _what(frame: pd.DataFrame) -> str:
    """What the bands hold, and the other lines."""
    most = int(frame["P"].max())
    several = f"of up to {most} pretrainings and sentences" if most > 1 else "of sentences alone"
    lines = "Dotted: chance. Dashed grey: the untrained encoder. Upright: the table's layer."
    return f"Bands: 95 % intervals {several}. {lines}"
