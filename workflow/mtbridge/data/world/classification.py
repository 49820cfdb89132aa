"""The classification task of the generated world: the topic of an article (nc)."""

from collections.abc import Iterator

from mtbridge.data.world.drawing import World
from mtbridge.data.world.lexicon import TOPICS
from mtbridge.data.world.sentences import ARTICLE, NOISE, Example, Sentence, balanced, draw_sentence


def nc(world: World) -> Iterator[Example]:
    """Articles: a title, and two sentences of which one may be noise."""
    rng = world.rng
    for topic in balanced(rng, TOPICS):
        context = world.context(topic)
        first = draw_sentence(world, context, ARTICLE)
        if first.meaning.frame == "act" and not first.meaning.second and rng.random() < 0.15:
            # The hypernym says less of the topic than the noun does.
            first = Sentence(first.meaning._replace(general=True))
        second = draw_sentence(world, context, ARTICLE if rng.random() < 0.5 else NOISE, first.meaning)
        head = world.draw("deed", context, place=context.place, second=None)
        names_only = rng.random() < 0.4
        title = Sentence(head, "names" if names_only else "headline")
        body = (first, second) if second.form == "also" or rng.random() < 0.6 else (second, first)
        yield Example(((title,), body), topic)
