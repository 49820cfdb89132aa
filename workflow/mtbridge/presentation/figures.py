"""Figures 1 and 2 (CKA between models, CKA between languages) and the training curves of the report.

Each figure is a frame first, the CSV, with one row for every cell that the picture has; drawing adds nothing to it.
Under the protocol `paper` the value is the biased CKA and every panel has its own scale, as published; under `sound` it
is the debiased CKA on one scale with one bar, so that panels can be compared by eye.
"""

import io
import re
import textwrap

import matplotlib

matplotlib.use("Agg")  # No display is needed, and none is asked for.

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import whole
from mtbridge.presentation.layout import Outline

PAIRS = (("mbart", "mbart-m2m"), ("mbart-m2o", "mbart-o2m"), ("mbert", "xlmr"))  # the paper's Figure 2: lower, upper
ESTIMATOR = {"paper": "biased", "sound": "debiased"}
MEASURES = ["value", "low", "high", "null", "n"]
COLOURS = "mako_r"
STYLE = {
    "svg.hashsalt": "mtbridge",  # The same picture is the same file.
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # A dollar in a label is one.
}


def figure1_frame(outline: Outline, similarity: pd.DataFrame, protocol: str, corpus: str) -> pd.DataFrame:
    """CKA of two models on the same texts: corpus, model_row, model_column, layer, language, estimator, value, ….

    Rows of panels are the language models, columns the models continued from them, then the controls; a study without
    such columns shows its MT models. `similarity` is cka/models.parquet; a cell it lacks has no value.
    """
    estimator = ESTIMATOR[protocol]
    frame = similarity[(similarity["corpus"] == corpus) & (similarity["estimator"] == estimator)]
    languages, layers = sorted(set(frame["language"])), sorted(frame["layer"].unique())
    swapped = frame.rename(columns={"model_a": "model_b", "model_b": "model_a"})
    both = pd.concat([frame, swapped]).drop_duplicates(["model_a", "model_b", "layer", "language"])
    rows = [model.key for model in outline.models if model.kind == "LM"]
    columns = [model.key for model in outline.models if model.kind in ("CP", "control")]
    columns = columns or [model.key for model in outline.models if model.kind == "MT"]
    keys = ["model_row", "model_column", "layer", "language"]
    grid = pd.MultiIndex.from_product([rows, columns, layers, languages], names=keys).to_frame(index=False)
    both = both.rename(columns={"model_a": "model_row", "model_b": "model_column"})
    result = grid.merge(both[[*keys, *MEASURES]], on=keys, how="left")
    result.insert(0, "corpus", corpus)
    result.insert(5, "estimator", estimator)
    return result


def figure2_frame(outline: Outline, similarity: pd.DataFrame, protocol: str, corpus: str) -> pd.DataFrame:
    """CKA of two languages inside one model: pair, triangle, model, layer, language_a, language_b, estimator, value, …

    Two models share a matrix: the first has the lower triangle, the second the upper. `similarity` is
    cka/languages.parquet.
    """
    estimator = ESTIMATOR[protocol]
    frame = similarity[(similarity["corpus"] == corpus) & (similarity["estimator"] == estimator)]
    languages = sorted({*frame["language_a"], *frame["language_b"]})
    layers = sorted(frame["layer"].unique())
    swapped = frame.rename(columns={"language_a": "language_b", "language_b": "language_a"})
    both = pd.concat([frame, swapped]).drop_duplicates(["model", "layer", "language_a", "language_b"])
    cells = [
        (index, triangle, model, layer, one, other)
        for index, pair in enumerate(pairs(outline, protocol))
        for triangle, model in zip(("lower", "upper"), pair, strict=False)
        for layer in layers
        for position, one in enumerate(languages)
        for other in languages[position + 1 :]
    ]
    keys = ["model", "layer", "language_a", "language_b"]
    grid = pd.DataFrame(cells, columns=["pair", "triangle", *keys])
    aligned = both.get("aligned")
    both = both.assign(aligned=True if aligned is None else aligned)
    result = grid.merge(both[[*keys, *MEASURES, "aligned"]], on=keys, how="left")
    result.insert(0, "corpus", corpus)
    result.insert(7, "estimator", estimator)
    return result


def pairs(outline: Outline, protocol: str) -> list[tuple[str, ...]]:
    """Which models share a matrix in Figure 2: the paper's pairs; below them (`sound`, or without those) the others."""
    keys = [model.key for model in outline.models]
    shown = [pair for pair in PAIRS if set(pair) <= set(keys)]
    if shown and protocol == "paper":
        return shown
    rest = [model.key for model in outline.models if not any(model.key in pair for pair in shown)]
    rest.sort(key=lambda key: outline.model(key).kind == "MT")
    return shown + [tuple(rest[index : index + 2]) for index in range(0, len(rest), 2)]


