"""Any dataset that the `datasets` library opens, by a mapping of names. It never runs the code of a dataset's author.

The library fetches datasets of the Hub and keeps them in the Hub's cache. With HF_HUB_OFFLINE=1 it reads from that
cache alone. Local files are read by `tables`, where text stays text, without any cache. In a local folder the library
only says which files a split has.

The keys of the source are those of `specs.source.Datasets`. Something in it must tell splits and languages apart, or
the same rows would be train and test.
"""

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers import tables
from mtbridge.data.readers.languages import FEWER_LANGUAGES, check_languages
from mtbridge.data.readers.tables import Table
from mtbridge.specs.source import Datasets, TrainedOn, fill, splits_problem, their_language, their_split
from mtbridge.specs.task import SPLITS
from mtbridge.tasks.kinds import START, kind_of

THEIR_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
NUMBER = tables.Number


def read(source: Datasets, task, split: str, language: str, limit=None, seed=0):
    """All rows of one split and language; `place(row, word)` names file and row. See `readers.Reader`."""
    kind = kind_of(task)
    ours = (*task.columns, *kind.labelled, "example_id")
    for name in source.columns:
        if name not in ours:
            message = f"source.columns.{name} is no column of the task; {nearest(name, ours)}"
            raise MtbridgeError(f"task {task.name}: {message}")
    table = _open(source, task.name, split, language)
    rows: Sequence[int] = range(table.rows)
    if source.language_column:
        spoken = table.column(source.language_column, "language_column")
        check_languages(spoken, source.languages.values(), table.place)
        rows = [row for row, value in enumerate(spoken) if value == their_language(source, language)]
        if not rows:
            known = sorted({str(value) for value in spoken})
            raise MtbridgeError(
                f"{table.path}: no row of the column '{source.language_column}' is "
                f"'{their_language(source, language)}'; it has {', '.join(known[:20])}"
            )
    columns: dict[str, list] = {}
    for name in (*task.columns, *kind.labelled):
        theirs = source.columns.get(name, kind.their_columns.get(name, name))
        if name == START and name not in source.columns and not table.has(theirs):
            columns[name] = [None] * len(rows)  # no file need say where an answer stands
            continue
        values = table.column(theirs, f"columns.{name}")
        columns[name] = [values[row] for row in rows]
    for name in task.columns:
        _check_texts(columns[name], kind.per_word, name, lambda row: table.place(rows[row]))
    columns["label"] = [_label(value, source.labels) for value in columns["label"]]
    theirs = source.columns.get("example_id")
    ids = table.column(theirs, "columns.example_id") if theirs else None
    # Without a column of ids, the number of a row among those of its language: translations have the same.
    columns["example_id"] = [str(row) for row in range(len(rows))] if ids is None else [str(ids[row]) for row in rows]
    if ids is not None and (missing := next((row for row in rows if ids[row] is None), None)) is not None:
        raise MtbridgeError(f"{table.place(missing)}: the column '{theirs}' is empty; expected an id")
    return columns, lambda row, word=0: table.place(rows[row] if len(rows) else 0)


def available_languages(source: Datasets, task_name: str) -> set[str] | None:
    """The languages that have dev and test files; None if only opening the dataset would tell. See `readers.Reader`."""
    return None


def files(source: Datasets, task_name: str, split: str, language: str) -> list[Path]:
    """The local file, or all files of the local folder, that a split is read from; none on the Hub."""
    path = _path(source, task_name, split, language)
    if path.is_dir():
        # Without .git and the like, which hold no examples.
        inside = [file.relative_to(path) for file in path.rglob("*") if file.is_file()]
        return sorted(path / file for file in inside if not any(part.startswith(".") for part in file.parts))
    return [path] if path.is_file() else []


