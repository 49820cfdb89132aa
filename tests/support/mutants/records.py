"""JSON: a list of records (.json), or a record a line (.jsonl)."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.mutants import content, lists, tags
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant

# Values of a text that are no text. Whoever reads them as a text must not change how they are written.
NO_TEXTS = ("7", "1.10", "1e5", "true", "null", "[]", "{}", '["a"]', '{"a": 1}', "-0", "007", "NaN", "Infinity", "1.0")


@dataclass
class Records:
    """A file of records.

    texts: the text columns; for tagging `tokens`.
    words: labels are lists.
    entities: they are entity tags.
    number: the label is a number.
    by_line: a record a line.
    """

    rows: list[dict]
    texts: tuple[str, ...]
    words: bool = False
    entities: bool = False
    number: bool = False
    by_line: bool = True

    def examples(self) -> list[dict]:
        """The records as examples."""
        found = []
        for row in self.rows:
            label = row["label"]
            if self.entities:
                label = tags.iob2(label)
            elif not self.words:
                label = float(label) if self.number else str(label)
            found.append({name: row[name] for name in self.texts} | {"label": label})
        return found

    def text(self, rows: list | None = None, **style) -> str:
        """The file."""
        return self.file([self.record(row, **style) for row in (self.rows if rows is None else rows)])

    def record(self, row: object, **style) -> str:
        """A record as text."""
        return json.dumps(row, **{"ensure_ascii": False, **style})

    def file(self, records: list[str]) -> str:
        """The file of records that are texts already."""
        return joined_lines(records) if self.by_line else "[\n" + ",\n".join(records) + "\n]\n"

    def changed(self) -> Records:
        """A copy to change."""
        return copy.deepcopy(self)


def changes(records: Records, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a file of records."""
    base = records.examples()
    yield "none", mutant("nothing", records.text(), base, must=True)
    for name, make in (
        ("columns", columns),
        ("rows", rows),
        ("rows", shapes),
        ("header", names),
        ("quoting", quoting),
        ("case", case),
        ("tags", lists.changes),
        ("comments", comments),
        ("blank lines", blank_lines),
        ("values", values),
        ("values", labels),
        ("separators", separators),
        ("invisible", invisible),
    ):
        for made in make(records, base, rng):
            yield name, made
    for made in content.line_ends(records.text(), base, rng):
        # A JSON text is one whatever its line ends are; where a record is a line, CR alone need not end one.
        must = made.must and not (records.by_line and "CR" in made.what)
        yield "line ends", mutant(made.what, made.content, base, must=must)
    for made in content.encodings(records.text(), base, rng):
        yield "encoding", mutant(made.what, made.content, made.expected)


def columns(records, base, rng) -> Iterator[Mutant]:
    """Keys more, less, elsewhere."""
    keys = list(records.rows[0])
    for value in ("x", 7, None, ["a"], {"a": 1}, 1.5, True):
        yield mutant("a key added", records.text([{"extra": value, **row} for row in records.rows]), base, must=True)
        some = [{**row, "extra": value} if at % 2 else row for at, row in enumerate(records.rows)]
        yield mutant("a key added in some records", records.text(some), base)
    mixed = [{**row, "extra": [1, "a", None, {}][at % 4]} for at, row in enumerate(records.rows)]
    yield mutant("a key added, its values of several types", records.text(mixed), base)
    turned = [dict(reversed(row.items())) for row in records.rows]
    yield mutant("keys in another order", records.text(turned), base, must=True)
    shuffled = [{key: row[key] for key in rng.sample(keys, len(keys))} for row in records.rows]
    yield mutant("keys in several orders", records.text(shuffled), base, must=True)
    for key in keys:
        without = [{k: v for k, v in row.items() if k != key} for row in records.rows]
        yield mutant("a key dropped", records.text(without), None)
        for at in range(len(records.rows)):
            one = [*records.rows[:at], without[at], *records.rows[at + 1 :]]
            yield mutant("a key dropped in a record", records.text(one), None)
            own = records.record(records.rows[at])
            twice = records.record({key: records.rows[at - 1][key]})[:-1] + ", " + own[1:]
            same = records.rows[at - 1][key] == records.rows[at][key]
            yield mutant("a key twice in a record", with_record(records, at, twice), base if same else None)
    for one in records.texts:
        other = rng.choice([key for key in keys if key != one])
        swap = {one: other, other: one}
        made = [{swap.get(key, key): value for key, value in row.items()} for row in records.rows]
        both = other in records.texts
        expected = [{swap.get(k, k): v for k, v in row.items()} for row in base] if both else None
        yield mutant("two keys exchanged", records.text(made), expected, "text for text" if both else None)


