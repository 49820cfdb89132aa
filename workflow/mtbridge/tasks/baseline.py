"""The floor: the best score that needs no model, that of one answer to all examples of a language and split.

The answer is chosen on the gold labels of the very examples, by the task's sound metric, so no constant scores higher;
a model's score counts only if it is above it. Chance is not above it either: labels drawn at random are right for 1/K
of the examples, the most frequent of K labels for more; a ranking by one answer is a random order. Only a correlation
has no value for a constant; its floor is 0 (`inference.scores.as_zero`). Where answers are stretches of a text, one
answer is what stands at the same place of every text; where one of several is chosen, the longest or the shortest too.
"""

import math
from pathlib import Path
from typing import Any

from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import sound_value_of_columns


def predict_constant(task: Task, examples: Path | str, output: Path | str) -> None:
    """Write the floor's predictions of a task's evaluation examples, with the same columns as a model's.

    examples, output: Parquet files.
    """
    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    kind = kind_of(task)
    beside = kind.columns_beside(task)
    table = read_table(examples, list(dict.fromkeys(["language", "split", "example_id", "label", *beside.values()])))
    gold, languages = table["label"].to_pylist(), table["language"].to_pylist()
    known = {"language": languages} | {name: table[column].to_pylist() for name, column in beside.items()}
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(languages, table["split"].to_pylist(), strict=True)):
        rows_of.setdefault(key, []).append(row)

    predicted: list[Any] = [None] * len(gold)
    scores: list[Any] = [None] * len(gold)
    for rows in rows_of.values():
        own = {name: [values[row] for row in rows] for name, values in known.items()}
        answers = best_answers(task, [gold[row] for row in rows], own)
        for row, answer, answer_score in zip(rows, *answers, strict=True):
            predicted[row], scores[row] = answer, answer_score
    columns = {name: table[name] for name in ("language", "split", "example_id")}
    columns |= {
        "gold": table["label"],
        "predicted": pa.array(predicted, kind.label_type()),
        "scores": pa.array(scores, kind.score_type()),
    }
    write_parquet(pa.table(columns), output)


def best_answers(task: Task, gold: list, columns: dict[str, list]) -> tuple[list, list]:
    """The predictions without a model, and their scores, that have the best sound metric on examples of one language.

    The first, in the order of `Kind.constant_answers`, if several have.

    gold: the labels; columns: of the examples, `language` and those of `Kind.columns_beside`.
    """

    def value(answers: tuple[list, list]) -> float:
        found = sound_value_of_columns(task, gold, *answers, columns)
        return -math.inf if math.isnan(found) else found

    return max(kind_of(task).constant_answers(task, gold, columns), key=value)
