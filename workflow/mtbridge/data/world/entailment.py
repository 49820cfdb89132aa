"""Natural-language inference in the generated world (xnli): what follows from a statement, and what it excludes."""

import random
from collections.abc import Iterator

from mtbridge.data.world.drawing import SMALL_COUNTS, World, choose_other, fitting_verbs
from mtbridge.data.world.lexicon import ANTONYM, CATEGORIES, ONE_SIDED_VERBS, RELATED_VERBS
from mtbridge.data.world.meanings import Meaning, Person
from mtbridge.data.world.sentences import Example, Sentence, balanced

LABELS = ("entailment", "neutral", "contradiction")


def _other_verb(rng: random.Random, m: Meaning) -> str:
    """Another verb that the agent can do with the thing, and that the meaning's own verb leaves open."""
    verbs = fitting_verbs(CATEGORIES[m.category], isinstance(m.agent, Person))
    related = [verb for verb in verbs if frozenset((verb, m.verb)) in RELATED_VERBS]
    return choose_other(rng, verbs, m.verb, *related)


def _details(meaning: Meaning) -> list[str]:
    """The details that a meaning gives beyond who did what."""
    return [field for field in ("adjective", "place", "time") if meaning._asdict()[field] is not None]


def _fewer(rng: random.Random, m: Meaning) -> Meaning:
    """The meaning without some of its details."""
    details = _details(m)
    return m.without(rng.sample(details, rng.randrange(1, len(details) + 1)))


def _quality(rng: random.Random, m: Meaning, label: str) -> Sentence:
    """A hypothesis about a quality: "good" entails "not bad", contradicts "bad", and leaves "simple" open."""
    opposite = m._replace(adjective=ANTONYM[m.adjective])
    if label == "entailment":
        return Sentence(opposite, "negated")
    if label == "contradiction":
        return rng.choice((Sentence(opposite), Sentence(m, "negated")))
    other = choose_other(rng, sorted(ANTONYM), m.adjective, opposite.adjective)
    return Sentence(m._replace(adjective=other), rng.choice(("plain", "negated")))


def _deeds(world: World, m: Meaning, label: str) -> tuple[Sentence, Sentence]:
    """Premise and hypothesis about a deed `m`, which has at least one detail.

    Each kind of hypothesis (denied, passive, general, with more or fewer details) occurs under several labels, so that
    it alone does not tell the label.
    """
    fewer = _fewer(world.rng, m)
    voice = world.rng.choice(("plain", "plain", "passive"))
    return _DEEDS[label](world, m, fewer, voice)


def _entailment(world: World, m: Meaning, fewer: Meaning, voice: str) -> tuple[Sentence, Sentence]:
    rng = world.rng
    if rng.random() < 0.35:  # what did not happen did not happen in Berlin either
        return Sentence(fewer, "negated"), Sentence(m, "negated")
    if m.frame == "act" and not m.number and rng.random() < 0.4:
        fewer = fewer._replace(general=True, name=None, adjective=None)
    return Sentence(m), Sentence(fewer, voice)


def _contradiction(world: World, m: Meaning, fewer: Meaning, voice: str) -> tuple[Sentence, Sentence]:
    rng = world.rng
    changes = ["denied", "claimed"]
    if m.frame == "act" and m.number:
        changes.append("number")
    if m.place and m.time and m.time[0] not in ("month", "year"):
        changes += ["place"] * 2
    change = rng.choice(changes)
    if change == "denied":
        return Sentence(m), Sentence(rng.choice((m, fewer)), "negated")
    if change == "claimed":
        return Sentence(fewer, "negated"), Sentence(rng.choice((m, fewer)), voice)
    if change == "number":
        return Sentence(m), Sentence(m._replace(number=choose_other(rng, SMALL_COUNTS, m.number)), voice)
    assert m.place
    return Sentence(m), Sentence(m._replace(place=world.other_place(m.place)), voice)


def _neutral(world: World, m: Meaning, fewer: Meaning, voice: str) -> tuple[Sentence, Sentence]:
    rng = world.rng
    if m.frame == "interact":  # what A did to B, B need not have done to A
        m = m._replace(verb=rng.choice(ONE_SIDED_VERBS))
        other = m.reversed()
    else:
        other = m._replace(verb=_other_verb(rng, m))
    change = rng.choice(("more", "wish", "other", "not other"))
    if change == "more":  # details that the premise does not tell
        more = m
        if m.frame == "act" and not m.number and rng.random() < 0.4:
            more = m._replace(general=True, name=None, adjective=None)
        kept = _fewer(rng, more if _details(more) else m)
        if _details(kept._replace(adjective=None)) != _details(more._replace(adjective=None)) or not more.general:
            return Sentence(kept._replace(general=False, name=m.name)), Sentence(more, voice)
    if change == "wish":
        return Sentence(m, "wants"), Sentence(fewer, voice)
    form = "negated" if change == "not other" else voice
    return Sentence(m), Sentence(rng.choice((other, _fewer(rng, other))), form)


_DEEDS = {"entailment": _entailment, "contradiction": _contradiction, "neutral": _neutral}


def xnli(world: World) -> Iterator[Example]:
    """Premises and hypotheses: deeds, and now and then a thing's quality."""
    rng = world.rng
    for label in balanced(rng, LABELS):
        frame = rng.choice(["act", "act", "act", "act", "interact", "property"])
        context = world.context()
        if frame == "property":
            m = world.draw(frame, context, adjective=rng.choice(sorted(ANTONYM)))
            yield Example(((Sentence(m),), (_quality(rng, m, label),)), label)
            continue
        m = world.draw(frame, context, second=None)
        if not _details(m):
            m = m._replace(place=context.place)
        premise, hypothesis = _deeds(world, m, label)
        yield Example(((premise,), (hypothesis,)), label)
