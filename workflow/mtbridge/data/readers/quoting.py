"""Formats without quoting: a quotation mark is a character of the text."""

from mtbridge.base.errors import MtbridgeError


def check_not_quoted(place: str, columns: dict[str, list[str]]) -> None:
    """Raise MtbridgeError for columns of which every text stands in quotation marks: a program has written the file so.

    Here a quotation mark is a character, so the marks would be learnt.
    """
    for name, texts in columns.items():
        if len(texts) > 1 and all(len(text) > 1 and text[0] == text[-1] == '"' for text in texts):
            raise MtbridgeError(
                f"{place}: every text of the column '{name}' stands in quotation marks, which are characters in this "
                "format; write the file without quoting"
            )
