"""The claims asked of a study's own results."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mtbridge.inference.claims.finding import (
    CONTRADICTED,
    OPEN,
    SUPPORTED,
    Finding,
    above_zero,
    direction,
    not_testable,
)
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.inference.verdicts import EQUIVALENT, EVERY_TARGET, HELPS, HURTS, NO_VERDICT, UNDECIDED
from mtbridge.study.outline import Outline


@dataclass(frozen=True)
class Study:
    """What a study has found; a frame that is not there is empty.

    contrasts: `verdicts.contrasts_frame` of one protocol; separability, slopes: of `inference.separability`;
    languages: `similarity.languages_alike`; weights: `spectra.distances_frame`.
    """

    outline: Outline
    contrasts: pd.DataFrame = field(default_factory=pd.DataFrame)
    separability: pd.DataFrame = field(default_factory=pd.DataFrame)
    slopes: pd.DataFrame = field(default_factory=pd.DataFrame)
    languages: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def question(self) -> Any:
        """The zero-shot contrast of translation with the most pretrainings: a row, or None."""
        translated = [model.key for model in self.outline.models if model.objective == "translation"]
        translated += [m.key for m in self.outline.models if m.objective is None and m.kind == "CP"]
        rows = [row for row in self.rows("objectives", "zero_shot") if row.model in translated]
        rows = [row for row in rows if row.primary] or rows
        return max(rows, key=lambda row: row.P, default=None)

    def rows(self, family: str, statistic: str, **where: str) -> list:
        """The rows of contrasts in the mean over tasks and all languages."""
        if self.contrasts.empty:
            return []
        frame = self.contrasts
        keep = (frame["family"] == family) & (frame["statistic"] == statistic) & (frame["task"] == ALL_TASKS)
        keep &= frame["languages"] == EVERY_TARGET
        for key, value in where.items():
            keep &= frame[key] == value
        return list(frame[keep].itertuples())

    def same_question(self, statistic: str) -> Any:
        """The row of the question's two models in another statistic; None if there is none."""
        if self.question is None:
            return None
        where = {"model": self.question.model, "against": self.question.against, "recipe": self.question.recipe}
        return next(iter(self.rows("objectives", statistic, **where)), None)

    @cached_property
    def moved(self) -> pd.DataFrame:
        """The rows of `weights` of the question's model."""
        if self.weights.empty or self.question is None:
            return self.weights.iloc[:0]
        return self.weights[self.weights["model"] == self.question.model]

    def of_question(self, frame: pd.DataFrame, **where: str) -> Any:
        """The row of a frame with the models of the question, before fine-tuning; None if there is none."""
        if self.question is None or frame.empty:
            return None
        keep = frame["model"] == self.question.model
        for key, value in {"against": self.question.against, **where}.items():
            keep &= frame[key] == value
        return next(frame[keep].itertuples(), None)


def _names(study: Study, row) -> str:
    return f"{study.outline.short(row.model)} against {study.outline.short(row.against)}"


def of_contrast(study: Study, row, verdicts: dict[str, str], what: str) -> Finding:
    """A finding from a row of contrasts. verdicts: verdict of the contrast -> that of the claim; others are open."""
    if row is None:
        return not_testable("no model of the study continues another on translation")
    if np.isnan(row.estimate):
        return not_testable(f"{what}, {_names(study, row)}: nothing counted ({row.degenerate})")
    basis = f"P = {int(row.P)}, S = {int(row.S)}, n = {int(row.n):,}; verdict: {row.verdict}"
    found = verdicts.get(row.verdict, OPEN)
    return Finding(f"{what}, {_names(study, row)}", found, row.estimate, row.low, row.high, "points", basis)


def fails_to_help(study: Study) -> Finding:
    """The study's main contrast: no gain is shown if it is equivalent or hurts."""
    verdicts = {HELPS: CONTRADICTED, HURTS: SUPPORTED, EQUIVALENT: SUPPORTED}
    return of_contrast(study, study.question, verdicts, "zero-shot")


def is_detrimental(study: Study) -> Finding:
    """A gap that widens, where HURTS is the verdict of a wider gap."""
    verdicts = {HELPS: CONTRADICTED, HURTS: SUPPORTED, EQUIVALENT: CONTRADICTED}
    return of_contrast(study, study.same_question("gap"), verdicts, "gap")


def english_is_spared(study: Study) -> Finding:
    """The same contrast in English."""
    verdicts = {HURTS: CONTRADICTED, HELPS: SUPPORTED, EQUIVALENT: SUPPORTED}
    return of_contrast(study, study.same_question("english"), verdicts, "English")


def separates(study: Study) -> Finding:
    """Languages apart in the last layer, before fine-tuning."""
    row = study.of_question(study.separability, measure="language_share", task="")
    if row is None:
        return not_testable("no hidden states of aligned text for the question's models")
    verdicts = {"rises": SUPPORTED, "falls": CONTRADICTED, UNDECIDED: OPEN, NO_VERDICT: OPEN}
    tested = f"share of variance between languages, last layer, {_names(study, row)}"
    numbers = (row.estimate, row.low, row.high, "share of variance")
    return Finding(tested, verdicts[row.verdict], *numbers, f"P = {int(row.P)}; verdict: {row.verdict}")


