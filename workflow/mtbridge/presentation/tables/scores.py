"""Table 1 (tasks down, models across) and Table 4 (per task: models down, languages across)."""

import itertools
import math
from dataclasses import replace

import pandas as pd

from mtbridge.inference import estimates
from mtbridge.inference.intervals import ALL
from mtbridge.inference.published_values import half_widths, within_new_run
from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number, signed
from mtbridge.presentation.words import DEGENERATE, EXAMPLES_ONLY, KIND_HEADINGS, STATISTIC_LABELS, join, language_name
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import FLOOR, NO_RECIPE, Outline
from mtbridge.tasks.metrics import METRIC_LABELS

SEEN_DATA = "§"  # the mark of a score on data that a model was trained on


def frame(outline: Outline, protocol: str, inputs, published=None, *, by: str) -> pd.DataFrame:
    """The scores in the folder `inputs` with their intervals, `by` statistic or language; see `inference.estimates`."""
    make = {"statistic": estimates.by_statistic, "language": estimates.by_language}[by]
    return make(outline, protocol, inputs, published)


def body(frame: pd.DataFrame, outline: Outline, protocol: str, *, by: str) -> tuple[list[Block], list[str]]:
    """Blocks and notes of Table 1 (`by` statistic) or Table 4 (`by` language)."""
    row_of = {(r["recipe"], r["task"], r["model"], r[by]): r for r in frame.to_dict("records")}

    holds_seeds = bool((frame["df"] > 0).any())
    seen_by = {model.key: model.tasks_seen for model in outline.models}

    def cell(recipe: str, task: str, model: str, name: str) -> Cell:
        key = (NO_RECIPE if model == FLOOR else recipe, task, model, name)
        found = _score_cell(row_of.get(key), _planned(outline, model), holds_seeds)
        return replace(found, marks=found.marks + SEEN_DATA) if task in seen_by.get(model, ()) else found

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
    return [*((model.key, model.label) for model in outline.models), (FLOOR, FLOOR)]


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


def _planned(outline: Outline, model: str) -> int:
    """How many runs of a task a model has in the plan: of every pretraining all seeds."""
    pretrainings = len(outline.replicates(model)) if model in outline.keys else 1
    return pretrainings * len(outline.seeds)


def _score_cell(row, planned: int, holds_seeds: bool) -> Cell:
    """planned: runs; holds_seeds: whether the table's intervals hold units, so that one that does not is marked."""
    if row is None:
        return Cell(GAP)
    reasons, left_out = row["degenerate"], row["left_out"]
    mark = "°" if reasons else ""
    if math.isnan(row["ours"]):
        details = [reasons] if reasons else []
        if _has_published(row):
            details.append(f"publ. {number(row['published'], 1)}")
        return Cell(GAP, tuple(details), mark)
    # A degenerate score has its reason in the place of the interval.
    details = [reasons] if math.isnan(row["low"]) and reasons else []
    if not math.isnan(row["low"]):
        details.append(interval_text(row["low"], row["high"]))
        if holds_seeds and row["df"] == 0 and row["model"] != FLOOR:
            details.append(EXAMPLES_ONLY)
    if left_out not in ("", ALL):
        details.append(f"without {left_out}")
    if _has_published(row):
        details.append(f"publ. {number(row['published'], 1)} ({signed(row['difference'])})")
    lacks_runs = row["model"] != FLOOR and row["runs"] < planned
    marks = ("" if row["language_known"] else "†") + ("‡" if lacks_runs else "") + mark
    return Cell(number(row["ours"]), tuple(details), marks)


def _notes(frame: pd.DataFrame, outline: Outline, protocol: str) -> list[str]:
    """What a reader must know about the numbers, in the order in which the questions arise."""
    notes = [_note_on_metrics(frame, outline, protocol), *_notes_on_means(frame, outline, protocol)]
    notes.append(_note_on_intervals(frame, outline))
    notes += note_on_degenerate(frame, outline.protocol(protocol).degenerate == "leave out")
    if (frame["model"] == FLOOR).any():
        notes.append(
            "Floor: the best score without a model, by language, of one answer to all examples (words) or one rule."
        )
    if not frame["language_known"].all():
        notes.append(
            "† The model does not know this language (or one of those averaged): never seen, or no code for it."
        )
    notes += note_on_seen_data(outline)
    if "published" in frame:
        notes.append(_note_on_published(frame))
    runs = frame[frame["model"] != FLOOR].groupby(["recipe", "model", "task"])["runs"].max()
    planned = [_planned(outline, model) for model in runs.index.get_level_values("model")]
    missing = sum(planned) - int(runs.sum())
    if missing:
        what = "pretrainings or seeds" if len(outline.keys) > len(outline.models) else "seeds"
        notes.append(f"{GAP} not there yet; ‡ fewer {what} than planned. {missing} of {sum(planned)} runs are missing.")
    return notes


