"""The family of a model folder, and the transformers classes of a family."""

import importlib
from pathlib import Path
from typing import Any

from mtbridge.base.files import read_json
from mtbridge.specs.families import Family, family_of_config


def family_of(folder: str | Path) -> Family:
    """The family of a checkpoint or encoder folder, read from its config.json.

    Raises:
        MtbridgeError: config.json is of an architecture that is not supported, or of a decoder without an encoder.
    """
    path = Path(folder) / "config.json"
    return family_of_config(read_json(path), path)


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
