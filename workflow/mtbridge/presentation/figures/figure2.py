"""Figure 2: similarity of two languages inside one model, by layer; two models share a matrix."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.inference.published_values import with_published_cka
from mtbridge.presentation.figures import sheet
from mtbridge.presentation.figures.style import EDGE, HIGHEST, fit, line_height, points_of, text_width
from mtbridge.representations.measures import MEASURES
from mtbridge.study.outline import Outline

MAX_LAYERS_PER_LINE = 7  # more would not fit a screen's width
BESIDE = 1.45  # inches of the models' names, which stand beside their matrices on a screen and above them in print


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


def draw(
    frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None, measure: str = sheet.MEASURE
) -> Figure:
    """A grid of panels: pairs of models down, layers across, as many on a line as fit (at most seven on a screen)."""
    if frame.empty:
        return sheet.nothing_to_draw("There are no similarities yet.", width)
    languages = sorted({*frame["language_a"], *frame["language_b"]})
    own_scales = outline.protocol(protocol).scale == "panel"
    points, ticks = points_of("axes.titlesize"), points_of("xtick.labelsize")
    gap, left = 0.12 if width is None else 0.08, max(text_width(code, ticks) for code in languages) + 0.14
    layers_of = {p: sorted(part["layer"].unique()) for p, part in frame.groupby("pair")}
    depths = [len(own) for own in layers_of.values()]
    per_line, cell = _per_line(depths, len(languages), left, gap, width)
    panel = cell * len(languages)
    names = {pair: _labels(part, outline) for pair, part in frame.groupby("pair")}
    first_line: dict[int, int] = {}  # of the panels of a pair
    above: list[float] = []  # inches above each line
    for pair in dict.fromkeys(frame["pair"]):
        first_line[pair] = len(above)
        if width is not None:
            names[pair] = fit("; ".join(names[pair].split("\n")), width - 2 * EDGE, points)
        of_name = 0.04 + line_height(points) * (names[pair].count("\n") + 1) if width is not None else 0.0
        above += [of_name] + [0.0] * (math.ceil(len(layers_of[pair]) / per_line) - 1)
    parts = dict(list(frame.groupby(["pair", "layer"])))
    scales = sheet.scales_of(parts, frame, own_scales, panel)
    numbers = sheet.size_of_numbers((cell, cell), width)
    layout = sheet.Layout(
        (len(above), per_line),
        (panel, panel),
        gap=(gap, 0.12 + line_height(points) + scales.height),
        margins=sheet.Margins(
            left=left if width is not None else left + BESIDE,
            top=0.06 + line_height(points),
            bottom=sheet.height_of_ticks(languages, cell) + line_height(points) + 0.05 + scales.height,
        ),
        above=above,
    )
    what = f"{MEASURES[measure].label} of {_what(frame)}"
    caption = sheet.caption(frame, outline, protocol, what, has_numbers=numbers > 0)
    page = sheet.Sheet(layout, caption, bar=None if own_scales else sheet.bar_label(frame, measure), width=width)
    for (pair, layer), part in parts.items():
        index = layers_of[pair].index(layer)
        line = first_line[pair] + index // per_line
        ax = page.panel(line, index % per_line)
        matrix, missing = triangles(part, languages)
        is_bottom, is_first = line == len(above) - 1, index % per_line == 0
        sheet.draw_panel(ax, matrix, scales.of[pair, layer], numbers, missing)
        columns, rows = languages if is_bottom else None, languages if is_first else None
        sheet.set_ticks(ax, columns=columns, rows=rows, cell=cell)
        title = f"layer {layer}" + " (embeddings)" * (layer == 0)
        ax.set_title(title if text_width(title, points) <= panel + 0.06 else f"layer {layer}", pad=3)
        ax.set_xlabel("\n".join(["language"] * is_bottom + scales.texts[pair, layer]), labelpad=2)
        if index == 0:
            _name_pair(page, ax, names[pair], points, width)
    return page.finish(sheet.scale_of_figure(frame))


def _per_line(depths: list[int], languages: int, left: float, gap: float, width: float | None) -> tuple[int, float]:
    """How many layers stand on one line, and inches of a cell: as large as fits, within what is readable.

    depths: numbers of layers of every pair of models.
    """
    layers = max(depths)
    if width is None:
        count = math.ceil(layers / math.ceil(layers / MAX_LAYERS_PER_LINE))
        return count, float(np.clip(8.6 / (count * languages), 0.24, 0.32))
    room = width - left - 0.05
    least = max(languages * sheet.LEAST_CELL, text_width(f"layer {layers}", points_of("axes.titlesize")))
    count = sheet.per_line(layers, room, least, gap)
    lines = sum(math.ceil(depth / count) for depth in depths)
    # A line needs about 0.47 inches for its titles, and a figure 1.5 for its caption and its colour bar.
    highest = max(sheet.LEAST_CELL, ((HIGHEST - 1.5) / lines - 0.47) / languages)
    return count, min(0.36, highest, ((room + gap) / count - gap) / languages)


def _name_pair(page: sheet.Sheet, ax: Axes, text: str, points: float, width: float | None) -> None:
    """Which model has which triangle: beside the first matrix, or in print above it."""
    if width is None:
        x = -0.32 / page.panel_size[0]
        beside = "\n\n".join(fit(name, BESIDE - 0.15, points) for name in text.split("\n"))
        ax.text(x, 0.5, beside, transform=ax.transAxes, ha="right", va="center")
        return
    at = ax.get_position()
    above = (0.08 + line_height(points)) / page.height
    page.figure.text(EDGE / page.width, at.y1 + above, text, fontsize=points, fontstyle="italic", va="bottom")


def _what(frame: pd.DataFrame) -> str:
    """What a cell compares, for the line below the picture."""
    text = "two languages inside a model; lower and upper triangle: one model each; layer 0: embeddings"
    if frame.groupby("model")["layer"].max().nunique() > 1:
        text += "; models of unequal depth have a matrix each, at their own layers"
    if not frame["aligned"].dropna().astype(bool).all():
        text += "; texts that are no translations of each other"
    return text


def _labels(part: pd.DataFrame, outline: Outline) -> str:
    """The label of a pair's matrices: which model has which triangle, a line each."""
    models = part.drop_duplicates("triangle").set_index("triangle")["model"]
    labels = [(triangle, models[triangle]) for triangle in ("lower", "upper") if triangle in models.index]
    return "\n".join(f"{triangle}: {outline.label(model)}" for triangle, model in labels)


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
