"""Table of the distances of weights to the base's, beside the distances of their singular values."""

import pandas as pd

from mtbridge.inference.spectra import distances_frame
from mtbridge.presentation.layout import GAP, Block, Cell, percent
from mtbridge.study.outline import Outline

SHOWN = ("relative_distance", "relative_d", "uniform_share", "values_share", "turned_share")


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """Distances in the folder `inputs`, by layer and matrix; see `inference.spectra`."""
    return distances_frame(outline, inputs)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """Models and layers down; the median matrix of each layer."""
    medians = frame.groupby(["model", "layer"], sort=False)[list(SHOWN)].median().reset_index()
    rows, rules = [], set()
    for model in dict.fromkeys(frame["model"]):
        part = medians[medians["model"] == model]
        for index, row in enumerate(part.to_dict("records")):
            cells = [Cell(GAP if pd.isna(row[name]) else percent(row[name], 1)) for name in SHOWN]
            rows.append([Cell(outline.label(model) if index == 0 else ""), Cell(str(row["layer"])), *cells])
        rules.add(len(rows) - 1)
    header = ["model", "layer", "‖W−W₀‖ / ‖W₀‖", "d / ‖σ₀‖", "one factor", "new values", "new vectors"]
    groups = [("", 2), ("distance", 2), ("part of ‖W−W₀‖²", 3)]
    notes = [
        "Medians over the six matrices of a layer (by matrix in the CSV); W₀: the base's matrix; layers count from 0. "
        "d compares sorted singular values alone, so it misses what turns.",
        "One factor: what multiplying W₀ explains; new values: new singular values on the base's vectors, one factor "
        "among them; new vectors: the rest. No interval: of every model the first pretraining is shown.",
    ]
    return [Block(header, rows, groups=groups, rules=frozenset(rules), stub=2)] if rows else [], notes
