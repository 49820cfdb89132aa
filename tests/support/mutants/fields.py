"""Files of rows: changes of single fields, and lines between the rows."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.support.mutants.content import AWKWARD, INVISIBLE
from tests.support.mutants.mutant import Mutant, mutant

if TYPE_CHECKING:
    from tests.support.mutants.delimited import Rows

QUOTATION = "quotation marks"


def with_field(rows: Rows, at: int, column: int, new: str) -> Rows:
    """A copy with one field changed."""
    made = rows.changed()
    made.rows[at][column] = new
    return made


def with_lines(rows: Rows, at: int, line: str) -> str:
    """The file with the line of one row written otherwise."""
    lines = rows.lines()
    lines[at + rows.first()] = line
    return "\n".join([*lines, ""])


def a_row(rows: Rows, rng: random.Random) -> int:
    """A row of the language that is read."""
    return rng.choice([at for at, row in enumerate(rows.rows) if rows.is_read(row)])


def quoting(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Quotation marks added, taken away, or alone."""
    yield from (csv_quoting if rows.quoted else literal_quotes)(rows, base, rng)
    for column in rows.texts():
        at = a_row(rows, rng)
        old = rows.rows[at][column]
        for new in (f"'{old}'", f"“{old}”", f"{old}'", f"`{old}`"):
            made = with_field(rows, at, column, new)
            yield mutant('other marks than "', made.text(), made.examples())


