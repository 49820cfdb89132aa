"""The second ledger: findings of arXiv 2402.12279 on zero-shot generation, and what a study's outputs say to them.

The paper's numbers are not at hand, so no published column stands beside ours. An effect is a difference of two ways of
adapting, or of two models, paired on examples; its interval has the units' variance of both sides (Welch) beside that
of the examples. A comparison supports a finding where it lies clearly on its side, and contradicts it where it lies
clearly on the other: by a t test, after Holm's correction for all comparisons of the finding. With one pretraining of a
model that is said of this checkpoint alone.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtbridge.inference.bootstrap import has_width
from mtbridge.inference.claims.finding import CONTRADICTED, NOT_TESTABLE, OPEN, SUPPORTED
from mtbridge.inference.generation import ZERO_SHOT, Found, unit_variance
from mtbridge.inference.intervals import difference, interval
from mtbridge.inference.verdicts import ALPHA, holm
from mtbridge.study.outline import NO_RECIPE, Outline, OutlineTask

COLUMNS = ["claim", "text", "task", "model", "verdict", "effect", "low", "high", "tested", "basis", "p", "P", "S"]
LIMITS = (-100.0, 100.0)
ON_TEXT = ("denoising", "span_corruption", "prefix_lm")  # objectives on a text alone that a decoder learns from


class Test(NamedTuple):
    """A comparison: (recipe, model) of both sides, the smallest effect that supports the finding, what was tested."""

    one: tuple[str, str]
    other: tuple[str, str]
    measure: str
    least: float
    tested: str


@dataclass(frozen=True)
class Claim:
    """A finding: its text, and the comparisons that test it in a task."""

    name: str
    text: str
    tests: Callable[[Outline, OutlineTask, Found], Iterator[Test]]


def rates_of(outline: Outline, found: Found, way: str, model: str) -> list[str]:
    """The recipes of a way that a model has runs of, by rising learning rate."""
    own = [name for name, about in outline.adaptations.items() if about["way"] == way and (name, model) in found]
    return sorted(own, key=lambda name: outline.adaptations[name]["learning_rate"])


def chosen(outline: Outline, found: Found, way: str, model: str) -> str | None:
    """The recipe of a way with the best dev value of a model; None if it has no runs."""
    return max(rates_of(outline, found, way, model), key=lambda name: found[name, model].dev, default=None)


def ways_with(outline: Outline, method: str) -> list[str]:
    """The ways of adapting that use a method and nothing else: English examples alone, and no other text."""
    return [way for way, about in _ways(outline).items() if about["method"] == method and is_bare(about)]


def is_bare(about: Mapping) -> bool:
    """Whether a way learns from the source language's own examples alone."""
    return not about.get("languages") and not about.get("translator") and not about.get("mixed")


def is_method(tasks: Iterable[OutlineTask], about: Mapping) -> bool:
    """Whether a way is one of the methods that are compared: no translations, not examples of every language."""
    everywhere = any(set(task.languages) <= set(about.get("languages", ())) for task in tasks)
    return not about.get("translator") and not everywhere


def _ways(outline: Outline) -> dict[str, Mapping]:
    """Name of a way -> its settings, with one of its rates."""
    return {about["way"]: about for about in reversed(outline.adaptations.values())}


def _models(found: Found) -> list[str]:
    return list(dict.fromkeys(model for recipe, model in found if recipe != NO_RECIPE))


def _of_scratch(outline: Outline, objective: str) -> list[str]:
    """The models that were trained from scratch on an objective."""
    return [model.key for model in outline.models if model.base is None and model.objective == objective]


