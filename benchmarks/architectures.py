"""Forward and backward passes of encoders that no family declares: packed, and padded in three ways.

The same updates of 32 examples of 10 to 200 tokens; dropout is off, so that all find the same loss. Weights are random.
"""

import functools

import numpy as np

from benchmarks.work import Work

SIZES = {"hidden": 256, "layers": 4, "vocabulary": 5000, "updates": 4, "batch": 32, "shortest": 10, "longest": 200}
QUICK = {"hidden": 32, "layers": 2, "updates": 1, "batch": 4, "longest": 40}
PARTS = 4  # of an update that is sorted by length: as many equal parts, each padded to its longest


def config(model_type: str, sizes):
    """transformers' config of these sizes."""
    from transformers import CONFIG_MAPPING

    heads = max(1, sizes["hidden"] // 64)
    if model_type == "t5":
        named = {"d_model": sizes["hidden"], "num_layers": sizes["layers"], "d_ff": 4 * sizes["hidden"]}
        named |= {"num_heads": heads, "d_kv": sizes["hidden"] // heads, "dropout_rate": 0.0}
    else:
        named = {"hidden_size": sizes["hidden"], "num_hidden_layers": sizes["layers"], "num_attention_heads": heads}
        named |= {"intermediate_size": 4 * sizes["hidden"], "max_position_embeddings": 512}
        named |= {"num_key_value_heads": max(1, heads // 2)} if model_type == "eurobert" else {}
    tokens = {f"{name}_token_id": number for number, name in enumerate(("pad", "bos", "eos", "cls", "sep"))}
    return CONFIG_MAPPING[model_type](vocab_size=sizes["vocabulary"], **named, **tokens)


def run(forward, model_type: str, folder, sizes, clock) -> dict:
    """The losses of all updates, with gradients. forward: (encoder, rows) -> the last hidden states of real tokens."""
    import torch

    from mtbridge.models import any_encoder

    torch.manual_seed(0)
    encoder = any_encoder.build(config(model_type, sizes)).train()
    rng = np.random.default_rng(0)
    draw = functools.partial(rng.integers, 5, sizes["vocabulary"])
    updates = [
        [draw(length) for length in rng.integers(sizes["shortest"], sizes["longest"] + 1, sizes["batch"])]
        for _ in range(sizes["updates"] + 1)
    ]
    losses = []
    for number, rows in enumerate(updates):
        if number == 1:  # the first is for what is computed once
            clock.__enter__()
        loss = sum(states.square().sum() for states in forward(encoder, rows)) / sum(map(len, rows))
        loss.backward()
        encoder.zero_grad()
        losses.append(float(loss))
    clock.__exit__()
    tokens = sum(len(row) for rows in updates[1:] for row in rows)
    return {"values": losses, "rate": tokens / clock.seconds, "unit": "tokens/s"}


def ours(batches: str, encoder, rows):
    """This project's forward pass, with a card that says `packed` or `padded`."""
    import torch

    from mtbridge.data.tokenized import Ragged
    from mtbridge.models.forward import forward
    from mtbridge.models.loading import set_attention
    from mtbridge.models.packing import pack

    if batches == "packed":
        set_attention(encoder, "packed")
    ids = Ragged.of(rows)
    types = Ragged(np.zeros(len(ids.values), np.int8), ids.offsets)
    return [forward(encoder, pack(ids, types, range(len(rows))).to(torch.device("cpu")))]


def padded(parts: int, encoder, rows):
    """transformers' own, by length in as many parts of equally many examples."""
    import torch

    order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    for chosen in np.array_split(order, parts):
        part = [rows[number] for number in chosen]
        ids = torch.zeros(len(part), max(map(len, part)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(part):
            ids[number, : len(row)], mask[number, : len(row)] = torch.from_numpy(row), 1
        yield encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]


def work(model_type: str) -> Work:
    """The work for one architecture."""
    ways = {
        "mtbridge, packed": functools.partial(ours, "packed"),
        "mtbridge, padded": functools.partial(ours, "padded"),
        f"padded, sorted, {PARTS} parts": functools.partial(padded, PARTS),
        "padded to the longest of an update": functools.partial(padded, 1),
    }
    return Work(
        title=f"{model_type}: {{updates}} updates of {{batch}} examples of {{shortest}} to {{longest}} tokens, "
        "{layers} layers of {hidden}",
        contenders={name: functools.partial(run, way, model_type) for name, way in ways.items()},
        sizes=SIZES,
        quick=QUICK,
        tolerance=1e-3,
    )


WORKS = {f"architecture-{name}": work(name) for name in ("modernbert", "eurobert", "t5")}
