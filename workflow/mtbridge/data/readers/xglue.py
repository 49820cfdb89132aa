"""The files of the XGLUE release, in a folder or an archive, read as they are.

The source's `path` is a folder, an archive, or an archive in a dataset repository of the Hub, written
`hf://datasets/<owner>/<name>@<revision>/<file>` (`refs/pr/7` is a revision too). An archive on the Hub is downloaded
once into the Hub's cache. Without a network, or with HF_HUB_OFFLINE=1, it is read from that cache.

Nothing is stripped: an empty first or last field of a row is a field. There is no quoting: a quotation mark is a
character. Lines end at a line feed, never at the rarer separators that occur inside real text.

Layouts (source key `format`; the eight tasks of the release have theirs in `TASKS`)
    words    {language}.{split}                     `token label`, a blank line between sentences
    rows     xglue.{folder}.{language}.{split}      the text columns, then the label; tabs; no header
    xnli     multinli.train.{language}.tsv with a header, {language}.{split} without; if the latter is
             missing, xnli.{split}.tsv of the XNLI distribution, with all languages in one file
    paws-x   {language}/train.tsv, {language}/{split}_2k.tsv: header, id, the text columns, the label

A row with more fields than columns is repaired if that cannot change what a model sees: its label is valid, and the
task joins its last columns into one text (title and snippet of a search result). The surplus tabs become spaces. Any
other ragged row is an error, unless the source has `ragged: drop`, which leaves it out. stderr shows the numbers of
repaired and dropped rows. Lines of `-DOCSTART-`, with which CoNLL separates documents, end a sentence and are no word,
as in XGLUE's evaluation.
"""

import functools
import lzma
import re
import sys
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers.shared_keys import label_names
from mtbridge.tasks.kinds import KINDS, Kind, kind_of

RELEASE = "xglue_full_dataset"  # the top folder inside the archive
HUB = re.compile(r"hf://datasets/([^/@]+/[^/@]+)(?:@(refs/[^/]+/[^/]+|[^/]+))?/(.+)")
# Bytes. A larger archive is not listed when a study is checked: one pass over the release takes 10 s.
MAX_LISTED_BYTES = 100_000_000


@dataclass(frozen=True)
class File:
    """Where the fields of a row stand. The label follows the texts unless `label` says otherwise."""

    name: str
    header: bool = False
    id: int | None = None
    language: int | None = None
    first_text: int = 0
    label: int | None = None


@dataclass(frozen=True)
class Layout:
    """The files of a task; of several names for the same split the first that exists is read."""

    train: tuple[File, ...]
    evaluation: tuple[File, ...]


LAYOUTS = {
    "words": Layout((File("{language}.train"),), (File("{language}.{split}"),)),
    "rows": Layout((File("xglue.{folder}.{language}.train"),), (File("xglue.{folder}.{language}.{split}"),)),
    "xnli": Layout(
        (File("multinli.train.{language}.tsv", header=True),),
        (
            File("{language}.{split}"),
            File("xnli.{split}.tsv", header=True, id=9, language=0, first_text=6, label=1),
        ),
    ),
    "paws-x": Layout(
        (File("{language}/train.tsv", header=True, id=0, first_text=1),),
        (File("{language}/{split}_2k.tsv", header=True, id=0, first_text=1),),
    ),
}
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
}
# MultiNLI's training file spells one label its own way.
SPELLINGS = {"contradictory": "contradiction"}


def kind_in_release(task_name: str) -> Kind:
    """How the release has a task's labels: one a word, or one a row."""
    _, layout = TASKS[task_name]
    return KINDS["tagging" if layout == "words" else "classification"]


def read(source: dict, task, split: str, language: str, limit=None, seed=0):
    """All rows of one split and language; `place(row, word)` names file and line. See `readers.Reader`."""
    folder, layout = _folder_and_layout(source, task.name)
    root = _release(source, task.name)
    names = _names(root, folder)
    files = _files(layout, folder, split, language)
    file = next((file for file in files if file.name in names), None)
    if file is None:
        known = sorted(_available(root, folder, layout))
        raise MtbridgeError(
            f"{root}: {folder}/{files[0].name} is missing (task {task.name}, {language} {split}); languages with dev "
            f"and test files: {', '.join(known) or 'none'}"
        )
    raw, path = _content(root, folder, file.name)
    lines = _lines(raw, path)
    if kind_of(task).per_word:
        return _sentences(lines, path, source)
    return _rows(lines, path, file, task, language, source)


def available_languages(source: dict, task_name: str) -> set[str] | None:
    """The languages that have a dev and a test file; None for an archive that is large or on the Hub.

    Reads only the names of files, unless XNLI has one file for all languages of a split. See `readers.Reader`.
    """
    folder, layout = _folder_and_layout(source, task_name)
    if str(source.get("path")).startswith("hf://"):
        _address(source["path"], task_name)
        return None
    root = _release(source, task_name)
    if root.is_file() and root.stat().st_size > MAX_LISTED_BYTES:
        return None
    return _available(root, folder, layout)


