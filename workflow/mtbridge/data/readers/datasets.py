"""Any dataset that the `datasets` library opens, by a mapping of names. It never runs the code of a dataset's author.

The library keeps what it downloads in the Hub's cache. With HF_HUB_OFFLINE=1 it reads from that cache alone.

Keys of the source; `{language}` and `{split}` are replaced wherever they occur
    path             a name on the Hub, a local folder, or a local file: .parquet, .csv, .tsv, .json, .jsonl
    config, revision of a dataset on the Hub
    splits           our split -> theirs, default train, validation, test
    columns          our column (a text column, `label`, `example_id`) -> theirs, default the same name
    labels           their label -> ours
    language_column  the column with a row's language, if one split holds several languages
"""

from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers.shared_keys import existing_files, label_names
from mtbridge.tasks.kinds import kind_of

SPLITS = {"train": "train", "dev": "validation", "test": "test"}
BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json"}


def read(source: dict, task, split: str, language: str, limit=None, seed=0):
    """All rows of one split and language; `place(row, word)` names dataset and row. See `readers.Reader`."""
    dataset, where = _open(source, task.name, split, language)
    theirs: dict[str, str] = dict(source.get("columns") or {})
    for ours in theirs:
        if ours not in (*task.columns, "label", "example_id"):
            valid = (*task.columns, "label", "example_id")
            raise MtbridgeError(
                f"task {task.name}: source.columns.{ours} is no column of the task; {nearest(ours, valid)}"
            )
    rows: Sequence[int] = range(len(dataset))
    if source.get("language_column"):
        spoken = _column(dataset, source["language_column"], "language_column", where)
        rows = [row for row, value in enumerate(spoken) if value == language]

    columns = {}
    for ours in (*task.columns, "label"):
        values = _column(dataset, theirs.get(ours, ours), f"columns.{ours}", where)
        columns[ours] = [values[row] for row in rows]
    columns["label"] = [_label(value, dataset, theirs, source) for value in columns["label"]]
    for name in () if kind_of(task).per_word else task.columns:
        columns[name] = [None if text is None else str(text) for text in columns[name]]
    ids = _column(dataset, theirs["example_id"], "columns.example_id", where) if "example_id" in theirs else None
    columns["example_id"] = [str(ids[row] if ids else row) for row in rows]
    return columns, lambda row, word=0: f"{where}, row {rows[row] + 1 if len(rows) else 0}"


def available_languages(source: dict, task_name: str) -> None:
    """None: only opening the dataset would tell. See `readers.Reader`."""


def files(source: dict, task_name: str, splits: dict[str, list[str]]) -> list[str]:
    """The local files that the path names; none if it is a dataset on the Hub or a folder. See `readers.Reader`."""
    return existing_files(source, splits)


def _open(source: dict, task_name: str, split: str, language: str):
    """The rows of a split, and the name that messages give them."""
    import datasets

    def fill(text: str) -> str:
        return text.replace("{language}", language).replace("{split}", split)

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    if not source.get("path"):
        raise MtbridgeError(f"task {task_name}: source.path is missing; name a dataset, its folder or its files")
    where = fill(source["path"])
    suffix = Path(where).suffix
    if suffix in BUILDERS:
        if not Path(where).is_file():
            raise MtbridgeError(f"task {task_name}: source.path {where}: no such file ({language} {split})")
        if Path(where).stat().st_size == 0:
            raise MtbridgeError(f"{where}:1: the file is empty; expected examples")
        # 'NA' and 'null' are words in a text; a quotation mark in a .tsv is a character.
        options: dict[str, object] = {"keep_default_na": False} if BUILDERS[suffix] == "csv" else {}
        if suffix == ".tsv":
            options |= {"sep": "\t", "quoting": 3}
        arguments = {"path": BUILDERS[suffix], "data_files": {"rows": where}, "split": "rows", **options}
    else:
        if Path(where).is_absolute() and not Path(where).exists():
            raise MtbridgeError(f"task {task_name}: source.path {where}: no such file or folder")
        config = fill(source["config"]) if source.get("config") else None
        theirs = fill((SPLITS | dict(source.get("splits") or {}))[split])
        arguments = {"path": where, "name": config, "split": theirs, "revision": source.get("revision")}
        where = ":".join(part for part in (where, config, theirs) if part)
    try:
        return datasets.load_dataset(**arguments), where
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = error.__cause__ or error
        raise MtbridgeError(
            f"task {task_name}: source {where}: cannot be opened: {reason}; "
            "check path, config, revision and splits, and without a network the Hub's cache"
        ) from error


def _column(dataset, name: str, key: str, where: str) -> list:
    if name not in dataset.column_names:
        raise MtbridgeError(f"{where}: source.{key}: no column '{name}'; {nearest(name, dataset.column_names)}")
    return list(dataset[name])


def _label(value, dataset, theirs: dict, source: dict):
    """A label as the task spells it: class numbers become names, names go through the source's mapping."""
    if isinstance(value, list):
        return [_label(one, dataset, theirs, source) for one in value]
    feature = dataset.features[theirs.get("label", "label")]
    feature = getattr(feature, "feature", feature)  # a list of labels holds the labels' own feature
    if isinstance(value, int) and hasattr(feature, "int2str") and value >= 0:
        value = feature.int2str(value)
    return label_names(source).get(str(value), str(value))
