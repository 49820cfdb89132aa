"""Line-aligned text in two languages, of which one file is changed, or both alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from mtbridge.data.corpora import read_local
from tests.support.mutants import content
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant

FILE = "train.de"
OTHER = [f"line {number} of seven" for number in range(7)]
BOTH = "<<<other file>>>\n"  # in a content: what follows is the file of the other language


def make(rng: random.Random) -> list[str]:
    """Some lines."""
    return [content.text(rng, rng.randint(2, 4)) for _ in OTHER]


def read(folder: Path, raw: bytes) -> list:
    """The pairs of lines."""
    folder.mkdir(exist_ok=True)
    own, _, other = raw.partition(BOTH.encode())
    (folder / FILE).write_bytes(own)
    (folder / "train.en").write_bytes(other or joined_lines(OTHER).encode())
    found = read_local(folder, ["train"], ["de", "en"], None, seed=0)
    return [list(pair) for pair in zip(found["de"], found["en"], strict=True)]


def pairs(own: list[str], other: list[str] = OTHER) -> list:
    """The examples."""
    return [list(pair) for pair in zip(own, other, strict=True)]


def changes(lines: list[str], rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a corpus."""
    base = pairs(lines)
    yield "none", mutant("nothing", joined_lines(lines), base, must=True)
    for made in rows(lines, base, rng):
        yield "rows", made
    for at in range(len(lines) + 1):
        for change, name, new in (
            ("blank lines", "a blank line", ""),
            ("blank lines", "a line of a space", " "),
            ("comments", "a comment", "# a comment"),
        ):
            yield change, mutant(f"{name} in one file", joined_lines([*lines[:at], new, *lines[at:]]), base)
            own, other = [*lines[:at], new, *lines[at:]], [*OTHER[:at], new, *OTHER[at:]]
            yield change, mutant(f"{name} in both", both(own, other), pairs(own, other), "language")
        if at < len(lines):
            own = [*lines[:at], "", *lines[at + 1 :]]
            yield "blank lines", mutant("a line is empty", joined_lines(own), pairs(own), "language")
    for number in range(1, 4):
        yield "blank lines", mutant("blank lines at the end", joined_lines(lines) + "\n" * number, base)
    yield (
        "blank lines",
        mutant("a blank line after each line", joined_lines([x for line in lines for x in (line, "")]), base),
    )
    yield "header", mutant("a header in one file", joined_lines(["text", *lines]), base)
    yield (
        "header",
        mutant(
            "a header in both",
            both(["text", *lines], ["text", *OTHER]),
            pairs(["text", *lines], ["text", *OTHER]),
            "language",
        ),
    )
    for change, new in ((c, n) for c, group in fields(lines[0]).items() for n in group):
        for _ in range(2):
            own = list(lines)
            own[rng.randrange(1, len(own))] = new
            yield change, mutant(f"a line is {new if new.isascii() else 'rare'}", joined_lines(own), pairs(own))
    for at in range(1, len(lines)):
        own = [*lines[:at], "a\0b", *lines[at + 1 :]]
        yield "invisible", mutant("NUL in a line", joined_lines(own), base)
    for made in content.line_ends(joined_lines(lines), base, rng):
        yield "line ends", made
    for made in content.encodings(joined_lines(lines), base, rng):
        yield "encoding", made


def both(own: list[str], other: list[str]) -> str:
    """Both files as one content."""
    return joined_lines(own) + BOTH + joined_lines(other)


def fields(line: str) -> dict[str, list[str]]:
    """Lines that are read as they stand."""
    marks = [f'"{line}"', f'"{line}', f'{line}"', f"'{line}'", f'""{line}""']
    hidden = [new for c in content.INVISIBLE for new in (c + line, line + c, line[:2] + c + line[2:], c)]
    spaced = [line + " ", " " + line, line + "\t", "\t" + line, line.replace(" ", "  "), line.replace(" ", "\t")]
    return {"quoting": marks, "values": list(content.AWKWARD), "invisible": hidden, "separators": spaced}


def rows(lines: list[str], base: list, rng: random.Random) -> Iterator[Mutant]:
    """Lines gone, twice, elsewhere, merged, divided."""
    for at in range(len(lines)):
        yield mutant("a line dropped", joined_lines(lines[:at] + lines[at + 1 :]), base)
        yield mutant("a line twice", joined_lines(lines[: at + 1] + lines[at:]), base)
        own, other = lines[:at] + lines[at + 1 :], OTHER[:at] + OTHER[at + 1 :]
        yield mutant("a line dropped in both", both(own, other), pairs(own, other), "row gone")
        place = rng.randrange(1, len(lines[at]))
        divided = [*lines[:at], lines[at][:place], lines[at][place:], *lines[at + 1 :]]
        yield mutant("a line divided", joined_lines(divided), base)
        if at + 1 < len(lines):
            merged = [*lines[:at], lines[at] + " " + lines[at + 1], *lines[at + 2 :]]
            yield mutant("two lines merged", joined_lines(merged), base)
        own = [*lines[:at], *lines[at + 1 :], lines[at]]
        yield mutant("a line moved", joined_lines(own), pairs(own), "language")
    yield mutant("all lines dropped", "", None)
    own = lines[::-1]
    yield mutant("lines reversed", joined_lines(own), pairs(own), "language")
    end = joined_lines(lines).removesuffix("\n")
    for cut in range(1, len(lines[-1])):
        yield mutant("the last line cut", end[:-cut], pairs([*lines[:-1], lines[-1][:-cut]]), "cut text")
