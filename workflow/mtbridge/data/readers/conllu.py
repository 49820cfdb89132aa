"""Treebanks of Universal Dependencies as CoNLL-U files: words and their UPOS.

A line has ten columns separated by tabs, of which ID, FORM and UPOS are read. A first line `# global.columns = …` names
other columns (CoNLL-U Plus). Lines of multiword tokens (`3-4  vámonos`) and of empty nodes (`8.1`) are left out: the
syntactic words of a multiword token have lines of their own, and an empty node is no word of the text
(https://universaldependencies.org/format.html).

The shape is checked, because a broken file gives other sentences and not none: the IDs of a sentence are 1, 2, 3, …, a
blank line ends a sentence, and the words make up the sentence's `# text`, if it has one. Some treebanks are published
without their text, every FORM being `_`; they are refused.

The keys of the source are those of `specs.source.Conllu`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import is_field, read_lines
from mtbridge.data.readers.languages import FEWER_LANGUAGES, codes_in_paths, ours
from mtbridge.specs.source import Conllu, fill, splits_problem, their_language, their_split
from mtbridge.specs.task import SPLITS
from mtbridge.tasks.kinds import kind_of

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
WORD = re.compile(r"[1-9]\d*")
MULTIWORD = re.compile(r"([1-9]\d*)-([1-9]\d*)")
EMPTY_NODE = re.compile(r"(\d+)\.[1-9]\d*")
WITHHELD = "_"
THEIR_SPLITS = {split: split for split in SPLITS}


@dataclass
class Sentence:
    """What has been read of one sentence."""

    line: int  # its first
    id: str | None = None
    text: str | None = None  # of its comment `# text`
    text_line: int = 0
    words: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # of the words
    surface: list[str] = field(default_factory=list)  # what stands in the text: words, or multiword tokens for them
    covered: int = 0  # the last word that a multiword token stands for


def read(source: Conllu, task, split: str, language: str, limit=None, seed=0):
    """All sentences of one split and language; `place(row, word)` names file and line. See `readers.Reader`."""
    if not kind_of(task).per_word:
        raise MtbridgeError(
            f"task {task.name}: a source of the kind conllu gives words and tags; expected kind tagging"
        )
    (path,) = _paths(source, task.name, split, language)
    if not path.is_file():
        raise MtbridgeError(
            f"{path}: no such file (task {task.name}, {language} {split}); "
            "check source.path, or name the treebank in source.languages"
        )
    found = list(sentences(path))
    _check_not_withheld(path, found)
    columns = {
        # Without sent_id, the sentence's number: translations have the same, unlike lines.
        "example_id": [sentence.id or str(number) for number, sentence in enumerate(found, 1)],
        "tokens": [sentence.words for sentence in found],
        "label": [[source.labels.get(label, label) for label in sentence.labels] for sentence in found],
    }
    return columns, lambda row, word=0: f"{path}:{found[row].lines[word] if found else 1}"


def sentences(path: Path):
    """Yield every `Sentence` of a file. Raises MtbridgeError, naming file and line, for a file that is not CoNLL-U."""
    names: Sequence[str] = COLUMNS
    current = None
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            if current:
                yield _finished(path, current)
            current = None
        elif line.startswith("#") and not (current and current.lines):
            key, _, value = (part.strip() for part in line[1:].partition("="))
            if key == "global.columns":
                names = _columns(path, number, value)
                continue
            current = current or Sentence(number)
            if key == "sent_id":
                current.id = value
            elif key == "text":
                current.text, current.text_line = value, number
        else:
            current = current or Sentence(number)
            _add_line(path, number, line.split("\t"), names, current)
    if current:
        yield _finished(path, current)


def _columns(path: Path, number: int, value: str) -> list[str]:
    names = value.split()
    if missing := [name for name in ("ID", "FORM", "UPOS") if name not in names]:
        raise MtbridgeError(f"{path}:{number}: global.columns lacks {missing[0]}; ID, FORM and UPOS are needed")
    return names


def _add_line(path: Path, number: int, fields: list[str], names: Sequence[str], sentence: Sentence) -> None:
    """Add a word, multiword token or empty node to a sentence."""
    if len(fields) != len(names):
        known = "CoNLL-U has" if names is COLUMNS else "global.columns names"
        raise MtbridgeError(f"{path}:{number}: {len(fields)} columns where {known} {len(names)}; mend the line")
    if odd := [name for name, text in zip(names, fields, strict=True) if not is_field(text)]:
        raise MtbridgeError(f"{path}:{number}: {odd[0]} is empty or has a space at an edge; an empty column holds '_'")
    word_id, form, upos = (fields[names.index(name)] for name in ("ID", "FORM", "UPOS"))
    done = len(sentence.words)
    if multiword := MULTIWORD.fullmatch(word_id):
        first, last = int(multiword[1]), int(multiword[2])
        if first != done + 1 or last <= first or sentence.covered > done:
            raise _out_of_order(path, number, word_id, done)
        sentence.surface.append(form)
        sentence.covered = last
    elif empty := EMPTY_NODE.fullmatch(word_id):
        if int(empty[1]) != done:
            raise _out_of_order(path, number, word_id, done)
    elif WORD.fullmatch(word_id):
        if int(word_id) != done + 1:
            raise _out_of_order(path, number, word_id, done)
        sentence.words.append(form)
        sentence.labels.append(upos)
        sentence.lines.append(number)
        if done + 1 > sentence.covered:
            sentence.surface.append(form)
    else:
        raise MtbridgeError(f"{path}:{number}: the ID '{word_id}' is no word number; mend the line")


def _out_of_order(path: Path, number: int, word_id: str, done: int) -> MtbridgeError:
    hint = "a blank line ends a sentence" if word_id == "1" else "a line is missing, doubled or out of order"
    return MtbridgeError(f"{path}:{number}: the ID {word_id} where {done + 1} is expected; {hint}")


def _finished(path: Path, sentence: Sentence) -> Sentence:
    """The sentence, checked as a whole."""
    if not sentence.words:
        raise MtbridgeError(f"{path}:{sentence.line}: a sentence without words; delete its comments, or mend it")
    if sentence.covered > len(sentence.words):
        raise MtbridgeError(
            f"{path}:{sentence.lines[-1]}: the sentence ends inside a multiword token, which goes on to the word "
            f"{sentence.covered}; mend it"
        )
    if sentence.text is not None and not _is_withheld(sentence):
        written, words = ("".join(text.split()) for text in (sentence.text, "".join(sentence.surface)))
        if written != words:
            at = next((i for i, (a, b) in enumerate(zip(written, words, strict=False)) if a != b), 0)
            raise MtbridgeError(
                f"{path}:{sentence.text_line}: the words do not make up the # text: '{written[at:][:20]}' there, "
                f"'{words[at:][:20]}' in the FORMs; mend the sentence, or delete the comment"
            )
    return sentence


def _is_withheld(sentence: Sentence) -> bool:
    """Is every FORM of two or more `_`? A single one may be a word."""
    return len(sentence.words) > 1 and set(sentence.words) == {WITHHELD}


def _check_not_withheld(path: Path, found: list[Sentence]) -> None:
    """Raise MtbridgeError for a treebank that is published without its text, entirely or in parts."""
    odd = next((sentence for sentence in found if _is_withheld(sentence)), None)
    if found and all(set(sentence.words) == {WITHHELD} for sentence in found):
        odd = found[0]
    if odd:
        raise MtbridgeError(
            f"{path}:{odd.lines[0]}: every FORM of the sentence is '_': the treebank is published without its text; "
            "merge it with the original as its README says"
        )


def available_languages(source: Conllu, task_name: str) -> set[str]:
    """The languages that have a dev and a test file. Raises MtbridgeError if there is no treebank at all.

    Without `source.languages`, a language is what stands for {language} in the paths that exist.
    """
    codes = set(source.languages)
    if not codes:
        (pattern,) = _paths(source, task_name, "dev", "{language}")
        codes = ours(source, codes_in_paths(pattern))
    found = {code: [_paths(source, task_name, split, code)[0].is_file() for split in ("dev", "test")] for code in codes}
    if not any(any(files) for files in found.values()):
        raise MtbridgeError(f"task {task_name}: source.path {source.path}: no treebank is there; mend the path")
    return {code for code, files in found.items() if all(files)}


def files(source: Conllu, task_name: str, split: str, language: str) -> list[Path]:
    """The file of the treebank, if it exists. See `readers.Reader`."""
    return [path for path in _paths(source, task_name, split, language) if path.is_file()]


def problems(source: Conllu, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with the keys of a source: pairs (key, message). See `readers.Reader`."""
    if not source.path:
        return []
    wrong = []
    if "{split}" not in source.path:
        wrong.append(("path", "one file for all splits: train would be test; put {split} into its name"))
    if len({language for _, language in parts}) > 1 and "{language}" not in source.path:
        wrong.append(("path", "nothing tells the languages apart; put {language} into it"))
    for split, language in parts:
        (path,) = _paths(source, task_name, split, language)
        if not path.is_file():
            wrong.append(("path", f"{path}: no such file ({language} {split}){FEWER_LANGUAGES}"))
    return wrong + splits_problem(source, THEIR_SPLITS)


def _paths(source: Conllu, task_name: str, split: str, language: str) -> list[Path]:
    if not source.path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; give a path with {{language}} and {{split}}")
    theirs = their_split(source, split, THEIR_SPLITS)
    return [Path(fill(source.path, their_language(source, language), theirs))]
