"""Line-aligned text: a line number stands for the same content in every language."""

import re
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_table
from mtbridge.base.text import read_lines


def languages_of(folder, stem: str = "train") -> set[str]:
    """The languages of a folder of parallel text: the endings of its files `<stem>.<language>`.

    Raises MtbridgeError if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MtbridgeError(f"corpus: {folder} is no folder; expected one with files like {stem}.en, {stem}.de")
    # A language has two or three letters; a file `<stem>.ids` holds the names of the lines.
    endings = {path.suffix[1:] for path in folder.glob(f"{stem}.*")}
    return {ending for ending in endings if re.fullmatch("[a-z]{2,3}", ending) and ending != "ids"}


def read_local(folder, stems: list[str], languages: list[str], lines: int | None) -> dict[str, list[str]]:
    """The first `lines` lines of a corpus: {language: lines}, all languages equally long.

    Each language's text is that of its files `<folder>/<stem>.<language>`, in the order of the stems. Raises
    MtbridgeError for a file that is missing or empty, and for files of a stem that differ in their number of lines.
    """
    texts: dict[str, list[str]] = {language: [] for language in languages}
    for stem in stems:
        counts: dict[Path, int] = {}
        for language in languages:
            path = Path(folder) / f"{stem}.{language}"
            if not path.exists():
                raise MtbridgeError(f"{path}: no such file; the corpus has no '{stem}' in the language '{language}'")
            texts[language] += (found := read_lines(path))
            counts[path] = len(found)
            if not found:
                raise MtbridgeError(f"{path}: empty; expected one text a line")
        shortest, longest = min(counts, key=lambda file: counts[file]), max(counts, key=lambda file: counts[file])
        if counts[shortest] != counts[longest]:
            raise MtbridgeError(
                f"{shortest}:{counts[shortest]}: ends here, but {longest} has {counts[longest]} lines; "
                "the files of a corpus must be aligned line by line"
            )
    return {language: found[:lines] for language, found in texts.items()}


def from_examples(path, columns: list[str], languages: list[str], lines: int) -> dict[str, list[str]]:
    """The first `lines` test examples of each language: {language: texts}, the columns of an example joined by spaces.

    The texts are aligned only if the task's examples are. Raises MtbridgeError if a language has too few.
    """
    table = read_table(path, ["split", "language", *columns]).to_pydict()
    texts: dict[str, list[str]] = {language: [] for language in languages}
    for row, (split, language) in enumerate(zip(table["split"], table["language"], strict=True)):
        if split == "test" and language in texts and len(texts[language]) < lines:
            texts[language].append(" ".join(table[column][row] for column in columns).replace("\n", " "))
    for language, found in texts.items():
        if len(found) < lines:
            raise MtbridgeError(f"{path}: {len(found)} test examples in '{language}', {lines} are asked for")
    return texts


def write(texts: dict[str, list[str]], output) -> None:
    """Write `<output>/<language>.txt` for every language, all of them or none."""
    with atomic_write(output) as folder:
        folder.mkdir()
        for language, lines in texts.items():
            (folder / f"{language}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
