"""How an encoder is run on a packed batch: what its family must be given beside the token ids."""

import contextlib

from mtbridge.models.kernels import cpu_kernels
from mtbridge.models.packing import Packed
from mtbridge.specs.families import FAMILIES


def forward(encoder, batch: Packed, hidden_states: bool = False):
    """Run an encoder on a packed batch of tensors.

    Returns:
        last hidden state [tokens, dim], or all of them, a tuple of layers + 1.
    """
    family = FAMILIES[encoder.config.model_type]
    extra, positions = {}, contextlib.nullcontext()
    if family.token_types:
        extra["token_type_ids"] = batch.types[None]
    if family.position_table is not None:
        positions = _restart_positions(encoder.get_submodule(family.position_table), batch)
    elif family.positions_after_padding:
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
def _restart_positions(position_table, batch: Packed):
    """Inside, positions start anew with every sequence, also where a module numbers all tokens of a row by itself.

    The module is shown one sequence, as long as the longest, instead; each token takes its own row from the table that
    it gives.
    """
    import torch

    one = torch.full_like(batch.ids[None, : batch.longest], -1)
    hooks = [
        position_table.register_forward_pre_hook(lambda _, given: (one, *given[1:])),
        position_table.register_forward_hook(lambda _module, _given, table: table[:, batch.positions]),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
