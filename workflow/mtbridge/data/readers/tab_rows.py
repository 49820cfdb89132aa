"""Rows of fields that are separated by tabs.

Nothing is stripped: an empty first or last field of a row is a field. There is no quoting: a quotation mark is a
character. A row with a wrong number of fields is an error, unless the source says otherwise (`ragged`).
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers.languages import check_languages
from mtbridge.data.readers.quoting import check_not_quoted
from mtbridge.specs.names import LANGUAGE
from mtbridge.specs.source import Xglue

# Columns of the XNLI distribution that are read, by their names in its header: id, language, label.
DISTRIBUTION = ("pairID", "language", "gold_label")
DISTRIBUTION_TEXTS = ("sentence1", "sentence2")


@dataclass(frozen=True)
class Fields:
    """Where the fields of a row stand. The label follows the texts.

    header: the names in the first line, if the file should have one; a file without it is read all the same.
    distribution: the file has the many columns of the XNLI distribution, named in its header.
    spellings: label in the file -> the task's label, below the source's `labels`.
    """

    header: tuple[str, ...] = ()
    id: int | None = None
    first_text: int = 0
    distribution: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """The numbers of a file's columns, resolved."""

    width: int
    texts: tuple[int, ...]
    label: int
    id: int | None = None
    language: int | None = None
    first_row: int = 0  # 1 below a header


def distribution_languages(lines: list[str], path: str) -> set[str]:
    """The languages in a file of the XNLI distribution."""
    columns = _distribution(lines, path)
    spoken = [line.split("\t")[columns.language or 0] for line in lines[1:] if line]
    check_languages(spoken, (), lambda row: f"{path}:{row + 2}", LANGUAGE)
    return set(spoken)


def read_rows(lines: list[str], path: str, fields: Fields, task, language: str, source: Xglue):
    """The rows of a file in one language: columns example_id, the task's own, label; and `place(row)`.

    Raises:
        MtbridgeError: a row does not have the fields of the task; the message has file and line.
    """
    names = {**fields.spellings, **source.labels}
    if fields.distribution:
        distribution_languages(lines, path)
    columns = _distribution(lines, path) if fields.distribution else _plain(lines, path, fields, task, names)
    found: dict[str, list] = {name: [] for name in ("example_id", *task.columns, "label")}
    numbers: list[int] = []
    joined, dropped = [], []
    for number, line in enumerate(lines[columns.first_row :], columns.first_row + 1):
        row = line.split("\t")
        if len(row) != columns.width:
            if source.ragged == "join" and len(row) > columns.width and _joins_last(task):
                last = columns.texts[-1]
                surplus = len(row) - columns.width
                row = [*row[:last], " ".join(row[last : last + surplus + 1]), *row[last + surplus + 1 :]]
                joined.append(number)
            elif source.ragged == "drop":
                dropped.append(number)
                continue
            else:
                raise _ragged(path, number, row, columns, task)
        if columns.language is not None and row[columns.language] != language:
            continue
        numbers.append(number)
        found["example_id"].append(str(number) if columns.id is None else row[columns.id])
        for name, at in zip(task.columns, columns.texts, strict=True):
            found[name].append(row[at])
        found["label"].append(names.get(row[columns.label], row[columns.label]))
    if numbers:
        check_not_quoted(f"{path}:{numbers[0]}", {name: found[name] for name in task.columns})
    for rows, what in ((joined, "with surplus tabs, turned into spaces"), (dropped, "ragged, left out")):
        if rows:
            print(f"{path}: {len(rows)} rows {what}, the first at line {rows[0]}", file=sys.stderr)
    return found, lambda row, word=0: f"{path}:{numbers[row] if numbers else len(lines)}"


def _joins_last(task) -> bool:
    """Does the task join its last columns into one text? A surplus tab between them changes nothing for a model."""
    return len(task.segments[-1]) > 1 and task.segments[-1][-1] == task.columns[-1]


def _ragged(path: str, number: int, row: list[str], columns: Columns, task) -> MtbridgeError:
    ways = "leave such rows out with ragged: drop"
    if len(row) > columns.width and _joins_last(task):
        ways = "say ragged: join (surplus tabs become spaces) or ragged: drop"
    return MtbridgeError(
        f"{path}:{number}: {len(row)} fields where {columns.width} are expected ({', '.join(task.columns)}, label); "
        f"mend the row, or {ways} in the source"
    )


def _plain(lines: list[str], path: str, fields: Fields, task, names: dict[str, str]) -> Columns:
    """The columns of a file with the task's own alone; its header, if it has one, must agree."""
    texts = tuple(range(fields.first_text, fields.first_text + len(task.columns)))
    columns = Columns(width=texts[-1] + 2, texts=texts, label=texts[-1] + 1, id=fields.id)
    first = lines[0].split("\t")
    if not fields.header or len(first) != columns.width:
        return columns
    label = first[columns.label]
    if label.casefold() not in ("label", "gold_label"):
        # No header. If the label is none of the task's, the check of labels names the line.
        return columns
    expected = [*fields.header[: fields.first_text], *task.columns, "label"]
    known = (fields.header, tuple(expected))
    for at, name in enumerate(first):
        if any(name in names and names.index(name) != at for names in known if len(names) == len(first)):
            raise MtbridgeError(
                f"{path}:1: the column '{name}' is number {at + 1} of the header; expected {', '.join(expected)} in "
                "this order"
            )
    return replace(columns, first_row=1)


def _distribution(lines: list[str], path: str) -> Columns:
    """The columns of a file of the XNLI distribution, found in its header."""
    header = lines[0].split("\t")
    for name in (*DISTRIBUTION, *DISTRIBUTION_TEXTS):
        if header.count(name) != 1:
            raise MtbridgeError(
                f"{path}:1: the header names '{name}' {header.count(name)} times, expected once; "
                f"{nearest(name, header) if len(header) < 40 else 'get the file again'}"
            )
    row_id, language, label = (header.index(name) for name in DISTRIBUTION)
    texts = tuple(header.index(name) for name in DISTRIBUTION_TEXTS)
    return Columns(len(header), texts, label, row_id, language, first_row=1)
