"""The sentences of a text, told by their last mark."""

import re

# A sentence ends with a mark and what closes it; in scripts without spaces no space follows.
_SENTENCE = re.compile(r".*?(?:[.!?…।؟۔]+[\"'”’»)]*(?=\s|$)|[。！？]+[”’」』)]*|$)", flags=re.DOTALL)
# Languages whose scripts have no spaces, neither between words nor between sentences.
WITHOUT_SPACES = ("zh", "ja", "th", "lo", "km", "my")


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


def primary(language: str) -> str:
    """The language of a code without script and region: `zh` of zh-CN, `pt` of pt_BR."""
    return re.split("[-_]", language)[0].casefold()
