"""What kinds share that choose among things of one input: a span among its tokens, an answer among several.

The logits of a batch are those of all groups, one group after another. Their targets are [n, 1 + c] int64: the number
of each logit's group, then for each of c choices 1 where it is the right one and 0 elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


def grouped_targets(sizes: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The targets of a batch, [sum of sizes, 1 + c].

    sizes: logits of each group [groups]; right: places of the right ones in their group [groups, c].
    """
    import numpy as np

    targets = np.zeros((int(sizes.sum()), 1 + right.shape[1]), dtype=np.int64)
    targets[:, 0] = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum(sizes) - sizes
    for choice in range(right.shape[1]):
        targets[starts + right[:, choice], 1 + choice] = 1
    return targets


def grouped_cross_entropy(logits: torch.Tensor, group: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The cross entropies of the softmax within each group, summed over groups.

    Args:
        logits: [n].
        group: [n], the number of each logit's group, below n; one below 0 belongs to none.
        right: [n], 1 for the right one of a group.
    """
    import torch

    # All shapes depend on n alone, so the same code runs in a CUDA graph. What is in no group shares the last place.
    size = len(logits)
    group = torch.where(group < 0, size, group)
    largest = logits.new_full((size + 1,), -torch.inf).scatter_reduce(0, group, logits.detach(), "amax")
    shifted = logits - largest[group]
    sums = shifted.new_zeros(size + 1).index_add(0, group, shifted.exp())
    # A group has one right logit, so a sum over these is one over groups.
    return torch.where(right == 1, sums[group].log() - shifted, 0.0).sum()
