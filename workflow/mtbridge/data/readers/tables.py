"""Tables in local files, read so that text stays text: CSV, TSV, JSON, JSON lines and Parquet.

No value is guessed: `007`, `1.10`, `2024-01-01`, `true` and `NA` are the texts that stand in the file. A row with too
many or too few fields, and a quotation mark that is never closed are errors.

    .csv             fields are separated by commas; a field may stand in quotation marks (RFC 4180)
    .tsv             fields are separated by tabs; a quotation mark is a character
    .jsonl           one object a line
    .json            a list of objects, or one object a line
    .parquet         columns of text, or of lists of texts; class numbers become names if the file has them

A text file may be packed: .csv.gz, .tsv.gz, .json.gz, .jsonl.gz.
"""

import csv
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.text import LINE_END, decode, read_text, split_lines
from mtbridge.data.readers.quoting import check_not_quoted

PACKED = ".gz"
QUOTE_HINT = ", and put a text that holds a comma into quotation marks"


@dataclass(frozen=True)
class Table:
    """Columns of equal length, and where they come from.

    columns: name -> values, texts or lists of texts; None where there is no value.
    lines: the line of each row; None: the place of a row is its number.
    """

    path: str
    columns: dict[str, list]
    lines: list[int] | None = None
    first: int = 0  # of the file's rows, where this is a part of them

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """The place of a row, for messages."""
        if self.lines is None:
            return f"{self.path}, row {self.first + row + 1}"
        return f"{self.path}:{self.lines[row] if row < len(self.lines) else 1}"

    def part(self, start: int, end: int) -> "Table":
        """The rows from `start` up to, without, `end`."""
        columns = {name: values[start:end] for name, values in self.columns.items()}
        return Table(self.path, columns, self.lines and self.lines[start:end], self.first + start)

    def column(self, name: str, key: str) -> list:
        """The values of a column. `key` is the key of the source that names it. Raises MtbridgeError.

        name: `answers.text` is the part `text` of a column `answers` that holds objects, `options.0` the first item of
            one that holds lists, `choices.text.0` the first item of such a part.
        """
        whole, *parts = name.split(".")
        if name not in self.columns and parts and whole in self.columns:
            values = self.columns[whole]
            for part in parts:
                values = [self._part(row, value, whole, part, key) for row, value in enumerate(values)]
                whole = f"{whole}.{part}"
            return values
        if name not in self.columns:
            raise MtbridgeError(f"{self.path}: source.{key}: no column '{name}'; {nearest(name, self.columns)}")
        return self.columns[name]

    def has(self, name: str) -> bool:
        """Is there a column of this name, or one whose part it names?"""
        return name in self.columns or name.partition(".")[0] in self.columns

    def _part(self, row: int, value: Any, whole: str, part: str, key: str) -> Any:
        if isinstance(value, list) and part.isdecimal():
            if int(part) < len(value):
                return value[int(part)]
            message = f"the column '{whole}' has {len(value)} items; expected more than {part}"
            raise MtbridgeError(f"{self.place(row)}: source.{key}: {message}")
        if not isinstance(value, dict) or part not in value:
            held = f"; {nearest(part, value)}" if isinstance(value, dict) else ", which is no object"
            raise MtbridgeError(f"{self.place(row)}: source.{key}: no '{part}' in the column '{whole}'{held}")
        return value[part]


def read_table(path: Path) -> Table:
    """Read a table; its file name says in which format.

    Raises:
        MtbridgeError: the file is no such table; the message names file and line.
    """
    if path.stat().st_size == 0:
        raise MtbridgeError(f"{path}:1: the file is empty; expected examples")
    return READERS[ending(path)](path)


def ending(path: str | Path) -> str:
    """The end of a file's name that says in which format it is, without `.gz`."""
    path = Path(path)
    return Path(path.stem).suffix if path.suffix == PACKED else path.suffix


def _text(path: Path) -> str:
    """The text of a file, which may be packed."""
    if path.suffix != PACKED:
        return read_text(path)
    try:
        return decode(gzip.decompress(path.read_bytes()), path)
    except (OSError, EOFError, zlib.error) as error:
        raise MtbridgeError(f"{path}: cannot be unpacked ({error}); get the file again") from error


# ---- CSV and TSV -----------------------------------------------------------------------------------------------------


def _csv(path: Path) -> Table:
    text = _text(path)
    # The fields of a text may be long; the module's limit is 128 kB.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    # newline="" keeps the line ends that stand inside quotation marks; strict refuses text after a closing mark.
    reader = csv.reader(_lines_with_ends(text), strict=True)
    table = _table(path, text, _numbered(path, reader), "comma")
    for name, values in table.columns.items():
        for row, value in enumerate(values):
            if value[:1] == " " and value.lstrip(" ")[:1] == value[-1:] == '"':
                raise MtbridgeError(
                    f"{table.place(row)}: a space before the quotation mark of '{name}', which makes the marks part of "
                    "the text; delete the space"
                )
    return table


def _lines_with_ends(text: str) -> Iterator[str]:
    start = 0
    for match in LINE_END.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]


