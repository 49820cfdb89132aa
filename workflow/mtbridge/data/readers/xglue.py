"""The files of the XGLUE release, in a folder or an archive, read as they are.

The source's `path` is a folder, an archive, or an archive in a dataset repository of the Hub, written
`hf://datasets/<owner>/<name>@<revision>/<file>` (`refs/pr/7` is a revision too). An archive on the Hub is downloaded
once into the Hub's cache. Without a network, or with HF_HUB_OFFLINE=1, it is read from that cache.

Layouts (source key `format`; the tasks of the release have theirs in `TASKS`)
    words    {language}.{split}                     `token label`, a blank line between sentences; see `word_lines`
    rows     xglue.{folder}.{language}.{split}      the text columns, then the label; tabs; no header
    xnli     multinli.train.{language}.tsv with a header, {language}.{split} without; if the latter is
             missing, xnli.{split}.tsv of the XNLI distribution, with all languages in one file
    paws-x   {language}/train.tsv, {language}/{split}_2k.tsv: header, id, the text columns, the label
    source-target  xglue.{folder}.{language}.src.{split} and ….tgt.{split}: a text a line, and what is to be
             written for it; see `text_pairs`
    squad    {language}.{split}.json                questions and answers in SQuAD's format; see `squad_json`
    mlqa     the same format: squad1.1/train-v1.1.json, and in MLQA_V1/{split}/ the files
             {split}-context-{language}-question-{language}.json

The keys of the source are those of `specs.source.Xglue`. `tab_rows` reads the rows of rows, xnli and paws-x.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import decode, split_lines
from mtbridge.data.readers import archives, hub
from mtbridge.data.readers.languages import codes_in, ours
from mtbridge.data.readers.squad_json import read_questions
from mtbridge.data.readers.tab_rows import Fields, distribution_languages, read_rows
from mtbridge.data.readers.text_pairs import read_pairs
from mtbridge.data.readers.word_lines import read_sentences
from mtbridge.specs.source import Xglue, changed, their_language
from mtbridge.tasks.kinds import KINDS, Kind, kind_of

# Bytes. A larger archive is not listed when a study is checked: one pass over the release takes 10 s.
MAX_LISTED_BYTES = 100_000_000


PLAIN = Fields()  # the task's texts and the label, without a header


@dataclass(frozen=True)
class File:
    """A file's name, and where the fields of its rows stand; the name of the file with what is to be written."""

    name: str
    fields: Fields = PLAIN
    target: str | None = None

    @property
    def names(self) -> list[str]:
        """All files that are read."""
        return [self.name] if self.target is None else [self.name, self.target]


@dataclass(frozen=True)
class Layout:
    """The files of a task; of several names for the same split the first that exists is read."""

    train: tuple[File, ...]
    evaluation: tuple[File, ...]


# MultiNLI's training file spells one label its own way.
MULTINLI = Fields(header=("premise", "hypo", "label"), spellings={"contradictory": "contradiction"})
PAWS_X = Fields(header=("id", "sentence1", "sentence2", "label"), id=0, first_text=1)
TEXT_PAIR = File("xglue.{folder}.{language}.src.{split}", target="xglue.{folder}.{language}.tgt.{split}")
LAYOUTS = {
    "words": Layout((File("{language}.train"),), (File("{language}.{split}"),)),
    "rows": Layout((File("xglue.{folder}.{language}.train"),), (File("xglue.{folder}.{language}.{split}"),)),
    "xnli": Layout(
        (File("multinli.train.{language}.tsv", MULTINLI),),
        (File("{language}.{split}"), File("xnli.{split}.tsv", Fields(distribution=True))),
    ),
    "paws-x": Layout((File("{language}/train.tsv", PAWS_X),), (File("{language}/{split}_2k.tsv", PAWS_X),)),
    "source-target": Layout((TEXT_PAIR,), (TEXT_PAIR,)),
    "squad": Layout((File("{language}.{split}.json"),), (File("{language}.{split}.json"),)),
    "mlqa": Layout(
        (File("squad1.1/train-v1.1.json"),),
        (File("MLQA_V1/{split}/{split}-context-{language}-question-{language}.json"),),
    ),
}
OF_QUESTIONS = (LAYOUTS["squad"], LAYOUTS["mlqa"])
OF_TEXTS = (*OF_QUESTIONS, LAYOUTS["source-target"])  # in which something is to be written
# task -> folder and layout in the release
TASKS = {
    "nc": ("NC", "rows"),
    "xnli": ("XNLI", "xnli"),
    "paws-x": ("PAWSX", "paws-x"),
    "qam": ("QAM", "rows"),
    "qadsm": ("QADSM", "rows"),
    "wpr": ("WPR", "rows"),
    "ner": ("NER", "words"),
    "pos": ("POS", "words"),
    "ntg": ("NTG", "source-target"),
    "xglue-qg": ("QG", "source-target"),
    "mlqa": ("MLQA", "mlqa"),
    # Not the release's: the folder QA, for answers to questions and for questions to answers.
    "qa": ("QA", "squad"),
    "qg": ("QA", "squad"),
}
# Keys of a source that only some layouts use.
OF_WORDS = ("columns", "comment", "spaces_in_tokens")
OF_ROWS = ("ragged",)


