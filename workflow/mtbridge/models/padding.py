"""Padded batches, for encoders that cannot be packed: the sequences of a packed batch by length, in a few groups.

All sequences of a batch are computed, so an update has the same examples as with packed batches.
"""

from typing import TYPE_CHECKING

from mtbridge.models.packing import Packed

if TYPE_CHECKING:
    import torch

# A group ends where a sequence is longer than this many times its shortest, and than this many tokens more. A smaller
# factor means less padding and more calls.
FACTOR, TOKENS = 1.25, 8


def groups(lengths: tuple[int, ...]) -> list[list[int]]:
    """The numbers of the sequences by length, in groups of about equal length; each is padded to its longest."""
    found: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not found or lengths[number] > max(lengths[found[-1][0]] * FACTOR, lengths[found[-1][0]] + TOKENS):
            found.append([])
        found[-1].append(number)
    return found


def places(batch: "Packed[torch.Tensor]", group: list[int]) -> "tuple[torch.Tensor, torch.Tensor]":
    """The tokens of a group's sequences as rows: their places in the batch, and which are none but padding's.

    Returns:
        places: int64 [sequences, tokens of the longest]; padding has the place of the sequence's last token.
        mask: bool, of the same shape; False in padding.
    """
    import torch

    device = batch.ids.device
    starts = batch.offsets[torch.tensor(group, device=device)]
    lengths = torch.tensor([batch.lengths[number] for number in group], device=device)
    column = torch.arange(max(batch.lengths[number] for number in group), device=device)
    mask = column < lengths[:, None]
    return starts[:, None] + torch.minimum(column, lengths[:, None] - 1), mask


def order(batch: "Packed[torch.Tensor]", found: list[list[int]]) -> "torch.Tensor":
    """For each token of the batch its place among the tokens of all groups, one group after another; int64 [tokens]."""
    import torch

    tokens = [places(batch, group) for group in found]
    return torch.argsort(torch.cat([place[mask] for place, mask in tokens]))
