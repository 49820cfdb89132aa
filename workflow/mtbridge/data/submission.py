"""Predictions as XGLUE's evaluation program reads them: one file per task and language, one label per line.

    <folder>/<TASK>/<language>.prediction      TASK is the name of the release's folder: NER, POS, NC, XNLI, PAWSX, …

The lines follow the order of the release's file. PAWS-X has no header here, although its input has one. In tagging a
line is a word, and a blank line ends a sentence. A word without a prediction (cut off, or without a sub-word) is O, as
the evaluation program itself fills a sentence that is too short; a missing line would shift the labels after it.

What it gives up: rows that the reader left out (`ragged: drop`, limits on the number of examples) have no line, and
such a file does not fit the release's.
"""

from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import atomic_write, read_table
from mtbridge.data.readers.xglue import TASKS, kind_in_release


def export(predictions: dict, examples: dict, split: str, output) -> dict[str, dict[str, int]]:
    """Write the prediction files of one run per task; returns the number of labels: {task: {language: number}}.

    predictions, examples: task -> path of the Parquet file of predictions, and of the task's evaluation part.
    output: the folder to write, all of it or nothing; it may hold an older export.
    Raises MtbridgeError if the release has no such task, an example has no prediction, or `output` holds other files.
    """
    names = {folder for folder, _ in TASKS.values()}
    for path in Path(output).iterdir() if Path(output).is_dir() else ():
        if path.name not in names:
            raise MtbridgeError(f"--output: {output} holds '{path.name}', which is no export; give another folder")
    written: dict[str, dict[str, int]] = {}
    with atomic_write(output) as folder:
        for task, path in predictions.items():
            if task not in TASKS:
                raise MtbridgeError(f"task {task}: the release has no such task; {nearest(task, TASKS)}")
            target = folder / TASKS[task][0]
            target.mkdir(parents=True)
            written[task] = {}
            kind = kind_in_release(task)
            for language, labels in in_order(path, examples[task], split).items():
                content = "".join(kind.lines(labels))
                (target / f"{language}.prediction").write_text(content, encoding="utf-8")
                # A label has a line; what else a kind writes, such as the end of a sentence, is an empty one.
                written[task][language] = sum(line != "" for line in content.split("\n"))
    return written


def in_order(predictions, examples, split: str) -> dict[str, list]:
    """Predicted labels of a split in the order of the examples' file: {language: labels}; in tagging lists of labels.

    Raises MtbridgeError if an example has no prediction, or the split has no example.
    """
    keys = ["language", "split", "example_id"]
    table = read_table(predictions, [*keys, "predicted"])
    names = zip(*(table[key].to_pylist() for key in keys), strict=True)
    predicted = dict(zip(names, table["predicted"].to_pylist(), strict=True))
    wanted = read_table(examples, keys)
    found: dict[str, list] = {}
    for key in zip(*(wanted[name].to_pylist() for name in keys), strict=True):
        if key[1] != split:
            continue
        if key not in predicted:
            raise MtbridgeError(f"{predictions}: no prediction for {key[0]} {key[1]} example '{key[2]}'; predict again")
        found.setdefault(key[0], []).append(predicted[key])
    if not found:
        raise MtbridgeError(f"{examples}: no example of the split {split}; expected dev or test")
    return found


def of_run(results, recipe: str, model: str, seed: int, tasks: list[str] | None) -> tuple[dict, dict]:
    """Paths of a run's predictions and of their examples: two dicts, task -> path.

    tasks: the tasks to find; None means those of the release that have predictions.
    Raises MtbridgeError if one of them has no predictions, or none has.
    """
    folder = Path(results) / "predictions" / recipe / model
    there = sorted(path.parent.name for path in folder.glob(f"*/seed{seed}.parquet"))
    chosen = tasks if tasks is not None else [task for task in there if task in TASKS]
    for task in chosen:
        if task not in there:
            raise MtbridgeError(
                f"{folder}/{task}/seed{seed}.parquet: no such file; tasks there: {', '.join(there) or 'none'}"
            )
    if not chosen:
        raise MtbridgeError(f"{folder}: no predictions of seed {seed}; check --recipe, --model and --seed")
    predictions = {task: folder / task / f"seed{seed}.parquet" for task in chosen}
    return predictions, {task: Path(results) / "data" / task / "evaluation.parquet" for task in chosen}
