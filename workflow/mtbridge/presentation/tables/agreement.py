"""Table of agreement: how many published values agree with ours, one row for each part of a table."""

import re
from pathlib import Path

import pandas as pd

from mtbridge.inference.published_values import agreement
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.layout import GAP, Block, Cell, number, percent, signed
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None, *, tables: tuple[str, ...]) -> pd.DataFrame:
    """How far published values are from ours in the CSVs of `tables`, which lie in the folder `inputs`."""
    paths = [Path(inputs) / f"{name}.csv" for name in tables]
    numbers = [int(re.sub(r"\D", "", name)) for name in tables]
    frames = {number: read_csv(path) for number, path in zip(numbers, paths, strict=True) if path.exists()}
    return agreement(frames, outline)


def body(
    frame: pd.DataFrame, outline: Outline, protocol: str, *, tables: tuple[str, ...]
) -> tuple[list[Block], list[str]]:
    """The numbers of published, compared and agreeing cells, and the mean differences."""
    rows = []
    for row in frame.to_dict("records"):
        agree = f"{row['agree']} ({percent(row['agree'] / row['compared'])})" if row["compared"] else GAP
        texts = [str(row["table"]), "" if pd.isna(row["recipe"]) else row["recipe"], row["part"]]
        texts += [str(row["published"]), str(row["compared"]), agree, number(row["half_width"])]
        texts += [signed(row["mean_difference"], 2), number(row["mean_absolute_difference"], 2), row["criterion"]]
        rows.append([Cell(text) for text in texts])
    header = ["table", "recipe", "part", "published", "compared", "agree", "±", "mean difference", "mean |difference|"]
    notes = [
        "Published: cells that the paper prints; compared: those that have ours, in Tables 1 and 4 from at least two "
        "seeds; agree: those of them that are where the last column says. Differences are ours minus published.",
        "The prediction interval is for one more fine-tuning run scored on the same examples, "
        "mean ± t(S−1; .975) · sd · √(1 + 1/S): seeds vary in it, the published run's own recipe does not. ±: its "
        "median half-width in points. A wide one accepts almost any value: agreement says little with two seeds.",
    ]
    return [Block([*header, "criterion"], rows, stub=3, text_columns=frozenset([9]))], notes
