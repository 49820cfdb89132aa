"""Linear CKA of hidden states, with null and interval.

Centred kernel alignment (Kornblith et al. 2019) of two Gram matrices K = XXᵀ and L = YYᵀ over the same n rows is
⟨K, L⟩ / (‖K‖ ‖L‖) after centring. Two centrings, two estimators:

biased      K → HKH with H = I − 11ᵀ/n. Grows with dim/n even on unrelated states: .93 at n = 80, dim = 1024.
debiased    K → U-centred K (Székely & Rizzo 2014), zero diagonal; ⟨K, L⟩ is then n(n−3) HSIC₁ of Song et al. (2012).
            About 0 on unrelated states at any n and dim; slightly negative values occur and are not changed.

Both centrings are linear, so both inner products follow from a few sums over the off-diagonal and the diagonal of
uncentred Grams. These sums are computed for all pairs and all subsamples of rows together: a subsample is a 0/1 column
m and its sum is mᵀ(K∘L)m, one matrix product for all subsamples. Only a block of rows of the Grams is in memory, and
all numbers are float64. What it gives up: the centred Grams themselves never exist; nothing here needs them.

CKA centres each language separately, so it does not see an offset between languages. It measures whether sentences have
the same geometry, not whether languages lie in the same place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from mtbridge.representations.subsamples import SUBSAMPLES, Similarity, half_subsamples, interval

ESTIMATORS = ("biased", "debiased")
BLOCK = 256  # rows of the Grams that are in memory together
ROUND_OFF = 1e-12  # a squared norm below this share of the uncentred one is rounding error of float64


class GramProducts(NamedTuple):
    """The sums that CKA needs, over the rows of each of s subsamples, for each pair (a, b) of m Grams K."""

    rows: torch.Tensor  # [s] number of rows n
    entries: torch.Tensor  # [s, m, m] Σ_{i≠j} Ka_ij Kb_ij
    sums: torch.Tensor  # [s, m, m] Σ_i ra_i rb_i, with r_i = Σ_{j≠i} K_ij
    total: torch.Tensor  # [s, m] Σ_i r_i
    diagonal: torch.Tensor  # [s, m, m] Σ_i Ka_ii Kb_ii
    mixed: torch.Tensor  # [s, m, m] Σ_i Ka_ii rb_i
    trace: torch.Tensor  # [s, m] Σ_i K_ii


def _standardize(states: torch.Tensor) -> torch.Tensor:
    """States [row, dim] in float64, with centred columns and, unless all are 0, Frobenius norm 1.

    This does not change CKA, and it avoids large terms that cancel in the sums.
    """
    states = states.to(torch.float64)
    centred = states - states.mean(0)
    norm = torch.linalg.vector_norm(centred)
    return centred / norm if norm > 0 else centred


def gram_products(states: Sequence[torch.Tensor], subsamples: torch.Tensor | None = None) -> GramProducts:
    """The sums behind CKA for all pairs of `states`, m tensors [row, dim] with equal rows; dims may differ.

    `subsamples`: 0/1 columns [row, s], a subsample of rows each; None: one subsample (s = 1) of all rows.
    """
    states = [_standardize(x) for x in states]
    n, m = len(states[0]), len(states)
    masks = torch.ones(n, 1, dtype=torch.float64) if subsamples is None else subsamples.to(torch.float64)
    s = masks.shape[1]
    entries, sums, diagonal, mixed = (torch.zeros(s, m, m, dtype=torch.float64) for _ in range(4))
    total, trace = (torch.zeros(s, m, dtype=torch.float64) for _ in range(2))
    for start in range(0, n, BLOCK):
        mask = masks[start : start + BLOCK]  # [r, s]
        r = len(mask)
        grams = torch.stack([x[start : start + r] @ x.T for x in states])  # [m, r, n]
        diagonal_view = grams.diagonal(offset=start, dim1=1, dim2=2)  # [m, r]
        diagonals = diagonal_view.clone()
        diagonal_view[:] = 0  # in `grams`: the sums below are over the off-diagonal
        row_sums = grams @ masks * mask  # [m, r, s]; 0 for rows outside the subsample
        for a in range(m):
            products = (grams[a] * grams[a:]).reshape(-1, n) @ masks  # [(m − a) · r, s]
            entries[:, a, a:] += (products.view(m - a, r, s) * mask).sum(1).T
        masked = diagonals[:, :, None] * mask  # [m, r, s]
        sums += torch.einsum("ars,brs->sab", row_sums, row_sums)
        diagonal += torch.einsum("ars,br->sab", masked, diagonals)
        mixed += torch.einsum("ar,brs->sab", diagonals, row_sums)
        total += row_sums.sum(1).T
        trace += masked.sum(1).T
    entries = entries.triu() + entries.triu(1).mT  # only pairs a ≤ b were computed
    return GramProducts(masks.sum(0), entries, sums, total, diagonal, mixed, trace)


def inner_products(products: GramProducts, estimator: str) -> torch.Tensor:
    """⟨Ka, Kb⟩ of the centred Grams, [s, m, m]; `estimator` is one of ESTIMATORS.

    biased      tr(KHLH) = ΣKL − (2/n) Σ_i rK_i rL_i + ΣK ΣL / n², diagonals included (Gretton et al. 2005)
    debiased    ΣKL + ΣK ΣL / ((n−1)(n−2)) − 2/(n−2) Σ_i rK_i rL_i, diagonals zero: n(n−3) HSIC₁ of Song et al. (2012)

    The squared norm of a subsample whose rows are all equal is exactly 0, without rounding error.
    """
    n = products.rows[:, None, None]
    everything = products.entries + products.diagonal
    if estimator == "biased":
        sums = products.sums + products.mixed + products.mixed.mT + products.diagonal
        total = products.total + products.trace
        inner = everything - 2 / n * sums + total[:, :, None] * total[:, None, :] / n**2
    else:
        total = products.total[:, :, None] * products.total[:, None, :]
        inner = products.entries + total / ((n - 1) * (n - 2)) - 2 / (n - 2) * products.sums
    norms = inner.diagonal(dim1=1, dim2=2)
    norms[norms <= ROUND_OFF * everything.diagonal(dim1=1, dim2=2)] = 0
    return inner


def cka(products: GramProducts, estimator: str) -> torch.Tensor:
    """CKA of each pair in each subsample, [s, m, m], within [−1, 1]; 0 for states whose rows are all equal."""
    inner = inner_products(products, estimator)
    norms = inner.diagonal(dim1=1, dim2=2).sqrt()
    scale = norms[:, :, None] * norms[:, None, :]
    return torch.where(scale > 0, inner / scale, 0.0).clamp(-1, 1)


def null(products: GramProducts, estimator: str) -> torch.Tensor:
    """The mean of CKA over all orders of one side's rows, [s, m, m].

    biased      tr(K) tr(L) / ((n−1) ‖K‖ ‖L‖) of the centred Grams: the exact mean over the n! orders
    debiased    0, because HSIC₁ has mean 0 over the orders and the norms do not depend on them
    """
    inner = inner_products(products, estimator)
    if estimator == "debiased":
        return torch.zeros_like(inner)
    norms = inner.diagonal(dim1=1, dim2=2).sqrt()
    trace = products.trace - (products.total + products.trace) / products.rows[:, None]
    scale = norms[:, :, None] * norms[:, None, :] * (products.rows - 1)[:, None, None]
    return torch.where(scale > 0, trace[:, :, None] * trace[:, None, :] / scale, 0.0)


def similarities(states: Sequence[torch.Tensor], seed: int = 0, subsamples: int = SUBSAMPLES) -> dict[str, Similarity]:
    """CKA of all pairs of `states` (m tensors [row, dim]): estimator -> value, 95 % interval over rows, and null.

    The interval is that of `subsamples.interval`; each half is centred separately. The biased estimator is higher at
    n/2 than at n; its interval shows how much the biased value varies, not its bias. For unrelated states the variance
    of the debiased CKA falls like 1/n², and its interval is √3 times too wide, which is conservative.
    """
    n = len(states[0])
    everything = torch.ones(n, 1, dtype=torch.float64)
    products = gram_products(states, torch.cat([everything, half_subsamples(n, subsamples, seed)], dim=1))
    result = {}
    for estimator in ESTIMATORS:
        values = cka(products, estimator)  # [1 + subsamples, m, m]
        low, high = interval(values[0], values[1:], n, least=0.0 if estimator == "biased" else -1.0)
        result[estimator] = Similarity(values[0], low, high, null(products, estimator)[0], values[1:])
    return result
