"""How near an answer is to the one that is expected, in percent.

    f1             SQuAD's F1 of tokens (Rajpurkar et al. 2016), as XTREME and mT5 use it in every language: in lower
                   case, without ASCII punctuation and the articles a, an, the; tokens stand between white space
    exact_answer   SQuAD's exact match: whether the texts are the same after that
    f1_characters  F1 of the words by rule 1 (`tasks.words`), without these articles: for Chinese and Thai, whose
                   tokens by SQuAD's rule are whole clauses, it compares letters

Where several answers are accepted, a measure is that of the one with the most points, as in SQuAD's program.
"""

from __future__ import annotations

import functools
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mtbridge.tasks.judged import Judged
from mtbridge.tasks.words import WITHOUT_SPACES, primary, words

if TYPE_CHECKING:
    import numpy as np

ARTICLES = ("a", "an", "the")  # of English, left out in all languages, as SQuAD's program does


def f1(common: int, one: int, other: int) -> float:
    """F1 in percent from counts: what two texts have in common, and what each has; 0 if one has none."""
    return 200.0 * common / (one + other) if one and other else 0.0


def common_f1(output: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the tokens that both have, each as often as it occurs; 0 if one has none."""
    return f1((Counter(output) & Counter(reference)).total(), len(output), len(reference))


@functools.lru_cache(maxsize=1 << 16)  # references occur many times
def answer_tokens(text: str) -> tuple[str, ...]:
    """The tokens of an answer by SQuAD's rule."""
    kept = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return tuple(re.sub(rf"\b({'|'.join(ARTICLES)})\b", " ", kept).split())


@functools.lru_cache(maxsize=1 << 16)
def answer_words(text: str, language: str) -> tuple[str, ...]:
    """The words of an answer by rule 1, without English articles."""
    own = words(text, language)
    return tuple(own if primary(language) in WITHOUT_SPACES else [word for word in own if word not in ARTICLES])


def token_f1(output: str, reference: str, language: str) -> float:
    """SQuAD's F1 of tokens, in percent."""
    return common_f1(answer_tokens(output), answer_tokens(reference))


def word_f1(output: str, reference: str, language: str) -> float:
    """F1 of words, or of characters where no spaces stand between words, in percent."""
    return common_f1(answer_words(output, language), answer_words(reference, language))


def same_tokens(output: str, reference: str, language: str) -> float:
    """SQuAD's exact match, in percent."""
    return 100.0 * (answer_tokens(output) == answer_tokens(reference))


MEASURES: dict[str, Callable[[str, str, str], float]] = {
    "f1": token_f1,
    "f1_characters": word_f1,
    "exact_answer": same_tokens,
}


def answer_f1(judged: Judged) -> np.ndarray:
    """SQuAD's F1 of tokens, see `tasks.answers`, and 1: [example, 2]."""
    return _answer_points(judged, "f1")


def answer_f1_characters(judged: Judged) -> np.ndarray:
    """F1 of words, of characters where no spaces stand between words, see `tasks.answers`, and 1: [example, 2]."""
    return _answer_points(judged, "f1_characters")


def exact_answer(judged: Judged) -> np.ndarray:
    """1 if the answer is a reference, by SQuAD's rule, and 1: [example, 2]."""
    return _answer_points(judged, "exact_answer")


def _answer_points(judged: Judged, measure: str) -> np.ndarray:
    """Of each answer the points for the reference that gives most, from 0 to 1, and 1."""
    import numpy as np

    assert judged.references is not None, "answers are compared with references"
    points = [
        max(MEASURES[measure](answer, one, judged.language) for one in references)
        for answer, references in zip(judged.predicted, judged.references, strict=True)
    ]
    return np.stack([np.array(points) / 100, np.ones(len(points))], axis=1)
