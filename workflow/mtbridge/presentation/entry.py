"""What the catalog knows of a table or figure. Snakemake imports this file when it plans: nothing heavy is imported."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from mtbridge.presentation import requirements
from mtbridge.presentation.modules import Functions

# Of a figure: for a screen, and in print as wide as a page's text or one column of it; see `PRINTED`.
SUFFIXES = {
    "table": ("csv", "md", "tex"),
    "figure": ("png", "svg", "pdf", "page.pdf", "page.png", "column.pdf", "column.png", "csv"),
}
# Form of a figure in print -> the key of the protocol that has its width in inches.
PRINTED = {"page": "page_width", "column": "column_width"}


Section = Literal["answers", "study", "scores", "similarity", "weights", "generation"]  # of the page
# Section -> its heading on the page, and the category of its tables and figures in Snakemake's report.
SECTIONS: dict[Section | None, str] = {
    "answers": "Answers",
    "study": "What was run",
    "scores": "Scores",
    "similarity": "Similarity of hidden states",
    "weights": "Weights",
    "generation": "Translation and generation",
    None: "Not on the page",
}


@dataclass(frozen=True)
class Entry:
    """A table or figure.

    A figure of similarities by another measure needs nothing but an entry: `load=modules.figure1`, `inputs` the
    measure's file `<measure>/models.parquet`, and `options={"measure": …}`.

    module: the module of its functions; load: imports and returns them; options: further arguments of both.
    inputs: the file or folder under the results that its program reads; files: (study, view) -> the files that must be
        there, None if `inputs` is the only one.
    section: its section of the page, None if the page does not show it; per_protocol: does every protocol have one?
    has_published: can published values stand beside ours?; exists: (study) -> does the study have it?
    question: what a figure answers, its title; caption: one sentence, above a table and below a picture; details: what
        Snakemake's report adds to the caption.
    """

    name: str
    kind: Literal["table", "figure"]
    title: str
    caption: str
    module: str
    load: Callable[[], Functions]
    inputs: str
    files: Callable[..., list[str]] | None = None
    options: dict = field(default_factory=dict)
    question: str = ""
    details: str = ""
    section: Section | None = None
    per_protocol: bool = True
    has_published: bool = False
    exists: Callable[..., bool] = requirements.has_labels

    @property
    def category(self) -> str:
        """Its category in Snakemake's report: the heading of its section of the page."""
        return SECTIONS[self.section]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its files."""
        return SUFFIXES[self.kind]

    def path(self, view: str, suffix: str) -> str:
        """Its file under the results; `view` is a protocol's folder ("", or the protocol's name and a slash)."""
        return f"{self.kind}s/{view}{self.name}.{suffix}"

    def outputs(self, study) -> list[str]:
        """Its files in a study, for every protocol or once; none if the study does not have it."""
        if not self.exists(study):
            return []
        views = [study.view(protocol) for protocol in study.protocols] if self.per_protocol else [""]
        return [f"{study.results}/{self.path(view, suffix)}" for suffix in self.suffixes for view in views]

    def requires(self, study, view: str) -> list[str]:
        """The files that it is made from."""
        return self.files(study, view) if self.files else [f"{study.results}/{self.inputs}"]

    def references(self, study) -> list[str]:
        """The file of published values that stand beside ours, if there is one."""
        return study.reference(self.name) if self.has_published else []

    def unused_modules(self, entries: Iterable["Entry"]) -> frozenset[str]:
        """Modules that its program could import but does not: editing them does not change the table or figure."""
        return frozenset(f"mtbridge.presentation.{other.module}" for other in entries if other.module != self.module)
