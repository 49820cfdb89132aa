"""Packed batches: sequences of unequal length behind one another, without padding, each attending to itself alone.

A packed batch enters transformers' own model classes as one row of all its tokens. Two things must then be told to
them: positions, which start anew with every sequence (see `forward`), and where attention ends. The second is
done here by an attention function registered under the name `packed`. The library's own functions do not do it for
encoders: given packed position ids, they let the tokens of one sequence attend to the next one's without a word.

A batch gives up nothing but padding: the outputs are those of the padded batch, to rounding. Inside attention on a CPU
sequences are padded, but only to the next multiple of STEP. PACKING.md says why this is not ten lines.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from mtbridge.base.numbers import ceil_div
from mtbridge.data.tokenized import ranges
from mtbridge.models import kernels


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
        """The same batch as tensors on a device."""
        arrays = {name: to_device(value, device) for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, **arrays)


def to_device(array: np.ndarray, device):
    """An array as a tensor on a device, copied without waiting for it: from pinned memory, else CUDA may wait."""
    import torch

    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def pack(ids, types, rows) -> Packed:
    """The batch of some rows of two `tokenized.Ragged` of equal lengths, in the order of `rows`."""
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
        raise RuntimeError("attention 'packed' needs the batch: call mtbridge.models.forward.forward")
    inside = _jagged if query.device.type == "cuda" else _in_groups
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


def _in_groups(query, key, value, packed: Packed, dropout_p: float, scale: float | None):
    """A call for each group of about equally long sequences: on a CPU faster than one call for all, or one for each."""
    import torch

    scale = query.shape[-1] ** -0.5 if scale is None else scale
    shape, groups = query.shape, _groups(packed.lengths, query.shape[1])
    if torch.is_grad_enabled():
        return _written_out().apply(query, key, value, groups, dropout_p, scale)
    query, key, value = (groups.pad(x) for x in (query, key, value))
    out, bias = torch.empty_like(query), groups.bias.to(query.dtype)
    attend = torch.nn.functional.scaled_dot_product_attention  # its fast kernel wants a batch in front
    for place, *parts, b in zip(*map(groups.split, (out, query, key, value, bias)), strict=True):
        q, k, v, mask = (x[None] for x in (*parts, b.mT))
        place.copy_(attend(q, k, v, attn_mask=mask, dropout_p=dropout_p, scale=scale)[0])
    return groups.unpad(out, shape)


@dataclass(frozen=True)
class Groups:
    """How rows [tokens × heads, dim] stand in attention on a CPU: sequences whose lengths come to the same multiple of
    STEP are a group [sequences × heads, length, dim], padded; the groups stand behind one another. Arrays are tensors.
    """

    shapes: tuple[tuple[int, int], ...]  # sequences × heads and length of each group
    source: np.ndarray  # [rows of the groups], the row that stands there; where there is none, any
    place: np.ndarray  # [tokens × heads], where each row stands
    padding: np.ndarray  # [rows of padding]
    bias: np.ndarray  # [rows of the groups, 1], what is added to the scores of a row as a key: 0, or -inf for padding

    def pad(self, x):
        """[tokens, heads, dim] as rows of the groups, 0 in padding."""
        return x.reshape(-1, x.shape[-1]).index_select(0, self.source).index_fill_(0, self.padding, 0)

    def unpad(self, x, shape):
        """Rows of the groups as `shape`, [tokens, heads, dim]."""
        return x.index_select(0, self.place).view(shape)

    def split(self, x) -> list:
        """Views [sequences × heads, length, …] of the groups' rows."""
        parts = x.split([count * length for count, length in self.shapes])
        return [part.view(*shape, -1) for part, shape in zip(parts, self.shapes, strict=True)]


# Tokens. More of them are fewer calls, fewer are less padding: with 8 and 16 a step takes the same to 2 %.
STEP = 8


@functools.lru_cache(maxsize=1)  # all layers of a batch ask for the same
def _groups(lengths: tuple[int, ...], heads: int) -> Groups:
    import torch

    lengths = np.asarray(lengths)
    padded = ceil_div(lengths, STEP) * STEP
    order = np.argsort(padded, kind="stable")
    starts = np.empty_like(padded)
    starts[order] = heads * (np.cumsum(padded[order]) - padded[order])
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    first = ranges(starts, lengths)  # the place of each token's first head
    place = (first[:, None] + np.arange(heads) * padded[sequence][:, None]).ravel()
    source = np.full(heads * padded.sum(), -1)
    source[place] = np.arange(len(place))
    bias = np.where(source < 0, -np.inf, 0).astype(np.float32)[:, None]
    arrays = (np.maximum(source, 0), place, np.flatnonzero(source < 0), bias)
    sizes, counts = np.unique(padded, return_counts=True)
    shapes = zip((counts * heads).tolist(), sizes.tolist(), strict=True)
    return Groups(tuple(shapes), *map(torch.from_numpy, arrays))


@functools.cache
def _written_out():
    """Attention of groups of sequences with its gradients written out: PyTorch has no kernel with dropout on a CPU, and
    for small models its record of some twenty operations a group costs as much as these do.

    With weights W = softmax(scale QKᵀ), dropped out D = W ∘ mask and X = D ∘ (dO Vᵀ), the gradient of the softmax's
    input is X - W ∘ rowsum(X) (after Dao et al. 2022, appendix B.4): no mask has to be kept. Where dO is 0, as in
    padding, nothing comes from a row.
    """
    import torch

    class WrittenOut(torch.autograd.Function):
        @staticmethod
        def forward(ctx, query, key, value, groups, dropout_p, scale):
            ctx.groups, ctx.scale, ctx.shape = groups, scale, query.shape
            query, key, value = (groups.pad(x) for x in (query * scale, key, value))
            out = torch.empty_like(query)
            bias, kept = groups.bias.to(query.dtype), []
            for place, q, k, v, b in zip(*map(groups.split, (out, query, key, value, bias)), strict=True):
                weights = torch.softmax(torch.baddbmm(b.mT, q, k.mT), -1)
                kept += [weights, kernels.dropout(weights, dropout_p)]
                torch.bmm(kept[-1], v, out=place)
            ctx.save_for_backward(query, key, value, *kept)
            return groups.unpad(out, ctx.shape)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            query, key, value, *kept = ctx.saved_tensors
            grad = ctx.groups.pad(grad)
            gradients = [torch.empty_like(x) for x in (query, key, value)]
            split = map(ctx.groups.split, (*gradients, query, key, value, grad))
            for *places, q, k, v, g, weights, dropped in zip(*split, kept[::2], kept[1::2], strict=True):
                inner = torch.bmm(g, v.mT).mul_(dropped)
                inner.addcmul_(weights, inner.sum(-1, keepdim=True, dtype=torch.float32), value=-1)
                for place, x, y in zip(places, (inner, inner.mT, dropped.mT), (k, q, g), strict=True):
                    torch.bmm(x, y, out=place)
            gradients = [ctx.groups.unpad(x, ctx.shape) for x in gradients]
            gradients[0].mul_(ctx.scale)
            return *gradients, None, None, None

    return WrittenOut


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
