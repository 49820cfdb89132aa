"""Measures of the singular values of a weight matrix.

Imports no torch, so that tables can be made on a machine without it. All singular values are float64 arrays in
descending order; the base may be any model of the same architecture.
"""

import numpy as np

from mtbridge.base.errors import MtbridgeError

# The weight matrices of a layer that are looked at, in the order of the tables.
MATRICES = ("k", "q", "v", "out", "fc1", "fc2")


def _check_sizes(sigma: np.ndarray, sigma_base: np.ndarray) -> None:
    if np.shape(sigma) != np.shape(sigma_base):
        raise MtbridgeError(
            f"{np.size(sigma)} singular values, its base has {np.size(sigma_base)}; expected a base of the same "
            "architecture: give the model's true base"
        )


def frobenius_norm(sigma: np.ndarray) -> float:
    """‖σ‖₂, which is the Frobenius norm ‖W‖_F of the matrix."""
    return float(np.linalg.norm(sigma))


def distance(sigma: np.ndarray, sigma_base: np.ndarray) -> float:
    """d = ‖σ − σ_base‖₂, at most ‖W − W_base‖_F (Mirsky 1960).

    Raises:
        MtbridgeError: the sizes differ.
    """
    _check_sizes(sigma, sigma_base)
    return float(np.linalg.norm(sigma - sigma_base))


def rescaling_share(sigma: np.ndarray, sigma_base: np.ndarray) -> float:
    """The share of d² that multiplying the base by one factor explains, in 0–1; NaN if d or the base is 0.

    The share is (c − 1)² ‖σ_base‖² / d² with the least-squares factor c = ⟨σ, σ_base⟩ / ‖σ_base‖²: the squared length
    of the projection of σ − σ_base onto σ_base, over d².

    Raises:
        MtbridgeError: the sizes differ.
    """
    d = distance(sigma, sigma_base)
    energy = float(sigma_base @ sigma_base)
    if d == 0 or energy == 0:
        return float("nan")
    factor = float(sigma @ sigma_base) / energy
    return min((factor - 1) ** 2 * energy / d**2, 1.0)  # rounding can leave it slightly above 1


def compare(sigma: np.ndarray | None, sigma_base: np.ndarray | None = None) -> dict[str, float]:
    """The columns of the tables of spectra for one matrix: sigma_norm, d and uniform_share (`rescaling_share`).

    All are NaN without `sigma`; d and uniform_share are NaN without a base.

    Raises:
        MtbridgeError: the sizes differ.
    """
    row = dict.fromkeys(("sigma_norm", "d", "uniform_share"), float("nan"))
    if sigma is not None:
        row["sigma_norm"] = frobenius_norm(sigma)
    if sigma is not None and sigma_base is not None:
        row |= {"d": distance(sigma, sigma_base), "uniform_share": rescaling_share(sigma, sigma_base)}
    return row
