"""Reads an encoder folder into its model class.

An encoder folder holds `config.json`, `model.safetensors` (the encoder's tensors under the encoder class's own names),
the tokenizer's files and `card.json`. From here on, models trained in the study and published ones are treated alike.

mBART and M2M-100 encoders are *not* loaded through `AutoModel` or `from_pretrained`: on a seq2seq checkpoint the
encoder classes, and on an encoder folder `AutoModel`, fill in random weights and only log a report.
"""

from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.classes import encoder_class, family_of
from mtbridge.models.packing import attention


def build(folder: str | Path) -> Any:
    """An encoder (a transformers model) of the class and sizes in `<folder>/config.json`, without weights.

    Its parameters are on torch's meta device, without content or memory: it would take longer to fill hundreds of
    millions of them with random numbers than to read them. Buffers are real, because some (positions) are in no
    checkpoint and only the class itself computes them.

    Raises:
        MtbridgeError: config.json is not a config of a known family.
    """
    from accelerate import init_empty_weights
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AttentionInterface, AutoConfig

    AttentionInterface.register("packed", attention)
    family = family_of(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, attn_implementation="packed")
    except (StrictDataclassError, ValueError, TypeError, OSError) as error:
        raise MtbridgeError(f"{folder}/config.json: not a {family.name} config ({error}); get it again") from error
    # M2M100Config turns LayerDrop on by default, and fine-tuning would drop whole layers.
    for key in family.layerdrop:
        setattr(config, key, 0.0)
    for key, value in family.encoder_config.items():
        setattr(config, key, value)
    with init_empty_weights(include_buffers=False):
        return encoder_class(family)(config, **family.encoder_arguments)


def load_encoder(folder: str | Path) -> Any:
    """Read an encoder folder into its class, in evaluation mode.

    Weights are mapped from the file: jobs on one machine share their memory until one of them changes a weight.

    Raises:
        MtbridgeError: a tensor is missing, has another shape or has no place in the class, or the file is not the one
            that the card describes.
    """
    model = build(folder)
    tensors = Tensors(folder)
    expected = model.state_dict()
    path, card = Path(folder) / "model.safetensors", Path(folder) / "card.json"
    missing = sorted(set(expected) - set(tensors))
    surplus = sorted(set(tensors) - set(expected))
    if missing or surplus:
        raise MtbridgeError(
            f"{path}: {len(missing)} tensors missing ({', '.join(missing[:2])}), {len(surplus)} not expected "
            f"({', '.join(surplus[:2])}); delete {folder} to have it made again"
        )
    weights = {}
    for key, parameter in expected.items():
        if tensors.shape(key) != tuple(parameter.shape):
            raise MtbridgeError(
                f"{path}: {key} has shape {tensors.shape(key)}, config.json says {tuple(parameter.shape)}"
            )
        weights[key] = tensors[key].to(parameter.dtype)
    digest = read_json(card).get("sha256") if card.exists() and path.exists() else None
    if digest and digest != sha256(path):
        raise MtbridgeError(f"{path}: not what {card.name} says of it (sha256); delete {folder} to have it made again")
    model.load_state_dict(weights, assign=True)
    return model.eval()


def pack_encoder(encoder: Any) -> None:
    """Make the encoder of a whole model take packed batches (`forward.forward`); its decoder stays as it is.

    Encoder and decoder share one config object, so the encoder's modules get a copy of their own.
    """
    import copy

    from transformers import AttentionInterface

    AttentionInterface.register("packed", attention)
    shared = encoder.config
    own = copy.copy(shared)
    own._attn_implementation = "packed"
    for module in encoder.modules():
        if vars(module).get("config") is shared:
            module.config = own
