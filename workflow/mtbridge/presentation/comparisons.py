"""The contrasts of `inference/contrasts.parquet` as text: what is compared, differences, verdicts.

The table `verdicts`, the figure `forest` and the sentences of the page all take their words from here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.verdicts import (
    COLUMNS,
    EQUIVALENT,
    EVERY_TARGET,
    EXAMPLES,
    HELPS,
    HURTS,
    NO_VERDICT,
    OF_CONTINUED,
    OF_OBJECTIVES,
    OF_RECIPES,
    PRETRAINING,
    SHOWN,
    UNDECIDED,
)
from mtbridge.presentation.layout import EQUALS, number, signed, span
from mtbridge.presentation.words import STATISTIC_LABELS, join, language_name
from mtbridge.study.outline import Outline

# Family of contrasts -> what its members compare, in the order in which they are shown.
FAMILIES = {
    "objectives": "Continued models against their controls, or where there is none against their bases",
    "compare": "Models that the study compares",
    "recipes": "Recipes",
    "base": "Continued models against their bases",
    "weights": "Derived weights against those that they are made of",
}
# Verdicts that are easily taken for each other -> what each means.
VERDICTS_EXPLAINED = {
    UNDECIDED: "Undecided: there are enough runs to judge, and they leave open whether there is a difference.",
    NO_VERDICT: "No verdict: there are too few runs to judge, however narrow the interval of these is.",
}
KEYS = ["family", "recipe", "model", "against", "against_recipe"]
# Statistic -> what a difference is called that is good, and one that is bad. A good gap is a narrower one.
_GOOD_AND_BAD = {"english": ("higher", "lower"), "zero_shot": ("higher", "lower"), "gap": ("narrower", "wider")}
_OBJECTIVES = {
    "masked_lm": "masked language modelling",
    "tlm": "translation language modelling",
    "alignment": "word alignment",
}


@dataclass(frozen=True)
class Contrast:
    """What one model (or recipe) does otherwise than another, in the mean over tasks and all languages.

    family: the question that it answers, one of `FAMILIES`.
    rows: statistic -> its row, with the columns as attributes; a statistic that the file lacks is missing.
    """

    family: str
    recipe: str
    model: str
    against: str
    against_recipe: str
    rows: dict[str, Any]

    def verdict(self, statistic: str) -> str:
        """The verdict on a statistic; `NO_VERDICT` if there is no row."""
        return self.rows[statistic].verdict if statistic in self.rows else NO_VERDICT

    def estimate(self, statistic: str) -> float:
        """The difference in percent points; NaN if there is no row."""
        return self.rows[statistic].estimate if statistic in self.rows else math.nan

    @property
    def main(self):
        """The row that says how many pretrainings, seeds and examples there are: the first one of zero-shot, English
        and gap."""
        return next(self.rows[name] for name in ("zero_shot", "english", "gap") if name in self.rows)


def mean_rows(path, protocol: str) -> pd.DataFrame:
    """The contrasts of a protocol in the mean over tasks: families in the order of `FAMILIES`, primary ones first.

    Of those of one family, model and recipe the order of the file is kept.
    Raises MtbridgeError if the file cannot be read or lacks a column.
    """
    frame = read_parquet(path, COLUMNS)
    frame = frame[(frame["protocol"] == protocol) & (frame["task"] == ALL_TASKS) & frame["statistic"].isin(SHOWN)]
    order = frame["family"].map({family: place for place, family in enumerate(FAMILIES)})
    place = pd.DataFrame({"family": order, "secondary": ~frame["primary"].astype(bool)})
    # A contrast is primary if one of its rows is; English is none of the primary family.
    contrast = frame[KEYS].apply(tuple, axis=1) if len(frame) else pd.Series(dtype=object)
    place["secondary"] = place["secondary"].groupby(contrast).transform("min") if len(frame) else place["secondary"]
    return frame.loc[place.sort_values(["family", "secondary"], kind="stable").index].reset_index(drop=True)


def contrasts(frame: pd.DataFrame) -> Iterator[Contrast]:
    """The contrasts in the rows that `mean_rows` returned, in their order. Seen and unseen languages are left out."""
    rows = frame[frame["languages"] == EVERY_TARGET]
    for _, part in rows.groupby(KEYS, sort=False, dropna=False):
        own = {str(row.statistic): row for row in part.itertuples()}
        first: Any = next(iter(own.values()))
        yield Contrast(first.family, first.recipe, first.model, first.against, first.against_recipe, own)


def main_family(found: list[Contrast]) -> list[Contrast]:
    """The contrasts that a study's answer is about: of the first family with a verdict the primary ones, or all."""
    if not found:
        return []
    decided = [one for one in found if one.verdict("zero_shot") != NO_VERDICT] or found
    own = {decided[0].family}
    family = [one for one in found if one.family in own]
    return [one for one in family if any(row.primary for row in one.rows.values())] or family


