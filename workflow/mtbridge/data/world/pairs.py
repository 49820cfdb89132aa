"""Pairs of the generated world: do two texts say the same (paws-x), does a passage answer a question (qam)?"""

from collections.abc import Iterator

from mtbridge.data.world.drawing import Context, World, categories_of, choose_other
from mtbridge.data.world.lexicon import TOPICS, VERBS_OF_KIND
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.sentences import Example, Sentence, balanced, forms_of_telling, nearest_in_length

# A wrong passage is the one of this many whose length is nearest to the right one's.
CANDIDATES = 4


def two_deeds(world: World) -> tuple[Meaning, Meaning]:
    """Deeds of two people with things of two topics; each could have been done to the other's thing as well."""
    rng = world.rng
    kind = rng.choice(sorted(VERBS_OF_KIND))
    topics = rng.sample([topic for topic in TOPICS if categories_of(topic, (kind,))], 2)
    one, other = (
        world.draw(
            "deed",
            world.context(topic),
            thing=world.thing(world.category(topic, (kind,))),
            verb=verb,
            **dict.fromkeys(("adjective", "number", "name", "second", "place", "time")),
        )
        for topic, verb in zip(topics, rng.sample(VERBS_OF_KIND[kind], 2), strict=True)
    )
    return one, other


def paws_x(world: World) -> Iterator[Example]:
    """Two people's deeds, told twice with the same words; the label says whether who did what is still the same.

    The second text tells the deeds in the order of the first, and a tenth of them in the passive voice.
    """
    rng = world.rng
    for label in balanced(rng, ("0", "1")):
        one, other = two_deeds(world)
        told = (Sentence(one), Sentence(other))
        if label == "0":
            one, other = one._replace(thing=other.thing), other._replace(thing=one.thing)
        again = tuple(Sentence(m, "passive" if rng.random() < 0.1 else "plain") for m in (one, other))
        yield Example((told, again), label)


def question_and_answer(world: World, context: Context, form: str) -> tuple[Sentence, Sentence]:
    """A question (the `form` is who, where, when or what) about a deed with place and day, and the deed."""
    rng = world.rng
    day = ("weekday", rng.randrange(7))
    m = world.draw("deed", context, time=day, place=context.place, adjective=None, number=None, name=None, second=None)
    return Sentence(m, form), Sentence(m, rng.choice(forms_of_telling(m)))


def qam(world: World) -> Iterator[Example]:
    """Does the sentence answer the question? A wrong one tells a deed of another topic, half the time by the same one.

    It has place and day as the right one, and the right one's length as nearly as a few attempts allow.
    """
    rng = world.rng
    for label in balanced(rng, ("0", "1")):
        form = rng.choice(("who", "where", "when"))
        context = world.context()
        question, passage = question_and_answer(world, context, form)
        if label == "0":
            same_agent = rng.random() < 0.5
            wrong: list[Sentence] = []
            for _ in range(CANDIDATES):
                other = world.context(choose_other(rng, TOPICS, context.topic))
                _, sentence = question_and_answer(world, other, form)
                if same_agent:
                    sentence = sentence._replace(meaning=sentence.meaning._replace(agent=question.meaning.agent))
                wrong.append(sentence)
            passage = nearest_in_length(passage, wrong)
        yield Example(((question,), (passage,)), label)
