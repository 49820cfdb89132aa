"""Every table and figure of a study, one entry each. A new one needs an entry here and a module that computes it.

Rules, targets, programs, captions and the page are derived from these entries. The module of a table has `frame` (what
the CSV holds) and `body` (blocks and notes of the layout); the module of a figure has `frame` and `draw`:

    frame(outline, protocol, inputs, published, **options) -> DataFrame
    body(frame, outline, protocol, **options)              -> blocks, notes
    draw(frame, outline, protocol, width, **options)       -> matplotlib Figure

`width` is in inches; None is for a screen, where a figure is as large as what it shows needs.

Snakemake imports this file when it plans, so nothing heavy is imported at its top: an entry has a function of `modules`
that imports its module. `unused_modules` lists the modules that an entry's program could import through this catalog
but does not.
"""

from functools import partial

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.presentation import modules, requirements
from mtbridge.presentation.entry import SECTIONS, SUFFIXES, Entry

__all__ = ["ENTRIES", "SECTIONS", "SUFFIXES", "Entry", "find", "names"]

SPREAD = (
    "The line under the picture names the estimator, the corpus, the number of texts, the width of the intervals and "
    "the value of unrelated texts."
)

# What several tables or figures have in common: of what models write, of contrasts, …
_of_writing = partial(Entry, section="generation", per_protocol=False, exists=requirements.writes_texts)
_of_contrasts = partial(Entry, section="answers", exists=requirements.has_scores)
_of_similarity = partial(Entry, kind="figure", section="similarity", exists=requirements.has_similarities)
_of_scores = partial(
    Entry,
    kind="table",
    module="tables.scores",
    load=modules.scores,
    files=requirements.scored_runs,
    inputs="scores",
    section="scores",
    has_published=True,
)
_of_separability = partial(Entry, section="similarity", per_protocol=False, exists=requirements.continues_and_scores)
_of_retrieval = partial(
    Entry, section="similarity", inputs=requirements.RETRIEVAL, per_protocol=False, exists=requirements.retrieves
)
_of_spectra = partial(
    Entry,
    kind="table",
    module="tables.spectra",
    load=modules.spectra,
    files=requirements.singular_values,
    inputs="spectra",
    section="weights",
    has_published=True,
)

