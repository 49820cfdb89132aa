"""Packed batches: sequences of unequal length in one row, without padding; tokens attend to their own sequence only.

transformers' model classes get a packed batch as one row of all its tokens. They then need to know two things: that
positions start from 0 in every sequence (see `forward`), and where each sequence ends in attention. For the second this
module has an attention function, registered under the name `packed`. The library's own functions do not do it for
encoders: given packed position ids, they let tokens attend to the next sequence, and do not warn.

The outputs are those of the padded batch, up to rounding. Attention on a CPU pads sequences, but only to the next
multiple of STEP. PACKING.md says why this is not ten lines.
"""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from mtbridge.base.numbers import ceil_div
from mtbridge.data.tokenized import Ragged, ranges
from mtbridge.models import kernels
from mtbridge.models.attention_arguments import NEEDS_BATCH, Asked

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array")  # np.ndarray, or torch.Tensor after `Packed.to`


@dataclass(frozen=True)
class Packed(Generic[Array]):
    """A batch of sequences; all arrays are int64."""

    ids: Array  # [tokens]
    types: Array  # [tokens], token types
    positions: Array  # [tokens], from 0 in each sequence
    sequence: Array  # [tokens], the number of each token's sequence
    offsets: Array  # [sequences + 1], where each sequence starts, and the end of the last
    lengths: tuple[int, ...]  # tokens of each sequence
    longest: int  # the largest of these
    first_subwords: Array | None = None  # [outputs], indices of the tokens that have one; see `Inputs.words`

    def to(self: "Packed[np.ndarray]", device: "torch.device") -> "Packed[torch.Tensor]":
        """The same batch as tensors on a device."""
        fields: dict[str, Any] = vars(self)
        tensors = {key: to_device(value, device) for key, value in fields.items() if isinstance(value, np.ndarray)}
        return Packed(**(fields | tensors))


def to_device(array: np.ndarray, device: "torch.device") -> "torch.Tensor":
    """An array as a tensor on a device; a copy to a GPU goes on while Python does."""
    import torch

    tensor = torch.from_numpy(array)
    # Copies from memory that is not pinned wait for the GPU.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def pack(ids: Ragged, types: Ragged, rows: Any) -> Packed[np.ndarray]:
    """The batch of some rows of token ids and token types, in the order of `rows`; both have the same offsets."""
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


def attention(
    module: "torch.nn.Module",
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor | None" = None,
    **asked: Any,
) -> "tuple[torch.Tensor, None]":
    """Scaled dot-product attention within each sequence of a packed batch, as an attention function of transformers.

    Args:
        query, key, value: [1, heads, tokens, dim]; keys and values may have fewer heads, each for a group of queries'.
        attention_mask: of padded batches; not used.
        asked: see `Asked`.

    Returns:
        [1, tokens, heads, dim], and None for the weights, which transformers' attention functions return too.

    Raises:
        RuntimeError: see `Asked.of`; or the keys are of another sequence.
    """
    how = Asked.of(asked)
    # Cross-attention has keys of another sequence; an encoder has none.
    if query.shape[2] != key.shape[2]:
        raise RuntimeError(NEEDS_BATCH)
    if query.shape[1] != key.shape[1]:
        # Written out for every head of the queries: groups save memory of a cache, which an encoder does not have.
        key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], dim=1) for x in (key, value))
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))  # [tokens, heads, dim]
    if query.device.type != "cuda":
        return _in_groups(q, k, v, how).unsqueeze(0), None
    attend = _jagged if how.position_bias is None else _padded
    return attend(q, k, v, how).unsqueeze(0), None


