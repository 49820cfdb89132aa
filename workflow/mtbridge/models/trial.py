"""Tries an encoder before anything is computed with it: does it give each sequence of a batch what it gives it alone?

A few random sequences are computed alone, as transformers itself does, and then packed and padded. An encoder is packed
if all states are equal up to rounding, else padded if those are, else refused. The trial also shows whether the table
of word embeddings may be cut to the rows that occur (`trimmed_embeddings`), and that a token sees those after it.
"""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mtbridge.base.errors import MtbridgeError, brief
from mtbridge.data.tokenized import Ragged
from mtbridge.models.forward import forward, positions_of, takes_types
from mtbridge.models.loading import set_attention
from mtbridge.models.packing import Packed, pack

if TYPE_CHECKING:
    import torch

    States = tuple[torch.Tensor, ...]

# Beyond the first distances of T5 that share a bias (128), and beyond windows of 64 on both sides. In pairs, so that
# groups of padded sequences have padding in them (see `padding`).
LENGTHS = (3, 9, 70, 81, 200, 235, 300)
LONGEST_WINDOW = 2048  # tokens; of a model with a larger window no sequence is tried that is longer than it
# Rounding in fp32 is a hundred times smaller, also in the few dimensions of published models with very large values.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Trial:
    """What was found.

    batches: how an encoder gets batches. why: the reason, for its card.
    embeddings: whether fine-tuning may hold only the rows of tokens that occur.
    layers: without the embeddings. hidden_size: of the states. longest_input: tokens; None: any number.
    """

    batches: Literal["packed", "padded"]
    why: str
    embeddings: Literal["trimmed", "whole"]
    layers: int
    hidden_size: int
    longest_input: int | None

    def facts(self) -> dict[str, Any]:
        """For card.json."""
        return asdict(self)


def try_encoder(encoder: Any, where: object) -> Trial:
    """Try an encoder, by preference packed.

    Args:
        encoder: in evaluation mode, in fp32, with transformers' own attention (`loading.build`).
        where: for messages.

    Raises:
        MtbridgeError: it gives a sequence in a batch other states than alone; or a token sees none after it.
    """
    import torch

    own, longest = encoder.config._attn_implementation, positions_of(encoder).longest
    batch = _batch(encoder, longest)
    with torch.inference_mode():
        try:
            alone, ahead = _alone(encoder, batch), _sees_ahead(encoder, batch)
        except Exception as error:  # whatever an architecture raises that wants more than ids
            raise MtbridgeError(
                f"{where}: {type(encoder).__name__} gives no states of token ids alone ({brief(error)}); this "
                "architecture is not supported"
            ) from error
        # A decoder's states would be taken for an encoder's; some configs do not say that they are one.
        if not ahead:
            raise MtbridgeError(f"{where}: reads from left to right only, as a decoder does; expected an encoder")
        set_attention(encoder, "packed")
        batches: Literal["packed", "padded"] = "packed"
        why = "packed, its states are those of each sequence alone"
        if reason := _differs(encoder, batch, alone) or _cannot_train(encoder, batch):
            batches, why = "padded", f"packed, {reason}"
            set_attention(encoder, own)
            if other := _differs(encoder, batch, alone):
                raise MtbridgeError(
                    f"{where}: {type(encoder).__name__} gives a sequence in a padded batch other states than alone "
                    f"({other}); this architecture is not supported"
                )
        trimmed: Literal["trimmed", "whole"] = "trimmed" if _takes_other_rows(encoder, batch, alone) else "whole"
    return Trial(batches, why, trimmed, len(alone) - 1, alone[-1].shape[-1], longest)


def _batch(encoder: Any, longest: int | None) -> "Packed[torch.Tensor]":
    """Random tokens in sequences of several lengths, none beyond the longest that the encoder takes."""
    import torch

    window = getattr(encoder.config, "sliding_window", None)
    wide = (window + 3,) if isinstance(window, int) and max(LENGTHS) < window <= LONGEST_WINDOW else ()
    lengths = [min(length, longest or length) for length in (*LENGTHS, *wide)]
    rng = np.random.default_rng(0)
    size = len(encoder.get_input_embeddings().weight)
    # Not the first ids: special tokens, to which some models give positions or masks of their own.
    rows = [rng.integers(min(size - 1, max(4, size // 8)), size, length) for length in lengths]
    # The second half of each has the type of a second text, where the model has types.
    types = [np.arange(length) * 2 // max(length, 1) for length in lengths]
    return pack(Ragged.of(rows), Ragged.of(types), np.arange(len(rows))).to(torch.device("cpu"))


def _alone(encoder: Any, batch: "Packed[torch.Tensor]") -> "States":
    """The states of all layers, each sequence by itself, without padding, by transformers' own way."""
    import torch

    found = []
    for start, end in zip(batch.offsets[:-1].tolist(), batch.offsets[1:].tolist(), strict=True):
        extra = {"token_type_ids": batch.types[None, start:end]} if takes_types(encoder) else {}
        ids = batch.ids[None, start:end]
        states = encoder(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True, **extra)
        found.append([layer[0] for layer in states.hidden_states])
    return tuple(map(torch.cat, zip(*found, strict=True)))


def _differs(encoder: Any, batch: "Packed[torch.Tensor]", alone: "States") -> str | None:
    """Why the states of a batch are not those of each sequence alone; None: they are."""
    try:
        states = forward(encoder, batch, hidden_states=True)
    except Exception as error:  # whatever an architecture raises that was not written for this
        return f"it stops: {brief(error)}"
    for number, (one, other) in enumerate(zip(states, alone, strict=True)):
        if one.shape != other.shape or not _is_close(one, other):
            return f"its states differ from layer {number} on"
    return None


def _cannot_train(encoder: Any, batch: "Packed[torch.Tensor]") -> str | None:
    """Why a packed batch cannot be computed while gradients are recorded; None: it can."""
    import torch

    try:
        with torch.inference_mode(False), torch.enable_grad():
            forward(encoder, batch)
    except Exception as error:  # as above
        return f"it stops in training: {brief(error)}"
    return None


def _is_close(one: "torch.Tensor", other: "torch.Tensor") -> bool:
    """Equal up to rounding, judged by each value and by the median of all: a few dimensions may be very large."""
    allowed = TOLERANCE * (other.abs() + other.abs().median())
    return bool(((one - other).abs() <= allowed).all())


def _sees_ahead(encoder: Any, batch: "Packed[torch.Tensor]") -> bool:
    """Whether a sequence's first state depends on its last token."""
    start, end = batch.offsets[-2:].tolist()
    ids = batch.ids[None, start:end].clone()
    first = encoder(input_ids=ids).last_hidden_state[0, 0]
    ids[0, -1] = ids[0, 1]
    ids[0, end - start - 2] = ids[0, 0]
    ids[0, 1] = ids[0, 2]  # a short window may end before the last token
    return not bool((first == encoder(input_ids=ids).last_hidden_state[0, 0]).all())


def _takes_other_rows(encoder: Any, batch: "Packed[torch.Tensor]", alone: "States") -> bool:
    """Whether a word is its row of the table alone: are states the same with the rows in another order?"""
    import torch

    table = encoder.get_input_embeddings()
    if not isinstance(table, torch.nn.Embedding):
        return False
    own = table.weight
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(own)))
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    table.weight = torch.nn.Parameter(own.data[order], requires_grad=False)
    padding, table.padding_idx = table.padding_idx, None
    try:
        return _differs(encoder, replace(batch, ids=place[batch.ids]), alone) is None
    finally:
        table.weight, table.padding_idx = own, padding
