"""Schemes of entity tags, and their conversion to IOB2.

A tag is O, or a prefix, a hyphen and a type. The scheme of a file is recognised from its prefixes:

    IOB1    an entity begins with I-, and with B- only right after another one of its type (Ramshaw & Marcus 1995)
    IOB2    every entity begins with B-
    BIOES   every entity is S-, or B- (I-)* E-
    BILOU   every entity is U-, or B- (I-)* L- (Ratinov & Roth 2009)

IOB1 and IOB2 need not be told apart: in both, I- after another type or O begins an entity.
"""

import re
from collections.abc import Callable, Iterator

from mtbridge.base.errors import MtbridgeError

OUTSIDE = "O"
TAG = re.compile(r"([A-Z])-(.+)")
# Scheme -> its prefixes for the last word of several and for an only word; B- and I- are the same in all.
ENDS = {"BIOES": ("E", "S"), "BILOU": ("L", "U")}


def to_iob2(sentences: list[list[str]], place: Callable[..., str]) -> list[list[str]]:
    """Entity tags as IOB2, the entities unchanged.

    sentences: one list of tags a sentence, of a whole file, because a sentence alone may not show its scheme.
    place: a function of sentence and word that returns "file:line", for errors.

    Raises:
        MtbridgeError: tags have no prefix, or one that no scheme knows, or do not follow the scheme of the file.
    """
    prefixes: dict[str, tuple[int, int]] = {}  # the first place of each
    for row, word, tag in _tags(sentences):
        match = TAG.fullmatch(tag)
        if match is None:
            raise MtbridgeError(
                f"{place(row, word)}: the entity tag '{tag}' has no prefix; expected O, or B-, I- before the type "
                "(IOB1, IOB2, BIOES, BILOU): map tags with source.labels, as in {PER: I-PER}"
            )
        prefixes.setdefault(match[1], (row, word))
    schemes = [name for name, ends in ENDS.items() if set(ends) & set(prefixes)]
    known = {"B", "I", *(ENDS[schemes[0]] if schemes else ())}
    if odd := next((prefix for prefix in prefixes if prefix not in known), None):
        raise MtbridgeError(
            f"{place(*prefixes[odd])}: the prefix '{odd}-' fits no scheme of entity tags together with "
            f"{', '.join(f'{one}-' for one in sorted(prefixes) if one != odd) or 'O'}; known are IOB1, IOB2, BIOES and "
            "BILOU: map tags with source.labels"
        )
    if not schemes:
        return [_from_iob(sentence) for sentence in sentences]
    return [_from_ends(sentence, schemes[0], row, place) for row, sentence in enumerate(sentences)]


def _tags(sentences: list[list[str]]) -> Iterator[tuple[int, int, str]]:
    """(sentence, word, tag) of every word of an entity."""
    for row, sentence in enumerate(sentences):
        for word, tag in enumerate(sentence):
            if tag != OUTSIDE:
                yield row, word, tag


def _from_iob(sentence: list[str]) -> list[str]:
    tags, previous = [], OUTSIDE
    for tag in sentence:
        begins = tag.startswith("I-") and previous[2:] != tag[2:]
        tags.append("B-" + tag[2:] if begins else tag)
        previous = tag
    return tags


def _from_ends(sentence: list[str], scheme: str, row: int, place: Callable[..., str]) -> list[str]:
    """Tags of BIOES or BILOU as IOB2. Raises MtbridgeError where an entity has no beginning or no end."""
    last, only = ENDS[scheme]
    tags = []
    open_type = None  # the type of the entity that goes on
    for word, tag in enumerate([*sentence, OUTSIDE]):
        prefix, kind = (tag[0], tag[2:]) if tag != OUTSIDE else (OUTSIDE, None)
        goes_on = prefix in ("I", last)
        if goes_on != (open_type is not None) or (goes_on and kind != open_type):
            before = sentence[word - 1] if word else "the beginning"
            here = tag if word < len(sentence) else "the end of the sentence"
            raise MtbridgeError(
                f"{place(row, min(word, len(sentence) - 1))}: {here} after {before}, which {scheme} does not allow; "
                "mend the tags"
            )
        open_type = kind if prefix in ("B", "I") else None
        new = {last: "I", only: "B"}.get(prefix, prefix)
        tags.append(OUTSIDE if kind is None else f"{new}-{kind}")
    return tags[:-1]