# ---- What is compared ----


def short(outline: Outline, key: str) -> str:
    """A model's label without its size, unless another model has the same one."""
    name = outline.short(key)
    return outline.label(key) if [outline.short(model.key) for model in outline.models].count(name) > 1 else name


def label(outline: Outline, contrast) -> str:
    """What is compared, for tables and figures. `contrast` is a `Contrast` or a row."""
    of_recipe = f" (recipe {contrast.recipe})" if len(outline.recipes) > 1 else ""
    model = short(outline, contrast.model)
    if contrast.family in OF_RECIPES:
        return f"{model}, recipe {contrast.recipe} against {contrast.against_recipe}"
    base = "its base " if is_against_base(outline, contrast) else ""
    return f"{model} against {base}{short(outline, contrast.against)}{of_recipe}"


def is_against_base(outline: Outline, contrast) -> bool:
    """Is a model compared with the one that it continues? That is so too where the study has no control."""
    is_known = contrast.model in outline.keys and contrast.family in OF_CONTINUED
    return is_known and outline.model(contrast.model).base == contrast.against


def objective(outline: Outline, key: str) -> str:
    """What a model was trained on last, in running text; empty if the study does not say."""
    model = outline.model(key) if key in outline.keys else None
    name = (model.objective if model else None) or ("translation" if model and model.kind == "CP" else "")
    return "" if name == "none" else _OBJECTIVES.get(name, name.replace("_", " "))


def question(outline: Outline, contrast) -> str:
    """What is compared, as the beginning of a sentence."""
    of_recipe = f" with recipe {contrast.recipe}" if len(outline.recipes) > 1 else ""
    model, against = short(outline, contrast.model), short(outline, contrast.against)
    trained_on = objective(outline, contrast.model)
    if is_against_base(outline, contrast) and trained_on:
        control = "; there is no control" if contrast.family in OF_OBJECTIVES else ""
        return f"{model}, continued on {trained_on}, against its base {against}{of_recipe}{control}"
    if contrast.family in OF_OBJECTIVES and trained_on:
        instead = instead_of(outline, contrast)
        control = "" if instead == against else f" ({against})"  # a control's label may say what it was trained on
        return f"Continuing on {trained_on} ({model}) instead of {instead}{control}{of_recipe}"
    return label(outline, contrast)


def instead_of(outline: Outline, contrast) -> str:
    """What the control was trained on instead: "more denoising" if its base was trained on denoising too."""
    control = outline.model(contrast.against)
    trained_on = objective(outline, contrast.against)
    is_same = control.base is not None and objective(outline, control.base) == trained_on
    return f"more {trained_on}" if trained_on and is_same else trained_on or "its control's objective"


# ---- Differences and verdicts ----


def statistic_name(outline: Outline, statistic: str) -> str:
    """A statistic in running text; that of the source language has the language's name."""
    return language_name(outline.source_language) if statistic == "english" else STATISTIC_LABELS[statistic]


