"""Pairs of the generated world: do two texts say the same (paws-x), does a passage answer a question (qam)?"""

from collections.abc import Iterator

from mtbridge.data.world.drawing import Context, World, choose_other
from mtbridge.data.world.lexicon import TOPICS
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.sentences import Example, Sentence, balanced, forms_of_telling, nearest_in_length

# A wrong passage is the one of this many whose length is nearest to the right one's.
CANDIDATES = 4


def _bare_deed(world: World, topic: str) -> Meaning:
    """What someone did, and nothing else."""
    return world.draw(
        "deed", world.context(topic), adjective=None, number=None, name=None, second=None, place=None, time=None
    )


def paws_x(world: World) -> Iterator[Example]:
    """Two deeds of two people, told twice; the label says whether who did what is still the same.

    The deeds belong to two topics. Both texts have the same names and nouns, in any order and voice.
    """
    rng = world.rng
    for label in balanced(rng, ("0", "1")):
        topics = rng.sample(TOPICS, 2)
        one, other = (_bare_deed(world, topic) for topic in topics)
        while one.agent == other.agent:
            other = _bare_deed(world, topics[1])
        told = [Sentence(one), Sentence(other)]
        if label == "0":
            one, other = one._replace(agent=other.agent), other._replace(agent=one.agent)
        again = [Sentence(m, rng.choice(forms_of_telling(m))) for m in (one, other)]
        if rng.random() < 0.5:
            again.reverse()
        yield Example((tuple(told), tuple(again)), label)


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
            wrong = []
            for _ in range(CANDIDATES):
                other = world.context(choose_other(rng, TOPICS, context.topic))
                _, sentence = question_and_answer(world, other, form)
                if same_agent:
                    sentence = sentence._replace(meaning=sentence.meaning._replace(agent=question.meaning.agent))
                wrong.append((sentence,))
            (passage,) = nearest_in_length((passage,), wrong)
        yield Example(((question,), (passage,)), label)
