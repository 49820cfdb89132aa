"""The ledger: what arXiv 2403.16777 claims, what would support it, and what numbers say.

Every claim is asked twice: of the published tables alone, where they suffice, and of a study's own results. A question
gives a finding: an effect with its interval, and a verdict that follows from where the interval lies. Most questions
are of the form "is this difference above zero?": `supported` if the whole interval is, `contradicted` if it lies below
zero, else `undecided`. `not testable` says why.

What an interval holds is stated in `basis`. Published tables have one checkpoint and one number a cell, so theirs is
over the tasks (or pairs of languages) of the table: mean ± t(n − 1; .975) · s / √n. It is about these checkpoints, and
holds neither fine-tuning seeds nor other pretrainings. Those of a study are its contrasts' (`inference.verdicts`) and
those of `inference.separability`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd

from mtbridge.inference.claims import published, study
from mtbridge.inference.claims.finding import Finding

PUBLISHED, STUDY = "published tables", "this study"
COLUMNS = ["claim", "text", "place", "support", "source", "tested", "verdict", "effect", "low", "high", "unit", "basis"]

Asked = Callable[..., Finding]


class Claim(NamedTuple):
    """A claim, where it is printed, what would support it, and who is asked: the published tables, and a study."""

    name: str
    text: str
    place: str
    support: str
    published: Asked
    study: Asked


CLAIMS = (
    Claim(
        "no-gain",
        "Continued training on translation does not improve cross-lingual understanding",
        "abstract; Table 1",
        "a zero-shot difference that is below zero, or equivalent to it",
        published.fails_to_help,
        study.fails_to_help,
    ),
    Claim(
        "detrimental",
        "Explicit alignment of sentences is detrimental to cross-lingual transfer",
        "abstract",
        "a gap between English and zero-shot that widens",
        published.is_detrimental,
        study.is_detrimental,
    ),
    Claim(
        "transfer-alone",
        "What is lost is transfer: English keeps its scores",
        "implied by the abstract; Table 4",
        "English that does not fall",
        published.english_is_spared,
        study.english_is_spared,
    ),
    Claim(
        "separates",
        "Training on translation makes the encoder's outputs more separable",
        "abstract; Figure 2",
        "more variance between languages, or languages that are less alike",
        published.separates,
        study.separates,
    ),
    Claim(
        "due-to-separability",
        "The lack of gain is due to output separability",
        "abstract",
        "zero-shot scores that fall where languages lie further apart",
        published.no_table,
        study.separability_goes_with_loss,
    ),
    Claim(
        "agnostic",
        "Language models learn more language-agnostic representations than translation models",
        "Figure 2 and its discussion",
        "languages that are more alike in the language model",
        published.more_agnostic,
        study.more_agnostic,
    ),
    Claim(
        "from-scratch",
        "A model trained on translation from scratch transfers worse than language models",
        "Table 1",
        "a zero-shot difference below zero",
        published.from_scratch_is_worse,
        study.from_scratch_is_worse,
    ),
    Claim(
        "xlmr-best",
        "XLM-R transfers best",
        "Table 1",
        "XLM-R above the best other model",
        published.xlmr_is_best,
        study.not_here,
    ),
    Claim(
        "one-to-many",
        "Of the continued models, one-to-many loses most",
        "Table 1",
        "a zero-shot difference below zero against the other two",
        published.one_to_many_loses_most,
        study.not_here,
    ),
    Claim(
        "norms-grow",
        "Continued training enlarges singular values",
        "Tables 2 and 5",
        "norms that are larger than the base's",
        published.norms_grow,
        study.norms_grow,
    ),
    Claim(
        "rescaling",
        "It scales weights rather than changing them otherwise",
        "Tables 2 and 5, their discussion",
        "a factor that explains most of the change",
        published.is_rescaling,
        study.is_rescaling,
    ),
    Claim(
        "d-is-change",
        "d shows how far the weights moved",
        "Tables 2 and 5",
        "a ratio of d and the distance of weights near 1",
        published.no_table,
        study.d_is_the_change,
    ),
    Claim(
        "values-cause",
        "Larger singular values are what makes outputs separable and transfer worse",
        "abstract; Tables 2 and 5",
        "the other's singular values alone, on the base's vectors, lowering zero-shot scores",
        published.no_table,
        study.values_are_the_cause,
    ),
    Claim(
        "size",
        "mBART's encoder is about ten percent larger than the other language models'",
        "models section",
        "a ratio near 1.1",
        published.is_ten_percent_larger,
        study.not_here,
    ),
    Claim(
        "means",
        "Table 1 has the means over all languages",
        "Table 1",
        "equal means",
        published.means_count_every_language,
        study.not_here,
    ),
    Claim(
        "test-scores",
        "Scores are those of the test sets",
        "Tables 1 and 4",
        "accuracies that are multiples of one over the size of test",
        published.xnli_is_test,
        study.not_here,
    ),
)


def ledger(tables: published.Tables, found: study.Study | None) -> Iterator[tuple]:
    """The rows of the ledger: every claim by the published tables, then by the study; the columns are `COLUMNS`."""
    for claim in CLAIMS:
        yield (claim.name, claim.text, claim.place, claim.support, PUBLISHED, *claim.published(tables))
        if found is not None:
            yield (claim.name, claim.text, claim.place, claim.support, STUDY, *claim.study(found))


def claims_frame(tables: published.Tables, found: study.Study | None) -> pd.DataFrame:
    """The ledger as a frame with the columns `COLUMNS`; effects have the unit that stands beside them."""
    return pd.DataFrame(list(ledger(tables, found)), columns=COLUMNS)
