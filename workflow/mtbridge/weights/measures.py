"""Measures of a weight matrix, of its singular values, and of its distance to the base's.

Imports no torch, so that tables can be made on a machine without it. All singular values are float64 arrays in
descending order; the base may be any model of the same architecture.
"""

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.intervention import MATRICES as MATRICES


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


def compare(sigma: np.ndarray | None, sigma_base: np.ndarray | None = None) -> dict[str, float]:
    """The columns of the tables of spectra for one matrix: sigma_norm and d; NaN without `sigma`, d without a base.

    Raises:
        MtbridgeError: the sizes differ.
    """
    return {
        "sigma_norm": float("nan") if sigma is None else frobenius_norm(sigma),
        "d": float("nan") if sigma is None or sigma_base is None else distance(sigma, sigma_base),
    }


def parts(weight: np.ndarray, base: np.ndarray) -> dict[str, float]:
    """How far a matrix W is from its base W₀ = U Σ Vᵀ, both [out, in] float64, and what kind of change that is.

    base_norm: ‖W₀‖_F. distance: ‖W − W₀‖_F, never less than d, which compares sorted singular values alone. The shares
    are parts of distance², 0 to 1, NaN if it is 0:

        uniform_share: one factor for all of W₀, (c − 1)² ‖W₀‖² with c = ⟨W, W₀⟩ / ‖W₀‖²
        values_share: new singular values on the base's vectors, Σ_i (u_iᵀ W v_i − σ_i)²; it holds uniform_share

    Both are squared lengths of projections of W − W₀, so what is left, 1 − values_share, is what new vectors change.
    """
    change = weight - base
    energy, size = float(np.sum(np.square(change))), float(np.sum(np.square(base)))
    # A wide matrix as its transpose, which LAPACK decomposes much faster; its distances are the same.
    if base.shape[0] < base.shape[1]:
        change, base = change.T, base.T
    left, _, right = np.linalg.svd(base, full_matrices=False)
    values = np.einsum("oi,oi->i", left, change @ right.T)  # u_iᵀ (W − W₀) v_i
    along = float(np.sum(change * base))  # ⟨W − W₀, W₀⟩ = (c − 1) ‖W₀‖²
    return {
        "base_norm": size**0.5,
        "distance": energy**0.5,
        "uniform_share": along**2 / size / energy if size and energy else float("nan"),
        "values_share": float(np.sum(np.square(values))) / energy if energy else float("nan"),
    }
