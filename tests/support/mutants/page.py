"""The page of the documentation about changed files."""

from __future__ import annotations

from tests.support.mutants.cases import CASES
from tests.support.mutants.mutant import CHANGES, FAULTS, UNDETECTABLE, Tally

HEAD = """\
# What readers make of changed files

A file that someone saved with another program, sorted, cut or converted is read as the same examples, or refused in one
line that names the file; it is never read as other examples in silence. `tests/faults/test_mutants.py` tries that on
{total} files; this table says what came of them. (Made by `python -m tests.support.mutants > docs/input.md`.)

A cell has four numbers: read · refused · as it stands · other.

- *read*: the same texts, tokens and labels, in the same order. A changed word is read as it now stands, to the letter.
- *refused*: an error that names the file, in formats of lines also the line.
- *as it stands*: the changed file is as good a file as the first one, so nobody can tell. These are listed below.
- *other*: other examples in silence, or an error that names no place. The test fails unless this is 0 everywhere.
"""
TAIL = """
## What nobody can tell

Such a file is read exactly as it stands.

| change | why |
|---|---|
"""


def page(tallies: dict[str, Tally]) -> str:
    """The page as Markdown; tallies: name of a case -> its tally."""
    total = f"{sum(tally.total() for tally in tallies.values()):,}"
    lines = ["| files | " + " | ".join(CHANGES) + " |", "|---" * (len(CHANGES) + 1) + "|"]
    for case in CASES:
        cells = [cell(tallies[case.name].counts.get(change, {})) for change in CHANGES]
        lines.append("| " + " | ".join([case.name, *cells]) + " |")
    reasons = [f"| {name} | {reason} |" for name, reason in UNDETECTABLE.items()]
    return HEAD.format(total=total) + "\n" + "\n".join(lines) + "\n" + TAIL + "\n".join(reasons) + "\n"


def cell(outcomes: dict[str, int]) -> str:
    """How many files of one change were read, refused, read as they stand, and read as something else."""
    if not outcomes:
        return "–"
    faults = sum(outcomes.get(fault, 0) for fault in FAULTS)
    numbers = [outcomes.get(outcome, 0) for outcome in ("same", "refused", "written")]
    return " · ".join(map(str, [*numbers, faults]))
