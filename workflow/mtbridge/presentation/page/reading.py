"""What the numbers say, as sentences. `inference.findings` decides what may be claimed; this module words it."""

import math

import pandas as pd

from mtbridge.inference import findings
from mtbridge.inference.contrasts import HIGHER, LOWER, UNCLEAR
from mtbridge.presentation.layout import interval_text, number, percent, signed
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline

ONE_SEED = "With one fine-tuning seed per model nothing is claimed: the intervals hold test examples alone."


def reading(
    outline: Outline, frames: dict[str, pd.DataFrame], changes: pd.DataFrame, translation: pd.DataFrame, runs
) -> list[str]:
    """The sentences of the page's first section.

    frames: name in the catalog -> frame, for tables and figures that are there, and `languages_alike` -> frame of
    `inference.similarity`, if it is there; changes: see `inference.contrasts`;
    translation: see `training.read_translation`; runs: (number of runs that are there, number expected).
    """
    sentences = []
    done, expected = runs
    if done < expected:
        sentences.append(f"This page is not complete: {done} of {expected} fine-tuning runs are there.")
    sentences.append(
        ("There is one" if len(outline.keys) == len(outline.models) else "The tables and figures show the first")
        + " pretraining per model. The intervals hold chance in fine-tuning seeds and test examples, not in "
        "pretraining: they tell these checkpoints apart and are no evidence about the objectives as such."
    )
    if "table1" in frames:
        sentences += _against_floor(outline, frames["table1"])
    sentences += _continued(outline, changes)
    if "figure1" in frames:
        sentences += _models_alike(outline, frames["figure1"])
    if "languages_alike" in frames:
        sentences += _languages_alike(outline, frames["languages_alike"])
    if "weights" in frames:
        sentences += _weights_moved(outline, frames["weights"])
    if len(translation):
        sentences.append(_translation(outline, translation))
    return sentences