def _jagged(query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", how: Asked) -> "torch.Tensor":
    """One kernel for all sequences, on a GPU. All are [tokens, heads, dim].

    These are the operators behind PyTorch's attention of nested tensors. Those tensors themselves take milliseconds of
    Python a layer, and copies; PyTorch's own function for packed sequences has no dropout.
    """
    import torch

    if torch.is_autocast_enabled("cuda"):  # the operators below do not ask for it
        query, key, value = (x.to(torch.get_autocast_dtype("cuda")) for x in (query, key, value))
    offsets, longest = how.packed.offsets.to(torch.int32), how.packed.longest
    dropout, scaling = how.dropout, how.scaling
    # Flash attention computes in 16 bits, with heads of a multiple of 8.
    if query.dtype != torch.float32 and query.shape[-1] % 8 == 0:
        flash = torch.ops.aten._flash_attention_forward
        return flash(query, key, value, offsets, offsets, longest, longest, dropout, False, False, scale=scaling)[0]
    training = torch.is_grad_enabled() and query.requires_grad
    q, k, v = (x[None] for x in (query, key, value))
    efficient = torch.ops.aten._efficient_attention_forward
    return efficient(q, k, v, None, offsets, offsets, longest, longest, dropout, 0, training, scale=scaling)[0][0]


def _padded(query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", how: Asked) -> "torch.Tensor":
    """All sequences padded to the longest, for biases and windows on a GPU: `_jagged` has no place for them.

    query, key, value are [tokens, heads, dim].
    """
    import torch

    packed, position_bias = how.packed, how.position_bias
    assert position_bias is not None  # without one `_jagged` is faster
    count, longest, shape = len(packed.lengths), packed.longest, query.shape
    places = packed.sequence * longest + packed.positions

    def pad(x: "torch.Tensor") -> "torch.Tensor":
        rows = x.new_zeros(count * longest, *shape[1:]).index_copy(0, places, x)
        return rows.view(count, longest, *shape[1:]).transpose(1, 2)

    real = torch.arange(longest, device=query.device) < packed.offsets.diff()[:, None]  # [sequences, longest]
    # -inf where a key is padding; every query has a key that is none.
    mask = _of_pairs(position_bias, longest).masked_fill(~real[:, None, None], -torch.inf)
    attend = torch.nn.functional.scaled_dot_product_attention
    q, k, v = map(pad, (query, key, value))
    out = attend(q, k, v, attn_mask=mask.to(q.dtype), dropout_p=how.dropout, scale=how.scaling)
    return out.transpose(1, 2).reshape(count * longest, *shape[1:]).index_select(0, places)


def _of_pairs(position_bias: "torch.Tensor", length: int) -> "torch.Tensor":
    """[heads, length, length], of query and key, from the biases of distances that `attention` gets."""
    return position_bias[:, _distances(position_bias.shape[1], length, position_bias.device)]


def _distances(count: int, length: int, device: "torch.device") -> "torch.Tensor":
    """[length, length]: the place of a query's and a key's distance among `count`; beyond the ends, the ends' own.

    Only padding is so far away, whose scores have no effect.
    """
    import torch

    positions = torch.arange(length, device=device)
    return (positions[None] - positions[:, None] + count // 2).clamp(0, count - 1)


def _in_groups(query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", how: Asked) -> "torch.Tensor":
    """A call for each group of about equally long sequences: faster on a CPU than one for all or one for each.

    query, key, value are [tokens, heads, dim].
    """
    import torch

    scale = query.shape[-1] ** -0.5 if how.scaling is None else how.scaling
    shape, groups = query.shape, _groups(how.packed.lengths, query.shape[1])
    if torch.is_grad_enabled():
        return _written_out().apply(query, key, value, groups, how.dropout, scale, how.position_bias)
    query, key, value = (groups.pad(x) for x in (query, key, value))
    out, bias = torch.empty_like(query), groups.bias.to(query.dtype)
    attend = torch.nn.functional.scaled_dot_product_attention
    for group, *parts, b in zip(*map(groups.split, (out, query, key, value, bias)), strict=True):
        # PyTorch takes its fast kernel for four dimensions only.
        q, k, v, mask = (x[None] for x in (*parts, _with_positions(b.mT, how.position_bias)))
        group.copy_(attend(q, k, v, attn_mask=mask, dropout_p=how.dropout, scale=scale)[0])
    return groups.unpad(out, shape)


def _with_positions(scores: "torch.Tensor", position_bias: "torch.Tensor | None") -> "torch.Tensor":
    """The scores of a group, [sequences × heads, queries or 1, keys], with the biases of distances added if any."""
    if position_bias is None:
        return scores
    pairs = _of_pairs(position_bias, scores.shape[-1]).to(scores.dtype)
    return (scores.unflatten(0, (-1, len(pairs))) + pairs).flatten(0, 1)


@dataclass(frozen=True)
class Groups:
    """The layout of attention on a CPU: which row of [tokens × heads, dim] goes where.

    Sequences whose lengths round up to the same multiple of STEP form a group [sequences × heads, length, dim], padded
    to that length. The rows of all groups lie one after another.
    """

    shapes: tuple[tuple[int, int], ...]  # of each group: sequences × heads, and length
    source: "torch.Tensor"  # [rows of the groups], the row of the input that each holds; any row in padding
    target: "torch.Tensor"  # [tokens × heads], the row of the groups that holds each row of the input
    padding: "torch.Tensor"  # [rows of padding], their numbers
    bias: "torch.Tensor"  # [rows of the groups, 1], added to the scores of a row as a key: 0, or -inf in padding

    def pad(self, x: "torch.Tensor") -> "torch.Tensor":
        """[tokens, heads, dim] as rows of the groups, 0 in padding."""
        return x.reshape(-1, x.shape[-1]).index_select(0, self.source).index_fill_(0, self.padding, 0)

    def unpad(self, x: "torch.Tensor", shape: tuple[int, ...]) -> "torch.Tensor":
        """Rows of the groups as `shape`, [tokens, heads, dim]."""
        return x.index_select(0, self.target).view(shape)

    def split(self, x: "torch.Tensor") -> "list[torch.Tensor]":
        """The rows of each group, as a view [sequences × heads, length, …]."""
        parts = x.split([count * length for count, length in self.shapes])
        return [part.view(*shape, -1) for part, shape in zip(parts, self.shapes, strict=True)]


# In tokens. A larger step means fewer calls, a smaller one less padding; with 8 and 16 a training step takes equally
# long, within 2 %.
STEP = 8


@functools.lru_cache(maxsize=1)  # all layers of a batch ask for the same groups
def _groups(lengths: tuple[int, ...], heads: int) -> Groups:
    import torch

    tokens = np.asarray(lengths)
    padded = ceil_div(tokens, STEP) * STEP
    order = np.argsort(padded, kind="stable")
    starts = np.empty_like(padded)  # of each sequence, in rows of the groups
    starts[order] = heads * (np.cumsum(padded[order]) - padded[order])
    sequence = np.repeat(np.arange(len(tokens)), tokens)
    first_head = ranges(starts, tokens)  # the row of each token's first head
    # In a group the heads of a sequence follow one another, each with all its tokens.
    target = (first_head[:, None] + np.arange(heads) * padded[sequence][:, None]).ravel()
    source = np.full(heads * padded.sum(), -1)
    source[target] = np.arange(len(target))
    bias = np.where(source < 0, -np.inf, 0).astype(np.float32)[:, None]
    sizes, counts = np.unique(padded, return_counts=True)
    return Groups(
        tuple(zip((counts * heads).tolist(), sizes.tolist(), strict=True)),
        source=torch.from_numpy(np.maximum(source, 0)),
        target=torch.from_numpy(target),
        padding=torch.from_numpy(np.flatnonzero(source < 0)),
        bias=torch.from_numpy(bias),
    )


@functools.cache
def _written_out() -> Any:
    """Attention of groups of sequences with explicit gradients, a `torch.autograd.Function`.

    On a CPU PyTorch has no fast kernel with dropout, and for small models autograd's record of some twenty operations
    per group costs as much as the operations.

    With weights W = softmax(scale QKᵀ), after dropout D = W ∘ mask, and X = D ∘ (dO Vᵀ), the gradient of the softmax's
    input is X - W ∘ rowsum(X) (after Dao et al. 2022, appendix B.4), so the mask need not be saved. dO is 0 in
    padding, so padded rows add nothing to the gradients. A bias of a distance has the sum of these over its pairs.
    """
    import torch

    class WrittenOut(torch.autograd.Function):
        @staticmethod
        def forward(ctx, query, key, value, groups, dropout_p, scale, position_bias):
            # A window has no gradient.
            ctx.distances = position_bias.shape if ctx.needs_input_grad[6] else None
            ctx.groups, ctx.scale, ctx.shape = groups, scale, query.shape
            query, key, value = (groups.pad(x) for x in (query * scale, key, value))
            out = torch.empty_like(query)
            bias, saved = groups.bias.to(query.dtype), []
            for group, q, k, v, b in zip(*map(groups.split, (out, query, key, value, bias)), strict=True):
                weights = torch.softmax(_with_positions(torch.baddbmm(b.mT, q, k.mT), position_bias), -1)
                saved += [weights, kernels.dropout(weights, dropout_p)]
                torch.bmm(saved[-1], v, out=group)
            ctx.save_for_backward(query, key, value, *saved)
            return groups.unpad(out, ctx.shape)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            query, key, value, *saved = ctx.saved_tensors
            grad = ctx.groups.pad(grad)
            gradients = [torch.empty_like(x) for x in (query, key, value)]
            of_bias = None if ctx.distances is None else torch.zeros(ctx.distances)
            split = map(ctx.groups.split, (*gradients, query, key, value, grad))
            for *targets, q, k, v, g, weights, dropped in zip(*split, saved[::2], saved[1::2], strict=True):
                inner = torch.bmm(g, v.mT).mul_(dropped)
                # Row sums in fp32: in bf16 those of hundreds of keys would lose digits.
                inner.addcmul_(weights, inner.sum(-1, keepdim=True, dtype=torch.float32), value=-1)
                if of_bias is not None:
                    pairs = inner.unflatten(0, (-1, len(of_bias))).sum(0, dtype=torch.float32)
                    places = _distances(of_bias.shape[1], pairs.shape[-1], pairs.device)
                    of_bias.index_add_(1, places.flatten(), pairs.flatten(1))
                for target, x, y in zip(targets, (inner, inner.mT, dropped.mT), (k, q, g), strict=True):
                    torch.bmm(x, y, out=target)
            gradients = [ctx.groups.unpad(x, ctx.shape) for x in gradients]
            gradients[0].mul_(ctx.scale)  # `forward` has multiplied the query by it
            return *gradients, None, None, None, of_bias

    return WrittenOut


def fill(batch: Packed[np.ndarray], multiple: int, longest: int) -> Packed[np.ndarray]:
    """The batch with one more sequence, of 1 to `multiple` tokens of padding, so that its size is a multiple of that.

    Such batches have few sizes, and a CUDA graph can be recorded for each. For the same reason all say that their
    longest sequence has `longest` tokens, which is at least `multiple`. In tagging `first_subwords` gets as many
    entries as there are tokens. Outputs beyond the batch's own sequences or words have no meaning.
    """
    tokens, sequences = len(batch.ids), len(batch.lengths)
    extra = multiple - tokens % multiple
    zeros, last = np.zeros(extra, dtype=np.int64), np.full(extra, sequences)
    first_subwords = batch.first_subwords
    if first_subwords is not None:
        first_subwords = np.concatenate([first_subwords, np.full(tokens + extra - len(first_subwords), tokens)])
    return Packed(
        np.concatenate([batch.ids, zeros]),
        np.concatenate([batch.types, zeros]),
        np.concatenate([batch.positions, zeros]),
        np.concatenate([batch.sequence, last]),
        np.append(batch.offsets, tokens + extra),
        (*batch.lengths, extra),
        longest,
        first_subwords,
    )
