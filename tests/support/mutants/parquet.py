"""Parquet: changes of columns, types, rows and bytes of a table."""

from __future__ import annotations

import datetime
import decimal
import io
import random
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.mutants import content, tags
from tests.support.mutants.mutant import Mutant, mutant
from tests.support.mutants.records import Records, in_other_case


def file_of(table: pa.Table) -> bytes:
    """A table as a file."""
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def table_of(records: Records) -> pa.Table:
    """Records as a table."""
    return pa.Table.from_pylist(records.rows)


def changes(records: Records, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a table."""
    base, table = records.examples(), table_of(records)
    yield "none", mutant("nothing", file_of(table), base, must=True)
    for name, make in (
        ("columns", columns),
        ("rows", rows),
        ("header", names),
        ("values", texts),
        ("values", typed_texts),
        ("values", labels),
        ("case", case),
        ("tags", word_lists),
        ("encoding", damaged),
    ):
        for made in make(records, base, rng):
            yield name, made
    for character in content.INVISIBLE:
        made = changed_text(records, rng, lambda old, c=character: old + c)
        yield "invisible", mutant(f"U+{ord(character):04X} in a text", file_of(table_of(made)), made.examples())


def changed_text(records: Records, rng: random.Random, change) -> Records:
    """A copy with one text, or word, changed."""
    made = records.changed()
    row, name = rng.choice(made.rows), rng.choice(records.texts)
    row[name] = [change(row[name][0]), *row[name][1:]] if records.words else change(row[name])
    return made


def columns(records, base, rng) -> Iterator[Mutant]:
    """Columns more, less, elsewhere."""
    table = table_of(records)
    count = table.num_rows
    for values in (["x"] * count, [1] * count, [None] * count, [[1]] * count, [{"a": 1}] * count):
        for at in range(table.num_columns + 1):
            yield mutant("a column added", file_of(table.add_column(at, "extra", [values])), base, must=True)
    for order in (table.column_names[::-1], rng.sample(table.column_names, table.num_columns)):
        yield mutant("columns in another order", file_of(table.select(order)), base, must=True)
    for name in table.column_names:
        yield mutant("a column dropped", file_of(table.drop_columns([name])), None)
        values = table.column(name).to_pylist()[::-1]
        for at in (0, table.num_columns):
            twice = table.add_column(at, name, [pa.array(values, table.column(name).type)])
            yield mutant("a column with the name of another", file_of(twice), base if values == values[::-1] else None)
    first, second = table.column_names[:2]
    swapped = table.rename_columns([second, first, *table.column_names[2:]])
    both = {first, second} <= set(records.texts)
    expected = [{**row, first: row[second], second: row[first]} for row in base] if both else None
    yield mutant("two names exchanged", file_of(swapped), expected, "text for text" if both else None)


def rows(records, base, rng) -> Iterator[Mutant]:
    """Rows gone, twice, elsewhere."""
    table = table_of(records)
    count = table.num_rows
    order = rng.sample(range(count), count)
    yield mutant("rows shuffled", file_of(table.take(order)), [base[at] for at in order], "order")
    for at in range(count):
        less = [n for n in range(count) if n != at]
        yield mutant("a row dropped", file_of(table.take(less)), [base[n] for n in less], "row gone")
        twice = [*range(count), at]
        yield mutant("a row twice", file_of(table.take(twice)), [base[n] for n in twice], "row twice")
    yield mutant("all rows dropped", file_of(table.slice(0, 0)), None)
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=2, compression="gzip", version="1.0")
    yield mutant("several groups of rows", out.getvalue(), base, must=True)


def names(records, base, rng) -> Iterator[Mutant]:
    """Columns called otherwise."""
    table = table_of(records)
    for at, name in enumerate(table.column_names):
        for new in (name.upper(), name.title(), name + " ", "\u00a0" + name, name + "\u200b", "", "other"):
            renamed = [new if n == at else old for n, old in enumerate(table.column_names)]
            yield mutant("a column renamed", file_of(table.rename_columns(renamed)), base)


def texts(records, base, rng) -> Iterator[Mutant]:
    """Texts that look like something else."""
    for word in content.AWKWARD:
        made = changed_text(records, rng, lambda old, word=word: word)
        yield mutant(f"a text is {word if word.isascii() else 'rare'}", file_of(table_of(made)), made.examples())
    made = changed_text(records, rng, lambda old: None)
    yield mutant("a text is null", file_of(table_of(made)), None)


def typed_texts(records, base, rng) -> Iterator[Mutant]:
    """Columns of texts of other types: the letters of a value are known only of texts, whole numbers and dates."""
    table, name = table_of(records), records.texts[0]
    at, count = table.column_names.index(name), table.num_rows
    if records.words:
        return
    old = table.column(name)
    for kind in (pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary(), pa.large_binary()):
        made = old.combine_chunks().dictionary_encode() if pa.types.is_dictionary(kind) else old.cast(kind)
        must = kind == pa.large_string()
        yield mutant(f"texts as {kind}", file_of(table.set_column(at, name, made)), base, must=must)
    latin = pa.array([text.encode("latin-1") for text in old.to_pylist()], pa.binary())
    yield mutant("texts as latin-1", file_of(table.set_column(at, name, latin)), base)
    day = datetime.date(2024, 1, 5)
    for values, letters in (
        (pa.array(range(count)), [str(n) for n in range(count)]),
        (pa.array([float(n) for n in range(count)]), None),
        (pa.array([1.1] * count, pa.float32()), None),
        (pa.array([True] * count), None),
        (pa.array([day] * count), ["2024-01-05"] * count),
        (pa.array([datetime.datetime(2024, 1, 5)] * count), None),
        (pa.array([decimal.Decimal("1.10")] * count), ["1.10"] * count),
        (pa.array([["a"]] * count), None),
        (pa.array([{"a": 1}] * count), None),
        (pa.nulls(count), None),
        (pa.nulls(count, pa.string()), None),
        (pa.array([datetime.timedelta(1)] * count), None),
    ):
        expected = letters and [{**row, name: new} for row, new in zip(base, letters, strict=True)]
        yield mutant(f"texts are {values.type}", file_of(table.set_column(at, name, values)), expected)


def labels(records, base, rng) -> Iterator[Mutant]:
    """Labels of other types."""
    if records.words:
        return
    table = table_of(records)
    at = table.column_names.index("label")
    old = [str(row["label"]) for row in records.rows]
    numbers = all(one.replace(".", "").isdecimal() for one in old)
    if numbers and not records.number:
        for kind in (pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.float64(), pa.string(), pa.bool_()):
            values = pa.array(old if kind == pa.string() else [int(one) for one in old]).cast(kind)
            must = kind in (pa.int64(), pa.string())
            yield mutant(f"labels are {kind}", file_of(table.set_column(at, "label", values)), base, must=must)
    else:
        yield mutant("labels are texts", file_of(table.set_column(at, "label", pa.array(old))), base, must=True)
        encoded = pa.array(old).dictionary_encode()
        yield mutant("labels are a dictionary", file_of(table.set_column(at, "label", encoded)), base)
    for new in (None, "", "NA", "nan", "null", "1_0", "inf", "0x1"):
        values = pa.array([new, *old[1:]])
        yield mutant(f"a label is {new!r}", file_of(table.set_column(at, "label", values)), None)
    for kind in (pa.float64(), pa.int64()):
        yield mutant(f"no labels, {kind}", file_of(table.set_column(at, "label", pa.nulls(len(old), kind))), None)
        some = pa.array([float("nan"), *[1.0] * (len(old) - 1)])
        yield mutant("a label is NaN", file_of(table.set_column(at, "label", some)), None)


def case(records, base, rng) -> Iterator[Mutant]:
    """Labels in other letters."""
    for name, made in in_other_case(records):
        yield mutant(name, file_of(table_of(made)), base)


def word_lists(records, base, rng) -> Iterator[Mutant]:
    """Lists of words and labels: other schemes, lengths, types."""
    if not records.words:
        return
    for name, written, iob2, reason in tags.schemes([row["label"] for row in records.rows], rng):
        made = records.changed()
        for row, new in zip(made.rows, written, strict=True):
            row["label"] = new
        found = [{**one, "label": new} for one, new in zip(base, iob2, strict=True)]
        yield mutant(name, file_of(table_of(made)), found, reason)
    for at in range(len(records.rows)):
        for what, key, change in (
            ("a label less", "label", lambda x: x[1:]),
            ("a label more", "label", lambda x: [*x, "O"]),
            ("a word less", "tokens", lambda x: x[1:]),
            ("a null among words", "tokens", lambda x: [None, *x[1:]]),
            ("a null among labels", "label", lambda x: [None, *x[1:]]),
            ("no words", "tokens", lambda x: []),
            ("words are null", "tokens", lambda x: None),
            ("labels are null", "label", lambda x: None),
        ):
            made = records.changed()
            made.rows[at][key] = change(made.rows[at][key])
            yield mutant(what, file_of(table_of(made)), None)
    for key in ("tokens", "label"):
        for turn in (" ".join, str, lambda x: [x], lambda x: [1.5] * len(x), lambda x: [True] * len(x), len):
            made = records.changed()
            for row in made.rows:
                row[key] = turn(row[key])
            yield mutant(f"{key} of another type", file_of(table_of(made)), None)
    made = records.changed()
    for row in made.rows:
        row["tokens"] = "abcdefghijk"[: len(row["label"])]
    yield mutant("texts as long as the lists of labels", file_of(table_of(made)), None)


def damaged(records, base, rng) -> Iterator[Mutant]:
    """Bytes gone or put in."""
    raw = file_of(table_of(records))
    for _ in range(12):
        at = rng.randrange(4, len(raw) - 8)
        yield mutant("cut", raw[:at], None)
        yield mutant("bytes gone", raw[:at] + raw[at + 3 :], base)
    yield mutant("bytes at the end", raw + b"\n", base)
    yield mutant("two files", raw + raw, base)
    yield mutant("line ends changed", raw.replace(b"\n", b"\r\n") + b"\r\n", base)
    yield mutant("text instead", b"question,label\na,1\n", None)
