"""Tables of the similarity of hidden states, between models and between languages, by any measure of the registry."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress
from mtbridge.representations.measures import MEASURES
from mtbridge.representations.states_file import StatesFile, open_states

if TYPE_CHECKING:
    import pandas as pd


class Member(NamedTuple):
    """States of a cell: of a model in a language, at a layer."""

    file: StatesFile
    language: str
    layer: int


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its coordinates (with the layer), and what is compared in it, by name."""

    coordinates: dict[str, Any]
    members: dict[str, Member]
    # Whether only members of different depth are compared: those of equal depth have cells of their own.
    across: bool = False

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The numbers of the members that are compared."""
        members = list(self.members.values())
        for a, b in combinations(range(len(members)), 2):
            if not self.across or members[a].file.layers != members[b].file.layers:
                yield a, b


def _table(measure: str, kind: str, cells: list[Cell], corpus: str, seed: int) -> "pd.DataFrame":
    """The pairs of all cells, by every estimator; `kind` of a pair is model or language.

    Raises:
        MtbridgeError: the numbers of rows in a cell differ.
    """
    import pandas as pd

    _check_rows(cells)
    records, compare = [], MEASURES[measure].load()
    # Columns for the layer of each of a pair are there only if one of them is not `layer`.
    unequal = any(cell.across for cell in cells)
    progress = Progress(f"{measure} between {kind}s on {corpus}: cell", len(cells))
    for done, cell in enumerate(cells, 1):
        names, members = list(cell.members), list(cell.members.values())
        states = [member.file.layer(member.language, member.layer) for member in members]
        for estimator, result in compare(states, seed).items():
            for a, b in cell.pairs():
                pair = {f"{kind}_a": names[a], f"{kind}_b": names[b], "estimator": estimator}
                layers = {"layer_a": members[a].layer, "layer_b": members[b].layer} if unequal else {}
                numbers: dict[str, Any] = {"value": float(result.value[a, b]), "low": float(result.low[a, b])}
                numbers |= {"high": float(result.high[a, b]), "null": float(result.null[a, b]), "n": len(states[0])}
                halves = result.halves[:, a, b].float().numpy()
                records.append({"corpus": corpus, **cell.coordinates, **pair, **numbers, "halves": halves, **layers})
        progress(done)
    fixed = "language" if kind == "model" else "model"  # the same for both of a pair
    texts = ["corpus", fixed, f"{kind}_a", f"{kind}_b", "estimator"]
    columns = ["corpus", "layer", *texts[1:], "value", "low", "high", "null", "n", "halves"]
    columns += ["layer_a", "layer_b"] if unequal else []
    # One model or one language has no pair; the table is then empty, with the columns and types of a full one.
    types: dict[str, Any] = {name: "float64" for name in columns} | dict.fromkeys(texts, "str")
    types |= {name: "int64" for name in columns if name in ("layer", "n", "layer_a", "layer_b")} | {"halves": "object"}
    return pd.DataFrame(records, columns=columns).astype(types)


def _check_rows(cells: list[Cell]) -> None:
    """Raise MtbridgeError if the numbers of rows in a cell differ."""
    for cell in cells:
        first = next(iter(cell.members.values()))
        n = first.file.shapes[first.language][1]
        for file, language, _ in cell.members.values():
            rows = file.shapes[language][1]
            if rows != n:
                raise MtbridgeError(
                    f"{file.path}: '{language}' has {rows} rows, but {first.file.path} has {n} for '{first.language}'; "
                    "rows are compared by index: make both from the same number of sentences"
                )


def matching_layer(layer: int, depth: int, deeper: int) -> int:
    """The layer of a deeper model at the same relative depth: round(layer · deeper / depth), halves to the even one.

    Layer 0 is the embeddings. They match each other, and so do the last layers, `depth` and `deeper`.
    """
    return round(layer * deeper / depth) if depth else 0


def _cells_of_models(files: dict[str, StatesFile], language: str) -> Iterator[Cell]:
    """The cells of a language: models of equal depth by layer; those of unequal depth at the same relative depth."""
    depths = sorted({file.layers - 1 for file in files.values()})
    for depth in depths:
        members = {model: file for model, file in files.items() if file.layers == depth + 1}
        # A depth that one model alone has gives no pair; if all models are one, the table is empty.
        if len(members) > 1 or len(depths) == 1:
            for layer in range(depth + 1):
                own = {model: Member(file, language, layer) for model, file in members.items()}
                yield Cell({"layer": layer, "language": language}, own)
    for depth, deeper in combinations(depths, 2):
        members = {model: file for model, file in files.items() if file.layers - 1 in (depth, deeper)}
        for layer in range(depth + 1):
            at = {depth: layer, deeper: matching_layer(layer, depth, deeper)}
            own = {model: Member(file, language, at[file.layers - 1]) for model, file in members.items()}
            yield Cell({"layer": layer, "language": language}, own, across=True)


def compare_models(
    states: Mapping[str, str | Path], corpus: str, measure: str = "cka", seed: int = 0
) -> "pd.DataFrame":
    """A measure between all unordered pairs of models, for each layer and language: two models on the same rows.

    Models of unequal depth are compared at the same relative depth, see `matching_layer`.

    Args:
        states: model -> its file of states on `corpus`; dims may differ.
        seed: draws the same halves of rows in every cell, so that cells can be compared.

    Returns:
        the columns corpus, layer, language, model_a, model_b, estimator, value, low, high, null, n (rows), halves (its
        values on the halves of rows that the interval is made of, the same halves in every cell); models are paired in
        the order of `states`. `layer` is that of the shallower of two models; if any two models differ in depth, the
        columns layer_a and layer_b have the layers of both, which no other column tells.

    Raises:
        MtbridgeError: states are missing, of a wrong shape, not finite or of fewer than MINIMUM_ROWS rows, or models
            differ in languages or rows; the message has file and language.
    """
    with contextlib.ExitStack() as stack:
        files, languages = open_states(states, stack)
        cells = [cell for language in languages for cell in _cells_of_models(files, language)]
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
        the columns corpus, layer, model, language_a, language_b, estimator, value, low, high, null, n (rows), halves,
        aligned; languages are paired in alphabetical order. With one language the table is empty.

    Raises:
        MtbridgeError: see `compare_models`.
    """
    with contextlib.ExitStack() as stack:
        files, languages = open_states(states, stack)
        cells = [
            Cell({"layer": layer, "model": model}, {name: Member(file, name, layer) for name in languages})
            for model, file in files.items()
            for layer in range(file.layers)
        ]
        return _table(measure, "language", cells, corpus, seed).assign(aligned=bool(aligned))
