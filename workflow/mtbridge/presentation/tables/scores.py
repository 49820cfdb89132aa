"""Table 1 (tasks down, models across) and Table 4 (per task: models down, languages across)."""

import math

import pandas as pd

from mtbridge.inference import estimates
from mtbridge.inference.intervals import DRAWS
from mtbridge.inference.published_values import within_new_run
from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number, signed
from mtbridge.presentation.words import KIND_HEADINGS, STATISTIC_LABELS, join, language_name
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import MAJORITY, NO_RECIPE, Outline
from mtbridge.tasks.metrics import METRIC_LABELS

ENOUGH_SEEDS = 5  # with fewer, a note says that the spread between seeds is only roughly known


def frame(outline: Outline, protocol: str, inputs, published=None, *, by: str) -> pd.DataFrame:
    """The scores in the folder `inputs` with their intervals, `by` statistic or language; see `inference.estimates`."""
    make = {"statistic": estimates.by_statistic, "language": estimates.by_language}[by]
    return make(outline, protocol, inputs, published)


def body(frame: pd.DataFrame, outline: Outline, protocol: str, *, by: str) -> tuple[list[Block], list[str]]:
    """Blocks and notes of Table 1 (`by` statistic) or Table 4 (`by` language)."""
    row_of = {(r["recipe"], r["task"], r["model"], r[by]): r for r in frame.to_dict("records")}

    def cell(recipe: str, task: str, model: str, name: str) -> Cell:
        key = (NO_RECIPE if model == MAJORITY else recipe, task, model, name)
        return _score_cell(row_of.get(key), len(outline.seeds))

    statistics = [name for name in STATISTICS if by == "statistic" and name in set(frame["statistic"])]
    blocks = []
    for recipe in outline.recipes:
        several = len(outline.recipes) > 1
        if by == "statistic":
            title = f"Recipe {recipe}" if several else ""
            blocks.append(_block_of_tasks(outline, recipe, statistics, cell, title))
        else:
            blocks += [_block_of_languages(outline, recipe, task, cell, several) for task in outline.tasks]
    return blocks, _notes(frame, outline, protocol)


def _columns(outline: Outline) -> list[tuple[str, str]]:
    """(key, label) of the models, then of the baseline."""
    return [*((model.key, model.label) for model in outline.models), (MAJORITY, MAJORITY)]


def _block_of_tasks(outline: Outline, recipe: str, statistics: list[str], cell, title: str) -> Block:
    """Tasks down, the statistics of each one below the other; models across."""
    several = len(statistics) > 1
    rows = []
    for task in outline.tasks:
        for name in statistics:
            names = [Cell(task.label if name == statistics[0] else ""), *[Cell(STATISTIC_LABELS[name])] * several]
            rows.append([*names, *(cell(recipe, task.name, model, name) for model, _ in _columns(outline))])
    counts = {kind: sum(model.kind == kind for model in outline.models) for kind in KIND_HEADINGS}
    kinds = [(KIND_HEADINGS[kind], size) for kind, size in counts.items() if size]
    stub = 2 if several else 1
    return Block(
        header=["task", *["score"] * several, *(label for _, label in _columns(outline))],
        rows=rows,
        title=title,
        groups=[("", stub), *kinds, ("baseline", 1)],
        rules=frozenset(range(len(statistics) - 1, len(rows), len(statistics))) if several else frozenset(),
        stub=stub,
    )


def _block_of_languages(outline: Outline, recipe: str, task, cell, several_recipes: bool) -> Block:
    """Models down; the languages of one task, then their mean across."""
    names = [*task.languages, ALL_LANGUAGES]
    rows = [
        [Cell(label), *(cell(recipe, task.name, model, name) for name in names)] for model, label in _columns(outline)
    ]
    kinds = [model.kind for model in outline.models] + ["baseline"]
    return Block(
        header=["model", *task.languages, "mean"],
        rows=rows,
        title=f"{task.label}, recipe {recipe}" if several_recipes else task.label,
        rules=frozenset(i for i in range(len(kinds) - 1) if kinds[i] != kinds[i + 1]),
    )


def _has_published(row) -> bool:
    return row is not None and "published" in row and not math.isnan(row["published"])


