"""What the numbers of a study say, as frames. The page turns them into sentences.

A difference counts only if the intervals exclude chance: the interval of a score minus the floor lies above zero, that
of a change excludes zero. With one seed nothing counts.
"""

import pandas as pd

from mtbridge.inference.degenerate import CONSTANT
from mtbridge.inference.intervals import ALL
from mtbridge.inference.translation import MEAN
from mtbridge.study.outline import Outline


def above_floor(outline: Outline, frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Scores against the floor: which statistic, and recipe, model, task, untrained, constant, verdict.

    frame: recipe, task, model, statistic, ours, df, degenerate, left_out, over_floor_low, as `estimates.by_statistic`
    returns them. The statistic is the score in the source language if the frame has it, else the mean. constant: the
    model gives one answer to everything. verdict: "above", "not above", or "" where no model with such units (seeds, or
    pretrainings) has two that count.
    Scores of which nothing could be counted, or on examples of one class, are left out.
    """
    statistic = "english" if "english" in set(frame["statistic"]) else "average"
    part = frame[(frame["statistic"] == statistic) & frame["recipe"].isin(outline.recipes)]
    constant = part["left_out"].eq(ALL) & part["degenerate"].str.contains(CONSTANT)
    part = part.assign(
        constant=constant, untrained=part["model"].isin([m.key for m in outline.models if m.is_untrained])
    )
    rows = part[part["ours"].notna() & (part["over_floor_low"].notna() | constant)]
    verdict = rows["over_floor_low"].gt(0).map({True: "above", False: "not above"})
    rows = rows.assign(verdict=verdict.where(rows["df"] > 0, ""))
    return statistic, rows[["recipe", "model", "task", "untrained", "constant", "verdict"]]


def last_layer_alike(outline: Outline, frame: pd.DataFrame) -> pd.DataFrame:
    """How near models stayed to a base in the last layer: base, model, value (mean CKA over languages).

    frame: CKA between models, as in Figure 1.
    """
    # Of each pair: models of unequal depth have fewer layers in common than the deepest has.
    deepest = frame.groupby(["model_row", "model_column"])["layer"].transform("max")
    last = frame[frame["layer"] == deepest].dropna(subset=["value"])
    means = last.groupby(["model_row", "model_column"])["value"].mean()
    bases = dict.fromkeys(model.base for model in outline.models if model.base)
    pairs = [(base, model.key) for base in bases for model in outline.models]
    rows = [(*pair, means[pair]) for pair in pairs if pair in means.index]
    return pd.DataFrame(rows, columns=["base", "model", "value"])


def weights_moved(outline: Outline, frame: pd.DataFrame) -> pd.DataFrame:
    """How far weights moved, in the median matrix: model, relative_distance, relative_d, turned_share.

    frame: see `spectra.distances_frame`.
    """
    columns = ["relative_distance", "relative_d", "turned_share"]
    medians = frame.groupby("model", sort=False)[columns].median()
    return medians.reindex([model.key for model in outline.models if model.key in medians.index]).reset_index()


def translation_quality(outline: Outline, frame: pd.DataFrame) -> pd.DataFrame:
    """Mean chrF over the directions of a model: model, value, low, high, and copy, that of the untranslated source.

    frame: as `translation.summarise` returns it.
    """
    means = frame[frame["statistic"] == MEAN]
    copies = means[means["measure"] == "chrf_copy"].set_index("model")["value"]
    chrf = means[means["measure"] == "chrf"].set_index("model")[["value", "low", "high"]].assign(copy=copies)
    return chrf.reindex([model.key for model in outline.models if model.key in chrf.index]).reset_index()
