"""Measures of similarity by name: a measure is one function, and an entry of `MEASURES`.

A measure takes m representations [row, dim] of the same rows (dims may differ) and the seed of its subsamples. It
returns a `Similarity` for each of its estimators: value, 95 % interval over rows, and null. The workflow writes
`<measure>/models.parquet` and `<measure>/languages.parquet` for each measure that a figure of the catalog shows, or
that is asked for by its path. A figure names its measure: `options={"measure": "procrustes"}` in the catalog.

The registry's functions are imported when they are asked for: planning imports this file without torch.
"""

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

    from mtbridge.representations.subsamples import Similarity

    Compare = Callable[[Sequence[torch.Tensor], int], dict[str, Similarity]]


class Measure(NamedTuple):
    """A measure of similarity.

    label: in pictures; load: imports and returns the function; floor: what unrelated rows give, which is `null`;
    interval: what it is made of, beside the interval over rows of `subsamples.interval`; cost: CPU seconds of a core.
    """

    label: str
    load: Callable[[], Callable[..., Any]]
    floor: str
    interval: str
    cost: str


def cka() -> "Compare":
    """Linear centred kernel alignment, biased and debiased (Kornblith et al. 2019)."""
    from mtbridge.representations.cka import similarities

    return similarities


def procrustes() -> "Compare":
    """Orthogonal Procrustes similarity (Ding et al. 2021; Williams et al. 2021); see `procrustes_similarities`."""
    return procrustes_similarities


def cosine() -> "Compare":
    """Mean cosine of paired rows after centring; see `cosine_similarities`."""
    return cosine_similarities


MEASURES: dict[str, Measure] = {
    "cka": Measure(
        "linear CKA",
        cka,
        "debiased: 0; biased: the exact mean over all orders of the rows",
        "100 halves of the rows",
        ".07 a pair of 1,000 rows, whatever the width",
    ),
    "procrustes": Measure(
        "Procrustes similarity",
        procrustes,
        "the mean over five orders of the rows; it grows with dim/n",
        "20 halves of the rows; too narrow where dim is more than n/10",
        ".026 a pair of 1,000 rows of 96 columns, 4.3 of 1,024",
    ),
    "cosine": Measure(
        "cosine of centred states",
        cosine,
        "the exact mean over all pairs of different rows, near 0",
        "100 halves of the rows",
        ".001 a pair of 1,000 rows of 96 columns",
    ),
}


# ---- Cosine ----


def cosine_similarities(states: "Sequence[torch.Tensor]", seed: int = 0) -> "dict[str, Similarity]":
    """The mean over rows of cos(x_i − x̄, y_i − ȳ) of all pairs of `states` (m tensors [row, dim]).

    Unlike CKA and Procrustes it does not allow for a rotation: it asks whether paired rows point the same way in the
    same coordinates. So it is for languages of one model, and for models of which one continues the other; it is NaN
    for sides of unequal dim. A row without a length after centring has cosine 0. The null is the mean cosine of rows
    i ≠ j, so what is above it is due to the pairing.
    """
    import torch

    from mtbridge.representations.subsamples import Similarity, half_subsamples, interval

    n, m = len(states[0]), len(states)
    units = [torch.nn.functional.normalize(x.to(torch.float64) - x.to(torch.float64).mean(0), dim=1) for x in states]
    masks = half_subsamples(n, seed=seed)
    value, null = (torch.full((m, m), float("nan"), dtype=torch.float64) for _ in range(2))
    halves = torch.full((masks.shape[1], m, m), float("nan"), dtype=torch.float64)
    for a, b in combinations_with_replacement(range(m), 2):
        if units[a].shape[1] != units[b].shape[1]:
            continue
        of_rows = (units[a] * units[b]).sum(1)
        across = (units[a].sum(0) @ units[b].sum(0) - of_rows.sum()) / (n * (n - 1))
        value[a, b] = value[b, a] = of_rows.mean()
        null[a, b] = null[b, a] = across
        halves[:, a, b] = halves[:, b, a] = masks.T @ of_rows / masks.sum(0)
    low, high = interval(value, halves, n)
    return {"paired": Similarity(value, low, high, null, halves)}


