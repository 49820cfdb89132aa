"""The model to train: a new one in the sizes of the study, or the checkpoint of its base."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.models.classes import config_class, family_of, pretraining_class
from mtbridge.models.whole import load_whole, untie_output
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
    settings = {**vars(architecture), "head_size": architecture.head_size}
    sizes = {key: settings[size] for size, keys in family.config_keys.items() for key in keys}
    specials = {key: ids[token] for key, token in family.config_tokens.items()}
    config = config_class(family)(vocab_size=vocabulary, **sizes, **specials, **family.config_values)
    model = pretraining_class(family)(config)
    if family.own_output:
        untie_output(model, family)
    return model


def open_checkpoint(folder: str | Path, name: str | None = None) -> Any:
    """The model of a checkpoint, trained here or published, with its decoder or language-model head.

    Args:
        name: name of the family that it must have; None: any.

    Raises:
        MtbridgeError: it is of another family, or see `models.whole.load_whole`.
    """
    family = family_of(folder)
    if name is not None and family.name != name:
        raise MtbridgeError(
            f"{folder}/config.json: family {family.name}, but the model continued from it is {name}; "
            "a model and its base must be of one family"
        )
    return load_whole(folder)
