"""From a model family to transformers' classes, and from a folder to its family."""

import importlib
from pathlib import Path

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import read_json
from mtbridge.specs.families import FAMILIES, Family


def family_of(folder) -> Family:
    """The family of a checkpoint or encoder folder, from its config.json. Raises for an architecture not known here."""
    path = Path(folder) / "config.json"
    config = read_json(path)
    name = config.get("model_type") if isinstance(config, dict) else None
    if name not in FAMILIES:
        raise MtbridgeError(
            f"{path}: model_type '{name}' is not an encoder that is known here; {nearest(name, FAMILIES)}"
        )
    if config.get("is_decoder") and not config.get("is_encoder_decoder"):
        raise MtbridgeError(f"{path}: a decoder without an encoder (is_decoder); expected a model with an encoder")
    return FAMILIES[name]


def config_class(family: Family):
    """The class of the family's configs."""
    return _class(family, family.config_class)


def encoder_class(family: Family):
    """The class of the family's encoder alone."""
    return _class(family, family.encoder_class)


def pretraining_class(family: Family):
    """The class that is pretrained: the encoder with its decoder or language-model head."""
    return _class(family, family.pretraining_class)


def _class(family: Family, name: str):
    return vars(importlib.import_module(family.module))[name]
