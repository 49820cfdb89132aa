"""The model that is trained: new, in sizes of the study, or the checkpoint of its base."""

from mtbridge.base.errors import MtbridgeError
from mtbridge.models.classes import config_class, family_of, pretraining_class
from mtbridge.specs.families import find_family
from mtbridge.specs.pretraining import Architecture


def create(name: str, architecture: Architecture, ids: dict, vocabulary: int, seed: int):
    """A new model of a family's own class, its weights drawn from the seed.

    Args:
        name: the family's.
        ids: of the tokenizer's special tokens.
        vocabulary: entries of the tokenizer.
    """
    import torch

    torch.manual_seed(seed)
    family = find_family(name, "--family")
    sizes = {key: vars(architecture)[size] for size, keys in family.config_keys.items() for key in keys}
    specials = {key: ids[token] for key, token in family.config_tokens.items()}
    config = config_class(family)(vocab_size=vocabulary, **sizes, **specials, **family.config_values)
    return pretraining_class(family)(config)


def open_checkpoint(folder, name: str | None = None):
    """A checkpoint with its decoder or language-model head, as `loop.pretrain` writes it.

    Args:
        name: of the family that it must be of, where it is continued.

    Raises:
        MtbridgeError: it is of another family, or a tensor is missing or has no place.
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
