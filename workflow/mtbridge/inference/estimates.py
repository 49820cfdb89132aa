"""Every score of a study with its interval, in one long frame: by statistic (Table 1) or by language (Table 4)."""

import numpy as np
import pandas as pd

from mtbridge.inference.exposure import exposure
from mtbridge.inference.intervals import summary
from mtbridge.inference.scores import ALL_LANGUAGES, language_weights, read_scores, split_and_metric, weights
from mtbridge.study.outline import MAJORITY, NO_RECIPE, Outline

MEASURES = ["ours", "sd", "low", "high"]
NEW_RUN = ["new_run_low", "new_run_high"]


def by_statistic(outline: Outline, protocol: str, folder, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """The statistics that a protocol shows: recipe, task, model, statistic, ours, sd, low, high, seeds, metric, split,
    language_known.

    Scores are in percent. `folder` holds the scored runs (see `scores.read_scores`). `published` (task, model, score)
    adds columns to the rows of the means: published, difference, new_run_low, new_run_high.
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
    frame = _estimates(outline, protocol, folder, "language", names, language_weights)
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
    scores = read_scores(folder, outline, protocol)
    models = [(recipe, model.key) for recipe in outline.recipes for model in outline.models]
    rows = []
    for recipe, model in [*models, (NO_RECIPE, MAJORITY)]:
        for task in outline.tasks:
            task_scores = scores.get((recipe, model, task.name))
            split, metric = split_and_metric(task, outline, protocol)
            for name in names(task):
                row = {"recipe": recipe, "task": task.name, "model": model, key: name}
                row |= {"metric": metric, "split": split, "seeds": 0, "language_known": True}
                weight = weights_of(name, task, outline, protocol)
                if task_scores is not None and weight is not None:
                    row |= summary(task_scores, weight)
                    languages_known = task_scores.language_known[weight != 0]
                    row |= {"seeds": len(task_scores.seeds), "language_known": bool(languages_known.all())}
                rows.append(row)
    columns = ["recipe", "task", "model", key, *MEASURES, "seeds", "metric", "split", "language_known", *NEW_RUN]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    # A statistic that lacks a language has no value, so no seed gives one.
    frame.loc[frame["ours"].isna(), "seeds"] = 0
    return frame


def _with_published(frame: pd.DataFrame, published: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The frame with the columns published and difference, then the prediction interval of one new run."""
    columns = [column for column in frame.columns if column not in NEW_RUN]
    frame = frame.merge(published[[*keys, "score"]].rename(columns={"score": "published"}), on=keys, how="left")
    frame["difference"] = frame["ours"] - frame["published"]
    return frame[[*columns, "published", "difference", *NEW_RUN]]
