"""Differences between models in how alike their languages are, paired on the same texts."""

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.study.outline import Outline

CELL = ["layer", "language_a", "language_b"]
COLUMNS = ["model", "base", "cells", "value", "value_base", "difference", "low", "high", "floor", "null"]


def languages_alike(outline: Outline, protocol: str, path) -> pd.DataFrame:
    """Are a continued model's languages more alike than its base's? Means over cells (layer × language pair).

    path: similarities between languages, as `representations.similarity.compare_languages` writes them; the corpus and
    the estimator are the protocol's. Columns: model, base, cells (those of both), value, value_base, difference = value
    − value_base with its 95 % interval over texts (low, high), floor (the value of the untrained encoder, NaN without
    one) and null (that of unrelated texts).

    Every cell was computed on the same halves of the texts too, so half h of two models is a paired difference d[h],
    the mean over cells. The interval is that of `representations.subsamples.interval`: difference ± 1.96 · sd(d) ·
    √(b/(n−b)), b = ⌊n/2⌋. Another pretraining is not in it, and may move the value further.
    """
    frame = read_parquet(path, ["corpus", "model", "estimator", *CELL, "value", "null", "n", "halves"])
    settings = outline.protocol(protocol)
    frame = frame[(frame["corpus"] == outline.corpus(protocol)) & (frame["estimator"] == settings.estimator)]
    by_model = {model: part.set_index(CELL).sort_index() for model, part in frame.groupby("model")}
    untrained = next((by_model[m.key] for m in outline.models if m.is_untrained and m.key in by_model), None)
    rows = []
    for model in outline.models:
        if model.base is None or model.key not in by_model or model.base not in by_model:
            continue
        one, base = by_model[model.key], by_model[model.base]
        # A base of another depth has no layers that correspond.
        if one.index.get_level_values("layer").max() != base.index.get_level_values("layer").max():
            continue
        common = one.index.intersection(base.index)
        one, base = one.loc[common], base.loc[common]
        if one.empty:
            continue
        halves = np.stack(one["halves"]).mean(axis=0) - np.stack(base["halves"]).mean(axis=0)
        n = int(one["n"].iloc[0])
        # The equation of `representations.subsamples.interval`, of which this is the difference.
        half_width = 1.96 * halves.std(ddof=1) * np.sqrt(n // 2 / (n - n // 2))
        value, value_base = one["value"].mean(), base["value"].mean()
        difference = value - value_base
        floor = float("nan") if untrained is None else untrained["value"].reindex(common).mean()
        rows.append((model.key, model.base, len(common), value, value_base, difference, difference - half_width,
                     difference + half_width, floor, one["null"].mean()))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
