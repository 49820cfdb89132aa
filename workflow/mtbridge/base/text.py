"""Reading lines of text; what is a line is part of what a result is made of."""

from pathlib import Path

from mtbridge.base.errors import MtbridgeError


def read_lines(path) -> list[str]:
    """The lines of a UTF-8 text file, without their line ends. Raises MtbridgeError with file and line."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MtbridgeError(f"{path}:{line}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from error
    # Not splitlines(): it also breaks at U+2028, form feeds and the like, which real text holds inside a line.
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines]
