"""Which units of a test set are drawn together: the clusters of the bootstrap.

A unit is what a metric counts: an example, a sentence or a query. Units that depend on each other form a cluster, which
a resample draws as a whole (the cluster bootstrap: Davison & Hinkley 1997, 3.8): units with the same text in the task's
column `group`, and, if the task's rows are `aligned`, units with the same example_id in different languages. Otherwise
every unit is a cluster of its own. An interval that draws dependent units one by one is too narrow.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtbridge.base.errors import MtbridgeError


@dataclass(frozen=True)
class Clusters:
    """The clusters of one language's units: `of_unit` [unit] int, their numbers, out of `size`."""

    of_unit: np.ndarray
    size: int


def cluster(
    units: np.ndarray, example_ids: Sequence[str], groups: Sequence[str] | None, aligned: bool
) -> list[Hashable]:
    """What each unit's cluster is called, [unit]; units [row] are numbered in the order in which they first occur.

    groups [row]: the texts that make rows of one group, or where rows are aligned what a group of all languages is
    called (`alignment.joined`); None: no groups. Without groups of all languages a cluster is called by the example_id
    of its first row, which is the same in all languages, or by the number of that row.
    """
    first_rows = np.unique(units, return_index=True)[1]
    if groups is not None and aligned:
        return [groups[row] for row in first_rows]
    if groups is not None:
        first_of_group: dict[str, int] = {}
        for row, text in enumerate(groups):
            first_of_group.setdefault(text, row)
        first_rows = np.array([first_of_group[groups[row]] for row in first_rows])
    return [example_ids[row] for row in first_rows] if aligned else [int(row) for row in first_rows]


def number_clusters(names: Mapping[str, list[Hashable]], where: str) -> dict[str, Clusters]:
    """The clusters of every language, numbered alike in all: language -> what each unit's cluster is called, see
    `cluster`.

    Raises MtbridgeError, whose message begins with `where`, if a language has no cluster in common with another.
    """
    numbers: dict[Hashable, int] = {}
    languages_of: Counter[Hashable] = Counter()
    for language_names in names.values():
        languages_of.update(set(language_names))
        for name in language_names:
            numbers.setdefault(name, len(numbers))
    for language, language_names in names.items():
        if len(names) > 1 and all(languages_of[name] == 1 for name in language_names):
            raise MtbridgeError(
                f"{where}: aligned, but no example_id of '{language}' is that of another language; give translations "
                "one id, or set aligned: false"
            )
    return {
        language: Clusters(np.array([numbers[name] for name in language_names]), len(numbers))
        for language, language_names in names.items()
    }
