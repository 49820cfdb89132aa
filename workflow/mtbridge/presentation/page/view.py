"""What the page shows of one protocol: sentences, tables, pictures, and tables that sort and filter."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.verdicts import COLUMNS
from mtbridge.presentation import catalog, making
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.page import answers, grid, mechanism, names, plain
from mtbridge.presentation.page.charts import CHARTS, differences
from mtbridge.presentation.page.charts.picture import Picture
from mtbridge.presentation.page.sentence import ASKED, FOUND, OPEN, SURE, Sentence
from mtbridge.presentation.requirements import CONTRASTS
from mtbridge.presentation.tables.generation import FAULTS
from mtbridge.presentation.tables.generation import SHOWN as SHOWN_OF_OUTPUTS
from mtbridge.presentation.ways import way_labels
from mtbridge.presentation.words import BASELINE_NAMES, OUTPUT_MEASURES
from mtbridge.study.outline import Outline


@dataclass
class View:
    """One protocol on the page. `own`: it is the study's first; `suffix` ends the ids of what belongs to it.

    plain: the answer in plain English; leads: with numbers; names: what the names of the models in it mean.
    tables, drawings (SVG in base64), pictures, frames: by the name in the catalog; grids: by the name of their section.
    """

    protocol: str
    own: bool
    plain: list[Sentence] = field(default_factory=list)
    leads: list[Sentence] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    mechanism: list[Sentence] = field(default_factory=list)
    tables: dict[str, Layout] = field(default_factory=dict)
    drawings: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    grids: dict[str, grid.Grid] = field(default_factory=dict)
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def headings(self) -> list[str]:
        """What kinds of leading sentences there are, in their order; the question stands before them."""
        said = [sentence.heading for sentence in (*self.plain, *self.leads) if sentence.heading != ASKED]
        return [heading for heading in (FOUND, SURE, OPEN) if heading in said]

    @property
    def suffix(self) -> str:
        """What the ids of this view end with."""
        return "" if self.own else f"-{self.protocol}"

    def target(self, link: str) -> str:
        """The id that a link leads to: of this protocol's table or figure, or where it has none, of the first's."""
        own = link in self.tables or link in self.pictures or link in self.drawings
        return link + self.suffix if own else link


def read(results: Path, outline: Outline, protocol: str, own: bool, origins: dict, sources: dict) -> View:
    """The view of a protocol, from the files under `results`; adds the names of these files to `sources`.

    own: whether it is the study's first protocol, whose files lie in no subfolder; origins: (recipe, model, task) -> id
    of where its scores come from.
    """
    view = View(protocol, own)
    first, quotes = answers.read(results, outline, protocol)
    view.leads, view.quotes = first, [answers.unbroken(text) for text in quotes]
    view.plain, view.names = plain.read(results, outline, protocol), names.read(results, outline, protocol)
    found = mechanism.read(results, outline, protocol)
    view.mechanism = [Sentence(answers.unbroken(answer), _link(question), question) for question, answer in found]
    for entry in catalog.ENTRIES:
        if entry.section is not None:
            _read_entry(view, results, outline, entry, sources)
    if "forest" in view.frames and (first_picture := differences.forest(view.frames["forest"], outline, primary=True)):
        view.pictures["opening"] = first_picture
    elif "generation_claims" in view.frames:
        _add(view.pictures, "opening", differences.findings(view.frames["generation_claims"], outline))
    if (results / CONTRASTS).exists():
        contrasts = read_parquet(results / CONTRASTS, COLUMNS)
        own_rows = contrasts[contrasts["protocol"] == protocol]
        _add(view.grids, "answers", grid.contrasts(own_rows, f"contrasts{view.suffix}", outline))
    if "table4" in view.frames:
        rows = grid.score_rows(view.frames["table4"], outline)
        _add(view.grids, "scores", grid.scores(rows, f"scores-by-language{view.suffix}", outline, origins))
        if len(rows):
            _add(view.pictures, "scores", differences.scores(rows, outline))
    if "generation" in view.frames:
        rows = view.frames["generation"]
        rows = rows[rows["chosen"].astype(bool) & rows["measure"].isin((*SHOWN_OF_OUTPUTS, *FAULTS))]
        words = (OUTPUT_MEASURES, way_labels(outline), BASELINE_NAMES)
        _add(view.grids, "generation", grid.written(rows, "outputs", outline, *words))
    return view


def _link(question: str) -> str:
    """The id of what a question of `mechanism` is answered by."""
    return next(link for beginning, link in mechanism.LINKS.items() if question.startswith(beginning))


def _read_entry(view: View, results: Path, outline: Outline, entry: catalog.Entry, sources: dict) -> None:
    """A table or figure of the catalog, if its files are there."""
    folder = "" if view.own else f"{view.protocol}/"
    csv, svg = (results / entry.path(folder, suffix) for suffix in ("csv", "svg"))
    if not csv.exists():
        return
    frame = view.frames[entry.name] = read_csv(csv)
    title = entry.title + ("" if view.own else f" ({view.protocol})")
    if entry.kind == "table":
        view.tables[entry.name] = making.lay_out(entry, frame, outline, view.protocol)
        sources[title] = entry.path(folder, "csv")
        return
    if entry.name in CHARTS:
        _add(view.pictures, entry.name, CHARTS[entry.name](frame, outline))
    if entry.name not in view.pictures and svg.exists():
        # As a separate image: in two drawings inside one page, ids of glyphs and clips would clash.
        view.drawings[entry.name] = base64.b64encode(svg.read_bytes()).decode("ascii")
    sources[title] = f"{entry.path(folder, 'svg')}, .pdf, .png, .csv"


def _add(place: dict, name: str, value) -> None:
    if value is not None:
        place[name] = value