def with_record(records: Records, at: int, text: str) -> str:
    """The file with one record written otherwise."""
    made = [records.record(row) for row in records.rows]
    made[at] = text
    return records.file(made)


def rows(records, base, rng) -> Iterator[Mutant]:
    """Records gone, twice, elsewhere, merged, divided."""
    count = len(records.rows)
    order = rng.sample(range(count), count)
    yield mutant("records shuffled", records.text([records.rows[n] for n in order]), [base[n] for n in order], "order")
    lines = [records.record(row) for row in records.rows]
    for at in range(count):
        yield mutant(
            "a record dropped",
            records.text(records.rows[:at] + records.rows[at + 1 :]),
            base[:at] + base[at + 1 :],
            "row gone",
        )
        yield mutant(
            "a record twice",
            records.text(records.rows[: at + 1] + records.rows[at:]),
            base[: at + 1] + base[at:],
            "row twice",
        )
        if at + 1 < count:
            for between in ("", " ", ",", ", ", "\t"):
                one = lines[at] + between + lines[at + 1]
                merged = records.file([*lines[:at], one, *lines[at + 2 :]])
                yield mutant(f"two records with {between!r} between", merged, base)
            one = lines[at][:-1] + ", " + lines[at + 1][1:]
            yield mutant("two records in one", records.file([*lines[:at], one, *lines[at + 2 :]]), None)
        place = rng.randrange(1, len(lines[at]))
        yield mutant("a record divided", with_record(records, at, lines[at][:place] + "\n" + lines[at][place:]), base)
        cut = lines[at][: rng.randrange(1, len(lines[at]))]
        yield mutant("a record cut", with_record(records, at, cut), None)
        for other in ("[]", "{}", "null", "7", '"x"', "[" + lines[at] + "]"):
            yield mutant(
                "another value for a record", with_record(records, at, other), base if lines[at] in other else None
            )
        yield mutant(
            "another value more", records.file([*lines[:at], rng.choice(("{}", "null", "[]", "7")), *lines[at:]]), base
        )
    yield mutant("all records dropped", records.text([]), None)
    text = records.text()
    for cut in range(2, 40, 3):
        yield mutant("the end cut", text[:-cut], base)


def shapes(records, base, rng) -> Iterator[Mutant]:
    """The same records in other forms of JSON."""
    keys = list(records.rows[0])
    by_column = {key: [row[key] for row in records.rows] for key in keys}
    indexed = {key: dict(enumerate(values)) for key, values in by_column.items()}
    style = {"ensure_ascii": False}
    forms = {
        "a list": json.dumps(records.rows, **style),
        "a list, a record a line": "[\n" + ",\n".join(map(records.record, records.rows)) + "\n]",
        "a record a line": joined_lines(list(map(records.record, records.rows))),
        "indented": json.dumps(records.rows, indent=2, **style),
        "indented records": joined_lines([json.dumps(row, indent=2, **style) for row in records.rows]),
        "under data": json.dumps({"data": records.rows}, **style),
        "under data, with a version": json.dumps({"version": "1.0", "data": records.rows}, **style),
        "columns": json.dumps(by_column, **style),
        "columns of numbered values": json.dumps(indexed, **style),
        "by number": json.dumps(dict(enumerate(records.rows)), **style),
        "lists of values": json.dumps([list(row.values()) for row in records.rows], **style),
        "columns and data": json.dumps(
            {"columns": keys, "data": [list(row.values()) for row in records.rows]}, **style
        ),
        "in a list of lists": json.dumps([records.rows], **style),
        "as text": json.dumps(json.dumps(records.rows)),
        "records as texts": joined_lines([json.dumps(json.dumps(row)) for row in records.rows]),
        "a splits object": json.dumps({"train": records.rows[:2], "dev": records.rows[2:]}, **style),
    }
    for name, form in forms.items():
        yield mutant(name, form, base)
    yield mutant("escaped", records.text(ensure_ascii=True), base, must=True)
    yield mutant("without spaces", records.text(separators=(",", ":")), base, must=True)
    yield mutant("with more spaces", records.text(separators=(" , ", "  : ")), base, must=True)