ENTRIES = (
    _of_contrasts(
        name="forest",
        kind="figure",
        title="Differences",
        caption="What was compared: differences with 95 % intervals, and verdicts.",
        question="What differs, and how surely?",
        details="Mean over tasks. A gap that narrows because English falls is no better transfer.",
        module="figures.forest",
        load=modules.forest,
        inputs=requirements.CONTRASTS,
    ),
    _of_contrasts(
        name="verdicts",
        kind="table",
        title="Verdicts",
        caption="What was compared, by how much it differs, and what may be claimed.",
        module="tables.verdicts",
        load=modules.verdicts,
        inputs=requirements.CONTRASTS,
    ),
    _of_contrasts(
        name="ranking",
        kind="table",
        title="Ranking",
        caption="Models by zero-shot score, with the ranks that the data allow.",
        module="tables.ranking",
        load=modules.ranking,
        inputs=requirements.RANKING,
    ),
    Entry(
        name="dose",
        kind="figure",
        title="Dose and response",
        caption="Scores against the updates of continued pretraining, as differences from the base.",
        question="Does more training do more?",
        module="figures.dose",
        load=modules.dose,
        inputs=requirements.CONTRASTS,
        section="answers",
        exists=requirements.has_doses,
    ),
    _of_contrasts(
        name="claims",
        kind="table",
        title="Claims",
        caption="What arXiv 2403.16777 claims, and what numbers say to it.",
        module="tables.claims",
        load=modules.claims,
        inputs=requirements.CLAIMS,
        per_protocol=False,
    ),
    _of_writing(
        name="rates",
        kind="figure",
        title="Learning rates of adaptation",
        caption="Scores and outputs in the wrong language against the learning rate.",
        question="At which learning rate does a model keep the language?",
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
        name="translators",
        kind="figure",
        title="Translators and encoders",
        caption="Zero-shot scores beside how well a model translates: one point a model.",
        question="Does a good translator transfer well?",
        module="figures.translators",
        load=modules.translators,
        inputs=requirements.TRANSLATORS,
        section="answers",
        per_protocol=False,
        exists=requirements.translates_and_transfers,
    ),
    _of_scores(
        name="table1",
        title="Table 1",
        caption="Mean score over languages, by task and model.",
        details="With 95 % intervals over pretrainings or fine-tuning seeds, and test examples.",
        options={"by": "statistic"},
    ),
    Entry(
        name="changes",
        kind="table",
        title="What continuing changed",
        caption="Differences between a continued model and what it is compared with, by task.",
        module="tables.changes",
        load=modules.changes,
        inputs=requirements.CONTRASTS,
        section="scores",
        exists=requirements.continues_and_is_scored,
    ),
    _of_spectra(
        name="table2",
        title="Table 2",
        caption="Singular values of the encoder's last layer.",
        details="Their norm, and their distance *d* to those of the base model.",
        options={"last_layer": True},
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
    _of_scores(
        name="table4",
        title="Table 4",
        caption="Score by task, model and language.",
        details="With 95 % intervals over pretrainings or fine-tuning seeds, and test examples. Where *language_known* "
        "is false the model does not know the language.",
        options={"by": "language"},
    ),
    _of_spectra(
        name="table5",
        title="Table 5",
        caption="Singular values of the encoder's other layers.",
        details="Their norm, and their distance *d* to those of the base model.",
        options={"last_layer": False},
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
        name="sigma",
        kind="figure",
        title="Singular values",
        caption="Singular values of the last layer minus those of the base, by rank.",
        question="Which singular values did continuing change?",
        module="figures.sigma",
        load=modules.sigma,
        inputs="spectra",
        files=requirements.singular_values,
        section="weights",
        per_protocol=False,
        exists=requirements.continues_and_has_labels,
    ),
    Entry(
        name="interventions",
        kind="figure",
        title="Interventions",
        caption="Is it the singular values? Zero-shot scores of models whose weights are put together from two.",
        question="Which part of the weights carries the gain?",
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
        name="translation",
        kind="table",
        title="Translation",
        caption="How well the models that translate do it: BLEU and chrF of every direction.",
        details="With 95 % intervals over the lines of the test set, and pretrainings where a model has several.",
        module="tables.translation",
        load=modules.translation,
        inputs=requirements.TRANSLATION,
        section="generation",
        per_protocol=False,
        exists=requirements.translates,
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
    _of_similarity(
        name="figure1",
        title="Figure 1",
        caption="Similarity (CKA) of two models on the same texts, by layer and language.",
        question="How alike are two models' states on the same texts?",
        details=SPREAD,
        module="figures.figure1",
        load=modules.figure1,
        inputs="cka/models.parquet",
    ),
    _of_similarity(
        name="figure2",
        title="Figure 2",
        caption="Similarity (CKA) of two languages inside one model, by layer.",
        question="How alike are two languages inside a model?",
        details=f"Two models share a matrix, one in the lower triangle and one in the upper. {SPREAD}",
        module="figures.figure2",
        load=modules.figure2,
        inputs="cka/languages.parquet",
        has_published=True,
    ),
    Entry(
        name="alike",
        kind="figure",
        title="Languages, differences",
        caption="Similarity (CKA) of two languages minus that in the base, by layer.",
        question="Are two languages more alike than in the base?",
        details="Cells whose interval holds zero are grey.",
        module="figures.alike",
        load=modules.alike,
        inputs="cka",
        files=requirements.of_languages,
        section="similarity",
        exists=requirements.compares_languages,
    ),
    _of_similarity(
        name="procrustes",
        title="Procrustes",
        caption="Similarity (orthogonal Procrustes) of two models on the same texts, by layer and language.",
        question="How alike are two models' states, by another measure?",
        details=f"Unrelated texts score more than 0: the estimator is biased. {SPREAD}",
        module="figures.figure1",
        load=modules.figure1,
        options={"measure": "procrustes"},
        inputs="procrustes/models.parquet",
    ),
    _of_similarity(
        name="separability",
        title="Separability",
        caption="How far languages lie apart in hidden states, and how well translations find each other, by layer.",
        question="How far apart do languages lie, layer by layer?",
        module="figures.separability",
        load=modules.separability,
        inputs="separability",
        files=requirements.separability,
    ),
    _of_separability(
        name="separability_differences",
        kind="table",
        title="Separability, differences",
        caption="How much further apart languages lie in a continued model than in what it is compared with.",
        module="tables.separability",
        load=modules.separability_table,
        inputs=requirements.SEPARABILITY,
    ),
    _of_separability(
        name="transfer",
        kind="figure",
        title="Separability and transfer",
        caption="Zero-shot scores beside how far languages lie apart: every pretraining of the continued models.",
        question="Does transfer go with how far languages lie apart?",
        module="figures.transfer",
        load=modules.transfer,
        inputs=requirements.SLOPES,
    ),
    _of_retrieval(
        name="retrieval_layers",
        kind="figure",
        title="Retrieval by layer",
        caption="Sentences whose nearest neighbour in another language is their translation, by depth of the layer.",
        question="In which layers do translations find each other?",
        module="figures.retrieval",
        load=modules.retrieval,
    ),
    _of_retrieval(
        name="retrieval",
        kind="table",
        title="Retrieval",
        caption="Sentences whose nearest neighbour is their translation, without training, to and from each language.",
        module="tables.retrieval",
        load=modules.retrieval_table,
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
