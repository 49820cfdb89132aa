"""How often translations find each other: by layer, language and direction, over pretrainings.

Values are those of `representations.retrieval`. A mean over languages, or over both directions, is the mean of their
values, also on each half of the sentences, so that its interval holds what languages have in common: their sentences,
where all have the same. The interval over pretrainings and sentences is that of `separability.over_pretrainings`.
"""

import math

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.inference.bootstrap import has_width
from mtbridge.inference.separability import over_pretrainings
from mtbridge.study.outline import Outline

RAW, CENTRED = "retrieval", "retrieval_centred"  # measures, in the file
TO, FROM, BOTH = "to", "from", "both"  # directions: to the source language, from it, the mean of both
EVERY = "all"  # the language of a mean over languages
READ = ["model", "source", "target", "measure", "layer", "layers", "value", "null", "n", "repeated", "halves"]
CURVES = ["model", "language", "direction", "measure", "layer", "layers", "depth", "value", "low", "high", "df", "null"]
CURVES += ["n", "repeated", "P"]
KEYS = ["language", "direction", "measure", "layer"]


def layer_at(depth: float, layers: int) -> int:
    """The layer at a share of a model's depth, the nearest one; of two that are equally near the later one."""
    return math.floor(depth * layers + 0.5)


def read_retrieval(path, outline: Outline) -> pd.DataFrame:
    """What models find: `KEYS`, model, number (of the pretraining), layers, value, null, n, repeated, halves.

    Raises:
        MtbridgeError: two corpora have the same language.
    """
    frame = read_parquet(path, READ)
    number_of = {
        key: (m.key, number) for m in outline.models for number, key in enumerate(outline.replicates(m.key), 1)
    }
    frame = frame[frame["model"].isin(number_of)].reset_index(drop=True)
    to_source = frame["target"] == outline.source_language
    language = frame["source"].where(to_source, frame["target"])
    frame = frame.assign(
        language=language,
        direction=np.where(to_source, TO, FROM),
        number=[number_of[key][1] for key in frame["model"]],
        model=[number_of[key][0] for key in frame["model"]],
    )
    twice = frame[frame.duplicated(["model", "number", *KEYS])]
    if len(twice):
        raise MtbridgeError(
            f"{path}: '{twice['language'].iloc[0]}' is there twice; delete retrieval/ so that it is made again"
        )
    return frame.drop(columns=["source", "target"])


def curves(outline: Outline, path) -> pd.DataFrame:
    """Accuracy by model, language (and `EVERY`), direction (and `BOTH`), measure and layer; the columns are `CURVES`.

    value, low, high and null are shares; low and high are NaN where all sentences or none are found, also in means. n
    is the number of sentences that are looked for, repeated how many of the candidates stand in several lines: sums
    over what a mean is of.
    """
    frame = read_retrieval(path, outline)
    # Arrays, because a published study has ten thousand means.
    names = ["language", "direction", "number", "layers", "value", "null", "n", "repeated"]
    columns = {name: frame[name].to_numpy() for name in names}
    columns["halves"] = np.stack(frame["halves"]) if len(frame) else np.empty((0, 0))  # [row, half]
    rows = []
    for (model, measure, layer), of_layer in frame.groupby(["model", "measure", "layer"], sort=False):
        part = {name: column[of_layer.index] for name, column in columns.items()}
        layers = int(part["layers"][0])
        for language, direction, own in _groups(part["language"], part["direction"]):
            by_number = [own & (part["number"] == number) for number in np.unique(part["number"][own])]
            values = np.array([part["value"][of_one].mean() for of_one in by_number])
            halves = np.array([part["halves"][of_one].mean(axis=0) for of_one in by_number])
            mean, low, high, freedom, _ = over_pretrainings(values, halves, (0.0, 1.0))
            if not has_width(100 * halves.mean(axis=0)) and not has_width(100 * values):
                low = high = math.nan
            place = model, language, direction, measure, layer, layers, layer / max(layers, 1)
            null, n, repeated = (part[name][by_number[0]] for name in ("null", "n", "repeated"))
            counts = int(n.sum()), int(repeated.sum()), len(values)
            rows.append((*place, mean, low, high, freedom, float(null.mean()), *counts))
    return pd.DataFrame(rows, columns=CURVES)


def _groups(languages: np.ndarray, directions: np.ndarray):
    """(language, direction, which rows), then those of the means over directions and over languages."""
    for language in sorted(set(languages)):
        for direction in sorted(set(directions[languages == language])):
            yield language, direction, (languages == language) & (directions == direction)
    for language in sorted(set(languages)):
        yield language, BOTH, languages == language
    for direction in sorted(set(directions)):
        yield EVERY, direction, directions == direction
    yield EVERY, BOTH, np.ones(len(languages), dtype=bool)


def at_depth(frame: pd.DataFrame, depth: float) -> pd.DataFrame:
    """Of each model the rows of `curves` of the layer at a share of its depth."""
    wanted = [layer_at(depth, layers) for layers in frame["layers"]]
    return frame[frame["layer"] == wanted].reset_index(drop=True)
