"""Runs an encoder on a packed batch, with the further inputs that its family needs."""

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mtbridge.models.kernels import cpu_kernels
from mtbridge.models.packing import Packed
from mtbridge.specs.families import FAMILIES, Family

if TYPE_CHECKING:
    import torch


def forward(encoder: Any, batch: "Packed[torch.Tensor]", hidden_states: bool = False) -> Any:
    """Run an encoder on a packed batch of tensors.

    Args:
        encoder: a transformers model of a family in `FAMILIES`, from `loading.load_encoder`.
        hidden_states: return the states of all layers.

    Returns:
        the last hidden states [tokens, dim], or a tuple of layers + 1 of these: the embeddings, then each layer's.
    """
    family = FAMILIES[encoder.config.model_type]
    extra: dict[str, Any] = {}
    positions: contextlib.AbstractContextManager = contextlib.nullcontext()
    if family.token_types:
        extra["token_type_ids"] = batch.types[None]
    if family.position_table is not None:
        positions = _restart_positions(encoder.get_submodule(family.position_table), batch)
    elif family.relative_attention is not None:
        positions = _biases_by_distance(encoder, family, batch.longest)
    elif family.positions_after_padding:
        # RoBERTa counts from the padding's id + 1, as fairseq did.
        extra["position_ids"] = batch.positions[None] + encoder.config.pad_token_id + 1
    else:
        extra["position_ids"] = batch.positions[None]
    with positions, cpu_kernels(encoder):
        output = encoder(
            input_ids=batch.ids[None], packed=batch, output_hidden_states=hidden_states, return_dict=True, **extra
        )
    if hidden_states:
        return tuple(layer[0] for layer in output.hidden_states)
    return output.last_hidden_state[0]


@contextlib.contextmanager
def _restart_positions(position_table: "torch.nn.Module", batch: "Packed[torch.Tensor]") -> Iterator[None]:
    """Within this context each sequence's positions start from 0 in a module that numbers all tokens of a row itself.

    Hooks give the module one sequence, as long as the longest of the batch, and take from the table that it returns
    the row of each token's own position.
    """
    import torch

    # The module counts tokens other than padding, and -1 is never the padding's id.
    sequence = torch.full_like(batch.ids[None, : batch.longest], -1)
    hooks = [
        position_table.register_forward_pre_hook(lambda _module, inputs: (sequence, *inputs[1:])),
        position_table.register_forward_hook(lambda _module, _inputs, table: table[:, batch.positions]),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextlib.contextmanager
def _biases_by_distance(encoder: Any, family: Family, longest: int) -> Iterator[None]:
    """Within this context layers of T5 hand one bias a distance to attention, not one a pair of tokens of the row.

    The pairs of a row of 8,192 tokens would take 3 GB with 12 heads, most of them of two sequences. Distances are those
    between the tokens of one sequence, so positions start from 0 in each (see `packing.attention`).
    """
    layers = range(encoder.config.num_hidden_layers)
    modules = [encoder.get_submodule(f"{family.layer.format(layer)}.{family.relative_attention}") for layer in layers]
    modules = [module for module in modules if module.has_relative_attention_bias]
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

    device = module.relative_attention_bias.weight.device
    buckets = module._relative_position_bucket(
        torch.arange(1 - longest, longest, device=device),
        bidirectional=True,
        num_buckets=module.relative_attention_num_buckets,
        max_distance=module.relative_attention_max_distance,
    )
    return module.relative_attention_bias(buckets).T
