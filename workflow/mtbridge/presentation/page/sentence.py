"""A sentence of the page, and where the numbers stand that it is made from."""

from typing import NamedTuple

ASKED = "What was asked"
FOUND, SURE, OPEN = "What was found", "How sure that is", "What is not shown"


class Sentence(NamedTuple):
    """text; link: the id of the table or figure of the page that it is about; heading: what kind of sentence it is."""

    text: str
    link: str = ""
    heading: str = FOUND
