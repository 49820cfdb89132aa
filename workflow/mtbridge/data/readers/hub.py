"""Any dataset that the `datasets` library opens, by a mapping of names; no code of a dataset's author is ever run.

Both the library and `fetch` keep what they got in the Hub's cache, and with HF_HUB_OFFLINE=1 take it from there alone.

Keys of the source; `{language}` and `{split}` are filled in wherever they occur
    path             a name on the Hub, a local folder, or a local file: .parquet, .csv, .tsv, .json, .jsonl
    config, revision of a dataset on the Hub
    splits           our split -> theirs, default train, validation, test
    columns          our column (a text column, `label`, `example_id`) -> theirs, default the same name
    labels           their label -> ours
    language_column  the column that says a row's language, where one split holds several
"""

import functools
import sys
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.tasks.kinds import kind_of

SPLITS = {"train": "train", "dev": "validation", "test": "test"}
BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json"}


def read(source: dict, task, split: str, language: str, limit=None, seed=0):
    """Columns of one split and language as lists, and `place(row, word)`, which names dataset and row.

    `limit` and `seed` are the caller's business. Raises MtbridgeError.
    """
    dataset, where = _opened(source, task.name, split, language)
    theirs = dict(source.get("columns") or {})
    for ours in theirs:
        if ours not in (*task.columns, "label", "example_id"):
            valid = (*task.columns, "label", "example_id")
            raise MtbridgeError(
                f"task {task.name}: source.columns.{ours} is no column of the task; {nearest(ours, valid)}"
            )
    rows = range(len(dataset))
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


@functools.cache
def fetch(repo: str, revision: str | None, file: str) -> Path:
    """One file of a dataset repository of the Hub, from the cache if it is there; says on stderr which commit it is.

    An interrupted download goes on where it stopped. Raises MtbridgeError.
    """
    from huggingface_hub import errors, hf_hub_download

    where = f"{repo}@{revision or 'main'}/{file}"
    print(f"{where}: asking the Hub and its cache", file=sys.stderr, flush=True)
    advice = "set `xglue:` to a local folder or archive, or check the address"
    try:
        path = Path(hf_hub_download(repo, file, repo_type="dataset", revision=revision))
    except errors.GatedRepoError as error:
        raise MtbridgeError(f"{where}: access is restricted; ask for it on the repository's page and log in") from error
    except errors.RepositoryNotFoundError as error:
        raise MtbridgeError(f"{where}: the Hub has no such dataset, or not for you; {advice}") from error
    except errors.RevisionNotFoundError as error:
        raise MtbridgeError(f"{where}: the dataset has no such revision; {advice}") from error
    except errors.LocalEntryNotFoundError as error:
        raise MtbridgeError(f"{where}: not in the cache, and the Hub cannot be reached; {advice}") from error
    except errors.EntryNotFoundError as error:
        raise MtbridgeError(f"{where}: the dataset has no such file; {advice}") from error
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{where}: cannot be fetched ({error}); {advice}") from error
    # The cache's layout is …/snapshots/<commit>/<file>.
    commit = path.parts[-1 - len(Path(file).parts)]
    print(f"{where}: commit {commit}, {path.stat().st_size / 1e6:.0f} MB", file=sys.stderr, flush=True)
    return path


def _opened(source: dict, task_name: str, split: str, language: str):
    """The rows of a split, and how to call them in a message."""
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
        options = {"keep_default_na": False} if BUILDERS[suffix] == "csv" else {}
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
    renamed = {str(key): str(ours) for key, ours in (source.get("labels") or {}).items()}
    return renamed.get(str(value), str(value))
