"""Search in the generated world: does an advertisement fit a query (qadsm), and how well does a result (wpr)?"""

import random
from collections.abc import Iterator

from mtbridge.data.world import names
from mtbridge.data.world.drawing import World, choose_other
from mtbridge.data.world.lexicon import (
    ADJECTIVES_OF_TOPIC,
    CATEGORIES,
    CATEGORIES_OF_TOPIC,
    CATEGORY_OF,
    GENERAL_ADJECTIVES,
    TOPICS,
)
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.sentences import Example, Sentence


def _search(world: World) -> Meaning:
    """What someone looks for: a thing in a city."""
    rng = world.rng
    while True:
        topic = rng.choice(TOPICS)
        adjective = None
        if rng.random() < 0.5:
            adjective = rng.choice(rng.choice((GENERAL_ADJECTIVES, ADJECTIVES_OF_TOPIC[topic])))
        thing = rng.choice(CATEGORIES[rng.choice(CATEGORIES_OF_TOPIC[topic])].nouns)
        place = ("city", rng.randrange(len(names.CITY_NAMES)))
        m = Meaning("search", topic, thing=thing, adjective=adjective, place=place)
        if world.holds(m):
            return m


def _thing_of_grade(rng: random.Random, search: Meaning, grade: int) -> str:
    """A thing: the one looked for (3, 4), another of its category (2), of its topic (1), of another topic (0)."""
    assert search.thing
    if grade >= 3:
        return search.thing
    if grade == 2:
        return choose_other(rng, CATEGORIES[search.category].nouns, search.thing)
    topic = search.topic if grade == 1 else choose_other(rng, TOPICS, search.topic)
    return rng.choice(CATEGORIES[choose_other(rng, CATEGORIES_OF_TOPIC[topic], search.category)].nouns)


def _offer(world: World, thing: str, place: tuple, adjective: str | None = None) -> Meaning:
    topic = CATEGORIES[CATEGORY_OF[thing]].topic
    return world.draw("catalogue", world.context(topic), thing=thing, place=place, adjective=adjective)


def qadsm(world: World) -> Iterator[Example]:
    """Queries and advertisements, Good if the thing is the one looked for."""
    rng = world.rng
    while True:
        good = rng.random() < 0.5
        search = _search(world)
        assert search.place
        thing = _thing_of_grade(rng, search, 3 if good else rng.choice((2, 0)))
        adjective = search.adjective if rng.random() < 0.5 else rng.choice(GENERAL_ADJECTIVES)
        offer = _offer(world, thing, search.place, adjective)
        form = "buy" if CATEGORIES[CATEGORY_OF[thing]].kind == "goods" and rng.random() < 0.5 else "find"
        columns = ((Sentence(search),), (Sentence(offer, "title"),), (Sentence(offer, form),))
        yield Example(columns, "Good" if good else "Bad")


def wpr(world: World) -> Iterator[Example]:
    """Result lists of four to six offers a query, graded 4 (same thing, same city) to 0 (another topic)."""
    rng = world.rng
    last = None
    while True:
        search = _search(world)
        if search.thing == last:  # neighbouring lists must differ in their query
            continue
        last = search.thing
        assert search.place
        grades = [rng.choice((3, 4)), *rng.choices(range(5), k=rng.randrange(3, 6))]
        rng.shuffle(grades)
        for grade in grades:
            here = grade == 4 or (grade < 3 and rng.random() < 0.5)
            place = search.place if here else world.other_place(search.place)
            offer = _offer(world, _thing_of_grade(rng, search, grade), place)
            columns = ((Sentence(search),), (Sentence(offer, "title"),), (Sentence(offer, "find"), Sentence(offer)))
            yield Example(columns, str(grade))
