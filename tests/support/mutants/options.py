"""JSON Lines of questions whose answers to choose from are a list."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.mutants import content
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant

KEY = "options"  # of the list
NAMES = ("a", "b", "c")  # what a task calls its items
COLUMNS = {name: f"{KEY}.{at}" for at, name in enumerate(NAMES)}


@dataclass
class Options:
    """Records with text, options, label."""

    rows: list[dict]

    def examples(self) -> list[dict]:
        """The records as examples."""
        return [
            {"text": row["text"]} | dict(zip(NAMES, row[KEY], strict=True)) | {"label": row["label"]}
            for row in self.rows
        ]

    def text(self) -> str:
        """The file."""
        return joined_lines([json.dumps(row, ensure_ascii=False) for row in self.rows])

    def with_row(self, at: int, **values) -> Options:
        """A copy with some values of a record changed."""
        made = copy.deepcopy(self)
        made.rows[at] |= values
        return made


def make(rng: random.Random) -> Options:
    """Five records."""
    return Options(
        [
            {"text": content.text(rng), KEY: rng.sample(content.WORDS, len(NAMES)), "label": "ABC"[at % 3]}
            for at in range(5)
        ]
    )


def changes(options: Options, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a file of lists."""
    base = options.examples()
    yield "none", mutant("nothing", options.text(), base, must=True)
    for name, of in (("columns", lists), ("values", items), ("case", labels)):
        for made in of(options, base):
            yield name, made
    for made in content.line_ends(options.text(), base, rng):
        yield "line ends", mutant(made.what, made.content, base, must=made.must and "CR" not in made.what)
    for made in content.encodings(options.text(), base, rng):
        yield "encoding", mutant(made.what, made.content, made.expected)


def lists(options: Options, base: list) -> Iterator[Mutant]:
    """Lists that are longer, shorter, nested, or no lists."""
    for at, row in enumerate(options.rows):
        own = row[KEY]
        for name, value in {
            "an item more": [*own, "more"],
            "an item more, in front": ["more", *own],
            "an item less": own[:-1],
            "no item": [],
            "nested": [own],
            "in lists of one": [[one] for one in own],
            "a text": json.dumps(own),
            "an object with an item more": dict(enumerate([*own, "more"])),
            "objects": [{"text": one} for one in own],
            "null": None,
        }.items():
            yield mutant(f"options: {name}", options.with_row(at, **{KEY: value}).text(), None)
        by_number = options.with_row(at, **{KEY: dict(enumerate(own))})
        yield mutant("options: an object of numbered items", by_number.text(), base)
        turned = options.with_row(at, **{KEY: own[::-1]})
        yield mutant("options: turned round", turned.text(), turned.examples(), "text for text")
    more = Options([{**row, KEY: [*row[KEY], "more"]} for row in options.rows])
    yield mutant("options: an item more in all records", more.text(), None)
    one = Options([{**row, KEY: "more"} for row in options.rows])
    yield mutant("options: a text in all records", one.text(), None)


def items(options: Options, base: list) -> Iterator[Mutant]:
    """Items that are no texts, or look like something else."""
    for place in range(len(NAMES)):
        replaced = lambda value, place=place: [*options.rows[1][KEY][:place], value, *options.rows[1][KEY][place + 1 :]]
        for value in (None, 7, 1.5, True, ["a"], {"a": 1}):
            yield mutant("an item is no text", options.with_row(1, **{KEY: replaced(value)}).text(), None)
        for value in (*content.AWKWARD, ""):
            made = options.with_row(1, **{KEY: replaced(value)})
            yield mutant("an item looks like something else", made.text(), made.examples())
    same = options.with_row(2, **{KEY: ["same"] * len(NAMES)})
    yield mutant("all items are the same", same.text(), None)


def labels(options: Options, base: list) -> Iterator[Mutant]:
    """Labels in other letters, and numbers for them."""
    for at, row in enumerate(options.rows):
        for value in (row["label"].lower(), "ABC".index(row["label"]), "D", [row["label"]], f"{row['label']} ", None):
            yield mutant("another label", options.with_row(at, label=value).text(), None)
