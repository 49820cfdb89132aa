"""The corpora of the generated world: line-aligned text.

`parallel` and `heldout` are documents of three lines about one topic. `pretraining` is texts of two lines, so that a
model learns from text alone to look from one line into the other, which the tasks with two texts ask of it:

    40 %  a document: an opening that is dense in words of its topic, and a statement
    20 %  a page of a search: the query; title and description of what was found
    20 %  a question and its answer
    20 %  what is told twice: one sentence, often in another form, or two people's deeds in the same words
"""

import random
from collections.abc import Callable, Iterator

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import CORPORA, LANGUAGES
from mtbridge.data.world.drawing import World
from mtbridge.data.world.pairs import question_and_answer, two_deeds
from mtbridge.data.world.realise import check_language, line
from mtbridge.data.world.search import draw_search, offer
from mtbridge.data.world.senses import Sense, senses
from mtbridge.data.world.sentences import Sentence, document, forms_of_telling

# The sentences of one line.
Line = tuple[Sentence, ...]

LINES_OF_PRETRAINING = 2  # of one text


def _document(world: World) -> list[Line]:
    return [(sentence,) for sentence in document(world, LINES_OF_PRETRAINING)]


def _page(world: World) -> list[Line]:
    search = draw_search(world)
    return [(Sentence(search),), offer(world, search)]


def _answer(world: World) -> list[Line]:
    form = world.rng.choice(("who", "where", "when", "what"))
    question, answer = question_and_answer(world, world.context(), form)
    return [(question,), (answer,)]


def _told_twice(world: World) -> list[Line]:
    rng = world.rng
    if rng.random() < 0.5:
        told = [Sentence(m, rng.choice(forms_of_telling(m))) for m in two_deeds(world)]
        rng.shuffle(told)
        return [tuple(told)] * LINES_OF_PRETRAINING
    meaning = world.draw(rng.choice(("deed", "deed", "deed", "deed", "interact", "route")), world.context())
    forms = forms_of_telling(meaning)
    return [(Sentence(meaning, rng.choice(forms)),) for _ in range(LINES_OF_PRETRAINING)]


# What draws a text, as often as it stands here.
_TEXTS: tuple[Callable[[World], list[Line]], ...] = (_document, _document, _page, _answer, _told_twice)


def draw_corpus(corpus: str, lines: int, seed: int) -> Iterator[Line]:
    """The sentences behind a corpus's lines, before they are put into a language.

    Raises MtbridgeError for an unknown corpus.
    """
    if corpus not in CORPORA:
        raise MtbridgeError(f"the generated world has no corpus '{corpus}'; {nearest(corpus, CORPORA)}")
    world = World(corpus, random.Random(f"{corpus}/{seed}"))
    done = 0
    while done < lines:
        if corpus == "pretraining":
            text = world.rng.choice(_TEXTS)(world)
        else:
            text = [(sentence,) for sentence in document(world, 3)]
        for sentences in text[: lines - done]:
            yield sentences
            done += 1


def parallel(corpus: str, lines: int, seed: int, languages=LANGUAGES) -> dict[str, list[str]]:
    """Line-aligned plain text of a corpus: {language: lines}.

    Corpora of different names ("pretraining", "parallel", "heldout") share no meaning with each other, nor with any
    task's examples. Raises MtbridgeError for an unknown corpus or language.
    """
    for language in languages:
        check_language(language)
    text: dict[str, list[str]] = {language: [] for language in languages}
    for sentences in draw_corpus(corpus, lines, seed):
        for language in languages:
            text[language].append(" ".join(line(meaning, language, form) for meaning, form in sentences))
    return text


def senses_of(corpus: str, lines: int, seed: int, languages=LANGUAGES) -> dict[str, list[list[Sense]]]:
    """The words with a meaning in the lines that `parallel` gives: {language: one list a line}.

    Words of one line number that have the same `part` in two languages are translations of each other.
    """
    found: dict[str, list[list[Sense]]] = {language: [] for language in languages}
    for sentences in draw_corpus(corpus, lines, seed):
        for language in languages:
            of_line: list[Sense] = []
            before = 0  # characters of the sentences before, with the spaces between
            for number, (meaning, form) in enumerate(sentences):
                said, own = senses(meaning, language, form)
                of_line += [Sense(before + a, before + b, f"{number}.{part}") for a, b, part in own]
                before += len(said) + 1
            found[language].append(of_line)
    return found
