"""Singular values and their distance to the base's: Table 2 (the encoder's last layer) and Table 5 (other layers)."""

import math

import pandas as pd

from mtbridge.inference.published_values import SPECTRA_MEASURES
from mtbridge.inference.spectra import spectra_frame
from mtbridge.presentation.layout import GAP, Block, Cell, number, signed
from mtbridge.presentation.words import MATRIX_LABELS
from mtbridge.study.outline import Outline


def frame(outline: Outline, protocol: str, inputs, published=None, *, last_layer: bool) -> pd.DataFrame:
    """Singular values of the last layer, or of the others; see `inference.spectra`."""
    return spectra_frame(outline, inputs, published, last_layer)


def body(frame: pd.DataFrame, outline: Outline, protocol: str, *, last_layer: bool) -> tuple[list[Block], list[str]]:
    """One block: layers and their models down; matrices across, each with ‖σ‖ and d."""
    row_of = {(r["layer"], r["model"], r["matrix"]): r for r in frame.to_dict("records")}
    shown = set(zip(frame["layer"], frame["model"], strict=True))
    rows, rules = [], set()
    for layer in sorted(set(frame["layer"])):
        # Families may differ in depth, so not all have every layer.
        with_layer = [family for family in outline.families if any((layer, model) in shown for model in family)]
        for family in with_layer:
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
    for measure in SPECTRA_MEASURES:
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
        "(first row of its family), which does not see whether vectors turned. No units; layers count from 0."
    ]
    if "published_d" in frame:
        notes.append("Publ.: the published value, and ours minus it.")
    if frame["sigma_norm"].isna().any():
        notes.append(f"{GAP} not there yet, or an encoder whose weight matrices have no counterparts in others.")
    if not anything:
        notes.append("Nothing to show: no model of this study was continued from another, or no spectra are there yet.")
    return notes
