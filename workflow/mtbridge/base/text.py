"""Reads lines of text. What counts as a line changes results, so it is defined once, here."""

import os
import re
from pathlib import Path

from mtbridge.base.errors import MtbridgeError

# Of Windows, of Unix and of old Macs, also mixed in one file. Not str.splitlines(): it also breaks at U+2028, form
# feeds and the like, which occur inside lines of real text.
# CR CR LF is what Windows makes of CR LF when a program writes the two as text.
LINE_END = re.compile(r"\r\r?\n|\n|\r")
BYTE_ORDER_MARK = "\ufeff"


def read_text(path: str | os.PathLike) -> str:
    """The content of a UTF-8 text file, without a byte order mark.

    Raises:
        MtbridgeError: the file cannot be read, is not UTF-8, or holds a NUL byte; the message names file and line.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read: {error.strerror}; check the file and its rights") from error
    return decode(raw, path)


def decode(raw: bytes, path: str | os.PathLike) -> str:
    """The text of bytes; `path` is their place for messages. See `read_text`."""
    try:
        text = raw.decode("utf-8-sig")  # drops the byte order mark that some editors write
    except UnicodeDecodeError as error:
        line = _line_of(raw[: error.start])
        raise MtbridgeError(f"{path}:{line}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from error
    # A second mark, or one at the start of a later line, comes from files that were joined; it is no part of a text.
    if mark := re.search(f"(^|[\r\n]){BYTE_ORDER_MARK}", text):
        line = len(LINE_END.findall(text[: mark.end()])) + 1
        raise MtbridgeError(f"{path}:{line}: a byte order mark inside the file; delete it")
    if (nul := raw.find(b"\0")) >= 0:
        line = _line_of(raw[:nul])
        raise MtbridgeError(f"{path}:{line}: a NUL byte; the file is damaged or not UTF-8: get it again")
    return text


def _line_of(before: bytes) -> int:
    """The number of the line that follows some bytes."""
    return len(LINE_END.findall(before.decode("latin-1"))) + 1


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends (LF, CR LF or CR)."""
    lines = LINE_END.split(text)
    if lines[-1] == "":
        lines.pop()
    return lines


def is_field(text: str) -> bool:
    """Is it the content of a field: not empty, and without a space at an edge? Other white space may be a token."""
    return bool(text) and not text.startswith(" ") and not text.endswith(" ")


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 text file, without their ends. Raises MtbridgeError; see `read_text`."""
    return split_lines(read_text(path))
