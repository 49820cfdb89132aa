"""What is read from the singular values of a weight matrix. Without torch, so that tables can be laid out anywhere.

Singular values stand in falling order. The functions take any base: a distance to another one costs nothing.
"""

import numpy as np

from mtbridge.base.errors import MtbridgeError


def _check_sizes(sigma, sigma_base) -> None:
    if np.shape(sigma) != np.shape(sigma_base):
        raise MtbridgeError(
            f"{np.size(sigma)} singular values, its base has {np.size(sigma_base)}; expected a base of the same "
            "architecture: give the model's true base"
        )


def frobenius_norm(sigma) -> float:
    """‖σ‖₂, which is the Frobenius norm ‖W‖_F of the matrix."""
    return float(np.linalg.norm(sigma))


def distance(sigma, sigma_base) -> float:
    """d = ‖σ − σ_base‖₂, at most ‖W − W_base‖_F (Mirsky 1960). MtbridgeError on unequal sizes."""
    _check_sizes(sigma, sigma_base)
    return float(np.linalg.norm(sigma - sigma_base))


def rescaling_share(sigma, sigma_base) -> float:
    """The share of d² that multiplying the base by one number explains: the part of σ − σ_base along σ_base.

    (c − 1)² ‖σ_base‖² / d² with c = ⟨σ, σ_base⟩ / ‖σ_base‖², in 0–1; NaN where d or the base is 0. MtbridgeError on
    unequal sizes.
    """
    d = distance(sigma, sigma_base)
    energy = float(sigma_base @ sigma_base)
    if d == 0 or energy == 0:
        return float("nan")
    factor = float(sigma @ sigma_base) / energy
    return min((factor - 1) ** 2 * energy / d**2, 1.0)  # rounding may leave it a little above 1


def compare(sigma, sigma_base=None) -> dict[str, float]:
    """What the tables of spectra show of a matrix: sigma_norm, d and uniform_share.

    Each is NaN where it cannot be had: all of them without `sigma`, the last two without a base. MtbridgeError on
    unequal sizes.
    """
    row = dict.fromkeys(("sigma_norm", "d", "uniform_share"), float("nan"))
    if sigma is not None:
        row["sigma_norm"] = frobenius_norm(sigma)
    if sigma is not None and sigma_base is not None:
        row |= {"d": distance(sigma, sigma_base), "uniform_share": rescaling_share(sigma, sigma_base)}
    return row
