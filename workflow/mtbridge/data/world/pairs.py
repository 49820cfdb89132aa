"""Pairs of the generated world: do two sentences say the same (paws-x), does a passage answer a question (qam)?"""

from collections.abc import Iterator

from mtbridge.data.world.drawing import World, choose_other, fitting_verbs
from mtbridge.data.world.lexicon import CATEGORIES, ONE_SIDED_VERBS
from mtbridge.data.world.meanings import Person
from mtbridge.data.world.sentences import NOISE, Example, Sentence, draw_sentence


def paws_x(world: World) -> Iterator[Example]:
    """The same words; the label says whether who did what to whom, or from where to where, is still the same."""
    rng = world.rng
    while True:
        same = rng.random() < 0.5
        context = world.context()
        day = ("weekday", rng.randrange(7))
        frame = rng.choice(("interact", "interact", "route"))
        if frame == "interact":
            m = world.draw(frame, context, time=day)
            if m.verb in ("meet", "greet"):
                m = m._replace(verb=rng.choice(ONE_SIDED_VERBS))
            first, second = rng.sample(("plain", "passive", "fronted"), 2)
            other = m if same else m.reversed()
        else:
            m = world.draw(frame, context, time=day)
            first, second = rng.sample(("plain", "fronted"), 2)
            other = m if same else m._replace(origin=m.place, place=m.origin)
        yield Example(((Sentence(m, first),), (Sentence(other, second),)), str(int(same)))


def qam(world: World) -> Iterator[Example]:
    """Does the passage answer the question? Passages that do not are about the same person, or lack what is asked."""
    rng = world.rng
    while True:
        is_answered = rng.random() < 0.5
        question = rng.choice(("who", "where", "when", "what"))
        context = world.context()
        m = world.draw("act", context, time=("weekday", rng.randrange(7)), place=context.place, second=None, name=None)
        answer = m
        if not is_answered:
            lacking = {"where": "place", "when": "time"}.get(question)
            category = CATEGORIES[m.category]
            verbs = fitting_verbs(category, isinstance(m.agent, Person))
            if lacking and rng.random() < 0.5:
                answer = m.without([lacking])
            elif question == "what":
                answer = m._replace(verb=choose_other(rng, verbs, m.verb))
            else:
                answer = m._replace(thing=choose_other(rng, category.nouns, m.thing))
        form = rng.choice([form for form in ("plain", "fronted", "passive") if form != "fronted" or answer.time])
        passage = [Sentence(answer, form), draw_sentence(world, context, NOISE)]
        rng.shuffle(passage)
        yield Example(((Sentence(m, question),), tuple(passage)), str(int(is_answered)))