def separability_goes_with_loss(study: Study) -> Finding:
    """The slope of zero-shot scores over languages apart; negative supports."""
    row = None
    if study.question is not None and not study.slopes.empty:
        of_measure = study.slopes[study.slopes["measure"] == "language_share"]
        base = study.outline.model(study.question.model).base
        own = (of_measure["base"] == base) & (of_measure["recipe"] == study.question.recipe)
        row = next(of_measure[own].itertuples(), None)
    if row is None or np.isnan(row.low):
        return not_testable("fewer than two models that continue one base, or one pretraining")
    tested = f"zero-shot points for .1 more variance between languages, models continued from {row.base}"
    low, high = 0.1 * row.low, 0.1 * row.high
    basis = f"P = {int(row.P)}, each pretraining a cluster"
    return Finding(tested, direction(-high, -low), 0.1 * row.slope, low, high, "points", basis)


def more_agnostic(study: Study) -> Finding:
    """The same on aligned text, against the base."""
    row = None
    if study.question is not None and not study.languages.empty:
        frame = study.languages
        row = next(frame[frame["model"] == study.question.model].itertuples(), None)
    if row is None:
        return not_testable("no similarity of languages for the question's models and their base")
    names = f"{study.outline.short(row.base)} minus {study.outline.short(row.model)}"
    low, high = -row.high, -row.low
    return Finding(
        f"CKA of two languages, {names}, aligned text, mean over layers",
        direction(low, high) if row.P > 1 else OPEN,
        -row.difference,
        low,
        high,
        "CKA",
        f"P = {int(row.P)}" + ("" if row.P > 1 else ": another pretraining may differ"),
    )


def _matrices(study: Study) -> str:
    return f"{len(study.moved)} matrices of the first pretraining, exact"


def is_rescaling(study: Study) -> Finding:
    """The share of the distance of weights that one factor explains."""
    if study.moved.empty:
        return not_testable("no weights of a continued model and its base")
    median = float(study.moved["uniform_share"].median())
    verdict = SUPPORTED if median > 0.5 else CONTRADICTED
    tested = "share of ‖W − W₀‖² that one factor for all of W₀ explains, median over matrices"
    return Finding(
        tested, verdict, median, np.nan, np.nan, "share", f"{len(study.moved)} matrices of the first pretraining, exact"
    )


def d_is_the_change(study: Study) -> Finding:
    """d beside the distance of the weights."""
    if study.moved.empty:
        return not_testable("no weights of a continued model and its base")
    median = float((study.moved["relative_d"] / study.moved["relative_distance"]).median())
    tested = "d over ‖W − W₀‖, median over matrices; 1 if d were how far the weights moved"
    return Finding(tested, SUPPORTED if median > 0.9 else CONTRADICTED, median, unit="ratio",
                   basis=_matrices(study))  # fmt: skip


def values_are_the_cause(study: Study) -> Finding:
    """A base with the other's singular values, against the base: the claim is that this alone makes transfer worse."""
    derived = [model for model in study.outline.models if model.intervention == "values"]
    if not derived:
        return not_testable("no derived model with the other's singular values; the study `controlled` has one")
    model = derived[0]
    row = next(iter(study.rows("weights", "zero_shot", against=str(model.base), model=model.key)), None)
    if row is None:
        return not_testable("the derived model has no scores yet")
    return of_contrast(study, row, {HURTS: SUPPORTED, HELPS: CONTRADICTED, EQUIVALENT: CONTRADICTED}, "zero-shot")


def norms_grow(study: Study) -> Finding:
    """Norms of matrices against the base's; the interval is over layers of one pretraining."""
    if study.moved.empty:
        return not_testable("no weights of a continued model and its base")
    change = 100 * (study.moved["norm"] / study.moved["base_norm"] - 1)
    by_layer = change.groupby(study.moved["layer"]).mean()
    tested = f"norm of matrices against the base's, in percent; smaller in {(change < 0).sum()} of {len(change)}"
    basis = f"{len(by_layer)} layers of the first pretraining; the interval is over layers"
    return above_zero(tested, by_layer.to_numpy(), "percent", basis)


def from_scratch_is_worse(study: Study) -> Finding:
    """A translation model from scratch against a language model, where `compare` names them."""
    kinds = {model.key: model.kind for model in study.outline.models}
    pairs = [
        row for row in study.rows("compare", "zero_shot") if (kinds[row.model], kinds[row.against]) == ("MT", "LM")
    ]
    if not pairs:
        return not_testable("name them in the config: compare: [[nllb-600m, mbart]]")
    return of_contrast(study, pairs[0], {HURTS: SUPPORTED, HELPS: CONTRADICTED, EQUIVALENT: CONTRADICTED}, "zero-shot")


def not_here(study: Study) -> Finding:
    """A statement about the published models or tables, which a study cannot test."""
    return not_testable("a statement about the published models or tables")
