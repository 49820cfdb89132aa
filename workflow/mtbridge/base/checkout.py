"""The checkout that this code belongs to: the folder of the Snakefile."""

import os
from pathlib import Path

HOME = Path(__file__).resolve().parents[3]


def from_here(path: str) -> str:
    """A path inside the checkout, as a program that starts in the current folder names it.

    In the checkout itself it stays relative, so options of programs do not depend on where the checkout lies.
    """
    return path if os.path.realpath(os.getcwd()) == str(HOME) else str(HOME / path)
