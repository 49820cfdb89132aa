"""How far languages lie apart in hidden states, and how well translations find each other.

States of translations are read as a two-way layout: x[language, sentence] = mean + language + sentence + rest. Summed
over dimensions, the sums of squares of the parts add up to the total:

    language    n Σ_l ‖x̄[l, ·] − x̄‖²                        an offset of a language as a whole
    sentence    L Σ_i ‖x̄[·, i] − x̄‖²                        what the translations of a sentence have in common
    rest        the total less both

language_share and sentence_share are their shares of the total. fisher_ratio is what lies between languages over what
lies within them, language / (sentence + rest) (Fisher 1936, as the ratio of traces of the scatter matrices); it and
language_share do not need translations. retrieval is the share of sentences of one language whose nearest neighbour by
cosine among all sentences of another is their translation, on states as they are; retrieval_centred with each
language's mean taken away first, which an offset cannot disturb. cosine is the mean cosine of translations after this.

A model separates languages where language_share and fisher_ratio are high. `null` is what states without any structure
give: independent rows for the shares and the ratio, 1/n for retrieval, 0 for cosine. The floor to compare with is the
untrained encoder, which already has structure, because translations share names and length.
"""

import contextlib
from collections.abc import Mapping
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.representations.states_file import open_states
from mtbridge.representations.subsamples import half_subsamples, interval

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("language_share", "sentence_share", "fisher_ratio", "retrieval", "retrieval_centred", "cosine")
EVERY = "all"  # source and target of a measure of all languages, or of the mean over pairs
OF_STATES = ["layer", "measure", "source", "target", "value", "low", "high", "null", "n", "halves"]
COLUMNS = ["corpus", "model", "recipe", "task", "seed", *OF_STATES]
NO_SPREAD = 1e-12  # a sum of squares below this share of the states' own is rounding error of float64


class Value(NamedTuple):
    """A measure, what states without structure give, and its values on the halves behind its interval."""

    value: float
    low: float
    high: float
    null: float
    halves: np.ndarray  # [half] float32


def _value(values: torch.Tensor, n: int, null: float, least: float, most: float) -> Value:
    """values [1 + half]: of all n sentences, then of each half; the interval is that of `subsamples.interval`."""
    low, high = interval(values[0], values[1:], n, least=least, most=most)
    return Value(float(values[0]), float(low), float(high), null, values[1:].float().numpy())


def shares(states: torch.Tensor, masks: torch.Tensor, aligned: bool = True) -> dict[str, Value]:
    """language_share, fisher_ratio and, if aligned, sentence_share of states [language, sentence, dim].

    masks [sentence, 1 + half]: 0/1 columns, all sentences first. The shares of states that are all equal are 0.
    """
    count, n = states.shape[:2]
    states = states.to(torch.float64)
    states = states - states.mean((0, 1))
    rows = masks.sum(0)  # [s]
    means = torch.einsum("lnd,ns->sld", states, masks) / rows[:, None, None]
    of_mean = means.mean(1).square().sum(1) * count * rows  # what the mean of all takes of each sum below, [s]
    squares = masks.T @ states.square().sum((0, 2))
    total = squares - of_mean
    language = rows * means.square().sum((1, 2)) - of_mean
    sentence = count * (masks.T @ states.mean(0).square().sum(1)) - of_mean
    within = total - language
    degrees = count * n - 1  # of freedom of the total
    found = {
        "language_share": (language / total, (count - 1) / degrees, 1.0),
        "sentence_share": (sentence / total, (n - 1) / degrees, 1.0),
        "fisher_ratio": (language / within, (count - 1) / (count * (n - 1)), float("inf")),
    }
    if not aligned:
        del found["sentence_share"]
    has_spread = (total > NO_SPREAD * squares) & (within > NO_SPREAD * squares)
    return {
        name: _value(torch.where(has_spread, values, 0.0).clamp(min=0), n, null, 0.0, most)
        for name, (values, null, most) in found.items()
    }


