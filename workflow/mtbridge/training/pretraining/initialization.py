"""The model to train: a new one in the sizes of the study, or the checkpoint of its base."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.models.classes import config_class, family_of, pretraining_class
from mtbridge.specs.families import find_family
from mtbridge.specs.pretraining import Architecture


def create(name: str, architecture: Architecture, ids: Mapping[str, Any], vocabulary: int, seed: int) -> Any:
    """A new model of a family's pretraining class, its weights drawn from the seed.

    Args:
        name: name of the family.
        ids: ids of the tokenizer's special tokens.
        vocabulary: number of the tokenizer's entries.
    """
    import torch

    torch.manual_seed(seed)
    family = find_family(name, "--family")
    sizes = {key: vars(architecture)[size] for size, keys in family.config_keys.items() for key in keys}
    specials = {key: ids[token] for key, token in family.config_tokens.items()}
    config = config_class(family)(vocab_size=vocabulary, **sizes, **specials, **family.config_values)
    return pretraining_class(family)(config)


def open_checkpoint(folder: str | Path, name: str | None = None) -> Any:
    """The model of a checkpoint that `loop.pretrain` wrote, with its decoder or language-model head.

    Args:
        name: name of the family that it must have; None: any.

    Raises:
        MtbridgeError: it is of another family, or a tensor is missing or unknown.
    """
    import torch
    from safetensors.torch import load_model
    from transformers import AutoConfig

    family = family_of(folder)
    if name is not None and family.name != name:
        raise MtbridgeError(
            f"{folder}/config.json: family {family.name}, but the model continued from it is {name}; "
            "a model and its base must be of one family"
        )
    model = pretraining_class(family)(AutoConfig.from_pretrained(folder, local_files_only=True))
    try:
        with torch.no_grad():
            missing, unexpected = load_model(model, str(folder) + "/model.safetensors", strict=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise MtbridgeError(f"{folder}/model.safetensors: cannot be read ({error})") from error
    if missing or unexpected:
        raise MtbridgeError(
            f"{folder}/model.safetensors: missing {sorted(missing)[:2]}, not expected {sorted(unexpected)[:2]}"
        )
    return model
