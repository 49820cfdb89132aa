"""Treebanks of Universal Dependencies as CoNLL-U files: words and their UPOS.

A line has ten columns separated by tabs, of which the second (FORM) and the fourth (UPOS) are read. Lines of multiword
tokens (`3-4  vámonos`) and of empty nodes (`8.1`) are left out: the syntactic words of a multiword token have
lines of their own, and an empty node is no word of the text (https://universaldependencies.org/format.html).

Keys of the source
    path       a file; its name holds {language} and {split}
    languages  our code -> what replaces {language}, default the code itself: {en: UD_English-EWT/en_ewt}
    splits     our split -> theirs, default train, dev, test
    labels     their UPOS -> ours
"""

import functools
import re
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import read_lines
from mtbridge.data.readers.shared_keys import existing_files, label_names
from mtbridge.tasks.kinds import kind_of

COLUMNS = 10
WORD = re.compile(r"\d+")
NOT_A_WORD = re.compile(r"\d+[-.]\d+")


def read(source: dict, task, split: str, language: str, limit=None, seed=0):
    """All sentences of one split and language; `place(row, word)` names file and line. See `readers.Reader`."""
    if not kind_of(task).per_word:
        raise MtbridgeError(
            f"task {task.name}: a source of the kind conllu gives words and tags; expected kind tagging"
        )
    path = _path(source, split, language, task.name)
    if not path.is_file():
        raise MtbridgeError(
            f"{path}: no such file (task {task.name}, {language} {split}); "
            "check source.path, or name the treebank in source.languages"
        )
    names = label_names(source)
    columns: dict[str, list] = {"example_id": [], "tokens": [], "label": []}
    numbers: list[list[int]] = []
    inside, name = False, None
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            inside, name = False, None
            continue
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            name = value.strip() if key.strip() == "sent_id" else name
            continue
        fields = line.split("\t")
        if len(fields) != COLUMNS:
            raise MtbridgeError(f"{path}:{number}: {len(fields)} columns where CoNLL-U has {COLUMNS}; mend the line")
        if NOT_A_WORD.fullmatch(fields[0]):
            continue
        if not WORD.fullmatch(fields[0]):
            raise MtbridgeError(f"{path}:{number}: the ID '{fields[0]}' is no word number; mend the line")
        if not inside:
            columns["example_id"].append(name or str(number))
            columns["tokens"].append([])
            columns["label"].append([])
            numbers.append([])
            inside = True
        columns["tokens"][-1].append(fields[1])
        columns["label"][-1].append(names.get(fields[3], fields[3]))
        numbers[-1].append(number)
    return columns, lambda row, word=0: f"{path}:{numbers[row][word] if numbers else 1}"


def available_languages(source: dict, task_name: str) -> set[str]:
    """The languages that have a dev and a test file. Raises MtbridgeError if there is no treebank at all.

    Without `source.languages`, a language is what stands for {language} in the paths that exist.
    """
    codes = set(source.get("languages") or ())
    if not codes:
        pattern = str(_path(source, "dev", "{language}", task_name))
        code = re.compile(
            re.escape(pattern)
            .replace(re.escape("{language}"), "([a-z]{2,3})", 1)
            .replace(re.escape("{language}"), r"\1")
        )
        codes = {match[1] for path in _matching_files(pattern) if (match := code.fullmatch(path))}
    path_of = functools.partial(_path, source, task_name=task_name)
    found = {code: [path_of(split=split, language=code).is_file() for split in ("dev", "test")] for code in codes}
    if not any(any(files) for files in found.values()):
        raise MtbridgeError(f"task {task_name}: source.path {source['path']}: no treebank is there; mend the path")
    return {code for code, files in found.items() if all(files)}


def files(source: dict, task_name: str, splits: dict[str, list[str]]) -> list[str]:
    """The files of the treebanks. See `readers.Reader`."""
    return existing_files(source, splits)


def _path(source: dict, split: str, language: str, task_name: str) -> Path:
    if not source.get("path"):
        raise MtbridgeError(f"task {task_name}: source.path is missing; give a path with {{language}} and {{split}}")
    theirs = str((source.get("languages") or {}).get(language, language))
    name = str((source.get("splits") or {}).get(split, split))
    return Path(source["path"].replace("{language}", theirs).replace("{split}", name)).expanduser()


def _matching_files(pattern: str) -> list[str]:
    """The existing files that a path with {language} can be."""
    first = pattern.index("{language}") if "{language}" in pattern else len(pattern)
    folder = Path(pattern[:first]).parent if not pattern[:first].endswith("/") else Path(pattern[:first])
    rest = Path(pattern).relative_to(folder).as_posix().replace("{language}", "*")
    return [str(path) for path in folder.glob(rest)]
