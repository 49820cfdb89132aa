"""Which words of a sentence say which part of its meaning: gold links between the words of translations."""

from collections import Counter
from typing import NamedTuple

from mtbridge.data.world.grammar import join, written
from mtbridge.data.world.meanings import Meaning
from mtbridge.data.world.realise import COMPILED

# Slots that hold the same part of a meaning in different sentences or languages -> the name of this part.
_PARTS = {
    **dict.fromkeys(("past", "infinitive", "participle"), "verb"),
    **dict.fromkeys(("object", "subject", "nominal", "things"), "thing"),
    **dict.fromkeys(("agent", "who", "organisation"), "agent"),
    **dict.fromkeys(("place", "city", "destination"), "place"),
}
_CONTENT = {"NOUN": "N", "PROPN": "N", "VERB": "V", "ADJ": "A", "NUM": "M"}  # parts of speech that have a meaning


class Sense(NamedTuple):
    """Where a word stands in a line (first character, end), and the part of the meaning that it says."""

    start: int
    end: int
    part: str


def senses(meaning: Meaning, language: str, form: str = "plain") -> tuple[str, list[Sense]]:
    """The text of a meaning in a language, and the words in it that say a part of the meaning.

    Two words of translations that have the same `part` are translations of each other: names word by word, of a phrase
    the noun, the adjective, the number. Words that only some languages have (articles, prepositions, auxiliaries) say
    no part. These are gold links between words.
    """
    out: list[tuple[str, str, str]] = []
    for slot, fill, argument in COMPILED[(meaning.frame, form, language)]:
        if fill is None:
            out.extend((word, tag, "") for word, tag, _ in argument)
            continue
        counts: Counter[str] = Counter()
        for word, tag, kind in fill(meaning, language, argument):
            # Words of a name are counted apart: Russian says "the company" before it, which is a noun too.
            of = "E" if kind != "O" else _CONTENT.get(tag, "")
            out.append((word, tag, f"{_PARTS.get(slot, slot)}.{of}{counts[of]}" if of else ""))
            counts[of] += 1
    joined = join(out, language)
    line, places = written(joined, language)
    return line, [Sense(*place, part) for place, (_, _, part) in zip(places, joined, strict=True) if part]
