"""Where examples come from: one interface, five kinds of source, one set of checks.

    generated   the project's own world (`mtbridge.data.world`)
    xglue       the files of the XGLUE release: a folder or its archive, local or on the Hub
    datasets    anything that the `datasets` library opens on the Hub, and local tables
    conllu      treebanks of Universal Dependencies
    squad       questions and answers in the JSON of SQuAD

A kind of source is a module of this package that offers what `Reader` declares, and a class of its keys in
`specs.source`. It returns the columns as they are in the file, and a function that names the place of a row and of a
word in it. What every example must fulfil is checked here, whoever read it, so that an error always names a place.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers.drawing import drawn
from mtbridge.specs.source import AnySource, Datasets, Xglue, read_source, their_language
from mtbridge.tasks.kinds import START, kind_of


@dataclass(frozen=True)
class Reader:
    """What a kind of source offers. All functions raise MtbridgeError, naming file and line, or key.

    read: (source, task, split, language, limit, seed) -> the columns of one split in one language as lists (example_id,
        the task's own, label, and of an extraction answer_start: where the file says that the answers begin), and
        `place(row, word=0)`, which names the place of a row or word for messages. Only a source that makes its examples
        needs `limit` and `seed`; of a file, all rows are returned.
    available_languages: (source, task name) -> the languages that have dev and test, or None where only reading the
        data would tell.
    files: (source, task name, split, language) -> the user's own files that `read` reads.
    problems: (source, parts, task name) -> what is wrong with the source's keys, or missing of the files of these parts
        (split, language): pairs (key, message). Reads no file.
    """

    read: Callable[..., tuple[dict[str, list], Callable[..., str]]]
    available_languages: Callable[[Any, str], set[str] | None]
    files: Callable[[Any, str, str, str], list[Path]]
    problems: Callable[[Any, list[tuple[str, str]], str], list[tuple[str, str]]]


def _generated() -> Reader:
    from mtbridge.data.readers import generated

    return Reader(generated.read, generated.available_languages, generated.files, generated.problems)


def _xglue() -> Reader:
    from mtbridge.data.readers import xglue

    return Reader(xglue.read, xglue.available_languages, xglue.files, xglue.problems)


def _datasets() -> Reader:
    from mtbridge.data.readers import datasets

    return Reader(datasets.read, datasets.available_languages, datasets.files, datasets.problems)


def _conllu() -> Reader:
    from mtbridge.data.readers import conllu

    return Reader(conllu.read, conllu.available_languages, conllu.files, conllu.problems)


def _squad() -> Reader:
    from mtbridge.data.readers import squad

    return Reader(squad.read, squad.available_languages, squad.files, squad.problems)


# Kind of source -> import of its module, which has the kind's name; a task needs only one of them.
READERS: dict[str, Callable[[], Reader]] = {
    "generated": _generated,
    "xglue": _xglue,
    "datasets": _datasets,
    "conllu": _conllu,
    "squad": _squad,
}


def modules_of_other_kinds(kind: str) -> frozenset[str]:
    """The modules that read other kinds of source, which therefore cannot change the examples of this kind."""
    return frozenset(f"{__name__}.{other}" for other in READERS if other != kind)


def read_examples(source: AnySource | dict, task, split: str, language: str, limit: int | None, seed: int):
    """The examples of `read_counted`, without their number in the source."""
    return read_counted(source, task, split, language, limit, seed)[0]


def read_counted(source: AnySource | dict, task, split: str, language: str, limit: int | None, seed: int):
    """The examples of one split in one language, in file order, as a pyarrow Table; and how many the source has.

    Columns: split, language, example_id, the task's text columns (for tagging `tokens`, list<string>) and label
    (string; for tagging list<string>, entity tags as IOB2; for regression a number). Of a generation also references
    (list<string>): all texts that are accepted, the label first. Of an extraction answer_start too (int64): the first
    character of the label in its context.

    source: a class of `specs.source`, or a mapping of its keys.
    limit: the largest number of rows, a sample drawn with `seed`, in file order. Which rows are drawn depends on their
        ids alone, so where rows of several languages have the same ids, they are the same in all. A ranking keeps whole
        queries. A generated source makes exactly `limit` examples and needs a limit.
    Raises MtbridgeError for anything that is wrong with the source, naming file and line, or key.
    """
    source = read_source(source)
    columns, place = READERS[source.kind]().read(source, task, split, language, limit, seed)
    if not columns["label"]:
        raise MtbridgeError(f"{place(0)}: holds no example; give the whole file")
    kind = kind_of(task)
    columns["label"] = kind.spelt(task, columns["label"], place)
    _check(columns, task, place)
    for row, what in kind.doubts(task, columns):
        print(f"{place(row)}: {what}, here the first", file=sys.stderr)
    if kind.spans:
        columns[START] = kind.places(task, columns, place)
    references = kind.references(columns["label"])
    if references is None:
        columns["label"] = kind.labels(task, columns["label"])
    else:
        columns |= {"references": references, "label": [texts[0] for texts in references]}
    cut = limit is not None and len(columns["label"]) > limit
    rows = drawn(columns, task, limit, f"{seed}/{task.name}/{split}") if cut and limit is not None else None
    return _table(columns, task, split, language, rows), len(columns["label"])


def available_languages(source: AnySource | dict, task_name: str) -> set[str] | None:
    """The languages that have both dev and test files, or None where only reading the data would tell.

    Costs a directory listing (a small archive: one pass over it per process) and imports neither pandas nor pyarrow.
    """
    source = read_source(source)
    return READERS[source.kind]().available_languages(source, task_name)


def files(source: AnySource, task_name: str, parts: Iterable[tuple[str, str]]) -> list[Path]:
    """The user's own files that parts are read from, sorted; `parts` are pairs (split, language)."""
    reader = READERS[source.kind]()
    return sorted({path for split, language in parts for path in reader.files(source, task_name, split, language)})


def may_be_on_hub(source: AnySource) -> bool:
    """Is any part of a source read from the Hub, as far as its keys tell?"""
    if isinstance(source, Datasets):
        from mtbridge.data.readers import opening

        return opening.may_be_on_hub(source)
    return isinstance(source, Xglue) and str(source.path).startswith("hf://")


def problems(source: AnySource, parts: list[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with a source of which parts (split, language) will be read: pairs (key, message)."""
    theirs: dict[str, str] = {}
    for ours in dict.fromkeys([*getattr(source, "languages", {}), *(language for _, language in parts)]):
        name = their_language(source, ours)
        if name in theirs:
            return [("languages", f"'{theirs[name]}' and '{ours}' are both '{name}': they would have the same rows")]
        theirs[name] = ours
    return READERS[source.kind]().problems(source, parts, task_name)


def _check(columns: dict, task, place) -> None:
    """Raise MtbridgeError unless every example has a unique id, all texts, and a label that its kind of task allows."""
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
        if not kind.per_word and not any(text.strip() for text in columns[column]):
            raise MtbridgeError(f"{place(0)}: no example has a text in '{column}'; take the column that holds them")


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
    arrays["label"] = pa.array(columns["label"], kind.label_type())
    if "references" in columns:
        arrays["references"] = pa.array(columns["references"], pa.list_(pa.string()))
    if kind.spans:
        arrays[START] = pa.array(columns[START], pa.int64())
    return pa.table(arrays)
