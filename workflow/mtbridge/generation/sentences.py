"""The sentences of a text, told by their last mark."""

import re

from mtbridge.tasks.words import WITHOUT_SPACES, primary

# A sentence ends with a mark and what closes it; in scripts without spaces no space follows.
_SENTENCE = re.compile(r".*?(?:[.!?…।؟۔]+[\"'”’»)]*(?=\s|$)|[。！？]+[”’」』)]*|$)", flags=re.DOTALL)


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the spaces around them; none of an empty text."""
    found = (part.strip() for part in _SENTENCE.findall(text))
    return [sentence for sentence in found if sentence]


def first_sentence(text: str) -> str:
    """A text up to the end of its first sentence."""
    return next(iter(sentences(text)), "")


def joined(parts: list[str], language: str) -> str:
    """One text of sentences of a language."""
    return ("" if primary(language) in WITHOUT_SPACES else " ").join(parts)
