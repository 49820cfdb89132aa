"""Files with one word a line, its tags beside it, and a blank line between sentences (CoNLL 2002, 2003, XGLUE).

The source's `columns` names all columns of the file, by default [tokens, label]. Columns are separated by tabs where a
line has a tab, otherwise by single spaces. A line with another number of columns is an error: which column is which
cannot be seen from the text, and the wrong one would be learnt in silence.

Lines of `-DOCSTART-`, with which CoNLL separates documents, end a sentence and are no word, as in XGLUE's evaluation.
The last sentence need not be followed by a blank line. A sentence's id is its number in the file, so a sentence and
its translations have the same.
"""

import re
import sys

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import is_field
from mtbridge.specs.source import Xglue

DOCUMENT = "-DOCSTART-"


def read_sentences(lines: list[str], path: str, source: Xglue):
    """The sentences of a file: columns example_id, tokens, label; and `place(row, word)`.

    Raises:
        MtbridgeError: a line does not have the columns that the source names, or is a comment inside a sentence; the
            message has file and line.
    """
    token_at, label_at = source.columns.index("tokens"), source.columns.index("label")
    columns: dict[str, list] = {"example_id": [], "tokens": [], "label": []}
    numbers: list[list[int]] = []
    comments: list[int] = []
    inside = False
    for number, line in enumerate(lines, 1):
        if source.comment and line.startswith(source.comment):
            if inside:  # it may be a word, such as a hashtag
                raise MtbridgeError(
                    f"{path}:{number}: '{line[:60]}' begins with source.comment inside a sentence; comments stand "
                    "before a sentence: put a blank line before it, or give a longer beginning that no word has"
                )
            comments.append(number)
            continue
        if not line.strip() or re.split("[ \t]", line, maxsplit=1)[0] == DOCUMENT:
            inside = False
            continue
        fields = _fields(line, source, token_at)
        _check(fields, source.columns, f"{path}:{number}", line)
        if not inside:
            columns["example_id"].append(str(len(numbers) + 1))
            columns["tokens"].append([])
            columns["label"].append([])
            numbers.append([])
            inside = True
        columns["tokens"][-1].append(fields[token_at])
        columns["label"][-1].append(source.labels.get(fields[label_at], fields[label_at]))
        numbers[-1].append(number)
    if comments:
        first = lines[comments[0] - 1][:60]
        print(f"{path}: {len(comments)} comments left out, the first at line {comments[0]}: {first}", file=sys.stderr)
    return columns, lambda row, word=0: f"{path}:{numbers[row][word] if numbers else 1}"


def _fields(line: str, source: Xglue, token_at: int) -> list[str]:
    if "\t" in line:
        return line.split("\t")
    fields = line.split(" ")
    surplus = len(fields) - len(source.columns)
    if source.spaces_in_tokens and surplus > 0:
        return [
            *fields[:token_at],
            " ".join(fields[token_at : token_at + surplus + 1]),
            *fields[token_at + surplus + 1 :],
        ]
    return fields


def _check(fields: list[str], columns: tuple[str, ...], place: str, line: str) -> None:
    if len(fields) != len(columns):
        raise MtbridgeError(
            f"{place}: {len(fields)} columns where source.columns names {len(columns)} ({', '.join(columns)}), in "
            f"'{line[:60]}'; mend the line, or name the file's columns in order, as in columns: [tokens, pos, chunk, "
            "label]; where tokens hold spaces, say spaces_in_tokens: true"
        )
    if not all(map(is_field, fields)):
        raise MtbridgeError(f"{place}: an empty column, or a space at its edge, in '{line[:60]}'; mend the line")
