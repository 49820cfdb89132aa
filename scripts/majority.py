"""The majority baseline: for every example (word) the class that is most frequent in English training data.

In   --train and --evaluation, examples of one task
Out  predictions as a model's: language, split, example_id, gold, predicted, scores (the classes' shares in training)
"""

import argparse

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command, ready


def main():
    from mtbridge.specs.options import add_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--train", required=True)
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from collections import Counter

    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    ready()
    tagging = arguments.kind == "tagging"
    train = read_table(arguments.train, ["split", "label"]).to_pylist()
    labels = [row["label"] for row in train if row["split"] == "train"]
    counts = Counter(word for sentence in labels for word in sentence) if tagging else Counter(labels)
    total = sum(counts[label] for label in arguments.labels)
    if total == 0:
        raise MtbridgeError(f"{arguments.train}: no example of split train with a label of the task; make it again")
    shares = [counts[label] / total for label in arguments.labels]
    most = arguments.labels[shares.index(max(shares))]

    examples = read_table(arguments.evaluation, ["language", "split", "example_id", "label"])
    gold = examples["label"]
    text, numbers = pa.string(), pa.list_(pa.float32())
    if tagging:
        words = [len(sentence) for sentence in gold.to_pylist()]
        predicted = pa.array([[most] * count for count in words], pa.list_(text))
        scores = pa.array([[shares] * count for count in words], pa.list_(numbers))
    else:
        predicted = pa.array([most] * len(gold), text)
        scores = pa.array([shares] * len(gold), numbers)
    columns = {name: examples[name] for name in ("language", "split", "example_id")}
    write_parquet(pa.table({**columns, "gold": gold, "predicted": predicted, "scores": scores}), arguments.output)


if __name__ == "__main__":
    command(main)
