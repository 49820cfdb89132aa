"""Test examples that are not what they should be: seen before, or in another language.

An example counts if all of its texts are letter for letter those of another one. Such a score says less than it seems:
of a training example the answer may be remembered; on dev the epoch was chosen; what stands in English in the test set
of another language is no transfer. Nor is a test set whose texts, all together, look like another language.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from mtbridge.base.files import read_table
from mtbridge.tasks.kinds import START
from mtbridge.tasks.words import primary

if TYPE_CHECKING:
    from mtbridge.generation.scores import Identifier

IN_TRAIN, IN_DEV, AS_SOURCE = "test_in_train", "test_in_dev", "test_as_source"
OVERLAPS = (IN_TRAIN, IN_DEV, AS_SOURCE)
BESIDE = frozenset({"split", "language", "example_id", "label", "references", START})  # columns that are no texts
APART = "\x1f"  # between texts; a character that separates units

Counts = dict[str, tuple[int, int]]  # language -> how many of how many test examples, where there are any


def overlaps(folder: Path, languages: Sequence[str], source_language: str) -> dict[str, Counts]:
    """How many test examples of each language have the texts of others, by `OVERLAPS`.

    `test_in_train`: of training examples. `test_in_dev`: of dev examples of the same language. `test_as_source`: of
    test examples in the source language.

    folder: with the task's `train.parquet` and `evaluation.parquet`; nothing is found where one is not there yet.
    """
    found: dict[str, Counts] = {name: {} for name in OVERLAPS}
    if not (folder / "evaluation.parquet").exists():
        return found
    evaluation = _texts(folder / "evaluation.parquet")
    train = _texts(folder / "train.parquet") if (folder / "train.parquet").exists() else {}
    for language in languages:
        test = evaluation.get((language, "test"))
        if test is None:
            continue
        others: dict[str, Any] = {
            IN_TRAIN: train.get((source_language, "train")),
            IN_DEV: evaluation.get((language, "dev")),
            AS_SOURCE: evaluation.get((source_language, "test")) if language != source_language else None,
        }
        for name, other in others.items():
            if other is not None and (count := pc.sum(pc.is_in(test, value_set=other)).as_py()):
                found[name][language] = count, len(test)
    return found


def looks_like(folder: Path, languages: Sequence[str], identifier: "Identifier") -> dict[str, str]:
    """Language of a test set -> the language of the study that its texts look like, where that is another one."""
    found: dict[str, str] = {}
    if not (folder / "evaluation.parquet").exists():
        return found
    evaluation = _texts(folder / "evaluation.parquet")
    for language in languages:
        texts = evaluation.get((language, "test"), pa.array([], pa.string())).to_pylist()
        told = identifier.of_lines([text.replace(APART, " ") for text in texts], language)
        if told is not None and told != primary(language):
            found[language] = told
    return found


def _texts(path: Path) -> dict[tuple[str, str], pa.Array]:
    """(language, split) -> the texts of each example, joined into one; nothing if a file has none."""
    table = read_table(path)
    columns = [table[name].combine_chunks() for name in table.column_names if name not in BESIDE]
    joined = [pc.binary_join(one, APART) if pa.types.is_list(one.type) else one for one in columns]
    if not joined:
        return {}
    # Of large texts, because contexts of many questions may be more than 2 GB.
    texts = pc.binary_join_element_wise(*(one.cast(pa.large_string()) for one in (*joined, pa.scalar(APART))))
    parts = list(zip(table["language"].to_pylist(), table["split"].to_pylist(), strict=True))
    rows: dict[tuple[str, str], list[int]] = {}
    for row, part in enumerate(parts):
        rows.setdefault(part, []).append(row)
    return {part: texts.take(pa.array(own)) for part, own in rows.items()}
