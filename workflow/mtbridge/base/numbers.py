"""Arithmetic that Python has no name for."""

from typing import Any


def ceil_div(a: Any, b: int) -> Any:
    """a / b, rounded up: how many parts of size b hold a, which is a whole number or an array of them."""
    return -(-a // b)
