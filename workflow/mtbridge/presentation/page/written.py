"""What models write, in sentences: how far the learning rate and the way of adapting decide the language."""

from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.finding import CONTRADICTED, NOT_TESTABLE, SUPPORTED
from mtbridge.inference.claims.generation import COLUMNS
from mtbridge.presentation.page.sentence import OPEN, SURE, Sentence
from mtbridge.presentation.requirements import GENERATION_CLAIMS, OUTPUT_SCORES
from mtbridge.specs.names import split_replicate
from mtbridge.study.outline import Outline

FINDINGS, MODELS = "generation_claims", "models"  # ids of tables of the page
# Finding of the ledger -> how its comparisons are told; {} is the range of their effects.
TOLD = {
    "lower_rate": "With all weights trained, {} points more of the outputs are in the wrong language at the highest "
    "learning rate than at the lowest",
    "frozen": "with decoder and embeddings frozen, {} points fewer at that same rate",
}


def runs(results: Path, outline: Outline) -> tuple[int, int]:
    """How many adaptations are finished and scored, and how many there will be."""
    rows = [
        {"recipe": recipe, "model": model, "task": task.name, "seed": seed}
        for recipe, about in outline.adaptations.items()
        for model in written_models(results, outline)
        if split_replicate(model)[0] in about.get("models", [split_replicate(model)[0]])
        for task in outline.writing
        if task.name in about.get("tasks", [task.name])
        for seed in outline.seeds
    ]
    return sum((results / OUTPUT_SCORES.format(**row)).exists() for row in rows), len(rows)


def written_models(results: Path, outline: Outline) -> list[str]:
    """The models, with their pretrainings, that have written anything."""
    folders = [results / "outputs" / recipe for recipe in outline.adaptations]
    return [key for key in outline.keys if any((folder / key).is_dir() for folder in folders)]


def leads(results: str | Path, outline: Outline) -> list[Sentence]:
    """The leading sentences on what was written; none where nothing is."""
    path = Path(results) / GENERATION_CLAIMS
    if not outline.writing or not path.exists():
        return []
    frame = read_parquet(path, COLUMNS)
    tested = frame[frame["verdict"] != NOT_TESTABLE]
    clauses = [_told(tested[tested["claim"] == name], text) for name, text in TOLD.items()]
    clauses = [clause for clause in clauses if clause]
    sentences = [Sentence("; ".join(clauses) + ".", FINDINGS)] if clauses else []
    others = tested[tested["claim"] == "others"]
    if len(others):
        better, no_better = ((others["verdict"] == verdict).sum() for verdict in (CONTRADICTED, SUPPORTED))
        better_in = f"scores clearly better than all weights trained in {better} of {len(others)} comparisons"
        text = f"At the rates that are best on dev, another way {better_in}, and clearly no better in {no_better}"
        sentences.append(Sentence(f"{text}; the rest is open.", FINDINGS))
    if len(tested):
        pretrainings, seeds = (int(tested[name].min()) for name in ("P", "S"))
        once = "; each model was pretrained once, so this is about these checkpoints."
        of_several = f", for {pretrainings} pretrainings of each model."
        text = f"The 95 % intervals hold {seeds} seeds and the test examples{of_several if pretrainings > 1 else once}"
        sentences += [Sentence(text, FINDINGS, SURE), Sentence(_not_shown(outline, frame, pretrainings), MODELS, OPEN)]
    return sentences


def _not_shown(outline: Outline, frame: pd.DataFrame, pretrainings: int) -> str:
    """What the study cannot say of what models write."""
    parts = ["other tasks, languages and models"]
    if pretrainings < 2:
        parts.append("another pretraining of the same models")
    if all(model.origin == "trained" for model in outline.models):
        parts.append("published models, which are far larger than these")
    if untested := frame.loc[frame["verdict"] == NOT_TESTABLE, "claim"].nunique():
        parts.append(f"{untested} of {frame['claim'].nunique()} findings of arXiv 2402.12279, in part or in whole")
    return f"Not shown: {'; '.join(parts)}."


def _told(rows: pd.DataFrame, text: str) -> str:
    if rows.empty:
        return ""
    low, high = rows["effect"].min(), rows["effect"].max()
    span = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    return f"{text.format(span)} (clear in {(rows['verdict'] == SUPPORTED).sum()} of {len(rows)} comparisons)"