def _scale(frame: pd.DataFrame) -> tuple[float, float]:
    """One scale for the whole figure: 0 to 1, lower only where values are negative."""
    lowest = frame["value"].min()
    return (float(np.floor(lowest * 10) / 10) if lowest < 0 else 0.0), 1.0


def _text(value: float) -> str:
    """A CKA in at most four characters: .07, −.03, 1.0."""
    if value != value:
        return ""
    text = f"{abs(value):.2f}"
    text = "1.0" if text == "1.00" else text[1:]
    return ("−" if value < 0 and text != ".00" else "") + text


def _panel(ax, matrix, scale, font, missing) -> None:
    """One heat map; `missing` marks the cells [row, column] that should have a value and do not."""
    texts = np.array([[_text(value) for value in row] for row in matrix], dtype=object)
    seaborn.heatmap(
        pd.DataFrame(matrix),
        ax=ax,
        vmin=scale[0],
        vmax=scale[1],
        cmap=COLOURS,
        cbar=False,
        annot=texts if font else False,
        fmt="",
        annot_kws={"fontsize": font} if font else None,
        mask=np.isnan(matrix),
        linewidths=0.4,
        linecolor="white",
    )
    for row, column in np.argwhere(missing):
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor="0.9", edgecolor="0.65", hatch="////", linewidth=0))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("")
    ax.set_ylabel("")


def _ticks(ax, columns=None, rows=None) -> None:
    if columns is not None:
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=0)
    if rows is not None:
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    ax.tick_params(length=0, pad=1.5)


def _wrap(label: str, width: int) -> str:
    tied = re.sub(r"(\d) (?=[KMB%]\b)", "\\1\N{NO-BREAK SPACE}", label)
    return "\n".join(textwrap.wrap(tied, max(width, 8), break_long_words=False)) or label


def _own_scale(matrix) -> tuple[float, float]:
    values = matrix[~np.isnan(matrix)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.05, high + 0.05)


def _spread(frame: pd.DataFrame) -> str:
    """What a reader needs to judge a value: n, interval, null."""
    drawn = frame.dropna(subset=["value"])
    if drawn.empty:
        return "No values yet."
    n = sorted({int(n) for n in drawn["n"].dropna()})
    text = f"n = {n[0]} texts per language" if len(n) == 1 else f"n = {n[0]} to {n[-1]} texts" if n else ""
    half = ((drawn["high"] - drawn["low"]) / 2).dropna()
    if len(half):
        plus_minus = "±\N{NO-BREAK SPACE}"
        text += f"; 95 % intervals: {plus_minus}{half.median():.3f} (median), {plus_minus}{half.max():.3f} (widest)"
    null = drawn["null"].dropna()
    if len(null):
        low, high = null.min(), null.max()
        shown = _text(low) if _text(low) == _text(high) else f"{_text(low)} to {_text(high)}"
        text += f"; unrelated texts would score {shown}"
    missing = len(frame) - len(drawn)
    return text + (f"; hatched: {missing} cells not there yet." if missing else ".")


def draw_figure1(outline: Outline, frame: pd.DataFrame, protocol: str) -> Figure:
    """A grid of panels, languages across and layers down (0 = embeddings)."""
    rows, columns = list(dict.fromkeys(frame["model_row"])), list(dict.fromkeys(frame["model_column"]))
    layers, languages = sorted(frame["layer"].unique()), list(dict.fromkeys(frame["language"]))
    if frame.empty:
        return _nothing("Figure 1: no pair of models to compare, or no similarities yet.")
    across = float(np.clip(7.5 / (len(columns) * len(languages)), 0.24, 0.36))
    down = float(np.clip(8.4 / (len(rows) * len(layers)), 0.18, across))
    width, height = across * len(languages), down * len(layers)
    titles = [_wrap(outline.label(column), int(width * 14)) for column in columns]
    sheet = _Sheet(
        (len(rows), len(columns)),
        (width, height),
        gap=(0.14, 0.34 if protocol == "paper" else 0.14),
        left=0.85,
        top=0.1 + 0.14 * max(title.count("\n") + 1 for title in titles),
        bottom=0.55 if protocol == "paper" else 0.38,
        caption=_caption(frame, protocol, "two models on the same texts"),
        bar=protocol == "sound",
    )
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            ax = sheet.panel(i, j)
            part = frame[(frame["model_row"] == row) & (frame["model_column"] == column)]
            matrix = part.pivot(index="layer", columns="language", values="value").reindex(
                index=layers, columns=languages
            )
            matrix = matrix.to_numpy(float)
            scale = _scale(frame) if protocol == "sound" else _own_scale(matrix)
            bottom = i == len(rows) - 1
            _panel(ax, matrix, scale, 72 * min(0.42 * down, 0.35 * across), np.isnan(matrix))
            _ticks(ax, columns=languages if bottom else None, rows=layers if j == 0 else None)
            if i == 0:
                ax.set_title(titles[j], pad=4)
            if j == 0:
                ax.set_ylabel(f"{_wrap(outline.label(row), int(height * 14))}\nlayer", labelpad=4)
            ax.set_xlabel("\n".join(["language"] * bottom + [_range(scale)] * (protocol == "paper")), labelpad=2)
    return sheet.finish(_scale(frame))


