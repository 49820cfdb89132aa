"""How much of each task's data a study used, so that nobody takes the scores of a sample for those of the task."""

from collections.abc import Callable, Iterable
from pathlib import Path

from mtbridge.base.files import read_json
from mtbridge.inference import data_sizes
from mtbridge.presentation.layout import span
from mtbridge.presentation.page.sentence import OPEN, Sentence
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline, OutlineTask

LINK = "table3"  # the table of the tasks and their data


def read(results: str | Path, outline: Outline) -> list[Sentence]:
    """One sentence on the tasks of which a sample was used, from the files under `results`; none if all was used."""
    results = Path(results)
    tasks = [*outline.tasks, *outline.writing]
    trained = _by_amount(tasks, lambda task: data_sizes.sampled(results / "data" / task.name, "train"))
    tested = _by_amount(tasks, lambda task: data_sizes.sampled(results / "data" / task.name, "test"))
    if not trained and not tested:
        return []
    parts = []
    if trained:
        source = language_name(outline.source_language)
        parts.append(f"trained on {join(trained)} {source} examples{_epochs(results, outline)}")
    if tested:
        parts.append(f"scored on {join(tested)} test examples a language")
    text = f"Cut short: models were {' and '.join(parts)}. These are not the scores of the whole tasks."
    return [Sentence(text, LINK, OPEN)]


def _by_amount(tasks: Iterable[OutlineTask], of: Callable[[OutlineTask], dict]) -> list[str]:
    """Texts such as "500 of 4,000 (NER and POS)": tasks of which as many are used of as many stand together."""
    labels: dict[str, list[str]] = {}
    for task in tasks:
        if amounts := of(task):
            used, there = (span(numbers) for numbers in zip(*amounts.values(), strict=True))
            labels.setdefault(f"{used} of {there}", []).append(task.label)
    return [f"{amount} ({join(names)})" for amount, names in labels.items()]


def _epochs(results: Path, outline: Outline) -> str:
    """For how many epochs models were fine-tuned, as far as runs are there."""
    paths = (
        results / "runs" / recipe / model / task / f"seed{seed}" / "run.json"
        for recipe, model, task, seed in outline.grid()
    )
    epochs = [read_json(path)["recipe"].get("epochs") for path in paths if path.exists()]
    counted = [number for number in epochs if number]
    return f" for {span(counted)} epoch{'' if set(counted) == {1} else 's'}" if counted else ""
