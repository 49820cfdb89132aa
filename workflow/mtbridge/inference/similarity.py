"""Differences between models in how alike their languages are, paired on the same texts."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.separability import over_pretrainings
from mtbridge.specs.names import replicate_name
from mtbridge.study.outline import Outline

CELL = ["layer", "language_a", "language_b"]
COLUMNS = ["model", "base", "cells", "value", "value_base", "difference", "low", "high", "floor", "null", "P"]

DIFFERENCES = ["model", "against", *CELL, "value", "value_against", "difference", "low", "high", "n", "P"]


def languages_alike(outline: Outline, protocol: str, folder) -> pd.DataFrame:
    """Are a continued model's languages more alike than its base's? Means over cells (layer × language pair).

    folder: holds similarities between languages, as `representations.similarity.compare_languages` writes them, in
    `languages.parquet`, and those of further pretrainings in `languages@2.parquet`, …; the corpus and the estimator are
    the protocol's. Columns: model, base, cells (those of both), value, value_base, difference = value − value_base with
    its 95 % interval (low, high), floor (the value of the untrained encoder, NaN without one), null (that of unrelated
    texts), P (pretrainings that both have; all but the floor are means over them).

    Every cell was computed on the same halves of the texts too, so half h of two models is a paired difference d[h],
    the mean over cells. Its variance times b/(n−b), b = ⌊n/2⌋, is that over texts (`representations.subsamples`); the
    rest of the interval is that of `separability.over_pretrainings`. With one pretraining it holds texts alone.
    """
    by_model = _by_model(outline, protocol, Path(folder))
    untrained = next((by_model[m.key] for m in outline.models if m.is_untrained and m.key in by_model), None)
    rows = []
    for model in outline.models:
        if model.base is None or model.kind == "derived":
            continue
        pairs = [
            (by_model[key], by_model[base])
            for key in outline.replicates(model.key)
            if key in by_model and (base := str(outline.model(key).base)) in by_model
        ]
        # A base of another depth has no layers that correspond.
        pairs = [(one, base) for one, base in pairs if _last_layer(one) == _last_layer(base)]
        if not pairs or not (common := len(pairs[0][0].index.intersection(pairs[0][1].index))):
            continue
        both = [_means(one, base) for one, base in pairs]
        values, halves = np.array([one - base for one, base, _ in both]), np.stack([each for *_, each in both])
        difference, low, high, _, _ = over_pretrainings(values, halves, (-2.0, 2.0))
        cells = pairs[0][0].index.intersection(pairs[0][1].index)
        floor = float("nan") if untrained is None else untrained["value"].reindex(cells).mean()
        null = pairs[0][0].loc[cells, "null"].mean()
        means = (float(np.mean([each[side] for each in both])) for side in (0, 1))
        rows.append((model.key, model.base, common, *means, difference, low, high, floor, null, len(pairs)))
    return pd.DataFrame(rows, columns=COLUMNS)


def cells_against(outline: Outline, protocol: str, folder) -> pd.DataFrame:
    """Every cell (layer × language pair) of a model minus that of its base, or without a base of the untrained encoder.

    Columns: `DIFFERENCES`; value and value_against are means over the P pretrainings that both have. Files, pairing and
    intervals as in `languages_alike`, here for a single cell; they are not corrected for the number of cells.
    """
    by_model = _by_model(outline, protocol, Path(folder))
    untrained = next((m.key for m in outline.models if m.is_untrained and m.key in by_model), None)
    rows = []
    for model in outline.models:
        if model.kind == "derived" or model.is_untrained:
            continue
        pairs = [
            (by_model[key], by_model[against])
            for key in outline.replicates(model.key)
            if key in by_model and (against := outline.model(key).base or untrained) in by_model
        ]
        pairs = [(one, other) for one, other in pairs if _last_layer(one) == _last_layer(other)]
        if pairs:
            rows += _differences(model.key, str(model.base or untrained), pairs)
    return pd.DataFrame(rows, columns=DIFFERENCES)


def _differences(model: str, against: str, pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> list[tuple]:
    """The rows of one model. pairs: for every pretraining the cells of both."""
    cells = pairs[0][0].index
    for one, other in pairs:
        cells = cells.intersection(one.index).intersection(other.index)
    ones, others = (np.array([both[side].loc[cells, "value"] for both in pairs]) for side in (0, 1))
    halves = np.array(
        [np.stack(one.loc[cells, "halves"]) - np.stack(other.loc[cells, "halves"]) for one, other in pairs]
    )  # [pretraining, cell, half]
    n = int(pairs[0][0].loc[cells, "n"].iloc[0])
    halves = halves * np.sqrt(n // 2 / (n - n // 2))
    rows = []
    for place, cell in enumerate(cells):
        values = ones[:, place] - others[:, place]
        difference, low, high, *_ = over_pretrainings(values, halves[:, place], (-2.0, 2.0))
        means = (float(side[:, place].mean()) for side in (ones, others))
        rows.append((model, against, *cell, *means, difference, low, high, n, len(pairs)))
    return rows


def _by_model(outline: Outline, protocol: str, folder: Path) -> dict[str, pd.DataFrame]:
    """Key of a pretraining -> its cells: value, null, n, halves."""
    settings = outline.protocol(protocol)
    found: dict[str, pd.DataFrame] = {}
    most = max((len(outline.replicates(model.key)) for model in outline.models), default=1)
    for number in range(1, most + 1):
        path = folder / f"{replicate_name('languages', number)}.parquet"
        if not path.exists():
            continue
        frame = read_parquet(path, ["corpus", "model", "estimator", *CELL, "value", "null", "n", "halves"])
        frame = frame[(frame["corpus"] == outline.corpus(protocol)) & (frame["estimator"] == settings.estimator)]
        found |= {str(model): part.set_index(CELL).sort_index() for model, part in frame.groupby("model")}
    return found


def _last_layer(cells: pd.DataFrame) -> int:
    return cells.index.get_level_values("layer").max()


def _means(one: pd.DataFrame, base: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Over the cells of both: the two means, and the mean difference on every half, scaled to the variance of all."""
    common = one.index.intersection(base.index)
    one, base, n = one.loc[common], base.loc[common], int(one["n"].iloc[0])
    halves = np.stack(one["halves"]).mean(axis=0) - np.stack(base["halves"]).mean(axis=0)
    return one["value"].mean(), base["value"].mean(), halves * np.sqrt(n // 2 / (n - n // 2))