def _score_cell(row, full_seeds: int) -> Cell:
    if row is None or math.isnan(row["ours"]):
        return Cell(GAP, (f"publ. {number(row['published'], 1)}",) if _has_published(row) else ())
    details: tuple[str, ...] = () if math.isnan(row["low"]) else (interval_text(row["low"], row["high"]),)
    if _has_published(row):
        details += (f"publ. {number(row['published'], 1)} ({signed(row['difference'])})",)
    lacks_seeds = row["model"] != MAJORITY and row["seeds"] < full_seeds
    marks = ("" if row["language_known"] else "†") + ("‡" if lacks_seeds else "")
    return Cell(number(row["ours"]), details, marks)


def _notes(frame: pd.DataFrame, outline: Outline, protocol: str) -> list[str]:
    """What a reader must know about the numbers, in the order in which the questions arise."""
    notes = [_note_on_metrics(frame, outline, protocol), *_notes_on_means(frame, outline, protocol)]
    notes.append(_note_on_intervals(len(outline.seeds)))
    if (frame["model"] == MAJORITY).any():
        source = language_name(outline.source_language)
        notes.append(f"Majority: the class most frequent in the {source} training set, for every example or word.")
    if not frame["language_known"].all():
        notes.append(
            "† The model does not know this language (or one of those averaged): never seen, or no code for it."
        )
    if "published" in frame:
        notes.append(_note_on_published(frame))
    runs = frame[frame["model"] != MAJORITY].groupby(["recipe", "model", "task"])["seeds"].max()
    seeds = len(outline.seeds)
    missing = int((seeds - runs).sum())
    if missing:
        notes.append(
            f"{GAP} not there yet; ‡ fewer than {seeds} seeds (with one, the interval holds test examples only). "
            f"{missing} of {len(runs) * seeds} runs are missing."
        )
    return notes


def _note_on_metrics(frame: pd.DataFrame, outline: Outline, protocol: str) -> str:
    info, labels = frame.drop_duplicates("task").set_index("task"), outline.task_labels
    metrics = [(labels[task], METRIC_LABELS[info.loc[task, "metric"]], info.loc[task, "split"])
               for task in info.index if task in labels]  # fmt: skip
    text = "; ".join(f"{label}: {metric}, {split}" for label, metric, split in metrics)
    seeds = len(outline.seeds)
    of_seeds = f"Mean of {seeds} fine-tuning seeds." if seeds > 1 else "One fine-tuning seed."
    return f"In percent; metric and split: {text}. Protocol: {protocol}. {of_seeds}"


def _notes_on_means(frame: pd.DataFrame, outline: Outline, protocol: str) -> list[str]:
    """Which languages a mean counts, if the table has only means or several statistics."""
    settings, source = outline.protocol(protocol), language_name(outline.source_language)
    if settings.statistics == ("average",):
        text = f"The mean counts every language, {source} included"
        for task in outline.tasks:
            if left_out := settings.mean_without.get(task.name):
                text += f"; {task.label} without {join(map(language_name, left_out))}, as published"
        return [text + "."]
    if "statistic" in frame and len(set(frame["statistic"])) > 1:
        return [f"Mean: every language, {source} included; zero-shot: every other language; gap: {source} − zero-shot."]
    return []


def _note_on_intervals(seeds: int) -> str:
    if seeds > 1:
        text = (
            f"Brackets: 95 % interval from {DRAWS} draws of seeds and test examples (one sample of seeds for all "
            "languages, deviations from the seeds' mean inflated by √(S/(S−1)))."
        )
        if seeds < ENOUGH_SEEDS:
            text += f" With {seeds} seeds the spread between seeds is only roughly known."
    else:
        text = f"Brackets: 95 % interval from {DRAWS} draws of test examples only; one seed tells nothing about seeds."
    return text + " Another pretraining of the same model is not in the interval."


def _note_on_published(frame: pd.DataFrame) -> str:
    inside = within_new_run(frame).dropna()
    text = "Publ.: the published value (and ours minus it); it follows the paper's protocol."
    if len(inside):
        agree = int(inside.sum())
        text += f" {agree} of {len(inside)} lie inside the 95 % prediction interval of one new run (in the CSV)."
    return text
