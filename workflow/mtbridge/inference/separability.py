"""How far languages lie apart in hidden states: over pretrainings, against another model, and beside transfer.

Measures are those of `representations.separability`, of all languages together. With P pretrainings x[r] of a model

    mean_r x[r]  ±  t(P − 1; .975) · √(s² / P + V)

where s² is the variance between pretrainings and V that over sentences: the variance of mean_r x[r, half] over the
half-subsamples, times b / (n − b) for halves of b of n sentences (`representations.subsamples`). A difference of two
models is paired: by pretraining, because both were continued from the same one, and on the same halves. With one
pretraining the interval holds sentences alone (ν = 0, the normal quantile), and there is no verdict.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.intervals import interval
from mtbridge.inference.verdicts import (
    ALPHA,
    EVERY_TARGET,
    NO_VERDICT,
    OF_CONTINUED,
    OF_DERIVED,
    UNDECIDED,
    holm,
    questions,
)
from mtbridge.study.outline import Outline

EVERY = "all"  # source and target of a measure of all languages, in the file
READ = ["corpus", "model", "recipe", "task", "seed", "layer", "measure", "source", "target", "value", "null", "halves"]
LIMITS = {"cosine": (-1.0, 1.0), "fisher_ratio": (0.0, np.inf)}  # of a measure; (0, 1) if it has none here
CURVES = ["model", "recipe", "task", "layer", "measure", "value", "low", "high", "df", "null", "P"]
DIFFERENCES = ["family", "model", "against", "recipe", "task", "measure", "layer", "value", "value_against", "estimate"]
DIFFERENCES += ["low", "high", "df", "p", "p_holm", "P", "by_pretraining", "numbers", "verdict", "floor"]
SLOPES = ["recipe", "base", "measure", "slope", "low", "high", "p", "P", "models", "numbers", "x", "y", "n"]
RISES, FALLS = "rises", "falls"


def read_separability(path, outline: Outline, protocol: str) -> pd.DataFrame:
    """The measures of all languages on a protocol's corpus, with the columns `READ`."""
    frame = read_parquet(path, READ)
    return frame[(frame["corpus"] == outline.corpus(protocol)) & (frame["source"] == EVERY)]


def over_pretrainings(
    values: np.ndarray, halves: np.ndarray, limits: tuple[float, float]
) -> tuple[float, float, float, int, float]:
    """Mean, low, high, df and p (that the mean is 0) of values [pretraining], halves [pretraining, half]."""
    from scipy.special import stdtr

    count = len(values)
    mean, variance = float(values.mean()), float(halves.mean(axis=0).var(ddof=1))
    if count > 1:
        variance += float(values.var(ddof=1)) / count
    low, high = interval(mean, variance, count - 1, limits)
    p = float(2 * stdtr(count - 1, -abs(mean) / variance**0.5)) if count > 1 and variance > 0 else float("nan")
    return mean, low, high, count - 1, p


def _by_model(frame: pd.DataFrame, outline: Outline) -> dict[tuple, dict[int, tuple[float, np.ndarray, float]]]:
    """(model, recipe, task, layer, measure) -> number of the pretraining -> value, halves, null: means over seeds."""
    number_of = {
        key: (m.key, number) for m in outline.models for number, key in enumerate(outline.replicates(m.key), 1)
    }
    found: dict[tuple, dict[int, tuple[float, np.ndarray, float]]] = {}
    keys = ["model", "recipe", "task", "layer", "measure"]
    for (key, *rest), part in frame.groupby(keys, sort=False):
        if key not in number_of:
            continue
        model, number = number_of[key]
        one = (float(part["value"].mean()), np.stack(part["halves"]).mean(axis=0), float(part["null"].iloc[0]))
        found.setdefault((model, *rest), {})[number] = one
    return found


def curves(outline: Outline, protocol: str, path) -> pd.DataFrame:
    """Every model's measures by layer, before fine-tuning (task "") and after; the columns are `CURVES`."""
    rows = []
    for (model, recipe, task, layer, measure), of_number in _by_model(
        read_separability(path, outline, protocol), outline
    ).items():
        values, halves, nulls = (np.array(each) for each in zip(*of_number.values(), strict=True))
        mean, low, high, freedom, _ = over_pretrainings(values, halves, LIMITS.get(measure, (0.0, 1.0)))
        rows.append((model, recipe, task, layer, measure, mean, low, high, freedom, nulls[0], len(values)))
    return pd.DataFrame(rows, columns=CURVES)


def _pairs(outline: Outline) -> Iterator[tuple[str, str, str]]:
    """(family, model, against) of the study's contrasts of continued and of derived models, each pair once."""
    seen = set()
    for question in questions(outline):
        pair = question.one.model, question.other.model
        if question.family in OF_CONTINUED | OF_DERIVED and pair not in seen:
            seen.add(pair)
            yield question.family, *pair