def lower_rate(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """Full fine-tuning at the highest rate against the lowest: outputs in the wrong language."""
    yield from _extreme_rates(outline, found, "wrong_language", False)


def leftovers(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """Full fine-tuning at the lowest rate against the highest: left-overs of pretraining."""
    yield from _extreme_rates(outline, found, "leftover", True)


def _extreme_rates(outline: Outline, found: Found, measure: str, lowest_first: bool) -> Iterator[Test]:
    for model in _models(found):
        for way in ways_with(outline, "full"):
            recipes = rates_of(outline, found, way, model)
            if len(recipes) > 1:
                pair = (recipes[0], recipes[-1]) if lowest_first else (recipes[-1], recipes[0])
                yield Test((pair[0], model), (pair[1], model), measure, 0.0, f"{pair[0]} minus {pair[1]}")


def frozen_keeps(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """Full fine-tuning against a frozen decoder, both at the highest rate: outputs in the wrong language."""
    for model in _models(found):
        for full in ways_with(outline, "full"):
            for frozen in ways_with(outline, "frozen"):
                one, other = (rates_of(outline, found, way, model)[-1:] for way in (full, frozen))
                if one and other:
                    tested = f"{one[0]} minus {other[0]}"
                    yield Test((one[0], model), (other[0], model), "wrong_language", 0.0, tested)


def others_bring_little(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """Full fine-tuning at its chosen rate is at most the margin below every other method at its own."""
    for model in _models(found):
        for full in ways_with(outline, "full"):
            yield from _against_all(outline, task, found, model, full, -outline.margin)


def frozen_is_best(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """A frozen decoder against every other method, all at their chosen rates, for models that learnt denoising."""
    for model in _of_scratch(outline, "denoising"):
        for frozen in ways_with(outline, "frozen"):
            yield from _against_all(outline, task, found, model, frozen, 0.0)


def sources_are_best(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """Several source languages against every other method, all at their chosen rates, for mT5's objective."""
    for model in _of_scratch(outline, "span_corruption"):
        for way, about in _ways(outline).items():
            if len(about.get("languages", ())) > 1 and is_method([task], about):
                yield from _against_all(outline, task, found, model, way, 0.0)


def _against_all(
    outline: Outline, task: OutlineTask, found: Found, model: str, way: str, least: float
) -> Iterator[Test]:
    """A way against every other method, both at their chosen rates."""
    own = chosen(outline, found, way, model)
    for name, about in _ways(outline).items():
        other = chosen(outline, found, name, model)
        if own and other and name != way and is_method([task], about):
            yield Test((own, model), (other, model), task.metric, least, f"{own} minus {other}")


def intermediate_helps(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """A model that went on to learn from text alone against the one that it continues, both at their chosen rates."""
    for model in outline.models:
        if model.base is None or model.objective not in ON_TEXT:
            continue
        yield from _two_models(outline, task, found, (model.key, model.base), 0.0)


def nllb_is_competitive(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """NLLB is at most the margin below mBART: the models trained from scratch on translation, and on denoising."""
    for pair in itertools.product(_of_scratch(outline, "translation"), _of_scratch(outline, "denoising")):
        yield from _two_models(outline, task, found, pair, -outline.margin)


def sizes_alike(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """mBART is at most the margin below mT5: the models trained from scratch on denoising, and on span corruption."""
    for pair in itertools.product(_of_scratch(outline, "denoising"), _of_scratch(outline, "span_corruption")):
        yield from _two_models(outline, task, found, pair, -outline.margin)


def _two_models(
    outline: Outline, task: OutlineTask, found: Found, pair: tuple[str, str], least: float
) -> Iterator[Test]:
    """Two models, both fully fine-tuned at their chosen rates."""
    for full in ways_with(outline, "full"):
        one, other = (chosen(outline, found, full, model) for model in pair)
        if one and other:
            tested = f"{pair[0]} ({one}) minus {pair[1]} ({other})"
            yield Test((one, pair[0]), (other, pair[1]), task.metric, least, tested)


def translate_is_reached(outline: Outline, task: OutlineTask, found: Found) -> Iterator[Test]:
    """A model's best method, by dev, is at most the margin below translate-train at its chosen rate."""
    ways = _ways(outline)
    for model in _models(found):
        methods = [chosen(outline, found, way, model) for way, about in ways.items() if is_method([task], about)]
        best = max(filter(None, methods), key=lambda name: found[name, model].dev, default=None)
        for way, about in ways.items():
            other = chosen(outline, found, way, model)
            if about.get("translator") and about.get("languages") and best and other:
                yield Test((best, model), (other, model), task.metric, -outline.margin, f"{best} minus {other}")


CLAIMS = (
    Claim(
        "lower_rate", "A lower learning rate removes wrong-language outputs of full fine-tuning.", lower_rate
    ),
    Claim("leftovers", "… at the price of some left-overs of pretraining.", leftovers),
    Claim(
        "frozen", "With decoder and embeddings frozen, models keep writing in the language of the text.", frozen_keeps
    ),
    Claim("others", "At chosen rates the other methods bring little over full fine-tuning.", others_bring_little),
    Claim("frozen_best", "Freezing decoder and embeddings works best for mBART.", frozen_is_best),
    Claim("sources", "Several source languages work best for mT5.", sources_are_best),
    Claim("intermediate", "Intermediate tuning helps in most cases.", intermediate_helps),
    Claim("sizes", "mBART is as good as mT5 of its size.", sizes_alike),
    Claim("nllb", "NLLB is competitive with mBART in summaries.", nllb_is_competitive),
    Claim("translate", "The best methods reach translate-train.", translate_is_reached),
)  # fmt: skip


def ledger(outline: Outline, written: Mapping[OutlineTask, Found]) -> pd.DataFrame:
    """A row for every finding, task and comparison; see `COLUMNS`. Effects are in points, p after correction.

    written: see `generation.written_of`.
    """
    rows: list[dict] = []
    for claim in CLAIMS:
        about = {"claim": claim.name, "text": claim.text}
        own = [
            {**about, "task": task.name, "model": test.one[1], **_row(outline, found, test)}
            for task, found in written.items()
            for test in claim.tests(outline, task, found)
        ]
        for row, p in zip(own, holm([row["p"] for row in own]), strict=True):
            row["p"] = p
            if p < ALPHA:
                row["verdict"] = SUPPORTED if row["effect"] > row["least"] else CONTRADICTED
        nothing = {"task": "", "model": "", "verdict": NOT_TESTABLE, "tested": "no runs compare it", "basis": ""}
        rows += own or [{**about, **nothing}]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _row(outline: Outline, found: Found, test: Test) -> dict:
    """Effect, interval and p of one comparison, in the mean over all languages but the source's; no verdict yet.

    p: of an effect as far from the smallest one that supports the finding, either way; NaN where one run has no spread.
    """
    from scipy.special import stdtr

    one, other, measure, least, tested = test
    key = (measure, ZERO_SHOT)
    first, second = found[one].statistics.get(key), found[other].statistics.get(key)
    counts = [found[side].counts for side in (one, other)]
    pretrainings, seeds = (min(count[name] for count in counts) for name in ("pretrainings", "seeds"))
    n = min(found[side].n for side in (one, other))
    basis = f"P = {pretrainings}, S = {seeds}, n = {n} a language; {measure.replace('_', ' ')}"
    row = {"tested": tested, "basis": basis, "verdict": OPEN, "effect": np.nan, "low": np.nan, "high": np.nan}
    row |= {"P": pretrainings, "S": seeds, "p": np.nan, "least": least}
    if first is None or second is None:
        return row | {"verdict": NOT_TESTABLE, "tested": f"{tested}: cannot be told of the outputs"}
    apart = difference(first, second)
    if not has_width(first.replicates) and not has_width(second.replicates) and apart.value == 0:
        return row | {"verdict": NOT_TESTABLE, "tested": f"{tested}: {first.value:g} % of either"}
    parts = []
    for side, (recipe, _) in zip((first, second), (one, other), strict=True):
        units = unit_variance(found, recipe, key)
        parts.append((units.variance / len(side.per_seed) if units.freedom else 0.0, units.freedom))
    total = sum(part for part, _ in parts)
    # Welch and Satterthwaite; 0: the interval holds examples alone, and there is no verdict.
    freedom = total**2 / sum(part**2 / df for part, df in parts if df) if total else 0.0
    variance = total + float(np.nanvar(apart.replicates, ddof=1))
    low, high = interval(apart.value, variance, freedom, LIMITS)
    row |= {"effect": apart.value, "low": low, "high": high}
    if freedom and seeds * pretrainings > 1:
        row["p"] = float(2 * stdtr(freedom, -abs(apart.value - least) / np.sqrt(variance)))
    return row
