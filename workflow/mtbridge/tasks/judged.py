"""Examples with their predictions, as metrics take them, and what makes their scores say nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mtbridge.specs.task import Task

# An answer counts as the same to everything if it is given to so large a share of the examples while it is right for a
# share smaller than the second.
NEARLY_ALL, MOST = 0.95, 0.9


@dataclass(frozen=True)
class Judged:
    """The input of a metric: examples with their predictions.

    gold, predicted: one per example; in tagging a list of labels, with None for a word without a prediction.
    scores: [example, class], for kinds that have them.
    queries: the text of each row's query, in a ranking.
    references: all answers that are accepted for each row, for kinds that have some. language: of all rows.
    """

    task: Task
    gold: list
    predicted: list
    scores: np.ndarray | list | None = None
    queries: list[str] | None = None
    references: list[list[str]] | None = None
    language: str = ""


def each_row(judged: Judged) -> np.ndarray:
    """Every row is a unit of its own: [row] int."""
    import numpy as np

    return np.arange(len(judged.gold))


def has_one_answer(judged: Judged) -> bool:
    """Does the model give one answer, whatever it is asked?

    Words and numbers: the same to all. One label for an example: the same to all, or to 95 % of them while it is right
    for less than 90 %. A word without a prediction is no answer.

    It asks whether a score tells models apart; `tasks.kinds.kind.Kind.one_answer` asks on dev whether a run has learnt,
    which a model of a task with rare labels may have that predicts them half as often as they occur.
    """
    if isinstance(judged.predicted[0], list):
        return len({word for sentence in judged.predicted for word in sentence if word is not None}) <= 1
    (answer, times), *others = Counter(judged.predicted).most_common()
    total = len(judged.predicted)
    if not others or isinstance(answer, float):
        return not others
    return times >= NEARLY_ALL * total and judged.gold.count(answer) < MOST * total


def has_one_gold_class(judged: Judged) -> bool:
    """Have all examples (words) the same gold label? Then no answer to them tells models apart."""
    flat = judged.gold
    if isinstance(flat[0], list):
        flat = [word for sentence in flat for word in sentence]
    return len(set(flat)) <= 1