def translations(states: torch.Tensor) -> dict[tuple[str, int, int], torch.Tensor]:
    """Of each sentence [n]: (measure, source, target) -> 1 or 0 for retrieval, the cosine for `cosine`.

    states [language, sentence, dim]; source and target are numbers of languages, of `cosine` source < target. Where
    another sentence is as near as the translation, it is not found: equal states find nothing.
    """
    result: dict[tuple[str, int, int], torch.Tensor] = {}
    states = states.to(torch.float32)
    for name, of_languages in (("retrieval", states), ("retrieval_centred", states - states.mean(1, keepdim=True))):
        units = torch.nn.functional.normalize(of_languages, dim=2)
        for a, b in combinations(range(len(units)), 2):
            cosines = units[a] @ units[b].T
            own = cosines.diagonal().clone()
            others = cosines.fill_diagonal_(-2.0)
            result[name, a, b] = (own > others.amax(1)).double()
            result[name, b, a] = (own > others.amax(0)).double()
            if name == "retrieval_centred":
                result["cosine", a, b] = own.double()
    return result


def _measure(states: Mapping[str, torch.Tensor], masks: torch.Tensor, aligned: bool) -> list[dict]:
    """The rows of one layer, without the column `layer`; states: language -> [sentence, dim]."""
    languages, n = list(states), len(masks)
    together = torch.stack([states[language] for language in languages])
    found = {(name, EVERY, EVERY): value for name, value in shares(together, masks, aligned).items()}
    of_sentences = translations(together) if aligned else {}
    for name in dict.fromkeys(name for name, _, _ in of_sentences):
        null, least = (0.0, -1.0) if name == "cosine" else (1 / n, 0.0)
        pairs = list((combinations if name == "cosine" else permutations)(range(len(languages)), 2))
        each = {(languages[a], languages[b]): of_sentences[name, a, b] for a, b in pairs}
        mean = torch.stack(list(each.values())).mean(0)
        for (source, target), values in {(EVERY, EVERY): mean, **each}.items():
            means = masks.T @ values / masks.sum(0)
            found[name, source, target] = _value(means, n, null, least, 1.0)
    return [
        {"measure": name, "source": source, "target": target, **value._asdict(), "n": n}
        for (name, source, target), value in found.items()
    ]


def measure(states: Mapping[str, torch.Tensor], aligned: bool = True, seed: int = 0) -> "pd.DataFrame":
    """All measures of every layer; the columns are `OF_STATES`. states: language -> [layer, sentence, dim].

    Retrieval and cosine have a row for each direction, or pair, and one for their mean. The interval is over sentences,
    `halves` are the values on the half-subsamples behind it, the same for all models. With one language the frame is
    empty. aligned: whether row i is the same sentence in all languages; if not, only what needs no translations.
    """
    import pandas as pd

    rows: list[dict] = []
    first = next(iter(states.values()))
    n = first.shape[1]
    masks = torch.cat([torch.ones(n, 1, dtype=torch.float64), half_subsamples(n, seed=seed)], dim=1)
    if len(states) > 1:
        for layer in range(len(first)):
            of_layer = {language: torch.as_tensor(values[layer]) for language, values in states.items()}
            rows += [{"layer": layer, **row} for row in _measure(of_layer, masks, aligned)]
    return pd.DataFrame(rows, columns=OF_STATES)


def separability(path: str | Path, model: str, corpus: str, aligned: bool, seed: int = 0) -> "pd.DataFrame":
    """All measures of a model's file of states; the columns are `COLUMNS`, with recipe and task "", and seed 0.

    Raises:
        MtbridgeError: states are missing, of a wrong shape, not finite or of too few rows; languages differ in rows.
    """
    with contextlib.ExitStack() as stack:
        files, languages = open_states({model: path}, stack)
        file = files[model]
        sizes = {language: file.shapes[language][1] for language in languages}
        if len(set(sizes.values())) > 1:
            raise MtbridgeError(
                f"{path}: languages differ in rows ({sizes}); make the states from equally many sentences of each"
            )
        layers = range(file.layers)
        states = {language: torch.stack([file.layer(language, layer) for layer in layers]) for language in languages}
    return with_run(measure(states, aligned, seed), corpus, model)


def with_run(
    frame: "pd.DataFrame", corpus: str, model: str, recipe: str = "", task: str = "", seed: int = 0
) -> "pd.DataFrame":
    """The frame of `measure` with the columns that say whose states they are; task "": before any fine-tuning."""
    return frame.assign(corpus=corpus, model=model, recipe=recipe, task=task, seed=seed)[COLUMNS]
