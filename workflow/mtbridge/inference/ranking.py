"""A ranking of a study's models by their zero-shot mean, with the ties that the data cannot break."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtbridge.inference.contrasts import Change, Side, change, mean_over_tasks
from mtbridge.inference.floor import against_floor
from mtbridge.inference.scores import AllScores, Scores, leave_out_degenerate, merge_pretrainings, read_scores, weights
from mtbridge.inference.verdicts import ALPHA, holm, tests
from mtbridge.study.outline import Outline

COLUMNS = ["protocol", "recipe", "model", "value", "best_rank", "worst_rank", "P", "S", "tasks", "tied_with"]
STATISTIC = "zero_shot"


def ranking_frame(outline: Outline, folder) -> pd.DataFrame:
    """The models of a study, best first, by every protocol and recipe; the columns are `COLUMNS`.

    value: the zero-shot mean over the tasks on which every model has a score that counts and one of them is above the
    floor; P and S: its pretrainings, and the fewest seeds of one. Every pair of models with the same pretrainings is
    compared by the contrast of `inference.contrasts`, corrected by Holm over all pairs; others have no test, because
    it would be one of other values than those that are ranked. best_rank is 1 + the number of
    models that are better by it, worst_rank the number of models minus those that are worse. tied_with: the other
    models of which neither holds. Models without scores are left out.
    """
    rows: list[dict] = []
    for protocol in outline.protocols:
        scores = leave_out_degenerate(read_scores(folder, outline, protocol))
        for recipe in outline.recipes:
            rows += _rank(scores, outline, protocol, recipe)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rank(scores: AllScores, outline: Outline, protocol: str, recipe: str) -> list[dict]:
    """The rows of one protocol and recipe."""
    models = [
        model.key
        for model in outline.models
        if outline.tasks and all((recipe, model.key, task.name) in scores for task in outline.tasks)
    ]
    merged = merge_pretrainings(scores, outline)
    tasks = common_tasks(merged, outline, protocol, recipe, models)
    if len(models) < 2 or not tasks:
        return []
    pretrainings = {model: _pretrainings([merged[recipe, model, task] for task in tasks]) for model in models}
    values = {
        model: float(np.mean([merged[recipe, model, task].values.mean(0) @ weight for task, weight in tasks.items()]))
        for model in models
    }
    pairs = list(itertools.combinations(models, 2))
    found = [
        _compared(scores, outline, Side(recipe, a), Side(recipe, b), tasks)
        if pretrainings[a] == pretrainings[b]
        else None
        for a, b in pairs
    ]
    p = holm([np.nan if one is None or one.freedom == 0 else tests(one, outline.margin)["p"] for one in found])
    better: dict[str, set[str]] = {model: set() for model in models}  # model -> the models that it beats
    for (a, b), one, corrected in zip(pairs, found, p, strict=True):
        if one is not None and corrected < ALPHA:
            winner, loser = (a, b) if one.found.value > 0 else (b, a)
            better[winner].add(loser)
    rows = []
    for model in sorted(models, key=lambda key: -values[key]):
        above = [other for other in models if model in better[other]]
        tied = [other for other in models if other != model and other not in better[model] and other not in above]
        rows.append(
            {
                "protocol": protocol,
                "recipe": recipe,
                "model": model,
                "value": values[model],
                "best_rank": 1 + len(above),
                "worst_rank": len(models) - len(better[model]),
                "P": min(map(len, pretrainings[model])),
                "S": min(
                    len(scores[recipe, key, task].seeds)
                    for key in outline.replicates(model)
                    for task in tasks
                    if (recipe, key, task) in scores
                ),
                "tasks": len(tasks),
                "tied_with": ", ".join(tied),
            }
        )
    return rows


def _pretrainings(runs: Sequence[Scores]) -> list[tuple[int, ...]]:
    """Of which pretrainings, by their numbers, the values of a model's merged runs are means; (1,) for a single one."""
    return [run.seeds if run.unit == "pretraining" else (1,) for run in runs]


def _compared(
    scores: AllScores, outline: Outline, one: Side, other: Side, tasks: dict[str, np.ndarray]
) -> Change | None:
    """The mean difference of two models over tasks; None if it does not count on all of them."""
    found = {task: change(scores, outline, one, other, task, weight) for task, weight in tasks.items()}
    present = {task: difference for task, difference in found.items() if difference is not None}
    if len(present) < len(tasks):
        return None
    mean = mean_over_tasks(present)
    return None if mean.found.left_out else mean


def common_tasks(
    scores: AllScores, outline: Outline, protocol: str, recipe: str, models: list[str]
) -> dict[str, np.ndarray]:
    """The tasks on which models can be ranked, as in `ranking_frame`, with weights. scores: merged."""
    found = {}
    for task in outline.tasks:
        weight = weights(STATISTIC, task, outline, protocol)
        if weight is None:
            continue
        over = [against_floor(scores, recipe, model, task.name, weight) for model in models]
        all_count = all(one is not None and one[0].counts and not one[0].left_out for one in over)
        if all_count and any(one is not None and one[1] for one in over):
            found[task.name] = weight
    return found
