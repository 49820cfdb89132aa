"""What a pretraining shows its model, and what it costs: tokens of encoder and decoder, updates, FLOPs.

FLOPs are those of the model, without padding. A weight of a matrix costs 6 for every token that is multiplied with it:
2 forward, 4 backward (Kaplan et al. 2020, section 2.1). Attention costs 12 · width in every layer and for every pair of
query and key: 2 · width each for the scores and for the sum of values, and twice that backward. Pairs that the causal
mask hides count, because they are computed. Embeddings are looked up, which costs nothing; norms, activations and the
optimizer are left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.models.checkpoints import pretraining_record
from mtbridge.specs.families import Family
from mtbridge.training.pretraining.texts import Sample

# What is counted of every batch: samples; tokens with special tokens; positions of the padded batch; pairs of query and
# key in the attention of encoder and decoder, and from decoder to encoder.
COUNTS = ("texts", "encoder_tokens", "decoder_tokens", "positions", "encoder_pairs", "decoder_pairs", "cross_pairs")
# What the record of a pretraining adds up over a model and its bases.
SUMMED = ("steps", "encoder_tokens", "decoder_tokens", "flops")


def count(batch: Sequence[Sample]) -> dict[str, int]:
    """The `COUNTS` of a batch."""
    # A second text that the encoder reads is one more source.
    seconds = [len(sample.target) for sample in batch if sample.paired and sample.target is not None]
    sources = [*(len(sample.source) for sample in batch), *seconds]
    targets = [0 if sample.target is None or sample.paired else len(sample.target) for sample in batch]
    targets += [0] * len(seconds)
    values = (
        len(sources),
        sum(sources),
        sum(targets),
        len(sources) * (max(sources) + max(targets)),
        sum(n * n for n in sources),
        sum(n * n for n in targets),
        sum(n * m for n, m in zip(sources, targets, strict=True)),
    )
    return dict(zip(COUNTS, values, strict=True))


def flops(model: Any, family: Family, counts: dict[str, int], mask_share: float) -> int:
    """The operations of all updates on batches with these counts.

    mask_share: share of the tokens that masked LM predicts; models with a decoder predict all tokens of the target.
    """
    body = model.get_submodule(family.body)
    config = model.config.to_dict()
    sizes = {setting: config[keys[0]] for setting, keys in family.config_keys.items()}
    encoder_tokens, decoder_tokens = counts["encoder_tokens"], counts["decoder_tokens"]
    pairs = sizes["layers"] * counts["encoder_pairs"]
    if family.sequence_to_sequence:
        # Keys and values of the attention to the encoder are made of the encoder's tokens.
        of_encoder = _weights(body.decoder, family.cross_attention)
        of_decoder = _weights(body.decoder) - of_encoder
        products = (_weights(body.encoder) + of_encoder) * encoder_tokens + of_decoder * decoder_tokens
        pairs += sizes["decoder_layers"] * (counts["decoder_pairs"] + counts["cross_pairs"])
        predicted: float = decoder_tokens
    else:
        products = _weights(body) * encoder_tokens
        predicted = mask_share * (encoder_tokens - 2 * counts["texts"])  # never the start and end tokens
    head = sum(_weights(model.get_submodule(name)) for name in family.head)
    return round(6 * (products + head * predicted) + 12 * sizes["hidden_size"] * pairs)


def _weights(module: Any, ends: tuple[str, ...] = ("",)) -> int:
    """The number of weights in a module's matrices, biases left out; `ends`: only matrices whose name ends so."""
    import torch

    matrices = ((name, part) for name, part in module.named_modules() if isinstance(part, torch.nn.Linear))
    return sum(matrix.weight.numel() for name, matrix in matrices if name.endswith(ends))


def with_bases(own: dict[str, int], base: str | Path | None) -> dict[str, int] | None:
    """The `SUMMED` of a pretraining together with its bases'; None if nobody knows the base's, as of a published one.

    base: the checkpoint that it continues.
    """
    if base is None:
        return own
    before = (pretraining_record(base) or {}).get("total")
    return None if before is None else {key: own[key] + before[key] for key in SUMMED}


def encoder_tokens_of(checkpoint: str | Path) -> int:
    """The encoder tokens of the pretraining that made a checkpoint, without its bases'.

    Raises:
        MtbridgeError: it has none.
    """
    record = Path(checkpoint) / "pretraining.json"
    tokens = read_json(record, ("encoder_tokens",))["encoder_tokens"]
    if not tokens:
        raise MtbridgeError(f"{record}: has no encoder tokens; expected a model that has learnt")
    return tokens
