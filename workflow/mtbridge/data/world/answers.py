"""Answers to questions about a deed: who did it, where, when, and what it was done to."""

from typing import NamedTuple

from mtbridge.data.world.grammar import join, text
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.realise import part

# Question, which is a form of the frame act too -> the part of the plain sentence that answers it.
ASKED = {"who": "agent", "where": "place", "when": "time", "what": "object"}


class Answer(NamedTuple):
    """The answer to a question about a meaning; `asked` is the question's form."""

    meaning: Meaning
    asked: str

    def line(self, language: str) -> str:
        """Its text in a language: the words that stand for it in the sentence, with a capital letter."""
        return text(join(part(self.meaning, language, ASKED[self.asked]), language), language)
