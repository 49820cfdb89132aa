"""The study's answers: contrasts with their tests, corrected for how many are asked, and what each may be called.

Families of contrasts
    objectives  a model continued on parallel text, against the control that was continued on its base's own objective
                as long (its own, if one matches it); against the base where there is none. Their differences in the
                zero-shot mean and in the gap, over all tasks and languages, are primary: they are the study's question.
    base        a continued model against its base
    weights     a model whose weights are derived from two, against each of them
    compare     pairs of models that the config names
    recipes     pairs of recipes that the config names, for every model

p is that of the two-sided t test of the interval in `inference.contrasts`. p_equivalence is that of two one-sided tests
(Schuirmann 1987): the larger p of "at most −margin" and "at least +margin". Both are corrected by Holm (1979) over the
primary contrasts of a protocol and recipe; other contrasts are secondary, and their p is that of a single question.

A verdict is `helps` or `hurts` if p < .05, `equivalent` if not and p_equivalence < .05, else `undecided`. For the gap
between the source language and the others, smaller helps. Without a second pretraining or seed, it is `no verdict`.

Left out of a mean over tasks are tasks on which neither side is shown to be above the floor in this statistic and these
languages: there is nothing to compare. The choice treats both sides alike, so it favours none. Degenerate scores are
left out under every protocol, also one that counts them in its own means.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtbridge.inference.contrasts import (
    ALL_TASKS,
    Change,
    Side,
    mean_over_tasks,
    over_tasks,
)
from mtbridge.inference.floor import against_floor
from mtbridge.inference.scores import AllScores, leave_out_degenerate, merge_pretrainings, read_scores, weights
from mtbridge.study.outline import Model, Outline, OutlineTask

# Families by what they are about; names of the module's docstring.
OF_OBJECTIVES, OF_RECIPES = frozenset({"objectives"}), frozenset({"recipes"})
OF_CONTINUED = OF_OBJECTIVES | {"base"}
OF_DERIVED, OF_COMPARED = frozenset({"weights"}), frozenset({"compare"})

SHOWN = ("english", "zero_shot", "gap")
PRIMARY = ("zero_shot", "gap")
ALPHA = 0.05
POWER = 0.8
HELPS, HURTS, EQUIVALENT, UNDECIDED, NO_VERDICT = "helps", "hurts", "equivalent", "undecided", "no verdict"
# What a verdict is about: an objective, of which there are several pretrainings; two checkpoints, of which there are
# several seeds; or nothing but these runs on other examples.
PRETRAINING, CHECKPOINT, EXAMPLES = "pretraining", "checkpoint", "examples"
AT_FLOOR = "at the floor"
EVERY_TARGET = "all"  # in the column `languages`: all target languages
TEXTS = ["protocol", "family", "recipe", "model", "against", "against_recipe", "task", "statistic", "languages"]
NUMBERS = ["estimate", "low", "high", "standard_error", "df", "p", "p_holm", "p_equivalence", "margin"]
NUMBERS += ["smallest_effect"]
COUNTS = ["P", "S", "n"]
LAST = ["verdict", "scope", "left_out", "degenerate", "by_pretraining", "numbers"]
COLUMNS = [*TEXTS[:2], "primary", *TEXTS[2:], *NUMBERS, *COUNTS, *LAST]


class Question(NamedTuple):
    """Two sides to compare, and to which family the question belongs."""

    family: str
    one: Side
    other: Side
    primary: bool = False


def questions(outline: Outline) -> Iterator[Question]:
    """All questions of a study, the primary ones first."""
    keys = {model.key for model in outline.models}
    made_of_others = [model for model in outline.models if model.base in keys]
    continued = [model for model in made_of_others if model.kind != "derived"]
    for recipe in outline.recipes:
        asked = set()
        for model in continued:
            if model.kind != "CP":
                continue
            is_primary = model.key in outline.primary or not outline.primary
            for against in _controls(model, continued) or [str(model.base)]:
                asked.add((model.key, against))
                yield Question("objectives", Side(recipe, model.key), Side(recipe, against), is_primary)
        for one, other in outline.compare:
            if one in keys and other in keys:
                yield Question("compare", Side(recipe, one), Side(recipe, other))
        for model in continued:
            if (model.key, str(model.base)) not in asked:
                yield Question("base", Side(recipe, model.key), Side(recipe, str(model.base)))
        for model in made_of_others:
            if model.kind == "derived":
                for made_of in (str(model.base), str(model.other)):
                    if made_of in keys:
                        yield Question("weights", Side(recipe, model.key), Side(recipe, made_of))
    for one, other in outline.compare:
        if one in outline.recipes and other in outline.recipes:
            for model in outline.models:
                yield Question("recipes", Side(one, model.key), Side(other, model.key))


def _controls(model: Model, continued: Sequence[Model]) -> list[str]:
    """The controls that a continued model is compared with: those that match it, or else the first that shares its base
    and those that match no model."""
    shared = [other for other in continued if other.kind == "control" and other.base == model.base]
    own = [other for other in shared if other.match == model.key]
    return [other.key for other in own or [*shared[:1], *(other for other in shared[1:] if other.match is None)]]


# ---- Statistics and languages ----------------------------------------------------------------------------------------


def language_sets(outline: Outline, model: str) -> dict[str, set[str] | None]:
    """Which target languages contrasts are computed on: all, and apart those that a model has seen and has not.

    Seen and unseen are there only if it is known what the model has seen, and there are both. Languages with less text
    than the others are apart too, each with its name; they are not among `seen`.
    """
    exposure = outline.exposure(model)
    targets = {language for task in outline.tasks for language in task.languages} - {outline.source_language}
    sets: dict[str, set[str] | None] = {EVERY_TARGET: None}
    little = {language for language in targets if 0 < outline.shares.get(language, 1.0) < 1}
    if exposure is not None:
        seen, unseen = targets & set(exposure) - little, targets - set(exposure)
        if seen and (unseen or little):
            sets |= {"seen": seen, **({"unseen": unseen} if unseen else {})}
    return sets | {f"little text: {language}": {language} for language in sorted(little)}


def weight_of(
    name: str, outline: Outline, protocol: str, languages: set[str] | None = None
) -> Callable[[OutlineTask], np.ndarray | None]:
    """A function: task -> the weights [language] of a statistic, its target languages restricted to a set."""

    def weight(task: OutlineTask) -> np.ndarray | None:
        found = weights(name, task, outline, protocol)
        if found is None or languages is None or name == "english":
            return found
        source = np.array([language == outline.source_language for language in task.languages])
        target = np.array([language in languages for language in task.languages], float)
        if not target.any():
            return None
        sign = 1 if name == "zero_shot" else -1
        return np.where(source, found, sign * target / target.sum())

    return weight


def at_floor(
    scores: AllScores,
    outline: Outline,
    protocol: str,
    question: Question,
    name: str,
    languages: set[str] | None = None,
) -> dict[str, str]:
    """The tasks on which neither side is above the floor in a statistic: task -> why it is left out.

    For the gap both its parts must be above: tasks are left out that the source language or zero-shot leaves out.
    scores: as `merge_pretrainings` returns them; languages: those of `language_sets`.
    """
    found = {}
    for part in ("english", "zero_shot") if name == "gap" else (name,):
        weight_in = weight_of(part, outline, protocol, languages)
        for task in outline.tasks:
            if (weight := weight_in(task)) is None:
                continue
            sides = [against_floor(scores, *side, task.name, weight) for side in (question.one, question.other)]
            if all(side is not None and not side[1] for side in sides):
                found[task.name] = AT_FLOOR
    return found


# ---- Tests -----------------------------------------------------------------------------------------------------------


def tests(one: Change, margin: float) -> dict[str, float]:
    """standard_error, p, p_equivalence and the smallest effect that would have been found with a power of .8.

    All are NaN without an interval, and the last three with ν = 0: examples alone are no test of models.
    """
    from scipy.special import stdtr

    variance = one.variance if one.found.counts and not np.isnan(one.interval[0]) else np.nan
    if np.isnan(variance) or variance <= 0:
        return dict.fromkeys(("standard_error", "p", "p_equivalence", "smallest_effect"), float("nan"))
    error, freedom, value = float(np.sqrt(variance)), one.freedom, one.found.value
    if not freedom:
        return {"standard_error": error, **dict.fromkeys(("p", "p_equivalence", "smallest_effect"), float("nan"))}
    return {
        "standard_error": error,
        "p": float(2 * stdtr(freedom, -abs(value) / error)),
        "p_equivalence": float(stdtr(freedom, (abs(value) - margin) / error)),
        "smallest_effect": smallest_effect(error, one.freedom),
    }


def smallest_effect(error: float, freedom: float, of_questions: int = 1) -> float:
    """The effect that is found with a power of .8, in percent points: (t(ν; 1 − α/2m) + t(ν; .8)) · standard error.

    of_questions: m, in how many questions α is divided, as Holm's first step does.
    """
    from scipy.special import stdtrit

    if not freedom:
        return float("nan")
    return float((stdtrit(freedom, 1 - ALPHA / 2 / of_questions) + stdtrit(freedom, POWER)) * error)


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """p values corrected for how many there are, step by step (Holm 1979); what was not tested (NaN) is not counted."""
    values = np.asarray(p, float)
    order, tested = np.argsort(values, kind="stable"), int(np.sum(~np.isnan(values)))  # NaN last
    corrected = np.maximum.accumulate(np.minimum(1, values[order] * (tested - np.arange(len(values)))))
    result = np.empty_like(values)
    result[order] = corrected
    return np.where(np.isnan(values), np.nan, result)


def verdict(statistic: str, estimate: float, p: float, p_equivalence: float, scope: str) -> str:
    """What a contrast may be called; see the module's docstring."""
    if scope == EXAMPLES or np.isnan(p):
        return NO_VERDICT
    if p < ALPHA:
        return HELPS if (estimate > 0) != (statistic == "gap") else HURTS
    return EQUIVALENT if p_equivalence < ALPHA else UNDECIDED


