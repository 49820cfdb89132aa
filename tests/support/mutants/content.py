"""Changes that fit every kind of text file: line ends and encodings. And the words and values to change."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

from tests.support.mutants.mutant import Mutant, mutant

WORDS = (
    *("river", "café", "stone", "Straße", "light", "mañana", "winter", "crème", "people", "garden", "naïve"),
    *("letter", "über", "market", "silver", "road"),
)
# What spreadsheets and libraries like to read as something else.
AWKWARD = (
    *("007", "1.10", "1e5", "+7", "-0", "1_000", "0x1F", "inf", "nan", "NaN", "NA", "N/A", "null", "NULL", "None"),
    *("true", "False", "TRUE", "yes", "2024-01-05", "05/01/2024", "12:30", "1,5", "#N/A", "=1+1", "9" * 25, "-", "'x'"),
    *("\\n", "\\", "{}", "[1]", "%s", "Ã©", "e\u0301", "\U0001f600"),
)
# Characters that one does not see, and those that some libraries take for line ends.
INVISIBLE = ("\u00a0", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u0085", "\x0b", "\x0c", "\x1d", "\u3000")


def joined_lines(lines: list[str]) -> str:
    """Lines as a text file."""
    return "".join(line + "\n" for line in lines)


def text(rng: random.Random, words: int = 3) -> str:
    """Some words; the first is never ASCII alone, so that an encoding shows."""
    accented = [word for word in WORDS if not word.isascii()]
    return " ".join([rng.choice(accented), *rng.sample(WORDS, words - 1)])


def line_ends(content: str, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Other line ends. `content` has LF, and none of the others."""
    lines = content.removesuffix("\n").split("\n")
    yield mutant("no line end at the end", "\n".join(lines), base, must=True)
    for name, end in {"CRLF": "\r\n", "CR": "\r"}.items():
        yield mutant(name, end.join([*lines, ""]), base, must=True)
        yield mutant(f"{name}, none at the end", end.join(lines), base, must=True)
    for ends in (("\r\n", "\n"), ("\r", "\n"), ("\r", "\r\n"), ("\r", "\r\n", "\n")):
        # A CR before an empty line that LF ends would look like one CRLF.
        safe = [end for end in ends if end != "\r"]
        pairs = zip(lines, [*lines[1:], "x"], strict=True)
        chosen = [rng.choice(safe if "" in (line, following) else ends) for line, following in pairs]
        mixed = "".join(line + end for line, end in zip(lines, chosen, strict=True))
        yield mutant(f"mixed: {', '.join(map(repr, ends))}", mixed, base, must=True)
    # Where blank lines mean something, LF CR can only be a line end and a blank line.
    for end in ("\r\r\n", *([] if "" in lines else ["\n\r"]), "\u2028", "\u0085", "\x0b", "\x0c", "\x1e", "\\n"):
        yield mutant(f"{end!r} for LF", end.join([*lines, ""]), base)
    at = rng.randrange(len(lines) - 1)
    yield mutant("one CR CR LF", "\n".join([*lines[:at], lines[at] + "\r\r", *lines[at + 1 :], ""]), base)


def encodings(content: str, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Other encodings than UTF-8, and damaged UTF-8."""
    raw = content.encode()
    yield mutant("byte order mark", "\ufeff" + content, base, must=True)
    yield mutant("two byte order marks", "\ufeff\ufeff" + content, base)
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1", "cp1252", "cp437"):
        yield mutant(name, content.encode(name, errors="replace"), base)
    yield mutant("byte order mark of UTF-16, content of UTF-8", b"\xff\xfe" + raw, base)
    yield mutant("UTF-16 without its last byte", content.encode("utf-16")[:-1], base)
    lines = content.split("\n")
    own = [number for number, line in enumerate(lines) if not line.isascii()]
    if own:
        at = rng.choice(own)
        one = [line.encode("latin-1" if number == at else "utf-8") for number, line in enumerate(lines)]
        yield mutant("one line in latin-1", b"\n".join(one), base)
        first = next(index for index, byte in enumerate(raw) if byte >= 0x80)
        yield mutant("half a character", raw[: first + 1] + raw[first + 2 :], base)
        yield mutant("a surrogate", raw[:first] + b"\xed\xa0\x80" + raw[first + 2 :], None)
        yield mutant("an overlong character", raw[:first] + b"\xc1\xa9" + raw[first + 2 :], None)
    at = rng.randrange(len(raw))
    yield mutant("a NUL byte", raw[:at] + b"\0" + raw[at:], base)
    yield mutant("NUL bytes at the end", raw + bytes(64), base)
    yield mutant("a gzip file", gzip.compress(raw, mtime=0), base)
