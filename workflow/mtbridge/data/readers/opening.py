"""Opens a split of a dataset as a table: a local file, a folder, a dataset on the Hub, or files in one there.

`datasets` reads a task's columns of the table.
"""

import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers import hub, tables
from mtbridge.data.readers.tables import Table
from mtbridge.specs.source import Datasets, OtherPlace, fill, their_language, their_split
from mtbridge.specs.task import SPLITS

THEIR_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
ON_HUB = "hf://"


def place_of(source: Datasets, split: str, language: str) -> Datasets | OtherPlace:
    """What has the path, the configuration and the revision of a split in a language."""
    return {"train": source.train, "dev": source.dev}.get(split) or source.places.get(language) or source


def key_of(source: Datasets, split: str, language: str) -> str:
    """The key of the source that names this place."""
    place = place_of(source, split, language)
    if place is source:
        return "path"
    return f"places.{language}" if place is source.places.get(language) else split


def is_table(path: str | Path) -> bool:
    """Is it the name of a file that holds a table?"""
    return tables.ending(path) in tables.READERS


def is_local(path: Path) -> bool:
    """Can the path only be one of this machine? Any other may be a name on the Hub."""
    return path.is_absolute() or str(path).startswith("..")


def default_splits(place: Datasets | OtherPlace) -> dict[str, str]:
    """Default names of splits: in names of files ours, otherwise those of the `datasets` library."""
    return {split: split for split in SPLITS} if is_table(place.path or "") else THEIR_SPLITS


def may_be_on_hub(source: Datasets) -> bool:
    """Is any split read from the Hub, as far as the source tells?"""
    languages = ("", *source.places)  # no language's, and those of their own
    paths = [Path(place_of(source, split, one).path or "") for split in SPLITS for one in languages]
    return any(str(path).startswith("hf:") or not (is_table(path) or is_local(path) or path.is_dir()) for path in paths)


def local_path(source: Datasets, task_name: str, split: str, language: str) -> Path | None:
    """The local file or folder of a split; a path that is none may be a name on the Hub. None: files on the Hub."""
    text = _text(source, task_name, split, language)
    if text.startswith(ON_HUB):
        return None
    path, folder = Path(text), _folder(source, split, language)
    return path / folder if folder and path.is_dir() else path


def rows_of(source: Datasets, task_name: str, split: str, language: str) -> tuple:
    """What tells the rows of a split in a language from those of others: the file, or the place and the split in it."""
    place, path = place_of(source, split, language), local_path(source, task_name, split, language)
    text = _text(source, task_name, split, language)
    if path is None or is_table(path):
        return (text if path is None else path.resolve(),)  # the same file may be named in several ways
    named = functools.partial(fill, language=their_language(source, language), split=split)
    config, theirs = named(place.config or ""), named(their_split(source, split, THEIR_SPLITS))
    return text, config, place.revision, _folder(source, split, language), theirs


def open_split(source: Datasets, task_name: str, split: str, language: str) -> Table:
    """The rows of a split. Raises MtbridgeError, naming the task and the place."""
    place, path = place_of(source, split, language), local_path(source, task_name, split, language)
    if path is None:
        where = _text(source, task_name, split, language)
        found = hub.fetch_all(*hub.address(where, f"task {task_name}: source.path"))
        return _joined([tables.read_table(file) for file in found], where)
    if is_table(path):
        if not path.is_file():
            raise MtbridgeError(f"task {task_name}: source.path {path}: no such file ({language} {split})")
        return tables.read_table(path)
    named = functools.partial(fill, language=their_language(source, language), split=split)
    config = named(place.config) if place.config else None
    theirs = named(their_split(source, split, THEIR_SPLITS))
    folder = _folder(source, split, language)
    where = ":".join(part for part in (str(path), config, folder, theirs) if part)
    if path.is_dir():
        by_split = _folder_files(path, config, where, task_name)
        return _sliced(theirs, lambda name: _read_folder(path, by_split, name, where, task_name))
    if is_local(path):
        raise MtbridgeError(f"task {task_name}: source.path {path}: no such file or folder")
    return _sliced(theirs, lambda name: _read_hub(place, config, folder, name, where, task_name))


