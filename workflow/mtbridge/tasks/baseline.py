"""The baseline without a model: it says the same of every example, what English training data suggest most.

Classes: the most frequent one, with the classes' shares as scores. Numbers: their mean.
"""

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of


def predict_constant(task: Task, train, evaluation, output) -> None:
    """Write the baseline's predictions of a task's evaluation examples, in the columns of a model's.

    train, evaluation, output: Parquet files. Raises MtbridgeError if training has no label of the task.
    """
    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    kind = kind_of(task)
    rows = read_table(train, ["split", "label"]).to_pylist()
    found = kind.constant(task, [row["label"] for row in rows if row["split"] == "train"])
    if found is None:
        raise MtbridgeError(f"{train}: no example of split train with a label of the task; make it again")
    prediction, scores = found
    examples = read_table(evaluation, ["language", "split", "example_id", "label"])
    gold = examples["label"].to_pylist()
    columns = {name: examples[name] for name in ("language", "split", "example_id")}
    columns |= {
        "gold": examples["label"],
        "predicted": pa.array(kind.repeat(prediction, gold), kind.label_type()),
        "scores": pa.array(kind.repeat(scores, gold), kind.score_type()),
    }
    write_parquet(pa.table(columns), output)
