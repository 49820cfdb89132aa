"""The words of a text in any language, for measures that compare texts.

Rule 1: runs of letters, marks and digits, in lower case; in Chinese, Japanese, Thai, Lao, Khmer and Burmese, whose
scripts have no spaces, every letter, mark and digit is a word of its own. No stemming.
"""

import re
import unicodedata

WORDS_RULE = 1  # the version of the rule above; a change of it changes scores
# Languages whose scripts have no spaces, neither between words nor between sentences.
WITHOUT_SPACES = ("zh", "ja", "th", "lo", "km", "my")


def primary(language: str) -> str:
    """The language of a code without script and region: `zh` of zh-CN, `pt` of pt_BR."""
    return re.split("[-_]", language)[0].casefold()


def words(text: str, language: str) -> list[str]:
    """The words of a text, by the rule of the module's first lines."""
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in text)
    return list("".join(kept.split())) if primary(language) in WITHOUT_SPACES else kept.split()
