"""Figure 2: similarity of two languages inside one model, by layer; two models share a matrix."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.inference.published_values import with_published_cka
from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import wrap
from mtbridge.representations.measures import MEASURES
from mtbridge.study.outline import Outline

MAX_LAYERS_PER_LINE = 7  # more would not fit a page's width


def frame(outline: Outline, protocol: str, inputs, published=None, measure: str = sheet.MEASURE) -> pd.DataFrame:
    """The cells of the figure, from the similarities of languages in the file `inputs`; see `cells`.

    `published` (model, layer, language_a, language_b, cka) adds the columns published and difference.
    """
    keys = ["model", "language_a", "language_b", "aligned"]
    result = cells(outline, protocol, sheet.read_similarity(inputs, keys, outline, protocol))
    return result if published is None else with_published_cka(result, published)


def cells(outline: Outline, protocol: str, similarity: pd.DataFrame) -> pd.DataFrame:
    """Every cell: corpus, pair, triangle, model, layer, language_a, language_b, estimator, value, low, high, null, n,
    aligned.

    Two models share a matrix: the first has the lower triangle, the second the upper; models of unequal depth have one
    each. `similarity`: the rows of one corpus and estimator. A cell that it lacks is NaN.
    """
    languages = sorted({*similarity["language_a"], *similarity["language_b"]})
    layers = sorted(similarity["layer"].unique())
    # CKA is symmetric, and the file has every pair once.
    swapped = similarity.rename(columns={"language_a": "language_b", "language_b": "language_a"})
    both = pd.concat([similarity, swapped]).drop_duplicates(["model", "layer", "language_a", "language_b"])
    last = similarity.groupby("model")["layer"].max().to_dict()
    rows = [
        (index, triangle, model, layer, one, other)
        for index, pair in enumerate(_of_equal_depth(pairs(outline, protocol), last))
        for triangle, model in zip(("lower", "upper"), pair, strict=False)
        for layer in layers
        if layer <= last.get(model, layer)
        for position, one in enumerate(languages)
        for other in languages[position + 1 :]
    ]
    keys = ["model", "layer", "language_a", "language_b"]
    grid = pd.DataFrame(rows, columns=["pair", "triangle", *keys])
    result = grid.merge(both[[*keys, *sheet.NUMBERS, "aligned"]], on=keys, how="left")
    result.insert(0, "corpus", outline.corpus(protocol))
    result.insert(7, "estimator", sheet.estimator_of(similarity, outline, protocol))
    return result


def _of_equal_depth(pairs: list[tuple[str, ...]], last: dict[str, int]) -> list[tuple[str, ...]]:
    """The pairs, with those apart whose models' last layers differ: in one matrix their layers would not correspond."""
    result: list[tuple[str, ...]] = []
    for pair in pairs:
        depths = {last[model] for model in pair if model in last}
        result += [pair] if len(depths) < 2 else [(model,) for model in pair]
    return result


