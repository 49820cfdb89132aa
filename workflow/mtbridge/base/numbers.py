"""Arithmetic that Python's library has no function for."""

from typing import Any


def ceil_div(a: Any, b: int) -> Any:
    """a / b, rounded up: how many parts of size b are needed for a, an integer or an array of integers."""
    # `//` rounds down; on two negated numbers that is rounding up, exact for integers of any size.
    return -(-a // b)
