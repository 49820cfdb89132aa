"""Arithmetic that Python has no name for."""


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up: how many parts of size b hold a."""
    return -(-a // b)
