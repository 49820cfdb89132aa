"""The corpora of the generated world: line-aligned text of documents about one topic each."""

import random
from collections.abc import Iterator

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import CORPORA, LANGUAGES
from mtbridge.data.world.drawing import World
from mtbridge.data.world.realise import check_language, line
from mtbridge.data.world.sentences import Sentence, document


def draw_corpus(corpus: str, lines: int, seed: int) -> Iterator[Sentence]:
    """The sentences behind a corpus's lines, before they are put into a language.

    Raises MtbridgeError for an unknown corpus.
    """
    if corpus not in CORPORA:
        raise MtbridgeError(f"the generated world has no corpus '{corpus}'; {nearest(corpus, CORPORA)}")
    world = World(corpus, random.Random(f"{corpus}/{seed}"))
    done = 0
    while done < lines:
        for sentence in document(world, min(3, lines - done)):
            yield sentence
            done += 1


def parallel(corpus: str, lines: int, seed: int, languages=LANGUAGES) -> dict[str, list[str]]:
    """Line-aligned plain text of a corpus: {language: lines}.

    Every three lines are a document about one topic with shared people, places and organisations. Corpora of different
    names ("pretraining", "parallel", "heldout") share no meaning with each other, nor with any task's examples.
    Raises MtbridgeError for an unknown corpus or language.
    """
    for language in languages:
        check_language(language)
    text: dict[str, list[str]] = {language: [] for language in languages}
    for meaning, form in draw_corpus(corpus, lines, seed):
        for language in languages:
            text[language].append(line(meaning, language, form))
    return text
