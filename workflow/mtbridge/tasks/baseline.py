"""The baseline without a model: one prediction for all examples, computed from the training labels.

Classes: the most frequent one, with the classes' shares as scores. Numbers: their mean.
"""

from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of


def predict_constant(task: Task, train: Path | str, evaluation: Path | str, output: Path | str) -> None:
    """Write the baseline's predictions of a task's evaluation examples, with the same columns as a model's.

    train, evaluation, output: Parquet files.

    Raises:
        MtbridgeError: no training example has a label of the task.
    """
    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    kind = kind_of(task)
    rows = read_table(train, ["split", "label"]).to_pylist()
    constant = kind.constant(task, [row["label"] for row in rows if row["split"] == "train"])
    if constant is None:
        raise MtbridgeError(f"{train}: no example of split train with a label of the task; make it again")
    prediction, scores = constant
    examples = read_table(evaluation, ["language", "split", "example_id", "label"])
    gold = examples["label"].to_pylist()
    columns = {name: examples[name] for name in ("language", "split", "example_id")}
    columns |= {
        "gold": examples["label"],
        "predicted": pa.array(kind.repeat(prediction, gold), kind.label_type()),
        "scores": pa.array(kind.repeat(scores, gold), kind.score_type()),
    }
    write_parquet(pa.table(columns), output)
