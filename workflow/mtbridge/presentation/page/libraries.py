"""The programs that draw the page's pictures and sort its tables, as text that stands inside the page.

Vega-Lite (the package vl-convert-python holds it) draws; DataTables (the package itables holds it) sorts and filters.
Both packages are pinned, so a page is made of the same programs everywhere, and without a network.
"""

import base64
from functools import cache
from importlib.resources import files

VEGA_LITE = "6.4"  # of the versions that vl-convert-python holds, the one whose specifications altair writes


@cache
def drawing() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`. Raises ValueError for a script that would
    end its element in the page."""
    import vl_convert

    return _checked(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE), "vl-convert")


@cache
def tables() -> str:
    """DataTables as the address of a module (`data:`), from which a script imports it."""
    text = (files("itables") / "html" / "dt_bundle.js").read_bytes()
    return "data:text/javascript;base64," + base64.b64encode(text).decode("ascii")


@cache
def style_of_tables() -> str:
    """The style sheet of DataTables. Raises ValueError for one that would end its element in the page."""
    return _checked((files("itables") / "html" / "dt_bundle.css").read_text(encoding="utf-8"), "itables")


def _checked(text: str, package: str) -> str:
    """The text, if an HTML parser reads all of it as one script or style."""
    if "</script" in text.lower() or "</style" in text.lower() or "<!--" in text:
        raise ValueError(f"the files of {package} cannot stand inside a page; install the pinned version")
    return text
