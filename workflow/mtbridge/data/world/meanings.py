"""What can be said in the generated world: meanings, which part of the world each belongs to, and how they are drawn.

A meaning is language-free. Its *core* (the people, organisations or places it is about) decides by a stable hash
which partition it belongs to; corpora and the splits of the tasks are partitions, so what is said in one is said in no
other. What is derived from a meaning (a negation, a swap, a detail dropped) has the same core: it stays where it was.
"""

import random
import zlib
from functools import lru_cache
from typing import NamedTuple

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import lexicon, names
from mtbridge.data.world.grammar import (
    ADJECTIVES_OF_TOPIC,
    CATEGORIES,
    CATEGORIES_OF_TOPIC,
    CATEGORY_OF,
    JOBS_OF_TOPIC,
    ORGANISATION_VERBS,
    PERSONAL_VERBS,
)

# Shares in percent of all cores.
PARTITIONS = {"pretraining": 40, "parallel": 10, "heldout": 6, "train": 24, "dev": 10, "test": 10}
CORPORA = ("pretraining", "parallel", "heldout")
_BOUNDS = [name for name, share in PARTITIONS.items() for _ in range(share)]


class Person(NamedTuple):
    first: int  # index into names.FIRST_NAMES
    family: int  # index into names.FAMILY_NAMES

    @property
    def gender(self) -> str:
        return names.FIRST_NAMES[self.first][2]


class Meaning(NamedTuple):
    """A proposition. Which fields are used depends on the frame; the others are None."""

    frame: str
    topic: str | None = None
    agent: object = None  # Person, or an organisation's name
    verb: str | None = None
    thing: str | None = None  # a lemma of the lexicon
    patient: Person | None = None
    adjective: str | None = None
    count: int | None = None
    place: tuple | None = None  # ("city", index) or ("country", index)
    origin: tuple | None = None
    time: tuple | None = None  # ("weekday", 0-6), ("month", 1-12), ("date", month, day), ("year", y), ("today",), ...
    organisation: str | None = None
    name: str | None = None  # of a product or an event
    second: str | None = None  # a second thing
    others: tuple | None = None  # further things
    reporter: Person | None = None
    job: str | None = None
    detail: tuple | None = None  # codes of CLDR: territory, language, unit, currency; an hour
    negated: bool = False
    general: bool = False  # the thing is named by its hypernym


def core(meaning: Meaning) -> str:
    """What a meaning is about, as a string that derived meanings share."""
    frame = meaning.frame
    if frame == "interact":
        return "interact|{}|{}".format(*sorted(map(str, (tuple(meaning.agent), tuple(meaning.patient)))))
    if isinstance(meaning.agent, Person):
        return f"person|{meaning.agent.first}|{meaning.agent.family}"
    if frame in ("act", "price", "catalogue", "location", "range"):
        return f"organisation|{meaning.agent or meaning.organisation}|{CATEGORY_OF[meaning.thing]}"
    if frame == "schedule":
        return f"event|{meaning.name}"
    if frame == "property":
        return f"property|{CATEGORY_OF[meaning.thing]}|{meaning.place}"
    if frame == "search":
        return f"search|{meaning.thing}|{meaning.place}"
    if frame == "weather":
        return f"weather|{meaning.place}|{meaning.count}"
    if frame == "prices":
        return f"prices|{meaning.place}|{meaning.count}"
    return f"listing|{meaning.detail[0]}|{meaning.detail[1]}"


def partition(meaning: Meaning) -> str:
    """The partition that a meaning belongs to; with a name that does not occur in its own it belongs to pretraining."""
    part = _BOUNDS[zlib.crc32(core(meaning).encode()) * 2654435761 % 4294967296 % 100]
    persons = (someone for someone in (meaning.agent, meaning.patient) if isinstance(someone, Person))
    return part if all(_occurs(index, part) for person in persons for index in person) else "pretraining"


def _occurs(index: int, part: str) -> bool:
    return part in CORPORA or index % 3 != (0 if part == "train" else 2)


@lru_cache(None)
def occurring(part: str, count: int) -> tuple[int, ...]:
    """Which of a table's `count` names, or a category's nouns, occur in a partition.

    Text has all; train has two thirds, dev and test have two thirds, and half of these are not train's: what they are
    must be learnt from text.
    """
    return tuple(index for index in range(count) if _occurs(index, part))


@lru_cache(None)
def people(part: str) -> tuple[Person, ...]:
    """Everyone who lives in a partition."""
    everyone = (Person(i, j) for i in range(len(names.FIRST_NAMES)) for j in range(len(names.FAMILY_NAMES)))
    return tuple(person for person in everyone if partition(Meaning("profession", agent=person)) == part)


_ANY_EVENT = ("conference", "congress", "festival", "exhibition")


class Context(NamedTuple):
    """What the sentences of one document share."""

    topic: str
    agent: Person
    patient: Person
    organisation: str
    place: tuple


