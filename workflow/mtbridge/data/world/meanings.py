"""What can be said in the generated world: meanings, and the partition of the world that each belongs to.

A meaning belongs to no language. A stable hash of its *core* (the people, organisations or places it is about) decides
on its partition. Corpora and the splits of the tasks are partitions, so no two of them share a meaning. A meaning that
is derived from another (by a negation, a swap, a dropped detail) has the same core and stays in the same partition.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from mtbridge.data.world import CORPORA, names
from mtbridge.data.world.lexicon import CATEGORY_OF

# Shares in percent of all cores.
PARTITIONS = {"pretraining": 40, "parallel": 10, "heldout": 6, "train": 24, "dev": 10, "test": 10}
_BOUNDS = [name for name, share in PARTITIONS.items() for _ in range(share)]


class Person(NamedTuple):
    """Someone with a first and a family name."""

    first: int  # index into names.FIRST_NAMES
    family: int  # index into names.FAMILY_NAMES

    @property
    def gender(self) -> str:
        """f or m."""
        return names.FIRST_NAMES[self.first][2]


class Meaning(NamedTuple):
    """A proposition. Which fields are used depends on the frame; the others are None."""

    frame: str
    topic: str | None = None
    agent: Person | str | None = None  # a person, or an organisation's name
    verb: str | None = None
    thing: str | None = None  # a lemma of the lexicon
    patient: Person | None = None
    adjective: str | None = None
    number: int | None = None
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
    general: bool = False  # the thing is named by its hypernym

    @property
    def category(self) -> str:
        """The category of the thing, in frames that have one."""
        assert self.thing is not None
        return CATEGORY_OF[self.thing]

    def without(self, fields: Iterable[str]) -> "Meaning":
        """The meaning with some of its fields left out."""
        return Meaning(**{**self._asdict(), **dict.fromkeys(fields)})

    def reversed(self) -> "Meaning":
        """What the agent did to the patient, done by the patient to the agent."""
        assert isinstance(self.agent, Person)
        return self._replace(agent=self.patient, patient=self.agent)


def core(meaning: Meaning) -> str:
    """What a meaning is about, as a string that is equal for all meanings derived from one."""
    frame = meaning.frame
    if frame == "interact":
        assert isinstance(meaning.agent, Person) and meaning.patient
        # Sorted, so that a meaning and its reverse have the same core.
        return "interact|{}|{}".format(*sorted(map(str, (tuple(meaning.agent), tuple(meaning.patient)))))
    if isinstance(meaning.agent, Person):
        return f"person|{meaning.agent.first}|{meaning.agent.family}"
    if frame in ("act", "price", "catalogue", "location", "range"):
        return f"organisation|{meaning.agent or meaning.organisation}|{meaning.category}"
    if frame == "schedule":
        return f"event|{meaning.name}"
    if frame == "property":
        return f"property|{meaning.category}|{meaning.place}"
    if frame == "search":
        return f"search|{meaning.thing}|{meaning.place}"
    if frame == "weather":
        return f"weather|{meaning.place}|{meaning.number}"
    if frame == "prices":
        return f"prices|{meaning.place}|{meaning.number}"
    assert meaning.detail
    return f"listing|{meaning.detail[0]}|{meaning.detail[1]}"


def partition(meaning: Meaning) -> str:
    """The partition of a meaning: the core's, or pretraining if a person's name does not occur in that partition."""
    # Knuth's multiplicative hash (2654435761: a prime near 2³² over the golden ratio) parts checksums that are close.
    part = _BOUNDS[zlib.crc32(core(meaning).encode()) * 2654435761 % 4294967296 % 100]
    persons = (someone for someone in (meaning.agent, meaning.patient) if isinstance(someone, Person))
    return part if all(_occurs(index, part) for person in persons for index in person) else "pretraining"


def _occurs(index: int, part: str) -> bool:
    return part in CORPORA or index % 3 != (0 if part == "train" else 2)


@lru_cache(None)
def occurring(part: str, count: int) -> tuple[int, ...]:
    """Indices of those of a table's `count` names, or of a category's nouns, that occur in a partition.

    All occur in the corpora. Two thirds occur in train, and two thirds in dev and test. Half of those in dev and test
    do not occur in train, so a model must learn them from text.
    """
    return tuple(index for index in range(count) if _occurs(index, part))


@lru_cache(None)
def people(part: str) -> tuple[Person, ...]:
    """Everyone who lives in a partition."""
    everyone = (Person(i, j) for i in range(len(names.FIRST_NAMES)) for j in range(len(names.FAMILY_NAMES)))
    return tuple(person for person in everyone if partition(Meaning("profession", agent=person)) == part)
