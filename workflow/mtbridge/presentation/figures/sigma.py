"""Singular values of the last layer by rank: continued models beside their base."""

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from mtbridge.inference.spectra import values_frame
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.looks import looks_of, mark_every, name_lines
from mtbridge.presentation.figures.panels import panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.words import MATRIX_LABELS
from mtbridge.study.outline import Outline

PANEL, LEAST = (1.75, 1.6), 1.0  # inches


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The singular values of the last layer of every family, from the folder `inputs`; see `inference.spectra`."""
    return values_frame(outline, inputs)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Matrices across, families down; σ of a continued model minus that of its base at the same rank."""
    derived = [model.key for model in outline.models if model.kind == "derived"]
    shown = frame[(frame["model"] != frame["base"]) & frame["of_base"].notna() & ~frame["model"].isin(derived)]
    if shown.empty:
        return nothing_to_draw("No model continues another one, or there are no spectra yet.", width)
    bases = list(dict.fromkeys(shown["base"]))
    styles = looks_of(shown["model"])
    drawn = panels(len(bases), len(MATRIX_LABELS), PANEL, LEAST, width, share="group")
    for group, base in enumerate(bases):
        for place, (ax, (matrix, label)) in enumerate(zip(drawn.axes[group], MATRIX_LABELS.items(), strict=True)):
            part = shown[(shown["base"] == base) & (shown["matrix"] == matrix)]
            for number, (model, look) in enumerate(styles.items()):
                line = part[part["model"] == model]
                if len(line):
                    every = mark_every(len(line), number)
                    ax.plot(line["rank"], line["value"] - line["of_base"], label=model, markevery=every, **look.line)
            ax.axhline(0, color="0.6", linewidth=0.7)
            ax.set_title(label)
            ax.set_xlabel("rank of σ")
            seaborn.despine(ax=ax)
            if drawn.starts_line(place):
                ax.set_ylabel(f"σ minus that of {short(outline, base)}")
    name_lines(
        drawn, outline, "Last layer; of every model the first pretraining (P = 1), so no interval. Grey: the base"
    )
    return drawn.figure
