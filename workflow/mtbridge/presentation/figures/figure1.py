"""Figure 1: similarity of two models on the same texts, by layer and language; CKA, or another measure."""

import math
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import HIGHEST, fit, line_height, points_of, text_width
from mtbridge.representations.measures import MEASURES
from mtbridge.study.outline import Outline

# What is said below the picture where models differ in depth.
DEPTHS = (
    "; models of unequal depth at the same relative depth, layer l of L with round(l·L′/L) of L′, labelled by the "
    "layers of row·column"
)


def frame(outline: Outline, protocol: str, inputs, published=None, measure: str = sheet.MEASURE) -> pd.DataFrame:
    """The cells of the figure, from the similarities of models in the file `inputs`; see `cells`."""
    keys = ["model_a", "model_b", "language"]
    return cells(outline, protocol, sheet.read_similarity(inputs, keys, outline, protocol))


def cells(outline: Outline, protocol: str, similarity: pd.DataFrame) -> pd.DataFrame:
    """Every cell: corpus, model_row, model_column, layer, language, estimator, value, low, high, null, n.

    Where models differ in depth also layer_row and layer_column; `layer` is then that of the shallower model of a pair.
    For the pairs see `pairs`. `similarity`: the rows of one corpus and estimator. A cell that it lacks is NaN.
    """
    languages, layers = sorted(set(similarity["language"])), sorted(similarity["layer"].unique())
    # CKA is symmetric, and the file has every pair once.
    ends = {"model_a": "model_b", "model_b": "model_a", "layer_a": "layer_b", "layer_b": "layer_a"}
    both = pd.concat([similarity, similarity.rename(columns=ends)])
    both = both.drop_duplicates(["model_a", "model_b", "layer", "language"])
    last = both.groupby(["model_a", "model_b"])["layer"].max()
    keys = ["model_row", "model_column", "layer", "language"]
    grid = pd.DataFrame(
        [
            (*pair, layer, language)
            for pair in pairs(outline)
            for layer in layers
            if layer <= last.get(pair, layer)
            for language in languages
        ],
        columns=keys,
    ).astype({"layer": int})
    names = {"model_a": "model_row", "model_b": "model_column", "layer_a": "layer_row", "layer_b": "layer_column"}
    both = both.rename(columns=names)
    own_layers = [name for name in ("layer_row", "layer_column") if name in both]
    result = grid.merge(both[[*keys, *sheet.NUMBERS, *own_layers]], on=keys, how="left")
    result.insert(0, "corpus", outline.corpus(protocol))
    result.insert(5, "estimator", sheet.estimator_of(similarity, outline, protocol))
    return result


def pairs(outline: Outline) -> list[tuple[str, str]]:
    """The models of each panel: (row, column).

    Rows are the language models. Columns are the models continued from them, then the controls; a study that has
    neither shows its MT models. Without any such pair, every model is compared with every other.
    """
    rows = [model.key for model in outline.models if model.kind == "LM"]
    columns = [model.key for model in outline.models if model.kind in ("CP", "control")]
    columns = columns or [model.key for model in outline.models if model.kind == "MT"]
    return list(product(rows, columns)) or list(combinations([model.key for model in outline.models], 2))


@dataclass(frozen=True)
class Grid:
    """How panels are laid out: inches of a cell, of room for the labels of layers, and columns of panels on a line."""

    cell: tuple[float, float]
    ticks: float
    per_line: int

    def line(self, row: int, column: int, rows: int) -> int:
        """The line of panels that a panel stands on; columns that do not fit are continued below all rows."""
        return column // self.per_line * rows + row


def _grid(rows, columns, layers: int, languages: int, labels: list[str], gap: float, width: float | None) -> Grid:
    """Cells as large as a page allows, within what is readable. labels: those of layers; rows, columns: models."""
    ticks = max(text_width(label, points_of("xtick.labelsize")) for label in labels) + 0.05
    if width is None:
        wide = float(np.clip(7.5 / (len(columns) * languages), 0.24, 0.36))
        return Grid((wide, float(np.clip(8.4 / (len(rows) * layers), 0.2, wide))), ticks, len(columns))
    points = points_of("axes.titlesize")
    room = width - 0.2 - ticks - 3 * line_height(points)
    least = max(languages * sheet.LEAST_CELL, sheet.longest_word(columns, points))
    per_line = sheet.per_line(len(columns), room, least, gap)
    wide = min(0.4, ((room + gap) / per_line - gap) / languages)
    lines = len(rows) * math.ceil(len(columns) / per_line)
    lowest = max(sheet.LEAST_CELL, sheet.longest_word(rows, points) / layers)
    return Grid((wide, max(lowest, min(wide, (HIGHEST - 1.5 - 0.3 * lines) / (lines * layers)))), ticks, per_line)