def draw_figure2(outline: Outline, frame: pd.DataFrame, protocol: str) -> Figure:
    """Pairs of models down, layers across (at most seven in a line); lower triangle one model, upper the other."""
    if frame.empty:
        return _nothing("Figure 2: no similarities yet.")
    layers = sorted(frame["layer"].unique())
    languages = sorted({*frame["language_a"], *frame["language_b"]})
    size, order = len(languages), list(dict.fromkeys(frame["pair"]))
    lines = -(-len(layers) // 7)
    across = -(-len(layers) // lines)
    cell = float(np.clip(8.6 / (across * size), 0.22, 0.32))
    what = "two languages inside a model; lower and upper triangle: one model each"
    if not frame["aligned"].dropna().astype(bool).all():
        what += "; texts that are no translations of each other"
    sheet = _Sheet(
        (len(order) * lines, across),
        (cell * size, cell * size),
        gap=(0.12, (0.2 if protocol == "paper" else 0.05) + 0.22),
        left=1.75,
        top=0.28,
        bottom=0.55 if protocol == "paper" else 0.38,
        caption=_caption(frame, protocol, what),
        bar=protocol == "sound",
    )
    for p, pair in enumerate(order):
        part = frame[frame["pair"] == pair]
        labels = [
            _wrap(f"{triangle}: {outline.label(part.loc[part['triangle'] == triangle, 'model'].iloc[0])}", 24)
            for triangle in ("lower", "upper")
            if (part["triangle"] == triangle).any()
        ]
        for index, layer in enumerate(layers):
            ax = sheet.panel(p * lines + index // across, index % across)
            matrix, missing = _triangles(part[part["layer"] == layer], languages)
            scale = _scale(frame) if protocol == "sound" else _own_scale(matrix)
            bottom = p == len(order) - 1 and index // across == lines - 1
            _panel(ax, matrix, scale, 72 * 0.35 * cell, missing)
            _ticks(ax, columns=languages if bottom else None, rows=languages if index % across == 0 else None)
            ax.set_title(f"layer {layer}" + (" (embeddings)" if layer == 0 else ""), pad=3)
            ax.set_xlabel("\n".join(["language"] * bottom + [_range(scale)] * (protocol == "paper")), labelpad=2)
            if index == 0:
                ax.text(
                    -0.32 / (cell * size), 0.5, "\n\n".join(labels), transform=ax.transAxes, ha="right", va="center"
                )
    return sheet.finish(_scale(frame))


class _Sheet:
    """A figure whose panels are placed in inches, so that cells have one size and nothing overlaps."""

    def __init__(self, shape, panel, gap, left, top, bottom, caption, bar):
        self.panel_size, self.gap, self.left, self.bar = panel, gap, left, bar
        self.width = left + shape[1] * (panel[0] + gap[0]) + (0.8 if bar else 0.05)
        lines = textwrap.wrap(caption, int(self.width * 16))
        self.bottom = bottom + 0.15 * len(lines) + 0.1
        self.height = self.bottom + shape[0] * (panel[1] + gap[1]) - gap[1] + top
        self.top = self.height - top
        self.figure = Figure(figsize=(self.width, self.height))
        self.figure.text(0.08 / self.width, 0.06 / self.height, "\n".join(lines), fontsize=7.5, ha="left", va="bottom")

    def panel(self, row: int, column: int):
        width, height = self.panel_size
        x = self.left + column * (width + self.gap[0])
        y = self.top - height - row * (height + self.gap[1])
        return self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))

    def finish(self, scale) -> Figure:
        if self.bar:
            middle, size = (self.top + self.bottom) / 2, min(self.top - self.bottom, 3.2)
            place = (self.width - 0.72, middle - size / 2, 0.13, size)
            ax = self.figure.add_axes([place[k] / (self.height if k % 2 else self.width) for k in range(4)])
            mappable = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(*scale), matplotlib.colormaps[COLOURS])
            bar = self.figure.colorbar(mappable, cax=ax)
            bar.set_label(textwrap.fill("debiased linear CKA (no unit)", int(size * 19)))  # a short bar: two lines
            bar.outline.set_visible(False)
        return self.figure


