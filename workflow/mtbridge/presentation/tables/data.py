"""Table 3: the tasks and their data, one row per task as in the paper."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.published_values import DATA_MEASURES, parse_count
from mtbridge.presentation.layout import GAP, Block, Cell, count, signed
from mtbridge.presentation.words import language_name
from mtbridge.study.outline import Outline, OutlineTask
from mtbridge.tasks.metrics import METRICS


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """One row per task: task, languages (how many), language_codes, train_en, dev_avg, test_avg, metric, source.

    Sizes are numbers of examples; dev_avg and test_avg are means over languages. `inputs` holds
    `<task>/train.parquet` and `evaluation.parquet`. `published` adds published_* as the paper prints them (15.0K), and
    difference_* of the four numbers.
    """
    columns = ["task", "languages", "language_codes", *DATA_MEASURES[1:], "metric", "source"]
    table = pd.DataFrame([_row(task, Path(inputs) / task.name) for task in outline.tasks]).reindex(columns=columns)
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


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block, one row per task."""
    has_sources = frame["source"].fillna("").astype(str).str.len().gt(0).any()
    rows = [_cells(row, outline, has_sources) for row in frame.to_dict("records")]
    source = outline.source_language
    header = ["task", "languages", f"train ({source})", "dev (mean)", "test (mean)", "metric"]
    notes = [
        f"Examples (tagging: sentences; ranking: query and document pairs). Training is {language_name(source)} only; "
        "dev and test are means over the task's languages. Where XGLUE's official metric and the sound one differ, "
        "both are named, official first."
    ]
    if "published_languages" in frame:
        notes.append("Publ.: as the paper describes XGLUE, and ours minus it.")
    if frame[list(DATA_MEASURES[1:])].isna().any(axis=None):
        notes.append(f"{GAP} not there yet.")
    return [Block([*header, *["source"] * bool(has_sources)], rows, text_columns=frozenset([5, 6]))], notes


def _cells(row: dict, outline: Outline, has_sources: bool) -> list[Cell]:
    cells = [Cell(outline.task_labels.get(row["task"], row["task"]))]
    for name in DATA_MEASURES:
        published, difference = row.get(f"published_{name}"), row.get(f"difference_{name}", math.nan)
        details = () if pd.isna(published) else (f"publ. {published}",)
        if details and not math.isnan(difference):
            details = (f"publ. {published} ({signed(difference, 0)})",)
        cells.append(Cell(f"{row[name]:.0f}" if name == "languages" else count(row[name]), details))
    labels = [metric.label for metric in METRICS[row["metric"]] if metric.official or metric.sound]
    cells.append(Cell("; ".join(labels)))
    if has_sources:
        cells.append(Cell(GAP if pd.isna(row["source"]) or not row["source"] else str(row["source"])))
    return cells
