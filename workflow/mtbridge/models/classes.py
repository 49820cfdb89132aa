"""The family of a model folder, and the transformers classes of a family."""

import importlib
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import read_json
from mtbridge.specs.families import FAMILIES, Family


def family_of(folder: str | Path) -> Family:
    """The family of a checkpoint or encoder folder, read from its config.json.

    Raises:
        MtbridgeError: config.json is of an unknown architecture, or of a decoder without an encoder.
    """
    path = Path(folder) / "config.json"
    config = read_json(path)
    name = config.get("model_type") if isinstance(config, dict) else None
    if name not in FAMILIES:
        raise MtbridgeError(
            f"{path}: model_type '{name}' is not an encoder that is known here; {nearest(str(name), FAMILIES)}"
        )
    if config.get("is_decoder") and not config.get("is_encoder_decoder"):
        raise MtbridgeError(f"{path}: a decoder without an encoder (is_decoder); expected a model with an encoder")
    return FAMILIES[name]


def config_class(family: Family) -> Any:
    """The class of the family's configs."""
    return _class(family, family.config_class)


def encoder_class(family: Family) -> Any:
    """The class of the family's encoder alone."""
    return _class(family, family.encoder_class)


def pretraining_class(family: Family) -> Any:
    """The class that pretraining uses: the encoder with its decoder or language-model head."""
    return _class(family, family.pretraining_class)


def _class(family: Family, name: str) -> Any:
    # Only now, because the modeling modules of transformers are slow to import.
    return vars(importlib.import_module(family.module))[name]
