"""The project's own error: one line about a problem that the user can solve."""

from collections.abc import Iterable


class MtbridgeError(Exception):
    """A problem that the user can solve. Its message is one line: what, where, what was expected, what to do."""

    def __init__(self, message: str):
        # The text of another error inside the message may have line breaks.
        super().__init__(" ".join(str(message).split()))


def brief(error: BaseException, characters: int = 120) -> str:
    """The text of another error in one line, cut, for a message about it."""
    return " ".join((str(error) or repr(error)).split())[:characters]


def nearest(value: str, valid: Iterable[object]) -> str:
    """The end of an error about an unknown name: the valid name that is most like it, or else all valid names."""
    from difflib import get_close_matches

    names = sorted(str(name) for name in valid)
    # 0.5 and not difflib's 0.6: short names with one wrong letter still get their neighbour.
    close = get_close_matches(str(value), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "expected one of: " + ", ".join(names) if names else "none is defined"
