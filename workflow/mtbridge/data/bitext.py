"""Pairs of translations: a corpus of its own for every language beside the source language.

The pairs of two languages need not be those of two others, in number or in text, as those of Tatoeba are not. They come
from the user's files, two for a language, or from a table with both sides of a pair in a row.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, write_json
from mtbridge.base.sampling import sample
from mtbridge.base.text import LINE_END, read_lines
from mtbridge.specs.source import Datasets

COLUMNS = ("text", "translation")  # of a table: the text in a language, and the same in the source language
NAME = "retrieval"  # of the setting, for messages
SPLIT = "test"
LEAST = 8  # pairs, as many as intervals over sentences need
RECORD = "source.json"

Pairs = tuple[list[str], list[str]]  # texts in a language, their translations in the source language


def corpus_name(language: str) -> str:
    """The name of the corpus of a language's pairs."""
    return f"bitext-{language}"


def find_files(folder: str | Path, stem: str, language: str, source_language: str) -> tuple[Path, Path] | None:
    """The user's files of a language's pairs: in the language, and in the source language. None if there are none.

    They are `<name>.<language>` and `<name>.<source language>`, and their name is that of the pair, as `de-en` or
    `en-de`, the stem and the pair, as `Tatoeba.de-en`, or the stem alone, where all languages share one file.

    Raises:
        MtbridgeError: there is no such folder, or pairs of a language are there under two names.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MtbridgeError(f"{NAME}.folder: {folder} is no folder; expected one with files like {stem}.en, {stem}.de")
    pairs = (f"{language}-{source_language}", f"{source_language}-{language}")
    names = (*pairs, *(f"{stem}.{pair}" for pair in pairs), stem)
    found = [name for name in names if (folder / f"{name}.{language}").is_file()]
    if len(found) > 1:
        raise MtbridgeError(
            f"{folder}: {found[0]}.{language} and {found[1]}.{language} are both pairs of '{language}'; keep one, or "
            f"name another {NAME}.stem"
        )
    if not found:
        return None
    return folder / f"{found[0]}.{language}", folder / f"{found[0]}.{source_language}"


def read_files(files: tuple[Path, Path]) -> Pairs:
    """The pairs of two files, aligned line by line.

    Raises:
        MtbridgeError: a file is missing or has an empty line, or they differ in their number of lines.
    """
    sides: list[list[str]] = []
    for path in files:
        if not path.is_file():
            raise MtbridgeError(f"{path}: no such file; {files[0]} needs its translations, line by line")
        sides.append(read_lines(path))
    texts, translations = sides
    if len(texts) != len(translations):
        short, long = sorted(zip(map(len, sides), files, strict=True))
        raise MtbridgeError(
            f"{short[1]}:{short[0]}: ends here, but {long[1]} has {long[0]} lines; the two files of a pair must be "
            "aligned line by line"
        )
    for path, side in zip(files, sides, strict=True):
        _check(side, lambda row, path=path: f"{path}:{row + 1}")
    return texts, translations


def read_table(source: Datasets, language: str) -> Pairs:
    """The pairs of a table, whose columns are `COLUMNS` or named by the source's `columns`.

    Raises:
        MtbridgeError: it cannot be opened, has no such columns, or a side of a pair is empty or no text.
    """
    # Here, because planning imports this module, and reads no table.
    from mtbridge.data.readers import opening

    table = opening.open_split(source, NAME, SPLIT, language)
    if source.columns.get(COLUMNS[0], COLUMNS[0]) == source.columns.get(COLUMNS[1], COLUMNS[1]):
        raise MtbridgeError(f"{NAME}.source.columns: both sides of a pair are one column; name a column for each")
    sides: list[list[str]] = []
    for name in COLUMNS:
        values = table.column(source.columns.get(name, name), f"columns.{name}")
        _check(values, table.place)
        sides.append([LINE_END.sub(" ", value) for value in values])
    return sides[0], sides[1]


def _check(values: Sequence, place) -> None:
    """Raise MtbridgeError about the first value that is no text, or an empty one: it has no translation to be found."""
    for row, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            shown = "empty" if value is None or isinstance(value, str) else f"{value!r:.40}"
            raise MtbridgeError(f"{place(row)}: {shown}; expected a sentence: mend it, or delete the pair")


def draw(pairs: Pairs, lines: int, seed: int) -> Pairs:
    """At most so many pairs, drawn with `seed`, in the files' order. Of equally many, the same are drawn."""
    count = len(pairs[0])
    if count <= lines:
        return pairs
    kept = sorted(int(name) for name in sample([str(row) for row in range(count)], f"{seed}/{NAME}")[:lines])
    return [pairs[0][row] for row in kept], [pairs[1][row] for row in kept]


def repeated(texts: Sequence[str]) -> int:
    """How many texts stand in more than one line. Such a line and its copies cannot be told apart by any state."""
    return sum(count for count in Counter(texts).values() if count > 1)


def write(pairs: Pairs, language: str, source_language: str, sources: list[dict], output: str | Path) -> None:
    """Write a corpus of pairs: `<language>.txt`, `<source language>.txt`, and a record of what was read from the Hub.

    Raises:
        MtbridgeError: there are too few pairs, or most have the same text on both sides.
    """
    if len(pairs[0]) < LEAST:
        raise MtbridgeError(f"{output}: {len(pairs[0])} pairs of '{language}'; at least {LEAST} are needed")
    if (same := sum(map(str.__eq__, *pairs))) > len(pairs[0]) / 2:
        raise MtbridgeError(
            f"{output}: {same} of {len(pairs[0])} pairs of '{language}' have the same text on both sides; expected "
            "translations: get the pairs again"
        )
    sides = dict(zip((language, source_language), pairs, strict=True))
    with atomic_write(output) as folder:
        folder.mkdir()
        for name, texts in sides.items():
            (folder / f"{name}.txt").write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        record = {"sources": sources, "pairs": len(pairs[0])}
        write_json(record | {"repeated": {name: repeated(texts) for name, texts in sides.items()}}, folder / RECORD)
