"""What an interactive picture is, and what all of them have in common: colours, sizes, text."""

import json
import textwrap
from dataclasses import dataclass, field
from typing import Any

import altair
import pandas as pd

ROWS = altair.NamedData("rows")  # the picture's rows, which the page adds to its specification
CELL = 190  # pixels: width of one panel of several
# Told apart with all kinds of colour vision, and three times as light or dark as the page, be it white or black. The
# first four are of Okabe and Ito (2008), whose others are too light for white; more lines repeat them.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#875A3C", "#8787FF", "#C30F96", "#777777"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]]
FLOOR = (COLOURS[-1], [4, 2])  # of the untrained encoder: grey, as in figures
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
SEQUENTIAL: Any = "viridis"  # altair types its schemes as literals
DIVERGING: dict[str, Any] = {"scheme": "redblue", "reverse": True}  # as in figures: blue below zero, red above
FONT = "Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif"  # Vega measures labels with it
# `var(…)` is a colour of the page, so that a picture follows it from light to dark and to paper.
INK, SOFT, LINE, PAPER = "var(--ink)", "var(--soft)", "var(--line)", "var(--paper)"
_PLAIN = {"labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"}
CONFIG = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": _PLAIN | {"domainColor": SOFT, "tickColor": SOFT, "gridColor": LINE, "labelLimit": 260},
    "legend": _PLAIN
    | {"orient": "bottom", "labelLimit": 220, "titleLimit": 300, "symbolLimit": 60, "symbolStrokeColor": SOFT},
    "header": {"labelColor": INK, "labelFontSize": 11, "labelFontWeight": "bold", "labelLimit": 420}
    | {"title": None, "labelAnchor": "start"},
    "range": {"category": COLOURS, "symbol": SHAPES},
    # A screen reader gets the description and the table; a thousand cells read one by one would say nothing.
    "mark": {"aria": False},
}


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    rows: what it draws; views: "value", and where the page can show it, "difference" -> the specification that draws
    these rows; title: its question; text: what one sees, for those who do not see it, and below the picture.
    """

    rows: pd.DataFrame
    views: dict[str, Any]
    title: str
    text: str
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict:
        """The rows, column by column (`_column`), and the specifications as values of JSON."""
        views = {}
        for name, chart in self.views.items():
            specification = chart.properties(description=f"{self.title} {self.text}").to_dict(context={"datasets": {}})
            specification.pop("datasets", None)
            specification["config"] = CONFIG
            views[name] = specification
        return {"columns": {str(name): _column(values) for name, values in self.rows.items()}, "views": views}


def _column(values: pd.Series) -> dict:
    """A column as values of JSON: its values; or where they repeat, each once with the place of every row's.

    Rows that name their columns, and repeat a model's name, would take four times the room. A number that is missing is
    null.
    """
    plain = json.loads(values.to_json(orient="values", double_precision=5))
    if any(isinstance(value, list) for value in plain):
        return {"values": plain}
    levels = list(dict.fromkeys(plain))
    if 2 * len(levels) > len(plain):
        return {"values": plain}
    place = {level: number for number, level in enumerate(levels)}
    return {"values": levels, "places": [place[value] for value in plain]}


def lines(text: str, width: int = 26) -> str:
    """A label in several lines, separated as `LABEL` expects it."""
    return "\n".join(textwrap.wrap(str(text), width)) or str(text)


LABEL = "split(datum.label, '\\n')"  # the expression that shows a label of `lines`


def panels(chart, by: str, order: list, width: int = CELL, height: int = 150):
    """A panel for each value of a column, in this order; the page fits their number per line to its width."""
    shown = chart.properties(width=width, height=height)
    header = altair.Header(labelExpr=LABEL, title=None)
    return shown.facet(altair.Facet(f"{by}:N", sort=order, header=header), columns=4)


def number_axis(title: str, **options):
    """The axis of a number, with its unit in the title."""
    return altair.Axis(title=title, tickCount=5, **options)