def files(source: dict, task_name: str, splits: dict[str, list[str]]) -> list[str]:
    """The files that splits are read from: the archive if it is one, none if it is on the Hub. See `readers.Reader`."""
    folder, layout = _folder_and_layout(source, task_name)
    if str(source.get("path")).startswith("hf://"):
        return []
    root = _release(source, task_name)
    if root.is_file():
        return [str(root)]
    names = _names(root, folder)
    found = set()
    for split, languages in splits.items():
        for language in languages:
            file = next((file for file in _files(layout, folder, split, language) if file.name in names), None)
            if file is not None:
                found.add(str(root / folder / file.name))
    return sorted(found)


def _available(root: Path, folder: str, layout: Layout) -> set[str]:
    names = _names(root, folder)
    found = {}
    for split in ("dev", "test"):
        patterns = _files(layout, folder, split, "{language}")
        one_each = re.escape(patterns[0].name).replace(re.escape("{language}"), "([a-z]{2,3})")
        found[split] = {match[1] for name in names if (match := re.fullmatch(one_each, name))}
        if not found[split]:
            for file in patterns[1:]:
                if file.name in names:
                    lines = _lines(*_content(root, folder, file.name))[1:]
                    found[split] = {line.split("\t", 1)[0] for line in lines if line}
    return found["dev"] & found["test"]


def _folder_and_layout(source: dict, task_name: str) -> tuple[str, Layout]:
    folder, form = TASKS.get(task_name, ("", ""))
    folder, form = source.get("folder", folder), source.get("format", form)
    for key, value in (("folder", folder), ("format", form)):
        if not value:
            raise MtbridgeError(
                f"task {task_name}: source.{key} is missing; the release has no task of this name, so say which "
                + ("folder holds it" if key == "folder" else f"layout it has: {', '.join(LAYOUTS)}")
            )
    if form not in LAYOUTS:
        raise MtbridgeError(f"task {task_name}: source.format '{form}' is no layout; {nearest(form, LAYOUTS)}")
    return folder, LAYOUTS[form]


def _files(layout: Layout, folder: str, split: str, language: str) -> list[File]:
    """The files that may hold a split, best first, with their names filled in."""
    from dataclasses import replace

    fill = {"{folder}": folder.rsplit("/")[-1].lower(), "{language}": language, "{split}": split}
    filled = []
    for file in layout.train if split == "train" else layout.evaluation:
        name = file.name
        for key, value in fill.items():
            name = name.replace(key, value)
        filled.append(replace(file, name=name))
    return filled


# Where the release is: a folder, or an archive from which only the task's files are unpacked.


def _release(source: dict, task_name: str) -> Path:
    path = source.get("path")
    if not path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; give the folder or the .tar.gz of the release")
    if path.startswith("hf://"):
        from mtbridge.data.readers import hub

        return hub.fetch(*_address(path, task_name))
    path = Path(path).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise MtbridgeError(
            f"task {task_name}: source.path {path} does not exist; give the release's folder or .tar.gz"
        )
    return path / RELEASE if (path / RELEASE).is_dir() else path


def _address(path: str, task_name: str) -> tuple[str, str | None, str]:
    """Repository, revision and file of an address on the Hub."""
    match = HUB.fullmatch(path)
    if match is None:
        raise MtbridgeError(
            f"task {task_name}: source.path {path}: expected hf://datasets/<owner>/<name>@<revision>/<file>.tar.gz"
        )
    return match[1], match[2], match[3]


def _names(root: Path, folder: str) -> set[str]:
    """Names of a task's files, relative to its folder."""
    if root.is_file():
        prefix = folder + "/"
        return {name.removeprefix(prefix) for name in _index(root, _stamp(root)) if name.startswith(prefix)}
    return {path.relative_to(root / folder).as_posix() for path in (root / folder).glob("**/*") if path.is_file()}


def _content(root: Path, folder: str, name: str) -> tuple[bytes, str]:
    """A file's bytes, and the path that messages give it."""
    path = f"{root}/{folder}/{name}"
    on_disk = Path(_unpack(root, folder, _stamp(root)).name, name) if root.is_file() else Path(path)
    try:
        return on_disk.read_bytes(), path
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read: {error.strerror}; check the file and its rights") from error


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file: what was read from it is cached until they change."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=2)
def _index(archive: Path, stamp) -> frozenset[str]:
    """Names of all files in an archive, relative to the release's folder."""
    return frozenset(name for name, _ in _members(archive))


