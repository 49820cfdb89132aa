"""Samples that depend on names alone, not on the order or the number of what they are drawn from."""

import hashlib
from collections.abc import Iterable


def sample(names: Iterable[str], stream: str) -> list[str]:
    """Names in a random order; its first n are a sample of n without replacement.

    The place of a name depends on the name and on `stream` (a seed, and what is drawn). So a file that is sorted, or
    has more rows, keeps the order of the others, and lists with the same names, such as translations, have one order.
    """
    prefix = hashlib.blake2b(f"{stream}/".encode(), digest_size=16)

    def key(name: str) -> bytes:
        place = prefix.copy()
        place.update(name.encode())
        return place.digest()

    return sorted(names, key=key)
