"""Are good translators good encoders? Quality of translation beside zero-shot scores, one point a model.

x is chrF, the mean over the directions of a model (`inference.translation`). y is zero-shot: of understanding, the mean
over the tasks on which models can be ranked (`ranking.common_tasks`), under the study's first recipe; of each task of
generation, its own measure, with the way and rate that are best on dev of the source language, of the ways that learn
from the source language's examples alone: with examples in other languages nothing is zero-shot. Models that do not
translate have no x; those that a translating model continues are given all the same, with their y.

Means over other directions are of other difficulty, so a rank correlation is that of the largest group of models with
the same directions, and of FEWEST models at least. Its interval is that of Bonett & Wright (2000),
tanh(artanh r ± 1.96 √((1 + r²/2) / (n − 3))): models are taken as a sample of models, and what varies in each of them
is not in it. There is none for r = ±1.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtbridge.inference.generation import ZERO_SHOT
from mtbridge.inference.intervals import SeedVariance, Statistic, quantile, seed_part, seed_variance, statistic
from mtbridge.inference.ranking import common_tasks
from mtbridge.inference.scores import AllScores, Scores, leave_out_degenerate, merge_pretrainings, read_scores
from mtbridge.inference.translation import DIRECTION, MEAN
from mtbridge.study.outline import NO_RECIPE, Outline

FEWEST = 5  # models of a rank correlation
UNDERSTANDING = "understanding"  # the panel of tasks that predict labels; those of others are called as their task
INTO, OUT, BOTH, EVERY = "into", "out", "both", "all"  # directions of a model, by the source language's side
POINT = ["x", "x_low", "x_high", "y", "y_low", "y_high", "df"]
COLUMNS = [
    *("panel", "recipe", "model", "directions", *POINT, "pretrainings", "tasks", "n", "lines"),
    *("correlation", "correlation_low", "correlation_high", "correlation_models"),
]


class Height(NamedTuple):
    """The y of a point, with its interval. df: degrees of freedom of the units' part; 0: it holds examples alone.

    n: test examples, in tasks of generation of a language; 0: not known.
    """

    value: float
    low: float
    high: float
    df: float
    pretrainings: int
    tasks: int
    n: int


def translators(
    outline: Outline, protocol: str, translation: pd.DataFrame, scores, generation: pd.DataFrame | None
) -> pd.DataFrame:
    """A row for each panel and model; the columns are `COLUMNS`. n: see `Height`; lines: translated, a direction.

    Args:
        translation: of `translation.summarise`.
        scores: folder of scored runs, None if there are none.
        generation: of `generation.summarise`, None if nothing is written.
    """
    able = set(translation["model"])
    bases = {model.base for model in outline.models if model.key in able}
    models = [model.key for model in outline.models if model.key in able | bases]
    panels: list[tuple[str, str, Mapping[str, Height]]] = []
    if scores is not None and outline.tasks:
        recipe = outline.recipes[0]
        found = merge_pretrainings(leave_out_degenerate(read_scores(scores, outline, protocol)), outline)
        panels.append((UNDERSTANDING, recipe, understanding(found, outline, protocol, recipe, models)))
    if generation is not None:
        taught = {
            name for name, about in outline.adaptations.items() if about.get("languages") or about.get("translator")
        }
        zero_shot = generation[~generation["recipe"].isin(taught)]
        panels += [
            (task.name, NO_RECIPE, written(zero_shot, task.name, task.metric, models)) for task in outline.writing
        ]
    rows = [row for panel in panels for row in _panel(outline, translation, models, *panel)]
    return pd.DataFrame(rows, columns=COLUMNS)


def understanding(
    scores: AllScores, outline: Outline, protocol: str, recipe: str, models: list[str]
) -> dict[str, Height]:
    """Model -> its zero-shot mean over tasks. scores: merged, without degenerate ones.

    Units of the mean are those of the tasks: the mean over tasks of one pretraining, or of one seed. A model whose
    tasks differ in their units, in an unfinished study, has no interval.
    """
    have = [model for model in models if all((recipe, model, task.name) in scores for task in outline.tasks)]
    tasks = common_tasks(scores, outline, protocol, recipe, have) if have else {}
    if not tasks:
        return {}
    runs = {model: [scores[recipe, model, task] for task in tasks] for model in have}
    means = {model: _mean([statistic(run, tasks[run.task]) for run in own]) for model, own in runs.items()}
    alike = {model for model, own in runs.items() if len({(run.unit, run.seeds) for run in own}) == 1}
    found = {}
    for model, mean in means.items():
        if model in alike:
            units = seed_variance(means[other] for other in alike if runs[other][0].unit == runs[model][0].unit)
            low, high = mean.interval(seed_part(units, mean), units.freedom)
        else:
            units, (low, high) = SeedVariance(float("nan"), 0), (float("nan"), float("nan"))
        n = sum(int(run.sizes[tasks[run.task] != 0].sum()) for run in runs[model] if run.sizes is not None)
        found[model] = Height(mean.value, low, high, units.freedom, _pretrainings(runs[model]), len(tasks), n)
    return found


def _mean(found: list[Statistic]) -> Statistic:
    """The mean of statistics of several tasks, whose examples are independent."""
    sizes = {len(one.per_seed) for one in found}
    value = float(np.mean([one.value for one in found]))
    per_unit = np.mean([one.per_seed for one in found], axis=0) if len(sizes) == 1 else np.array([value])
    low, high = (float(np.mean([one.limits[side] for one in found])) for side in (0, 1))
    return Statistic(value, per_unit, np.mean([one.replicates for one in found], axis=0), (low, high))


def _pretrainings(runs: Iterable[Scores]) -> int:
    return min(len(run.seeds) if run.unit == "pretraining" else 1 for run in runs)


def written(generation: pd.DataFrame, task: str, measure: str, models: list[str]) -> dict[str, Height]:
    """Model -> its zero-shot value of a task's measure, in the way and at the rate that are best on dev."""
    rows = generation[
        (generation["task"] == task) & (generation["measure"] == measure) & (generation["statistic"] == ZERO_SHOT)
    ]
    best = rows.sort_values("dev", ascending=False, kind="stable").drop_duplicates("model")
    return {
        row.model: Height(row.value, row.low, row.high, row.df, int(row.pretrainings), 1, int(row.n))
        for row in best.itertuples()
        if row.model in models
    }