def problems(source: Datasets, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """What is wrong with the keys of a source: pairs (key, message). See `readers.Reader`."""
    if not source.path:
        return []
    wrong = []
    inside = [text for text in (source.path, source.config, source.folder, *source.splits.values()) if text]
    if (
        len({language for _, language in parts}) > 1
        and not source.language_column
        and not any("{language}" in text for text in inside)
    ):
        wrong.append(
            (
                "path",
                "nothing tells the languages apart; put {language} into path, config or splits, or set language_column",
            )
        )
    if Path(source.path).suffix in tables.READERS and "{split}" not in source.path:
        wrong.append(("path", "one file for all splits: train would be test; put {split} into its name"))
    for split, language in parts:
        path, key = _path(source, task_name, split, language), "train" if _place(source, split) != source else "path"
        if path.suffix in tables.READERS and not path.is_file():
            wrong.append((key, f"{path}: no such file ({language} {split}){FEWER_LANGUAGES}"))
        elif _is_local(path) and not path.exists():
            wrong.append((key, f"{path}: no such file or folder"))
    place_of = lambda place: (place.path, place.config, place.folder)
    apart = source.train and place_of(source.train) != place_of(source)
    return wrong + ([] if apart else splits_problem(source, _file_splits(source)))


def _check_texts(values: list, per_word: bool, name: str, place) -> None:
    """Raise MtbridgeError unless a column holds texts, or in tagging lists of texts; None is reported elsewhere."""
    for row, value in enumerate(values):
        if per_word and value is not None and not isinstance(value, list):
            raise MtbridgeError(
                f"{place(row)}: the column '{name}' holds {_type(value)}; expected a list of words, which a .parquet, "
                ".json or .jsonl file can hold"
            )
        for text in value if per_word and value is not None else [value]:
            if text is not None and (not isinstance(text, str) or isinstance(text, NUMBER)):
                raise MtbridgeError(
                    f"{place(row)}: the column '{name}' holds {_type(text)}; expected a text: write it as text"
                )


def _type(value: object) -> str:
    """The words for the type of a value."""
    if isinstance(value, NUMBER):
        return f"the value {value}"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else f"{value!r:.40}"


def _label(value, names: dict[str, str]):
    """A label as the task spells it."""
    if isinstance(value, list):
        return [_label(one, names) for one in value]
    if value is None or (isinstance(value, float) and str(value) not in names):  # a number of a regression
        return value
    return names.get(str(value), str(value))


# ---- Opening ---------------------------------------------------------------------------------------------------------


def _place(source: Datasets, split: str) -> Datasets | TrainedOn:
    """What has the path, the configuration and the revision of a split."""
    return source.train if split == "train" and source.train else source


def _path(source: Datasets, task_name: str, split: str, language: str) -> Path:
    if not source.path:
        raise MtbridgeError(f"task {task_name}: source.path is missing; name a dataset, its folder or its files")
    place = _place(source, split)
    theirs = their_split(source, split, _file_splits(place))
    path = Path(fill(str(place.path), their_language(source, language), theirs))
    folder = _folder(source, split, language)
    return path / folder if folder and path.is_dir() else path


def _folder(source: Datasets, split: str, language: str) -> str | None:
    """The folder of a dataset that a split's files lie in; None: the whole dataset."""
    folder = _place(source, split).folder
    return fill(folder, their_language(source, language), split) if folder else None


def _file_splits(place: Datasets | TrainedOn) -> dict[str, str]:
    """Default names of splits: in names of files ours, otherwise those of the `datasets` library."""
    is_file = Path(place.path or "").suffix in tables.READERS
    return {split: split for split in SPLITS} if is_file else THEIR_SPLITS


def _open(source: Datasets, task_name: str, split: str, language: str) -> Table:
    """The rows of a split."""
    path = _path(source, task_name, split, language)
    if path.suffix in tables.READERS:
        if not path.is_file():
            raise MtbridgeError(f"task {task_name}: source.path {path}: no such file ({language} {split})")
        return tables.read_table(path)
    named = functools.partial(fill, language=their_language(source, language), split=split)
    place = _place(source, split)
    config = named(place.config) if place.config else None
    theirs = named(their_split(source, split, THEIR_SPLITS))
    folder = _folder(source, split, language)
    where = ":".join(part for part in (str(path), config, folder, theirs) if part)
    if path.is_dir():
        return _open_folder(path, config, theirs, where, task_name)
    if _is_local(path):
        raise MtbridgeError(f"task {task_name}: source.path {path}: no such file or folder")
    return _open_hub(place, config, folder, theirs, where, task_name)


def _is_local(path: Path) -> bool:
    """Can the path only be one of this machine? Any other may be a name on the Hub."""
    return path.is_absolute() or str(path).startswith("..")


def _open_folder(folder: Path, config: str | None, split: str, where: str, task_name: str) -> Table:
    """The rows of a split in a local folder: the library says which files these are, `tables` reads them."""
    import datasets

    # The library makes its cache's folder even where it only looks for files, and the user's may be unwritable.
    with tempfile.TemporaryDirectory(prefix="mtbridge-") as cache:
        try:
            found = datasets.load_dataset_builder(str(folder), config, cache_dir=cache).config.data_files or {}
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise _cannot_open(where, task_name, error) from error
    by_split = {str(name): [Path(file) for file in paths] for name, paths in found.items()}
    if split not in by_split:
        raise MtbridgeError(
            f"task {task_name}: source {where}: the folder has no split '{split}'; {nearest(split, by_split)}"
        )
    parts = []
    for file in by_split[split]:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise MtbridgeError(
                f"task {task_name}: {file}: outside {folder}, whose README.md names it; changes of it would go "
                "unnoticed: name its own folder in source.path"
            )
        if file.suffix not in tables.READERS:
            kinds = ", ".join(tables.READERS)
            raise MtbridgeError(f"task {task_name}: {file}: not a table that can be read; expected one of {kinds}")
        parts.append(tables.read_table(file))
    return parts[0] if len(parts) == 1 else _joined(parts, where)


def _joined(parts: list[Table], where: str) -> Table:
    """The rows of several files, which have the same columns."""
    for part in parts[1:]:
        if set(part.columns) != set(parts[0].columns):
            raise MtbridgeError(f"{part.path}: other columns than {parts[0].path}, a file of the same split")
    columns = {name: [value for part in parts for value in part.columns[name]] for name in parts[0].columns}
    return Table(where, columns)


def _open_hub(
    place: Datasets | TrainedOn, config: str | None, folder: str | None, split: str, where: str, task_name: str
) -> Table:
    """The rows of a split of a dataset on the Hub, or in its cache."""
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        dataset = datasets.load_dataset(place.path, config, data_dir=folder, split=split, revision=place.revision)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise _cannot_open(where, task_name, error) from error
    rows = dataset.with_format("arrow")[:]
    names = {name: _names(feature) for name, feature in dataset.features.items()}
    return Table(where, {name: tables.arrow_texts(rows[name], names[name]) for name in rows.column_names})


def _names(feature) -> list[str] | None:
    """The names of the classes of a feature, or of the feature that its lists hold."""
    return getattr(getattr(feature, "feature", feature), "names", None)


def _cannot_open(where: str, task_name: str, error: Exception) -> MtbridgeError:
    return MtbridgeError(
        f"task {task_name}: source {where}: cannot be opened: {error.__cause__ or error}; "
        "check path, config, revision and splits, and without a network the Hub's cache"
    )