# Numbers that take the genitive plural in Russian.
COUNTS = tuple(n for n in range(5, 1000) if n % 10 in (0, 5, 6, 7, 8, 9))
SMALL_COUNTS = tuple(n for n in COUNTS if n <= 100)

_PRODUCT_KINDS = ("device", "vehicle", "software", "medicine", "garment", "furniture", "part", "product")


def _time(rng, kinds=("weekday", "weekday", "month", "date", "year", "today", "yesterday")):
    kind = rng.choice(kinds)
    if kind == "weekday":
        return (kind, rng.randrange(7))
    if kind == "month":
        return (kind, rng.randrange(1, 13))
    if kind == "date":
        return (kind, rng.randrange(1, 13), rng.randrange(2, 29))
    return (kind, rng.randrange(1990, 2026)) if kind == "year" else (kind,)


def _adjective(rng, topic):
    return rng.choice(ADJECTIVES_OF_TOPIC[topic if rng.random() < 0.5 else ""])


class World:
    """Draws meanings of one partition from a random generator: the same generator state, the same meaning."""

    def __init__(self, part: str, rng: random.Random):
        if part not in PARTITIONS:
            raise MtbridgeError(f"the generated world has no part '{part}'; {nearest(part, PARTITIONS)}")
        self.part, self.rng, self.people = part, rng, people(part)

    def one(self, table) -> int:
        """An index into a table of names or nouns, of one that occurs in the partition."""
        return self.rng.choice(occurring(self.part, len(table)))

    def city(self) -> tuple:
        return ("city", self.one(names.CITY_NAMES))

    def country(self) -> tuple:
        return ("country", self.one(names.COUNTRIES))

    def stem(self) -> str:
        """The first word of an organisation's, a product's or an event's name."""
        return names.STEMS[self.one(names.STEMS)]

    def holds(self, meaning: Meaning) -> bool:
        return partition(meaning) == self.part

    def person(self) -> Person:
        return self.rng.choice(self.people)

    def pair(self) -> tuple[Person, Person]:
        """Two people whose meetings belong to the partition; the first of them lives there."""
        while True:
            one, other = (
                self.person(),
                Person(self.one(names.FIRST_NAMES), self.one(names.FAMILY_NAMES)),
            )
            if one != other and partition(Meaning("interact", agent=one, patient=other)) == self.part:
                return one, other

    def context(self, topic: str | None = None) -> Context:
        rng = self.rng
        topic = topic or rng.choice(lexicon.TOPICS)
        organisation = f"{self.stem()} {rng.choice(names.SUFFIXES[topic])}"
        place = self.city() if rng.random() < 0.75 else self.country()
        return Context(topic, *self.pair(), organisation, place)

    def draw(self, frame: str, context: Context, **fixed) -> Meaning:
        """A meaning of the frame in the context. What the partition forbids is drawn again, at last out of context."""
        # A fixed thing leaves only the organisation to vary; otherwise try the document's own entities for a while.
        patience = 1 if "thing" in fixed else 5
        for attempt in range(10000):
            if attempt and attempt % patience == 0:
                context = self.context(context.topic)
            meaning = getattr(self, "_" + frame)(context)
            if fixed:
                meaning = meaning._replace(**fixed)
            if partition(meaning) == self.part:
                return meaning
        raise MtbridgeError(f"the generated world has no '{frame}' left in '{self.part}' with {sorted(fixed)} fixed")

    def category(self, topic, kinds=None):
        choices = CATEGORIES_OF_TOPIC[topic]
        if kinds:
            choices = [name for name in choices if CATEGORIES[name].kind in kinds]
        return CATEGORIES[self.rng.choice(choices)]

    def thing(self, category) -> str:
        """A noun of the category, one that occurs in the partition."""
        return category.nouns[self.one(category.nouns)]

    def _object(self, topic):
        """(category, thing, adjective, count, name of a product)"""
        rng = self.rng
        category = self.category(topic)
        thing = self.thing(category)
        chance = rng.random()
        adjective = _adjective(rng, topic) if chance < 0.45 else None
        count = rng.choice(SMALL_COUNTS) if 0.3 < chance < 0.55 and category.kind in ("goods", "work") else None
        name = None
        if chance > 0.85 and CATEGORY_OF[thing] in _PRODUCT_KINDS:
            name = f"{self.stem()} {rng.randrange(1, 100) * 10}"
        return category, thing, adjective, count, name

    def _deed(self, context):
        """An act of a person: no organisation's name tells the topic."""
        return self._act(context, person=True)

    def _act(self, context, person=False):
        rng = self.rng
        category, thing, adjective, count, name = self._object(context.topic)
        person = person or rng.random() < 0.65
        verbs = category.verbs
        if not person:
            verbs = [verb for verb in verbs if verb in ORGANISATION_VERBS]
        second = self.thing(category) if not (count or name or adjective) and rng.random() < 0.25 else None
        return Meaning(
            "act",
            context.topic,
            agent=context.agent if person else context.organisation,
            verb=rng.choice(verbs),
            thing=thing,
            adjective=adjective,
            count=count,
            name=name,
            second=None if second == thing else second,
            place=context.place if rng.random() < 0.7 else None,
            time=_time(rng) if rng.random() < 0.6 else None,
        )

    def _interact(self, context):
        rng = self.rng
        return Meaning(
            "interact",
            context.topic,
            agent=context.agent,
            verb=rng.choice(tuple(PERSONAL_VERBS)),
            patient=context.patient,
            place=context.place if rng.random() < 0.7 else None,
            time=_time(rng) if rng.random() < 0.6 else None,
        )

    def _route(self, context):
        rng = self.rng
        origin, place = rng.sample(occurring(self.part, len(names.CITY_NAMES)), 2)
        return Meaning(
            "route",
            context.topic,
            agent=context.agent,
            origin=("city", origin),
            place=("city", place),
            time=_time(rng) if rng.random() < 0.6 else None,
        )

    def _talk(self, context):
        rng = self.rng
        return Meaning(
            "talk",
            context.topic,
            agent=context.agent,
            thing=self.thing(self.category(context.topic)),
            place=context.place if rng.random() < 0.7 else None,
            time=_time(rng) if rng.random() < 0.6 else None,
        )

    def _attend(self, context):
        meaning = self._talk(context)
        attended = [name for name in CATEGORIES_OF_TOPIC[context.topic] if name in ("competition", "assembly", "show")]
        if not attended:
            return meaning
        return meaning._replace(frame="attend", thing=self.thing(CATEGORIES[attended[0]]))

    def _price(self, context):
        rng = self.rng
        thing = rng.choice(self.category(context.topic, ("goods", "work")).nouns)
        return Meaning(
            "price",
            context.topic,
            thing=thing,
            organisation=context.organisation,
            count=rng.choice(COUNTS),
            detail=(rng.choice(names.currencies()) if rng.random() < 0.6 else "EUR",),
            adjective=_adjective(rng, context.topic) if rng.random() < 0.3 else None,
        )

    def _catalogue(self, context):
        return self._price(context)._replace(frame="catalogue")

    def _range(self, context):
        """What an organisation has to offer: things of all its topic's categories."""
        rng = self.rng
        nouns = [noun for name in CATEGORIES_OF_TOPIC[context.topic] for noun in CATEGORIES[name].nouns]
        thing, *others = rng.sample(nouns, rng.randrange(4, 7))
        return Meaning(
            "range",
            context.topic,
            thing=thing,
            others=tuple(others),
            organisation=context.organisation,
            place=context.place if rng.random() < 0.2 else None,
        )

    def _property(self, context):
        rng = self.rng
        return Meaning(
            "property",
            context.topic,
            thing=self.thing(self.category(context.topic)),
            adjective=_adjective(rng, context.topic),
            place=context.place,
        )

    def _location(self, context):
        rng = self.rng
        return Meaning(
            "location",
            context.topic,
            thing=rng.choice(self.category(context.topic, ("place",)).nouns),
            adjective=_adjective(rng, context.topic) if rng.random() < 0.5 else None,
            organisation=context.organisation,
            place=context.place,
        )

    def _schedule(self, context):
        rng = self.rng
        return Meaning(
            "schedule",
            context.topic,
            thing=rng.choice(self._events(context.topic)),
            name=f"{self.stem()} {names.EVENTS[context.topic]} {rng.randrange(1990, 2026)}",
            place=context.place,
            time=_time(rng, ("weekday", "date")),
            detail=(rng.randrange(5, 13),),
        )

    def _events(self, topic):
        named = [name for name in CATEGORIES_OF_TOPIC[topic] if CATEGORIES[name].kind == "event"]
        return CATEGORIES[named[0]].nouns if named and topic != "health" else _ANY_EVENT

    def _profession(self, context):
        rng = self.rng
        return Meaning(
            "profession",
            context.topic,
            agent=context.agent,
            job=rng.choice(JOBS_OF_TOPIC[context.topic]),
            place=self.country(),
        )

    def _weather(self, context):
        rng = self.rng
        return Meaning(
            "weather",
            place=context.place,
            count=rng.choice(range(5, 21)),
            time=_time(rng, ("weekday", "date", "yesterday")),
        )

    def _prices(self, context):
        rng = self.rng
        return Meaning("prices", place=context.place, count=rng.randrange(1, 31), time=_time(rng, ("month", "year")))

    def _listing(self, context):
        rng = self.rng
        return Meaning(
            "listing",
            detail=(
                self.one(names.territories()),
                self.one(names.languages()),
                rng.choice(names.units()),
            ),
            count=rng.choice(COUNTS),
        )