def _note_on_metrics(frame: pd.DataFrame, outline: Outline, protocol: str) -> str:
    info, labels = frame.drop_duplicates("task").set_index("task"), outline.task_labels
    metrics = [(labels[task], METRIC_LABELS[info.loc[task, "metric"]], info.loc[task, "split"])
               for task in info.index if task in labels]  # fmt: skip
    text = "; ".join(f"{label}: {metric}, {split}" for label, metric, split in metrics)
    seeds = len(outline.seeds)
    of_seeds = f"Mean of {seeds} fine-tuning seeds" if seeds > 1 else "One fine-tuning seed"
    most = max((len(outline.replicates(model.key)) for model in outline.models), default=1)
    of_seeds += (
        f"; of models that are pretrained several times, mean of up to {most} pretrainings." if most > 1 else "."
    )
    return f"In percent; metric and split: {text}. Protocol: {protocol}. {of_seeds}{_note_on_dev(info, outline)}"


def _note_on_dev(info: pd.DataFrame, outline: Outline) -> str:
    """Scores on dev are too high where dev also chose the epoch. info: task -> split."""
    origins = {model.origin for model in outline.models}
    ways = list(itertools.product(outline.recipes, origins))
    on_dev = [
        outline.task_labels[task]
        for task in info.index[info["split"] == "dev"]
        if task in outline.task_labels
        and any(outline.recipe(*way, task).get("selection", "en_dev") != "last" for way in ways)
    ]
    if not on_dev:
        return ""
    source = language_name(outline.source_language)
    return f" {join(on_dev)}: the epoch was chosen on dev too, which makes {source} scores a little too high."


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


def _note_on_intervals(frame: pd.DataFrame, outline: Outline) -> str:
    if len(outline.keys) > len(outline.models):
        return (
            "Brackets: 95 % interval, mean ± t · √(s²/P + V). s²: variance between the P pretrainings of a model, "
            "pooled over models (with one pretraining: between fine-tuning seeds, if there are several); V: variance "
            "over resamples of the examples, which are the same in all languages where rows are translations."
        )
    if (frame["df"] > 0).any():
        text = (
            "Brackets: 95 % interval of seeds and test examples, mean ± t · √(s²/S + V). s²: variance between the S "
            "seeds, pooled over the models of a task; V: variance over resamples of the examples, which are the same "
            "in all languages where rows are translations."
        )
    else:
        text = "Brackets: 95 % interval of test examples only. One seed tells nothing about seeds: nothing is claimed."
    return text + " Another pretraining of the same model is not in the interval."


def note_on_degenerate(frame: pd.DataFrame, leaves_out: bool) -> list[str]:
    """What the mark ° means, for the reasons that the frame's column `degenerate` has; no note without any."""
    reasons = [why for why in DEGENERATE if frame["degenerate"].str.contains(why, regex=False).any()]
    if not reasons:
        return []
    text = "left out of means, differences and verdicts" if leaves_out else "counted in means, as published means do"
    explained = "; ".join(f"{why}: {DEGENERATE[why]}" for why in reasons)
    return [f"° A score that says nothing of the model, {text}. {explained[0].upper()}{explained[1:]}."]


def note_on_seen_data(outline: Outline) -> list[str]:
    """What the mark of seen data means, and of which models and tasks; no note without any."""
    parts = [
        f"{model.label} on {join(outline.task_labels.get(task, task) for task in model.tasks_seen)}"
        for model in outline.models
        if model.tasks_seen
    ]
    if not parts:
        return []
    return [
        f"{SEEN_DATA} The model was trained on data of this task before ({'; '.join(parts)}), so the score is no "
        "measure of transfer. Of models without a mark it is only not known."
    ]


def _note_on_published(frame: pd.DataFrame) -> str:
    inside = within_new_run(frame).dropna()
    text = "Publ.: the published value (and ours minus it); it follows the paper's protocol."
    if len(inside):
        agree, width = int(inside.sum()), half_widths(frame)[inside.index].median()
        text += f" {agree} of {len(inside)} lie inside the 95 % prediction interval of one new run (in the CSV), whose "
        text += f"median half-width is {number(width)} points."
    return text
