"""The training curves of the report."""

import io
import math

import matplotlib
import numpy as np
import seaborn
from matplotlib.figure import Figure

from mtbridge.presentation.figures.style import METADATA, STYLE, wrap


def training_curves(panels: dict[str, dict[str, list]], panels_per_row: int = 4) -> str:
    """Loss (nats) against steps, as SVG text. panels: title of a panel -> label of a line -> [(step, loss), …].

    A label has the same colour in all panels. If "" is the only label, there is no legend.
    """
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    colours = dict(
        zip(labels, seaborn.color_palette("colorblind" if len(labels) <= 10 else "husl", len(labels)), strict=True)
    )
    styles = ["-", "--", ":", "-."]
    rows = math.ceil(len(panels) / panels_per_row)
    columns = min(panels_per_row, len(panels))
    with matplotlib.rc_context(STYLE):
        # A panel is 2.6 by 1.75 inches; the legend needs half an inch.
        figure = Figure(figsize=(2.6 * columns, 1.75 * rows + (0.5 if labels != [""] else 0)))
        figure.set_layout_engine("constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for index, ax in enumerate(axes.flat):
            if index >= len(panels):
                ax.set_axis_off()
                continue
            title, lines = list(panels.items())[index]
            for label, points in lines.items():
                # Colours are hard to tell apart beyond five lines, so every five the style changes too.
                style = styles[labels.index(label) // 5 % len(styles)]
                ax.plot(
                    *np.transpose(points) if len(points) else ([], []), style, color=colours[label], lw=1, label=label
                )
            ax.set_title(wrap(title, 34))
            ax.set_ylim(bottom=0)
            ax.grid(alpha=0.3, linewidth=0.4)
            seaborn.despine(ax=ax)
            if index % columns == 0:
                ax.set_ylabel("loss (nats)")
            if index + columns >= len(panels):
                ax.set_xlabel("step")
        if labels != [""]:
            handles = {h.get_label(): h for ax in axes.flat for h in ax.get_lines()}
            figure.legend(
                handles.values(), handles.keys(), loc="outside lower center", ncols=min(5, len(labels)), frameon=False
            )
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=METADATA["svg"])
    return buffer.getvalue()
