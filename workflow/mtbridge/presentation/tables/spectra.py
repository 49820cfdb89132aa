"""Singular values and their distance to the base's: Table 2 (the encoder's last layer) and Table 5 (other layers)."""

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
    by one factor explains: (c − 1)² ‖σ_base‖² / d², c = ⟨σ, σ_base⟩ / ‖σ_base‖². d and uniform_share are NaN without a
    base (or its file); the base itself has d = 0. `published` adds published_* and difference_* for sigma_norm and d.
    Raises MtbridgeError for a file that holds no spectra, or a base of another size.
    """
    spectra = {}
    for model in (model for family in outline.families for model in family):
        path = Path(inputs) / f"{model}.npz"
        if path.exists():
            spectra[model] = _read_spectra(path)
    layers = sorted({layer for values in spectra.values() for layer, _ in values})
    # Without any file, the published layers are shown, with gaps for ours.
    if not layers and published is not None:
        layers = sorted(published["layer"].unique())
    else:
        layers = layers[-1:] if last_layer else layers[:-1]
    rows = []
    for family in outline.families:
        base = spectra.get(family[0], {})
        for layer, model, matrix in ((i, model, m) for i in layers for model in family for m in MATRIX_LABELS):
            sigma, base_sigma = spectra.get(model, {}).get((layer, matrix)), base.get((layer, matrix))
            row = {"layer": int(layer), "model": model, "matrix": matrix}
            rows.append(row | _measures(sigma, base_sigma, f"{inputs}: {model} {layer}.{matrix}"))
    table = pd.DataFrame(rows, columns=[*KEYS, *MEASURES, "uniform_share"])
    table = table.sort_values("layer", kind="stable").reset_index(drop=True)
    if published is None:
        return table
    names = {measure: f"published_{measure}" for measure in MEASURES}
    table = table.merge(published[[*KEYS, *MEASURES]].rename(columns=names), on=KEYS, how="left")
    for measure in MEASURES:
        table[f"difference_{measure}"] = table[measure] - table[f"published_{measure}"]
    return table


def _read_spectra(path: Path) -> dict[tuple[int, str], np.ndarray]:
    """(layer, matrix) -> its singular values, in descending order."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = {}
            for key in archive.files:
                layer, matrix = key.split(".")
                values[int(layer), matrix] = np.sort(archive[key].astype(np.float64))[::-1]
            return values
    except (OSError, ValueError) as error:
        raise MtbridgeError(
            f"{path}: not a file of singular values ({error}); delete it so that it is made again"
        ) from error


def _measures(sigma, base_sigma, where: str) -> dict[str, float]:
    """The measures of a matrix, NaN without its singular values. An error names the matrix."""
    try:
        return compare(sigma, base_sigma)
    except MtbridgeError as error:
        raise MtbridgeError(f"{where}: {error}") from error


def body(frame: pd.DataFrame, outline: Outline, protocol: str, *, last_layer: bool) -> tuple[list[Block], list[str]]:
    """One block: layers and their models down; matrices across, each with ‖σ‖ and d."""
    row_of = {(r["layer"], r["model"], r["matrix"]): r for r in frame.to_dict("records")}
    rows, rules = [], set()
    for layer in sorted(set(frame["layer"])):
        for family in outline.families:
            for index, model in enumerate(family):
                stub = [Cell(str(layer) if index == 0 else ""), Cell(outline.label(model))]
                cells = [_cells(row_of.get((layer, model, m)), model == family[0]) for m in MATRIX_LABELS]
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
        # Three decimals below 1, where two would leave one or two significant figures. A base's distance is exactly 0.
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
