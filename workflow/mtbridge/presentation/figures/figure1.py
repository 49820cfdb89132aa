"""Figure 1: similarity of two models on the same texts, by layer and language; CKA, or another measure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import wrap
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None, label: str = sheet.CKA) -> pd.DataFrame:
    """The cells of the figure, from the similarities of models in the file `inputs`; see `cells`."""
    keys = ["model_a", "model_b", "language"]
    return cells(outline, protocol, sheet.read_similarity(inputs, keys, outline, protocol))


def cells(outline: Outline, protocol: str, similarity: pd.DataFrame) -> pd.DataFrame:
    """Every cell: corpus, model_row, model_column, layer, language, estimator, value, low, high, null, n.

    Rows of panels are the language models. Columns are the models continued from them, then the controls; a study that
    has neither shows its MT models. `similarity`: the rows of one corpus and estimator. A cell that it lacks is NaN.
    """
    languages, layers = sorted(set(similarity["language"])), sorted(similarity["layer"].unique())
    # CKA is symmetric, and the file has every pair once.
    swapped = similarity.rename(columns={"model_a": "model_b", "model_b": "model_a"})
    both = pd.concat([similarity, swapped]).drop_duplicates(["model_a", "model_b", "layer", "language"])
    rows = [model.key for model in outline.models if model.kind == "LM"]
    columns = [model.key for model in outline.models if model.kind in ("CP", "control")]
    columns = columns or [model.key for model in outline.models if model.kind == "MT"]
    keys = ["model_row", "model_column", "layer", "language"]
    grid = pd.MultiIndex.from_product([rows, columns, layers, languages], names=keys).to_frame(index=False)
    both = both.rename(columns={"model_a": "model_row", "model_b": "model_column"})
    result = grid.merge(both[[*keys, *sheet.NUMBERS]], on=keys, how="left")
    result.insert(0, "corpus", outline.corpus(protocol))
    result.insert(5, "estimator", sheet.estimator_of(similarity, outline, protocol))
    return result


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, label: str = sheet.CKA) -> Figure:
    """A grid of panels, languages across and layers down (0 = embeddings). `label` is the measure's name."""
    if frame.empty:
        return sheet.nothing_to_draw("There is no pair of models to compare, or there are no similarities yet.")
    rows, columns = list(dict.fromkeys(frame["model_row"])), list(dict.fromkeys(frame["model_column"]))
    layers, languages = sorted(frame["layer"].unique()), list(dict.fromkeys(frame["language"]))
    settings = outline.protocol(protocol)
    own_scales = settings.scale == "panel"
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
        gap=(0.14, 0.34 if own_scales else 0.14),
        left=0.85,
        top=0.1 + 0.14 * max(title.count("\n") + 1 for title in titles),
        bottom=0.55 if own_scales else 0.38,
        caption=sheet.caption(frame, outline, protocol, f"{label} of two models on the same texts"),
        bar=None if own_scales else sheet.bar_label(frame, label),
    )
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            ax = page.panel(i, j)
            part = frame[(frame["model_row"] == row) & (frame["model_column"] == column)]
            matrix = part.pivot(index="layer", columns="language", values="value")
            matrix = matrix.reindex(index=layers, columns=languages).to_numpy(float)
            scale = sheet.scale_of_panel(matrix) if own_scales else sheet.scale_of_figure(frame)
            is_bottom = i == len(rows) - 1
            sheet.draw_panel(ax, matrix, scale, font_size, np.isnan(matrix))
            sheet.set_ticks(ax, columns=languages if is_bottom else None, rows=layers if j == 0 else None)
            if i == 0:
                ax.set_title(titles[j], pad=4)
            if j == 0:
                ax.set_ylabel(f"{wrap(outline.label(row), int(height * 14))}\nlayer", labelpad=4)
            ax.set_xlabel("\n".join(["language"] * is_bottom + [sheet.range_text(scale)] * own_scales), labelpad=2)
    return page.finish(sheet.scale_of_figure(frame))