# ---- The frame -------------------------------------------------------------------------------------------------------


def contrasts_frame(outline: Outline, folder) -> pd.DataFrame:
    """All contrasts of a study, by every protocol; the columns are `COLUMNS`.

    folder: the scored runs. Rows: one for every task and one for their mean (`task` is "mean over tasks"). estimate,
    low, high, margin and smallest_effect are in percent points; they are NaN where nothing counts, and `degenerate`
    says why. left_out: languages and seeds; of a mean, the tasks that are not in it, for this or for want of scores.
    P: pretrainings, S: the fewest seeds of a side, n: test examples of the languages that count. smallest_effect of a
    primary contrast is that of Holm's first step.
    by_pretraining: the difference of each pretraining; numbers: which these are. p_holm is NaN for secondary contrasts.
    """
    rows: list[dict] = []
    for protocol in outline.protocols:
        scores = leave_out_degenerate(read_scores(folder, outline, protocol))
        merged = merge_pretrainings(scores, outline)
        for question in questions(outline):
            for name in SHOWN:
                for label, languages in language_sets(outline, question.one.model).items():
                    if name == "english" and languages is not None:
                        continue
                    weight = weight_of(name, outline, protocol, languages)
                    found = over_tasks(scores, outline, question.one, question.other, weight)
                    if found:
                        left_out = at_floor(merged, outline, protocol, question, name, languages)
                        rows += _rows((protocol, question, name, label), found, left_out, outline)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return _with_verdicts(frame).astype(
        {"primary": bool, **dict.fromkeys(NUMBERS, float), **dict.fromkeys(COUNTS, int)}
    )