def names(records, base, rng) -> Iterator[Mutant]:
    """Keys written otherwise, in all records or one."""
    for key in records.rows[0]:
        for new in (
            key.upper(),
            key.title(),
            key + " ",
            "\u00a0" + key,
            key + "\u200b",
            "",
            "\ufeff" + key,
            f"'{key}'",
        ):
            made = [{new if k == key else k: v for k, v in row.items()} for row in records.rows]
            yield mutant("a key renamed", records.text(made), base)
            at = rng.randrange(len(made))
            one = [*records.rows[:at], made[at], *records.rows[at + 1 :]]
            yield mutant("a key renamed in a record", records.text(one), base)


def with_text(records: Records, rng: random.Random, change) -> Records:
    """A copy with one text, or word, changed."""
    made = records.changed()
    row, name = rng.choice(made.rows), rng.choice(records.texts)
    if records.words:
        row[name][rng.randrange(len(row[name]))] = change(row[name][0])
    else:
        row[name] = change(row[name])
    return made


def quoting(records, base, rng) -> Iterator[Mutant]:
    """Marks in texts, and marks of JSON gone, single or twice."""
    for pattern in ('"{}"', '"{}', "'{}'", "\\{}", "{}\\", "{}\n", '{}\\"'):
        made = with_text(records, rng, pattern.format)
        yield mutant("a text with marks", made.text(), made.examples())
    text = records.text()
    places = [at for at, character in enumerate(text) if character == '"']
    for at in rng.sample(places, 12):
        yield mutant("a mark gone", text[:at] + text[at + 1 :], None)
        yield mutant("a mark twice", text[:at] + '"' + text[at:], None)
        yield mutant("a mark escaped", text[:at] + "\\" + text[at:], None)
    yield mutant("single marks", text.replace('"', "'"), base)
    yield mutant("keys without marks", text.replace('"label"', "label"), base)


def in_other_case(records) -> Iterator[tuple[str, Records]]:
    """The records with their labels in other letters, where that changes an example."""
    base = records.examples()
    for name in ("upper", "lower", "title"):
        made = records.changed()
        for row in made.rows:
            old = row["label"]
            row["label"] = [getattr(x, name)() for x in old] if records.words else getattr(str(old), name)()
        if made.examples() != base:
            yield f"labels in {name} case", made


def case(records, base, rng) -> Iterator[Mutant]:
    """Labels in other letters."""
    for name, made in in_other_case(records):
        yield mutant(name, made.text(), base)


def comments(records, base, rng) -> Iterator[Mutant]:
    """Lines of comments."""
    lines = records.text().split("\n")[:-1]
    for at in range(len(lines) + 1):
        for comment in ("# a comment", "// a comment", "/* a comment */"):
            yield mutant("a comment", joined_lines([*lines[:at], comment, *lines[at:]]), base)
        if at < len(lines) and lines[at].startswith("{"):
            for mark in ("#", "//", "# "):
                yield mutant(
                    "a record commented out", joined_lines([*lines[:at], mark + lines[at], *lines[at + 1 :]]), None
                )


def blank_lines(records, base, rng) -> Iterator[Mutant]:
    """Blank lines."""
    lines = records.text().split("\n")[:-1]
    for at in range(len(lines) + 1):
        for name, line in {"a blank line": "", "a line of a space": " ", "a tab": "\t", "a NBSP": "\u00a0"}.items():
            yield mutant(name, joined_lines([*lines[:at], line, *lines[at:]]), base)


