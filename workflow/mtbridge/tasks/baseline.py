"""The floor: the best score that needs no model, that of one answer to all examples of a language and split.

The answer is chosen on the gold labels of the very examples, by the task's sound metric, so no constant scores higher;
a model's score counts only if it is above it. Chance is not above it either: labels drawn at random are right for 1/K
of the examples, the most frequent of K labels for more; a ranking by one answer is a random order. Only a correlation
has no value for a constant; its floor is 0 (`inference.scores.as_zero`).
"""

import math
from pathlib import Path
from typing import Any

from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import sound_value


def predict_constant(task: Task, examples: Path | str, output: Path | str) -> None:
    """Write the floor's predictions of a task's evaluation examples, with the same columns as a model's.

    examples, output: Parquet files.
    """
    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    kind = kind_of(task)
    group = kind.group_column(task)
    table = read_table(examples, ["language", "split", "example_id", "label", *([group] if group else [])])
    gold, queries = table["label"].to_pylist(), table[group].to_pylist() if group else None
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(table["language"].to_pylist(), table["split"].to_pylist(), strict=True)):
        rows_of.setdefault(key, []).append(row)

    predicted: list[Any] = [None] * len(gold)
    scores: list[Any] = [None] * len(gold)
    for rows in rows_of.values():
        own = [gold[row] for row in rows]
        prediction, score = best_constant(task, own, [queries[row] for row in rows] if queries else None)
        answers = kind.repeat(prediction, own), kind.repeat(score, own)
        for row, answer, answer_score in zip(rows, *answers, strict=True):
            predicted[row], scores[row] = answer, answer_score
    columns = {name: table[name] for name in ("language", "split", "example_id")}
    columns |= {
        "gold": table["label"],
        "predicted": pa.array(predicted, kind.label_type()),
        "scores": pa.array(scores, kind.score_type()),
    }
    write_parquet(pa.table(columns), output)


def best_constant(task: Task, gold: list, queries: list[str] | None = None) -> tuple:
    """The answer, and its scores, whose constant has the best sound metric; the first in the task's order if several
    have. gold: the labels of all examples; queries: see `judged.Judged`."""
    kind = kind_of(task)

    def value(constant: tuple) -> float:
        answers = kind.repeat(constant[0], gold), kind.repeat(constant[1], gold)
        found = sound_value(task, gold, *answers, queries)
        return -math.inf if math.isnan(found) else found

    return max(kind.constants(task, gold), key=value)