def _panel(
    outline: Outline, translation: pd.DataFrame, models: list[str], panel: str, recipe: str, heights: Mapping
) -> list[dict]:
    chrf = translation[translation["measure"] == "chrf"]
    means = {row.model: row for row in chrf[chrf["statistic"] == MEAN].itertuples()}
    pairs = {
        model: frozenset(zip(rows["source"], rows["target"], strict=True))
        for model, rows in chrf[chrf["statistic"] == DIRECTION].groupby("model")
    }
    rows = []
    for model in models:
        if (height := heights.get(model)) is None:
            continue
        mean = means.get(model)
        x = (mean.value, mean.low, mean.high) if mean is not None else (float("nan"),) * 3
        point = dict(zip(POINT, (*x, height.value, height.low, height.high, height.df), strict=True))
        kind = kind_of_directions(pairs[model], outline.source_language) if mean is not None else ""
        row = {"panel": panel, "recipe": recipe, "model": model, "directions": kind, **point}
        counts = {"pretrainings": height.pretrainings, "tasks": height.tasks, "n": height.n}
        rows.append({**row, **counts, "lines": int(mean.n) if mean is not None else 0})
    groups: dict[frozenset, list[dict]] = {}
    for row in rows:
        if row["model"] in means:
            groups.setdefault(pairs[row["model"]], []).append(row)
    largest = max(groups.values(), key=len, default=[])
    names = ("correlation", "correlation_low", "correlation_high", "correlation_models")
    found = rank_correlation([row["x"] for row in largest], [row["y"] for row in largest])
    return [{**row, **dict(zip(names, (*found, len(largest)), strict=True))} for row in rows]


def kind_of_directions(pairs: Collection[tuple[str, str]], source_language: str) -> str:
    """Directions as `INTO` the source language, `OUT` of it, `BOTH`, or `EVERY` where some are without it."""
    into = [target == source_language for _, target in pairs]
    out = [source == source_language for source, _ in pairs]
    if not all(one or other for one, other in zip(into, out, strict=True)):
        return EVERY
    return INTO if all(into) else OUT if all(out) else BOTH


def rank_correlation(x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Spearman's correlation with its 95 % interval, see the module; NaN for fewer than FEWEST, or without ranks."""
    from scipy.stats import rankdata

    nan, n = float("nan"), len(x)
    if n < FEWEST or len(set(x)) == 1 or len(set(y)) == 1:
        return nan, nan, nan
    r = float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
    if abs(r) > 1 - 1e-9:
        return float(np.sign(r)), nan, nan
    half_width = quantile(0) * np.sqrt((1 + r**2 / 2) / (n - 3))
    return r, float(np.tanh(np.arctanh(r) - half_width)), float(np.tanh(np.arctanh(r) + half_width))
