"""Settings as words `key=value`, as they stand behind `--config`, with values in YAML."""

from collections.abc import Iterable
from typing import Any

import yaml

from mtbridge.base.errors import MtbridgeError


def read_words(words: Iterable[str]) -> dict[str, Any]:
    """The keys and values of such words. Raises MtbridgeError for a word that is none, or whose value is not YAML."""
    values: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.isidentifier():
            raise MtbridgeError(f"--config: '{word}' is no setting; expected key=value, as in tasks='[nc, pos]'")
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            problem = getattr(error, "problem", None) or error
            raise MtbridgeError(f"--config: {key}: not YAML ({problem}); a list is '{key}=[one, two]'") from error
    return values
