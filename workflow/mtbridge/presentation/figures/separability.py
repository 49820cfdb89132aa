"""How far languages lie apart in hidden states, layer by layer: one line a model, with a band over pretrainings."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbridge.base.files import read_parquet
from mtbridge.inference.separability import EVERY, curves
from mtbridge.presentation.figures.looks import draw_lines, looks, name_lines
from mtbridge.presentation.figures.panels import panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit
from mtbridge.presentation.words import SEPARABILITY, SEPARABILITY_SHOWN
from mtbridge.study.outline import Outline

PANEL, LEAST = (2.6, 2.0), 1.0  # inches
BEFORE = ""  # the task of states before any fine-tuning


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The curves of the measures that are shown, with n, from `<inputs>/<corpus>.parquet`, without derived models."""
    path = f"{inputs}/{outline.corpus(protocol)}.parquet"
    keys = ["model", "recipe", "task", "layer", "measure"]
    n = read_parquet(path, [*keys, "source", "n"])
    n = n[n["source"] == EVERY].drop_duplicates(keys)
    found = curves(outline, protocol, path).merge(n[[*keys, "n"]], on=keys, how="left")
    derived = [model.key for model in outline.models if model.kind == "derived"]
    return found[found["measure"].isin(SEPARABILITY_SHOWN) & ~found["model"].isin(derived)].reset_index(drop=True)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Measures across; down, before fine-tuning and after that on each task; of several recipes the first one."""
    frame = frame[frame["recipe"].isin(["", outline.recipes[0]])].fillna({"task": BEFORE})
    measures = [name for name in SEPARABILITY_SHOWN if (frame["measure"] == name).any()]
    tasks = [BEFORE, *(task.name for task in outline.tasks if (frame["task"] == task.name).any())]
    if not measures:
        return nothing_to_draw("There is one language, or no hidden states yet.", width)
    styles = looks(outline, set(frame["model"]))
    drawn = panels(len(tasks), len(measures), PANEL, LEAST, width, share="place")
    for group, task in enumerate(tasks):
        for place, (ax, measure) in enumerate(zip(drawn.axes[group], measures, strict=True)):
            _panel(ax, frame[(frame["task"] == task) & (frame["measure"] == measure)], styles)
            if task == BEFORE:
                ax.set_title(fit(SEPARABILITY[measure], drawn.inner))
            if drawn.starts_line(place):
                when = "before fine-tuning" if task == BEFORE else f"after {outline.task_labels[task]}"
                ax.set_ylabel(when)
            if drawn.is_lowest(group, place):
                ax.set_xlabel("layer")
    for ax in drawn.axes[-1]:
        ax.set_ylim(0, None)  # after all panels of a column share their range: it ends where the highest line does
    name_lines(drawn, outline, _what(frame))
    return drawn.figure


def _panel(ax: Axes, part: pd.DataFrame, styles: dict) -> None:
    draw_lines(ax, part, styles, "layer")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _what(frame: pd.DataFrame) -> str:
    """What the bands hold."""
    most = int(frame["P"].max())
    several = f"of up to {most} pretrainings and sentences" if most > 1 else "of sentences alone"
    several += f" (n = {int(frame['n'].max()):,})"
    lines = "Dotted: states without structure. Dashed black: the untrained encoder. Layer 0: embeddings."
    return f"Bands: 95 % intervals {several}. {lines}"
