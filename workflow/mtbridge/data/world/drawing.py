"""How meanings are drawn: a world holds the people, names and things of one partition, and draws meanings of them."""

import random
from collections.abc import Callable
from typing import NamedTuple

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import names
from mtbridge.data.world.lexicon import (
    ADJECTIVES_OF_TOPIC,
    CATEGORIES,
    CATEGORIES_OF_TOPIC,
    CATEGORY_OF,
    EVENT_WORDS,
    GENERAL_ADJECTIVES,
    GENERAL_EVENTS,
    JOBS_OF_TOPIC,
    ORGANISATION_VERBS,
    ORGANISATION_WORDS,
    PERSONAL_VERBS,
    PRODUCT_CATEGORIES,
    TOPICS,
    Category,
)
from mtbridge.data.world.meanings import PARTITIONS, Meaning, Person, occurring, partition, people


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


def _time(rng, kinds=("weekday", "weekday", "month", "date", "year", "today", "yesterday")):
    kind = rng.choice(kinds)
    if kind == "weekday":
        return (kind, rng.randrange(7))
    if kind == "month":
        return (kind, rng.randrange(1, 13))
    if kind == "date":
        return (kind, rng.randrange(1, 13), rng.randrange(2, 29))
    return (kind, rng.randrange(1990, 2026)) if kind == "year" else (kind,)


def choose_other(rng: random.Random, choices, *excluded):
    """One of the choices, but none of the `excluded`."""
    return rng.choice([choice for choice in choices if choice not in excluded])


def fitting_verbs(category: Category, personal: bool) -> list[str]:
    """What a person, or an organisation, can do with the nouns of a category."""
    return [verb for verb in category.verbs if personal or verb in ORGANISATION_VERBS]


def categories_of(topic: str, kinds=None) -> list[str]:
    """The names of a topic's categories, of those of the `kinds` if they are given."""
    return [name for name in CATEGORIES_OF_TOPIC[topic] if not kinds or CATEGORIES[name].kind in kinds]


def _adjective(rng, topic):
    return rng.choice(ADJECTIVES_OF_TOPIC[topic] if rng.random() < 0.5 else GENERAL_ADJECTIVES)


