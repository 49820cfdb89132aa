"""How the hidden states of a sequence become one vector: each way of pooling is a function in `POOLING`.

All map hidden states [tokens, dim] of a packed batch to [sequences, dim].
"""

from typing import TYPE_CHECKING

from mtbridge.models.packing import Packed

if TYPE_CHECKING:
    import torch


def mean(hidden: "torch.Tensor", batch: "Packed[torch.Tensor]") -> "torch.Tensor":
    """The mean over a sequence's tokens, in single precision."""
    hidden = hidden.float()  # a sum of hundreds of tokens loses digits in bf16
    sums = hidden.new_zeros(len(batch.lengths), hidden.shape[1]).index_add(0, batch.sequence, hidden)
    return sums / batch.offsets.diff().unsqueeze(1)


def first(hidden: "torch.Tensor", batch: "Packed[torch.Tensor]") -> "torch.Tensor":
    """The first token: BERT's [CLS], or the language tag."""
    return hidden[batch.offsets[:-1]]


def eos(hidden: "torch.Tensor", batch: "Packed[torch.Tensor]") -> "torch.Tensor":
    """The last token, which is the end token."""
    return hidden[batch.offsets[1:] - 1]


POOLING = {"mean": mean, "first": first, "eos": eos}


def pool(hidden: "torch.Tensor", batch: "Packed[torch.Tensor]", pooling: str) -> "torch.Tensor":
    """Pool hidden states [tokens, dim] of a packed batch to [sequences, dim]; `pooling` is a key of `POOLING`."""
    return POOLING[pooling](hidden, batch)
