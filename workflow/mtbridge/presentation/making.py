"""Makes the tables and figures of the catalog: the frame, then the layout of a table or the picture of a figure."""

from mtbridge.presentation.catalog import Entry


def make(entry: Entry, outline, protocol: str, inputs, reference=None):
    """The frame of a table or figure. `reference` is a CSV of published values."""
    from mtbridge.presentation.files import read_published

    compute, _ = entry.load()
    frame = compute(outline, protocol, inputs, read_published(reference), **entry.options)
    # Six decimals, so that a table laid out from this frame and one laid out from its CSV agree to the last digit.
    return frame.round(6) if entry.kind == "table" else frame


def lay_out(entry: Entry, frame, outline, protocol: str):
    """The layout of a table from its frame, computed or read from its CSV."""
    from mtbridge.presentation.layout import Layout

    _, body = entry.load()
    blocks, notes = body(frame, outline, protocol, **entry.options)
    return Layout(entry.title, entry.caption, blocks, notes)


def draw(entry: Entry, frame, outline, protocol: str, width: float | None = None):
    """The picture of a figure, a matplotlib Figure, from its frame.

    width: inches of one column or of a page's text; None for a picture as large as what it shows needs.
    """
    from mtbridge.presentation.figures.style import styled

    _, draw_frame = entry.load()
    with styled(width):
        return draw_frame(frame, outline, protocol, width, **entry.options)