class World:
    """Draws meanings of one partition from a random generator: the same generator state, the same meaning."""

    def __init__(self, part: str, rng: random.Random):
        if part not in PARTITIONS:
            raise MtbridgeError(f"the generated world has no part '{part}'; {nearest(part, PARTITIONS)}")
        self.part, self.rng, self.people = part, rng, people(part)

    def index(self, table) -> int:
        """The index in a table of a name or noun that occurs in the partition."""
        return self.rng.choice(occurring(self.part, len(table)))

    def city(self) -> tuple:
        """A city: ("city", index)."""
        return ("city", self.index(names.CITY_NAMES))

    def country(self) -> tuple:
        """A country: ("country", index)."""
        return ("country", self.index(names.COUNTRIES))

    def other_place(self, place: tuple) -> tuple:
        """A city for a city or a country for a country, but another one, that occurs in the partition."""
        table = names.CITY_NAMES if place[0] == "city" else names.COUNTRIES
        return (place[0], choose_other(self.rng, occurring(self.part, len(table)), place[1]))

    def stem(self) -> str:
        """The first word of an organisation's, a product's or an event's name."""
        return names.STEMS[self.index(names.STEMS)]

    def holds(self, meaning: Meaning) -> bool:
        """Whether a meaning belongs to the partition."""
        return partition(meaning) == self.part

    def person(self) -> Person:
        """Someone who lives in the partition."""
        return self.rng.choice(self.people)

    def pair(self) -> tuple[Person, Person]:
        """Two people whose meeting belongs to the partition; the first one lives there."""
        while True:
            one, other = (
                self.person(),
                Person(self.index(names.FIRST_NAMES), self.index(names.FAMILY_NAMES)),
            )
            if one != other and self.holds(Meaning("interact", agent=one, patient=other)):
                return one, other

    def context(self, topic: str | None = None) -> Context:
        """A topic (drawn unless given), two people, an organisation and a place for one document."""
        rng = self.rng
        topic = topic or rng.choice(TOPICS)
        organisation = f"{self.stem()} {rng.choice(ORGANISATION_WORDS[topic])}"
        place = self.city() if rng.random() < 0.75 else self.country()
        return Context(topic, *self.pair(), organisation, place)

    def draw(self, frame: str, context: Context, **fixed) -> Meaning:
        """A meaning of the frame in the context, with the `fixed` fields as given.

        A meaning that belongs to another partition is drawn again, after some attempts in a new context. Raises
        MtbridgeError if the partition seems to have none.
        """
        # With a fixed thing only the organisation can vary; otherwise the document's own people may still fit.
        patience = 1 if "thing" in fixed else 5
        for attempt in range(10000):
            if attempt and attempt % patience == 0:
                context = self.context(context.topic)
            meaning = DRAWN_BY[frame](self, context)
            if fixed:
                meaning = meaning._replace(**fixed)
            if self.holds(meaning):
                return meaning
        raise MtbridgeError(f"the generated world has no '{frame}' left in '{self.part}' with {sorted(fixed)} fixed")

    def category(self, topic: str, kinds=None) -> Category:
        """A category of the topic, of one of the `kinds` if they are given."""
        return CATEGORIES[self.rng.choice(categories_of(topic, kinds))]

    def thing(self, category: Category) -> str:
        """A noun of the category that occurs in the partition."""
        return category.nouns[self.index(category.nouns)]

    def _object(self, topic):
        """(category, thing, adjective, number, name of a product)"""
        rng = self.rng
        category = self.category(topic)
        thing = self.thing(category)
        chance = rng.random()
        adjective = _adjective(rng, topic) if chance < 0.45 else None
        number = rng.choice(SMALL_COUNTS) if 0.3 < chance < 0.55 and category.kind in ("goods", "work") else None
        name = None
        if chance > 0.85 and CATEGORY_OF[thing] in PRODUCT_CATEGORIES:
            name = f"{self.stem()} {rng.randrange(1, 100) * 10}"
        return category, thing, adjective, number, name

    def _deed(self, context):
        """An act of a person: no organisation's name tells the topic."""
        return self._act(context, person=True)

    def _act(self, context, person=False):
        rng = self.rng
        category, thing, adjective, number, name = self._object(context.topic)
        person = person or rng.random() < 0.65
        verbs = fitting_verbs(category, person)
        second = self.thing(category) if not (number or name or adjective) and rng.random() < 0.25 else None
        return Meaning(
            "act",
            context.topic,
            agent=context.agent if person else context.organisation,
            verb=rng.choice(verbs),
            thing=thing,
            adjective=adjective,
            number=number,
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
            number=rng.choice(COUNTS),
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
            name=f"{self.stem()} {EVENT_WORDS[context.topic]} {rng.randrange(1990, 2026)}",
            place=context.place,
            time=_time(rng, ("weekday", "date")),
            detail=(rng.randrange(5, 13),),
        )

    def _events(self, topic):
        own = [name for name in CATEGORIES_OF_TOPIC[topic] if CATEGORIES[name].kind == "event"]
        return CATEGORIES[own[0]].nouns if own and topic != "health" else GENERAL_EVENTS

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
            number=rng.choice(range(5, 21)),
            time=_time(rng, ("weekday", "date", "yesterday")),
        )

    def _prices(self, context):
        rng = self.rng
        return Meaning("prices", place=context.place, number=rng.randrange(1, 31), time=_time(rng, ("month", "year")))

    def _listing(self, context):
        rng = self.rng
        return Meaning(
            "listing",
            detail=(
                self.index(names.territories()),
                self.index(names.languages()),
                rng.choice(names.units()),
            ),
            number=rng.choice(COUNTS),
        )


# What draws the meanings of each frame.
DRAWN_BY: dict[str, Callable[[World, Context], Meaning]] = {
    "deed": World._deed,
    "act": World._act,
    "interact": World._interact,
    "route": World._route,
    "talk": World._talk,
    "attend": World._attend,
    "price": World._price,
    "catalogue": World._catalogue,
    "range": World._range,
    "property": World._property,
    "location": World._location,
    "schedule": World._schedule,
    "profession": World._profession,
    "weather": World._weather,
    "prices": World._prices,
    "listing": World._listing,
}
