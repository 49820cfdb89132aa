"""What the models learnt: loss curves, and words without a prediction."""

from pathlib import Path

import numpy as np

from mtbridge.base.files import read_parquet
from mtbridge.presentation.layout import GAP, Block, Cell, Layout
from mtbridge.presentation.words import join
from mtbridge.study.outline import Outline
from mtbridge.tasks.metrics import METRICS


def curves(outline: Outline, pretraining: dict, runs: dict) -> list[tuple[dict, str]]:
    """(panels as `charts.curves.losses` takes them, title): pretraining loss, one panel per model; fine-tuning loss of
    each model's first seed, one panel per task and recipe."""
    before = {
        model.label: {"": record["loss"]}
        for model in outline.models
        if (record := pretraining.get(model.key, {})).get("loss")
    }
    after = {}
    for recipe in outline.recipes:
        for task in outline.tasks:
            lines = {}
            for model in outline.models:
                curves = [
                    runs[key]["loss"]
                    for seed in outline.seeds
                    if (key := (recipe, model.key, task.name, seed)) in runs and runs[key].get("loss")
                ]
                if curves:
                    lines[outline.short(model.key)] = curves[0]
            if lines:
                after[task.label + (f", {recipe}" if len(outline.recipes) > 1 else "")] = lines
    found = [(before, "How did pretraining go?"), (after, "How did fine-tuning go (first seed)?")]
    return [(panels, title) for panels, title in found if panels]


def not_learnt(outline: Outline, runs: dict) -> Layout | None:
    """The runs whose record warns that nothing was learnt (`training.learning`); None if no run does."""
    found: dict[tuple, list[int]] = {}  # (recipe, model, task, warnings) -> seeds
    for (recipe, model, task, seed), run in runs.items():
        # Records of earlier versions have no warnings.
        if warnings := tuple(run.get("warnings") or ()):
            found.setdefault((recipe, model, task, warnings), []).append(seed)
    if not found:
        return None
    several, labels = len(outline.recipes) > 1, outline.task_labels
    rows = [
        [
            *([Cell(recipe)] if several else []),
            *(Cell(text) for text in (outline.label(model), labels.get(task, task), join(map(str, seeds)))),
            Cell(f"{'; '.join(warnings)}."),
        ]
        for (recipe, model, task, warnings), seeds in found.items()
    ]
    header = [*(["recipe"] if several else []), "model", "task", "seed", "what its record says"]
    number_of_runs = sum(len(seeds) for seeds in found.values())
    caption = f"{number_of_runs} of {len(runs)} runs show signs of having learnt nothing."
    notes = ["Their scores are those of a constant answer, or nearly so, and say nothing about transfer."]
    return Layout("Not learnt", caption, [Block(header, rows, stub=len(header))], notes)


def cut(results: Path, outline: Outline) -> Layout | None:
    """Words of the test sets without a prediction, by model and tagging task: all languages, mean over seeds."""
    tagging = [task for task in outline.tasks if METRICS[task.metric][0].unit == "sentence"]
    rows, any_scores = [], False
    for recipe in outline.recipes:
        for model in outline.models:
            cells = [Cell(model.label + (f" ({recipe})" if len(outline.recipes) > 1 else ""))]
            for task in tagging:
                counts = []
                for seed in outline.seeds:
                    path = results / "scores" / recipe / model.key / task.name / f"seed{seed}.parquet"
                    if path.exists():
                        frame = read_parquet(path, ["language", "split", "cut"])
                        # The file has one row for each metric, all with the same number of words.
                        frame = frame[frame["split"] == "test"].drop_duplicates("language")
                        counts.append(int(frame["cut"].sum()))
                any_scores = any_scores or bool(counts)
                cells.append(Cell(f"{np.mean(counts):,.0f}" if counts else GAP))
            rows.append(cells)
    if not any_scores:
        return None
    notes = [
        "Words beyond the length limit or without a sub-word: wrong in token accuracy, O in entity F1 and "
        "in XGLUE's POS number."
    ]
    header = ["model", *(task.label for task in tagging)]
    return Layout("Words cut off", "Words of the test sets without a prediction.", [Block(header, rows)], notes)
