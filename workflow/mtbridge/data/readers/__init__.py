"""Where examples come from: one interface, four kinds of source, one set of checks.

    generated   the project's own world (`mtbridge.data.world`)
    xglue       the files of the XGLUE release: a folder or its archive, local or on the Hub
    datasets    anything that the `datasets` library opens, on the Hub or on disk
    conllu      treebanks of Universal Dependencies

A kind of source is a module of this package that offers what `Reader` declares. It returns the columns as they are in
the file, and a function that names the place of a row and of a word in it. What every example must fulfil is checked
here, whoever read it, so that an error always names a place.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from mtbridge.base.errors import MtbridgeError, nearest


@dataclass(frozen=True)
class Reader:
    """What a kind of source offers. All functions raise MtbridgeError, naming file and line, or key.

    read: (source, task, split, language, limit, seed) -> the columns of one split in one language as lists (example_id,
        the task's own, label), and `place(row, word=0)`, which names the place of a row or word for messages. Only a
        source that makes its examples needs `limit` and `seed`; of a file, all rows are returned.
    available_languages: (source, task name) -> the languages that have dev and test, or None where only reading the
        data would tell.
    files: (source, task name, {split: languages}) -> the user's own files that splits are read from.
    """

    read: Callable[..., tuple[dict[str, list], Callable[..., str]]]
    available_languages: Callable[[dict, str], set[str] | None]
    files: Callable[[dict, str, dict[str, list[str]]], list[str]]


def _generated() -> Reader:
    from mtbridge.data.readers import generated

    return Reader(generated.read, generated.available_languages, generated.files)


def _xglue() -> Reader:
    from mtbridge.data.readers import xglue

    return Reader(xglue.read, xglue.available_languages, xglue.files)


def _datasets() -> Reader:
    from mtbridge.data.readers import datasets

    return Reader(datasets.read, datasets.available_languages, datasets.files)


def _conllu() -> Reader:
    from mtbridge.data.readers import conllu

    return Reader(conllu.read, conllu.available_languages, conllu.files)


# Kind of source -> import of its module, which has the kind's name; a task needs only one of them.
READERS: dict[str, Callable[[], Reader]] = {
    "generated": _generated,
    "xglue": _xglue,
    "datasets": _datasets,
    "conllu": _conllu,
}
KINDS = tuple(READERS)


def modules_of_other_kinds(kind: str) -> frozenset[str]:
    """The modules that read other kinds of source, which therefore cannot change the examples of this kind."""
    return frozenset(f"{__name__}.{other}" for other in READERS if other != kind)


def _reader(source: dict) -> Reader | None:
    kind = source.get("kind")
    return READERS[kind]() if kind in KINDS else None


def read_examples(source: dict, task, split: str, language: str, limit: int | None, seed: int):
    """The examples of one split in one language, in file order, as a pyarrow Table.

    Columns: split, language, example_id, the task's text columns (for tagging `tokens`, list<string>) and label
    (string; for tagging list<string>, entity tags as IOB2).

    limit: the largest number of rows. dev and test keep their first rows; train keeps a sample drawn with `seed`, in
        file order. A ranking keeps whole queries. A generated source makes exactly `limit` examples and needs a limit.
    Raises MtbridgeError for anything that is wrong with the source, naming file and line, or key.
    """
    reader = _reader(source)
    if reader is None:
        kind = source.get("kind")
        raise MtbridgeError(f"source.kind: '{kind}' is no kind of source; {nearest(kind, KINDS)}")
    columns, place = reader.read(source, task, split, language, limit, seed)
    _check(columns, task, place)
    if task.kind == "tagging" and any(label.startswith("B-") for label in task.labels):
        columns["label"] = [iob2(labels) for labels in columns["label"]]
    return _table(columns, task, split, language, _rows_to_keep(columns, task, split, language, limit, seed))


def available_languages(source: dict, task_name: str) -> set[str] | None:
    """The languages that have both dev and test files, or None where only reading the data would tell.

    Costs a directory listing (a small archive: one pass over it per process) and imports neither pandas nor pyarrow.
    """
    reader = _reader(source)
    return reader.available_languages(source, task_name) if reader else None


def files(source: dict, task_name: str, splits: dict[str, list[str]]) -> list[str]:
    """The user's own files that splits are read from; `splits` maps a split to its languages."""
    reader = _reader(source)
    return reader.files(source, task_name, splits) if reader else []


def iob2(labels: list[str]) -> list[str]:
    """Entity tags of one sentence as IOB2: every entity begins with B-. The entities stay the same.

    In IOB1 an entity begins with I-, and with B- only right after another one of its type.
    """
    out, before = [], "O"
    for label in labels:
        begins = label.startswith("I-") and before[2:] != label[2:]
        out.append("B-" + label[2:] if begins else label)
        before = label
    return out


def blocks(texts: list[str]) -> list[int]:
    """The queries of a ranking: where each run of equal texts begins, and at the end the number of texts."""
    starts = [i for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]]
    return [*starts, len(texts)]


