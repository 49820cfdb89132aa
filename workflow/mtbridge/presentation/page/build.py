"""Gathers what the page shows from the files under a study's results, and writes the page.

Only how alike languages are is computed here (`inference.similarity`), from the same halves as the intervals of
figures. All else is read from the files that the page's last section lists. The page leaves out what is not there yet
and says that it is missing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.inference import data_sizes
from mtbridge.inference.similarity import languages_alike
from mtbridge.presentation import catalog
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.page import about, answers, cost, libraries, provenance, sampling, training, written
from mtbridge.presentation.page import view as views_of
from mtbridge.presentation.page.charts.curves import losses
from mtbridge.presentation.page.reading import reading
from mtbridge.presentation.words import language_name
from mtbridge.study.outline import Outline

# The page's own tables -> the files that they come from. `view` adds the tables and figures of the catalog.
SOURCES = {
    "Answers": "inference/contrasts.parquet, inference/ranking.parquet",
    "Through what": "inference/separability.parquet, inference/slopes.parquet, inference/contrasts.parquet",
    "Models": "models/<model>/card.json, checkpoints/<model>/pretraining.json",
    "How alike languages are, differences": "cka/languages.parquet, languages@2.parquet, …",
    "Translations": "translation/<model>.parquet, <model>.scores.parquet",
    "Training curves, time, versions, runs that have not learnt": "runs/<recipe>/<model>/<task>/seed<k>/run.json, "
    "checkpoints/<model>/pretraining.json",
    "Words cut off": "scores/<recipe>/<model>/<task>/seed<k>.parquet, column cut",
}


LONG = 30  # rows of a table that stands open


def gather(results, outline: Outline, protocols: list[str], shown: Sequence[str] | None = None) -> dict:
    """All values of the page's template.

    protocols: the study's first one, then those that it shows besides; shown: the tables and figures that it has, by
    their names in the catalog; None: all.
    """
    results = Path(results)
    sources: dict[str, str] = {}
    cards = _cards(outline, results)
    pretraining = _records(outline, results, "checkpoints/{}/pretraining.json")
    runs, adaptations = _runs(outline, results)
    expected = len(list(outline.grid()))
    data = {task.name: data_sizes.sources(results / "data" / task.name) for task in (*outline.tasks, *outline.writing)}
    origins = provenance.origins(outline, runs | adaptations, cards, data)
    names = {key: origin.name for key, origin in origins.items()}
    views = [
        views_of.read(results, outline, protocol, protocol == protocols[0], names, sources) for protocol in protocols
    ]
    views[0].leads += written.leads(results, outline)
    samples = sampling.read(results, outline)
    for view in views:
        view.plain += samples
    frames, similarity = views[0].frames, results / "cka"
    if (similarity / "languages.parquet").exists() and outline.tasks:
        frames = {**frames, "languages_alike": languages_alike(outline, protocols[0], similarity)}
    values = {
        "outline": outline,
        "source_language": language_name(outline.source_language),
        "sections": _sections(shown),
        "headings": {str(name): heading for name, heading in catalog.SECTIONS.items()},
        "runs": len(runs),
        "expected": expected,
        "languages": sorted({name for task in (*outline.tasks, *outline.writing) for name in task.languages}),
        "models": about.models(outline, cards, pretraining),
        "recipes": about.recipes(outline, runs),
        "examples": about.examples(outline, results),
        "versions": about.versions(runs | adaptations),
        "adaptations": written.runs(results, outline),
        "kinds": about.kinds(outline),
        "reading": [
            sentence._replace(text=answers.unbroken(sentence.text))
            for sentence in reading(outline, frames, (len(runs), expected))
        ],
        "views": views,
        "curves": [losses(*one) for one in training.curves(outline, pretraining, runs)],
        "time": cost.time(outline, pretraining, runs),
        "cost": cost.cost(results),
        "cut": training.cut(results, outline),
        "samples": samples,
        "not_learnt": training.not_learnt(outline, runs),
        "every_run": provenance.every_run(outline, runs | adaptations, origins),
        "origins": list(origins.values()),
        "sources": {**sources, **SOURCES},
        "results": results.name,
    }
    helpers: dict[str, Callable[..., object]] = {"unbroken": answers.unbroken, "is_long": _is_long}
    helpers |= {"drawing": libraries.drawing, "sorting": libraries.tables, "style": libraries.style_of_tables}
    return values | helpers | {"has": _has(values)}


def _is_long(layout: Layout) -> bool:
    """Is a table longer than a screen? Such a table is folded."""
    return sum(len(block.rows) for block in layout.blocks) > LONG


def _has(values: dict) -> dict[str, bool]:
    """Which parts the page has, so that a study without scores has no empty part of them."""
    outline, views = values["outline"], values["views"]
    parts = {name: bool(values["sections"][name]) for name in ("similarity", "weights", "generation")}
    difference = any("difference" in picture.views for view in views for picture in view.pictures.values())
    return parts | {"scores": bool(outline.tasks), "difference": difference}


def _runs(outline: Outline, results: Path) -> tuple[dict[provenance.Run, dict], dict[provenance.Run, dict]]:
    """The records of fine-tunings and of adaptations that are there."""
    runs = {
        key: read_json(path)
        for key in outline.grid()
        if (path := results / "runs" / key[0] / key[1] / key[2] / f"seed{key[3]}" / "run.json").exists()
    }
    adaptations = {
        (recipe, model, task.name, seed): read_json(path)
        for recipe in outline.adaptations
        for model in outline.keys
        for task in outline.writing
        for seed in outline.seeds
        if (path := results / "runs" / recipe / model / task.name / f"seed{seed}" / "adaptation.json").exists()
    }
    return runs, adaptations


def _cards(outline: Outline, results: Path) -> dict[str, dict]:
    """The cards of the models; of a checkpoint from the Hub with its revision, which its source.json has."""
    sources = _records(outline, results, "checkpoints/{}/source.json")
    cards = _records(outline, results, "models/{}/card.json")
    return {key: {"commit": sources.get(key, {}).get("commit")} | card for key, card in cards.items()}


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
