"""Examples of the generated world (`mtbridge.data.world`), which needs no files."""

from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.world import LANGUAGES
from mtbridge.specs.source import Generated
from mtbridge.tasks.kinds import kind_of


def read(source: Generated, task, split: str, language: str, limit: int | None, seed: int):
    """Exactly `limit` examples; `place(row, word)` names task, language, split and number. See `readers.Reader`."""
    from mtbridge.data.world.examples import examples

    if not limit:
        raise MtbridgeError(f"task {task.name}: a generated source needs a number of {split} examples; set it to > 0")
    rows = examples(task.name, split, language, limit, seed)
    columns = {name: [row[name] for row in rows] for name in ("example_id", *task.columns, *kind_of(task).labelled)}
    return columns, lambda row, word=0: f"generated {task.name} {language} {split}, example {row + 1}"


def available_languages(source: Generated, task_name: str) -> set[str]:
    """The languages of the world. See `readers.Reader`."""
    return set(LANGUAGES)


def files(source: Generated, task_name: str, split: str, language: str) -> list[Path]:
    """No files. See `readers.Reader`."""
    return []


def problems(source: Generated, parts: Sequence[tuple[str, str]], task_name: str) -> list[tuple[str, str]]:
    """Nothing can be wrong: it has no keys. See `readers.Reader`."""
    return []
