"""Questions and answers in SQuAD's JSON."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.mutants import content
from tests.support.mutants.mutant import Mutant, mutant

KEYS = ("data", "paragraphs", "context", "qas", "id", "question", "answers", "text", "answer_start")


@dataclass
class Questions:
    """A file: articles of one paragraph with two questions each."""

    articles: list[dict]

    def all(self) -> Iterator[tuple[str, dict]]:
        """Every context with each of its questions."""
        for article in self.articles:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    yield paragraph["context"], question

    def examples(self) -> list[dict]:
        """The questions as examples."""
        return [
            {
                "question": question["question"],
                "context": context,
                "label": question["answers"][0]["text"],
                "references": list(dict.fromkeys(answer["text"] for answer in question["answers"])),
                "answer_start": question["answers"][0]["answer_start"],
            }
            for context, question in self.all()
        ]

    def text(self, **style) -> str:
        """The file."""
        return json.dumps({"version": "1.1", "data": self.articles}, **{"ensure_ascii": False, "indent": 1, **style})

    def changed(self, change: Callable[[Questions], Any]) -> Questions:
        """A copy, changed by a function."""
        made = copy.deepcopy(self)
        change(made)
        return made

    def at(self, number: int) -> dict:
        """A question by its number."""
        return [question for _, question in self.all()][number]


def make(rng: random.Random) -> Questions:
    """Two articles. A word stands twice in each context, and the second place is the answer's."""
    articles = []
    for number in range(2):
        words = [*rng.sample(content.WORDS, 6), "twice"]
        context = f"{content.text(rng)} twice {' '.join(words)}."
        places = [(word, context.rindex(word)) for word in (words[0], "twice")]
        asked = enumerate(places)
        qas = [
            {
                "id": f"q{number}{at}",
                "question": f"{content.text(rng)}?",
                "answers": [{"text": word, "answer_start": start}],
            }
            for at, (word, start) in asked
        ]
        articles.append({"title": f"t{number}", "paragraphs": [{"context": context, "qas": qas}]})
    return Questions(articles)


