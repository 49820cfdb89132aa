"""The page's questions behind the verdicts: separability, weights, other objectives, languages with little text."""

import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference import separability
from mtbridge.inference.verdicts import EVERY_TARGET, OF_COMPARED, OF_CONTINUED, OF_DERIVED, OF_OBJECTIVES
from mtbridge.presentation.comparisons import (
    Contrast,
    amount,
    contrasts,
    difference,
    interval,
    label,
    mean_rows,
    objective,
    short,
    verdict_text,
    why_no_verdict,
)
from mtbridge.presentation.layout import interval_text, signed
from mtbridge.presentation.requirements import CONTRASTS, SEPARABILITY, SLOPES
from mtbridge.presentation.words import join
from mtbridge.study.outline import Outline

# Beginning of a question -> the table or figure that its numbers stand in.
LINKS = {
    "Does it make": "separability_differences",
    "Does separability": "transfer",
    "Is it the singular": "interventions",
    "Do other objectives": "verdicts",
    "And by what": "verdicts",
}
MEASURE = "language_share"
STEP = 0.1  # of the measure, for which slopes are stated


def read(results, outline: Outline, protocol: str) -> list[tuple[str, str]]:
    """Questions with their answers, from the files under `results`; those that the study cannot answer are left out.

    Of several recipes the first one answers, and is named.
    """
    results, recipe = Path(results), outline.recipes[0]
    found = list(_separability(results / SEPARABILITY, outline)) + list(_transfer(results / SLOPES, outline))
    if (results / CONTRASTS).exists():
        means = mean_rows(results / CONTRASTS, protocol)
        means = means[means["recipe"] == recipe].reset_index(drop=True)
        every = list(contrasts(means))
        found += [*_weights(every, outline), *_objectives(every, outline), *_languages(means, outline)]
    if len(outline.recipes) > 1:
        return [(f"{question} (recipe {recipe})", answer) for question, answer in found]
    return found


def _row(row) -> str:
    """A difference with interval and verdict: "+6.7 [5.3, 8.1], helps"."""
    if math.isnan(row.estimate):
        return f"no verdict: {why_no_verdict(row)}"
    return f"{difference(row)} {interval(row)}, {verdict_text(row)}"


def _separability(path: Path, outline: Outline) -> Iterator[tuple[str, str]]:
    """Do languages lie further apart? Of the contrasts of objectives, or of bases where there are none."""
    if not path.exists():
        return
    frame = read_parquet(path, separability.DIFFERENCES)
    frame = frame[(frame["measure"] == MEASURE) & frame["recipe"].isin(["", outline.recipes[0]])]
    frame = frame[frame["family"].isin(OF_CONTINUED)]
    of_objectives = frame[frame["family"].isin(OF_OBJECTIVES)]
    frame = of_objectives if len(of_objectives) else frame
    texts = []
    for (model, against), part in frame.groupby(["model", "against"], sort=False):
        if outline.primary and model not in outline.primary:
            continue
        values = []
        for row in part.itertuples():
            when = f" after {outline.task_labels[row.task]}" if row.task else ""
            basis = f"{row.verdict}, {amount(int(row.P), 'pretraining')}"
            values.append(f"{signed(row.estimate, 3)} {interval_text(row.low, row.high, 3)}{when} ({basis})")
        texts.append(f"{short(outline, model)} against {short(outline, against)} {'; '.join(values)}")
    if texts:
        before = set(frame.loc[frame["task"] == "", "verdict"])
        answer = (
            f"{_in_short(before)}Measured by the share of the variance of hidden states that lies "
            "between languages: 0 where all languages have the same mean, 1 where nothing else varies. Below zero, the "
            "languages of the model named first lie closer together. Differences of this share in the last layer, with "
            "95 % intervals: "
        )
        yield "Does it make languages more separable?", f"{answer}{'. '.join(texts)}."


