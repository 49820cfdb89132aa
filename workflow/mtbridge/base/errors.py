"""The project's own error: a problem that the user can mend, told in one line."""


class MtbridgeError(Exception):
    """A problem that the user can mend, told in one line: what, where, what was expected, what to do."""

    def __init__(self, message: str):
        super().__init__(" ".join(str(message).split()))


def nearest(value: str, valid) -> str:
    """The sentence that ends an error about an unknown name: the nearest valid one, or all of them."""
    from difflib import get_close_matches

    valid = sorted(str(v) for v in valid)
    close = get_close_matches(str(value), valid, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "expected one of: " + ", ".join(valid) if valid else "none is defined"
