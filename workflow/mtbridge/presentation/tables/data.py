"""Table 3: the tasks and their data, one row per task as in the paper."""

import math
import re

import pandas as pd

from mtbridge.inference.data_sizes import data_frame
from mtbridge.inference.published_values import DATA_MEASURES
from mtbridge.presentation.layout import GAP, Block, Cell, count, signed
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline
from mtbridge.tasks.metrics import METRICS

DIGITS = 7  # of a commit
# Fewer examples than this share move no score by a percent point.
SHARE = 0.01
# How many test examples have the texts of others, and which others these are.
OVERLAPS = {
    "test_in_train": "a training example",
    "test_in_dev": "a dev example of their language",
    "test_as_source": "a test example in {source}",
}


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """One row per task; see `inference.data_sizes`."""
    return data_frame(outline, inputs, published)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block, one row per task."""
    has_sources = frame["source"].fillna("").astype(str).str.len().gt(0).any()
    has_licences = bool((set(frame["source"].dropna()) - {"", "generated"}) or any(t.licence for t in outline.tasks))
    rows = [_cells(row, outline, has_sources, has_licences) for row in frame.to_dict("records")]
    source = outline.source_language
    header = ["task", "languages", f"train ({source})", "dev (mean)", "test (mean)", "metric"]
    notes = [
        f"Examples (tagging: sentences; ranking: query and document pairs). Training is {language_name(source)} only; "
        "dev and test are means over the task's languages. Where XGLUE's official metric and the sound one differ, "
        "both are named, official first."
    ]
    if "published_languages" in frame:
        notes.append("Publ.: as the paper describes XGLUE, and ours minus it.")
    notes += [*_notes_on_dev(frame, outline), *_notes_on_overlaps(frame, outline)]
    if has_licences:
        notes.append(
            "Licence: as the study states it, or else the card of the data set on the Hub; look at the source before "
            "you pass examples on."
        )
    if frame[list(DATA_MEASURES[1:])].isna().any(axis=None):
        notes.append(f"{GAP} not there yet.")
    header += [*["source"] * bool(has_sources), *["licence"] * has_licences]
    return [Block(header, rows, text_columns=frozenset([5, 6, 7]))], notes


def _notes_on_dev(frame: pd.DataFrame, outline: Outline) -> list[str]:
    """Which tasks have dev in some languages only, and of which it is drawn from train."""
    notes, label = [], lambda row: outline.task_labels.get(row.task, row.task)
    some = [
        f"{label(row)} (dev in {row.dev_languages:.0f} of {row.languages})"
        for row in frame.itertuples()
        if row.dev_languages < row.languages  # False for NaN
    ]
    if some:
        notes.append(f"Test alone in some languages: {join(some)}; the mean of dev is over the others.")
    drawn = [
        f"{label(row)} ({row.dev_from_train:.0f} a language)" for row in frame.itertuples() if row.dev_from_train > 0
    ]
    if drawn:
        notes.append(f"Dev is drawn from train, which has no longer these examples: {join(drawn)}.")
    return notes


def _notes_on_overlaps(frame: pd.DataFrame, outline: Outline) -> list[str]:
    """In which tasks and languages one test example in a hundred, or more, has the texts of another example; and which
    test sets look like another language."""
    notes = []
    for column, others in OVERLAPS.items():
        parts = []
        for task, value in zip(frame["task"], frame[column], strict=True):
            said = "" if pd.isna(value) else str(value)
            found = (re.fullmatch(r"(\S+) ([0-9]+)/([0-9]+)", part) for part in said.split(", "))
            shown = [f"{one[1]} {one[2]} of {one[3]}" for one in found if one and int(one[2]) >= SHARE * int(one[3])]
            parts += [f"{outline.task_labels.get(task, task)} ({', '.join(shown)})"] if shown else []
        if parts:
            which = others.format(source=language_name(outline.source_language))
            notes.append(f"Test examples whose texts are letter for letter those of {which}: {join(parts)}.")
    odd = []
    for task, value in zip(frame["task"], frame["test_looks_like"], strict=True):
        pairs = [] if pd.isna(value) or not value else [part.split() for part in str(value).split(", ")]
        shown = [f"{language_name(one)} like {language_name(other)}" for one, other in pairs]
        odd += [f"{outline.task_labels.get(task, task)} ({', '.join(shown)})"] if shown else []
    if odd:
        notes.append(f"Test sets that look like another language: {join(odd)}; look whether files are exchanged.")
    return notes


def _cells(row: dict, outline: Outline, has_sources: bool, has_licences: bool) -> list[Cell]:
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
        cells.append(Cell(GAP if pd.isna(row["source"]) or not row["source"] else str(row["source"]), _revisions(row)))
    if has_licences:
        cells.append(Cell(GAP if pd.isna(row["licence"]) or not row["licence"] else str(row["licence"])))
    return cells


def _revisions(row: dict) -> tuple[str, ...]:
    """The data sets on the Hub that a task is read from, with the beginnings of their commits."""
    if pd.isna(row["revisions"]) or not row["revisions"]:
        return ()
    parts = (part.split("@") for part in str(row["revisions"]).split("; "))
    return tuple(f"{name.removeprefix('datasets/')} {commit[:DIGITS]}" for name, commit in parts)
