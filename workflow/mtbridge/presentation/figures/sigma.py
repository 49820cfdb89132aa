"""Singular values of the last layer by rank: continued models beside their base."""

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from mtbridge.inference.spectra import values_frame
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.words import MATRIX_LABELS
from mtbridge.study.outline import Outline

PANEL = (1.75, 1.6)  # inches
STYLES = ("-", "--", "-.", ":")


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The singular values of the last layer of every family, from the folder `inputs`; see `inference.spectra`."""
    return values_frame(outline, inputs)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Matrices across, families down; σ of a continued model minus that of its base at the same rank."""
    derived = [model.key for model in outline.models if model.kind == "derived"]
    shown = frame[(frame["model"] != frame["base"]) & frame["of_base"].notna() & ~frame["model"].isin(derived)]
    if shown.empty:
        return nothing_to_draw("No model continues another one, or there are no spectra yet.")
    bases = list(dict.fromkeys(shown["base"]))
    models = list(dict.fromkeys(shown["model"]))
    colours = dict(zip(models, seaborn.color_palette("colorblind", len(models)), strict=True))
    figure = Figure(figsize=(PANEL[0] * len(MATRIX_LABELS), PANEL[1] * len(bases) + 0.7))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(bases), len(MATRIX_LABELS), squeeze=False, sharey="row")
    for row, base in zip(axes, bases, strict=True):
        for ax, (matrix, label) in zip(row, MATRIX_LABELS.items(), strict=True):
            part = shown[(shown["base"] == base) & (shown["matrix"] == matrix)]
            for model, line in part.groupby("model", sort=False):
                style = STYLES[models.index(str(model)) % len(STYLES)]
                ax.plot(
                    line["rank"],
                    line["value"] - line["of_base"],
                    style,
                    color=colours[str(model)],
                    linewidth=1.1,
                    label=model,
                )
            ax.axhline(0, color="0.6", linewidth=0.7)
            ax.set_title(label)
            ax.set_xlabel("rank of σ")
            seaborn.despine(ax=ax)
        row[0].set_ylabel(wrap(f"σ minus that of {short(outline, base)}", 20))
    handles = {line.get_label(): line for ax in axes.flat for line in ax.get_lines() if line.get_label()[0] != "_"}
    names = [wrap(short(outline, str(key)), 24) for key in handles]
    text = "Last layer; of every model the first pretraining (P = 1), so no interval. Grey: the base"
    figure.legend(
        handles.values(), names, loc="outside lower center", ncols=5, frameon=False, title=text, title_fontsize=6.5
    )
    return figure
