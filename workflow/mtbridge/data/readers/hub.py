"""Data sets on the Hugging Face Hub: which files a split is read from, fetched, checked and locked as models are.

The `datasets` library says which files of a repository a split has, and what its card calls the classes. It reads none
of them: of a configuration with 400,000 training rows in a language that is only tested, the test file alone is
fetched. A lock file keeps, beside the commit and the files' sha256, what the library said, so that what was read once
can be read offline, from the same bytes.

What is read within `reading` is recorded, for the examples' own record.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.hub import Repository, download, explain, read_lock, resolve, write_lock

ADDRESS = re.compile(r"hf://datasets/([^/@]+/[^/@]+)(?:@(refs/[^/]+/[^/]+|[^/]+))?/(.+)")


class Address(NamedTuple):
    """A file of a data set on the Hub, or a pattern of several (`train-*.parquet`)."""

    repo: str
    revision: str | None
    file: str


class Split(NamedTuple):
    """The files of a split in the Hub's cache, and column -> names of its classes, as the card has them."""

    files: list[Path]
    classes: dict[str, list[str]]


@dataclass
class Reading:
    """What is read from the Hub.

    lock: the file of commits and checksums; None: nothing is locked, as where a library's user reads a set once.
    opened: (repository, revision) -> the revision, opened once.
    """

    lock: Path | None = None
    opened: dict[tuple[str, str], "Revision"] = field(default_factory=dict)

    def sources(self) -> list[dict]:
        """Every revision that was read: repository, revision, commit, licence (None: its card has none), files."""
        return [
            {
                "repository": revision.repo.key,
                "revision": revision.name,
                "commit": revision.entry["commit"],
                "licence": revision.entry.get("licence"),
                "files": {name: about["sha256"] for name, about in sorted(revision.used.items())},
            }
            for revision in self.opened.values()
            if revision.used
        ]


_current: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(lock: str | Path | None) -> Iterator[Reading]:
    """Within this context what is read from the Hub is held to a lock file, and recorded."""
    current = Reading(Path(lock) if lock else None)
    token = _current.set(current)
    try:
        yield current
    finally:
        _current.reset(token)


def address(path: str, where: str) -> Address:
    """The parts of an address on the Hub. `where` begins the message. Raises MtbridgeError if it is none."""
    match = ADDRESS.fullmatch(path)
    if match is None:
        raise MtbridgeError(f"{where} {path}: expected hf://datasets/<owner>/<name>@<revision>/<file>")
    return Address(match[1], match[2] and unquote(match[2]), match[3])


def fetch(repo: str, revision: str | None, file: str, setting: str = "path") -> Path:
    """One file of a data set, in the Hub's cache; `setting` is the one that names it, for messages."""
    opened = open_revision(repo, revision, setting)
    path = opened.file(file)
    opened.keep()
    return path


def fetch_all(repo: str, revision: str | None, pattern: str) -> list[Path]:
    """The files of a data set that a pattern with `*` fits, in order of their names. Raises MtbridgeError for none."""
    if not re.search(r"[*?[]", pattern):
        return [fetch(repo, revision, pattern)]
    opened = open_revision(repo, revision)
    names = opened.split(pattern, lambda: ([name for name in opened.available() if _fits(name, pattern)], {})).names
    if not names:
        raise MtbridgeError(f"{opened.what}: no file is called {pattern}; {nearest(pattern, opened.available())}")
    paths = [opened.file(name) for name in names]
    opened.keep()
    return paths


def fetch_split(repo: str, revision: str | None, config: str | None, folder: str | None, split: str) -> Split:
    """The files of a split, as the `datasets` library tells them from the repository's card and its files' names.

    Raises:
        MtbridgeError: there is no such configuration or split, or the repository has no tables but a script.
    """
    opened = open_revision(repo, revision)

    def found() -> tuple[list[str], dict[str, list[str]]]:
        files, classes = _look_up(opened, config, folder)
        if split not in files:
            message = f"{config or folder or 'it'} has no split '{split}'; {nearest(split, files)}"
            raise MtbridgeError(f"{opened.what}: {message}")
        return files[split], classes

    names, classes = opened.split(":".join((config or "", folder or "", split)), found)
    paths = [opened.file(name) for name in names]
    opened.keep()
    return Split(paths, classes)


def open_revision(repo: str, revision: str | None, setting: str = "path") -> "Revision":
    """A revision of a data set, opened once in a reading; outside of one, each time."""
    current, name = _current.get() or Reading(), revision or "main"
    if (repo, name) not in current.opened:
        current.opened[repo, name] = Revision(Repository(repo, "dataset", "source", setting), name, current.lock)
    return current.opened[repo, name]


