"""Schemes of entity tags. Sentences hold IOB2; they are written in other schemes here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise


def spans(tags: list[str]) -> list[tuple[str, int, int]]:
    """Entities (type, start, end) of a sentence in IOB2."""
    found, start = [], None
    for at, (tag, following) in enumerate(pairwise([*tags, "O"])):
        if tag.startswith("B-"):
            start = at
        if start is not None and not following.startswith("I-"):
            found.append((tags[start][2:], start, at + 1))
            start = None
    return found


def by_position(tags: list[str], first: str, middle: str, last: str, only: str, pattern: str = "{}-{}") -> list[str]:
    """Tags whose prefix says where in an entity a word stands."""
    made = ["O"] * len(tags)
    for kind, start, end in spans(tags):
        for at in range(start, end):
            prefix = only if end - start == 1 else first if at == start else last if at == end - 1 else middle
            made[at] = pattern.format(prefix, kind) if prefix else kind
    return made


def iob1(tags: list[str]) -> list[str]:
    """B- only where an entity follows another one of its type."""
    made = by_position(tags, "I", "I", "I", "I")
    for (kind, _, end), (following, start, _) in pairwise(spans(tags)):
        if end == start and kind == following:
            made[start] = f"B-{following}"
    return made


def ioe1(tags: list[str]) -> list[str]:
    """E- only where an entity of the same type follows."""
    made = by_position(tags, "I", "I", "I", "I")
    for (kind, _, end), (following, start, _) in pairwise(spans(tags)):
        if end == start and kind == following:
            made[end - 1] = f"E-{kind}"
    return made


def iob2(tags: list[str]) -> list[str]:
    """IOB1 or IOB2 as IOB2, as conlleval reads them: an I- after another type begins an entity."""
    made, previous = [], "O"
    for tag in tags:
        made.append(f"B-{tag[2:]}" if tag.startswith("I-") and previous[2:] != tag[2:] else tag)
        previous = tag
    return made


def neighbours(sentences: list[list[str]]) -> bool:
    """Whether somewhere an entity follows another one of its type."""
    return any(
        end == start and kind == following
        for tags in sentences
        for (kind, _, end), (following, start, _) in pairwise(spans(tags))
    )


SCHEMES: dict[str, Callable[[list[str]], list[str]]] = {
    "IOB1": iob1,
    "IOE1": ioe1,
    "IOE2": lambda tags: by_position(tags, "I", "I", "E", "E"),
    "BIOES": lambda tags: by_position(tags, "B", "I", "E", "S"),
    "BILOU": lambda tags: by_position(tags, "B", "I", "L", "U"),
    "BMEWO": lambda tags: by_position(tags, "B", "M", "E", "W"),
    "BIOUL, lower case": lambda tags: by_position(tags, "b", "i", "l", "u"),
    "without prefix": lambda tags: by_position(tags, "", "", "", ""),
    "B and I without type": lambda tags: [tag[0] for tag in tags],
    "suffixed": lambda tags: by_position(tags, "B", "I", "I", "B", "{1}-{0}"),
    "suffixed IOB1": lambda tags: by_position(tags, "I", "I", "I", "I", "{1}-{0}"),
    "with _": lambda tags: [tag.replace("-", "_") for tag in tags],
    "with two -": lambda tags: [tag.replace("-", "--") for tag in tags],
    "BIOES without B": lambda tags: by_position(tags, "I", "I", "E", "S"),
    "only B": lambda tags: by_position(tags, "B", "B", "B", "B"),
    "only first words": lambda tags: [tag if tag[0] == "B" else "O" for tag in tags],
    "O as 0": lambda tags: ["0" if tag == "O" else tag for tag in tags],
    "O as o": lambda tags: ["o" if tag == "O" else tag for tag in tags],
    "O as _": lambda tags: ["_" if tag == "O" else tag for tag in tags],
    "O as nothing": lambda tags: ["" if tag == "O" else tag for tag in tags],
    "O as null": lambda tags: ["null" if tag == "O" else tag for tag in tags],
    "types in lower case": lambda tags: [tag.lower() if tag != "O" else tag for tag in tags],
    "numbers": lambda tags: [["O", "B-PER", "I-PER", "B-LOC", "I-LOC"].index(tag) for tag in tags],
}
# A file in one of these is as good a file in IOB2, of other entities.
AS_GOOD = ("only B", "only first words")


def schemes(
    sentences: list[list[str]], rng: random.Random
) -> Iterator[tuple[str, list[list[str]], list | None, str | None]]:
    """All sentences in other schemes: (scheme, tags, the IOB2 to be found, key of UNDETECTABLE)."""
    for name, write in SCHEMES.items():
        if name in AS_GOOD:
            continue
        made = [[str(tag) for tag in write(tags)] for tags in sentences]
        yield name, made, sentences, None
        if name in ("BIOES", "BILOU", "IOB1", "without prefix", "suffixed", "IOE2"):
            at = rng.randrange(len(sentences))
            mixed = [made[n] if n == at else tags for n, tags in enumerate(sentences)]
            yield f"{name} in one sentence", mixed, sentences, None
    merged = [by_position(tags, "I", "I", "I", "I") for tags in sentences]
    lost = neighbours(sentences)
    yield "IO", merged, [iob2(tags) for tags in merged], "IO tags" if lost else None
    broken = [[tag.replace("B-", "I-") if n == 0 else tag for n, tag in enumerate(tags)] for tags in sentences]
    yield "I- at the beginning of sentences", broken, sentences, None
    other = [[tag.replace("I-PER", "I-LOC") for tag in tags] for tags in sentences]
    if other != sentences:
        yield "I- of another type than B-", other, [iob2(tags) for tags in other], None
