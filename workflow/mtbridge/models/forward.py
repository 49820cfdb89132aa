"""Runs an encoder on a packed batch: as it is where the encoder takes packed batches, else padded.

How an encoder numbers positions and which inputs it takes are found out from the model itself, not from its name, and
`trial` shows for each encoder that what is found gives the states of each sequence alone.
"""

import contextlib
import functools
import inspect
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtbridge.models import padding
from mtbridge.models.kernels import cpu_kernels
from mtbridge.models.packing import Packed

if TYPE_CHECKING:
    import torch

TABLE = "embed_positions"  # the module of BART and its kin that numbers the tokens of a row itself


def forward(encoder: Any, batch: "Packed[torch.Tensor]", hidden_states: bool = False) -> Any:
    """Run an encoder on a packed batch of tensors.

    Args:
        encoder: a transformers model, from `loading.load_encoder`.
        hidden_states: return the states of all layers.

    Returns:
        the last hidden states [tokens, dim], or a tuple of layers + 1 of these: the embeddings, then each layer's.

    Raises:
        RuntimeError: the encoder is to take packed batches, and asks attention for something that is not computed.
    """
    if not is_packed(encoder):
        # By PyTorch's own kernels: some of these architectures change the output of a linear layer in place.
        return _run_padded(encoder, batch, hidden_states)
    with cpu_kernels(encoder):
        return _run_packed(encoder, batch, hidden_states)


def is_packed(encoder: Any) -> bool:
    """Whether an encoder takes packed batches as one row."""
    return encoder.config._attn_implementation == "packed"


def takes_types(encoder: Any) -> bool:
    """Whether an encoder tells the second of two texts by a token type of its own.

    A BERT with `type_vocab_size: 1` has seen type 0 alone. (XLM takes `token_type_ids` too, but looks them up among the
    words; its config has no number of types.)
    """
    return (
        "token_type_ids" in _arguments(encoder.__class__) and (getattr(encoder.config, "type_vocab_size", 0) or 0) > 1
    )


@functools.lru_cache
def _arguments(model_class: Any) -> frozenset[str]:
    """The names of the arguments of a model's `forward`."""
    return frozenset(inspect.signature(model_class.forward).parameters)


@dataclass(frozen=True)
class Positions:
    """How an encoder knows the positions of tokens.

    how: `ids` (it takes `position_ids`), `table` (its module `embed_positions` numbers the tokens of a row), `biases`
        (layers add a bias of the distance to attention), or `none` (nothing of these; it cannot be packed).
    first: of `ids`, the first position.
    longest: the most tokens that it takes; None: any number.
    """

    how: str
    first: int = 0
    longest: int | None = None


# Models have hundreds of modules, and each batch asks.
_found: "weakref.WeakKeyDictionary[Any, Positions]" = weakref.WeakKeyDictionary()


def positions_of(encoder: Any) -> Positions:
    """How an encoder knows the positions of tokens, from its modules and the arguments of its `forward`."""
    if encoder not in _found:
        _found[encoder] = _find_positions(encoder)
    return _found[encoder]


def _find_positions(encoder: Any) -> Positions:
    if _relative_modules(encoder):
        return Positions("biases")
    limit = getattr(encoder.config, "max_position_embeddings", None)
    # A config of relative positions may say -1.
    limit = limit if isinstance(limit, int) and limit > 0 else None
    if TABLE in dict(encoder.named_children()):
        return Positions("table", longest=limit)
    if "position_ids" not in _arguments(encoder.__class__):
        return Positions("none", longest=limit)
    # RoBERTa and its kin count from the padding's id + 1, as fairseq did; their table says so.
    tables = (module for name, module in encoder.named_modules() if name.endswith("position_embeddings"))
    table = next((module for module in tables if hasattr(module, "num_embeddings")), None)
    first = 0 if table is None or table.padding_idx is None else table.padding_idx + 1
    longest = limit if table is None else table.num_embeddings
    return Positions("ids", first, None if longest is None else longest - first)


def _relative_modules(encoder: Any) -> list[Any]:
    """The modules that compute a bias of distances, as T5's first layer has, or each layer of umT5."""
    modules = [module for module in encoder.modules() if hasattr(module, "compute_bias")]
    return [module for module in modules if getattr(module, "has_relative_attention_bias", False)]