def _numbered(path: Path, reader) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, fields) of every row that is not blank."""
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise MtbridgeError(
                f"{path}:{line}: not CSV ({error}); a text with a comma, a quotation mark or a line break stands in "
                "quotation marks, and a quotation mark inside it is doubled"
            ) from error
        if fields:
            yield line, fields


def _tsv(path: Path) -> Table:
    text = _text(path)
    lines = split_lines(text)
    while lines and not lines[-1]:
        lines.pop()
    table = _table(path, text, ((number, line.split("\t")) for number, line in enumerate(lines, 1)), "tab")
    check_not_quoted(table.place(0), table.columns)
    return table


def _table(path: Path, text: str, rows: Iterator[tuple[int, list[str]]], separator: str) -> Table:
    """A table from its rows, the first of which holds the names of the columns."""
    _, names = next(rows, (1, []))
    if odd := [name for number, name in enumerate(names) if not name.strip() or name in names[:number]]:
        raise MtbridgeError(f"{path}:1: the header has '{odd[0]}' twice or empty; expected the names of the columns")
    lines, found = [], []
    for line, fields in rows:
        if len(fields) != len(names):
            raise MtbridgeError(
                f"{path}:{line}: {len(fields)} fields where the header has {len(names)} ({', '.join(names)}); fields "
                f"are separated by a {separator}: mend the row{QUOTE_HINT if separator == 'comma' else ''}"
            )
        lines.append(line)
        found.append(fields)
    if found and not found[-1][-1] and not LINE_END.search(text[-1:]):
        raise MtbridgeError(
            f"{path}:{lines[-1]}: the file ends without a line end after an empty field, as one that was cut does; get "
            "it again, or end it with a line end"
        )
    columns = {name: [fields[number] for fields in found] for number, name in enumerate(names)}
    return Table(str(path), columns, lines)


# ---- JSON ------------------------------------------------------------------------------------------------------------


def _json(path: Path) -> Table:
    text = _text(path)
    if not text.lstrip().startswith("["):
        return _json_lines(path)
    rows = _loads(path, 1, text)
    return _objects(path, rows, None)


def _json_lines(path: Path) -> Table:
    lines, rows = [], []
    for number, line in enumerate(split_lines(_text(path)), 1):
        if line.strip():
            lines.append(number)
            rows.append(_loads(path, number, line))
    return _objects(path, rows, lines)


def _loads(path: Path, line: int, text: str) -> Any:
    try:
        # Numbers as they are written: 1.10 is no 1.1.
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_no_number, object_pairs_hook=unique_keys
        )
        if "\\ud" in text.casefold():  # half of a character, which is no text
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except json.JSONDecodeError as error:
        raise MtbridgeError(
            f"{path}:{line + error.lineno - 1}: not JSON ({error.msg}); expected one object a line, or a list of "
            "objects"
        ) from error
    except (ValueError, RecursionError) as error:
        raise MtbridgeError(f"{path}:{line}: {error}; expected one value a key, and flat rows") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no value of JSON")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of a JSON text, for `object_pairs_hook`. Raises ValueError if it has a key twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("an object has a key twice")
    return values


def _objects(path: Path, rows: Any, lines: list[int] | None) -> Table:
    """A table from objects; a key that an object lacks has no value there."""
    place = Table(str(path), {}, lines).place
    if odd := [number for number, row in enumerate(rows) if not isinstance(row, dict)]:
        raise MtbridgeError(f'{place(odd[0])}: no object; expected one a row, as in {{"text": …, "label": …}}')
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    return Table(str(path), {name: [_written(row.get(name)) for row in rows] for name in names}, lines)


def _written(value: Any) -> Any:
    """true and false as they are written; lists likewise."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    return Number(str(value).lower()) if isinstance(value, bool) else value


# ---- Parquet ---------------------------------------------------------------------------------------------------------


def _parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise MtbridgeError(f"{path}: not readable as Parquet ({error}); get the file again") from error
    names = _class_names(table.schema)
    return Table(str(path), {name: arrow_texts(table[name], names.get(name)) for name in table.column_names})


def arrow_texts(column: Any, names: list[str] | None) -> list:
    """The values of an Arrow column as texts, lists of texts, or what else it holds.

    names: of the classes, if the column holds their numbers. A whole number becomes the text of its digits.
    """
    import pyarrow as pa

    inner = column.type
    while pa.types.is_list(inner) or pa.types.is_large_list(inner):
        inner = inner.value_type
    values = column.to_pylist()
    if names and pa.types.is_integer(inner):
        return _map(values, lambda value: names[value] if 0 <= value < len(names) else str(value))
    if pa.types.is_integer(inner):
        return _map(values, Number)
    if pa.types.is_boolean(inner):
        return _map(values, lambda value: Number(str(value).lower()))
    return values


class Number(str):
    """A text that stands for a value that the file has as a number or as true and false: no text of an example."""


def name_classes(values: list, names: list[str]) -> list:
    """A column in which numbers of classes are their names; what is no such number stays."""
    return _map(
        values,
        lambda value: (
            names[int(value)] if isinstance(value, Number) and value.isdecimal() and int(value) < len(names) else value
        ),
    )


def _map(values: list, function: Callable[[Any], Any]) -> list:
    return [
        _map(value, function) if isinstance(value, list) else None if value is None else function(value)
        for value in values
    ]


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Column -> names of its classes, from what the `datasets` library stores in a Parquet file."""
    stored = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(stored).get("info", {}).get("features", {}) if stored else {}
    names = {}
    for column, feature in features.items():
        while isinstance(feature, dict) and "names" not in feature and "feature" in feature:
            feature = feature["feature"]
        if isinstance(feature, dict) and feature.get("names"):
            names[column] = feature["names"]
    return names


# End of a file name -> what reads it.
READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