def changes(questions: Questions, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a file of questions."""
    base = questions.examples()
    yield "none", mutant("nothing", questions.text(), base, must=True)
    for name, of in (("columns", keys), ("rows", rows), ("values", values), ("quoting", marks), ("separators", marks)):
        for made in of(questions, base, rng) if of is not marks else marks(questions, base, rng, name):
            yield name, made
    for made in content.line_ends(questions.text(), base, rng):
        yield "line ends", made
    for made in content.encodings(questions.text(), base, rng):
        yield "encoding", mutant(made.what, made.content, made.expected)


def keys(questions: Questions, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Keys gone, renamed, twice; the same content in other forms."""
    text = questions.text(indent=None)
    for key in KEYS:
        for new in (key.upper(), key + " ", "x"):
            # Where an answer stands need not be said; the first place is then as good as any.
            found, reason = (_without_places(base), "text for text") if key == "answer_start" else (None, None)
            yield mutant("a key renamed", text.replace(f'"{key}"', f'"{new}"'), found, reason)
        one = text.replace(f'"{key}": ', f'"{key}": null, "{key}": ', 1)
        yield mutant("a key twice", one, None)
        if key != "answer_start":
            yield mutant("a value is null", text.replace(f'"{key}": ', f'"{key}": null, "_": ', 1), None)
    for name, form in {
        "the list alone": json.dumps(questions.articles),
        "rows": json.dumps([question for _, question in questions.all()]),
        "no article": json.dumps({"data": []}),
        "an article a line": "".join(json.dumps(one) + "\n" for one in questions.articles),
        "as text": json.dumps(text),
    }.items():
        yield mutant(name, form, None)
    yield mutant("without white space", questions.text(indent=None, separators=(",", ":")), base, must=True)
    yield mutant("escaped", questions.text(ensure_ascii=True), base, must=True)


def _without_places(base: list) -> list:
    return [{**row, "answer_start": row["context"].index(row["label"])} for row in base]


def rows(questions: Questions, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Questions gone, twice, in another place; articles in another order; the end cut."""
    for number in range(len(base)):
        article, own = divmod(number, 2)
        place = lambda made, article=article: made.articles[article]["paragraphs"][0]["qas"]
        less = questions.changed(lambda made, own=own, place=place: place(made).pop(own))
        yield mutant("a question gone", less.text(), less.examples(), "row gone")
        twice = questions.changed(lambda made, own=own, place=place: place(made).append(place(made)[own]))
        yield mutant("a question twice", twice.text(), None)
        other = copy.deepcopy(questions)
        other.articles[1 - article]["paragraphs"][0]["qas"].append(place(other).pop(own))
        stands = all(row["label"] in row["context"] for row in other.examples())
        expected = [{**row, "answer_start": _nearest(row)} for row in other.examples()] if stands else None
        yield mutant("a question below another context", other.text(), expected, "order" if stands else None)
    turned = questions.changed(lambda made: made.articles.reverse())
    yield mutant("articles turned round", turned.text(), turned.examples(), "order")
    text = questions.text()
    for cut in range(1, 60, 4):
        yield mutant("the end cut", text[:-cut], None)


def _nearest(row: dict) -> int:
    """Where the label stands that is nearest to what the file says."""
    context, label = row["context"], row["label"]
    places = [at for at in range(len(context)) if context.startswith(label, at)]
    return min(places, key=lambda at: (abs(at - row["answer_start"]), at))


def values(questions: Questions, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Values of another type, answers that do not stand in the context, places that are none."""
    for number in range(len(base)):
        change = functools.partial(_with_values, questions, number)
        answer = questions.at(number)["answers"][0]
        for value in ("", " ", None, 7, True, ["a"], {"a": 1}):
            yield mutant("a question is no text", change({"question": value}).text(), None)
            yield mutant("an answer is no text", change({"answers": [{**answer, "text": value}]}).text(), None)
        for value in (answer["text"].upper(), answer["text"] + "x", answer["text"] + "\u200b", "e\u0301"):
            yield mutant("an answer stands nowhere", change({"answers": [{**answer, "text": value}]}).text(), None)
        for value in (1.5, "first", True, [1], {"a": 1}, float("nan")):
            yield mutant("a place is no number", change({"answers": [{**answer, "answer_start": value}]}).text(), None)
        for value in (answer["answer_start"] + 1, answer["answer_start"] + 9, 0):
            made = change({"answers": [{**answer, "answer_start": value}]})
            expected = [{**row, "answer_start": _nearest(row)} for row in made.examples()]
            yield mutant("another place", made.text(), expected, None if expected == base else "text for text")
        for value in ("true", 1, "false", None, []):
            yield mutant("impossible is a word", change({"is_impossible": value}).text(), None)
        yield mutant("impossible", change({"is_impossible": True}).text(), None)
        yield mutant("possible", change({"is_impossible": False}).text(), base, must=True)
        yield mutant("no answers", change({"answers": []}).text(), None)
        yield mutant("answers as rows have them", change({"answers": {"text": [answer["text"]]}}).text(), None)
        yield mutant("an answer twice", change({"answers": [answer, answer]}).text(), base, must=True)


def _with_values(questions: Questions, number: int, values: dict) -> Questions:
    """A copy with some values of a question changed."""
    made = copy.deepcopy(questions)
    made.at(number).update(values)
    return made


def marks(questions: Questions, base: list, rng: random.Random, which: str) -> Iterator[Mutant]:
    """Marks of JSON gone or twice."""
    text = questions.text(indent=None)
    signs = '"' if which == "quoting" else ",:{}[]"
    for at in rng.sample([at for at, sign in enumerate(text) if sign in signs], 25):
        yield mutant(f"a {text[at]} gone", text[:at] + text[at + 1 :], None)
        yield mutant(f"a {text[at]} twice", text[:at] + text[at] + text[at:], None)
