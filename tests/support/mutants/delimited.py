"""Files of rows with fields: what they hold, and changes of whole columns, rows and headers."""

from __future__ import annotations

import copy
import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.mutants import content, fields
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant

REGRESSION = "number"  # the role of a label that is a number


@dataclass
class Rows:
    """A file of rows.

    roles: what a field is, in file order: a text column of the task, label, number, id, language; "" is not read.
    by_name: the reader finds columns by the header.
    quoted: a CSV file, with quoting.
    joined: a model sees the last columns as one text, so that the reader can be told to mend a surplus tab.
    language: of a file with several languages, the one that is read.
    labels: all labels of the task.
    """

    header: list[str] | None
    rows: list[list[str]]
    roles: list[str]
    labels: tuple[str, ...] = ()
    separator: str = "\t"
    by_name: bool = False
    quoted: bool = False
    joined: bool = False
    language: str | None = None

    def texts(self) -> list[int]:
        """Where the text columns stand."""
        return [at for at, role in enumerate(self.roles) if role not in ("", "id", "language", "label", REGRESSION)]

    def any_text(self) -> list[int]:
        """Where the columns stand that may hold any text: texts, ids, and what is not read."""
        return [at for at, role in enumerate(self.roles) if role not in ("language", "label", REGRESSION)]

    def label(self) -> int:
        """Where the label stands."""
        return next(at for at, role in enumerate(self.roles) if role in ("label", REGRESSION))

    def is_read(self, row: list[str]) -> bool:
        """Whether the row is of the language that is read."""
        return self.language is None or row[self.roles.index("language")] == self.language

    def examples(self) -> list[dict]:
        """The rows as examples, without ids."""
        at = self.label()
        number = self.roles[at] == REGRESSION
        return [
            {self.roles[text]: row[text] for text in self.texts()} | {"label": float(row[at]) if number else row[at]}
            for row in self.rows
            if self.is_read(row)
        ]

    def line(self, row: list[str], quoting: int = csv.QUOTE_MINIMAL) -> str:
        """A row as it stands in the file, without a line end."""
        if not self.quoted:
            return self.separator.join(row)
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, quoting=quoting, lineterminator="").writerow(row)
        return out.getvalue()

    def lines(self) -> list[str]:
        """All lines, the header first."""
        return [self.line(row) for row in ([self.header] if self.header else []) + self.rows]

    def text(self) -> str:
        """The file."""
        return joined_lines(self.lines())

    def first(self) -> int:
        """The line number, from 0, of the first row."""
        return int(self.header is not None)

    def changed(self, **changes) -> Rows:
        """A copy to change."""
        made = copy.deepcopy(self)
        for key, value in changes.items():
            setattr(made, key, value)
        return made


