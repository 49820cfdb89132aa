"""Gathers what the page shows from the files under a study's results, and writes it.

Nothing here is measured anew. Scores' differences between models are drawn from the same replicates as the tables'
intervals (`inference.contrasts`); all else is read from the files named in the page's last section. What is not there
yet is left out and said to be missing.
"""

import base64
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.inference.contrasts import changes
from mtbridge.presentation import catalog
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.page import about, cost, training
from mtbridge.presentation.page import changes as changes_table
from mtbridge.presentation.page.reading import reading
from mtbridge.presentation.words import language_name
from mtbridge.study.outline import Outline

# The page's own tables -> the files that they come from; those of the catalog are added as they are found.
SOURCES = {
    "Models": "models/<model>/card.json, checkpoints/<model>/pretraining.json",
    "What continuing changed": "scores/<recipe>/<model>/<task>/seed<k>.parquet and .npz",
    "Translation": "translation/<model>.parquet",
    "Training curves, time, versions": "runs/<recipe>/<model>/<task>/seed<k>/run.json, "
    "checkpoints/<model>/pretraining.json",
    "Words cut off": "scores/<recipe>/<model>/<task>/seed<k>.parquet, column cut",
}


def gather(results, outline: Outline, protocols: list[str]) -> dict:
    """All that the page shows. `protocols`: the study's own first, then those shown beside it (in a subfolder)."""
    results, sources = Path(results), {}
    cards = _records(outline, results, "models/{}/card.json")
    pretraining = _records(outline, results, "checkpoints/{}/pretraining.json")
    runs = {
        key: read_json(path)
        for key in outline.grid()
        if (path := results / "runs" / key[0] / key[1] / key[2] / f"seed{key[3]}" / "run.json").exists()
    }
    expected = len(list(outline.grid()))
    views = [_view(results, outline, protocol, protocol == protocols[0], sources) for protocol in protocols]
    changed = changes(outline, protocols[0], results / "scores")
    translation = training.read_translation(results, outline)
    return {
        "outline": outline,
        "source_language": language_name(outline.source_language),
        "protocol": protocols[0],
        "sections": _sections(),
        "runs": len(runs),
        "expected": expected,
        "languages": sorted({language for task in outline.tasks for language in task.languages}),
        "models": about.models(outline, cards, pretraining),
        "recipes": about.recipes(outline, runs),
        "versions": about.versions(runs),
        "reading": reading(outline, views[0]["frames"], changed, translation, (len(runs), expected)),
        "views": views,
        "changes": changes_table.lay_out(changed, outline),
        "translation": training.translation(translation, outline),
        "curves": training.curves(outline, pretraining, runs),
        "time": cost.time(outline, pretraining, runs),
        "cost": cost.cost(results),
        "cut": training.cut(results, outline),
        "sources": {**sources, **SOURCES},
        "results": results.name,
    }


def _records(outline: Outline, results: Path, pattern: str) -> dict[str, dict]:
    """Model -> its record, of those that are there."""
    paths = {model.key: results / pattern.format(model.key) for model in outline.models}
    return {key: read_json(path) for key, path in paths.items() if path.exists()}


def _sections() -> dict[str, list[catalog.Entry]]:
    """Section of the page -> what the catalog puts there."""
    found: dict[str, list[catalog.Entry]] = {}
    for entry in catalog.ENTRIES:
        if entry.section is not None:
            found.setdefault(entry.section, []).append(entry)
    return found


def _view(results: Path, outline: Outline, protocol: str, own: bool, sources: dict) -> dict:
    """The tables and figures of one protocol, as they lie in their files; `sources` gets the names of these."""
    folder = "" if own else f"{protocol}/"
    view = {"protocol": protocol, "own": own, "tables": {}, "figures": {}, "frames": {}}
    for entry in (entry for entry in catalog.ENTRIES if entry.section is not None):
        csv = results / entry.path(folder, "csv")
        if csv.exists():
            view["frames"][entry.name] = read_csv(csv)
        title = entry.title + ("" if own else f" ({protocol})")
        if entry.kind == "table" and csv.exists():
            view["tables"][entry.name] = catalog.lay_out(entry, view["frames"][entry.name], outline, protocol)
            sources[title] = entry.path(folder, "csv")
        svg = results / entry.path(folder, "svg")
        if entry.kind == "figure" and svg.exists():
            # As an image of its own: two inlined drawings would share the names of their glyphs and clips.
            view["figures"][entry.name] = base64.b64encode(svg.read_bytes()).decode("ascii")
            sources[title] = f"{entry.path(folder, 'svg')}, .csv"
    return view


def render(values: dict, template) -> str:
    """The page as HTML; everything that comes from data is escaped."""
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


def write(results, outline: Outline, protocols, template, output) -> None:
    """Write the page, whole or not at all."""
    page = render(gather(results, outline, protocols), template)
    with atomic_write(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