def _range(scale) -> str:
    return f"scale {_text(scale[0])} to {_text(scale[1])}"


def _triangles(part: pd.DataFrame, languages) -> tuple[np.ndarray, np.ndarray]:
    """Values [language, language] with an empty diagonal, and which cells should have had one."""
    place = {language: index for index, language in enumerate(languages)}
    matrix = np.full((len(languages),) * 2, np.nan)
    missing = np.zeros_like(matrix, bool)
    for row in part.itertuples():
        i, j = sorted((place[row.language_a], place[row.language_b]), reverse=row.triangle == "lower")
        matrix[i, j] = row.value
        missing[i, j] = row.value != row.value
    return matrix, missing


def _caption(frame: pd.DataFrame, protocol: str, what: str) -> str:
    """What the picture itself says about its numbers."""
    if frame.empty:
        return ""
    text = (
        f"{ESTIMATOR[protocol].capitalize()} linear CKA of {what}; corpus {frame['corpus'].iloc[0]}, {_spread(frame)}"
    )
    if protocol == "paper":
        text += " Every panel has its own colour scale: compare numbers, not colours."
    return text


def _nothing(text: str) -> Figure:
    figure = Figure(figsize=(6, 1))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def draw(number: int, outline: Outline, similarity: pd.DataFrame, protocol: str, corpus: str):
    """Figure 1 or 2: (matplotlib Figure, the frame that it draws). Raises MtbridgeError without the corpus."""
    if len(similarity) and corpus not in set(similarity["corpus"]):
        seen = ", ".join(sorted(set(similarity["corpus"])))
        raise MtbridgeError(f"--corpus: the similarities hold no corpus '{corpus}', expected one of: {seen}")
    make_frame, make_figure = ((figure1_frame, draw_figure1), (figure2_frame, draw_figure2))[number - 1]
    frame = make_frame(outline, similarity, protocol, corpus)
    with matplotlib.rc_context(STYLE):
        return make_figure(outline, frame, protocol), frame


def write(figure: Figure, frame: pd.DataFrame, png=None, svg=None, pdf=None, csv=None) -> None:
    """Write the picture and its numbers, without dates: equal input gives equal files."""
    without = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(STYLE):
        for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)):
            if path is not None:
                with whole(path) as temporary:
                    figure.savefig(temporary, format=kind, dpi=200, metadata=without[kind], facecolor="white")
    if csv is not None:
        with whole(csv) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")


def training_curves(panels: dict[str, dict[str, list]], across: int = 4) -> str:
    """Loss against steps as SVG text: panel title -> line label -> [(step, loss), …]; one colour a label everywhere."""
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    colours = dict(
        zip(labels, seaborn.color_palette("colorblind" if len(labels) <= 10 else "husl", len(labels)), strict=True)
    )
    styles = ["-", "--", ":", "-."]
    rows = -(-len(panels) // across)
    with matplotlib.rc_context(STYLE):
        across = min(across, len(panels))
        figure = Figure(figsize=(2.6 * across, 1.75 * rows + (0.5 if labels != [""] else 0)))
        figure.set_layout_engine("constrained")
        axes = figure.subplots(rows, across, squeeze=False)
        for index, ax in enumerate(axes.flat):
            if index >= len(panels):
                ax.set_axis_off()
                continue
            title, lines = list(panels.items())[index]
            for label, points in lines.items():
                style = styles[labels.index(label) // 5 % len(styles)]
                ax.plot(
                    *np.transpose(points) if len(points) else ([], []), style, color=colours[label], lw=1, label=label
                )
            ax.set_title(_wrap(title, 34))
            ax.set_ylim(bottom=0)
            ax.grid(alpha=0.3, linewidth=0.4)
            seaborn.despine(ax=ax)
            if index % across == 0:
                ax.set_ylabel("loss (nats)")
            if index + across >= len(panels):
                ax.set_xlabel("step")
        if labels != [""]:
            handles = {h.get_label(): h for ax in axes.flat for h in ax.get_lines()}
            figure.legend(
                handles.values(), handles.keys(), loc="outside lower center", ncols=min(5, len(labels)), frameon=False
            )
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