def kind_in_release(task_name: str) -> Kind:
    """How the release has a task's labels: one a word, or one a row."""
    _, layout = TASKS[task_name]
    if LAYOUTS[layout] in OF_TEXTS:
        return KINDS["generation"]
    return KINDS["tagging" if layout == "words" else "classification"]


def read(source: Xglue, task, split: str, language: str, limit=None, seed=0):
    """All rows of one split and language; `place(row, word)` names file and line. See `readers.Reader`."""
    folder, layout = _folder_and_layout(source, task.name)
    root = _release(source, task.name)
    file = _existing(source, layout, folder, split, language, archives.names(root, folder))
    if file is None:
        expected = _first_missing(source, layout, folder, split, language, archives.names(root, folder))
        known = sorted(_available(source, root, folder, layout))
        raise MtbridgeError(
            f"{root}: {folder}/{expected} is missing (task {task.name}, {language} {split}); languages with dev "
            f"and test files: {', '.join(known) or 'none'}"
        )
    raw, path = archives.content(root, folder, file.name)
    if layout in OF_QUESTIONS:
        return read_questions(decode(raw, path), path, task, drop_impossible=False)
    lines = _lines(raw, path)
    if file.target is not None:
        raw, target_path = archives.content(root, folder, file.target)
        return read_pairs((lines, path), (_lines(raw, target_path), target_path), task)
    if kind_of(task).per_word:
        return read_sentences(lines, path, source)
    return read_rows(lines, path, file.fields, task, their_language(source, language), source)


def _lines(raw: bytes, path: str) -> list[str]:
    """Lines without their ends, and without the blank ones at the file's end."""
    lines = split_lines(decode(raw, path))
    while lines and lines[-1] == "":
        lines.pop()
    if not lines:
        raise MtbridgeError(f"{path}:1: the file is empty; expected examples")
    return lines


def available_languages(source: Xglue, task_name: str) -> set[str] | None:
    """The languages that have a dev and a test file; None for an archive that is large or on the Hub.

    Reads only the names of files, unless XNLI has one file for all languages of a split. See `readers.Reader`.
    """
    folder, layout = _folder_and_layout(source, task_name)
    if str(source.path).startswith("hf://"):
        hub.address(str(source.path), f"task {task_name}: source.path")
        return None
    root = _release(source, task_name)
    if root.is_file() and root.stat().st_size > MAX_LISTED_BYTES:
        return None
    return _available(source, root, folder, layout)


def files(source: Xglue, task_name: str, split: str, language: str) -> list[Path]:
    """The file that a split is read from: the archive if it is one, none if it is on the Hub. See `readers.Reader`."""
    folder, layout = _folder_and_layout(source, task_name)
    if str(source.path).startswith("hf://"):
        return []
    root = _release(source, task_name)
    if root.is_file():
        return [root]
    file = _existing(source, layout, folder, split, language, archives.names(root, folder))
    return [root / folder / name for name in file.names] if file else []