def pairs(outline: Outline, protocol: str) -> list[tuple[str, ...]]:
    """Which models share a matrix.

    First the protocol's pairs whose models are both in the study. Then, if the protocol asks for it or there is no such
    pair, the other models in pairs, MT models last.
    """
    settings = outline.protocol(protocol)
    keys = [model.key for model in outline.models if model.kind != "derived"]  # these are not compared
    complete: list[tuple[str, ...]] = [pair for pair in settings.model_pairs if set(pair) <= set(keys)]
    if complete and not settings.other_models:
        return complete
    rest = [key for key in keys if not any(key in pair for pair in complete)]
    rest.sort(key=lambda key: outline.model(key).kind == "MT")
    return complete + [tuple(rest[index : index + 2]) for index in range(0, len(rest), 2)]


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, measure: str = sheet.MEASURE) -> Figure:
    """A grid of panels: pairs of models down, layers across (at most seven on a line)."""
    if frame.empty:
        return sheet.nothing_to_draw("There are no similarities yet.")
    layers = sorted(frame["layer"].unique())
    languages = sorted({*frame["language_a"], *frame["language_b"]})
    size, pairs_shown = len(languages), list(dict.fromkeys(frame["pair"]))
    per_line = math.ceil(len(layers) / math.ceil(len(layers) / MAX_LAYERS_PER_LINE))
    layers_of = {p: sorted(part["layer"].unique()) for p, part in frame.groupby("pair")}
    first_line: dict[int, int] = {}  # of the panels of a pair
    lines = 0
    for p in pairs_shown:
        first_line[p] = lines
        lines += math.ceil(len(layers_of[p]) / per_line)
    # Inches of a cell: as large as a page with 8.6 inches of cells allows, within what is readable.
    cell = float(np.clip(8.6 / (per_line * size), 0.22, 0.32))
    settings = outline.protocol(protocol)
    own_scales = settings.scale == "panel"
    page = sheet.Sheet(
        (lines, per_line),
        (cell * size, cell * size),
        gap=(0.12, (0.2 if own_scales else 0.05) + 0.22),
        margins=sheet.Margins(left=1.75, top=0.28, bottom=0.55 if own_scales else 0.38),
        caption=sheet.caption(frame, outline, protocol, f"{MEASURES[measure].label} of {_what(frame)}"),
        bar=None if own_scales else sheet.bar_label(frame, measure),
    )
    for pair in pairs_shown:
        part = frame[frame["pair"] == pair]
        for index, layer in enumerate(layers_of[pair]):
            line = first_line[pair] + index // per_line
            ax = page.panel(line, index % per_line)
            matrix, missing = triangles(part[part["layer"] == layer], languages)
            scale = sheet.scale_of_panel(matrix) if own_scales else sheet.scale_of_figure(frame)
            is_bottom = line == lines - 1
            is_first = index % per_line == 0
            # A number has up to four characters: points (72 an inch) that fit a cell's width.
            sheet.draw_panel(ax, matrix, scale, 72 * 0.35 * cell, missing)
            sheet.set_ticks(ax, columns=languages if is_bottom else None, rows=languages if is_first else None)
            ax.set_title(f"layer {layer}" + (" (embeddings)" if layer == 0 else ""), pad=3)
            ax.set_xlabel("\n".join(["language"] * is_bottom + [sheet.range_text(scale)] * own_scales), labelpad=2)
            if index == 0:
                x = -0.32 / (cell * size)
                ax.text(x, 0.5, _labels(part, outline), transform=ax.transAxes, ha="right", va="center")
    return page.finish(sheet.scale_of_figure(frame))


def _what(frame: pd.DataFrame) -> str:
    """What a cell compares, for the line below the picture."""
    text = "two languages inside a model; lower and upper triangle: one model each"
    if frame.groupby("model")["layer"].max().nunique() > 1:
        text += "; models of unequal depth have a matrix each, at their own layers"
    if not frame["aligned"].dropna().astype(bool).all():
        text += "; texts that are no translations of each other"
    return text


def _labels(part: pd.DataFrame, outline: Outline) -> str:
    """The label of a pair's matrices: which model has which triangle."""
    models = part.drop_duplicates("triangle").set_index("triangle")["model"]
    labels = [(triangle, models[triangle]) for triangle in ("lower", "upper") if triangle in models.index]
    return "\n\n".join(wrap(f"{triangle}: {outline.label(model)}", 24) for triangle, model in labels)


def triangles(part: pd.DataFrame, languages: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Values [language, language] with NaN on the diagonal, and which cells lack a value that they should have."""
    position = {language: index for index, language in enumerate(languages)}
    matrix = np.full((len(languages),) * 2, np.nan)
    missing = np.zeros_like(matrix, bool)
    for row in part.itertuples():
        i, j = sorted((position[row.language_a], position[row.language_b]), reverse=row.triangle == "lower")
        matrix[i, j] = row.value
        missing[i, j] = math.isnan(row.value)
    return matrix, missing
