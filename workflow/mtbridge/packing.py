"""Packed batches: sequences of unequal length behind one another, without padding, each attending to itself alone.

A packed batch enters transformers' own model classes as one row of all its tokens. Two things must then be told to
them: positions, which start anew with every sequence (see `models.forward`), and where attention ends. The second is
done here by an attention function registered under the name `packed`. The library's own functions do not do it for
encoders: given packed position ids, they let the tokens of one sequence attend to the next one's without a word.

A batch gives up nothing but padding: the outputs are those of the padded batch, to rounding.
"""

import contextlib
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from mtbridge.tokens import ranges


@dataclass(frozen=True)
class Packed:
    """A batch of sequences. Arrays are NumPy's, or tensors after `to`.

    at: tagging only; for each word that has a sub-word its first one's place among the tokens.
    """

    ids: np.ndarray  # [tokens], int64, as all
    types: np.ndarray  # [tokens]
    positions: np.ndarray  # [tokens], from 0 in each sequence
    sequence: np.ndarray  # [tokens], the number of each token's sequence
    offsets: np.ndarray  # [sequences + 1]
    lengths: tuple[int, ...]
    longest: int
    at: np.ndarray | None = None  # [words]

    def to(self, device) -> "Packed":
        """The same batch as tensors on a device, copied without waiting for it."""
        import torch

        def move(array):
            tensor = torch.from_numpy(array)
            return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

        arrays = {name: move(value) for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, **arrays)


def pack(ids, types, rows) -> Packed:
    """The batch of some rows of two `tokens.Ragged` of equal lengths, in the order of `rows`."""
    rows = np.asarray(rows)
    lengths = ids.offsets[rows + 1] - ids.offsets[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequence = np.repeat(np.arange(len(rows)), lengths)
    positions = np.arange(offsets[-1]) - offsets[sequence]
    places = ranges(ids.offsets[rows], lengths)
    return Packed(
        ids.values[places].astype(np.int64),
        types.values[places].astype(np.int64),
        positions,
        sequence,
        offsets,
        tuple(lengths.tolist()),
        int(lengths.max()),
    )


def attention(module, query, key, value, attention_mask=None, packed=None, scaling=None, dropout=0.0, **_):
    """Scaled dot-product attention inside each sequence of a packed batch.

    Args:
        query, key, value: [1, heads, tokens, dim].
        packed: the batch, as passed to the model's `forward` by name.

    Returns:
        [1, tokens, heads, dim], and None for the weights, as transformers' attention functions do.
    """
    if packed is None or query.shape[2] != key.shape[2]:
        raise RuntimeError("attention 'packed' needs the batch: call mtbridge.models.forward")
    inside = _jagged if query.device.type == "cuda" else _by_length
    parts = [x[0].transpose(0, 1) for x in (query, key, value)]
    return inside(*parts, packed, dropout_p=dropout, scale=scaling).unsqueeze(0), None


def _jagged(query, key, value, packed: Packed, **options):
    """One kernel for all sequences; given the longest, nothing has to be asked of the device. [tokens, heads, dim]"""
    import torch

    jagged = (
        torch.nested.nested_tensor_from_jagged(x, packed.offsets, min_seqlen=1, max_seqlen=packed.longest)
        for x in (query, key, value)
    )
    out = torch.nn.functional.scaled_dot_product_attention(*(x.transpose(1, 2) for x in jagged), **options)
    return out.transpose(1, 2).values()


def _by_length(query, key, value, packed: Packed, **options):
    """A call for each run of equally long sequences: on a CPU faster than one padded and masked call for all."""
    import torch

    attend = _written_out if options["dropout_p"] else torch.nn.functional.scaled_dot_product_attention
    runs = [(length, sum(1 for _ in run)) for length, run in groupby(packed.lengths)]
    # Split, not sliced: the gradient of a slice is as large as what it was cut from.
    parts = zip(*(x.split([length * count for length, count in runs]) for x in (query, key, value)), strict=True)
    out = []
    for (length, _), part in zip(runs, parts, strict=True):
        same = (x.unflatten(0, (-1, length)).transpose(1, 2) for x in part)
        attended = attend(*same, **options)
        out.append(attended.transpose(1, 2).flatten(0, 1))
    return torch.cat(out)


def _written_out(query, key, value, dropout_p, scale=None):
    """Attention with dropout on a CPU, where PyTorch has no kernel for it either, but a slower mask. [batch, heads,
    length, dim]"""
    import torch

    scale = query.shape[-1] ** -0.5 if scale is None else scale
    weights = torch.softmax((query * scale) @ key.transpose(-1, -2), -1)
    return dropout(weights, dropout_p) @ value


def dropout(x, p: float = 0.5, training: bool = True, inplace: bool = False):
    """`torch.nn.functional.dropout`, its mask drawn as 16 bits an element: on a CPU three times as fast.

    p becomes a multiple of 2⁻¹⁶ (0.1 becomes 0.100006), and what is kept is scaled by just that, in x's own precision,
    so that the expected value is x. Random bits come from PyTorch's default generator.
    """
    import torch

    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability is {p}; expected 0 to 1")
    keep = round((1 - p) * 65536)
    if not training or keep == 65536:
        return x
    bits = torch.empty(x.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    mask = bits[: x.numel()].view(x.shape) < keep - 32768
    return x * mask.to(x.dtype).mul_(65536 / max(1, keep))


@contextlib.contextmanager
def cheap_dropout(module):
    """Inside, a module in training on a CPU drops out by `dropout`, wherever it does so."""
    import torch

    if not module.training or next(module.parameters()).device.type != "cpu":
        yield
        return
    own = torch.nn.functional.dropout
    torch.nn.functional.dropout = dropout
    try:
        yield
    finally:
        torch.nn.functional.dropout = own


def fill(batch: Packed, longest: int) -> Packed:
    """The batch with one more sequence of padding, of 1 to `longest` tokens, so that its size is a multiple of
    `longest`: batches of few sizes, which differ in nothing that a recorded graph of kernels could not be told.

    In tagging `at` is filled up to a place a token; what lies behind the batch's own sequences or words is to be
    ignored.
    """
    tokens, sequences = len(batch.ids), len(batch.lengths)
    extra = longest - tokens % longest
    zeros, last = np.zeros(extra, dtype=np.int64), np.full(extra, sequences)
    at = batch.at
    if at is not None:
        at = np.concatenate([at, np.full(tokens + extra - len(at), tokens)])
    return Packed(
        np.concatenate([batch.ids, zeros]),
        np.concatenate([batch.types, zeros]),
        np.concatenate([batch.positions, zeros]),
        np.concatenate([batch.sequence, last]),
        np.append(batch.offsets, tokens + extra),
        (*batch.lengths, extra),
        longest,
        at,
    )
