"""JSON: lists of words and of labels."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.support.mutants import tags
from tests.support.mutants.mutant import Mutant, mutant

if TYPE_CHECKING:
    from tests.support.mutants.records import Records


def changes(records: Records, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Lists of words and labels: other schemes, other lengths, other shapes."""
    if not records.words:
        return
    if records.entities:
        for name, written, iob2, reason in tags.schemes([row["label"] for row in records.rows], rng):
            rows = [{**row, "label": new} for row, new in zip(records.rows, written, strict=True)]
            found = [{**one, "label": new} for one, new in zip(base, iob2, strict=True)]
            yield mutant(name, records.text(rows), found, reason)
    for at, row in enumerate(records.rows):
        words, labels = row["tokens"], row["label"]
        for what, new in {
            "a label less": {"label": labels[1:]},
            "a label more": {"label": [*labels, labels[-1]]},
            "a word less": {"tokens": words[:-1]},
            "labels are nested": {"label": [labels]},
            "words are nested": {"tokens": [words]},
            "words are a text": {"tokens": " ".join(words)},
            "labels are a text": {"label": " ".join(labels)},
            "words are a list as text": {"tokens": str(words)},
            "words and labels are lists as text": {"tokens": json.dumps(words), "label": json.dumps(labels)},
            "words and labels are texts": {"tokens": " ".join(words), "label": " ".join(labels)},
            "words and labels are one text each": {"tokens": words[0], "label": labels[0]},
            "words as long as the labels' letters": {"tokens": "ab", "label": labels[:2]},
            "a null among words": {"tokens": [None, *words[1:]]},
            "a list among words": {"tokens": [[words[0]], *words[1:]]},
            "a null among labels": {"label": [None, *labels[1:]]},
            "no words": {"tokens": []},
            "no words and no labels": {"tokens": [], "label": []},
            "words are null": {"tokens": None},
            "words with numbers for keys": {"tokens": dict(enumerate(words)), "label": dict(enumerate(labels))},
        }.items():
            one = [*records.rows[:at], {**row, **new}, *records.rows[at + 1 :]]
            yield mutant(what, records.text(one), base if what == "words and labels are lists as text" else None)
        for value, letters in ((1.1, "1.1"), (True, "true"), (7, "7")):
            one = [*records.rows[:at], {**row, "tokens": [value, *words[1:]]}, *records.rows[at + 1 :]]
            kept = [*base[:at], {**base[at], "tokens": [letters, *words[1:]]}, *base[at + 1 :]]
            yield mutant(f"the value {letters} among words", records.text(one), kept)
    for key, turn in (("tokens", " ".join), ("tokens", str), ("label", " ".join), ("tokens", lambda words: words[0])):
        yield mutant(f"all {key} are texts", records.text([{**row, key: turn(row[key])} for row in records.rows]), None)
    for turn in (" ".join, str, json.dumps):
        both = [{**row, "tokens": turn(row["tokens"]), "label": turn(row["label"])} for row in records.rows]
        yield mutant("all words and labels are texts", records.text(both), base if turn is not str else None)
    letters = [{**row, "tokens": "abcdefghij"[: len(row["label"])]} for row in records.rows]
    yield mutant("texts as long as the lists of labels", records.text(letters), None)