def digits(row) -> int:
    """Decimals of a difference: one, or none where the interval is wider than ± 10 points."""
    return 0 if (row.high - row.low) / 2 >= 10 else 1


def difference(row) -> str:
    """A difference with its sign, as precise as its interval allows."""
    return signed(row.estimate, digits(row))


def interval(row) -> str:
    """The interval of a difference, or that there is none.

    A limit that excludes zero is not rounded to zero: otherwise the verdict would contradict what one reads.
    """
    if math.isnan(row.low) or math.isnan(row.high):
        return "no interval"
    excludes_zero = row.low > 0 or row.high < 0

    def limit(value: float) -> str:
        text = number(value, digits(row))
        if not excludes_zero or float(text.replace("−", "-")):
            return text
        more = [number(value, places) for places in (1, 2, 3)]
        return next((one for one in more if float(one.replace("−", "-"))), more[-1])

    return f"[{limit(row.low)}, {limit(row.high)}]"


def points(value: float) -> str:
    """A margin in percent points: "1 point", "2.5 points"."""
    return f"{value:g} point" + ("" if value == 1 else "s")


def effect(value: float) -> str:
    """The smallest effect that is found, in percent points; large ones without decimals."""
    return number(value, 0 if value >= 10 else 1)


def verdict_text(row) -> str:
    """A verdict in words. Only a verdict that holds several pretrainings says that an objective helps or hurts."""
    good, bad = _GOOD_AND_BAD[row.statistic]
    if row.statistic == "zero_shot" and row.scope == PRETRAINING and row.family in OF_CONTINUED:
        good, bad = HELPS, HURTS
    # An interval that excludes zero is that of one test; Holm's correction is for all of them.
    undecided = UNDECIDED
    if not math.isnan(row.p_holm) and (row.low > 0 or row.high < 0):
        undecided = f"{UNDECIDED} after correction"
    words = {HELPS: good, HURTS: bad, EQUIVALENT: f"equivalent within {points(row.margin)}", UNDECIDED: undecided}
    return words.get(row.verdict, row.verdict)


def why_no_verdict(row) -> str:
    """Why a row has no verdict."""
    if math.isnan(row.estimate):
        return "nothing counted" + (f" ({row.degenerate})" if row.degenerate else "")
    if row.scope == EXAMPLES or (row.S < 2 and row.P < 2):
        return "one pretraining and one fine-tuning seed, so the intervals hold test examples alone"
    if row.P < 2:
        return "one pretraining of each model"
    return "it has no interval"


def amount(count, noun: str) -> str:
    """A number with its noun: "1 seed", "3 seeds"."""
    return f"{int(count)} {noun}{'' if count == 1 else 's'}"


def tasks_left_out(outline: Outline, row) -> list[str]:
    """The labels of the tasks that a mean leaves out."""
    names = row.left_out.split(", ")
    return [task.label for task in outline.tasks if task.name in names]


def basis(outline: Outline, row) -> str:
    """What a mean over tasks rests on: pretrainings, seeds, tasks, test examples."""
    without = tasks_left_out(outline, row)
    tasks = amount(len(outline.tasks) - len(without), "task") + (f" (without {join(without)})" if without else "")
    parts = [amount(row.P, "pretraining"), amount(row.S, "seed"), tasks, f"n = {int(row.n):,}"]
    return ", ".join(parts)


def counts(frame: pd.DataFrame) -> str:
    """How many pretrainings, seeds and test examples rows have, from the fewest to the most. frame: P, S and n."""

    def text(name: str, noun: str) -> str:
        numbers = frame[name].astype(int)
        return f"{name}{EQUALS}{span(numbers)} {noun}{'' if numbers.max() == 1 else 's'}"

    return ", ".join(text(*each) for each in (("P", "pretraining"), ("S", "fine-tuning seed"), ("n", "test example")))
