"""What a changed file is, and what came of reading it."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mtbridge.base.errors import MtbridgeError

# The columns of the table: what was changed.
CHANGES = (
    "columns",
    "rows",
    "header",
    "line ends",
    "encoding",
    "quoting",
    "case",
    "tags",
    "comments",
    "blank lines",
    "values",
    "separators",
    "invisible",
)

# What no reader can recognise, because the changed file is as good a file as the first one. Such a file has to be read
# exactly as it stands.
UNDETECTABLE = {
    "row gone": "a whole row, sentence or word is missing from a file that does not count or number them",
    "row twice": "a whole row, sentence or word stands twice in a file whose rows have no id",
    "order": "whole rows, or whole sentences, stand in another order",
    "text for text": "two columns that may hold any text are exchanged without a header, below a header, or in it",
    "cut text": "the last line ends early, inside its last field, which may hold any text or number",
    "sentence ends": "a blank line is put in or taken out where the blank line alone says where a sentence ends",
    "quotation marks": "a field of a format without quoting has quotation marks, which are characters there",
    "commented row": "a row begins with a # in a format without comments",
    "IO tags": "two neighbouring entities of one type had no B- between them when the tags were written",
    "language": "all files of a corpus are changed alike, or the lines of one keep their number",
}


@dataclass(frozen=True)
class Mutant:
    """A changed file.

    what: the change, in a few words.
    content: the file.
    expected: the examples that the file holds, as rows without ids; None: it must be refused.
    reason: a key of UNDETECTABLE, if `expected` are not the examples of the unchanged file because nobody can tell.
    must: the file has to be read; to refuse it is a fault.
    """

    what: str
    content: bytes
    expected: list | None
    reason: str | None = None
    must: bool = False


def mutant(what: str, content: str | bytes, expected: list | None, reason: str | None = None, **keys) -> Mutant:
    """A Mutant, of a text (stored as UTF-8) or of bytes."""
    assert reason is None or reason in UNDETECTABLE, reason
    raw = content if isinstance(content, bytes) else content.encode("utf-8")
    return Mutant(what, raw, expected, reason, **keys)


@dataclass(frozen=True)
class Case:
    """A reader with a kind of file.

    name: a row of the table.
    make: random generator -> an unchanged document.
    changes: document, random generator -> (change, mutant), first of all the unchanged file.
    read: (folder, content) -> the examples as rows without ids, and the path that an error has to name.
    line: an error has to name a line too.
    rounds: how many documents are made and changed.
    share: the share of the changed files that are read; less than 1 where reading is slow.
    canonical: examples -> those that are compared.
    place: what an error names, if not the file's name.
    fresh: every file is in a folder of its own, because the reader keeps what it read, by path.
    """

    name: str
    make: Callable[[random.Random], object]
    changes: Callable[[object, random.Random], Iterator[tuple[str, Mutant]]]
    read: Callable[[Path, bytes], list]
    file: str
    line: bool = False
    rounds: int = 2
    share: float = 1.0
    canonical: Callable[[list], list] = list
    place: str = ""
    fresh: bool = True

    def names_place(self, message: str) -> bool:
        """Whether an error is one line and says where."""
        place = re.escape(self.place or Path(self.file).name)
        return "\n" not in message.strip() and bool(re.search(place + (r":\d+" if self.line else ""), message))


@dataclass
class Tally:
    """What came of the changed files of a case: counts by change and outcome, and the faults."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: dict[tuple[str, str, str], tuple[Mutant, str]] = field(default_factory=dict)

    def add(self, change: str, tried: Mutant, outcome: str, detail: str) -> None:
        """Count an outcome; of the faults of one kind, keep the one with the smallest file."""
        of_change = self.counts.setdefault(change, {})
        of_change[outcome] = of_change.get(outcome, 0) + 1
        if outcome in FAULTS:
            key = (change, tried.what, outcome)
            if key not in self.faults or len(tried.content) < len(self.faults[key][0].content):
                self.faults[key] = (tried, detail)

    def total(self) -> int:
        """How many files were read."""
        return sum(sum(outcomes.values()) for outcomes in self.counts.values())


FAULTS = {
    "other": "other examples in silence",
    "crashed": "an exception that is not the project's own",
    "unclear": "an error that does not name the file (and the line, where the reader can)",
    "lost": "refused, although the file is right",
}


def try_all(case: Case, folder: Path) -> Tally:
    """Read all changed files of a case."""
    tally, seen = Tally(), set()
    for number in range(case.rounds):
        rng = random.Random(f"{case.name}/{number}")
        for change, tried in case.changes(case.make(rng), rng):
            assert change in CHANGES or change == "none", change
            if tried.content in seen or (change != "none" and rng.random() >= case.share):
                continue
            seen.add(tried.content)
            place = folder / (str(len(seen)) if case.fresh else "files")
            outcome, detail = outcome_of(case, place, tried)
            shutil.rmtree(place)
            tally.add(change, tried, outcome, detail)
            if change == "none" and outcome != "same":
                return tally  # all others would fail too
    return tally


def outcome_of(case: Case, folder: Path, tried: Mutant) -> tuple[str, str]:
    """What comes of reading one file: (same, written, refused or a key of FAULTS; detail for a fault)."""
    try:
        found = case.read(folder, tried.content)
    except MtbridgeError as error:
        message = str(error)
        if not case.names_place(message):
            return "unclear", message
        return ("lost", message) if tried.must else ("refused", "")
    except Exception as error:
        return "crashed", f"{type(error).__name__}: {error}"
    if tried.expected is None or case.canonical(found) != case.canonical(tried.expected):
        return "other", difference(found, tried.expected)
    return ("written" if tried.reason else "same"), ""


def difference(found: list, expected: list | None) -> str:
    """The first example that is other than expected."""
    if expected is None:
        return f"found {found[:2]}, expected an error"
    for one, other in zip(found, expected, strict=False):
        if one != other:
            return f"found {one}, expected {other}"
    return f"found {len(found)} examples, expected {len(expected)}"


def report(case: Case, tally: Tally) -> str:
    """The faults of a case, the smallest file of each kind; empty if there are none."""
    lines = []
    for (change, what, outcome), (tried, detail) in sorted(tally.faults.items(), key=lambda item: item[0]):
        lines += [
            f"{case.name} | {change}: {what} | {FAULTS[outcome]}",
            f"    {detail[:300]}",
            f"    {tried.content[:400]!r}",
        ]
    return "\n".join(lines)
