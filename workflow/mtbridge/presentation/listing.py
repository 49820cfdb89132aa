"""What there is to choose from: studies, models, tasks, recipes, targets, and how files of the user's own are laid out.

Everything is read from where it is declared: the presets, the catalog of tables and figures, the readers.
"""

from collections.abc import Iterable
from typing import Any

from mtbridge.data.readers.xglue import LAYOUTS, OF_TEXTS, TASKS, File
from mtbridge.data.world.examples import TASKS as EXAMPLES
from mtbridge.data.world.examples import examples
from mtbridge.presentation import catalog
from mtbridge.presentation.exchange.targets import TARGETS
from mtbridge.specs.families import FAMILIES
from mtbridge.study.layers import STUDIES, merge, preset
from mtbridge.tasks.kinds import kind_of

LANGUAGE, SHOWN = "de", 100  # of the file names that are shown; characters of an example
NO_TARGETS = (("all", "everything"), ("report", "the page, results/<study>/report/index.html"))


def listing() -> str:
    """The text that is printed."""
    studies = {path.stem: _settings(path.stem) for path in sorted(STUDIES.glob("[a-z]*.yaml"))}
    sections = {
        "studies: snakemake --config study=<name>": ((name, _one_line(found)) for name, found in studies.items()),
        "models: models='[<name>, …]', of the studies that have them": _of_all(studies, "model_catalog", _model),
        "families: checkpoints that the project knows; any other encoder that transformers loads is tried": (
            (name, "writes too" if family.sequence_to_sequence else "encoder") for name, family in FAMILIES.items()
        ),
        "tasks: tasks='[<name>, …]', of the studies that have them": _of_all(studies, "task_catalog", _task),
        "recipes of fine-tuning: recipes={<name>: {…}}": _recipes(studies),
        "targets: snakemake <name>": (
            *NO_TARGETS,
            *((entry.name, entry.caption) for entry in (*catalog.ENTRIES, *TARGETS)),
        ),
        "your own files: xglue=<folder> (python scripts/world.py --output own writes those with labels)": _files(),
    }
    blocks = ["\n".join([title, *_aligned(rows)]) for title, rows in sections.items()]
    return "\n\n".join([*blocks, _example()]) + "\n"


def _settings(study: str) -> dict[str, Any]:
    """The keys of a preset over those that it extends."""
    settings: dict[str, Any] = {}
    for _, content in preset(study):
        settings = merge(settings, content)
    return settings


def _one_line(settings: dict[str, Any]) -> str:
    return str(settings.get("description", ""))


def _of_all(studies: dict[str, dict], key: str, describe) -> list[tuple[str, str]]:
    """(name, text) of every entry of a catalog; entries that are described alike share a line with their studies."""
    found: dict[tuple[str, str], list[str]] = {}
    for study, settings in studies.items():
        for name, entry in settings.get(key, {}).items():
            found.setdefault((name, describe(entry)), []).append(study)
    return [(name, f"{text} ({', '.join(where)})") for (name, text), where in sorted(found.items())]


def _model(entry: dict[str, Any]) -> str:
    source = entry.get("source", "trained")
    place = entry.get("repo") or entry.get("objective") or entry.get("intervention") or entry.get("like") or "your path"
    return f"{entry.get('label', '')}: {source}, {place}"


def _task(entry: dict[str, Any]) -> str:
    return f"{entry['kind']}, {entry['metric']}, columns {', '.join(entry.get('columns', ['tokens']))}"


def _recipes(studies: dict[str, dict]) -> list[tuple[str, str]]:
    return _of_all(studies, "recipes", lambda recipe: ", ".join(f"{k} {v}" for k, v in recipe.items()) or "defaults")


def _files() -> list[tuple[str, str]]:
    """(file names, its columns) of every task of the release's layout."""
    rows = []
    for task, (folder, layout) in TASKS.items():
        found = LAYOUTS[layout]
        train, other = found.train[0], found.evaluation[0]
        names = dict.fromkeys(
            f"{folder}/{name.format(folder=folder.lower(), language=language, split=split)}"
            for file, language, split in ((train, "en", "train"), (other, LANGUAGE, "dev"), (other, LANGUAGE, "test"))
            for name in file.names
        )
        rows.append((f"{task}: {' '.join(names)}", _columns(task, layout, other)))
    return rows


def _columns(task: str, layout: str, file: File) -> str:
    """What a line of a task's files holds."""
    if LAYOUTS[layout] in OF_TEXTS:
        return "questions and answers as SQuAD's JSON" if file.target is None else "a text a line, and its target"
    if layout == "words":
        return "word, space, label; an empty line ends a sentence"
    header = file.fields.header or (*EXAMPLES[task].columns, "label")
    return f"tab-separated: {', '.join(header)}" + ("; a header" if file.fields.header else "")


def _example() -> str:
    """One whole example: a training line of every task with labels, from the generated world."""
    rows = []
    for name, task in EXAMPLES.items():
        row = examples(name, "train", "en", 1, 1)[0]
        if kind_of(task).per_word:
            text = "  ".join(f"{word} {label}" for word, label in zip(row["tokens"], row["label"], strict=True))
        else:
            text = " <tab> ".join(str(row[column]) for column in (*task.columns, "label"))
        rows.append((name, text if len(text) <= SHOWN else f"{text[:SHOWN]} …"))
    return "\n".join(["an English training line of each", *_aligned(rows)])


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    found = list(rows)
    width = min(24, max((len(name) for name, _ in found), default=0))
    return [f"  {name.ljust(width)}  {text}".rstrip() for name, text in found]