# ---- Procrustes ----

PROCRUSTES_HALVES = 20  # a singular value decomposition each; the standard error is then known to 16 %
PROCRUSTES_ORDERS = 5  # of shuffled rows, over which the null is a mean
SPREAD_OF_NONE = 1e-12  # share of the states' norm below which float64 cannot tell a spread of rows from none


def procrustes_similarities(states: "Sequence[torch.Tensor]", seed: int = 0) -> "dict[str, Similarity]":
    """Procrustes similarity of all pairs of `states` (m tensors [row, dim]), with null and 95 % interval over rows.

    It is the nuclear norm ‖XᵀY‖₊, the sum of singular values, of column-centred X and Y of unit Frobenius norm. With d
    the distance min ‖X − YQ‖ over orthogonal Q it is 1 − d²/2 (Ding et al. 2021; Williams et al. 2021, "Generalized
    shape metrics on neural representations"; the narrower side has columns of zeros). It lies in [0, 1], is symmetric,
    and does not change when a side is rotated, moved or scaled. States without variance have 0 with everything.

    Its only estimator is biased: like biased CKA it grows with dim/n on unrelated states. Read it against its null.
    The null is an estimate: the mean over PROCRUSTES_ORDERS orders of the rows of one side, drawn by `seed`, the same
    for all pairs. The interval is that of `subsamples.interval`, from PROCRUSTES_HALVES halves, each centred and scaled
    separately. It shows how much this number varies, not its bias. In simulations it covered the number's mean .95 to
    .99 of the time where dim was at most n/10, and was too narrow, covering .85, where dim was n/2 or more.

    CPU seconds on one core for 1000 rows: 23 for 9 models, 5 layers, 5 languages of dim 96, so 0.026 a pair. A pair of
    dim 1024 takes 4.3, measured on three pairs; the same study would take about an hour.
    """
    import torch

    from mtbridge.representations.subsamples import Similarity, half_subsamples, interval

    n, generator = len(states[0]), torch.Generator().manual_seed(seed)
    shapes = [_shape(x) for x in states]
    value = _nuclear_norms(shapes, shapes)
    orders = [torch.randperm(n, generator=generator) for _ in range(PROCRUSTES_ORDERS)]
    null = torch.stack([_nuclear_norms(shapes, [x[order] for x in shapes]) for order in orders]).mean(0)
    halves = []
    for rows in half_subsamples(n, PROCRUSTES_HALVES, seed).bool().T:
        parts = [_shape(x[rows]) for x in states]
        halves.append(_nuclear_norms(parts, parts))
    of_halves = torch.stack(halves)
    low, high = interval(value, of_halves, n, least=0.0)
    return {"biased": Similarity(value, low, high, null, of_halves)}


def _shape(states: "torch.Tensor") -> "torch.Tensor":
    """[row, at most row columns] in float64, centred, of unit Frobenius norm; all 0 for states without variance."""
    import torch

    states = states.to(torch.float64)
    centred = states - states.mean(0)
    norm = torch.linalg.vector_norm(centred)
    if norm <= SPREAD_OF_NONE * torch.linalg.vector_norm(states):
        return torch.zeros_like(centred[:, : len(centred)])
    # A rotation into as many columns as rows changes no singular value, and leaves smaller matrices to decompose.
    if centred.shape[1] > len(centred):
        centred = torch.linalg.qr(centred.mT).R.mT
    return centred / norm


def _nuclear_norms(left: "Sequence[torch.Tensor]", right: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """‖XᵀY‖₊ of each X of `left` with each Y of `right` at the same or a later index, made symmetric; [m, m]."""
    import torch

    norms = torch.zeros(len(left), len(left), dtype=torch.float64)
    for a, b in combinations_with_replacement(range(len(left)), 2):
        cross = left[a].mT @ right[b]
        # XᵀX has no negative eigenvalue, so its trace is its nuclear norm.
        norm = cross.trace() if left[a] is right[b] else torch.linalg.svdvals(cross).sum()
        norms[a, b] = norms[b, a] = norm.clamp(0, 1)
    return norms
