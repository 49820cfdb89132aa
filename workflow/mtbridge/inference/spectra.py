"""Norms of singular values and their distances to those of the base, beside the published values."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.inference.published_values import SPECTRA_MEASURES
from mtbridge.study.outline import Outline
from mtbridge.weights.measures import MATRICES, compare

KEYS = ["layer", "model", "matrix"]


def spectra_frame(outline: Outline, folder, published: pd.DataFrame | None, last_layer: bool) -> pd.DataFrame:
    """Singular values of the families' last layers, or of others: layer, model, matrix, sigma_norm, d.

    `folder` holds `<model>.npz`. sigma_norm = ‖σ‖₂ (the Frobenius norm of the matrix), d = ‖σ − σ_base‖₂ with both
    spectra in descending order, as arXiv 2403.16777 defines them. d is NaN without a base (or its file); the base's own
    is 0. `published` adds published_* and difference_* for sigma_norm and d.
    Raises MtbridgeError for a file that holds no spectra, or a base of another size.
    """
    spectra = {}
    for model in (model for family in outline.families for model in family):
        path = Path(folder) / f"{model}.npz"
        if path.exists():
            spectra[model] = _read_spectra(path)
    known = sorted({layer for values in spectra.values() for layer, _ in values})
    rows = []
    for family in outline.families:
        base = spectra.get(family[0], {})
        # Families may differ in depth. One without any file is shown with gaps, at all layers that are known.
        layers = sorted({layer for model in family for layer, _ in spectra.get(model, {})}) or known
        layers = layers[-1:] if last_layer else layers[:-1]
        # Without any file at all, the published layers are shown, with gaps for ours.
        if not known and published is not None:
            layers = sorted(published["layer"].unique())
        for layer, model, matrix in ((i, model, m) for i in layers for model in family for m in MATRICES):
            sigma, base_sigma = spectra.get(model, {}).get((layer, matrix)), base.get((layer, matrix))
            row = {"layer": int(layer), "model": model, "matrix": matrix}
            rows.append(row | _measures(sigma, base_sigma, f"{folder}: {model} {layer}.{matrix}"))
    table = pd.DataFrame(rows, columns=[*KEYS, *SPECTRA_MEASURES])
    table = table.sort_values("layer", kind="stable").reset_index(drop=True)
    if published is None:
        return table
    names = {measure: f"published_{measure}" for measure in SPECTRA_MEASURES}
    table = table.merge(published[[*KEYS, *SPECTRA_MEASURES]].rename(columns=names), on=KEYS, how="left")
    for measure in SPECTRA_MEASURES:
        table[f"difference_{measure}"] = table[measure] - table[f"published_{measure}"]
    return table


def values_frame(outline: Outline, folder) -> pd.DataFrame:
    """Singular values of the families' last layers, in descending order: base, model, layer, matrix, rank (from 1),
    value, of_base (the base's at that rank, NaN without its file). `folder` holds `<model>.npz`.
    """
    rows = []
    for family in outline.families:
        found = {model: _read_spectra(path) for model in family if (path := Path(folder) / f"{model}.npz").exists()}
        # An encoder whose matrices cannot be told has a file without any.
        for model, spectra in ((model, spectra) for model, spectra in found.items() if spectra):
            last = max(layer for layer, _ in spectra)
            for matrix in (matrix for matrix in MATRICES if (last, matrix) in spectra):
                sigma = np.sort(spectra[last, matrix])[::-1]
                base = np.sort(found.get(family[0], {}).get((last, matrix), np.full(len(sigma), np.nan)))[::-1]
                part = pd.DataFrame({"rank": np.arange(1, len(sigma) + 1), "value": sigma, "of_base": base})
                rows.append(part.assign(base=family[0], model=model, layer=last, matrix=matrix))
    columns = ["base", "model", "layer", "matrix", "rank", "value", "of_base"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def distances_frame(outline: Outline, folder) -> pd.DataFrame:
    """How far continued models' weights are from their bases': model, layer, matrix, base_norm, norm, distance,
    relative_distance, relative_d, uniform_share, values_share, turned_share; see `weights.measures.parts`.

    relative_distance = ‖W − W₀‖ / ‖W₀‖, relative_d = ‖σ − σ₀‖ / ‖σ₀‖, turned_share = 1 − values_share. `folder` holds
    `<model>.distances.parquet` and `<model>.npz`; models without the first are left out.
    """
    stored = ["layer", "matrix", "base_norm", "distance", "uniform_share", "values_share"]
    columns = ["model", *stored[:3], "norm", stored[3], "relative_distance", "relative_d", *stored[4:], "turned_share"]
    found = []
    for model in (model.key for model in outline.models if model.base is not None):
        path = Path(folder) / f"{model}.distances.parquet"
        if path.exists():
            found.append(read_parquet(path, stored).assign(model=model))
    if not found:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(found, ignore_index=True)
    spectra = pd.concat([spectra_frame(outline, folder, None, last_layer) for last_layer in (False, True)])
    spectra = spectra.rename(columns={"sigma_norm": "norm"})  # the norm of the singular values is that of the matrix
    frame = frame.merge(spectra[[*KEYS, "d", "norm"]], on=KEYS, how="left")
    frame["relative_distance"] = frame["distance"] / frame["base_norm"]
    frame["relative_d"] = frame["d"] / frame["base_norm"]  # ‖σ₀‖ is the norm of the matrix
    frame["turned_share"] = 1 - frame["values_share"]
    return frame[columns]


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