def _rows(
    texts: tuple[str, Question, str, str], found: Mapping[str, Change], at_floor: Mapping[str, str], outline: Outline
) -> list[dict]:
    """The rows of a question in one statistic and set of languages: the mean over tasks, then every task."""
    protocol, question, name, label = texts
    common = {
        "protocol": protocol,
        "family": question.family,
        "recipe": question.one.recipe,
        "model": question.one.model,
        "against": question.other.model,
        "against_recipe": question.other.recipe if question.family in OF_RECIPES else "",
        "statistic": name,
        "languages": label,
        "margin": outline.margin,
        "p_holm": np.nan,
    }
    is_primary = question.primary and name in PRIMARY and label == EVERY_TARGET
    mean = _numbers(mean_over_tasks(found, at_floor), outline.margin)
    if missing := [task.name for task in outline.tasks if task.name not in found]:
        mean["left_out"] = ", ".join([*filter(None, [mean["left_out"]]), *missing])
    rows = [(ALL_TASKS, mean), *((task, _numbers(one, outline.margin)) for task, one in found.items())]
    return [{**common, "task": task, "primary": is_primary and task == ALL_TASKS, **numbers} for task, numbers in rows]


def _numbers(one: Change, margin: float) -> dict:
    """The columns of a row that follow from its difference; verdicts are added when all rows are there."""
    counts = one.found.counts
    pretrainings = len(one.numbers)
    scope = EXAMPLES if one.freedom == 0 else PRETRAINING if pretrainings > 1 else CHECKPOINT
    low, high = one.interval
    return {
        "estimate": one.found.value if counts else np.nan,
        "low": low,
        "high": high,
        "df": one.freedom,
        "P": pretrainings,
        "S": one.seeds,
        "n": one.examples,
        "scope": scope,
        "left_out": one.found.left_out,
        "degenerate": ", ".join(one.found.reasons),
        "by_pretraining": [float(value) for value in one.by_pretraining],
        "numbers": list(one.numbers),
        **tests(one, margin),
    }


def _with_verdicts(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with p_holm, p_equivalence and smallest effects corrected in the primary families, and verdicts."""
    for _, part in frame[frame["primary"].astype(bool)].groupby(["protocol", "recipe"], sort=False):
        frame.loc[part.index, "p_holm"] = holm(part["p"])
        frame.loc[part.index, "p_equivalence"] = holm(part["p_equivalence"])
        frame.loc[part.index, "smallest_effect"] = [
            smallest_effect(row.standard_error, row.df, max(1, int(part["p"].notna().sum())))
            for row in part.itertuples()
        ]
    p = frame["p_holm"].astype(float).fillna(frame["p"].astype(float))
    columns = (frame["statistic"], frame["estimate"], p, frame["p_equivalence"], frame["scope"])
    return frame.assign(verdict=[verdict(*row) for row in zip(*columns, strict=True)])