def problems(source: Xglue, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with the keys of a source: pairs (key, message). See `readers.Reader`."""
    wanted = ("tokens", "label")
    if odd := [name for name in wanted if source.columns.count(name) != 1]:
        return [("columns", f"name '{odd[0]}' once, as in [tokens, pos, chunk, label]")]
    layout = _folder_and_layout(source, task_name)[1]
    if layout in OF_TEXTS and (odd := [key for key in (*OF_WORDS, *OF_ROWS, "labels") if key in changed(source)]):
        return [(odd[0], f"belongs to files with labels; those of '{task_name}' have texts to write; delete it")]
    of_words = layout is LAYOUTS["words"]
    if odd := [key for key in (OF_ROWS if of_words else OF_WORDS) if key in changed(source)]:
        here, there = ("a word", "an example") if of_words else ("an example", "a word")
        return [(odd[0], f"belongs to files with {there} a line; those of '{task_name}' have {here} a line; delete it")]
    if available_languages(source, task_name) is None:  # nothing is known without reading the archive
        return []
    folder, root = _folder_and_layout(source, task_name)[0], _release(source, task_name)
    names = archives.names(root, folder)
    for split, language in parts:
        if _existing(source, layout, folder, split, language, names) is None:
            expected = _first_missing(source, layout, folder, split, language, names)
            return [("path", f"{root}: {folder}/{expected} is missing ({language} {split})")]
    return []


def _available(source: Xglue, root: Path, folder: str, layout: Layout) -> set[str]:
    names = archives.names(root, folder)
    found = {}
    for split in ("dev", "test"):
        patterns = _files(source, layout, folder, split, "{language}")
        found[split] = set.intersection(*(codes_in(pattern, names) for pattern in patterns[0].names))
        if not found[split]:
            for file in patterns[1:]:
                if file.name in names:
                    raw, path = archives.content(root, folder, file.name)
                    found[split] = distribution_languages(_lines(raw, path), path)
    return ours(source, found["dev"] & found["test"])


def _folder_and_layout(source: Xglue, task_name: str) -> tuple[str, Layout]:
    folder, form = TASKS.get(task_name, (None, None))
    folder, form = source.folder or folder, source.format or form
    for key, value in (("folder", folder), ("format", form)):
        if not value:
            raise MtbridgeError(
                f"task {task_name}: source.{key} is missing; the release has no task of this name, so say which "
                + ("folder holds it" if key == "folder" else f"layout it has: {', '.join(LAYOUTS)}")
            )
    assert folder is not None and form is not None  # see above
    return folder, LAYOUTS[form]


def _files(source: Xglue, layout: Layout, folder: str, split: str, language: str) -> list[File]:
    """The files that may hold a split, best first, with their names filled in."""
    fill = {"{folder}": folder.rsplit("/")[-1].lower(), "{language}": their_language(source, language)}
    filled = []
    for file in layout.train if split == "train" else layout.evaluation:
        names = [name.replace("{split}", split) for name in file.names]
        for key, value in fill.items():
            names = [name.replace(key, value) for name in names]
        filled.append(replace(file, name=names[0], target=names[1] if file.target else None))
    return filled


def _first_missing(source: Xglue, layout: Layout, folder: str, split: str, language: str, names: set[str]) -> str:
    """The file of a split that is to be named where none is complete."""
    best = _files(source, layout, folder, split, language)[0]
    return next((name for name in best.names if name not in names), best.name)


def _existing(source: Xglue, layout: Layout, folder: str, split: str, language: str, names: set[str]) -> File | None:
    """The file of a split among the names that exist."""
    files = _files(source, layout, folder, split, language)
    return next((file for file in files if names.issuperset(file.names)), None)


def _release(source: Xglue, task_name: str) -> Path:
    """The folder or archive of the release, fetched if it is on the Hub."""
    if not source.path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; give the folder or the .tar.gz of the release")
    if source.path.startswith("hf://"):
        return hub.fetch(*hub.address(source.path, f"task {task_name}: source.path"), setting="path (or `xglue`)")
    path = Path(source.path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise MtbridgeError(
            f"task {task_name}: source.path {path} does not exist; give the release's folder or .tar.gz"
        )
    return path / archives.RELEASE if (path / archives.RELEASE).is_dir() else path
