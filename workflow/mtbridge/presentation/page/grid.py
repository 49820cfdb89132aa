"""Tables of the page that sort and filter: one row for each number, with all that it is known by."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.inference.verdicts import EVERY_TARGET
from mtbridge.presentation import comparisons
from mtbridge.presentation.layout import GAP, number, signed
from mtbridge.presentation.page.charts.differences import OTHER, SOURCE, UNSEEN
from mtbridge.presentation.words import language_name, script_name
from mtbridge.study.outline import FLOOR, Outline

# Family of contrasts -> what it is called in a column.
KINDS = {"objectives": "objective", "compare": "models", "recipes": "recipes", "base": "base", "weights": "weights"}


@dataclass(frozen=True)
class Entry:
    """One cell: its text, the number by which it is sorted, and the id of what opens at a click."""

    text: str
    order: float | None = None
    opens: str = ""


@dataclass(frozen=True)
class Grid:
    """A long table. names: its columns; filters: those that can be filtered; numbers: those that hold numbers."""

    name: str
    caption: str
    names: list[str]
    rows: list[list[Entry]]
    filters: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> list[list]:
        """The rows for the page's script. A cell is its text; where it has more, or its column holds numbers, [text,
        number that it is sorted by or null, id of what opens or ""]."""
        are_numbers = [name in self.numbers for name in self.names]
        return [
            [
                [cell.text, cell.order, cell.opens] if is_number or cell.opens else cell.text
                for cell, is_number in zip(row, are_numbers, strict=True)
            ]
            for row in self.rows
        ]


def grid(name: str, caption: str, rows: list[dict], filters, notes=()) -> Grid | None:
    """A grid of rows that all have the same keys; a value is an `Entry`, or text. None without rows.

    Columns that are empty in all rows, or have one value where they could be filtered, are left out.
    """
    if not rows:
        return None
    entries = [{key: _entry(value) for key, value in row.items()} for row in rows]
    texts = {key: {row[key].text for row in entries} for key in entries[0]}
    kept = [key for key, values in texts.items() if values != {GAP} and not (key in filters and len(values) == 1)]
    numbers = frozenset(key for key in kept if any(row[key].order is not None for row in entries))
    shown = [[row[key] for key in kept] for row in entries]
    return Grid(name, caption, kept, shown, frozenset(filters) & frozenset(kept), numbers, list(notes))


def _entry(value) -> Entry:
    return value if isinstance(value, Entry) else Entry(str(value))


def numeric(value, text: Callable[..., str] = number, *arguments) -> Entry:
    """A number; one that is missing is a gap and sorted last."""
    is_missing = value is None or math.isnan(value)
    return Entry(GAP) if is_missing else Entry(text(value, *arguments), float(value))


# ---- Scores by language ----


def score_rows(frame: pd.DataFrame, outline: Outline) -> pd.DataFrame:
    """Every score of a model in a language, with what the picture and the table of scores show.

    frame: that of Table 4. Columns: recipe, key, task_name, model, short, task, language, script, seen (yes, no, or not
    known), kind, shown (percent), low, high, published, text, basis.
    """
    rows = frame[(frame["language"] != ALL_LANGUAGES) & (frame["model"] != FLOOR)]
    found = []
    for row in rows.to_dict("records"):
        key, language = row["model"], row["language"]
        exposure = row.get("exposure")
        is_known = isinstance(exposure, str) and exposure != ""
        seen = ("no" if exposure == "none" else "yes") if is_known else "not known"
        kind = SOURCE if language == outline.source_language else UNSEEN if seen == "no" else OTHER
        found.append(
            {"recipe": row["recipe"], "key": key, "task_name": row["task"], "model": outline.label(key)}
            | {"short": comparisons.short(outline, key), "task": outline.task_labels.get(row["task"], row["task"])}
            | {"language": f"{language_name(language)} ({language})", "script": script_name(language)}
            | {"seen": seen, "kind": kind, "shown": row["ours"], "low": row["low"], "high": row["high"]}
            | {"published": row.get("published", math.nan)}
            | {"text": _score_text(row), "why": row["degenerate"] or ""}
            | {"basis": _basis(row)}
        )
    return pd.DataFrame(found)


def _basis(row: dict) -> str:
    pretrainings, seeds = (int(row[name]) for name in ("pretrainings", "seeds"))
    return f"{comparisons.amount(pretrainings, 'pretraining')}, {comparisons.amount(seeds, 'seed')}, {row['split']}"


def _score_text(row: dict) -> str:
    """A score with its interval; of one that says nothing of the model, why."""
    if math.isnan(row["ours"]):
        return str(row["degenerate"] or "nothing counted")
    if math.isnan(row["low"]):
        return f"{number(row['ours'])} ({row['degenerate'] or 'no interval'})"
    return f"{number(row['ours'])} [{number(row['low'])}, {number(row['high'])}]"


def scores(rows: pd.DataFrame, name: str, outline: Outline, origins: dict) -> Grid | None:
    """The grid of scores. rows: those of `score_rows`; origins: (recipe, model, task) -> id of where it comes from."""
    found = [
        {
            "recipe": row.recipe,
            "task": row.task,
            "model": row.model,
            "language": row.language,
            "script": row.script,
            "seen in pretraining": row.seen,
            "score": numeric(row.shown),
            "95 % interval": Entry(row.text.partition(" ")[2] or GAP, row.low if row.low == row.low else None),
            "published": numeric(row.published),
            "minus published": numeric(row.shown - row.published, signed),
            "rests on": Entry(row.basis, opens=origins.get((row.recipe, row.key, row.task_name), "")),
        }
        for row in rows.itertuples()
    ]
    notes = [
        "In percent. Differences from a model's base are not listed by language, because those of single languages "
        "have no interval; by task and in the mean they stand with their intervals among the comparisons. A click on "
        "what a score rests on shows its runs."
    ]
    filters = ("recipe", "task", "model", "language", "script", "seen in pretraining")
    return grid(name, "Every score by language, to sort and filter", found, filters, notes)


# ---- Contrasts ----


def contrasts(frame: pd.DataFrame, name: str, outline: Outline) -> Grid | None:
    """Every contrast, also those of single tasks. frame: rows of one protocol of `inference/contrasts.parquet`."""
    found = []
    is_shown = (frame["task"] == ALL_TASKS) | (frame["languages"] == EVERY_TARGET)
    for row in frame[is_shown].itertuples():
        is_mean = row.task == ALL_TASKS
        is_empty = math.isnan(row.estimate)
        found.append(
            {
                "what is compared": comparisons.label(outline, row),
                "kind": KINDS.get(str(row.family), str(row.family)),
                "task": ALL_TASKS if is_mean else outline.task_labels.get(str(row.task), row.task),
                "languages": "all" if row.languages == EVERY_TARGET else row.languages,
                "score": comparisons.statistic_name(outline, str(row.statistic)),
                "difference": numeric(row.estimate, lambda value, row=row: comparisons.difference(row)),
                "95 % interval": Entry(GAP if is_empty else comparisons.interval(row)),
                "p (Holm)": numeric(row.p_holm, number, 3),
                "verdict": comparisons.verdict_text(row),
                "P": Entry(str(int(row.P)), row.P),
                "S": Entry(str(int(row.S)), row.S),
                "n": Entry(f"{int(row.n):,}", row.n),
            }
        )
    notes = [
        "Percent points. p (Holm) is there for the primary tests alone; single tasks are secondary, and among many of "
        "them some differ by chance. P: pretrainings, S: fine-tuning seeds, n: test examples."
    ]
    filters = ("what is compared", "kind", "task", "languages", "score", "verdict")
    return grid(name, "Every comparison, single tasks too, to sort and filter", found, filters, notes)


# ---- What models write ----


def written(frame: pd.DataFrame, name: str, outline: Outline, measures: dict, ways: dict, baselines: dict):
    """Every score of outputs. frame: that of the table `generation`; the last three: keys -> words."""
    labels = {task.name: task.label for task in outline.writing}
    places = {
        "english": language_name(outline.source_language),
        "zero_shot": "zero-shot mean",
        "untaught": "mean of those never taught",
    }
    found = [
        {
            "task": labels.get(str(row.task), row.task),
            "model": baselines.get(row.model) or outline.label(str(row.model)),
            "way": ways.get(row.way, row.way),
            "rate": numeric(row.learning_rate, "{:g}".format),
            "chosen on dev": "yes" if row.chosen else "no",
            "measure": measures.get(row.measure, row.measure),
            "language": places.get(row.statistic) or f"{language_name(row.statistic)} ({row.statistic})",
            "value": numeric(row.value),
            "95 % interval": GAP if math.isnan(row.low) else f"[{number(row.low)}, {number(row.high)}]",
            "P": Entry(str(int(row.pretrainings)), row.pretrainings),
            "S": Entry(str(int(row.seeds)), row.seeds),
            "n a language": Entry(f"{int(row.n):,}", row.n),
        }
        for row in frame.itertuples()
    ]
    filters = ("task", "model", "way", "rate", "chosen on dev", "measure", "language")
    return grid(name, "Every score of outputs, to sort and filter", found, filters, ["In percent."])
