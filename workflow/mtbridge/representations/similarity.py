"""Tables of the similarity of hidden states, between models and between languages, by any measure of the registry."""

import contextlib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress
from mtbridge.representations.measures import MEASURES
from mtbridge.representations.states_file import StatesFile, open_states

if TYPE_CHECKING:
    import pandas as pd


# A cell of a table: its coordinates (with the layer), and name -> (states, language) of what is compared in it.
Cell = tuple[dict[str, Any], dict[str, tuple[StatesFile, str]]]


def _table(measure: str, kind: str, cells: list[Cell], corpus: str, seed: int) -> "pd.DataFrame":
    """All unordered pairs in all cells, by every estimator; `kind` of a pair is model or language.

    Raises:
        MtbridgeError: the numbers of rows in a cell differ.
    """
    import pandas as pd

    for _, members in cells:
        first, language = next(iter(members.values()))
        n = first.shapes[language][1]
        for file, other in members.values():
            rows = file.shapes[other][1]
            if rows != n:
                raise MtbridgeError(
                    f"{file.path}: '{other}' has {rows} rows, but {first.path} has {n} for '{language}'; rows are "
                    "compared by index: make both from the same number of sentences"
                )
    records, compare = [], MEASURES[measure]()
    progress = Progress(f"{measure} between {kind}s on {corpus}: cell", len(cells))
    for done, (coordinates, members) in enumerate(cells, 1):
        states = [file.layer(language, coordinates["layer"]) for file, language in members.values()]
        names = list(members)
        for estimator, result in compare(states, seed).items():
            for a, b in combinations(range(len(names)), 2):
                pair = {f"{kind}_a": names[a], f"{kind}_b": names[b], "estimator": estimator}
                numbers = {field: float(values[a, b]) for field, values in result._asdict().items()}
                records.append({"corpus": corpus, **coordinates, **pair, **numbers, "n": len(states[0])})
        progress(done)
    fixed = "language" if kind == "model" else "model"  # the same for both of a pair
    texts = ["corpus", fixed, f"{kind}_a", f"{kind}_b", "estimator"]
    columns = ["corpus", "layer", *texts[1:], "value", "low", "high", "null", "n"]
    # One model or one language has no pair; the table is then empty, with the columns and types of a full one.
    types = {name: "str" if name in texts else "int64" if name in ("layer", "n") else "float64" for name in columns}
    return pd.DataFrame(records, columns=columns).astype(types)


def compare_models(
    states: Mapping[str, str | Path], corpus: str, measure: str = "cka", seed: int = 0
) -> "pd.DataFrame":
    """A measure between all unordered pairs of models, for each layer and language: two models on the same rows.

    Args:
        states: model -> its file of states on `corpus`; dims may differ.
        seed: draws the same halves of rows in every cell, so that cells can be compared.

    Returns:
        the columns corpus, layer, language, model_a, model_b, estimator, value, low, high, null, n (rows); models are
        paired in the order of `states`.

    Raises:
        MtbridgeError: states are missing, of a wrong shape, not finite or of fewer than MINIMUM_ROWS rows, or models
            differ in languages, layers or rows; the message has file and language.
    """
    with contextlib.ExitStack() as stack:
        files, languages, layers = open_states(states, stack)
        cells = [
            ({"layer": layer, "language": language}, {model: (file, language) for model, file in files.items()})
            for language in languages
            for layer in range(layers)
        ]
        return _table(measure, "model", cells, corpus, seed)


def compare_languages(
    states: Mapping[str, str | Path], corpus: str, aligned: bool, measure: str = "cka", seed: int = 0
) -> "pd.DataFrame":
    """A measure between all unordered pairs of languages, for each model and layer: the same rows of both.

    Args:
        states, seed: see `compare_models`.
        aligned: whether row i is the same sentence in all languages. If not, the rows are unrelated, and a value means
            nothing beyond its null.

    Returns:
        the columns corpus, layer, model, language_a, language_b, estimator, value, low, high, null, n (rows), aligned;
        languages are paired in alphabetical order. With one language the table is empty.

    Raises:
        MtbridgeError: see `compare_models`.
    """
    with contextlib.ExitStack() as stack:
        files, languages, layers = open_states(states, stack)
        cells = [
            ({"layer": layer, "model": model}, {language: (file, language) for language in languages})
            for model, file in files.items()
            for layer in range(layers)
        ]
        return _table(measure, "language", cells, corpus, seed).assign(aligned=bool(aligned))
