"""Every table and figure of a study, one entry each. A new one needs an entry here and a module that computes it.

Rules, targets, programs, captions and the page are derived from these entries. The module of a table has `frame` (what
the CSV holds) and `body` (blocks and notes of the layout); the module of a figure has `frame` and `draw`:

    frame(outline, protocol, inputs, published, **options) -> DataFrame
    body(frame, outline, protocol, **options)              -> blocks, notes
    draw(frame, outline, protocol, **options)              -> matplotlib Figure

Snakemake imports this file when it plans, so nothing heavy is imported at its top: an entry has a function of `modules`
that imports its module. `unused_modules` lists the modules that an entry's program could import through this catalog
but does not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.presentation import modules, requirements
from mtbridge.presentation.modules import Functions

SUFFIXES = {"table": ("csv", "md", "tex"), "figure": ("png", "svg", "pdf", "csv")}


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
    caption: one sentence, above a table and below a picture; details: what Snakemake's report adds to the caption.
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
    details: str = ""
    section: Literal["answers", "study", "scores", "similarity", "weights", "generation"] | None = None
    per_protocol: bool = True
    has_published: bool = False
    exists: Callable[..., bool] = requirements.has_labels

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

    def unused_modules(self) -> frozenset[str]:
        """Modules that its program could import but does not: editing them does not change the table or figure."""
        return frozenset(f"mtbridge.presentation.{other.module}" for other in ENTRIES if other.module != self.module)


SPREAD = (
    "The line under the picture names the estimator, the corpus, the number of texts, the width of the intervals and "
    "the value of unrelated texts."
)

# A table or figure of what models write.
_of_writing = partial(Entry, section="generation", per_protocol=False, exists=requirements.writes_texts)

ENTRIES = (
    Entry(
        name="forest",
        kind="figure",
        title="Differences",
        caption="What was compared: differences with 95 % intervals, and verdicts.",
        details="Mean over tasks. A gap that narrows because English falls is no better transfer.",
        module="figures.forest",
        load=modules.forest,
        inputs=requirements.CONTRASTS,
        section="answers",
        exists=requirements.has_scores,
    ),
    Entry(
        name="verdicts",
        kind="table",
        title="Verdicts",
        caption="What was compared, by how much it differs, and what may be claimed.",
        module="tables.verdicts",
        load=modules.verdicts,
        inputs=requirements.CONTRASTS,
        section="answers",
        exists=requirements.has_scores,
    ),
    Entry(
        name="ranking",
        kind="table",
        title="Ranking",
        caption="Models by zero-shot score, with the ranks that the data allow.",
        module="tables.ranking",
        load=modules.ranking,
        inputs=requirements.RANKING,
        section="answers",
        exists=requirements.has_scores,
    ),
    Entry(
        name="dose",
        kind="figure",
        title="Dose and response",
        caption="Scores against the updates of continued pretraining, as differences from the base.",
        module="figures.dose",
        load=modules.dose,
        inputs=requirements.CONTRASTS,
        section="answers",
        exists=requirements.has_doses,
    ),
    Entry(
        name="claims",
        kind="table",
        title="Claims",
        caption="What arXiv 2403.16777 claims, and what numbers say to it.",
        module="tables.claims",
        load=modules.claims,
        inputs=requirements.CLAIMS,
        section="answers",
        per_protocol=False,
        exists=requirements.has_scores,
    ),
    _of_writing(
        name="rates",
        kind="figure",
        title="Learning rates of adaptation",
        caption="Scores and outputs in the wrong language against the learning rate.",
        module="figures.rates",
        load=modules.rates,
        inputs=requirements.GENERATION,
    ),
    _of_writing(
        name="generation",
        kind="table",
        title="Generation",
        caption="What models write after adaptation in English, at the rate that is best on English dev.",
        module="tables.generation",
        load=modules.generation,
        inputs=requirements.GENERATION,
    ),
    _of_writing(
        name="generation_claims",
        kind="table",
        title="Findings on generation",
        caption="What arXiv 2402.12279 finds on zero-shot generation, and what this study's outputs say.",
        module="tables.generation_claims",
        load=modules.generation_claims,
        inputs=requirements.GENERATION_CLAIMS,
    ),
    Entry(
        name="table1",
        kind="table",
        title="Table 1",
        caption="Mean score over languages, by task and model.",
        details="With 95 % intervals over pretrainings or fine-tuning seeds, and test examples.",
        module="tables.scores",
        load=modules.scores,
        options={"by": "statistic"},
        files=requirements.scored_runs,
        inputs="scores",
        section="scores",
        has_published=True,
    ),
    Entry(
        name="table2",
        kind="table",
        title="Table 2",
        caption="Singular values of the encoder's last layer.",
        details="Their norm, and their distance *d* to those of the base model.",
        module="tables.spectra",
        load=modules.spectra,
        options={"last_layer": True},
        files=requirements.singular_values,
        inputs="spectra",
        section="weights",
        has_published=True,
    ),
    Entry(
        name="table3",
        kind="table",
        title="Table 3",
        caption="The tasks and their data.",
        details="Languages, English training examples, mean size of dev and test over languages, metric.",
        module="tables.data",
        load=modules.data,
        files=requirements.examples,
        inputs="data",
        section="study",
        has_published=True,
    ),
    Entry(
        name="table4",
        kind="table",
        title="Table 4",
        caption="Score by task, model and language.",
        details="With 95 % intervals over pretrainings or fine-tuning seeds, and test examples. Where *language_known* "
        "is false the model does not know the language.",
        module="tables.scores",
        load=modules.scores,
        options={"by": "language"},
        files=requirements.scored_runs,
        inputs="scores",
        section="scores",
        has_published=True,
    ),
    Entry(
        name="table5",
        kind="table",
        title="Table 5",
        caption="Singular values of the encoder's other layers.",
        details="Their norm, and their distance *d* to those of the base model.",
        module="tables.spectra",
        load=modules.spectra,
        options={"last_layer": False},
        files=requirements.singular_values,
        inputs="spectra",
        section="weights",
        has_published=True,
    ),
    Entry(
        name="weights",
        kind="table",
        title="Weights",
        caption="How far continued pretraining moved the encoder's weights, by layer.",
        details="Distances of matrices and of their singular values to the base's, and the kind of change.",
        module="tables.weights",
        load=modules.weights,
        files=requirements.weight_distances,
        inputs="spectra",
        section="weights",
        per_protocol=False,
        exists=requirements.continues_models,
    ),
    Entry(
        name="interventions",
        kind="figure",
        title="Interventions",
        caption="Is it the singular values? Zero-shot scores of models whose weights are put together from two.",
        details="Values: the base with the other's singular values; vectors: the other with the base's.",
        module="figures.interventions",
        load=modules.interventions,
        inputs=requirements.CONTRASTS,
        section="weights",
        exists=requirements.derives_models,
    ),
    Entry(
        name="exposure",
        kind="table",
        title="Exposure",
        caption="What each model has seen of each language.",
        module="tables.exposure",
        load=modules.exposure,
        files=requirements.no_files,
        inputs="",
        per_protocol=False,
        exists=requirements.knows_exposure,
    ),
    Entry(
        name="learning_rate",
        kind="table",
        title="Learning rates",
        caption="The learning rate, chosen per model and task on English dev.",
        module="tables.learning_rate",
        load=modules.learning_rate,
        inputs="scores.parquet",
        exists=requirements.chooses_rates,
    ),
    Entry(
        name="agreement",
        kind="table",
        title="Agreement",
        caption="The published values beside ours, in one table.",
        module="tables.agreement",
        load=modules.agreement,
        options={"tables": requirements.COMPARED},
        files=requirements.tables_with_published_values,
        inputs="tables/{view}",
        exists=requirements.has_published_values,
    ),
    Entry(
        name="figure1",
        kind="figure",
        title="Figure 1",
        caption="Similarity (CKA) of two models on the same texts, by layer and language.",
        details=SPREAD,
        module="figures.figure1",
        load=modules.figure1,
        inputs="cka/models.parquet",
        section="similarity",
        exists=requirements.has_similarities,
    ),
    Entry(
        name="figure2",
        kind="figure",
        title="Figure 2",
        caption="Similarity (CKA) of two languages inside one model, by layer.",
        details=f"Two models share a matrix, one in the lower triangle and one in the upper. {SPREAD}",
        module="figures.figure2",
        load=modules.figure2,
        inputs="cka/languages.parquet",
        section="similarity",
        has_published=True,
        exists=requirements.has_similarities,
    ),
    Entry(
        name="procrustes",
        kind="figure",
        title="Procrustes",
        caption="Similarity (orthogonal Procrustes) of two models on the same texts, by layer and language.",
        details=f"Unrelated texts score more than 0: the estimator is biased. {SPREAD}",
        module="figures.figure1",
        load=modules.figure1,
        options={"measure": "procrustes"},
        inputs="procrustes/models.parquet",
        section="similarity",
        exists=requirements.has_similarities,
    ),
    Entry(
        name="separability",
        kind="figure",
        title="Separability",
        caption="How far languages lie apart in hidden states, and how well translations find each other, by layer.",
        module="figures.separability",
        load=modules.separability,
        inputs="separability",
        files=requirements.separability,
        section="similarity",
        exists=requirements.has_similarities,
    ),
    Entry(
        name="separability_differences",
        kind="table",
        title="Separability, differences",
        caption="How much further apart languages lie in a continued model than in what it is compared with.",
        module="tables.separability",
        load=modules.separability_table,
        inputs=requirements.SEPARABILITY,
        section="similarity",
        per_protocol=False,
        exists=requirements.continues_and_scores,
    ),
    Entry(
        name="transfer",
        kind="figure",
        title="Separability and transfer",
        caption="Zero-shot scores beside how far languages lie apart: every pretraining of the continued models.",
        module="figures.transfer",
        load=modules.transfer,
        inputs=requirements.SLOPES,
        section="similarity",
        per_protocol=False,
        exists=requirements.continues_and_scores,
    ),
)


def find(name: str) -> Entry:
    """The entry of a table or figure. Raises MtbridgeError for a name that is not in the catalog."""
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise MtbridgeError(f"--name: '{name}' is no table or figure; {nearest(name, [entry.name for entry in ENTRIES])}")


def names(kind: str) -> list[str]:
    """The names of all tables, or of all figures."""
    return [entry.name for entry in ENTRIES if entry.kind == kind]
