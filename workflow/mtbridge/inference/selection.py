"""The learning rate, chosen per model and task on dev examples of the source language."""

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.scores import split_and_metric, weighted_sum, weights
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import Outline, OutlineTask
from mtbridge.tasks.metrics import metric_name

VALUES = ["english_dev", *STATISTICS]


def choose(scores: pd.DataFrame, outline: Outline, protocol: str) -> pd.DataFrame:
    """Per model and task the recipe with the best English-dev score, among those that differ in learning rate alone.

    scores: the merged scores. Candidates are the study's first recipe and those that have its settings for the task in
    all but the learning rate; the score is the mean over seeds of the sound metric, by which a run's epoch is chosen
    too; the lower learning rate wins a tie.

    Columns: task, model, recipe, learning_rate, candidates, seeds, english_dev, first_english_dev, at_edge (the chosen
    rate is the lowest or the highest tried, so the best may lie outside), then of the chosen recipe average, english,
    zero_shot and gap as the protocol scores them, and first_* of the first recipe.
    Raises MtbridgeError if the study does not say what its recipes are.
    """
    if not outline.settings:
        raise MtbridgeError("--study: its recipes have no settings; expected a mapping of recipe to settings")
    keys = ["recipe", "model", "task", "language", "split", "metric"]
    means = scores.groupby(keys)["value"].agg(["mean", "count"]).dropna()  # a run without a score is no candidate
    rows = [_choice(means, task, model.key, outline, protocol) for task in outline.tasks for model in outline.models]
    about = ["task", "model", "recipe", "learning_rate", "candidates", "seeds", "at_edge"]
    return pd.DataFrame(rows).reindex(columns=[*about, *VALUES, *(f"first_{name}" for name in VALUES)])


def candidates(outline: Outline, task: str) -> dict[str, float]:
    """Recipe -> learning rate on a task, of those that differ from the study's first in nothing else there."""

    def values(recipe: str) -> dict:
        settings = dict(outline.settings[recipe])
        own = settings.pop("by_task", {}).get(task, {})
        return {**settings, **own}

    first = {**values(outline.recipes[0]), "learning_rate": None}
    found = {recipe: values(recipe) for recipe in outline.recipes}
    return {
        recipe: float(settings["learning_rate"])
        for recipe, settings in found.items()
        if {**settings, "learning_rate": None} == first
    }


def _choice(means: pd.DataFrame, task: OutlineTask, model: str, outline: Outline, protocol: str) -> dict:
    """The row of one model and task. means: mean and count over seeds, by `recipe, model, task, language, …`."""
    rates = candidates(outline, task.name)
    dev = {}
    for recipe in rates:
        key = (recipe, model, task.name, outline.source_language, "dev", metric_name(task.metric, "sound"))
        if key in means.index:
            dev[recipe] = means.loc[key]
    row = {"task": task.name, "model": model, "candidates": len(dev)}
    if not dev:
        return row
    chosen = max(dev, key=lambda recipe: (dev[recipe]["mean"], -rates[recipe]))
    tried = [rates[recipe] for recipe in dev]
    row |= {"recipe": chosen, "learning_rate": rates[chosen], "seeds": int(dev[chosen]["count"])}
    row |= {"at_edge": len(tried) > 1 and rates[chosen] in (min(tried), max(tried))}
    for prefix, recipe in (("", chosen), ("first_", outline.recipes[0])):
        if recipe in dev:
            row[prefix + "english_dev"] = dev[recipe]["mean"]
            found = _statistics(means["mean"], recipe, model, task, outline, protocol)
            row |= {prefix + name: value for name, value in found.items()}
    return row


def _statistics(means: pd.Series, recipe: str, model: str, task: OutlineTask, outline: Outline, protocol: str) -> dict:
    """Statistic -> value of a recipe, as the protocol scores it; without those that the task cannot have."""
    split, metric = split_and_metric(task, outline, protocol)
    keys = [(recipe, model, task.name, language, split, metric) for language in task.languages]
    values = np.array([means.get(key, np.nan) for key in keys])
    found = {name: weights(name, task, outline, protocol) for name in STATISTICS}
    return {name: float(weighted_sum(values, weight)) for name, weight in found.items() if weight is not None}
