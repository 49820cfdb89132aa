"""Line-aligned text: a line number stands for the same content in every language."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_table
from mtbridge.base.sampling import sample
from mtbridge.base.text import LINE_END, read_lines
from mtbridge.specs.names import LANGUAGE

Sense = tuple[int, int, str]  # of a word: its first character, its end, and the part of the meaning that it says

# Endings that look like language codes and are none: names of the lines, plain text. Of copies: `bak` is Bashkir, too.
COPIES = frozenset({"bak", "old", "tmp"})
NO_LANGUAGES = frozenset({"ids", "txt", "csv", "tsv", "gz", "bz2", "xz", "zip", "log", "md", *COPIES})


def languages_of(folder, stem: str = "train") -> set[str]:
    """The languages of a folder of parallel text: the endings of its files `<stem>.<language>`.

    Raises MtbridgeError if there is no such folder.
    """
    return {ending for ending in _endings(folder, stem) if LANGUAGE.fullmatch(ending) and ending not in NO_LANGUAGES}


def taken_for_copies(folder, stem: str = "train") -> set[str]:
    """The endings of files that are taken for copies, although a language may have this code."""
    return _endings(folder, stem) & COPIES


def _endings(folder, stem: str) -> set[str]:
    folder = Path(folder)
    if not folder.is_dir():
        raise MtbridgeError(f"corpus: {folder} is no folder; expected one with files like {stem}.en, {stem}.de")
    return {path.name.removeprefix(f"{stem}.") for path in folder.glob(f"{stem}.*")}


def files(folder, stems: Iterable[str], languages: Iterable[str]) -> list[Path]:
    """The files that a corpus is read from."""
    return [Path(folder) / f"{stem}.{language}" for stem in stems for language in languages]


def read_local(folder, stems: list[str], languages: list[str], lines: int | None, seed: int) -> dict[str, list[str]]:
    """A corpus of the user's files: {language: lines}, all languages equally long.

    Each language's text is that of its files `<folder>/<stem>.<language>`, in the order of the stems. If there are more
    than `lines` lines, a sample is drawn with `seed`, the same line numbers in every language, in the files' order.

    Raises MtbridgeError for a file that is missing or empty, and for files of a stem that differ in their number of
    lines.
    """
    texts: dict[str, list[str]] = {language: [] for language in languages}
    names: list[str] = []
    for stem in stems:
        counts: dict[Path, int] = {}
        for language, path in zip(languages, files(folder, [stem], languages), strict=True):
            if not path.exists():
                raise MtbridgeError(f"{path}: no such file; the corpus has no '{stem}' in the language '{language}'")
            texts[language] += (found := read_lines(path))
            counts[path] = len(found)
            if not any(line.strip() for line in found):
                raise MtbridgeError(f"{path}: empty; expected one text a line")
        shortest, longest = min(counts, key=lambda file: counts[file]), max(counts, key=lambda file: counts[file])
        if counts[shortest] != counts[longest]:
            raise MtbridgeError(
                f"{shortest}:{counts[shortest]}: ends here, but {longest} has {counts[longest]} lines; "
                "the files of a corpus must be aligned line by line"
            )
        names += [f"{stem}:{number}" for number in range(1, counts[longest] + 1)]
    if lines is None or lines >= len(names):
        return texts
    drawn = set(sample(names, f"{seed}/corpus")[:lines])
    kept = [number for number, name in enumerate(names) if name in drawn]
    return {language: [found[number] for number in kept] for language, found in texts.items()}


def from_examples(
    path, columns: list[str], languages: list[str], lines: int, seed: int, aligned: bool = False
) -> dict[str, list[str]]:
    """A sample of `lines` test examples of each language: {language: texts}, an example's columns joined by spaces.

    It is drawn by the examples' ids with `seed`. Where all languages have the same ids, as translations have, row i is
    the same example in all of them. If they are `aligned`, only examples that all languages have are drawn.

    Raises MtbridgeError if a language, or all together, have too few.
    """
    table = read_table(path, ["split", "language", "example_id", *columns]).to_pydict()
    texts: dict[str, dict[str, str]] = {language: {} for language in languages}
    for row, (split, language) in enumerate(zip(table["split"], table["language"], strict=True)):
        if split == "test" and language in texts:
            text = LINE_END.sub(" ", " ".join(table[column][row] for column in columns))
            texts[language][table["example_id"][row]] = text
    for language, found in texts.items():
        if len(found) < lines:
            raise MtbridgeError(f"{path}: {len(found)} test examples in '{language}', {lines} are asked for")
    if aligned:
        common = set.intersection(*(set(found) for found in texts.values()))
        if len(common) < lines:
            raise MtbridgeError(
                f"{path}: {len(common)} test examples have an id that is one in all languages, and {lines} are asked "
                "for; give translations one id, or take fewer"
            )
        texts = {language: {name: found[name] for name in found if name in common} for language, found in texts.items()}
    by_id = len({frozenset(found) for found in texts.values()}) == 1
    corpus = {}
    for language, found in texts.items():
        drawn = set(sample(found, f"{seed}/corpus")[:lines])
        order = texts[languages[0]] if by_id else found
        corpus[language] = [found[name] for name in order if name in drawn]
    return corpus


def cut(texts: dict[str, list], shares: dict[str, float]) -> dict[str, list]:
    """The first lines of every language: a share of all, at least one; a language with share 0 is left out.

    shares: language -> share; 1 where it has none. Line i stays the translation of line i, as long as both have it.
    """
    kept = {
        language: lines[: max(1, round(shares.get(language, 1.0) * len(lines)))] for language, lines in texts.items()
    }
    return {language: lines for language, lines in kept.items() if shares.get(language, 1.0) > 0}


def write(texts: dict[str, list[str]], output, senses: Mapping[str, Sequence[Sequence[Sense]]] | None = None) -> None:
    """Write `<output>/<language>.txt` for every language, all of them or none.

    senses: language -> for each line the words that say a part of its meaning; they become `<language>.senses.txt`,
    with `start:end:part` for each word. Words of a line with the same part are translations of each other.

    Raises MtbridgeError for a text with a line end, which would move all later lines away from their translations.
    """
    for language, lines in texts.items():
        if odd := next((line for line in lines if LINE_END.search(line)), None):
            raise MtbridgeError(f"{output}: a text in '{language}' holds a line end: {odd[:60]!r}; expected one line")
    with atomic_write(output) as folder:
        folder.mkdir()
        for language, lines in texts.items():
            (folder / f"{language}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        for language, found in (senses or {}).items():
            rows = (" ".join(f"{start}:{end}:{part}" for start, end, part in line) for line in found)
            (folder / f"{language}.senses.txt").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
