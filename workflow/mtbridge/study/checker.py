"""What checks of settings share: the settings, where they were set, and how an error is told."""

from collections.abc import Collection
from typing import NoReturn

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.study.layers import source_layer
from mtbridge.study.settings import Settings


class Checker:
    """The settings to check, and the layers that they come from."""

    def __init__(self, settings: Settings, layers: list):
        self.settings, self.layers = settings, layers

    def wrong(self, location: tuple, message: str) -> NoReturn:
        """Raise the error about a key.

        location: the key's parts, such as ("model_catalog", "bert", "path").

        Raises:
            MtbridgeError: always.
        """
        key = ".".join(str(part) for part in location)
        raise MtbridgeError(f"{source_layer(location, self.layers)}: {key}: {message}")

    def known(self, location: tuple, value: str, among: Collection[str], what: str) -> None:
        """Raise MtbridgeError unless a name is among those that exist. what: the word for such a name."""
        if value not in among:
            self.wrong(location, f"'{value}' is no {what}; {nearest(value, among)}")
