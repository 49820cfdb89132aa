"""How far languages lie apart in hidden states, layer by layer: one line a model, with a band over pretrainings."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbridge.inference.separability import curves
from mtbridge.presentation.figures.looks import draw_lines, looks, name_lines
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.words import SEPARABILITY, SEPARABILITY_SHOWN
from mtbridge.study.outline import Outline

PANEL = (2.6, 2.0)  # inches
BEFORE = ""  # the task of states before any fine-tuning


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The curves of the measures that are shown, from `<inputs>/<corpus>.parquet`, without derived models."""
    found = curves(outline, protocol, f"{inputs}/{outline.corpus(protocol)}.parquet")
    derived = [model.key for model in outline.models if model.kind == "derived"]
    return found[found["measure"].isin(SEPARABILITY_SHOWN) & ~found["model"].isin(derived)].reset_index(drop=True)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Measures across; down, before fine-tuning and after that on each task; of several recipes the first one."""
    frame = frame[frame["recipe"].isin(["", outline.recipes[0]])].fillna({"task": BEFORE})
    measures = [name for name in SEPARABILITY_SHOWN if (frame["measure"] == name).any()]
    tasks = [BEFORE, *(task.name for task in outline.tasks if (frame["task"] == task.name).any())]
    if not measures:
        return nothing_to_draw("There is one language, or no hidden states yet.")
    styles = looks(outline, set(frame["model"]))
    width, height = PANEL
    figure = Figure(figsize=(width * len(measures), height * len(tasks) + 0.9))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(tasks), len(measures), squeeze=False, sharex=True, sharey="col")
    for row, task in zip(axes, tasks, strict=True):
        for ax, measure in zip(row, measures, strict=True):
            part = frame[(frame["task"] == task) & (frame["measure"] == measure)]
            _panel(ax, part, styles)
            if task == BEFORE:
                ax.set_title(wrap(SEPARABILITY[measure], 34))
        when = "before fine-tuning" if task == BEFORE else f"after {outline.task_labels[task]}"
        row[0].set_ylabel(when)
    for ax in axes[-1]:
        ax.set_ylim(0, None)  # after all panels of a column share their range: it ends where the highest line does
        ax.set_xlabel("layer (0: embeddings)")
    name_lines(figure, axes.flat, outline, _what(frame))
    return figure


def _panel(ax: Axes, part: pd.DataFrame, styles: dict) -> None:
    draw_lines(ax, part, styles, "layer")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _what(frame: pd.DataFrame) -> str:
    """What the bands hold."""
    most = int(frame["P"].max())
    several = f"of up to {most} pretrainings and sentences" if most > 1 else "of sentences alone"
    return f"Bands: 95 % intervals {several}. Dotted: states without structure. Dashed grey: the untrained encoder."
