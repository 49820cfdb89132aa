"""Any dataset that the `datasets` library opens, by a mapping of names. It never runs the code of a dataset's author.

The library only says which files a split has, on the Hub or in a local folder; `tables` reads them, where text stays
text, and `hub` fetches them and holds them to a commit. Local files need no cache. See `opening`.

The keys of the source are those of `specs.source.Datasets`. Something in it must tell splits and languages apart, or
the same rows would be train and test.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import naming, opening, tables
from mtbridge.data.readers.drawing import drawn
from mtbridge.data.readers.languages import FEWER_LANGUAGES, check_languages
from mtbridge.data.readers.tables import Table
from mtbridge.specs.source import Datasets, splits_problem, their_language
from mtbridge.specs.task import SPLITS
from mtbridge.tasks.kinds import START, kind_of

NUMBER = tables.Number


def read(source: Datasets, task, split: str, language: str, limit=None, seed=0):
    """All rows of one split and language; `place(row, word)` names file and row. See `readers.Reader`."""
    naming.check_columns(source, task, split, language)
    if split == "test" or not source.dev_from_train:
        return _read(source, task, split, language)
    columns, place = _read(source, task, "train", language)
    dev = drawn(columns, task, source.dev_from_train, f"{seed}/{task.name}/dev")
    if len(dev) == len(columns["label"]):
        raise MtbridgeError(
            f"{place(0)}: {len(dev)} training examples ({language}), of which source.dev_from_train makes all dev; "
            "take fewer"
        )
    chosen = set(dev)
    kept = dev if split == "dev" else [row for row in range(len(columns["label"])) if row not in chosen]
    return (
        {name: [values[row] for row in kept] for name, values in columns.items()},
        lambda row, word=0: place(kept[row], word),
    )


def _read(source: Datasets, task, split: str, language: str) -> tuple[dict[str, list], Callable[..., str]]:
    """All rows of one split of the data in one language."""
    table = opening.open_split(source, task.name, split, language)
    rows: Sequence[int] = range(table.rows)
    if source.language_column:
        rows = _rows_in(source, source.language_column, table, language)
    kind, named = kind_of(task), naming.their_columns(source, split, language)
    naming.check_all_choices_are_read(task, named, table, rows)
    columns: dict[str, list] = {}
    for name in (*task.columns, *kind.labelled):
        theirs = naming.their_name(task, name, named)
        if name == START and name not in named and not table.has(theirs):
            columns[name] = [None] * len(rows)  # no file need say where an answer stands
            continue
        values = table.column(theirs, f"columns.{name}")
        columns[name] = [values[row] for row in rows]
    for name in task.columns:
        _check_texts(columns[name], kind.per_word, name, lambda row: table.place(rows[row]))
    labels = naming.their_labels(source, split, language)
    columns["label"] = [_label(value, labels) for value in columns["label"]]
    id_column = named.get("example_id")
    ids = _ids(table, id_column) if id_column else None
    if ids is not None and (missing := next((row for row in rows if _is_blank(ids[row])), None)) is not None:
        raise MtbridgeError(f"{table.place(missing)}: the column '{id_column}' is empty; expected an id")
    # Without a column of ids, the number of a row among those of its language: translations have the same.
    columns["example_id"] = [str(row) for row in range(len(rows))] if ids is None else [str(ids[row]) for row in rows]
    return columns, lambda row, word=0: table.place(rows[row] if len(rows) else 0)


def _ids(table: Table, name: str) -> list:
    """The ids of all rows, from one column, or from several that are joined by `+`; None where one is empty."""
    if name in table.columns or "+" not in name:
        return table.column(name, "columns.example_id")
    parts = [table.column(part.strip(), "columns.example_id") for part in name.split("+")]
    rows = zip(*parts, strict=True)
    return [None if any(map(_is_blank, row)) else "+".join(str(one) for one in row) for row in rows]


def _is_blank(value: object) -> bool:
    """Is it no id? A table without types has an empty text where there is no value."""
    return value is None or (isinstance(value, str) and not value.strip())


def _rows_in(source: Datasets, column: str, table: Table, language: str) -> list[int]:
    """The rows of a language, by the column that names it."""
    spoken = table.column(column, "language_column")
    if source.language_pattern:
        spoken = _parts(spoken, re.compile(source.language_pattern), table.place)
    check_languages(spoken, source.languages.values(), table.place)
    theirs = their_language(source, language)
    rows = [row for row, value in enumerate(spoken) if value == theirs]
    if not rows:
        known = ", ".join(sorted({str(value) for value in spoken})[:20])
        raise MtbridgeError(f"{table.path}: no row of the column '{column}' is '{theirs}'; it has {known}")
    return rows


def _parts(values: list, pattern: re.Pattern, place: Callable[[int], str]) -> list[str]:
    """The language in each value of a column. Raises MtbridgeError about a value that the pattern does not fit."""
    found = [pattern.fullmatch(str(value)) for value in values]
    if None in found:
        row = found.index(None)
        raise MtbridgeError(
            f"{place(row)}: '{str(values[row])[:40]}' does not fit source.language_pattern, {pattern.pattern}; mend "
            "the pattern, which must fit the whole value"
        )
    return [match[1] for match in found if match]


def available_languages(source: Datasets, task_name: str) -> set[str] | None:
    """The languages that have dev and test files; None if only opening the dataset would tell. See `readers.Reader`."""
    return None


def files(source: Datasets, task_name: str, split: str, language: str) -> list[Path]:
    """The local file, or all files of the local folder, that a split is read from; none on the Hub."""
    path = opening.local_path(source, task_name, _read_from(source, split), language)
    if path is None:
        return []
    if path.is_dir():
        # Without .git and the like, which hold no examples.
        inside = [file.relative_to(path) for file in path.rglob("*") if file.is_file()]
        return sorted(path / file for file in inside if not any(part.startswith(".") for part in file.parts))
    return [path] if path.is_file() else []


def _read_from(source: Datasets, split: str) -> str:
    """The split of the data that a split of ours is read from."""
    return "train" if split == "dev" and source.dev_from_train else split


def problems(source: Datasets, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with the keys of a source: pairs (key, message). See `readers.Reader`."""
    if not source.path:
        return []
    wrong = _contradictions(source)
    inside = [text for text in (source.path, source.config, source.folder, *source.splits.values()) if text]
    if (
        len({language for _, language in parts} - set(source.places)) > 1
        and not source.language_column
        and not any("{language}" in text for text in inside)
    ):
        wrong.append(
            (
                "path",
                "nothing tells the languages apart; put {language} into path, config or splits, or set language_column",
            )
        )
    read = [split for split in SPLITS if _read_from(source, split) == split]
    own = [split for split in read if {"train": source.train, "dev": source.dev}.get(split) is None]
    whole = {"path": source.path} | {f"places.{name}": place.path for name, place in source.places.items()}
    for key, text in whole.items():
        if opening.is_table(text) and "{split}" not in text and len(own) > 1:
            wrong.append((key, "one file for all splits: train would be test; put {split} into its name"))
    for part, language in parts:
        split = _read_from(source, part)
        path = opening.local_path(source, task_name, split, language)
        key = opening.key_of(source, split, language)
        if path is None:
            continue
        if opening.is_table(path) and not path.is_file():
            wrong.append((key, f"{path}: no such file ({language} {split}){FEWER_LANGUAGES}"))
        elif opening.is_local(path) and not path.exists():
            wrong.append((key, f"{path}: no such file or folder"))
    wrong += _shared_rows(source, parts)
    return wrong or _same_rows(source, parts, task_name)  # which would say the same in other words


