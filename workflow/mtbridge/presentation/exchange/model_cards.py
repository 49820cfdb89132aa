"""Scores as a model card of the Hub: metadata (`model-index`) that the Hub reads, and a table that people read.

A card shows one protocol. Its metadata have no place for an interval, so the table below them has those, and scores
that say nothing of the model (a constant answer) stand in the table alone. Scores are from 0 to 1 in the metadata, as
metrics of the Hub are, and in percent in the table, as everywhere else in this project.
"""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.presentation.exchange.results import Source, card, interval_holds, source
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.layout import Block, Cell, Layout, interval_text, number
from mtbridge.presentation.markdown import escape_markdown, to_markdown
from mtbridge.presentation.tables.scores import body
from mtbridge.presentation.words import OUTPUT_MEASURES, join, language_name
from mtbridge.study.outline import FLOOR, Model, Outline, OutlineTask
from mtbridge.tasks.metrics import METRIC_LABELS

# Key of `tasks.metrics.METRICS` -> the Hub's name of such a task; others write texts.
TASK_TYPES = {
    "accuracy": "text-classification",
    "entity_f1": "token-classification",
    "tagging_accuracy": "token-classification",
    "ndcg": "text-ranking",
    "pearson": "sentence-similarity",
    "answer_f1": "question-answering",
}
WRITES = "text-generation"
# Ours -> the Hub's names of the same metrics; others keep their names.
METRIC_TYPES = {"entity_f1": "f1", "token_accuracy": "accuracy", "pearson": "pearsonr", "spearman": "spearmanr"}
DIGITS = 6


def model_card(frame: pd.DataFrame, outline: Outline, folder: str | Path, model: Model, table=None) -> str:
    """The card of a model as text: YAML metadata, then Markdown.

    frame: of `results.results`, of one protocol; folder: the study's results; table: the CSV of that protocol's Table
    4, None in a study without labels.
    """
    from huggingface_hub import ModelCard, ModelCardData

    own = frame[frame["model"] == model.key]
    of_model = card(folder, model.key) if len(own) else {}
    languages = sorted(set(own["language"]) - {ALL_LANGUAGES})
    data = ModelCardData(
        model_name=model.label,
        base_model=of_model.get("repo"),
        language=languages or None,
        library_name="transformers",
        tags=["cross-lingual-transfer", "mtbridge"],
        eval_results=_eval_results(own, outline, folder) or None,
    )
    if data.eval_results is None:
        data.pop("model_name")  # it belongs to the results alone, and is no key of a card
    parts = [f"# {escape_markdown(model.label)}", _about(outline, own), *_tables(own, outline, model, table)]
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(part.strip() for part in parts) + "\n"))


def _eval_results(own: pd.DataFrame, outline: Outline, folder: str | Path) -> list:
    tasks = {task.name: task for task in (*outline.tasks, *outline.writing)}
    sources = {name: source(folder, task) for name, task in tasks.items()}
    several = own["recipe"].nunique() > 1
    counted = own[(own["language"] != ALL_LANGUAGES) & own["low"].notna()]
    return [_eval_result(row, tasks[row["task"]], sources[row["task"]], several) for row in counted.to_dict("records")]


def _eval_result(row: dict, task: OutlineTask, of_task: Source, several: bool):
    """The Hub's form of a score; several: whether the card has several recipes, so that names tell them apart."""
    from huggingface_hub import EvalResult

    repository = next(iter(of_task.repositories)) if len(of_task.repositories) == 1 else None
    label = METRIC_LABELS.get(row["metric"]) or OUTPUT_MEASURES.get(row["metric"], row["metric"])
    return EvalResult(
        task_type=TASK_TYPES.get(task.metric, WRITES),
        task_name=task.label,
        dataset_type=repository or task.name,
        dataset_name=f"{task.label} ({row['language']})",
        dataset_config=row["language"],
        dataset_split=row["split"],
        dataset_revision=of_task.repositories[repository] if repository else None,
        metric_type=METRIC_TYPES.get(row["metric"], row["metric"]),
        metric_value=round(row["score"] / 100, DIGITS),
        metric_name=f"{label}, recipe {row['recipe']}" if several else label,
    )


def _about(outline: Outline, own: pd.DataFrame) -> str:
    if own.empty:
        return f"No run of this model has scores in the study {outline.name}."
    counts = [("pretraining", own["pretrainings"].max()), ("fine-tuning seed", own["seeds"].max())]
    means = join(f"{int(size)} {what}{'s' if size > 1 else ''}" for what, size in counts)
    holds = join(dict.fromkeys(interval_holds(row) for row in own[own["low"].notna()].to_dict("records")))
    text = f"Scores of the study {outline.name}: fine-tuned on {language_name(outline.source_language)}, scored in "
    text += f"every language. Means of {means}. "
    return text + (f"95 % intervals hold {holds}." if holds else "There are no intervals.")


def _tables(own: pd.DataFrame, outline: Outline, model: Model, table) -> list[str]:
    parts = []
    if len(labels := own[own["protocol"] != ""]) and table is not None:
        parts.append(to_markdown(_scores(labels["protocol"].iloc[0], outline, model, table)))
    texts = own[own["task"].isin([task.name for task in outline.writing])]
    if len(texts):
        tasks = [task for task in outline.writing if (texts["task"] == task.name).any()]
        blocks = [_texts(texts[texts["task"] == task.name], task) for task in tasks]
        caption = "What the model writes, at the learning rate that is best on English dev; in percent."
        parts.append(to_markdown(Layout("Texts", caption, blocks, [])))
    return parts


def _scores(protocol: str, outline: Outline, model: Model, table) -> Layout:
    """The model's lines of Table 4, as one line for each task, with the notes of that table."""
    frame = read_csv(table)
    alone = replace(outline, models=(model,))
    # A block for each recipe and task, whose lines are the model and the floor.
    found, notes = body(frame[frame["model"].isin([model.key, FLOOR])], alone, protocol, by="language")
    languages = sorted({language for task in outline.tasks for language in task.languages})
    languages.sort(key=lambda language: language != outline.source_language)
    lines: dict[str, list[list[Cell]]] = {}
    for (recipe, task), block in zip(itertools.product(outline.recipes, outline.tasks), found, strict=True):
        of_model, floor = (dict(zip(block.header[1:], row[1:], strict=True)) for row in block.rows)
        cells = [of_model.get(language, Cell("")) for language in languages]
        lines.setdefault(recipe, []).append([Cell(task.label), *cells, of_model["mean"], floor["mean"]])
    header = ["task", *languages, "mean", "floor"]
    blocks = [Block(header, rows, title=f"Recipe {recipe}" if len(lines) > 1 else "") for recipe, rows in lines.items()]
    return Layout("Scores", "Score by task and language.", blocks, notes)


def _texts(own: pd.DataFrame, task: OutlineTask) -> Block:
    """What the model writes for a task: ways of adapting and measures down, languages across."""
    rows = []
    for (recipe, metric), part in own.groupby(["recipe", "metric"], sort=False):
        row_of = {row["language"]: row for row in part.to_dict("records")}
        cells = [_cell(row_of.get(language)) for language in task.languages]
        rows.append([Cell(recipe), Cell(OUTPUT_MEASURES.get(metric, metric)), *cells])
    return Block(["way and rate", "measure", *task.languages], rows, title=task.label, stub=2)


def _cell(row: dict | None) -> Cell:
    if row is None:
        return Cell(number(None))
    return Cell(number(row["score"]), () if math.isnan(row["low"]) else (interval_text(row["low"], row["high"]),))