def _against_floor(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Trained models, and the untrained encoder, against the floor."""
    statistic, scores = findings.above_floor(outline, frame)
    name = language_name(outline.source_language) if statistic == "english" else "the mean over languages"
    sentences = []
    for recipe in outline.recipes:
        where = f"With recipe {recipe}, on" if len(outline.recipes) > 1 else "On"
        rows = scores[scores["recipe"] == recipe]
        if (rows["verdict"] == "").all():
            continue
        trained, untrained = rows[~rows["untrained"]], rows[rows["untrained"]]
        if len(trained):
            above = (trained["verdict"] == "above").sum()
            text = f"{where} {name}, {above} of {len(trained)} trained scores (model × task) lie above the floor, the "
            text += "best constant answer on the same examples"
            unclear = trained[(trained["verdict"] != "above") & ~trained["constant"]]
            text += _by_model(outline, unclear, "; not: ")
            text += _by_model(outline, trained[trained["constant"]], "; one answer to everything: ")
            sentences.append(text + ".")
        if len(untrained):
            sentences.append(
                f"The untrained encoder, fine-tuned alike, lies above it on {(untrained['verdict'] == 'above').sum()} "
                f"of {len(untrained)} tasks: what fine-tuning alone can learn."
            )
    if len(scores) and (scores["verdict"] == "").all():
        sentences.append(ONE_SEED)
    return sentences


def _by_model(outline: Outline, rows: pd.DataFrame, before: str) -> str:
    """Models with their tasks as text, after `before`; nothing for no rows."""
    if not len(rows):
        return ""
    labels = outline.task_labels
    tasks_of = rows.groupby("model", sort=False)["task"].apply(lambda tasks: ", ".join(labels[task] for task in tasks))
    return before + "; ".join(f"{outline.short(model)} on {tasks}" for model, tasks in tasks_of.items())


def _change(outline: Outline, name: str, row, words=("rose", "fell")) -> str:
    """A change with its interval and the tasks left out; the verb says its direction only if there is a verdict."""
    word = {HIGHER: f" {words[0]}", LOWER: f" {words[1]}", UNCLEAR: " no clear change,"}.get(row["verdict"], "")
    labels = outline.task_labels
    without = join(labels.get(task, task) for task in row["left_out"].split(", ")) if row["left_out"] else ""
    text = f"{name}{word} {signed(row['change'])} {interval_text(row['low'], row['high'])}"
    return text + (f" (without {without})" if without else "")


def _continued(outline: Outline, changes: pd.DataFrame) -> list[str]:
    """Each continued model against its base and the controls: means over tasks, then on how many tasks it is clear."""
    sentences, models_that_fell = [], []
    source = language_name(outline.source_language)
    contrasts = findings.contrasts(changes)
    for contrast in contrasts:
        several = len(outline.recipes) > 1
        name = outline.short(contrast.model) + (f" (recipe {contrast.recipe})" if several else "")
        parts = []
        if contrast.is_complete:
            parts.append(_change(outline, source, contrast.means.loc["english"]))
            parts.append(_change(outline, "zero-shot", contrast.means.loc["zero_shot"]))
            parts.append(_change(outline, "gap", contrast.means.loc["gap"], ("widened", "narrowed")))
        if contrast.source_fell_too(outline):
            models_that_fell.append(name)
        if contrast.tasks:
            parts.append(
                f"zero-shot clearly higher on {contrast.higher}, clearly lower on {contrast.lower} of {contrast.tasks} "
                "tasks"
            )
        if parts:
            against = outline.short(contrast.against)
            sentences.append(f"{name} against {against}, in points over all tasks: {'; '.join(parts)}.")
    if models_that_fell:
        sentences.append(f"{source} fell too for {join(models_that_fell)}: what was lost is not transfer alone.")
    comparisons = sum(contrast.tasks for contrast in contrasts)
    if comparisons:
        expected = number(findings.expected_by_chance(comparisons), 0)
        sentences.append(
            f"Of these {comparisons} comparisons on a task, about {expected} would look clear by chance if nothing "
            "differed."
        )
    return sentences


def _models_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Figure 1, last layer: how similar the continued models still are to their base."""
    sentences = []
    for base, part in findings.last_layer_alike(outline, frame).groupby("base", sort=False):
        models = [f"{outline.short(row.model)} {number(row.value, 2)}" for row in part.itertuples()]
        sentences.append(f"In the last layer, mean CKA over languages with {outline.short(base)}: {join(models)}.")
    return sentences


def _languages_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """CKA between languages: continued models against their bases, beside the untrained encoder."""
    models = [
        f"{outline.short(row.model)} {number(row.value, 2)} against {number(row.value_base, 2)} in "
        f"{outline.short(row.base)}, {signed(row.difference, 3)} {interval_text(row.low, row.high, 3)}"
        for row in frame.itertuples()
    ]
    if not models:
        return []
    text = f"CKA of two languages, mean over layers and pairs: {'; '.join(models)}. "
    floor = frame["floor"].iloc[0]
    if not math.isnan(floor):
        text += f"The untrained encoder has {number(floor, 2)}, which is the floor. "
    return [text + "These intervals hold the choice of texts; another pretraining of one model may move it further."]


def _weights_moved(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """How far continued models' weights are from their base's, and how much of that turned."""
    models = [
        f"{outline.short(row.model)} by {percent(row.relative_distance)} (singular values alone "
        f"{percent(row.relative_d)}; new vectors are {percent(row.turned_share)} of the squared distance)"
        for row in findings.weights_moved(outline, frame).itertuples()
    ]
    return (
        [f"Weights moved, in the median matrix and in parts of the base's norm: {'; '.join(models)}."] if models else []
    )


def _translation(outline: Outline, translation: pd.DataFrame) -> str:
    means, copied = findings.translation_quality(translation)
    models = [model.key for model in outline.models if model.key in means.index]
    text = "Translation, mean chrF over the directions learnt: "
    text += join(f"{outline.short(model)} {number(means[model])}" for model in models)
    return text + ("." if math.isnan(copied) else f"; copying the source scores {number(copied)}.")
