"""How near an answer is to the one that is expected, in percent.

    f1             SQuAD's F1 of tokens (Rajpurkar et al. 2016), as XTREME and mT5 use it in every language: in lower
                   case, without ASCII punctuation and the articles a, an, the; tokens stand between white space
    exact_answer   SQuAD's exact match: whether the texts are the same after that
    f1_characters  F1 of the words by rule 1 (`tasks.words`), without these articles: for Chinese and Thai, whose
                   tokens by SQuAD's rule are whole clauses, it compares letters

Where several answers are accepted, a measure is that of the one with the most points, as in SQuAD's program.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from mtbridge.tasks.words import WITHOUT_SPACES, primary, words

ARTICLES = ("a", "an", "the")  # of English, left out in all languages, as SQuAD's program does


def f1(common: int, one: int, other: int) -> float:
    """F1 in percent from counts: what two texts have in common, and what each has; 0 if one has none."""
    return 200.0 * common / (one + other) if one and other else 0.0


def common_f1(output: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the tokens that both have, each as often as it occurs; 0 if one has none."""
    return f1((Counter(output) & Counter(reference)).total(), len(output), len(reference))


def answer_tokens(text: str) -> list[str]:
    """The tokens of an answer by SQuAD's rule."""
    kept = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return re.sub(rf"\b({'|'.join(ARTICLES)})\b", " ", kept).split()


def answer_words(text: str, language: str) -> list[str]:
    """The words of an answer by rule 1, without English articles."""
    own = words(text, language)
    return own if primary(language) in WITHOUT_SPACES else [word for word in own if word not in ARTICLES]


def answer_points(output: str, reference: str, language: str) -> dict[str, float]:
    """The three measures of an answer against one reference, in percent."""
    tokens, expected = answer_tokens(output), answer_tokens(reference)
    return {
        "f1": common_f1(tokens, expected),
        "f1_characters": common_f1(answer_words(output, language), answer_words(reference, language)),
        "exact_answer": 100.0 * (tokens == expected),
    }
