"""Figure 2: similarity of two languages inside one model, by layer; two models share a matrix."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.inference.published_values import with_published_cka
from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import wrap
from mtbridge.study.outline import Outline

LAYERS_ACROSS = 7  # at most, on one line


def frame(outline: Outline, protocol: str, inputs, published=None, label: str = sheet.CKA) -> pd.DataFrame:
    """What is drawn of the similarities of languages in the file `inputs`; see `cells`.

    `published` (model, layer, language_a, language_b, cka) adds the columns published and difference.
    """
    keys = ["model", "language_a", "language_b", "aligned"]
    found = cells(outline, protocol, sheet.read_similarity(inputs, keys, outline, protocol))
    return found if published is None else with_published_cka(found, published)


def cells(outline: Outline, protocol: str, similarity: pd.DataFrame) -> pd.DataFrame:
    """corpus, pair, triangle, model, layer, language_a, language_b, estimator, value, low, high, null, n, aligned.

    Two models share a matrix: the first has the lower triangle, the second the upper. `similarity`: the rows of one
    corpus and estimator; a cell it lacks has no value.
    """
    languages = sorted({*similarity["language_a"], *similarity["language_b"]})
    layers = sorted(similarity["layer"].unique())
    swapped = similarity.rename(columns={"language_a": "language_b", "language_b": "language_a"})
    both = pd.concat([similarity, swapped]).drop_duplicates(["model", "layer", "language_a", "language_b"])
    rows = [
        (index, triangle, model, layer, one, other)
        for index, pair in enumerate(pairs(outline, protocol))
        for triangle, model in zip(("lower", "upper"), pair, strict=False)
        for layer in layers
        for position, one in enumerate(languages)
        for other in languages[position + 1 :]
    ]
    keys = ["model", "layer", "language_a", "language_b"]
    grid = pd.DataFrame(rows, columns=["pair", "triangle", *keys])
    result = grid.merge(both[[*keys, *sheet.NUMBERS, "aligned"]], on=keys, how="left")
    result.insert(0, "corpus", outline.corpus(protocol))
    result.insert(7, "estimator", sheet.estimator_of(similarity, outline, protocol))
    return result


def pairs(outline: Outline, protocol: str) -> list[tuple[str, ...]]:
    """Which models share a matrix: the protocol's pairs that are complete; then, where it says so or there is no such
    pair, the other models two by two, those that translate last."""
    settings, keys = outline.protocol(protocol), [model.key for model in outline.models]
    shown: list[tuple[str, ...]] = [pair for pair in settings.model_pairs if set(pair) <= set(keys)]
    if shown and not settings.other_models:
        return shown
    rest = [model.key for model in outline.models if not any(model.key in pair for pair in shown)]
    rest.sort(key=lambda key: outline.model(key).kind == "MT")
    return shown + [tuple(rest[index : index + 2]) for index in range(0, len(rest), 2)]


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, label: str = sheet.CKA) -> Figure:
    """Pairs of models down, layers across (at most seven in a line); lower triangle one model, upper the other."""
    if frame.empty:
        return sheet.nothing_to_draw("Figure 2: no similarities yet.")
    layers = sorted(frame["layer"].unique())
    languages = sorted({*frame["language_a"], *frame["language_b"]})
    size, order = len(languages), list(dict.fromkeys(frame["pair"]))
    lines = math.ceil(len(layers) / LAYERS_ACROSS)
    across = math.ceil(len(layers) / lines)
    cell = float(np.clip(8.6 / (across * size), 0.22, 0.32))  # inches
    settings = outline.protocol(protocol)
    own_scales = settings.scale == "panel"
    page = sheet.Sheet(
        (len(order) * lines, across),
        (cell * size, cell * size),
        gap=(0.12, (0.2 if own_scales else 0.05) + 0.22),
        left=1.75,
        top=0.28,
        bottom=0.55 if own_scales else 0.38,
        caption=sheet.caption(frame, outline, protocol, f"{label} of {_what(frame)}"),
        bar=None if own_scales else sheet.bar_label(frame, label),
    )
    for p, pair in enumerate(order):
        part = frame[frame["pair"] == pair]
        for index, layer in enumerate(layers):
            ax = page.panel(p * lines + index // across, index % across)
            matrix, missing = triangles(part[part["layer"] == layer], languages)
            scale = sheet.scale_of_panel(matrix) if own_scales else sheet.scale_of_figure(frame)
            bottom = p == len(order) - 1 and index // across == lines - 1
            sheet.draw_panel(ax, matrix, scale, 72 * 0.35 * cell, missing)
            sheet.set_ticks(ax, columns=languages if bottom else None, rows=languages if index % across == 0 else None)
            ax.set_title(f"layer {layer}" + (" (embeddings)" if layer == 0 else ""), pad=3)
            ax.set_xlabel("\n".join(["language"] * bottom + [sheet.range_text(scale)] * own_scales), labelpad=2)
            if index == 0:
                x = -0.32 / (cell * size)
                ax.text(x, 0.5, _labels(part, outline), transform=ax.transAxes, ha="right", va="center")
    return page.finish(sheet.scale_of_figure(frame))


def _what(frame: pd.DataFrame) -> str:
    """What a cell is, for the line below the picture."""
    text = "two languages inside a model; lower and upper triangle: one model each"
    if not frame["aligned"].dropna().astype(bool).all():
        text += "; texts that are no translations of each other"
    return text


def _labels(part: pd.DataFrame, outline: Outline) -> str:
    """Which model has which triangle of a matrix."""
    models = part.drop_duplicates("triangle").set_index("triangle")["model"]
    shown = [(triangle, models[triangle]) for triangle in ("lower", "upper") if triangle in models.index]
    return "\n\n".join(wrap(f"{triangle}: {outline.label(model)}", 24) for triangle, model in shown)


def triangles(part: pd.DataFrame, languages: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Values [language, language] with an empty diagonal, and which cells should have had one and have none."""
    place = {language: index for index, language in enumerate(languages)}
    matrix = np.full((len(languages),) * 2, np.nan)
    missing = np.zeros_like(matrix, bool)
    for row in part.itertuples():
        i, j = sorted((place[row.language_a], place[row.language_b]), reverse=row.triangle == "lower")
        matrix[i, j] = row.value
        missing[i, j] = math.isnan(row.value)
    return matrix, missing
