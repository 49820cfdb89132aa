"""Gathers what the page shows from the files under a study's results, and writes the page.

Only how alike languages are is computed here (`inference.similarity`), from the same halves as the intervals of
figures. All else is read from the files that the page's last section lists. The page leaves out what is not there yet
and says that it is missing.
"""

import base64
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, read_parquet
from mtbridge.inference.similarity import languages_alike
from mtbridge.inference.verdicts import COLUMNS
from mtbridge.presentation import catalog, making
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.page import about, answers, cost, mechanism, training, written
from mtbridge.presentation.page import changes as changes_table
from mtbridge.presentation.page.reading import reading
from mtbridge.presentation.requirements import CONTRASTS
from mtbridge.presentation.words import KIND_HEADINGS, KIND_NAMES, language_name
from mtbridge.study.outline import Outline

# The page's own tables -> the files that they come from. `_view` adds the tables and figures of the catalog.
SOURCES = {
    "Answers": "inference/contrasts.parquet, inference/ranking.parquet",
    "Through what": "inference/separability.parquet, inference/slopes.parquet, inference/contrasts.parquet",
    "Models": "models/<model>/card.json, checkpoints/<model>/pretraining.json",
    "What continuing changed": "inference/contrasts.parquet",
    "How alike languages are, differences": "cka/languages.parquet, languages@2.parquet, …",
    "Translations": "translation/<model>.parquet, <model>.scores.parquet",
    "Training curves, time, versions, runs that have not learnt": "runs/<recipe>/<model>/<task>/seed<k>/run.json, "
    "checkpoints/<model>/pretraining.json",
    "Words cut off": "scores/<recipe>/<model>/<task>/seed<k>.parquet, column cut",
}


def gather(results, outline: Outline, protocols: list[str], shown: Sequence[str] | None = None) -> dict:
    """All values of the page's template.

    protocols: the study's first one, then those that it shows besides; shown: the tables and figures that it has, by
    their names in the catalog; None: all.
    """
    results = Path(results)
    sources: dict[str, str] = {}
    cards = _records(outline, results, "models/{}/card.json")
    pretraining = _records(outline, results, "checkpoints/{}/pretraining.json")
    runs = {
        key: read_json(path)
        for key in outline.grid()
        if (path := results / "runs" / key[0] / key[1] / key[2] / f"seed{key[3]}" / "run.json").exists()
    }
    expected = len(list(outline.grid()))
    kinds = {model.kind for model in outline.models} - {"control"}
    views = [_view(results, outline, protocol, protocol == protocols[0], sources) for protocol in protocols]
    first_sentences, sentences = answers.read(results, outline, protocols[0])
    contrasts = results / CONTRASTS
    frames, similarity = views[0]["frames"], results / "cka"
    if (similarity / "languages.parquet").exists():
        frames = {**frames, "languages_alike": languages_alike(outline, protocols[0], similarity)}
    return {
        "outline": outline,
        "source_language": language_name(outline.source_language),
        "protocol": protocols[0],
        "sections": _sections(shown),
        "runs": len(runs),
        "expected": expected,
        "languages": sorted({name for task in (*outline.tasks, *outline.writing) for name in task.languages}),
        "models": about.models(outline, cards, pretraining),
        "recipes": about.recipes(outline, runs),
        "versions": about.versions(runs),
        "answers": [answers.unbroken(text) for text in (*first_sentences, *written.leads(results, outline))],
        "adaptations": written.runs(results, outline),
        "sentences": list(map(answers.unbroken, sentences)),
        "mechanism": [
            (question, answers.unbroken(answer)) for question, answer in mechanism.read(results, outline, protocols[0])
        ],
        "kinds": [f"{KIND_HEADINGS[kind]}: {KIND_NAMES[kind]}" for kind in KIND_HEADINGS if kind in kinds],
        "reading": reading(outline, frames, (len(runs), expected)),
        "views": views,
        "changes": changes_table.lay_out(read_parquet(contrasts, COLUMNS), outline, protocols[0])
        if contrasts.exists()
        else None,
        "curves": training.curves(outline, pretraining, runs),
        "time": cost.time(outline, pretraining, runs),
        "cost": cost.cost(results),
        "cut": training.cut(results, outline),
        "not_learnt": training.not_learnt(outline, runs),
        "sources": {**sources, **SOURCES},
        "results": results.name,
    }


def _records(outline: Outline, results: Path, pattern: str) -> dict[str, dict]:
    """Model -> the content of its JSON file, for the models that have one, with all their pretrainings."""
    paths = {key: results / pattern.format(key) for key in outline.keys}
    return {key: read_json(path) for key, path in paths.items() if path.exists()}


def _sections(shown: Sequence[str] | None) -> dict[str, list[catalog.Entry]]:
    """Section of the page -> the catalog's entries in it; shown: see `gather`."""
    sections: dict[str, list[catalog.Entry]] = {str(e.section): [] for e in catalog.ENTRIES if e.section is not None}
    for entry in catalog.ENTRIES:
        if entry.section is not None and (shown is None or entry.name in shown):
            sections[entry.section].append(entry)
    return sections


def _view(results: Path, outline: Outline, protocol: str, own: bool, sources: dict) -> dict:
    """The tables and figures of one protocol, read from their files; adds the names of these files to `sources`.

    own: whether it is the study's first protocol, whose files lie in no subfolder.
    """
    folder = "" if own else f"{protocol}/"
    tables: dict[str, Layout] = {}
    figures: dict[str, str] = {}  # SVG in base64
    frames: dict[str, pd.DataFrame] = {}
    for entry in (entry for entry in catalog.ENTRIES if entry.section is not None):
        csv = results / entry.path(folder, "csv")
        if csv.exists():
            frames[entry.name] = read_csv(csv)
        title = entry.title + ("" if own else f" ({protocol})")
        if entry.kind == "table" and csv.exists():
            tables[entry.name] = making.lay_out(entry, frames[entry.name], outline, protocol)
            sources[title] = entry.path(folder, "csv")
        svg = results / entry.path(folder, "svg")
        if entry.kind == "figure" and svg.exists():
            # As a separate image: in two drawings inside one page, ids of glyphs and clips would clash.
            figures[entry.name] = base64.b64encode(svg.read_bytes()).decode("ascii")
            sources[title] = f"{entry.path(folder, 'svg')}, .csv"
    return {"protocol": protocol, "own": own, "tables": tables, "figures": figures, "frames": frames}


def render(values: dict, template) -> str:
    """The page as HTML. Values are escaped. Raises MtbridgeError if the template does not work."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

    template = Path(template)
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(template.name).render(**values)
    except TemplateError as error:
        raise MtbridgeError(f"{template}: the page's template does not work ({error!r})") from error


def write(results, outline: Outline, protocols, template, output, shown: Sequence[str] | None = None) -> None:
    """Write the page, completely or not at all; shown: see `gather`."""
    page = render(gather(results, outline, protocols, shown), template)
    with atomic_write(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
