"""Table 3: the tasks and their data, one row per task as in the paper."""

import math

import pandas as pd

from mtbridge.inference.data_sizes import data_frame
from mtbridge.inference.published_values import DATA_MEASURES
from mtbridge.presentation.layout import GAP, Block, Cell, count, signed
from mtbridge.presentation.words import language_name
from mtbridge.study.outline import Outline
from mtbridge.tasks.metrics import METRICS


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """One row per task; see `inference.data_sizes`."""
    return data_frame(outline, inputs, published)


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
