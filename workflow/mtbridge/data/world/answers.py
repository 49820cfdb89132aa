"""Answers to questions about a deed: who did it, where, when, and what it was done to."""

from typing import NamedTuple

from mtbridge.data.world.grammar import join, text
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.realise import COMPILED

# Question, which is a form of the frame act too -> the slot of the plain sentence whose words answer it.
ASKED = {"who": "agent", "where": "place", "when": "time", "what": "object"}


class Answer(NamedTuple):
    """The answer to a question about a meaning; `asked` is the question's form."""

    meaning: Meaning
    asked: str

    def words(self, language: str) -> list[tuple[str, str, str]]:
        """(word, UPOS, entity) of the answer in a language, as in the plain sentence but with a capital letter."""
        sentence = COMPILED[self.meaning.frame, "plain", language]
        fill, argument = next((fill, argument) for slot, fill, argument in sentence if slot == ASKED[self.asked])
        return join(fill(self.meaning, language, argument), language)

    def line(self, language: str) -> str:
        """Its text in a language."""
        return text(self.words(language), language)
