"""Sentences: meanings together with the form that they are said in, examples made of them, and documents of several."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mtbridge.data.world.answers import Answer
from mtbridge.data.world.drawing import Context, World
from mtbridge.data.world.lexicon import ANTONYM
from mtbridge.data.world.meanings import Meaning, Person
from mtbridge.data.world.realise import line


class Sentence(NamedTuple):
    """A meaning and the form of sentence that says it, one of its frame's in words/sentences.yaml."""

    meaning: Meaning
    form: str = "plain"


class Example(NamedTuple):
    """An example before it is put into a language: the sentences of each column, and the label.

    label: None in tagging; a sentence or an answer where a text is to be written.
    """

    columns: tuple[tuple[Sentence, ...], ...]
    label: str | Sentence | Answer | None


def _frames(**counts: int) -> tuple[str, ...]:
    """Frames to choose from, each as often as its count says."""
    return tuple(frame for frame, count in counts.items() for _ in range(count))


_TOPICAL = _frames(act=8, talk=1, attend=1, price=1, property=2, location=1, schedule=1, profession=1, catalogue=1)
NOISE = _frames(interact=2, route=1, weather=1, prices=1, listing=1)
# A document of running text opens with an organisation, whose name all languages share, and is dense in what belongs to
# its topic: from there small models learn which words go together. An article of the task nc names no organisation.
_OPENING = _frames(range=8, catalogue=1, price=1, location=1, schedule=1)
_TEXT = _frames(range=8, act=6, talk=1, attend=1, property=2, profession=1)
ARTICLE = _frames(deed=8, talk=1, attend=1, property=2, profession=1)
MIXED = _TOPICAL * 2 + NOISE * 2


def _forms(meaning: Meaning) -> list[str]:
    """The forms of statement that a meaning allows, commoner ones several times."""
    if meaning.frame == "act":
        forms = ["plain"] * 4 + ["report", "wants", "negated", "yes"]
        if isinstance(meaning.agent, Person):
            forms += ["claims"] * 2
        if meaning.time:
            forms += ["fronted"] * 2
        if meaning.place:
            forms += ["located"]
        if not meaning.second:
            forms += ["passive"] * 2
        if meaning.adjective in ANTONYM and not meaning.number:
            forms += ["because"] * 3
        return forms
    if meaning.frame == "interact":
        return ["plain", "plain", "passive", "report", "negated", "wants"] + ["fronted"] * bool(meaning.time)
    if meaning.frame == "route" and meaning.time:
        return ["plain", "fronted"]
    if meaning.frame == "property":
        return ["plain", "plain", "plain", "negated"]
    return ["plain"]


def forms_of_telling(meaning: Meaning) -> list[str]:
    """The forms that tell a deed, a meeting or a journey, and nothing more than it."""
    forms = ["plain"] + ["fronted"] * bool(meaning.time)
    if meaning.frame == "act":
        forms += ["located"] * bool(meaning.place)
    if meaning.frame != "route" and not meaning.second:
        forms += ["passive"]
    return forms


def balanced(rng: random.Random, labels: Sequence[str]) -> Iterator[str]:
    """Labels without end, in random order: all of them equally often in every stretch of ten times their number."""
    while True:
        stretch = [*labels] * 10
        rng.shuffle(stretch)
        yield from stretch


def nearest_in_length(right: Sentence, candidates: Iterable[Sentence]) -> Sentence:
    """The candidate whose English is most nearly as long as that of the `right` one.

    English decides for all languages, so that an example means the same in each.
    """

    def length(sentence: Sentence) -> int:
        return len(line(sentence.meaning, "en", sentence.form))

    return min(candidates, key=lambda sentence: abs(length(sentence) - length(right)))


def draw_sentence(world: World, context: Context, frames, previous: Meaning | None = None) -> Sentence:
    """A statement in a context, of one of the frames; after a `previous` one about the same agent it may say "also"."""
    rng = world.rng
    meaning = world.draw(rng.choice(frames), context)
    if meaning.frame == "act" and previous and previous.agent == meaning.agent and rng.random() < 0.4:
        return Sentence(meaning, "also")
    form = rng.choice(_forms(meaning))
    if form == "report":
        reporter = world.person()
        if reporter == meaning.agent:
            return Sentence(meaning)
        meaning = meaning._replace(reporter=reporter)
    return Sentence(meaning, form)


def document(world: World, length: int) -> Iterator[Sentence]:
    """Draw the sentences of a document: one topic, its people, organisation and place, and some noise of all topics."""
    context = world.context()
    previous = None
    for index in range(length):
        frames = (NOISE if world.rng.random() < 0.2 else _TEXT) if index else _OPENING
        sentence = draw_sentence(world, context, frames, previous)
        previous = sentence.meaning
        yield sentence
