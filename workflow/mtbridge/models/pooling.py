"""How the hidden states of a sequence become one vector: a way of pooling is one function in `POOLING`."""

from mtbridge.models.packing import Packed


def mean(hidden, batch: Packed):
    """The mean over a sequence's tokens, in single precision."""
    hidden = hidden.float()
    sums = hidden.new_zeros(len(batch.lengths), hidden.shape[1]).index_add(0, batch.sequence, hidden)
    return sums / batch.offsets.diff().unsqueeze(1)


def first(hidden, batch: Packed):
    """The first token: BERT's [CLS], or the language tag."""
    return hidden[batch.offsets[:-1]]


def eos(hidden, batch: Packed):
    """The last token, which is the end token."""
    return hidden[batch.offsets[1:] - 1]


POOLING = {"mean": mean, "first": first, "eos": eos}


def pool(hidden, batch: Packed, pooling: str):
    """Pool hidden states [tokens, dim] of a packed batch to [sequences, dim]."""
    return POOLING[pooling](hidden, batch)