def literal_quotes(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """In a format without quoting."""
    for column in rows.texts():
        at = a_row(rows, rng)
        old = rows.rows[at][column]
        middle = old[:2] + '"' + old[2:]
        for new in (f'"{old}"', f'"{old}', f'{old}"', middle, f'"{old[:2]}""{old[2:]}"', f'""{old}""'):
            made = with_field(rows, at, column, new)
            yield mutant("a text with quotation marks", made.text(), made.examples(), QUOTATION)
    everything = rows.changed(
        rows=[[f'"{one}"' for one in row] for row in rows.rows],
        header=[f'"{one}"' for one in rows.header] if rows.header else None,
    )
    yield mutant("every field quoted", everything.text(), base)
    yield mutant("every field quoted below the header", everything.changed(header=rows.header).text(), base)
    texts = rows.texts()
    made = rows.changed(rows=[[f'"{x}"' if n in texts else x for n, x in enumerate(row)] for row in rows.rows])
    yield mutant("every text quoted, numbers not", made.text(), base)
    if rows.header:
        yield mutant("every text and the header quoted", made.changed(header=everything.header).text(), base)


def csv_quoting(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """In a CSV file."""
    for name, style in {"all": csv.QUOTE_ALL, "all but numbers": csv.QUOTE_NONNUMERIC}.items():
        lines = [rows.line(row, style) for row in [rows.header or [], *rows.rows]]
        yield mutant(f"{name} quoted", "\n".join([*lines, ""]), base, must=True)
    for at in range(len(rows.rows)):
        row = rows.rows[at]
        plain = [x for x in range(len(row)) if rows.separator not in row[x] and '"' not in row[x]]
        column = rng.choice(plain)

        def line(new: str, row=row, column=column) -> str:
            return ",".join([*map(rows_line(rows), row[:column]), new, *map(rows_line(rows), row[column + 1 :])])

        old = row[column]
        yield mutant("a field quoted", with_lines(rows, at, line(f'"{old}"')), base, must=True)
        yield mutant("a mark opened and not closed", with_lines(rows, at, line(f'"{old}')), base)
        yield mutant("a quoted field with a word after it", with_lines(rows, at, line(f'"{old}" x')), base)
        yield mutant("a space before a quoted field", with_lines(rows, at, line(f' "{old}"')), base)
        # Without quoting, as some programs write: the mark can only be a character.
        column = rng.choice([x for x in rows.texts() if x in plain] or rows.texts())
        if column in plain:
            old = row[column]
            for new in (old + '"', old[:2] + '"' + old[2:]):
                expected = with_field(rows, at, column, new).examples()
                yield mutant(
                    "a mark in a field that is not quoted", with_lines(rows, at, line(new, row, column)), expected
                )
        for new, name in (
            (f'say "{old}"', "doubled"),
            (f'"{old}"', "doubled at the ends"),
            (f"{old}\nx", "a line end"),
        ):
            if column in rows.texts():
                made = with_field(rows, at, column, new)
                yield mutant(f"in a quoted text: marks {name}", made.text(), made.examples())
        slashed = f'"say \\"{old}\\" x"'
        expected = with_field(rows, at, column, f'say "{old}" x').examples() if column in rows.texts() else base
        yield mutant("marks with a backslash", with_lines(rows, at, line(slashed, row, column)), expected)
    text = rows.text()
    marks = [place for place, character in enumerate(text) if character == '"']
    for place in marks:
        yield mutant("a mark of a pair gone", text[:place] + text[place + 1 :], base)
        yield mutant("a mark of a pair twice", text[:place] + '"' + text[place:], base)
    yield mutant("all marks gone", text.replace('"', ""), base)


def rows_line(rows: Rows):
    """A function that writes one field."""
    return lambda one: rows.line([one]) if one else ""


def case(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Labels in other letters."""
    column = rows.label()
    for name in ("upper", "lower", "title", "swapcase"):
        every = rows.changed()
        for at, row in enumerate(rows.rows):
            new = getattr(row[column], name)()
            every.rows[at][column] = new
            if new != row[column] and new not in rows.labels:
                yield mutant(f"a label in {name} case", with_field(rows, at, column, new).text(), base)
        if every.rows != rows.rows and not {row[column] for row in every.rows} <= set(rows.labels):
            yield mutant(f"all labels in {name} case", every.text(), base)
    if rows.language:
        at, column = a_row(rows, rng), rows.roles.index("language")
        for new in (rows.language.upper(), rows.language + " ", " " + rows.language, "", rows.language + "\u200b"):
            yield mutant("a language code written otherwise", with_field(rows, at, column, new).text(), base)


def comments(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Lines of comments between the rows."""
    lines = rows.lines()
    for at in range(len(lines) + 1):
        comment = rng.choice(("# a comment", "#", "// a comment", "-- a comment", "% a comment", "; a comment", "# 1"))
        yield mutant("a comment", "\n".join([*lines[:at], comment, *lines[at:], ""]), base)
    for at in range(rows.first(), len(lines)):
        made = rows.changed()
        row = made.rows[at - rows.first()]
        row[0] = "#" + row[0]
        marked = "\n".join([*lines[:at], "#" + lines[at], *lines[at + 1 :], ""])
        reason = "commented row" if rows.texts()[0] == 0 else None
        if '"' not in lines[at]:
            yield mutant("a row commented out", marked, made.examples() if reason else base, reason)


def blank_lines(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Blank lines, and lines of nothing but separators."""
    lines = rows.lines()
    width = len(rows.roles) - 1
    for at in range(len(lines) + 1):
        for name, line in {
            "a blank line": "",
            "a line of spaces": "  ",
            "a line of one tab": "\t",
            "a line of separators": rows.separator * width,
            "a line of a NBSP": "\u00a0",
        }.items():
            yield mutant(name, "\n".join([*lines[:at], line, *lines[at:], ""]), base)
    yield mutant("blank lines at the end", rows.text() + "\n\n\n", base)
    yield mutant("a blank line after each line", "\n\n".join([*lines, ""]), base)


def values(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Texts that look like something else."""
    for column in rows.texts():
        for word in rng.sample(AWKWARD, 12):
            made = with_field(rows, a_row(rows, rng), column, word)
            yield mutant(f"a text is {word if word.isascii() else 'rare'}", made.text(), made.examples())
        for word in rng.sample(AWKWARD, 12):
            made = rows.changed()
            for row in made.rows:
                row[column] = word
            yield mutant(f"all texts are {word if word.isascii() else 'rare'}", made.text(), made.examples())
        made = with_field(rows, a_row(rows, rng), column, "")
        yield mutant("a text is empty", made.text(), made.examples())


def labels(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Labels written as other numbers, or as nothing."""
    column = rows.label()
    at = a_row(rows, rng)
    old = rows.rows[at][column]
    nothing = ("", "NA", "nan", "null", "None", "?", "inf", "1e999", "true", "False", "2024-01-05", "0x1", "1_0", "1 0")
    for new in nothing:
        if new not in rows.labels:
            yield mutant(f"the label is '{new}'", with_field(rows, at, column, new).text(), None)
    if rows.roles[column] == "label" and not old.isdecimal():
        return
    for new in ("0" + old, "+" + old, old + "e0", old + ("0" if "." in old else ".0"), " " + old, old + ".", f"'{old}"):
        name = "a label " + new.replace(old, "x")
        yield mutant(name, with_field(rows, at, column, new).text(), base)
        made = rows.changed()
        for row in made.rows:
            row[column] = new.replace(old, row[column])
        yield mutant(name.replace("a label", "all labels"), made.text(), base)
    arabic = old.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
    yield mutant("a label in Arabic digits", with_field(rows, at, column, arabic).text(), base)
    yield mutant("a label with a comma", with_field(rows, at, column, old.replace(".", ",") + ",5").text(), None)


def separators(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Separators at the ends or doubled in all rows, others than those of the format, and spaces beside them."""
    lines, first, mark = rows.lines(), rows.first(), rows.separator

    def every(change) -> str:
        return "\n".join([*map(change, lines), ""])

    def below(change) -> str:
        return "\n".join([*lines[:first], *map(change, lines[first:]), ""])

    for name, change in {"after": lambda line: line + mark, "before": lambda line: mark + line}.items():
        yield mutant(f"a separator {name} every line", every(change), base)
        yield mutant(f"a separator {name} every row", below(change), base)
        yield mutant(f"two separators {name} every row", below(lambda line, change=change: change(change(line))), base)
    for other in (f"{mark} ", f" {mark}"):
        made = rows.changed()
        for row in made.rows:
            for column in rows.texts():
                row[column] = " " * (column > 0 and other[1] == " ") + row[column]
                row[column] += " " * (column < len(row) - 1 and other[0] == " ")
        expected = [{**new, "label": old["label"]} for new, old in zip(made.examples(), base, strict=True)]
        if not any('"' in line for line in lines):
            text = every(lambda line, other=other: line.replace(mark, other))
            yield mutant(f"{other!r} for every separator", text, expected)
    for other in [x for x in (",", ";", "|", "\t", " ", "\t\t", "\\t", "\u00a0") if x != mark]:
        yield mutant(f"{other!r} for every separator", every(lambda line, other=other: line.replace(mark, other)), base)
    for other in [x for x in (",", ";", " ", "\t", "    ") if x != mark]:
        at = rng.randrange(len(rows.rows)) + first
        changed = [*lines[:at], lines[at].replace(mark, other), *lines[at + 1 :], ""]
        yield mutant("another separator in a row", "\n".join(changed), base)
        changed[at] = lines[at].replace(mark, other, 1)
        if '"' not in lines[at]:
            yield mutant("another separator once", "\n".join(changed), base)
    for column, role in enumerate(rows.roles):
        at = a_row(rows, rng)
        for new in ("{} ", " {}", "{}\u00a0", "{}  ", "{}\u3000"):
            made = with_field(rows, at, column, new.format(rows.rows[at][column]))
            expected = made.examples() if column in rows.texts() else base
            yield mutant(f"white space beside a {role or 'field'}", made.text(), expected)


def surplus_in_one_row(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """A separator or a field too much or too little, in one row."""
    texts, label = rows.texts(), rows.label()
    for at, row in enumerate(rows.rows):
        line = rows.lines()[at + rows.first()]
        yield mutant("a separator after a row", with_lines(rows, at, line + rows.separator), base)
        yield mutant(
            "a separator before a row",
            with_lines(rows, at, rows.separator + line),
            base,
        )
        column = rng.randrange(len(row))
        short = row[:column] + row[column + 1 :]
        yield mutant("a field less in a row", with_lines(rows, at, rows.line(short)), base)
        for column in texts:
            words = row[column].split(" ")
            torn = [*row[:column], words[0], " ".join(words[1:]), *row[column + 1 :]]
            yield mutant("a separator in a text", with_lines(rows, at, rows.line(torn)), base)
            if label > column:
                long = [*row[:column], *words[:1] * 4, *row[column + 1 :]]
                yield mutant("three separators more", with_lines(rows, at, rows.line(long)), base)


def invisible(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Characters that one does not see."""
    for character in INVISIBLE:
        name = f"U+{ord(character):04X}"
        for column in rows.texts():
            at = a_row(rows, rng)
            old = rows.rows[at][column]
            for new in (character + old, old + character, old[:2] + character + old[2:], character):
                made = with_field(rows, at, column, new)
                # At the beginning of a file U+FEFF is the byte order mark.
                starts = column == 0 and at == 0 and not rows.header
                kept = with_field(rows, at, column, new.removeprefix("\ufeff") if starts else new)
                yield mutant(f"{name} in a text", made.text(), kept.examples())
        at, column = a_row(rows, rng), rows.label()
        old = rows.rows[at][column]
        for new in (character + old, old + character):
            yield mutant(f"{name} beside a label", with_field(rows, at, column, new).text(), base)
    for column in range(len(rows.roles)):
        made = with_field(rows, a_row(rows, rng), column, "a\0b")
        yield mutant("NUL in a field", made.text(), base)
