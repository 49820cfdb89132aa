"""What the numbers say, as sentences. `inference.findings` decides what may be claimed; this module words it."""

import math

import pandas as pd

from mtbridge.inference import findings
from mtbridge.presentation.layout import interval_text, number, percent, signed
from mtbridge.presentation.page.sentence import Sentence
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline

ONE_SEED = "With one fine-tuning seed per model nothing is claimed: the intervals hold test examples alone."


def reading(outline: Outline, frames: dict[str, pd.DataFrame], runs) -> list[Sentence]:
    """The sentences on floor, similarity, weights and translation; contrasts are in `answers`.

    frames: name in the catalog -> frame, for tables and figures that are there, and `languages_alike` -> frame of
    `inference.similarity`, if it is there; runs: (number of runs that are there, number expected).
    """
    sentences = []
    done, expected = runs
    if done < expected:
        text = f"This page is not complete: {done} of {expected} fine-tuning runs are there."
        sentences.append(Sentence(text, "runs"))
    if len(outline.keys) > len(outline.models):
        text = "Figures 1 and 2, weights, curves and learning rates show each model's first pretraining."
        sentences.append(Sentence(text, "models"))
    makers = {"table1": _against_floor, "figure1": _models_alike, "languages_alike": _languages_alike}
    for name, make in (makers | {"weights": _weights_moved}).items():
        if name in frames:
            link = "figure2" if name == "languages_alike" else name
            sentences += [Sentence(text, link) for text in make(outline, frames[name])]
    if "translation" in frames and len(frames["translation"]):
        sentences.append(Sentence(_translation(outline, frames["translation"]), "translation"))
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
        silent = rows[(rows["verdict"] == "") & ~rows["constant"]]
        rows = rows.drop(index=silent.index)
        trained, untrained = rows[~rows["untrained"]], rows[rows["untrained"]]
        if len(trained):
            above = (trained["verdict"] == "above").sum()
            text = f"{where} {name}, {above} of {len(trained)} trained scores (model × task) lie above the floor, the "
            text += "best constant answer on the same examples"
            unclear = trained[(trained["verdict"] != "above") & ~trained["constant"]]
            text += _by_model(outline, unclear, "; not: ")
            text += _by_model(outline, trained[trained["constant"]], "; one answer to everything: ")
            text += _by_model(outline, silent[~silent["untrained"]], "; no verdict from one run: ")
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
    """Models with their tasks as text, after `before`; nothing for no rows. Those with the same tasks stand once."""
    if not len(rows):
        return ""
    models_on: dict[tuple[str, ...], list[str]] = {}
    for model, tasks in rows.groupby("model", sort=False)["task"]:
        models_on.setdefault(tuple(tasks), []).append(outline.short(str(model)))
    texts = []
    for names, models in models_on.items():
        is_all = len(names) == len(outline.tasks) > 1
        where = "every task" if is_all else ", ".join(outline.task_labels[name] for name in names)
        texts.append(f"{join(models)} on {where}")
    return before + "; ".join(texts)


def _models_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Figure 1, last layer: how similar the models that continue a base still are to it, beside the untrained."""
    sentences = []
    for base, part in findings.last_layer_alike(outline, frame).groupby("base", sort=False):
        known = [(outline.model(row.model), row.value) for row in part.itertuples()]
        models = [f"{outline.short(m.key)} {number(value, 2)}" for m, value in known if m.base == base and not m.other]
        untrained = [value for m, value in known if m.is_untrained]
        if models:
            text = (
                f"How alike the last layer's states still are to those of {outline.short(base)}, as CKA (1: equal up "
                f"to rotation and scale), mean over languages: {join(models)}"
            )
            floor = f"; an untrained encoder has {number(untrained[0], 2)}" if untrained else ""
            sentences.append(f"{text}{floor}.")
    return sentences


def _languages_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """CKA between languages: continued models against their bases, beside the untrained encoder."""
    if frame.empty:
        return []
    groups = {
        "higher than in the base": frame["low"] > 0,
        "lower": frame["high"] < 0,
        "not told apart": ~((frame["low"] > 0) | (frame["high"] < 0)),
    }
    texts = []
    for what, rows in groups.items():
        models = [
            f"{outline.short(row.model)} ({signed(row.difference, 3)} {interval_text(row.low, row.high, 3)})"
            for row in frame[rows].itertuples()
        ]
        texts += [f"{what} in {join(models)}"] if models else []
    values = ", ".join(
        f"{outline.short(base)} {number(part['value_base'].iloc[0], 2)}"
        for base, part in frame.groupby("base", sort=False)
    )
    text = (
        "How alike two languages are inside a model, as CKA (mean over layers and pairs, difference "
        f"from the base): {'; '.join(texts)}. Bases: {values}"
    )
    floor = frame["floor"].iloc[0]
    text += "." if math.isnan(floor) else f"; the untrained encoder, which is the floor: {number(floor, 2)}."
    most = int(frame["P"].max())
    if most > 1:
        return [f"{text} These intervals hold up to {most} pretrainings, and the choice of texts."]
    return [text + " These intervals hold the choice of texts; another pretraining of one model may move it further."]


def _weights_moved(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """How far continued models' weights are from their base's, and how much of that turned."""
    moved = findings.weights_moved(outline, frame)
    moved = moved[[outline.model(str(key)).other is None for key in moved["model"]]]
    if moved.empty:
        return []
    models = [f"{outline.short(row.model)} {percent(row.relative_distance)}" for row in moved.itertuples()]
    spans = [
        percent(low) if percent(low) == percent(high) else f"{percent(low)} to {percent(high)}"
        for low, high in ((moved[name].min(), moved[name].max()) for name in ("relative_d", "turned_share"))
    ]
    return [
        "How far further training moved the weights, as a share of the norm of the base's (median matrix): "
        f"{join(models)}. Their singular values alone moved by {spans[0]}; {spans[1]} of the squared distance are "
        "turned vectors, which singular values do not see."
    ]


def _translation(outline: Outline, frame: pd.DataFrame) -> str:
    models = [
        f"{outline.short(row.model)} {number(row.value)} {interval_text(row.low, row.high)} "
        f"(untranslated {number(row.copy)})"
        for row in findings.translation_quality(outline, frame).itertuples()
    ]
    return (
        "How well the models translate, as chrF (0 to 100: letters shared with the reference; untranslated: what the "
        f"source text itself scores), mean over a model's own directions: {join(models)}."
    )