class _Found(NamedTuple):
    names: list[str]
    classes: dict[str, list[str]]


class Revision:
    """A revision of a data set, at the commit in the lock file if that has it.

    entry: what the lock file has of it, or will have. used: the files that were read, with their sha256 and size.
    """

    def __init__(self, repo: Repository, name: str, lock: Path | None):
        self.repo, self.name, self.lock = repo, name, lock
        self.what = f"{repo.key} ({name})"
        self.used: dict[str, dict] = {}
        self._paths: dict[str, Path] = {}
        self._on_hub: dict[str, dict] | None = None
        locked = read_lock(lock, repo, name) if lock else None
        self.note = f"at the commit that {lock} holds" if locked else ""
        self.entry: dict[str, Any] = locked or {}
        self._locked = self.entry.get("files", {})
        if not locked:
            print(f"{self.what}: asking the Hub and its cache", file=sys.stderr, flush=True)
            self.available()
            print(f"{self.what}: commit {self.entry['commit']}", file=sys.stderr, flush=True)

    def available(self) -> dict[str, dict]:
        """All files at the commit, with their checksums, as the Hub knows them."""
        if self._on_hub is None:
            with explain(self.repo, self.name, self.note):
                found = resolve(self.repo, self.entry.get("commit", self.name))
            self._on_hub = found.files
            self.entry.setdefault("commit", found.commit)
            self.entry.setdefault("files", {})
            if found.licence:
                self.entry.setdefault("licence", found.licence)
        return self._on_hub

    def split(self, key: str, look_up) -> _Found:
        """The files of a split and the names of its classes: as the lock file has them, or else as `look_up` says."""
        known = self.entry.get("splits", {}).get(key)
        if known is None:
            names, classes = look_up()
            known = {"files": sorted(names), "classes": classes}
            self.entry.setdefault("splits", {})[key] = known
        elif not isinstance(known, dict) or set(known) != {"files", "classes"}:
            raise MtbridgeError(f"{self.lock}: {self.what}: splits.{key}: expected files and classes; restore the file")
        return _Found(known["files"], known["classes"])

    def file(self, name: str) -> Path:
        """A file in the cache, fetched if need be, and checked once in a reading."""
        if name in self._paths:
            return self._paths[name]
        locked = self._locked.get(name)
        about = locked or self.available().get(name)
        if about is None:
            message = f"the data set has no such file; {nearest(name, self.available())}"
            raise MtbridgeError(f"{self.what}, {name}: {message}")
        with explain(self.repo, self.name, self.note if locked else "", name):
            path, sha256 = download(self.repo, self.entry["commit"], name, about, self.lock if locked else None)
        self.used[name] = {"sha256": sha256, "size": path.stat().st_size}
        self._paths[name] = path
        return path

    def keep(self) -> None:
        """Write what was read to the lock file, if there is one."""
        self.entry["files"] = self._locked | self.used
        if self.lock is not None and not self.used.items() <= self._locked.items():
            write_lock(self.lock, self.repo, self.name, self.entry)
            self._locked = self.entry["files"]


def _fits(name: str, pattern: str) -> bool:
    """Does a pattern fit a path? `*` fits no `/`, as in a shell."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _look_up(
    revision: Revision, config: str | None, folder: str | None
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What the `datasets` library says of a configuration: split -> files, and column -> names of its classes."""
    import tempfile

    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    commit = revision.entry["commit"]
    # The library makes its cache's folder even where it only looks for files, and the user's may be unwritable.
    with tempfile.TemporaryDirectory(prefix="mtbridge-") as cache, explain(revision.repo, revision.name, revision.note):
        try:
            builder = datasets.load_dataset_builder(
                revision.repo.name, config, data_dir=folder, revision=commit, cache_dir=cache
            )
        except (ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise MtbridgeError(f"cannot be opened: {error.__cause__ or error}") from error
    inside = f"hf://datasets/{revision.repo.name}@{commit}/"
    files: dict[str, list[str]] = {}
    for split, paths in (builder.config.data_files or {}).items():
        files[str(split)] = [str(path).removeprefix(inside) for path in paths]
    features = builder.info.features or {}
    return files, {name: names for name, feature in features.items() if (names := class_names(feature))}


def class_names(feature: Any) -> list[str] | None:
    """The names of the classes of a feature, or of the feature that its lists hold."""
    names: Sequence[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    return list(names) if names else None
