"""Which column of a table each column of a task is, and what cannot be right about that.

A column that two others are read from, or choices in another order than that of their list, give examples that look as
they should and are wrong. So they are refused where the names stand, before a table is read.
"""

import re
from collections.abc import Iterable, Mapping

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers import opening
from mtbridge.data.readers.tables import Table
from mtbridge.specs.source import Datasets
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of

ITEM = re.compile(r"(.+)\.([0-9]+)")  # of a list, as in options.0


def their_columns(source: Datasets, split: str, language: str) -> dict[str, str]:
    """Our column -> theirs, where a split in a language comes from."""
    place = opening.place_of(source, split, language)
    return source.columns if place is source else {**source.columns, **place.columns}


def their_labels(source: Datasets, split: str, language: str) -> dict[str, str]:
    """Their label -> ours, where a split in a language comes from."""
    place = opening.place_of(source, split, language)
    return source.labels if place is source else {**source.labels, **place.labels}


def their_name(task: Task, name: str, named: Mapping[str, str]) -> str:
    """What a table calls a column of the task, or a part of the label; named: `their_columns`."""
    return named.get(name, kind_of(task).their_columns.get(name, name))


def column_problems(source: Datasets, task: Task) -> list[tuple[str, str]]:
    """What is wrong with the names of columns, wherever examples come from: pairs (key, message)."""
    places = {"train": source.train, "dev": source.dev}
    places |= {f"places.{language}": place for language, place in source.places.items()}
    wrong = _problems(task, source.columns, "columns")
    for key, place in places.items():
        if place is not None and place.columns:
            wrong += _problems(task, {**source.columns, **place.columns}, f"{key}.columns")
    return wrong


def check_columns(source: Datasets, task: Task, split: str, language: str) -> None:
    """Raise MtbridgeError about names of columns that cannot be right, where a split in a language comes from."""
    for key, message in _problems(task, their_columns(source, split, language), "columns"):
        raise MtbridgeError(f"task {task.name}: source.{key}: {message}")


def _problems(task: Task, named: Mapping[str, str], key: str) -> list[tuple[str, str]]:
    """Names of columns that the task has not, that stand for the same column, or choices out of order."""
    ours = (*task.columns, *kind_of(task).labelled, "example_id")
    if odd := [name for name in named if name not in ours]:
        return [(f"{key}.{odd[0]}", f"'{odd[0]}' is no column of the task; {nearest(odd[0], ours)}")]
    first: dict[str, str] = {}
    for name in (*task.columns, *kind_of(task).labelled):
        theirs = their_name(task, name, named)
        if (other := first.setdefault(theirs, name)) != name:
            message = f"'{other}' and '{name}' are both '{theirs}' of the table; name a column for each"
            return [(key, message)]
    items = _items(task, named)
    if items and items != [f"{items[0].rpartition('.')[0]}.{at}" for at in range(len(items))]:
        message = f"choices are {', '.join(items)}; expected all items of one list in its order, from 0: labels name "
        return [(key, message + "them in the order of the task's `choices`")]
    return []


def _items(task: Task, named: Mapping[str, str]) -> list[str]:
    """What a table calls the choices, where all of them are items of a list; else nothing."""
    theirs = [their_name(task, name, named) for name in task.choices]
    found = [ITEM.fullmatch(name) for name in theirs]
    return theirs if len({match and match[1] for match in found}) == 1 and None not in found else []


def check_all_choices_are_read(task: Task, named: Mapping[str, str], table: Table, rows: Iterable[int]) -> None:
    """Raise MtbridgeError about a list of choices that has more than the task: an example would lose some of them."""
    items = _items(task, named)
    whole = items[0].rpartition(".")[0] if items else ""
    if not items or items[0] in table.columns or not table.has(whole):
        return
    values = table.column(whole, "columns")
    for row in rows:
        value = values[row]
        # An object may have its items by number too.
        numbered = [key for key in value if key.isdecimal()] if isinstance(value, dict) else value
        if isinstance(numbered, list) and len(numbered) > len(items):
            raise MtbridgeError(
                f"{table.place(row)}: the column '{whole}' has {len(numbered)} items, the task {len(items)} choices; "
                "give the task as many, or leave the row out"
            )
