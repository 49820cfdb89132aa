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
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import runs


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
    (string; for tagging list<string>, entity tags as IOB2; for regression a number).

    limit: the largest number of rows. dev and test keep their first rows; train keeps a sample drawn with `seed`, in
        file order. A ranking keeps whole queries. A generated source makes exactly `limit` examples and needs a limit.
    Raises MtbridgeError for anything that is wrong with the source, naming file and line, or key.
    """
    reader = _reader(source)
    if reader is None:
        kind = str(source.get("kind"))
        raise MtbridgeError(f"source.kind: '{kind}' is no kind of source; {nearest(kind, KINDS)}")
    columns, place = reader.read(source, task, split, language, limit, seed)
    _check(columns, task, place)
    columns["label"] = kind_of(task).labels(task, columns["label"])
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


def _check(columns: dict, task, place) -> None:
    """Raise MtbridgeError unless every example has a unique id, all texts, and a label that its kind of task allows."""
    if not columns["label"]:
        raise MtbridgeError(f"{place(0)}: holds no example; give the whole file")
    kind = kind_of(task)
    first_with: dict[str, int] = {}
    for row, example_id in enumerate(columns["example_id"]):
        if first_with.setdefault(example_id, row) != row:
            raise MtbridgeError(
                f"{place(row)}: the id '{example_id}' is already that of {place(first_with[example_id])}; "
                "an id must be unique within a file"
            )
        kind.check_label(task, columns, row, place)
    for column in task.columns:
        for row, text in enumerate(columns[column]):
            if text is None or (kind.per_word and None in text):
                raise MtbridgeError(f"{place(row)}: the column '{column}' is empty; expected a text")


def _rows_to_keep(columns, task, split, language, limit, seed):
    """Row numbers to keep, ascending, or None for all."""
    count = len(columns["label"])
    if limit is None or count <= limit:
        return None
    import numpy as np

    group = kind_of(task).group_column(task)
    starts = runs(columns[group]) if group else list(range(count + 1))
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
    kind, count = kind_of(task), len(columns["label"])
    text = pa.list_(pa.string()) if kind.per_word else pa.string()
    arrays = {
        "split": pa.array([split] * count, pa.string()),
        "language": pa.array([language] * count, pa.string()),
        "example_id": pa.array(columns["example_id"], pa.string()),
    }
    arrays |= {name: pa.array(columns[name], text) for name in task.columns}
    return pa.table(arrays | {"label": pa.array(columns["label"], kind.label_type())})