def _in_short(verdicts: set[str]) -> str:
    """Whether languages lie further apart before fine-tuning, as an answer begins; "" if there is no verdict."""
    moved = verdicts & {separability.RISES, separability.FALLS}
    if len(moved) > 1:
        return "Some do, and others the opposite. "
    more = {separability.RISES: "Yes", separability.FALLS: "No, less so"}
    where = ", where there is a verdict" if verdicts - moved else ""
    return "".join(f"{more[verdict]}{where}. " for verdict in moved)


def _transfer(path: Path, outline: Outline) -> Iterator[tuple[str, str]]:
    """Do scores go with it?"""
    if not path.exists():
        return
    frame = read_parquet(path, separability.SLOPES)
    texts = []
    for row in frame[(frame["measure"] == MEASURE) & (frame["recipe"] == outline.recipes[0])].itertuples():
        if math.isnan(row.slope):
            continue
        numbers = f"{signed(STEP * row.slope)} points"
        held = "one pretraining, no interval"
        if not math.isnan(row.low):
            numbers += f" {interval_text(STEP * row.low, STEP * row.high)}"
            held = f"{int(row.P)} pretrainings"
        texts.append(f"among the models continued from {short(outline, row.base)} {numbers} ({held})")
    if texts:
        answer = (
            f"By how many percent points zero-shot scores are higher (+) or lower (−) where languages lie {STEP:g} of "
            f"the variance further apart, with 95 % intervals; one that holds zero leaves it open: {join(texts)}."
        )
        yield "Does separability go with worse transfer?", answer


def _weights(found: list[Contrast], outline: Outline) -> Iterator[tuple[str, str]]:
    """Is it the singular values?"""
    derived = [one for one in found if one.family in OF_DERIVED and "zero_shot" in one.rows]
    bases = {model.key: model.base for model in outline.models if model.kind == "derived"}
    own = [one for one in derived if bases.get(one.model) == one.against and outline.model(one.model).alpha is None]
    if own:
        texts = [f"{short(outline, one.model)} {_row(one.rows['zero_shot'])}" for one in own]
        against = join(dict.fromkeys(short(outline, one.against) for one in own))
        pairs = [one for one in found if one.family in OF_COMPARED and {one.model, one.against} <= set(bases)]
        more = [f" {label(outline, one)}: {_row(one.rows['zero_shot'])}." for one in pairs if "zero_shot" in one.rows]
        answer = f"Zero-shot points more than {against}: {'; '.join(texts)}.{''.join(more)}"
        yield "Is it the singular values?", answer


def _objectives(found: list[Contrast], outline: Outline) -> Iterator[tuple[str, str]]:
    """Do other objectives on parallel text do otherwise than translation?"""
    others = [
        one
        for one in found
        if one.family in OF_OBJECTIVES and objective(outline, one.model) != "translation" and "zero_shot" in one.rows
    ]
    if others:
        texts = [
            f"{short(outline, one.model)} against {short(outline, one.against)} {_row(one.rows['zero_shot'])}"
            for one in others
        ]
        keys = {one.model for one in others}
        pairs = [one for one in found if one.family in OF_COMPARED and {one.model, one.against} <= keys]
        more = [f" {label(outline, one)}: {_row(one.rows['zero_shot'])}." for one in pairs if "zero_shot" in one.rows]
        answer = f"Zero-shot points: {'; '.join(texts)}.{''.join(more)}"
        yield "Do other objectives on parallel text do otherwise?", answer


def _languages(means: pd.DataFrame, outline: Outline) -> Iterator[tuple[str, str]]:
    """What of languages with little text, and of those never seen? Primary contrasts alone."""
    rows = means[means["family"].isin(OF_OBJECTIVES) & (means["statistic"] == "zero_shot")]
    primary = set(rows[rows["primary"].astype(bool)]["model"])
    rows = rows[rows["model"].isin(primary) & (rows["languages"] != EVERY_TARGET)]
    texts = []
    for (model, against), part in rows.groupby(["model", "against"], sort=False):
        values = "; ".join(f"{row.languages} {_row(row)}" for row in part.itertuples())
        texts.append(f"{short(outline, model)} against {short(outline, against)}: {values}")
    if texts:
        yield "And by what a model has seen of a language?", f"Zero-shot points. {'. '.join(texts)}."
