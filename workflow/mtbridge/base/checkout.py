"""The checkout that this code belongs to: the folder of the Snakefile."""

import os
import subprocess
from pathlib import Path

HOME = Path(__file__).resolve().parents[3]


def from_here(path: str) -> str:
    """A path inside the checkout, as a program that starts in the current folder names it.

    In the checkout itself it stays relative, so options of programs do not depend on where the checkout lies.
    """
    return path if os.path.realpath(os.getcwd()) == str(HOME) else str(HOME / path)


def commit() -> str | None:
    """The project's commit; None if this is no git checkout, or there is no git."""
    command = ["git", "-C", str(HOME), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # an image or a node without git
        return None
    return done.stdout.strip() or None
