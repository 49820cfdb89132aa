"""The choice of a learning rate for every model and task, on dev examples of the source language."""

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.scores import split_and_metric, weighted_sum, weights
from mtbridge.specs.protocol import STATISTICS
from mtbridge.study.outline import Outline, OutlineTask
from mtbridge.tasks.metrics import metric_name

VALUES = ["english_dev", *STATISTICS]


def choose(scores: pd.DataFrame, outline: Outline, protocol: str) -> pd.DataFrame:
    """For every model and task the recipe with the best English-dev score, if recipes differ in learning rate alone.

    scores: the merged scores. Candidates are the study's first recipe and the recipes that differ from it, on this
    task, in nothing but the learning rate. The score is the mean over seeds of the sound metric, which also chooses a
    run's epoch. In a tie, the lower learning rate wins. A constant answer counts here: a rate that ends in one in some
    seeds must not win by its other seeds.

    Columns: task, model, recipe, learning_rate, candidates, seeds, english_dev, first_english_dev, at_edge (the chosen
    rate is the lowest or the highest of the candidates, so a better one may lie outside). Then, with the chosen recipe,
    average, english, zero_shot and gap as the protocol scores them, and first_* with the study's first recipe.
    Raises MtbridgeError if the study does not say what its recipes are.
    """
    if not outline.settings:
        raise MtbridgeError("--study: its recipes have no settings; expected a mapping of recipe to settings")
    keys = ["recipe", "model", "task", "language", "split", "metric"]
    means = scores.groupby(keys)["value"].agg(["mean", "count"]).dropna()  # a run without a score is no candidate
    rows = [_choice(means, task, model.key, outline, protocol) for task in outline.tasks for model in outline.models]
    about = ["task", "model", "recipe", "learning_rate", "candidates", "seeds", "at_edge"]
    return pd.DataFrame(rows).reindex(columns=[*about, *VALUES, *(f"first_{name}" for name in VALUES)])


def candidates(outline: Outline, task: str, origin: str) -> dict[str, float]:
    """Recipe -> its learning rate on a task, for recipes that differ from the study's first in nothing else there.

    origin: that of the model; recipes may set other values for models of another origin.
    """

    def values(recipe: str) -> dict:
        """A recipe's settings on the task: its own, and over them those in `by_task`."""
        settings = dict(outline.settings[recipe][origin])
        own = settings.pop("by_task", {}).get(task, {})
        return {**settings, **own}

    first = {**values(outline.recipes[0]), "learning_rate": None}
    by_recipe = {recipe: values(recipe) for recipe in outline.recipes}
    return {
        recipe: float(settings["learning_rate"])
        for recipe, settings in by_recipe.items()
        if {**settings, "learning_rate": None} == first
    }


def _choice(means: pd.DataFrame, task: OutlineTask, model: str, outline: Outline, protocol: str) -> dict:
    """The row of one model and task. means: mean and count over seeds, by `recipe, model, task, language, …`."""
    rates = candidates(outline, task.name, outline.model(model).origin)
    dev_scores = {}
    for recipe in rates:
        key = (recipe, model, task.name, outline.source_language, "dev", metric_name(task.metric, "sound"))
        if key in means.index:
            dev_scores[recipe] = means.loc[key]
    row = {"task": task.name, "model": model, "candidates": len(dev_scores)}
    if not dev_scores:
        return row
    best = max(dev_scores, key=lambda recipe: (dev_scores[recipe]["mean"], -rates[recipe]))
    scored_rates = [rates[recipe] for recipe in dev_scores]
    row |= {"recipe": best, "learning_rate": rates[best], "seeds": int(dev_scores[best]["count"])}
    # One candidate alone has no edge.
    row |= {"at_edge": len(scored_rates) > 1 and rates[best] in (min(scored_rates), max(scored_rates))}
    for prefix, recipe in (("", best), ("first_", outline.recipes[0])):
        if recipe in dev_scores:
            row[prefix + "english_dev"] = dev_scores[recipe]["mean"]
            statistics = _statistics(means["mean"], recipe, model, task, outline, protocol)
            row |= {prefix + name: value for name, value in statistics.items()}
    return row


def _statistics(means: pd.Series, recipe: str, model: str, task: OutlineTask, outline: Outline, protocol: str) -> dict:
    """Statistic -> a recipe's value under the protocol, for the statistics that the task can have."""
    split, metric = split_and_metric(task, outline, protocol)
    keys = [(recipe, model, task.name, language, split, metric) for language in task.languages]
    values = np.array([means.get(key, np.nan) for key in keys])
    weight_of = {name: weights(name, task, outline, protocol) for name in STATISTICS}
    return {name: float(weighted_sum(values, weight)) for name, weight in weight_of.items() if weight is not None}
