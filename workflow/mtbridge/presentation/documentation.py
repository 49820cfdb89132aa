"""The page docs/reference.md: targets, metrics, measures, families and kinds of tasks, as the code has them.

python -m mtbridge.presentation.documentation > docs/reference.md
"""

import inspect
import sys

from mtbridge.presentation import catalog
from mtbridge.presentation.exchange import targets
from mtbridge.representations import measures
from mtbridge.representations.measures import MEASURES
from mtbridge.specs.families import FAMILIES
from mtbridge.tasks import metrics
from mtbridge.tasks.kinds import KINDS

HEAD = """# Reference: targets, metrics, measures, families, kinds

Made from the code by `python -m mtbridge.presentation.documentation > docs/reference.md`; a test holds it current. The
keys of a study have [a page of their own](settings.md), and so have [the files under results/](../results/README.md).
"""


def document() -> str:
    """The page, in Markdown."""
    parts = [HEAD, *_targets(), *_metrics(), *_measures(), *_families(), *_kinds()]
    return "\n".join(parts) + "\n"


def _first_line(thing) -> str:
    """The first paragraph of a docstring in one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines] + [""]


def _targets() -> list[str]:
    text = (
        "`all` is everything, `report` the page. Each of the following is a target too; a study that has nothing to "
        "show in one makes no files for it. Other protocols than the first have a folder of their own. Those of the "
        "kind `exchange` are no part of `all`: [results for others](exchange.md)."
    )
    rows = [
        [f"`{entry.name}`", entry.kind, entry.question or entry.caption, f"`{entry.path('', '…')}`"]
        for entry in catalog.ENTRIES
    ]
    rows += [[f"`{one.name}`", "exchange", one.caption, f"`{one.path}`"] for one in targets.TARGETS]
    return ["## Targets", "", text, "", *_table(["target", "kind", "what it shows", "files"], rows)]


def _metrics() -> list[str]:
    rows = []
    for key, found in metrics.METRICS.items():
        for metric in found:
            marks = [word for word, holds in (("official", metric.official), ("sound", metric.sound)) if holds]
            how = _first_line(metric.columns)
            rows.append([f"`{key}`", f"`{metric.name}`", metric.label, metric.unit, how, ", ".join(marks)])
    header = ["`metric` of a task", "in files", "label", "a resample draws", "numbers of a unit", "used as"]
    explained = inspect.cleandoc(metrics.__doc__ or "").partition("\nNumPy is imported")[0]
    return ["## Metrics", "", *_table(header, rows), "```text", explained, "```", ""]


def _measures() -> list[str]:
    rows = [[f"`{name}`", measure.label] for name, measure in MEASURES.items()]
    explained = inspect.cleandoc(measures.__doc__ or "")
    return ["## Measures of similarity", "", *_table(["name", "label"], rows), "```text", explained, "```", ""]


def _families() -> list[str]:
    text = (
        "A checkpoint belongs to the family that its config.json names as `model_type`. Families with a decoder can "
        "write. Any checkpoint of them can be named in `model_catalog`, with `source: hub` or `source: local`. So can "
        "any other encoder that transformers loads: it is tried when it is taken out of its checkpoint, and is "
        "fine-tuned and compared, but not continued or adapted."
    )
    rows = [
        [f"`{name}`", f"`{family.encoder_class}`", "yes" if family.sequence_to_sequence else "no", _tags(family)]
        for name, family in FAMILIES.items()
    ]
    header = ["model_type", "encoder", "writes", "language tags"]
    return ["## Families of models", "", text, "", *_table(header, rows)]


def _tags(family) -> str:
    return f"{len(family.tags)} languages" if family.tags else "none"


def _kinds() -> list[str]:
    rows = [[f"`{name}`", _first_line(kind if inspect.isclass(kind) else type(kind))] for name, kind in KINDS.items()]
    return ["## Kinds of tasks", "", *_table(["kind", "what it is"], rows)]


if __name__ == "__main__":
    sys.stdout.write(document())
