"""Reads an encoder folder into its model class.

An encoder folder holds `config.json`, `model.safetensors` (the encoder's tensors under the encoder class's own names),
the tokenizer's files and `card.json`. From here on, models trained in the study and published ones are treated alike.

mBART and M2M-100 encoders are *not* loaded through `AutoModel` or `from_pretrained`: on a seq2seq checkpoint the
encoder classes, and on an encoder folder `AutoModel`, fill in random weights and only log a report. So the class is
built without weights, and every tensor of the folder is put into its place.
"""

import contextlib
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256
from mtbridge.models import any_encoder
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.classes import encoder_class, find_family_of
from mtbridge.models.packing import attention


def build(folder: str | Path, empty: bool = True) -> Any:
    """An encoder (a transformers model) of the class and sizes in `<folder>/config.json`, without weights.

    It computes attention by transformers' own way; see `set_attention`.

    Args:
        empty: False: with the weights that its class draws for a model that is to be trained.

    Its parameters are on torch's meta device, without content or memory: it would take longer to fill hundreds of
    millions of them with random numbers than to read them. Buffers are real, because some (positions) are in no
    checkpoint and only the class itself computes them.

    Raises:
        MtbridgeError: config.json is not a config that transformers knows, or of a model without an encoder.
    """
    from accelerate import init_empty_weights
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    family = find_family_of(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (StrictDataclassError, ValueError, TypeError, OSError) as error:
        kind = "not a config that transformers can read" if family is None else f"not a {family.name} config"
        raise MtbridgeError(f"{folder}/config.json: {kind} ({error}); get it again") from error
    # M2M100Config turns LayerDrop on by default, and fine-tuning would drop whole layers.
    for key in [key for key in vars(config) if key.endswith("layerdrop")]:
        setattr(config, key, 0.0)
    for key, value in (family.encoder_config if family else {}).items():
        setattr(config, key, value)
    with init_empty_weights(include_buffers=False) if empty else contextlib.nullcontext():
        if family is None:
            return any_encoder.build(config)
        return encoder_class(family)(config, **family.encoder_arguments)


def set_attention(encoder: Any, name: str) -> None:
    """Make an encoder compute attention by the function of this name: `packed`, or one of transformers' own."""
    from transformers import AttentionInterface

    AttentionInterface.register("packed", attention)
    for module in encoder.modules():
        if hasattr(module, "config"):
            module.config._attn_implementation = name


def load_encoder(folder: str | Path) -> Any:
    """Read an encoder folder into its class, in evaluation mode, packed or padded as its card says (`trial`).

    Weights are mapped from the file: jobs on one machine share their memory until one of them changes a weight.

    Raises:
        MtbridgeError: a tensor is missing, has another shape or has no place in the class, or the file is not the one
            that the card describes.
    """
    model = fill(build(folder), folder)
    card = Path(folder) / "card.json"
    if not card.exists() or read_json(card).get("batches") != "padded":
        set_attention(model, "packed")
    return model


def fill(model: Any, folder: str | Path) -> Any:
    """The model that `build` made of a folder, with the weights of that folder; see `load_encoder`."""
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