def _check(columns: dict, task, place) -> None:
    """Raise MtbridgeError unless every example has a known label, a unique id, all texts, and one label per word."""
    if not columns["label"]:
        raise MtbridgeError(f"{place(0)}: holds no example; give the whole file")
    valid = set(task.labels)
    first_with: dict[str, int] = {}
    for row, (example_id, label) in enumerate(zip(columns["example_id"], columns["label"], strict=True)):
        if first_with.setdefault(example_id, row) != row:
            raise MtbridgeError(
                f"{place(row)}: the id '{example_id}' is already that of {place(first_with[example_id])}; "
                "an id must be unique within a file"
            )
        if task.kind == "tagging" and len(label) != len(columns["tokens"][row]):
            raise MtbridgeError(
                f"{place(row)}: {len(columns['tokens'][row])} words but {len(label)} labels; expected one a word"
            )
        for word, value in enumerate(label if task.kind == "tagging" else (label,)):
            if value not in valid:
                raise MtbridgeError(
                    f"{place(row, word)}: the label '{value}' is none of the task {task.name}; {nearest(value, valid)}"
                )
    for column in task.columns:
        for row, text in enumerate(columns[column]):
            if text is None or (task.kind == "tagging" and None in text):
                raise MtbridgeError(f"{place(row)}: the column '{column}' is empty; expected a text")


def _rows_to_keep(columns, task, split, language, limit, seed):
    """Row numbers to keep, ascending, or None for all."""
    count = len(columns["label"])
    if limit is None or count <= limit:
        return None
    import numpy as np

    starts = blocks(columns[task.columns[0]]) if task.kind == "ranking" else list(range(count + 1))
    order = np.arange(len(starts) - 1)
    if split == "train":
        stream = zlib.crc32(f"{task.name}/{language}/{split}".encode())
        order = np.random.default_rng([seed, stream]).permutation(order)
    sizes = np.diff(starts)[order]
    # As many whole blocks as fit into the limit, but at least one.
    fitting = max(1, int(np.searchsorted(np.cumsum(sizes), limit, side="right")))
    return [row for block in sorted(order[:fitting]) for row in range(starts[block], starts[block + 1])]


def _table(columns, task, split, language, rows):
    import pyarrow as pa

    if rows is not None:
        columns = {name: [values[row] for row in rows] for name, values in columns.items()}
    text = pa.list_(pa.string()) if task.kind == "tagging" else pa.string()
    count = len(columns["label"])
    arrays = {
        "split": pa.array([split] * count, pa.string()),
        "language": pa.array([language] * count, pa.string()),
        "example_id": pa.array(columns["example_id"], pa.string()),
    }
    arrays |= {name: pa.array(columns[name], text) for name in (*task.columns, "label")}
    return pa.table(arrays)