def differences(outline: Outline, protocol: str, path) -> pd.DataFrame:
    """Continued and derived models against what they are compared with, in the last layer: the columns `DIFFERENCES`.

    floor: the value of the untrained encoder there, NaN without one; value, value_against: those of the two models.
    recipe and task are "" before fine-tuning. p_holm: corrected over the pairs of a family, by measure, recipe and
    task. verdict: rises or falls if p_holm < .05, else undecided; no verdict with one pretraining.
    """
    by_model = _by_model(read_separability(path, outline, protocol), outline)
    last = {model: max(key[3] for key in by_model if key[0] == model) for model in {key[0] for key in by_model}}
    untrained = next((model.key for model in outline.models if model.is_untrained), "")
    rows = []
    for family, model, against in _pairs(outline):
        if model not in last or last[model] != last.get(against):
            continue  # a base of another depth has no layer that corresponds
        for (key, recipe, task, layer, measure), ones in by_model.items():
            others = by_model.get((against, recipe, task, layer, measure), {})
            numbers = [number for number in ones if number in others]
            if key != model or layer != last[model] or not numbers:
                continue
            one, other = ([of[number] for number in numbers] for of in (ones, others))
            by_pretraining = np.array([a[0] - b[0] for a, b in zip(one, other, strict=True)])
            halves = np.stack([a[1] - b[1] for a, b in zip(one, other, strict=True)])
            least, most = LIMITS.get(measure, (0.0, 1.0))
            found = over_pretrainings(by_pretraining, halves, (least - most, most - least))
            means = (float(np.mean([each[0] for each in side])) for side in (one, other))
            place = family, model, against, recipe, task, measure, layer
            floors = [value for value, *_ in by_model.get((untrained, *place[3:5], layer, measure), {}).values()]
            floor = float(np.mean(floors)) if floors else float("nan")
            rows.append((*place, *means, *found, np.nan, len(numbers), by_pretraining.tolist(), numbers, "", floor))
    frame = pd.DataFrame(rows, columns=DIFFERENCES)
    for _, part in frame.groupby(["family", "measure", "recipe", "task"], sort=False):
        frame.loc[part.index, "p_holm"] = holm(part["p"])
    return frame.assign(verdict=[_verdict(row.estimate, row.p_holm) for row in frame.itertuples()])


def _verdict(estimate: float, p: float) -> str:
    if np.isnan(p):
        return NO_VERDICT
    return (RISES if estimate > 0 else FALLS) if p < ALPHA else UNDECIDED


# ---- Beside transfer -------------------------------------------------------------------------------------------------


def slopes(outline: Outline, protocol: str, found: pd.DataFrame, contrasts: pd.DataFrame) -> pd.DataFrame:
    """How zero-shot scores go with a measure over the models that continue a base; the columns are `SLOPES`.

    found: `differences`, of models before fine-tuning; contrasts: as `verdicts.contrasts_frame` returns them. A point
    is a pretraining of a model: x is what its measure in the last layer has more than that of its base of the same
    number, y what its zero-shot mean has more, in percent points. The base is the origin, so pretraining r has the
    slope b[r] = Σ x y / Σ x² over its models, and the interval is mean_r b[r] ± t(P − 1) √(s² / P): a pretraining is a
    cluster, whose models share a base. It is NaN with one pretraining or one model.
    """
    scores = contrasts[
        (contrasts["protocol"] == protocol)
        & (contrasts["task"] == ALL_TASKS)
        & (contrasts["statistic"] == "zero_shot")
        & (contrasts["languages"] == EVERY_TARGET)
        & contrasts["family"].isin(OF_CONTINUED)
    ]
    rows = []
    for recipe in outline.recipes:
        of_recipe = scores[scores["recipe"] == recipe].set_index(["model", "against"])
        for base, *models in outline.families:
            for measure in found["measure"].unique():
                before = found[(found["measure"] == measure) & (found["task"] == "") & (found["against"] == base)]
                points = list(_points(before.set_index("model"), of_recipe, base, models))
                if points:
                    rows.append((recipe, base, measure, *_slope(points)))
    return pd.DataFrame(rows, columns=SLOPES)


def _points(
    before: pd.DataFrame, scores: pd.DataFrame, base: str, models: Sequence[str]
) -> Iterator[tuple[str, int, float, float, int]]:
    """(model, number, x, y, test examples) of every pretraining of the models that continue a base."""
    for model in models:
        if model not in before.index or (model, base) not in scores.index:
            continue
        x, contrast = before.loc[model, "by_pretraining"], scores.loc[(model, base)]
        if np.isnan(contrast["estimate"]):
            continue
        # One pretraining has no list of its own.
        y = contrast["by_pretraining"] if len(contrast["by_pretraining"]) else [contrast["estimate"]]
        score_of = dict(zip(contrast["numbers"], y, strict=True))
        # Of an unfinished study, hidden states and scores may be those of different pretrainings.
        for number, more in zip(before.loc[model, "numbers"], x, strict=True):
            if number in score_of:
                yield model, int(number), float(more), float(score_of[number]), int(contrast["n"])


def _slope(points: list[tuple[str, int, float, float, int]]) -> tuple:
    """slope, low, high, p, P, then the points as lists: models, numbers, x, y, n."""
    from scipy.special import stdtr

    models, numbers, x, y, n = (list(column) for column in zip(*points, strict=True))
    each = []
    for number in sorted(set(numbers)):
        own = [(a, b) for _, other, a, b, _ in points if other == number]
        size = sum(a * a for a, _ in own)
        if len(own) > 1 and size > 0:
            each.append(sum(a * b for a, b in own) / size)
    count = len(each)
    slope = float(np.mean(each)) if each else float("nan")
    low = high = p = float("nan")
    if count > 1 and (variance := float(np.var(each, ddof=1)) / count) > 0:
        low, high = interval(slope, variance, count - 1)
        p = float(2 * stdtr(count - 1, -abs(slope) / variance**0.5))
    return slope, low, high, p, count, models, numbers, x, y, n
