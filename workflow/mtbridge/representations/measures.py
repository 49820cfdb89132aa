"""Measures of similarity by name: a measure is one function, and a line in `MEASURES`.

A measure takes m representations [row, dim] of the same rows (dims may differ) and a seed that draws its subsamples,
and gives a `Similarity` for each of its estimators: value, 95 % interval over rows, and what unrelated rows would
score. The workflow writes `<measure>/models.parquet` and `<measure>/languages.parquet` for a measure that a figure of
the catalog asks for.

A value of the registry is a function that gives the measure's: planning imports this file, and must not import torch.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from mtbridge.representations.subsamples import Similarity

    Compare = Callable[[Sequence[torch.Tensor], int], dict[str, Similarity]]


def cka() -> "Compare":
    """Linear centred kernel alignment, biased and debiased (Kornblith et al. 2019)."""
    from mtbridge.representations.cka import similarities

    return similarities


MEASURES: dict[str, Callable[[], "Compare"]] = {"cka": cka}
