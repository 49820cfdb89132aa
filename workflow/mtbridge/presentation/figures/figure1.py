"""Figure 1: similarity of two models on the same texts, by layer and language; CKA, or another measure."""

from itertools import combinations, product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import wrap
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


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, measure: str = sheet.MEASURE) -> Figure:
    """A grid of panels, languages across and layers down (0 = embeddings). `measure` is its name in the registry."""
    if frame.empty:
        return sheet.nothing_to_draw("There is no pair of models to compare, or there are no similarities yet.")
    rows, columns = list(dict.fromkeys(frame["model_row"])), list(dict.fromkeys(frame["model_column"]))
    layers, languages = sorted(frame["layer"].unique()), list(dict.fromkeys(frame["language"]))
    settings = outline.protocol(protocol)
    own_scales = settings.scale == "panel"
    what = f"{MEASURES[measure].label} of two models on the same texts"
    unequal = "layer_row" in frame  # models differ in depth, so every panel needs the labels of its own layers
    # Inches of a cell: as large as a page of 7.5 by 8.4 inches of cells allows, within what is readable.
    cell_width = float(np.clip(7.5 / (len(columns) * len(languages)), 0.24, 0.36))
    cell_height = float(np.clip(8.4 / (len(rows) * len(layers)), 0.18, cell_width))
    width, height = cell_width * len(languages), cell_height * len(layers)
    # A cell's number has up to four characters: points (72 an inch) that fit its width and its height.
    font_size = 72 * min(0.42 * cell_height, 0.35 * cell_width)
    # At the size of labels, an inch holds about 14 characters.
    titles = [wrap(outline.label(column), int(width * 14)) for column in columns]
    page = sheet.Sheet(
        (len(rows), len(columns)),
        (width, height),
        gap=(0.46 if unequal else 0.14, 0.34 if own_scales else 0.14),
        margins=sheet.Margins(
            left=1.1 if unequal else 0.85,
            top=0.1 + 0.14 * max(title.count("\n") + 1 for title in titles),
            bottom=0.55 if own_scales else 0.38,
        ),
        caption=sheet.caption(frame, outline, protocol, what + DEPTHS * unequal),
        bar=None if own_scales else sheet.bar_label(frame, measure),
    )
    parts = dict(list(frame.groupby(["model_row", "model_column"], sort=False)))
    at = {pair: (rows.index(pair[0]), columns.index(pair[1])) for pair in parts}
    for pair, part in parts.items():
        i, j = at[pair]
        ax = page.panel(i, j)
        matrix = part.pivot(index="layer", columns="language", values="value").reindex(columns=languages)
        scale = sheet.scale_of_panel(matrix.to_numpy(float)) if own_scales else sheet.scale_of_figure(frame)
        # Where every model is compared with every other, a row begins and a column ends on the diagonal.
        is_first = j == min(column for row, column in at.values() if row == i)
        is_bottom = i == max(row for row, column in at.values() if column == j)
        sheet.draw_panel(ax, matrix.to_numpy(float), scale, font_size, np.isnan(matrix.to_numpy(float)))
        labels = _layers(part) if is_first or unequal else None
        sheet.set_ticks(ax, columns=languages if is_bottom else None, rows=labels)
        if i == 0:
            ax.set_title(titles[j], pad=4)
        if is_first:
            ax.set_ylabel(f"{wrap(outline.label(pair[0]), int(height * 14))}\nlayer", labelpad=4)
        ax.set_xlabel("\n".join(["language"] * is_bottom + [sheet.range_text(scale)] * own_scales), labelpad=2)
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
