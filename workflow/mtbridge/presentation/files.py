"""Reading CSVs of results and of published values, and writing tables."""

import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write
from mtbridge.presentation.latex import PAGE, to_tex
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.markdown import to_markdown


def read_csv(path) -> pd.DataFrame:
    """The frame of a table or figure from its CSV. Raises MtbridgeError if it cannot be read."""
    try:
        # Only an empty cell is missing: a source may be called "NA", or be a number.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"source": str})
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{path}: cannot be read ({error}); delete it so that it is made again") from error
    for column in frame.columns.intersection(["degenerate", "left_out"]):
        frame[column] = frame[column].astype(object).fillna("")
    return frame


def read_published(path) -> pd.DataFrame | None:
    """The published values in a CSV; None without a path. Raises MtbridgeError if it cannot be read."""
    if path is None:
        return None
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{path}: published values cannot be read ({error})") from error


def write_table(frame: pd.DataFrame, layout: Layout, csv, markdown, tex, width: float = PAGE) -> None:
    """Write the three forms of a table, each completely or not at all. width: inches of a page's text."""
    with atomic_write(csv) as temporary:
        frame.to_csv(temporary, index=False)
    for path, text in ((markdown, to_markdown(layout)), (tex, to_tex(layout, width))):
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
