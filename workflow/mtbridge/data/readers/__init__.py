"""Where examples come from: one interface, four kinds of source, one set of checks.

    generated   the project's own world (`mtbridge.data.world`)
    xglue       the files of the XGLUE release, a folder or its archive, here or on the Hub (`readers.xglue`)
    datasets    anything that the `datasets` library opens, on the Hub or on disk (`readers.hub`)
    conllu      treebanks of Universal Dependencies (`readers.conllu`)

A reader returns its columns as they stand in the file and a function that says where a row (and a word of it) came
from. What must hold for every example, whoever read it, is checked here, so that an error always names a place.
"""

import zlib
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest

ENGLISH = "en"  # the language of training; every other one is zero-shot
# What each kind of source is read by.
MODULES = {
    "generated": ("mtbridge.data.world",),
    "xglue": ("mtbridge.data.readers.xglue", "mtbridge.data.readers.hub"),
    "datasets": ("mtbridge.data.readers.hub",),
    "conllu": ("mtbridge.data.readers.conllu",),
}
KINDS = tuple(MODULES)


def read_examples(source: dict, task, split: str, language: str, limit: int | None, seed: int):
    """The examples of one split in one language, in file order, as a pyarrow Table.

    Columns: split, language, example_id, the task's text columns (for tagging `tokens`, list<string>) and label
    (string; for tagging list<string>, entity tags as IOB2).

    limit: at most so many rows; the first ones of dev and test, a sample drawn with `seed` of train, in file order. A
    ranking keeps whole queries. A generated source makes exactly `limit` examples and needs one.
    Raises MtbridgeError for anything that is wrong with the source, naming file and line, or key.
    """
    columns, place = _reader(source)(source, task, split, language, limit, seed)
    _check(columns, task, place)
    if task.kind == "tagging" and any(label.startswith("B-") for label in task.labels):
        columns["label"] = [iob2(labels) for labels in columns["label"]]
    return _table(columns, task, split, language, _chosen(columns, task, split, language, limit, seed))


def available_languages(source: dict, task_name: str) -> set[str] | None:
    """The languages that have both dev and test files, or None where only reading the data would tell.

    Costs a directory listing (a small archive: one pass over it per process) and imports neither pandas nor pyarrow.
    """
    if source.get("kind") == "xglue":
        from mtbridge.data.readers import xglue

        return xglue.available_languages(source, task_name)
    if source.get("kind") == "conllu":
        from mtbridge.data.readers import conllu

        return conllu.available_languages(source, task_name)
    if source.get("kind") == "generated":
        from mtbridge.data.world import LANGUAGES

        return set(LANGUAGES)
    return None


def files(source: dict, task_name: str, splits: dict[str, list[str]]) -> list[str]:
    """The user's own files that splits are read from, languages of each in `splits`; none for other sources."""
    if source.get("kind") == "xglue":
        from mtbridge.data.readers import xglue

        return xglue.files(source, task_name, splits)
    if source.get("kind") in ("datasets", "conllu"):
        named = source.get("languages", {})
        pairs = [(split, named.get(one, one)) for split, languages in splits.items() for one in languages]
        paths = [Path(source["path"].replace("{split}", s).replace("{language}", one)) for s, one in pairs]
        return sorted({str(path) for path in paths if path.is_file()})
    return []


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
    """Where runs of equal texts begin, and at the end the number of texts: the queries of a ranking."""
    starts = [i for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]]
    return [*starts, len(texts)]


def _reader(source: dict):
    kind = source.get("kind")
    if kind == "generated":
        return _generated
    if kind == "xglue":
        from mtbridge.data.readers import xglue

        return xglue.read
    if kind == "datasets":
        from mtbridge.data.readers import hub

        return hub.read
    if kind == "conllu":
        from mtbridge.data.readers import conllu

        return conllu.read
    raise MtbridgeError(f"source.kind: '{kind}' is no kind of source; {nearest(kind, KINDS)}")


def _generated(source, task, split, language, limit, seed):
    from mtbridge.data.world.examples import examples

    if not limit:
        raise MtbridgeError(f"task {task.name}: a generated source needs a number of {split} examples; set it to > 0")
    found = examples(task.name, split, language, limit, seed)
    names = ("example_id", *task.columns, "label")
    columns = {name: [example[name] for example in found] for name in names}
    return columns, lambda row, word=0: f"generated {task.name} {language} {split}, example {row + 1}"


def _check(columns: dict, task, place) -> None:
    """What holds for every example: a known label, a unique id, texts that are there, one label a word."""
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


def _chosen(columns, task, split, language, limit, seed):
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
    # As many whole blocks as fit, and never none.
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
