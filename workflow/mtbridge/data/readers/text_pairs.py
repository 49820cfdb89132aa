"""Texts and what is to be written for them, in two files whose lines belong together: XGLUE's QG and NTG."""

from collections.abc import Callable
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers.quoting import check_not_quoted


def read_pairs(
    sources: tuple[list[str], str], targets: tuple[list[str], str], task: Any
) -> tuple[dict[str, list], Callable[..., str]]:
    """The examples: columns example_id (the line's number), the task's one column, label; and `place(row)`.

    sources, targets: the lines of the two files, each with its path for messages.

    Raises:
        MtbridgeError: a file has more lines than the other, or a line has no text; the message has file and line.
    """
    if len(task.columns) != 1:
        raise MtbridgeError(
            f"task {task.name}: columns: {', '.join(task.columns)}; a line of {sources[1]} is one text; expected one"
        )
    (lines, path), (expected, target_path) = sources, targets
    if len(lines) != len(expected):
        longer = path if len(lines) > len(expected) else target_path
        fewer, more = sorted((len(lines), len(expected)))
        raise MtbridgeError(
            f"{longer}:{fewer + 1}: the other of {path} and {target_path} ends before this line ({fewer} and {more} "
            "lines); lines of the same number belong together: get both again"
        )
    for texts, where in (sources, targets):
        if (empty := next((number for number, text in enumerate(texts, 1) if not text.strip()), None)) is not None:
            raise MtbridgeError(f"{where}:{empty}: an empty line; expected a text on every line of both files")
        check_not_quoted(f"{where}:1", {"text": texts})
    ids = [str(number) for number in range(1, len(lines) + 1)]
    columns = {"example_id": ids, task.columns[0]: lines, "label": expected}
    return columns, lambda row, word=0: f"{path}:{row + 1}"
