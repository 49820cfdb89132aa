"""Reads lines of text. What counts as a line changes results, so it is defined once, here."""

import os
from pathlib import Path

from mtbridge.base.errors import MtbridgeError


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 text file, without their line ends (LF or CR LF).

    Raises:
        MtbridgeError: the file cannot be read, or is not UTF-8; the message names file and line.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")  # drops the byte order mark that some editors write
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MtbridgeError(f"{path}:{line}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from error
    # Not splitlines(): it also breaks at U+2028, form feeds and the like, which occur inside lines of real text.
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines]
