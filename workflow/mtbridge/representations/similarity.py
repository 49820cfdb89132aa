"""How alike two sets of hidden states are, between models and between languages, by any measure of the registry."""

import contextlib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress
from mtbridge.representations.measures import MEASURES
from mtbridge.representations.states_file import open_states


def _table(measure: str, kind: str, cells: list[tuple[dict, dict]], corpus: str, seed: int):
    """The DataFrame of all unordered pairs in all cells, by every estimator; `kind` of a pair is model or language.

    A cell is (its place in the table, with the layer; name -> (states, language) of those that are compared in it).
    """
    import pandas as pd

    for _, members in cells:
        first, language = next(iter(members.values()))
        n = first.shapes[language][1]
        for one, other in members.values():
            rows = one.shapes[other][1]
            if rows != n:
                raise MtbridgeError(
                    f"{one.path}: '{other}' has {rows} rows, but {first.path} has {n} for '{language}'; rows are "
                    "compared by index: make both from the same number of sentences"
                )
    records, compare = [], MEASURES[measure]()
    progress = Progress(f"{measure} between {kind}s on {corpus}: cell", len(cells))
    for done, (place, members) in enumerate(cells, 1):
        states = [one.layer(language, place["layer"]) for one, language in members.values()]
        names = list(members)
        for estimator, found in compare(states, seed).items():
            for a, b in combinations(range(len(names)), 2):
                pair = {f"{kind}_a": names[a], f"{kind}_b": names[b], "estimator": estimator}
                numbers = {field: float(values[a, b]) for field, values in found._asdict().items()}
                records.append({"corpus": corpus, **place, **pair, **numbers, "n": len(states[0])})
        progress(done)
    other = "language" if kind == "model" else "model"
    texts = ["corpus", other, f"{kind}_a", f"{kind}_b", "estimator"]
    columns = ["corpus", "layer", *texts[1:], "value", "low", "high", "null", "n"]
    # One model or one language makes no pair; the table is then empty, with the columns and kinds of a full one.
    kinds = {name: "str" if name in texts else "int64" if name in ("layer", "n") else "float64" for name in columns}
    return pd.DataFrame(records, columns=columns).astype(kinds)


def compare_models(states: Mapping[str, str | Path], corpus: str, measure: str = "cka", seed: int = 0):
    """A measure between all unordered pairs of models, for each layer and language: the same rows seen by two models.

    `states` maps a model to its file of states on `corpus`; dims may differ. Returns a DataFrame with the columns
    corpus, layer, language, model_a, model_b, estimator, value, low, high, null, n (rows); models pair in the order
    given. The same `seed` draws the same halves of rows in every cell, so cells can be compared.

    Raises MtbridgeError naming file and language for states that are missing, misshapen or not finite, for models
    that differ in languages, layers or rows, and for fewer than MINIMUM_ROWS rows.
    """
    with contextlib.ExitStack() as stack:
        opened, languages, layers = open_states(states, stack)
        cells = [
            ({"layer": layer, "language": language}, {model: (one, language) for model, one in opened.items()})
            for language in languages
            for layer in range(layers)
        ]
        return _table(measure, "model", cells, corpus, seed)


def compare_languages(
    states: Mapping[str, str | Path], corpus: str, aligned: bool, measure: str = "cka", seed: int = 0
):
    """A measure between all unordered pairs of languages, for each model and layer: the same rows of both.

    `aligned` says whether row i is the same sentence in all languages and is kept in the table; where it is not, the
    rows are unrelated and a value says nothing beyond its null. Returns a DataFrame with the columns corpus, layer,
    model, language_a, language_b, estimator, value, low, high, null, n (rows), aligned; languages pair alphabetically.

    Raises MtbridgeError as `compare_models` does; with one language the table is empty.
    """
    with contextlib.ExitStack() as stack:
        opened, languages, layers = open_states(states, stack)
        cells = [
            ({"layer": layer, "model": model}, {language: (one, language) for language in languages})
            for model, one in opened.items()
            for layer in range(layers)
        ]
        return _table(measure, "language", cells, corpus, seed).assign(aligned=bool(aligned))
