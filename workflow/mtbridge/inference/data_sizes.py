"""How many examples a study's tasks have, beside the published sizes."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.published_values import DATA_MEASURES, parse_count
from mtbridge.study.outline import Outline, OutlineTask


def data_frame(outline: Outline, folder, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per task: task, languages (how many), language_codes, train_en, dev_avg, test_avg, metric, source.

    Sizes are numbers of examples; dev_avg and test_avg are means over languages. `folder` holds
    `<task>/train.parquet` and `evaluation.parquet`. `published` adds published_* as the paper prints them (15.0K), and
    difference_* of the four numbers.
    """
    columns = ["task", "languages", "language_codes", *DATA_MEASURES[1:], "metric", "source"]
    table = pd.DataFrame([_row(task, Path(folder) / task.name) for task in outline.tasks]).reindex(columns=columns)
    if published is None:
        return table
    columns_published = [*DATA_MEASURES, "metric", "source"]
    names = {measure: f"published_{measure}" for measure in columns_published}
    table = table.merge(published[["task", *columns_published]].rename(columns=names), on="task", how="left")
    for measure in DATA_MEASURES:
        table[f"difference_{measure}"] = table[measure] - table[f"published_{measure}"].map(parse_count)
    return table


def _row(task: OutlineTask, folder: Path) -> dict:
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
    return row | {"metric": task.metric, "source": task.source}
