"""The family of a model folder, and the transformers classes of a family."""

import importlib
from pathlib import Path
from typing import Any

from mtbridge.base.files import read_json
from mtbridge.specs.families import Family, declared_family, family_of_config


def family_of(folder: str | Path) -> Family:
    """The declared family of a checkpoint or encoder folder, read from its config.json.

    Raises:
        MtbridgeError: its architecture is not declared, or config.json is that of a decoder without an encoder.
    """
    path = Path(folder) / "config.json"
    return family_of_config(read_json(path), path)


def find_family_of(folder: str | Path) -> Family | None:
    """The same, and None where the architecture is not declared.

    Raises:
        MtbridgeError: config.json names no architecture, or is that of a decoder without an encoder.
    """
    path = Path(folder) / "config.json"
    return declared_family(read_json(path), path)


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
