"""The tasks of writing of the generated world.

What happened in a text (event), its first sentence (lead), and the answer to a question about it (qa).
"""

from collections.abc import Iterator

from mtbridge.data.world.answers import ASKED, Answer
from mtbridge.data.world.drawing import World
from mtbridge.data.world.sentences import (
    MIXED,
    NOISE,
    Example,
    Sentence,
    balanced,
    draw_sentence,
    forms_of_telling,
)

_BESIDE = (*NOISE, *(frame for frame in MIXED if frame not in ("act", *NOISE)))  # frames that tell no deed


def event(world: World) -> Iterator[Example]:
    """Texts of three sentences, one of which tells a deed, in any form and at any place; expected: the deed, plainly.

    The other two tell no deed, so what is to be written follows from the meaning.
    """
    rng = world.rng
    while True:
        context = world.context()
        deed = world.draw("act", context)
        sentences = [draw_sentence(world, context, _BESIDE) for _ in range(2)]
        sentences.insert(rng.randrange(3), Sentence(deed, rng.choice(forms_of_telling(deed))))
        yield Example((tuple(sentences),), Sentence(deed))


def lead(world: World) -> Iterator[Example]:
    """Texts of three sentences of all frames; expected: the first one, as it stands."""
    while True:
        context = world.context()
        sentences = tuple(draw_sentence(world, context, MIXED) for _ in range(3))
        yield Example((sentences,), sentences[0])


def qa(world: World) -> Iterator[Example]:
    """A question about a deed, and three sentences of which one tells it; expected: who, where, when or what it was.

    The answer stands in the text as it is expected. The other two sentences tell no deed, so one answer is right; half
    of them are about the same people and the same place.
    """
    rng = world.rng
    plain = dict.fromkeys(("adjective", "number", "name", "second"))
    for asked in balanced(rng, tuple(ASKED)):
        context = world.context()
        deed = world.draw("deed", context, **plain)
        while not (deed.place and deed.time):
            deed = world.draw("deed", context, **plain)
        # The passive names what was done in another case than the answer has.
        forms = [form for form in forms_of_telling(deed) if asked != "what" or form != "passive"]
        contexts = [context if rng.random() < 0.5 else world.context(context.topic) for _ in range(2)]
        sentences = [draw_sentence(world, beside, _BESIDE) for beside in contexts]
        sentences.insert(rng.randrange(3), Sentence(deed, rng.choice(forms)))
        yield Example(((Sentence(deed, asked),), tuple(sentences)), Answer(deed, asked))