def draw(
    frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None, measure: str = sheet.MEASURE
) -> Figure:
    """A grid of panels, languages across and layers down (0 = embeddings). `measure` is its name in the registry."""
    if frame.empty:
        text = "There is no pair of models to compare, or there are no similarities yet."
        return sheet.nothing_to_draw(text, width)
    rows, columns = list(dict.fromkeys(frame["model_row"])), list(dict.fromkeys(frame["model_column"]))
    layers, languages = sorted(frame["layer"].unique()), list(dict.fromkeys(frame["language"]))
    own_scales = outline.protocol(protocol).scale == "panel"
    unequal = "layer_row" in frame  # models differ in depth, so every panel needs the labels of its own layers
    parts = dict(list(frame.groupby(["model_row", "model_column"], sort=False)))
    ticks = {pair: _layers(part) for pair, part in parts.items()}
    gap = 0.46 if unequal else 0.14 if width is None else 0.08
    names = [outline.label(row) for row in rows], [outline.label(column) for column in columns]
    labels_of_layers = [label for labels in ticks.values() for label in labels]
    grid = _grid(*names, len(layers), len(languages), labels_of_layers, gap, width)
    panel = grid.cell[0] * len(languages), grid.cell[1] * len(layers)
    points = points_of("axes.titlesize")
    titles = [fit(name, panel[0] + 0.04, points) for name in names[1]]
    sides = [fit(name, panel[1] + 0.1, points) for name in names[0]]
    scales = sheet.scales_of(parts, frame, own_scales, panel[0])
    of_ticks = sheet.height_of_ticks(languages, grid.cell[0]) + line_height(points) + 0.05
    of_titles = 0.08 + line_height(points) * (max(title.count("\n") for title in titles) + 1)
    blocks = math.ceil(len(columns) / grid.per_line)
    numbers = sheet.size_of_numbers(grid.cell, width)
    what = f"{MEASURES[measure].label} of two models on the same texts; layer 0: embeddings" + DEPTHS * unequal
    layout = sheet.Layout(
        (len(rows) * blocks, grid.per_line),
        panel,
        gap=(gap, 0.14 + scales.height),
        margins=sheet.Margins(
            left=0.12 + grid.ticks + line_height(points) * (max(side.count("\n") for side in sides) + 2),
            top=of_titles,
            bottom=of_ticks + scales.height,
        ),
        above=[0.0] * len(rows) + ([of_titles + of_ticks - 0.1] + [0.0] * (len(rows) - 1)) * (blocks - 1),
    )
    caption = sheet.caption(frame, outline, protocol, what, has_numbers=numbers > 0)
    page = sheet.Sheet(layout, caption, bar=None if own_scales else sheet.bar_label(frame, measure), width=width)
    at = {pair: (rows.index(pair[0]), columns.index(pair[1])) for pair in parts}
    for pair, part in parts.items():
        i, j = at[pair]
        ax = page.panel(grid.line(i, j, len(rows)), j % grid.per_line)
        matrix = part.pivot(index="layer", columns="language", values="value").reindex(columns=languages)
        sheet.draw_panel(ax, matrix.to_numpy(float), scales.of[pair], numbers, matrix.isna().to_numpy())
        # Where every model is compared with every other, a row begins and a column ends on the diagonal.
        is_first = j == min(c for r, c in at.values() if r == i and c // grid.per_line == j // grid.per_line)
        is_bottom = i == max(r for r, c in at.values() if c == j)
        labels = ticks[pair] if is_first or unequal else None
        sheet.set_ticks(ax, columns=languages if is_bottom else None, rows=labels, cell=grid.cell[0])
        if i == 0:
            ax.set_title(titles[j], pad=4)
        if is_first:
            ax.set_ylabel(f"{sides[i]}\nlayer", labelpad=4)
        ax.set_xlabel("\n".join(["language"] * is_bottom + scales.texts[pair]), labelpad=2)
    return page.finish(sheet.scale_of_figure(frame))


def _layers(part: pd.DataFrame) -> list[str]:
    """The labels of a panel's layers: one number, or where both models' layers differ, the row's and the column's."""
    first = part.drop_duplicates("layer").sort_values("layer")
    if "layer_row" not in first:
        return [str(layer) for layer in first["layer"]]
    both = first[["layer_row", "layer_column"]].apply(lambda column: column.fillna(first["layer"])).astype(int)
    pairs_of_layers = list(both.itertuples(index=False, name=None))
    is_equal = all(row == column for row, column in pairs_of_layers)
    return [str(row) if is_equal else f"{row}·{column}" for row, column in pairs_of_layers]
