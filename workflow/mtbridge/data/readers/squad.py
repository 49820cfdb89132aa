"""Files of questions and answers in SQuAD's format, each of one language; see `squad_json`.

The keys of the source are those of `specs.source.Squad`. A split is a file, or a part of the articles of one: dev and
test of XQuAD stand in one file, of which `dev_articles` says how many articles are dev.
"""

from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import read_text
from mtbridge.data.readers.languages import FEWER_LANGUAGES, codes_in_paths, ours
from mtbridge.data.readers.squad_json import read_questions
from mtbridge.specs.source import Squad, fill, splits_problem, their_language, their_split
from mtbridge.specs.task import SPLITS

THEIR_SPLITS = {split: split for split in SPLITS}


def read(source: Squad, task, split: str, language: str, limit=None, seed=0):
    """All questions of one split and language; `place(row)` names file and question. See `readers.Reader`."""
    path = _path(source, task.name, split, language)
    if not path.is_file():
        raise MtbridgeError(f"task {task.name}: source.path {path}: no such file ({language} {split})")
    first = source.dev_articles if split != "train" else 0
    keep = lambda article: not first or (article < first) == (split == "dev")
    return read_questions(read_text(path), str(path), task, source.impossible == "drop", keep)


def available_languages(source: Squad, task_name: str) -> set[str] | None:
    """The languages that have dev and test files. See `readers.Reader`."""
    patterns = [Path(_pattern(source, task_name, split)) for split in ("dev", "test")]
    if any("{language}" not in str(pattern) for pattern in patterns):
        return None
    dev, test = (codes_in_paths(pattern) for pattern in patterns)
    return ours(source, dev & test)


def files(source: Squad, task_name: str, split: str, language: str) -> list[Path]:
    """The file that a split is read from. See `readers.Reader`."""
    path = _path(source, task_name, split, language)
    return [path] if path.is_file() else []


def problems(source: Squad, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with the keys of a source: pairs (key, message). See `readers.Reader`."""
    if not source.path:
        return []
    wrong = []
    if source.dev_articles and "{split}" in source.path:
        wrong.append(("dev_articles", "belongs to a path without {split}, whose files hold dev and test; delete it"))
    if not source.dev_articles and "{split}" not in source.path:
        message = "one file for all splits; put {split} into its name, or say by dev_articles which part is dev"
        wrong.append(("path", message))
    if "{split}" not in source.path and source.train in (None, source.path):
        wrong.append(("train", "where dev and test are one file, training examples need another; name it"))
    if len({language for _, language in parts}) > 1 and "{language}" not in source.path:
        wrong.append(("path", "nothing tells the languages apart; put {language} into it"))
    for split, language in parts:
        path = _path(source, task_name, split, language)
        if not path.is_file():
            wrong.append(("train" if split == "train" and source.train else "path", _missing(path, language, split)))
    return wrong + (
        _train_is_evaluated(source, parts, task_name) if source.train else splits_problem(source, THEIR_SPLITS)
    )


def _train_is_evaluated(source: Squad, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """The file of training examples is also one of dev or test, of any language."""
    files = {
        split: {_path(source, task_name, split, language).resolve() for part, language in parts if part == split}
        for split in SPLITS
    }
    if both := files["train"] & (files["dev"] | files["test"]):
        return [("train", f"{min(both)} is also dev or test; take another file")]
    return []


def _missing(path: Path, language: str, split: str) -> str:
    more = "" if split == "train" else FEWER_LANGUAGES
    return f"{path}: no such file ({language} {split}){more}"


def _pattern(source: Squad, task_name: str, split: str) -> str:
    """The path of a split, {language} not yet filled in."""
    if not source.path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; give a path with {{language}} and {{split}}")
    chosen = source.train if split == "train" and source.train else source.path
    return fill(chosen, "{language}", their_split(source, split, THEIR_SPLITS))


def _path(source: Squad, task_name: str, split: str, language: str) -> Path:
    return Path(_pattern(source, task_name, split).replace("{language}", their_language(source, language)))
