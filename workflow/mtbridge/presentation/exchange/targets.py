"""The files in exchange formats: their targets, and what they are made from. Snakemake imports this when it plans."""

from dataclasses import dataclass

from mtbridge.presentation.requirements import (
    GENERATION,
    OUTPUT_SCORES,
    RUN_SCORES,
    has_labels,
    has_scores,
    writes_texts,
)


@dataclass(frozen=True)
class Target:
    """A target that writes results in an exchange format; path: of its files under the results."""

    name: str
    caption: str
    path: str


RECORDS = Target(
    "exchange",
    "Every score as JSON Lines in the schema of Every Eval Ever, with interval, sizes and where it comes from.",
    "exchange/every_eval_ever.jsonl",
)
CARDS = Target(
    "model_cards",
    "For each model the metadata (model-index) and the table of scores of a model card on the Hub.",
    "exchange/{model}.md",
)
TARGETS = (RECORDS, CARDS)


def tables(study, protocols) -> list[str]:
    """Table 4 of some protocols of a study (`study.grid.Study`), in this order; none without scores."""
    if not (has_labels(study) and has_scores(study)):
        return []
    return [f"{study.results}/tables/{study.view(protocol)}table4.csv" for protocol in protocols]


def sources(study) -> list[str]:
    """What else scores are told from: their sizes and dates, the models' cards, the data, summarised outputs."""
    files = [*study.paths(RUN_SCORES, study.runs_with_scores), *study.paths(OUTPUT_SCORES, study.writing_runs)]
    files += study.paths("models/{model}", study.each_model)
    files += study.paths("data/{task}/evaluation.parquet", [{"task": task} for task in study.settings.tasks])
    files += [f"{study.results}/scores.parquet"] if tables(study, study.protocols) else []
    return files + ([f"{study.results}/{GENERATION}"] if writes_texts(study) else [])
