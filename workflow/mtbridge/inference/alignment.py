"""Whether rows that are said to be translations of each other can be, and which rows of all languages belong together.

Rows are translations if they have the same example_id. Where a file has no ids the number of a row is its id, and files
in another order, or with a row more, then say that unrelated rows are translations. Their labels tell: those of
translations are the same, but for a few that were judged anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError

ROWS = 1000  # of each language that are compared: enough to tell, and a matrix of their distances stays small
FEWEST = 2  # rows with other labels, below which nothing is said


def check_same_labels(labels: Mapping[str, Mapping[str, Any]], where: str) -> None:
    """Raise MtbridgeError if labels of rows with the same id are about as different as those of any two rows.

    labels: language -> example_id -> label, a class or a number. where: begins the message.
    """
    first: dict[str, tuple[str, Any]] = {}  # example_id -> the first language that has it, and its label there
    for language, own in labels.items():
        others: dict[str, list[tuple[Any, Any]]] = {}
        for name, label in own.items():
            other, expected = first.setdefault(name, (language, label))
            if other != language:
                others.setdefault(other, []).append((expected, label))
        for other, pairs in others.items():
            one, two = zip(*pairs[:ROWS], strict=True)
            distances = _distances(one, two)
            own_pairs = np.diagonal(distances)
            different = int((own_pairs > 0).sum())
            if different >= FEWEST and own_pairs.mean() > distances.mean() / 2:
                raise MtbridgeError(
                    f"{where}: aligned, but {different} of {len(one)} examples have another label in '{language}' than "
                    f"those of the same id in '{other}': rows in another order, or one more? Give translations one id "
                    "(source.columns: {example_id: …}), or set aligned: false"
                )


def _distances(one: Sequence, two: Sequence) -> np.ndarray:
    """How far labels are from each other [one, two]: the difference of numbers; 1 for two classes, 0 for the same."""
    if isinstance(one[0], str):
        return (np.array(one)[:, None] != np.array(two)[None, :]).astype(float)
    return np.abs(np.subtract.outer(np.array(one, dtype=float), np.array(two, dtype=float)))


def joined(ids: Sequence[str], parts: Sequence[tuple[str, str]], texts: Sequence[str]) -> list[str]:
    """What each row's group of all languages is called, [row]: the id of the first row in it.

    Rows of one id belong together, and rows of a language with the same text; so do rows that are joined by others, as
    where one language has one text for two that another tells apart.

    parts: (language, split) of each row; rows of two splits have nothing in common.
    """
    parent: dict[tuple, tuple] = {}

    def root(of: tuple) -> tuple:
        while (above := parent.setdefault(of, of)) != of:
            parent[of] = of = parent[above]  # halves the path, so that long ones stay fast
        return of

    for name, (language, split), text in zip(ids, parts, texts, strict=True):
        one, other = root((split, name)), root((split, language, text))
        parent[other] = one
    called: dict[tuple, str] = {}
    return [called.setdefault(root((split, name)), name) for name, (_, split) in zip(ids, parts, strict=True)]