def _same_rows(source: Datasets, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """Two parts that are read from the same rows of the same place, whatever the keys that say so.

    Dev and test may be the same rows where that is what the keys say; Table 3 tells of it.
    """
    first: dict[tuple, tuple[str, str]] = {}
    for part, language in parts:
        split = _read_from(source, part)
        which = opening.rows_of(source, task_name, split, language), source.language_column and language
        other, other_language = first.setdefault(which, (split, language))
        key = opening.key_of(source, split, language)
        if other_language != language:
            hint = ", or say in the task's dev_languages which of them have dev" if part == "dev" else ""
            return [(key, f"'{other_language}' and '{language}' would have the same rows; give each its own{hint}")]
        if other != split and "train" in (other, split):
            return [(key, f"{other} and {split} of '{language}' would have the same rows; give each its own")]
    return []


def _contradictions(source: Datasets) -> list[tuple[str, str]]:
    """Keys that say two things at once, or nothing."""
    wrong = []
    if source.dev_from_train and (source.dev or "dev" in source.splits):
        wrong.append(("dev_from_train", "draws dev from train, and another key says where dev is; delete one of them"))
    if source.language_pattern and not source.language_column:
        wrong.append(("language_pattern", "belongs to a language_column; name it"))
    named = {"path": source, "train": source.train, "dev": source.dev}
    for key, place in (named | {f"places.{name}": place for name, place in source.places.items()}).items():
        files = place is not None and (place.path or "").startswith(opening.ON_HUB)
        if place and files and (place.config or place.folder or place.revision):
            message = "names files; configuration, folder and revision belong to the name of a dataset: delete them"
            wrong.append((key, f"{place.path}: {message}"))
    return wrong


def _shared_rows(source: Datasets, parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Rows of train that are also rows of dev or test."""
    key = lambda place: (place.path, place.config, place.folder)
    of = lambda split: {
        key(place): place
        for place in (opening.place_of(source, split, language) for part, language in parts if part == split)
    }
    for place, train in of("train").items():
        others = [split for split in ("dev", "test") if _read_from(source, split) == split and place in of(split)]
        if others and (wrong := splits_problem(source, opening.default_splits(train), others)):
            return wrong
    return []


def _check_texts(values: list, per_word: bool, name: str, place) -> None:
    """Raise MtbridgeError unless a column holds texts, or in tagging lists of texts; None is reported elsewhere."""
    for row, value in enumerate(values):
        if per_word and value is not None and not isinstance(value, list):
            raise MtbridgeError(
                f"{place(row)}: the column '{name}' holds {_type(value)}; expected a list of words, which a .parquet, "
                ".json or .jsonl file can hold"
            )
        for text in value if per_word and value is not None else [value]:
            if text is not None and (not isinstance(text, str) or isinstance(text, NUMBER)):
                raise MtbridgeError(
                    f"{place(row)}: the column '{name}' holds {_type(text)}; expected a text: write it as text"
                )


def _type(value: object) -> str:
    """The words for the type of a value."""
    if isinstance(value, NUMBER):
        return f"the value {value}"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else f"{value!r:.40}"


def _label(value, names: dict[str, str]):
    """A label as the task spells it."""
    if isinstance(value, list):
        return [_label(one, names) for one in value]
    if value is None or (isinstance(value, float) and str(value) not in names):  # a number of a regression
        return value
    return names.get(str(value), str(value))