def changes(rows: Rows, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a file of rows."""
    base = rows.examples()
    yield "none", mutant("nothing", rows.text(), base, must=True)
    for name, make in (
        ("columns", columns),
        ("rows", whole_rows),
        ("rows", cut_rows),
        ("header", header),
        ("header", names),
        ("quoting", fields.quoting),
        ("case", fields.case),
        ("comments", fields.comments),
        ("blank lines", fields.blank_lines),
        ("values", fields.values),
        ("values", fields.labels),
        ("separators", fields.separators),
        ("separators", fields.surplus_in_one_row),
        ("invisible", fields.invisible),
    ):
        for made in make(rows, base, rng):
            yield name, made
    for made in content.line_ends(rows.text(), base, rng):
        yield "line ends", made
    for made in content.encodings(rows.text(), base, rng):
        yield "encoding", made


def columns(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """A column more, less, or elsewhere, in the whole file."""
    width = len(rows.roles)
    fillers = {
        "words": lambda number: content.WORDS[number % 7],
        "numbers": str,
        "labels": lambda number: rows.rows[number][rows.label()],
        "nothing": lambda number: "",
    }
    for at in range(width + 1):
        for name, fill in fillers.items():
            more = [[*row[:at], fill(number), *row[at:]] for number, row in enumerate(rows.rows)]
            head = [*rows.header[:at], "extra", *rows.header[at:]] if rows.header else None
            made = rows.changed(rows=more, header=head)
            where = "first" if at == 0 else "last" if at == width else "between"
            yield mutant(f"a column of {name} added, {where}", made.text(), base, must=rows.by_name)
    for at in range(width):
        less = [row[:at] + row[at + 1 :] for row in rows.rows]
        head = rows.header[:at] + rows.header[at + 1 :] if rows.header else None
        yield mutant(
            f"the column {rows.roles[at] or 'not read'} dropped", rows.changed(rows=less, header=head).text(), base
        )
    for one in range(width):
        for other in range(one):
            kinds = " and ".join(sorted({rows.roles[one] or "not read", rows.roles[other] or "not read"}))
            both = one in rows.any_text() and other in rows.any_text()
            both = both or {rows.roles[one], rows.roles[other]} == {"id", REGRESSION}
            made = rows.changed(rows=[exchanged(row, one, other) for row in rows.rows])
            if rows.header:
                head = exchanged(rows.header, one, other)
                yield mutant(
                    f"{kinds} exchanged, with the header", made.changed(header=head).text(), base, must=rows.by_name
                )
            expected = made.examples() if both else base
            where = "below the header" if rows.header else "without a header"
            reason = "text for text" if both else None
            yield mutant(f"{kinds} exchanged, {where}", made.text(), expected, reason)
            at = rng.randrange(len(rows.rows))
            made = rows.changed()
            made.rows[at] = exchanged(made.rows[at], one, other)
            yield mutant(f"{kinds} exchanged in a row", made.text(), made.examples() if both else base, reason)


def exchanged(row: list[str], one: int, other: int) -> list[str]:
    """A row with two of its fields exchanged."""
    row = list(row)
    row[one], row[other] = row[other], row[one]
    return row


def whole_rows(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Rows gone, twice, or in another order."""
    count, ids = len(rows.rows), "id" in rows.roles
    order = rng.sample(range(count), count)
    made = rows.changed(rows=[rows.rows[at] for at in order])
    yield mutant("rows shuffled", made.text(), made.examples(), "order")
    made = rows.changed(rows=rows.rows[::-1])
    yield mutant("rows reversed", made.text(), made.examples(), "order")
    for at in range(count):
        made = rows.changed(rows=rows.rows[:at] + rows.rows[at + 1 :])
        yield mutant("a row dropped", made.text(), made.examples(), "row gone")
        twice = rows.rows[: at + 1] + rows.rows[at:]
        far = [*rows.rows, rows.rows[at]]
        for name, more in {"a row twice": twice, "a row again at the end": far}.items():
            made = rows.changed(rows=more)
            told = ids and rows.is_read(rows.rows[at])
            yield mutant(name, made.text(), base if told else made.examples(), None if told else "row twice")
    yield mutant("all rows dropped", rows.changed(rows=[]).text(), None)
    made = rows.changed(rows=rows.rows * 2)
    yield mutant("all rows twice", made.text(), base if ids else made.examples(), None if ids else "row twice")


def cut_rows(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Rows merged into one line, or divided between two."""
    lines, first = rows.lines(), rows.first()
    for at in range(first, len(lines) - 1):
        for name, between in {"nothing": "", "a space": " ", "a separator": rows.separator}.items():
            merged = [*lines[:at], lines[at] + between + lines[at + 1], *lines[at + 2 :]]
            yield mutant(f"two rows merged with {name}", joined_lines(merged), base)
    for at in range(first, len(lines)):
        row, line = rows.rows[at - first], lines[at]
        if '"' in line:
            continue
        ends = [len(rows.separator.join(row[: n + 1])) for n in range(len(row) - 1)]
        place = rng.choice(ends)
        divided = {
            "before a separator": line[:place] + "\n" + line[place:],
            "after a separator": line[: place + 1] + "\n" + line[place + 1 :],
            "at a separator": line[:place] + "\n" + line[place + 1 :],
        }
        text = rng.choice(rows.texts())
        place = len(rows.separator.join(row[:text])) + (text > 0) + rng.randrange(1, len(row[text]))
        divided["in a text"] = line[:place] + "\n" + line[place:]
        for name, new in divided.items():
            yield mutant(f"a row divided {name}", joined_lines([*lines[:at], new, *lines[at + 1 :]]), base)
    row, last = rows.rows[-1], len(rows.roles) - 1
    if '"' not in lines[-1]:
        for cut in range(1, min(len(lines[-1]), 30)):
            made = rows.changed()
            made.rows[-1] = [*row[:last], row[last][:-cut]]
            text, number = last in rows.texts(), rows.roles[last] == REGRESSION
            inside = (text and cut <= len(row[last])) or (number and cut < len(row[last]))
            expected, reason = (made.examples(), "cut text") if inside else (base, None)
            yield mutant("the last row cut", "\n".join(lines)[:-cut], expected, reason)


def header(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """A header added, dropped, elsewhere, or of another length."""
    if rows.header is None:
        head = [role or "other" for role in rows.roles]
        for name, line in {"a header": head, "a header in capitals": [one.upper() for one in head]}.items():
            yield mutant(f"{name} added", rows.line(line) + "\n" + rows.text(), base)
        yield mutant("a header with a # added", "#" + rows.line(head) + "\n" + rows.text(), base)
        return
    lines = rows.lines()
    yield mutant("the header dropped", joined_lines(lines[1:]), base)
    yield mutant("the header twice", joined_lines([lines[0], *lines]), base)
    yield mutant("the header at the end", joined_lines([*lines[1:], lines[0]]), base)
    yield mutant("the header in the middle", joined_lines([*lines[1:3], lines[0], *lines[3:]]), base)
    yield mutant("a # before the header", "#" + rows.text(), base)
    yield mutant("a title before the header", "Table 1\n" + rows.text(), base)
    yield mutant("a line sep= before the header", f"sep={rows.separator}\n" + rows.text(), base)
    yield mutant("a blank line before the header", "\n" + rows.text(), base)
    for name, cell in {"word": "more", "number": "7", "nothing": ""}.items():
        last = rows.changed(rows=[[*row, cell] for row in rows.rows])
        yield mutant(f"a {name} after every row, not in the header", last.text(), base)
        front = rows.changed(rows=[[cell, *row] for row in rows.rows])
        yield mutant(f"a {name} before every row, not in the header", front.text(), base)
    yield mutant("a name more in the header", rows.changed(header=[*rows.header, "more"]).text(), base)
    yield mutant("a name more at the header's front", rows.changed(header=["more", *rows.header]).text(), base)
    yield mutant("the header's last name gone", rows.changed(header=rows.header[:-1]).text(), base)
    yield mutant("the header's first name gone", rows.changed(header=rows.header[1:]).text(), base)


def names(rows: Rows, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Names of the header written otherwise, or used twice."""
    if rows.header is None:
        return
    for at, role in enumerate(rows.roles):
        name = rows.header[at]
        for what, new in {
            "renamed": "other",
            "in capitals": name.upper(),
            "with a capital": name.title(),
            "with a space": name + " ",
            "with a NBSP": "\u00a0" + name,
            "with a zero-width space": name + "\u200b",
            "in quotation marks": f"'{name}'",
            "missing": "",
        }.items():
            if new != name:
                head = [*rows.header[:at], new, *rows.header[at + 1 :]]
                yield mutant(f"a name {what}", rows.changed(header=head).text(), base)
        if role:
            extra = [[f"x{number}", *row] for number, row in enumerate(rows.rows)]
            made = rows.changed(rows=extra, header=[name, *rows.header])
            yield mutant("a column with the name of another, before it", made.text(), base)
            extra = [[*row, f"x{number}"] for number, row in enumerate(rows.rows)]
            made = rows.changed(rows=extra, header=[*rows.header, name])
            yield mutant("a column with the name of another, after it", made.text(), base)
    texts = rows.texts()
    if rows.by_name and len(texts) > 1:
        head = exchanged(rows.header, texts[0], texts[1])
        made = rows.changed(rows=[exchanged(row, texts[0], texts[1]) for row in rows.rows])
        yield mutant("two names exchanged", rows.changed(header=head).text(), made.examples(), "text for text")
