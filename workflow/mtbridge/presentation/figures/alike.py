"""Are two languages more alike than in the base? Differences of CKA by layer and pair of languages, around zero."""

import math

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.inference.similarity import cells_against
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import wrap
from mtbridge.study.outline import Outline

COLOURS = "PuOr"  # around white; orange below, purple above, told apart with all kinds of colour vision
PER_LINE, WIDTH, HEIGHT = 4, 1.45, 0.15  # panels a line; inches of a panel and of a cell
NOISE = "0.87"  # grey of a cell whose interval holds zero


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """Differences of every cell from the base, or without one from the untrained encoder; `inputs` is a folder."""
    return cells_against(outline, protocol, inputs)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """A panel for each model: layers across, pairs of languages down; cells whose interval holds zero are grey."""
    if frame.empty:
        return sheet.nothing_to_draw("No model has a base or an untrained encoder to compare with, or no states yet.")
    models = list(dict.fromkeys(frame["model"]))
    names = sorted(set(frame["language_a"] + "–" + frame["language_b"]))
    most = float(frame["difference"].abs().max()) or 1.0
    lines = math.ceil(len(models) / PER_LINE)
    height = HEIGHT * len(names)
    page = sheet.Sheet(
        (lines, min(PER_LINE, len(models))),
        (WIDTH, height),
        gap=(0.14, 0.42),
        margins=sheet.Margins(left=0.6, top=0.42, bottom=0.38),
        caption=_caption(frame, outline, protocol),
        bar="difference of CKA (no unit)",
        colours=COLOURS,
    )
    for place, model in enumerate(models):
        part = frame[frame["model"] == model]
        ax = page.panel(place // PER_LINE, place % PER_LINE)
        pair = (part["language_a"] + "–" + part["language_b"]).rename("pair")
        table = part.assign(pair=pair).pivot(index="pair", columns="layer", values="difference").reindex(names)
        held = part.assign(pair=pair, held=(part["low"] <= 0) & (part["high"] >= 0))
        noise = held.pivot(index="pair", columns="layer", values="held").reindex(names).to_numpy() == True  # noqa: E712
        options = {"vmin": -most, "vmax": most, "cmap": COLOURS, "cbar": False, "linewidths": 0.3}
        seaborn.heatmap(table.astype(float), ax=ax, mask=noise | table.isna().to_numpy(), **options)
        for row, column in np.argwhere(noise):
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor=NOISE, linewidth=0))
        ax.set(xlabel="", ylabel="")
        is_last = place + PER_LINE >= len(models)
        layers = [str(layer) for layer in table.columns]
        sheet.set_ticks(ax, columns=layers, rows=names if place % PER_LINE == 0 else [])
        if is_last:
            ax.set_xlabel("layer (0: embeddings)", labelpad=2)
        against = short(outline, str(part["against"].iloc[0]))
        ax.set_title(f"{wrap(short(outline, model), 24)}\nminus {wrap(against, 22)}", pad=3, fontsize=7)
    return page.finish((-most, most))


def _caption(frame: pd.DataFrame, outline: Outline, protocol: str) -> str:
    """What the colours say, and what the intervals hold."""
    most = int(frame["P"].max())
    held = f"up to {most} pretrainings and the choice of texts" if most > 1 else "the choice of texts alone"
    inside = ((frame["low"] <= 0) & (frame["high"] >= 0)).mean()
    return (
        f"{outline.protocol(protocol).estimator.capitalize()} CKA of two languages, minus that of the base (of the "
        f"untrained encoder for models without one); n = {int(frame['n'].max())} texts. Grey: the 95 % interval of "
        f"{held} holds zero ({100 * inside:.0f} % of the cells); intervals are not corrected for the number of cells."
    )