@functools.lru_cache(maxsize=2)
def _unpack(archive: Path, folder: str, stamp) -> tempfile.TemporaryDirectory:
    """A task's files in a temporary folder, because reading one file of a compressed archive reads all before it.

    The folder disappears when the process ends.
    """
    target = tempfile.TemporaryDirectory(prefix="mtbridge-")
    for name, content in _members(archive, folder + "/"):
        if content is not None:
            path = Path(target.name, name.removeprefix(folder + "/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return target


def _members(archive: Path, wanted: str | None = None):
    """Yield (name inside the release, content) of every file; content is None unless the name begins with `wanted`.

    Raises MtbridgeError for an archive that is damaged, or that holds links, devices or paths outside it.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise MtbridgeError(f"{archive}: its member '{member.name}' points outside it; do not use it")
                if not (member.isfile() or member.isdir()):
                    raise MtbridgeError(
                        f"{archive}: its member '{member.name}' is a link or a device; the release holds files only"
                    )
                if member.isfile():
                    name = "/".join(path.parts[1:] if path.parts[0] == RELEASE else path.parts)
                    yield name, _bytes_of(tar, member) if wanted and name.startswith(wanted) else None
            # The checksum of a compressed file comes after its last member: only reading it shows damage.
            while tar.fileobj.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise MtbridgeError(f"{archive}: not a whole tar archive ({error}); get it again") from error


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    assert content is not None  # None is for what is no regular file, and those are refused
    with content:
        return content.read()


# From bytes to lines, and from lines to examples.


def _lines(raw: bytes, path: str) -> list[str]:
    """Lines without their ends (LF or CRLF) and without the blank ones at the file's end."""
    nul = raw.find(b"\0")
    if nul >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        raise MtbridgeError(f"{path}:{line}: a NUL byte; the file is damaged or not UTF-8: get it again")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MtbridgeError(f"{path}:{line}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and lines[-1] == "":
        lines.pop()
    if not lines:
        raise MtbridgeError(f"{path}:1: the file is empty; expected examples")
    return lines


def _sentences(lines: list[str], path: str, source: dict):
    """Sentences of `token label` lines; the last one need not be followed by a blank line."""
    names = _label_names(source)
    columns: dict[str, list] = {"example_id": [], "tokens": [], "label": []}
    starts: list[int] = []
    inside = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            inside = False
            continue
        # The label has no space, but the token may: the last space separates them.
        token, space, label = line.rpartition(" ")
        if not space or not token:
            raise MtbridgeError(f"{path}:{number}: expected 'token label' with one space between, got '{line[:60]}'")
        if not inside:
            starts.append(number)
            columns["example_id"].append(str(number))
            columns["tokens"].append([])
            columns["label"].append([])
            inside = True
        columns["tokens"][-1].append(token)
        columns["label"][-1].append(names.get(label, label))
    return columns, lambda row, word=0: f"{path}:{starts[row] + word if starts else 1}"


def _rows(lines: list[str], path: str, file: File, task, language: str, source: dict):
    """Rows of tab-separated fields."""
    names = _label_names(source)
    texts = len(task.columns)
    label_at = file.first_text + texts if file.label is None else file.label
    # The XNLI distribution has further columns, as many as its header; the other files have only those of the task.
    width = file.first_text + texts + 1 if file.language is None else lines[0].count("\t") + 1
    joined = file.label is None and len(task.segments[-1]) > 1 and task.segments[-1][-1] == task.columns[-1]
    columns: dict[str, list] = {name: [] for name in ("example_id", *task.columns, "label")}
    numbers: list[int] = []
    repaired, dropped = [], []

    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if file.header and number == 1 and (label_at >= len(fields) or fields[label_at] not in task.labels):
            continue
        if joined and len(fields) > width and names.get(fields[-1], fields[-1]) in task.labels:
            last = label_at - 1
            fields = [*fields[:last], " ".join(fields[last:-1]), fields[-1]]
            repaired.append(number)
        if len(fields) != width:
            if source.get("ragged") == "drop":
                dropped.append(number)
                continue
            raise MtbridgeError(
                f"{path}:{number}: {len(fields)} fields where {width} are expected "
                f"({', '.join(task.columns)}, label); mend the row, or leave such rows out with ragged: drop"
            )
        if file.language is not None and fields[file.language] != language:
            continue
        numbers.append(number)
        columns["example_id"].append(str(number) if file.id is None else fields[file.id])
        for offset, name in enumerate(task.columns):
            columns[name].append(fields[file.first_text + offset])
        columns["label"].append(names.get(fields[label_at], fields[label_at]))

    for rows, what in ((repaired, "with surplus tabs, turned into spaces"), (dropped, "ragged, left out")):
        if rows:
            print(f"{path}: {len(rows)} rows {what}, the first at line {rows[0]}", file=sys.stderr)
    return columns, lambda row, word=0: f"{path}:{numbers[row] if numbers else len(lines)}"


def _label_names(source: dict) -> dict[str, str]:
    """The label in the file -> the task's label."""
    return SPELLINGS | label_names(source)
