"""How far published values are from a study's own.

Everything here reads finished frames, those of the tables and of Figure 2; no score is computed again.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.study.outline import Outline

IN_PREDICTION_INTERVAL = "in the 95 % prediction interval of one new run"
WITHIN_ROUNDING = "within 0.01"
SAME_AS_PRINTED = "the same as printed"
TOLERANCE = 0.01  # the published spectra have two decimals

SPECTRA_MEASURES = ("sigma_norm", "d")
DATA_MEASURES = ("languages", "train_en", "dev_avg", "test_avg")

# Number of a table -> when a published value counts as agreeing with ours.
CRITERIA = {
    1: IN_PREDICTION_INTERVAL,
    2: WITHIN_ROUNDING,
    3: SAME_AS_PRINTED,
    4: IN_PREDICTION_INTERVAL,
    5: WITHIN_ROUNDING,
}


def agreement(frames: dict[int, pd.DataFrame], outline: Outline) -> pd.DataFrame:
    """How far the published cells are from ours: recipe, table, part, criterion, published, compared, agree, …

    frames: number of a table -> its frame with published values; a frame without published values gives no row.
    Rows: Tables 1 and 4 by task and for all tasks (in 4, cells of languages and means have rows of their own), 2 and 5
    by measure, 3 by column.

    published: number of published values. compared: those of them that have a value of ours and what the criterion
    needs (a prediction interval needs two seeds). agree: those compared that meet the criterion. half_width: the median
    half-width of the prediction intervals, in percent points; that of two seeds accepts a value that is far off.
    mean_difference and mean_absolute_difference: over all published values that have a value of ours. With the
    published models and recipe, agree / compared would be about .95 in Tables 1 and 4.
    """
    rows = []
    for table, frame in sorted(frames.items()):
        for recipe, part, cells in _parts(table, frame, outline):
            has_published = cells["published"].notna()
            comparable = has_published & cells["agrees"].notna()
            difference = cells["difference"][has_published].dropna()
            rows.append(
                {
                    "recipe": recipe,
                    "table": table,
                    "part": part,
                    "criterion": CRITERIA[table],
                    "published": int(has_published.sum()),
                    "compared": int(comparable.sum()),
                    "agree": int(cells["agrees"][comparable].sum()),
                    "half_width": cells["half_width"][comparable].median() if "half_width" in cells else np.nan,
                    "mean_difference": difference.mean() if len(difference) else np.nan,
                    "mean_absolute_difference": difference.abs().mean() if len(difference) else np.nan,
                }
            )
    columns = ["recipe", "table", "part", "criterion", "published", "compared", "agree", "half_width"]
    return pd.DataFrame(rows, columns=[*columns, "mean_difference", "mean_absolute_difference"])


def _parts(table: int, frame: pd.DataFrame, outline: Outline) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """(recipe, part, its rows with the columns published, difference, agrees) of one table."""
    if CRITERIA[table] == IN_PREDICTION_INTERVAL:
        return _parts_of_scores(frame, outline)
    if CRITERIA[table] == WITHIN_ROUNDING:
        return _parts_by_column(frame, SPECTRA_MEASURES, _agrees_rounded)
    return _parts_by_column(frame, DATA_MEASURES, _agrees_printed)


def _parts_of_scores(frame: pd.DataFrame, outline: Outline) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """For every recipe: each task, then all tasks. In a table by language, cells and means are counted separately."""
    if "published" not in frame:
        return
    frame = frame.assign(agrees=within_new_run(frame), half_width=half_widths(frame))
    for recipe in outline.recipes:
        ours = frame[frame["recipe"] == recipe]
        by_language = "language" in frame
        cells = ours[ours["language"] != ALL_LANGUAGES] if by_language else ours
        for task in outline.tasks:
            yield recipe, task.label, cells[cells["task"] == task.name]
        yield recipe, "all cells" if by_language else "all", cells
        if by_language:
            yield recipe, "all means", ours[ours["language"] == ALL_LANGUAGES]


def within_new_run(frame: pd.DataFrame) -> pd.Series:
    """Does the published value lie in the prediction interval of one new run? 1 or 0, NaN where either is missing."""
    low, high, value = frame["new_run_low"], frame["new_run_high"], frame["published"]
    return ((value >= low) & (value <= high)).astype(float).where(low.notna() & value.notna())


def half_widths(frame: pd.DataFrame) -> pd.Series:
    """Half the width of the prediction interval of one new run: how far off a published value may be and agree."""
    return (frame["new_run_high"] - frame["new_run_low"]) / 2


def _parts_by_column(frame: pd.DataFrame, measures, agrees) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for measure in measures:
        if f"difference_{measure}" not in frame:
            continue
        names = {measure: "ours", f"published_{measure}": "published", f"difference_{measure}": "difference"}
        part = frame[list(names)].rename(columns=names)
        yield "", measure, part.assign(agrees=agrees(part).astype(float).where(part["difference"].notna()))


def _agrees_rounded(part: pd.DataFrame) -> pd.Series:
    # The small addition: a difference of exactly 0.01 may come out a little larger in binary.
    return part["difference"].abs() <= TOLERANCE + 1e-9


def _agrees_printed(part: pd.DataFrame) -> pd.Series:
    """Is our number, written as the paper writes numbers, the one that the paper prints?"""
    return part["ours"].map(lambda value: parse_count(format_count(value))) == part["published"].map(parse_count)


def format_count(value: float) -> str:
    """A number of examples as the paper writes it: 907, 2.8K, 100K."""
    if math.isnan(value) or value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}K" if value < 100_000 else f"{value / 1000:.0f}K"


def parse_count(text) -> float:
    """The number that a text of `format_count` stands for; NaN for any other text."""
    text = str(text).strip()
    try:
        return 1000 * float(text[:-1]) if text.endswith("K") else float(text)
    except ValueError:
        return float("nan")


def with_published_cka(frame: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """CKA between languages with the columns published and difference, NaN where the paper has no value.

    frame: model, layer, language_a, language_b, value; reference: the same, with cka instead of value. The order of the
    two languages does not matter.
    """

    def with_sorted_pair(part: pd.DataFrame) -> pd.DataFrame:
        pairs = np.sort(part[["language_a", "language_b"]].to_numpy(str), axis=1)
        return part.assign(_first=pairs[:, 0], _second=pairs[:, 1])

    keys = ["model", "layer", "_first", "_second"]
    published = with_sorted_pair(reference)[[*keys, "cka"]].rename(columns={"cka": "published"})
    merged = with_sorted_pair(frame).merge(published, on=keys, how="left").drop(columns=["_first", "_second"])
    return merged.assign(difference=merged["value"] - merged["published"])