def _run_packed(encoder: Any, batch: "Packed[torch.Tensor]", hidden_states: bool) -> Any:
    extra: dict[str, Any] = {}
    context: contextlib.AbstractContextManager = contextlib.nullcontext()
    if takes_types(encoder):
        extra["token_type_ids"] = batch.types[None]
    positions = positions_of(encoder)
    if positions.how == "table":
        context = _restart_positions(encoder.get_submodule(TABLE), batch)
    elif positions.how == "biases":
        context = _biases_by_distance(_relative_modules(encoder), batch.longest)
    elif positions.how == "ids":
        extra["position_ids"] = batch.positions[None] + positions.first
    else:
        raise RuntimeError("its positions cannot be given")
    with context:
        output = encoder(
            input_ids=batch.ids[None], packed=batch, output_hidden_states=hidden_states, return_dict=True, **extra
        )
    if hidden_states:
        return tuple(layer[0] for layer in output.hidden_states)
    return output.last_hidden_state[0]


def _run_padded(encoder: Any, batch: "Packed[torch.Tensor]", hidden_states: bool) -> Any:
    import torch

    positions = positions_of(encoder)
    found: list[tuple[torch.Tensor, ...]] = []
    groups = padding.groups(batch.lengths)
    for group in groups:
        places, mask = padding.places(batch, group)
        extra: dict[str, Any] = {}
        if takes_types(encoder):
            extra["token_type_ids"] = batch.types[places]
        if positions.how == "ids":
            extra["position_ids"] = batch.positions[places] + positions.first
        output = encoder(
            # The id of padding has no meaning in a trimmed table; the mask says what is padding.
            input_ids=batch.ids[places].masked_fill(~mask, 0),
            attention_mask=mask.long(),
            output_hidden_states=hidden_states,
            return_dict=True,
            **extra,
        )
        layers = output.hidden_states if hidden_states else (output.last_hidden_state,)
        found.append(tuple(layer[mask] for layer in layers))
    order = padding.order(batch, groups)
    states = tuple(torch.cat(parts).index_select(0, order) for parts in zip(*found, strict=True))
    return states if hidden_states else states[0]


@contextlib.contextmanager
def _restart_positions(position_table: "torch.nn.Module", batch: "Packed[torch.Tensor]") -> Iterator[None]:
    """Within this context each sequence's positions start from 0 in a module that numbers all tokens of a row itself.

    Hooks give the module one sequence, as long as the longest of the batch, and take from the table that it returns
    the row of each token's own position.
    """
    import torch

    # The module counts tokens other than padding, and -1 is never the padding's id.
    sequence = torch.full_like(batch.ids[None, : batch.longest], -1)

    def choose(_module: Any, _inputs: Any, table: "torch.Tensor") -> "torch.Tensor":
        # Some classes return [1, positions, dim], others [positions, dim].
        return table[..., batch.positions, :].view(1, -1, table.shape[-1])

    def shorten(_module: Any, inputs: Any) -> Any:
        # Some classes want the ids, others their shape alone.
        return (sequence if isinstance(inputs[0], torch.Tensor) else sequence.shape, *inputs[1:])

    hooks = [
        position_table.register_forward_pre_hook(shorten),
        position_table.register_forward_hook(choose),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextlib.contextmanager
def _biases_by_distance(modules: list[Any], longest: int) -> Iterator[None]:
    """Within this context layers of T5 hand one bias a distance to attention, not one a pair of tokens of the row.

    The pairs of a row of 8,192 tokens would take 3 GB with 12 heads, most of them of two sequences. Distances are those
    between the tokens of one sequence, so positions start from 0 in each (see `packing.attention`).
    """
    for module in modules:
        module.compute_bias = functools.partial(_bias_of_distances, module, longest)
    try:
        yield
    finally:
        for module in modules:
            del module.compute_bias  # the class's own is found again


def _bias_of_distances(module: Any, longest: int, *_: Any, **__: Any) -> "torch.Tensor":
    """[heads, 2 · longest - 1]: what attention adds to a score, by the key's position minus the query's, ascending."""
    import torch

    compute = functools.partial(type(module).compute_bias, module)  # [1, heads, queries, keys]
    before, after = compute(longest, 1)[0, :, :, 0], compute(1, longest)[0, :, 0]  # distances 0, -1, … and 0, 1, …
    return torch.cat([before.flip(-1), after[:, 1:]], -1)
