"""Search in the generated world: does an advertisement fit a query (qadsm), and how well does a result (wpr)?"""

import random
from collections.abc import Iterator

from mtbridge.data.world import names
from mtbridge.data.world.drawing import World, choose_other
from mtbridge.data.world.lexicon import (
    ADJECTIVES_OF_TOPIC,
    CATEGORIES,
    CATEGORIES_OF_TOPIC,
    GENERAL_ADJECTIVES,
    TOPICS,
)
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.sentences import Example, Sentence, balanced, nearest_in_length

# A wrong advertisement is of the one of this many searches whose length is nearest to the query's.
CANDIDATES = 12


def _adjective(rng: random.Random, topic: str) -> str:
    return rng.choice(rng.choice((GENERAL_ADJECTIVES, ADJECTIVES_OF_TOPIC[topic])))


def draw_search(world: World) -> Meaning:
    """What someone looks for: a thing in a city."""
    rng = world.rng
    while True:
        topic = rng.choice(TOPICS)
        adjective = _adjective(rng, topic) if rng.random() < 0.5 else None
        thing = rng.choice(CATEGORIES[rng.choice(CATEGORIES_OF_TOPIC[topic])].nouns)
        m = Meaning("search", topic, thing=thing, adjective=adjective, place=_city(rng))
        if world.holds(m):
            return m


def _city(rng: random.Random) -> tuple:
    """Any city: a query and what is found are drawn alike, so no city tells that it was not looked for."""
    return ("city", rng.randrange(len(names.CITY_NAMES)))


def offer(world: World, search: Meaning) -> tuple[Sentence, Sentence]:
    """Title and description of an offer of exactly what is looked for."""
    context = world.context(search.topic)
    m = world.draw("catalogue", context, thing=search.thing, place=search.place, adjective=search.adjective)
    return Sentence(m, "title"), Sentence(m, "description")


def qadsm(world: World) -> Iterator[Example]:
    """Queries and advertisements: Good ones offer what is looked for, Bad ones what another search looks for.

    A Bad one has an adjective exactly if the query has one, and about the length of a Good one.
    """
    rng = world.rng
    for label in balanced(rng, ("Bad", "Good")):
        search = draw_search(world)
        found = search
        if label == "Bad":
            others: list[Sentence] = []
            while len(others) < CANDIDATES:
                other = draw_search(world)
                if other.thing != search.thing and bool(other.adjective) == bool(search.adjective):
                    others.append(Sentence(other))
            found, _ = nearest_in_length(Sentence(search), others)
        title, description = offer(world, found)
        yield Example(((Sentence(search),), (title,), (description,)), label)


def _found(rng: random.Random, search: Meaning, grade: int) -> Meaning:
    """What an offer of a grade has instead of what is looked for.

    4: the same; 3: the same in another city; 2: another thing of its category, 1: of its topic, in this city or
    another; 0: a thing of another topic in another city.
    """
    assert search.place
    here = grade == 4 or (grade in (1, 2) and rng.random() < 0.5)
    place = search.place
    while not here and place == search.place:
        place = _city(rng)
    if grade >= 3:
        return search._replace(place=place)
    topic = CATEGORIES[search.category].topic
    if not grade:
        topic = choose_other(rng, TOPICS, topic)
    if grade == 2:
        thing = choose_other(rng, CATEGORIES[search.category].nouns, search.thing)
    else:
        thing = rng.choice(CATEGORIES[choose_other(rng, CATEGORIES_OF_TOPIC[topic], search.category)].nouns)
    adjective = _adjective(rng, topic) if search.adjective else None
    return search._replace(topic=topic, thing=thing, place=place, adjective=adjective)


def wpr(world: World) -> Iterator[Example]:
    """Result lists of four offers a query: one of grade 4, two of grade 0, one of 0 to 3.

    In train two are of grade 4, one of 0, and one half the time of 0, else of 0 to 3: where most answers are 0, models
    of this size learn that alone for a long time.
    """
    rng = world.rng
    last = None
    while True:
        search = draw_search(world)
        if search.thing == last:  # neighbouring lists must differ in their query
            continue
        last = search.thing
        if world.part == "train":
            grades = [4, 4, 0, rng.randrange(4) if rng.random() < 0.5 else 0]
        else:
            grades = [4, 0, 0, rng.randrange(4)]
        rng.shuffle(grades)
        for grade in grades:
            found = _found(rng, search, grade)
            while not world.holds(found):  # no title stands in two splits
                found = _found(rng, search, grade)
            title, snippet = offer(world, found)
            yield Example(((Sentence(search),), (title,), (snippet,)), str(grade))