def _text(source: Datasets, task_name: str, split: str, language: str) -> str:
    """The path of a split, with language and split filled in."""
    place = place_of(source, split, language)
    if not place.path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; name a dataset, its folder or its files")
    theirs = their_split(source, split, default_splits(place))
    return fill(place.path, their_language(source, language), theirs)


def _folder(source: Datasets, split: str, language: str) -> str | None:
    """The folder of a dataset that a split's files lie in; None: the whole dataset."""
    folder = place_of(source, split, language).folder
    return fill(folder, their_language(source, language), split) if folder else None


def _sliced(split: str, read: Callable[[str], Table]) -> Table:
    """The rows of a split, or of parts of splits as the library writes them: `validation[:20%]`, `train+test`."""
    if not set("[+") & set(split):
        return read(split)
    from datasets import ReadInstruction

    whole = {name: read(name) for name in dict.fromkeys(part.split("[")[0] for part in split.split("+"))}
    try:
        parts = ReadInstruction.from_spec(split).to_absolute({name: table.rows for name, table in whole.items()})
    except (ValueError, AssertionError) as error:
        message = f"source.splits: '{split}' is no part of a split ({error}); expected one as in validation[:20%]"
        raise MtbridgeError(message) from error
    cut = [whole[part.splitname].part(part.from_ or 0, part.to) for part in parts]
    return cut[0] if len(cut) == 1 else _joined(cut, cut[0].path)


def _joined(parts: list[Table], where: str) -> Table:
    """The rows of several tables, which have the same columns."""
    if len(parts) == 1:
        return parts[0]
    for part in parts[1:]:
        if set(part.columns) != set(parts[0].columns):
            raise MtbridgeError(f"{part.path}: other columns than {parts[0].path}, a file of the same split")
    columns = {name: [value for part in parts for value in part.columns[name]] for name in parts[0].columns}
    return Table(where, columns)


# ---- Local folders and the Hub ---------------------------------------------------------------------------------------


def _folder_files(folder: Path, config: str | None, where: str, task_name: str) -> dict[str, list[Path]]:
    """Split -> its files in a local folder, as the library says."""
    import datasets

    # The library makes its cache's folder even where it only looks for files, and the user's may be unwritable.
    with tempfile.TemporaryDirectory(prefix="mtbridge-") as cache:
        try:
            found = datasets.load_dataset_builder(str(folder), config, cache_dir=cache).config.data_files or {}
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise MtbridgeError(
                f"task {task_name}: source {where}: cannot be opened: {error.__cause__ or error}; check path, config "
                "and splits"
            ) from error
    return {str(name): [Path(file) for file in paths] for name, paths in found.items()}


def _read_folder(folder: Path, by_split: dict[str, list[Path]], split: str, where: str, task_name: str) -> Table:
    """The rows of a split in a local folder."""
    if split not in by_split:
        raise MtbridgeError(
            f"task {task_name}: source {where}: the folder has no split '{split}'; {nearest(split, by_split)}"
        )
    for file in by_split[split]:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise MtbridgeError(
                f"task {task_name}: {file}: outside {folder}, whose README.md names it; changes of it would go "
                "unnoticed: name its own folder in source.path"
            )
    return _read_files(by_split[split], where, task_name)


def _read_hub(
    place: Datasets | OtherPlace, config: str | None, folder: str | None, split: str, where: str, task_name: str
) -> Table:
    """The rows of a split of a dataset on the Hub, or in its cache."""
    try:
        found = hub.fetch_split(str(place.path), place.revision, config, folder, split)
    except MtbridgeError as error:
        raise MtbridgeError(f"task {task_name}: source {where}: {error}") from error
    table = _read_files(found.files, where, task_name)
    named = {
        name: tables.name_classes(values, found.classes[name]) if name in found.classes else values
        for name, values in table.columns.items()
    }
    return replace(table, path=where, columns=named)


def _read_files(files: list[Path], where: str, task_name: str) -> Table:
    for file in files:
        if not is_table(file):
            kinds = ", ".join(tables.READERS)
            raise MtbridgeError(f"task {task_name}: {file}: not a table that can be read; expected one of {kinds}")
    return _joined([tables.read_table(file) for file in files], where)