def values(records, base, rng) -> Iterator[Mutant]:
    """Texts that look like something else, and values that are no texts."""
    for word in content.AWKWARD:
        made = with_text(records, rng, lambda old, word=word: word)
        yield mutant(f"a text is {word if word.isascii() else 'rare'}", made.text(), made.examples())
        made = records.changed()
        for row in made.rows:
            for name in records.texts:
                row[name] = [word] * len(row[name]) if records.words else word
        yield mutant(f"all texts are {word if word.isascii() else 'rare'}", made.text(), made.examples())
    for value in NO_TEXTS:
        scalar = value[0] not in "[{nN" and value not in ("007", "Infinity", "null")
        made = with_text(records, rng, lambda old: "@@")
        kept = with_text_replaced(made, value) if scalar else None
        yield mutant(f"a text is the value {value}", made.text().replace('"@@"', value), kept)
        made = records.changed()
        for row in made.rows:
            row[records.texts[0]] = ["@@"] * len(row["tokens"]) if records.words else "@@"
        kept = with_text_replaced(made, value) if scalar else None
        yield mutant(f"all texts are the value {value}", made.text().replace('"@@"', value), kept)
    for escape in ("\\ud800", "\\udc00\\ud800", "\\q", "\\u12", "\\x41", "\n", "\t"):
        made = with_text(records, rng, lambda old: "@@")
        yield mutant(f"a text with {escape!r}", made.text().replace("@@", "a" + escape), None)


def with_text_replaced(records: Records, value: str) -> list:
    """The examples with the text @@ read as the letters of a value."""
    return json.loads(json.dumps(records.examples()).replace('"@@"', json.dumps(value)))


def labels(records, base, rng) -> Iterator[Mutant]:
    """Labels of other types."""
    if records.words:
        return
    for at, row in enumerate(records.rows):
        old = str(row["label"])
        right = [f'"{old}"', f'"0{old}"', f'" {old}"', f'"+{old}"', f'"{old}.0"']
        if old.replace(".", "").isdecimal():
            right += [old, f"{float(old)}", f"{float(old)}e0"]
        wrong = ["true", "null", '""', "[]", "{}", f'["{old}"]', "NaN", '"nan"', "1e999", '"1_0"', '"NA"', "0x1", "[0]"]
        for new, expected in [(x, base) for x in right] + [(x, None) for x in wrong]:
            text = records.record({**row, "label": "@@"}).replace('"@@"', new)
            yield mutant(f"a label is {new.replace(old, 'x')}", with_record(records, at, text), expected)


def separators(records, base, rng) -> Iterator[Mutant]:
    """Commas, colons and brackets gone, doubled or surplus."""
    text = records.text()
    marks = [at for at, character in enumerate(text) if character in ",:{}[]"]
    for at in rng.sample(marks, min(len(marks), 25)):
        yield mutant(f"a {text[at]} gone", text[:at] + text[at + 1 :], base)
        yield mutant(f"a {text[at]} twice", text[:at] + text[at] + text[at:], base)
        yield mutant(f"white space at a {text[at]}", text[:at] + " \t " + text[at:], base, must=True)
        yield mutant(f"a NBSP at a {text[at]}", text[:at] + "\u00a0" + text[at:], base)
    yield mutant("a comma after every record", text.replace("}\n", "},\n"), base)
    yield mutant("semicolons for commas", text.replace(", ", "; "), base)
    yield mutant("words after the end", text + "end\n", base)
    for pattern in ("{} ", " {}", "{}\t", "{}\u00a0"):
        made = with_text(records, rng, pattern.format)
        yield mutant("white space beside a text", made.text(), made.examples())


def invisible(records, base, rng) -> Iterator[Mutant]:
    """Characters that one does not see."""
    for character in content.INVISIBLE:
        name = f"U+{ord(character):04X}"
        for pattern in ("{1}{0}", "{0}{1}", "{1}"):
            made = with_text(records, rng, lambda old, p=pattern, c=character: p.format(old, c))
            yield mutant(f"{name} in a text", made.text(), made.examples())
            escaped = made.text(ensure_ascii=True)
            yield mutant(f"{name} in a text, escaped", escaped, made.examples())
        text = records.text()
        at = rng.choice([at for at, one in enumerate(text) if one in ",:{}"])
        yield mutant(f"{name} between", text[:at] + character + text[at:], base)
        if not records.words and not records.number:
            made = records.changed()
            row = rng.choice(made.rows)
            row["label"] = str(row["label"]) + character
            yield mutant(f"{name} beside a label", made.text(), base)
    made = with_text(records, rng, lambda old: old + "\0")
    yield mutant("NUL in a text, escaped", made.text(), made.examples())
