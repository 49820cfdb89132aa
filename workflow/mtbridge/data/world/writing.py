"""The tasks of writing of the generated world: what happened in a text (event), and its first sentence (lead)."""

from collections.abc import Iterator

from mtbridge.data.world.drawing import World
from mtbridge.data.world.sentences import MIXED, NOISE, Example, Sentence, draw_sentence, forms_of_telling

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
