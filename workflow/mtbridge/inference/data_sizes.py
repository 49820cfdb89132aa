"""How many examples a study's tasks have, beside the published sizes."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet, read_record
from mtbridge.generation.scores import Identifier
from mtbridge.inference.overlap import OVERLAPS, looks_like, overlaps
from mtbridge.inference.published_values import DATA_MEASURES, parse_count
from mtbridge.study.outline import Outline, OutlineTask

# Where examples come from, and on what terms.
OF_SOURCES = ("revisions", "licence", "dev_languages", "dev_from_train")


def data_frame(outline: Outline, folder, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per task: task, languages (how many), language_codes, train_en, dev_avg, test_avg, metric, source, and
    of data from the Hub, or where the study states it: revisions, licence; dev_languages; dev_from_train; how many test
    examples have the texts of others, by language as "de 3/400, fr 2/400": test_in_train, test_in_dev, test_as_source;
    test_looks_like: which test sets look like another language, "de en" for German that looks like English.

    Sizes are numbers of examples; dev_avg and test_avg are means over languages, of dev those that have it, whose
    number is dev_languages. dev_from_train: dev examples that were drawn from train, at most so many a language.
    `folder` holds `<task>/train.parquet` and `evaluation.parquet`. `published` adds published_* as the paper prints
    them (15.0K), and difference_* of the four numbers.
    """
    columns = ["task", "languages", "language_codes", *DATA_MEASURES[1:], "metric", "source", *OF_SOURCES]
    columns += [*OVERLAPS, "test_looks_like"]
    identifier = Identifier([language for task in outline.tasks for language in task.languages])
    rows = [_row(task, Path(folder) / task.name, outline.source_language, identifier) for task in outline.tasks]
    table = pd.DataFrame(rows).reindex(columns=columns)
    if published is None:
        return table
    columns_published = [*DATA_MEASURES, "metric", "source"]
    names = {measure: f"published_{measure}" for measure in columns_published}
    table = table.merge(published[["task", *columns_published]].rename(columns=names), on="task", how="left")
    for measure in DATA_MEASURES:
        table[f"difference_{measure}"] = table[measure] - table[f"published_{measure}"].map(parse_count)
    return table


def sources(folder: Path) -> list[dict]:
    """Every revision of a data set on the Hub that the files of a task's examples were read from, once.

    Keys: repository, revision, commit, licence (None: its card states none). Empty for other kinds of source.
    """
    found = {}
    for path in _files(folder):
        for source in read_record(path).get("sources", []):
            kept = {key: source.get(key) for key in ("repository", "revision", "commit", "licence")}
            found[kept["repository"], kept["revision"]] = kept
    return list(found.values())


def sampled(folder: Path, split: str) -> dict[str, tuple[int, int]]:
    """Language -> (examples that are used, examples that the source has) of a split of which a sample is used.

    The source language's of train; those of all languages of dev and test. Empty where all are used, or where the
    examples are generated: then there are as many as are asked for.
    """
    path = folder / ("train.parquet" if split == "train" else "evaluation.parquet")
    read = read_record(path).get("read", {}).get(split, {}) if path.exists() else {}
    if not read:
        return {}
    examples = read_parquet(path, ["split", "language"])
    used = examples[examples["split"] == split].groupby("language").size()
    return {name: (int(used[name]), there) for name, there in read.items() if name in used and used[name] < there}


def licence(task: OutlineTask, read: list[dict]) -> str:
    """The licence of a task's examples: as the study states it, or else as the cards of its data sets do; "" if none.

    read: as `sources` returns it.
    """
    if task.licence:
        return task.licence
    if task.source == "generated":
        return "MIT"
    return "; ".join(dict.fromkeys(str(source["licence"]) for source in read if source["licence"]))


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "train.parquet", folder / "evaluation.parquet") if path.exists()]


def _row(task: OutlineTask, folder: Path, source_language: str, identifier: Identifier) -> dict:
    """The sizes of one task's data, for the files that are there."""
    row: dict[str, object] = {
        "task": task.name,
        "languages": len(task.languages),
        "language_codes": " ".join(task.languages),
    }
    train, evaluation = folder / "train.parquet", folder / "evaluation.parquet"
    if train.exists():
        row["train_en"] = int((read_parquet(train, ["split"])["split"] == "train").sum())
    if evaluation.exists():
        examples = read_parquet(evaluation, ["split", "language"])
        sizes = examples[examples["language"].isin(task.languages)].groupby(["split", "language"]).size()
        for split in ("dev", "test"):
            row[f"{split}_avg"] = float(sizes[split].mean()) if split in sizes.index else np.nan
        row["dev_languages"] = len(sizes["dev"]) if "dev" in sizes.index else 0
    read = sources(folder)
    row["revisions"] = "; ".join(f"{source['repository']}@{source['commit']}" for source in read)
    row["licence"] = licence(task, read)
    row["dev_from_train"] = max((read_record(path).get("dev_from_train", 0) for path in _files(folder)), default=0)
    for name, counts in overlaps(folder, task.languages, source_language).items():
        row[name] = ", ".join(f"{language} {count}/{of}" for language, (count, of) in counts.items())
    others = looks_like(folder, task.languages, identifier)
    row["test_looks_like"] = ", ".join(f"{language} {other}" for language, other in others.items())
    return row | {"metric": task.metric, "source": task.source}
