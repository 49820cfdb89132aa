"""Every score of a study with its interval, in one long frame: by statistic (Table 1) or by language (Table 4)."""

import numpy as np
import pandas as pd

from mtbridge.inference.exposure import exposure
from mtbridge.inference.floor import over_floor
from mtbridge.inference.intervals import SeedVariance, Statistic, seed_variance, statistic, summary
from mtbridge.inference.scores import (
    ALL_LANGUAGES,
    AllScores,
    Scores,
    language_weights,
    merge_pretrainings,
    read_scores,
    split_and_metric,
    weights,
)
from mtbridge.study.outline import FLOOR, NO_RECIPE, Outline

MEASURES = ["ours", "sd", "low", "high", "df"]
NEW_RUN = ["new_run_low", "new_run_high"]
COUNTS = ["pretrainings", "seeds", "runs"]
OVER_FLOOR = ["over_floor", "over_floor_low", "over_floor_high"]
MARKS = ["degenerate", "left_out"]


def by_statistic(outline: Outline, protocol: str, folder, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """The statistics that a protocol shows: recipe, task, model, statistic, ours, sd, low, high, df,
    pretrainings, seeds, runs, metric, split, language_known, degenerate, left_out.

    Scores are in percent; `intervals.summary` says what the columns are; of a model with several pretrainings, these
    are its units. pretrainings, seeds, runs: how many are scored; seeds: the fewest of a pretraining. over_floor,
    over_floor_low, over_floor_high: the score minus the floor's, with the interval of the difference, paired on
    examples; the gap has no floor.

    `folder` holds the scored runs (see `scores.read_scores`). `published` (task, model, score) adds columns to the rows
    of the means: published, difference, new_run_low, new_run_high.
    """
    statistics = outline.protocol(protocol).statistics
    frame = _estimates(outline, protocol, folder, "statistic", lambda task: statistics, weights)
    if published is None:
        return frame.drop(columns=NEW_RUN)
    frame = _with_published(frame, published, ["task", "model"])
    # The published means are those of the statistic "average" alone.
    frame.loc[frame["statistic"] != "average", ["published", "difference"]] = np.nan
    return frame


def by_language(outline: Outline, protocol: str, folder, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every language of every task, and their mean (language `avg`); columns as in `by_statistic`, with `language`.

    Column `exposure` says what a model has seen of a language; it is there if this is known of at least one model.
    `published` has task, model, language, score.
    """
    names = lambda task: [*task.languages, ALL_LANGUAGES]
    frame = _estimates(outline, protocol, folder, "language", names, language_weights).drop(columns=OVER_FLOOR)
    exposures = exposure(outline)
    if not exposures.empty:
        # The interval of a new run is compared with the published values, so it stays the last columns.
        new_run = frame[NEW_RUN]
        frame = frame.drop(columns=NEW_RUN).merge(exposures, on=["model", "language"], how="left")
        frame[NEW_RUN] = new_run
    if published is None:
        return frame.drop(columns=NEW_RUN)
    return _with_published(frame, published, ["task", "model", "language"])


def _estimates(outline: Outline, protocol: str, folder, key: str, names, weights_of) -> pd.DataFrame:
    """A row for every recipe, model, task and name of `names(task)`, whose weights are `weights_of(name, task, …)`."""
    single = read_scores(folder, outline, protocol)
    scores = merge_pretrainings(single, outline)
    weight_of = {(task.name, name): weights_of(name, task, outline, protocol)
                 for task in outline.tasks for name in names(task)}  # fmt: skip
    found = {
        (*place, name): statistic(run, weight)
        for place, run in scores.items()
        for (task, name), weight in weight_of.items()
        if task == place[2] and weight is not None
    }
    models = [(recipe, model.key) for recipe in outline.recipes for model in outline.models]
    rows = []
    for recipe, model in [*models, (NO_RECIPE, FLOOR)]:
        for task in outline.tasks:
            split, metric = split_and_metric(task, outline, protocol)
            for name in names(task):
                row = {"recipe": recipe, "task": task.name, "model": model, key: name}
                row |= {"metric": metric, "split": split, "language_known": True}
                row |= dict.fromkeys(MARKS, "") | {"df": 0} | dict.fromkeys(COUNTS, 0)
                one = found.get((recipe, model, task.name, name))
                if one is not None:
                    weight, run = weight_of[task.name, name], scores[recipe, model, task.name]
                    seeds = _unit_variance(found, scores, run.unit, (recipe, task.name, name))
                    floor = scores.get((NO_RECIPE, FLOOR, task.name))
                    row |= summary(one, seeds, run.unit) | _over_floor(run, floor, weight, seeds)
                    known = run.language_known[weight != 0]
                    row |= {"language_known": bool(known.all())} | _counts(single, outline, recipe, model, task.name)
                rows.append(row)
    columns = ["recipe", "task", "model", key, *MEASURES, *COUNTS, "metric", "split", "language_known"]
    frame = pd.DataFrame(rows).reindex(columns=[*columns, *MARKS, *OVER_FLOOR, *NEW_RUN])
    # A statistic that lacks a language has no value, so no seed gives one.
    frame.loc[frame["ours"].isna() & (frame["degenerate"] == ""), COUNTS] = 0
    return frame


def _counts(scores: AllScores, outline: Outline, recipe: str, model: str, task: str) -> dict[str, int]:
    """The columns `COUNTS` of a model on a task. scores: of every pretraining apart."""
    keys = outline.replicates(model) if model in outline.keys else (model,)
    seeds = [len(scores[recipe, key, task].seeds) for key in keys if (recipe, key, task) in scores]
    return dict(zip(COUNTS, (len(seeds), min(seeds), sum(seeds)), strict=True))


def _unit_variance(
    found: dict[tuple[str, str, str, str], Statistic], scores: AllScores, unit: str, place: tuple[str, str, str]
) -> SeedVariance:
    """The variance of a statistic between units of this kind, pooled over models. place: (recipe, task, name)."""
    return seed_variance(
        one for key, one in found.items() if (key[0], *key[2:]) == place and scores[key[:3]].unit == unit
    )


def _over_floor(run: Scores, floor: Scores | None, weight: np.ndarray, seeds: SeedVariance) -> dict[str, float]:
    """The columns `OVER_FLOOR` of a statistic; none for the floor itself, and for the gap."""
    if floor is None or run.model == floor.model or (weight < 0).any():
        return {}
    found, (low, high) = over_floor(run, floor, weight, seeds)
    return dict(zip(OVER_FLOOR, (found.value if found.counts else np.nan, low, high), strict=True))


def _with_published(frame: pd.DataFrame, published: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The frame with the columns published and difference, then the prediction interval of one new run."""
    columns = [column for column in frame.columns if column not in NEW_RUN]
    frame = frame.merge(published[[*keys, "score"]].rename(columns={"score": "published"}), on=keys, how="left")
    frame["difference"] = frame["ours"] - frame["published"]
    return frame[[*columns, "published", "difference", *NEW_RUN]]
