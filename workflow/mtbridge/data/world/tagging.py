"""The tagging tasks of the generated world: parts of speech (pos) and names (ner). Labels come with the words."""

from collections.abc import Iterator

from mtbridge.data.world.drawing import World
from mtbridge.data.world.sentences import MIXED, Example, Sentence, draw_sentence

# The universal parts of speech (https://universaldependencies.org/u/pos), in alphabetical order.
UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ"),
    *("SYM", "VERB", "X"),
)
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for prefix in "BI"))


def _tagging(world: World, frames) -> Iterator[Example]:
    rng = world.rng
    while True:
        context = world.context()
        if rng.random() < 0.1:
            meaning = world.draw("act", context, time=("weekday", rng.randrange(7)), second=None)
            sentence = Sentence(meaning, rng.choice(("where", "when", "what")))
        else:
            sentence = draw_sentence(world, context, frames)
        yield Example(((sentence,),), None)


def pos(world: World) -> Iterator[Example]:
    """Sentences of all frames."""
    return _tagging(world, MIXED)


def ner(world: World) -> Iterator[Example]:
    """Sentences of all frames, those with names more often."""
    return _tagging(world, [*MIXED, "schedule", "schedule", "interact", "listing", "location"])
