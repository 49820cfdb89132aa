"""Table 2 (the encoder's last layer) and Table 5 (the others): singular values, and their distance to the base's."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.presentation.layout import GAP, Block, Cell, number, percent, signed
from mtbridge.presentation.words import MATRIX_LABELS
from mtbridge.study.outline import Outline
from mtbridge.weights.measures import compare

MEASURES = ("sigma_norm", "d")
KEYS = ["layer", "model", "matrix"]


def frame(outline: Outline, protocol: str, inputs, published=None, *, last_layer: bool) -> pd.DataFrame:
    """Singular values of the last layer, or of the others: layer, model, matrix, sigma_norm, d, uniform_share.

    `inputs` holds `<model>.npz`. sigma_norm = ‖σ‖₂ (the Frobenius norm of the matrix), d = ‖σ − σ_base‖₂ with both
    spectra in descending order, as arXiv 2403.16777 defines them. uniform_share is the part of d² that rescaling σ_base
    by one factor explains: (c − 1)² ‖σ_base‖² / d², c = ⟨σ, σ_base⟩ / ‖σ_base‖². d and uniform_share are empty without
    a base (or its file); the base itself has d = 0. `published` adds published_* and difference_* for sigma_norm and d.
    """
    spectra = {}
    for model in (model for family in outline.families for model in family):
        path = Path(inputs) / f"{model}.npz"
        if path.exists():
            spectra[model] = _read_spectra(path)
    layers = sorted({layer for values in spectra.values() for layer, _ in values})
    if not layers and published is not None:
        layers = sorted(published["layer"].unique())
    else:
        layers = layers[-1:] if last_layer else layers[:-1]
    rows = []
    for family in outline.families:
        base = spectra.get(family[0], {})
        for layer, model, matrix in ((i, model, m) for i in layers for model in family for m in MATRIX_LABELS):
            sigma, origin = spectra.get(model, {}).get((layer, matrix)), base.get((layer, matrix))
            row = {"layer": int(layer), "model": model, "matrix": matrix}
            rows.append(row | _measures(sigma, origin, f"{inputs}: {model} {layer}.{matrix}"))
    found = pd.DataFrame(rows, columns=[*KEYS, *MEASURES, "uniform_share"])
    found = found.sort_values("layer", kind="stable").reset_index(drop=True)
    if published is None:
        return found
    names = {measure: f"published_{measure}" for measure in MEASURES}
    found = found.merge(published[[*KEYS, *MEASURES]].rename(columns=names), on=KEYS, how="left")
    for measure in MEASURES:
        found[f"difference_{measure}"] = found[measure] - found[f"published_{measure}"]
    return found


def _read_spectra(path: Path) -> dict[tuple[int, str], np.ndarray]:
    """(layer, matrix) -> its singular values, falling."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            values = {}
            for key in stored.files:
                layer, matrix = key.split(".")
                values[int(layer), matrix] = np.sort(stored[key].astype(np.float64))[::-1]
            return values
    except (OSError, ValueError) as error:
        raise MtbridgeError(
            f"{path}: not a file of singular values ({error}); delete it so that it is made again"
        ) from error


def _measures(sigma, origin, where: str) -> dict[str, float]:
    """The measures of a matrix, NaN where singular values are not there; an error names the matrix."""
    try:
        return compare(sigma, origin)
    except MtbridgeError as error:
        raise MtbridgeError(f"{where}: {error}") from error


def body(frame: pd.DataFrame, outline: Outline, protocol: str, *, last_layer: bool) -> tuple[list[Block], list[str]]:
    """Per layer: models down, matrices across, each with ‖σ‖ and d."""
    found = {(r["layer"], r["model"], r["matrix"]): r for r in frame.to_dict("records")}
    rows, rules = [], set()
    for layer in sorted(set(frame["layer"])):
        for family in outline.families:
            for index, model in enumerate(family):
                stub = [Cell(str(layer) if index == 0 else ""), Cell(outline.label(model))]
                cells = [_cells(found.get((layer, model, m)), model == family[0]) for m in MATRIX_LABELS]
                rows.append([*stub, *(cell for pair in cells for cell in pair)])
            rules.add(len(rows) - 1)
    header = ["layer", "model", *["‖σ‖", "d"] * len(MATRIX_LABELS)]
    groups = [("", 2), *((label, 2) for label in MATRIX_LABELS.values())]
    blocks = [Block(header, rows, groups=groups, rules=frozenset(rules), stub=2)] if rows else []
    return blocks, _notes(frame, bool(blocks))


def _cells(row, is_base: bool) -> list[Cell]:
    """‖σ‖ and d of one matrix."""
    if row is None:
        return [Cell(GAP), Cell(GAP)]
    cells = []
    for measure in MEASURES:
        value, published = row[measure], row.get(f"published_{measure}", math.nan)
        # Three digits where two would be one significant figure; the base's own distance is a plain 0.
        digits = 0 if measure == "d" and is_base and value == 0 else 3 if abs(value) < 1 else 2
        details = f"publ. {number(published, 2)}"
        if not math.isnan(value):
            details += f" ({signed(value - published, 2)})"
        cells.append(Cell(number(value, digits), () if math.isnan(published) else (details,)))
    return cells


def _notes(frame: pd.DataFrame, anything: bool) -> list[str]:
    notes = [
        "‖σ‖: norm of a weight matrix's singular values. d: distance ‖σ − σ₀‖ to the singular values of the base "
        "(first row of its family). No units; layers count from 0."
    ]
    shares = frame["uniform_share"].dropna()
    if len(shares):
        notes.append(
            f"Rescaling the base's singular values by one factor explains {percent(shares.median())} of "
            "d² in the median matrix here; such a rescaling turns no direction."
        )
    if "published_d" in frame:
        notes.append("Publ.: the published value, and ours minus it.")
    if frame["sigma_norm"].isna().any():
        notes.append(f"{GAP} not there yet.")
    if not anything:
        notes.append("Nothing to show: no model of this study was continued from another, or no spectra are there yet.")
    return notes
