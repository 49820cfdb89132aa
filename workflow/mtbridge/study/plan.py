"""Estimates what a study costs before it is run (runs, hours, disk), and counts what exists of it.

Hours come from the records of finished runs (the mean of the same recipe, model and task). Without such runs they come
from the number of operations, see `operations`. The figures below that are marked [E] are estimates, and the printed
text says so. Hours are of one GPU or one core.

Pretrainings are in `plan_of_pretraining`, tasks of writing in `plan_of_writing`. What it gives up: of hidden states,
their comparison and spectra it counts the files, and estimates no hours; they are a small part of a study.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.data.tokenized import Ragged
from mtbridge.specs.names import split_replicate
from mtbridge.study.cells import Cell, number, table
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages
from mtbridge.study.local_checkpoints import recipe_of
from mtbridge.study.model_sizes import PUBLISHED, parameters
from mtbridge.study.operations import CARD, CPU, expected_hours, in_windows
from mtbridge.study.plan_of_pretraining import pretraining_cell, pretraining_lines
from mtbridge.study.plan_of_writing import weights_of_writing, writing_cells, writing_lines
from mtbridge.tasks.kinds import kind_of

# Examples in XGLUE (Liang et al. 2020): English train; dev and test of one language, rounded.
RELEASE = {
    "nc": (100_000, 20_000),
    "xnli": (392_702, 7_500),
    "paws-x": (49_401, 4_000),
    "qam": (100_000, 20_000),
    "qadsm": (100_000, 20_000),
    "wpr": (99_997, 20_000),
    "ner": (14_042, 6_000),
    "pos": (25_376, 1_900),
}
# Tokens of an example with special tokens [E]: in the release, cut at 256, and of generated examples.
TOKENS = {"nc": 230, "xnli": 42, "paws-x": 55, "qam": 90, "qadsm": 30, "wpr": 60, "ner": 22, "pos": 27}
GENERATED = {"nc": 33, "xnli": 23, "paws-x": 24, "qam": 41, "qadsm": 36, "wpr": 58, "ner": 18, "pos": 17}
WORDS_PER_TOKEN = 0.75  # [E]
BYTES = 4  # of a stored number
# Share of the embeddings' rows that English training examples look up [E]. A run stores these rows alone; the
# others follow from the pretrained ones.
USED_ROWS = 0.2


# How many cards or cores the printed text tells the time for.
WORKERS = {"GPU": (1, 4, 8), "core": (1, 2, 8)}
WORTH_SAVING = 1e9  # bytes


@dataclass
class Plan:
    """Counts and estimates of a study."""

    name: str
    device: str  # GPU or core
    models: list[str]  # each once, however often it is pretrained
    pretrainings: int  # of all models; a checkpoint is one
    tasks: list[str]
    seeds: int
    recipes: int
    cells: dict[tuple[str, str], Cell]  # (model, task)
    disk: dict[str, float | None] = field(default_factory=dict)  # kind of file -> bytes
    files: dict[str, tuple[int, int]] = field(default_factory=dict)  # kind of file -> (files that exist, all)
    assumed: dict[str, int] = field(default_factory=dict)  # task -> tokens of an example, if not yet counted
    released: bool = False  # whether some examples are not generated; RELEASE has the sizes of files that are missing
    keep_weights: bool = True
    translates: bool = False  # whether some way of adapting needs translations of examples
    writing: dict[tuple[str, str], Cell] = field(default_factory=dict)  # of adaptations, with what they write
    pretraining: Cell = field(default_factory=Cell)  # of all models; hours are of cores
    saved: float = 0.0  # bytes that keep_weights=false would save

    def total(self, key: str) -> float:
        """The sum of a field over all cells; None counts as 0."""
        return sum(getattr(cell, key) or 0 for cell in self.cells.values())


def plan(study: Study, results: str | Path | None = None, views: Mapping[str, list[str]] | None = None) -> Plan:
    """Count and estimate a study.

    results: the folder of its results; default: its own.
    views: tables and figures, which only the rooms above know: kind -> paths below the results.

    Raises:
        MtbridgeError: `results` is no folder, or a file in it cannot be read.
    """
    results = Path(results or study.results)
    if results.exists() and not results.is_dir():
        raise MtbridgeError(f"--results: {results} is no folder; expected a study's results")
    settings = study.settings
    examples = {task: _examples(study, task, results) for task in study.tasks}
    bodies = {model: parameters(study, model, results) for model in study.models}
    assumed = {task: _typical_tokens(study, task) for task in study.tasks}
    tokenizers = {model: settings.tokenizer_of(model) for model in study.models}
    pairs = itertools.product(dict.fromkeys(tokenizers.values()), study.tasks)
    counted = {
        (tokenizer, task): _count_tokens(results / "tokens" / tokenizer / task / "train") for tokenizer, task in pairs
    }
    lengths: dict[tuple[str, str], Any] = {}  # (model, task) -> tokens: a number, an array [example], or None
    for model, task in itertools.product(study.models, study.tasks):
        tokens = counted[tokenizers[model], task]
        lengths[model, task] = assumed[task] if tokens is None else tokens
    estimate = Plan(
        name=study.name,
        device="GPU" if settings.gpus else "core",
        models=study.settings.models,
        pretrainings=len(study.models),
        tasks=study.tasks,
        seeds=len(study.seeds),
        recipes=len(study.recipes),
        cells={pair: Cell() for pair in itertools.product(study.settings.models, study.tasks)},
        assumed={task: size for (_, task), tokens in counted.items() if tokens is None and (size := assumed[task])},
        released=any(settings.source_of(task).kind != "generated" for task in study.tasks),
        keep_weights=settings.keep_weights,
        translates=any(way.translator is not None for _, way in study.ways.values()),
    )
    spent = _finished(study, results)
    for run_of in itertools.product(study.recipes, study.settings.models, study.tasks):
        _, model, task = run_of
        cell, hours_of_runs = estimate.cells[model, task], spent.get(run_of, [])
        each: float | None
        if hours_of_runs:
            each = sum(hours_of_runs) / len(hours_of_runs)
        else:
            each = _hours_expected(study, run_of, lengths[model, task], examples[task], bodies[model])
        cell.add(len(study.replicates(model)) * len(study.seeds), hours_of_runs, each)
    estimate.pretraining = pretraining_cell(study, results)
    estimate.writing = writing_cells(study, results, bodies)
    estimate.disk = _disk(study, lengths, examples, bodies)
    if estimate.writing:
        estimate.disk["adapted weights"] = weights_of_writing(study, bodies, BYTES)
    kept = estimate.disk["fine-tuned weights"]
    if settings.keep_weights and kept is not None:
        estimate.saved = kept * (1 - 1 / max(1, len(study.runs)))
    estimate.files = _count_files(study, results, views or {})
    return estimate


def seconds_of_rules(study: Study) -> dict[str, float]:
    """Rule -> the mean seconds of one of its jobs that are left, of the rules that a plan knows the hours of."""
    estimate = plan(study)
    left, runs = estimate.total("left"), estimate.total("runs") - estimate.total("done")
    cell, seconds = estimate.pretraining, {}
    if runs and left:
        seconds["finetune"] = 3600 * left / runs / max(1, study.settings.gpus or study.settings.threads)
    if cell.runs > cell.done and cell.left:
        seconds["pretrain"] = 3600 * cell.left / (cell.runs - cell.done) / study.settings.pretraining.threads
    return seconds


def _finished(study: Study, results: Path) -> dict[tuple[str, str, str], list[float]]:
    """(recipe, model, task) -> the hours of its finished runs, of all pretrainings and seeds."""
    spent: dict[tuple[str, str, str], list[float]] = {}
    for run in study.runs:
        record = results / "runs/{recipe}/{model}/{task}/seed{seed}/run.json".format(**run)
        hours = _hours_spent(record, study.settings.gpus or study.settings.threads)
        if hours is not None:
            spent.setdefault((run["recipe"], split_replicate(run["model"])[0], run["task"]), []).append(hours)
    return spent


def _examples(study: Study, task: str, results: Path) -> tuple[float, float] | None:
    """(training examples, evaluation examples of all languages): counted in the files, or else expected."""
    languages = len(task_languages(study.settings, task))
    with_dev = len(study.settings.task_catalog[task].dev_languages or range(languages))
    paths = [results / "data" / task / f"{part}.parquet" for part in ("train", "evaluation")]
    if all(path.exists() for path in paths):
        import pyarrow.compute as pc

        from mtbridge.base.files import read_table

        in_train = pc.sum(pc.equal(read_table(paths[0], ["split"])["split"], "train")).as_py()
        return in_train, read_table(paths[1], ["split"]).num_rows
    release = RELEASE.get(task) if study.settings.source_of(task).kind != "generated" else None
    train, dev, test = (study.settings.size(task, split) for split in ("train", "dev", "test"))
    if release is None:
        return (train, with_dev * dev + languages * test) if train and dev and test else None
    # RELEASE has dev and test together; about half is each.
    evaluation = sum(min(size or release[1], release[1] // 2) for size in (dev, test))
    return min(train or release[0], release[0]), languages * evaluation


def _typical_tokens(study: Study, task: str) -> int | None:
    """The assumed tokens of an example, before the task is tokenized; None for a task without such a figure."""
    return (GENERATED if study.settings.source_of(task).kind == "generated" else TOKENS).get(task)


def _count_tokens(folder: Path) -> np.ndarray | None:
    """Tokens of each English example, [row]; None if the folder does not exist."""
    if not folder.exists():
        return None
    rows, texts = read_json(folder / "meta.json", ("rows",))["rows"], Ragged.load(folder, "tokens")
    # A row has one text, or several that follow each other; an example has all texts of its row.
    starts = texts.offsets[:: max(1, len(texts) // max(1, rows))]
    return 3 + np.diff(starts)  # three: start, end, and a tag or separator


def _hours_spent(record: Path, devices: int) -> float | None:
    """Hours of a finished run, times its devices, by its record; None if the run has no record."""
    try:
        return devices * sum(json.loads(record.read_text(encoding="utf-8"))["seconds"].values()) / 3600
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise MtbridgeError(
            f"{record}: not a run's record ({error}); delete it so that the run is made again"
        ) from error


def _hours_expected(
    study: Study,
    run: tuple[str, str, str],
    tokens: Any,
    examples: tuple[float, float] | None,
    sizes: tuple[float, float] | tuple[None, None],
) -> float | None:
    """Hours of a run (recipe, model, task) by its operations; None if a figure is missing.

    sizes: parameters of the encoder's embeddings and body.
    """
    name, model, task = run
    table, body = sizes
    if tokens is None or examples is None or table is None or body is None:
        return None
    languages = len(task_languages(study.settings, task))
    recipe = asdict(recipe_of(study.settings, name, model, task))
    if kind_of(study.settings.task(task)).spans:
        tokens, windows = in_windows(tokens, recipe)
        examples = examples[0] * windows, examples[1] * windows
        recipe["max_length"] = recipe["context_length"]
    trained = body + USED_ROWS * table if study.settings.gpus else None
    return expected_hours(recipe, tokens, examples, languages, body, trained)


def _disk(study: Study, lengths: dict, examples: dict, bodies: dict) -> dict[str, float | None]:
    """Bytes of each kind of file; None if a figure is missing."""
    settings, runs = study.settings, len(study.recipes) * len(study.seeds)

    def total(values: Iterable[float | None]) -> float | None:
        numbers = list(values)
        return None if None in numbers else float(sum(number for number in numbers if number is not None))

    def checkpoint(model: str) -> float | None:
        spec = settings.model_catalog[model]
        if spec.like is not None:
            return 0  # that of the model that it is like
        if spec.source == "hub":
            return PUBLISHED[spec.repo][2] if spec.repo in PUBLISHED else None
        return 0 if spec.source == "local" else encoders[model]  # a local checkpoint is not copied

    encoders = {model: None if body is None else BYTES * (table + body) for model, (table, body) in bodies.items()}
    weights = total(None if body is None else BYTES * (USED_ROWS * table + body) for table, body in bodies.values())
    all_weights = None if weights is None else weights * runs * len(study.tasks)
    sizes: list[float | None] = []
    for task, counts in examples.items():
        spec = settings.task(task)
        kind, tokens = kind_of(spec), lengths[study.models[0], task]
        units = WORDS_PER_TOKEN * (0 if tokens is None else np.mean(tokens)) if kind.per_word else 1
        rows = counts[1] if counts else None
        # [E]: 40 bytes of a row and 4 of a unit beside the scores.
        sizes.append(None if rows is None else rows * (40 + units * (BYTES * kind.score_size(spec) + 4)))
    predictions = total(sizes)
    return {
        "checkpoints": total(checkpoint(model) for model in encoders),
        "encoders": total(encoders.values()),
        # Without keep_weights the weights of a run are deleted when its predictions exist: one run's at a time.
        "fine-tuned weights": (
            all_weights if settings.keep_weights or all_weights is None else all_weights / max(1, len(study.runs))
        ),
        "predictions": None if predictions is None else predictions * runs * len(study.models),
    }


def _count_files(study: Study, results: Path, views: Mapping[str, list[str]]) -> dict[str, tuple[int, int]]:
    """The number of files of each kind that exist, and the number that there will be."""

    def present(pattern: str, rows: list[dict]) -> tuple[int, int]:
        return sum((results / pattern.format(**row)).exists() for row in rows), len(rows)

    run = "{recipe}/{model}/{task}/seed{seed}"
    pretrainings = present("checkpoints/{model}/pretraining.json", study.each_trained)
    return {
        "data": present("data/{task}/evaluation.parquet", study.each_task),
        **({"pretrainings": pretrainings} if pretrainings[1] else {}),
        "encoders": present("models/{model}/card.json", study.each_model),
        "spectra": present("spectra/{model}.npz", study.each_with_spectra),
        "fine-tunings": present(f"runs/{run}/run.json", study.runs),
        "predictions": present(f"predictions/{run}.parquet", study.runs),
        "scores": present(f"scores/{run}.parquet", study.runs_with_scores),
        **({"adaptations": present(f"runs/{run}/adaptation.json", study.adaptations)} if study.adaptations else {}),
        **{what: (sum((results / path).exists() for path in paths), len(paths)) for what, paths in views.items()},
    }


def text(estimate: Plan) -> str:
    """The text of a plan that is printed."""
    runs, done = int(estimate.total("runs")), int(estimate.total("done"))
    hours = f"{estimate.device}-hours"
    models = _many(len(estimate.models), "model")
    if estimate.pretrainings > len(estimate.models):
        models = f"{models} ({estimate.pretrainings} with replicates)"
    grid = (
        f"{models} × {_many(len(estimate.tasks), 'task')} × {_many(estimate.seeds, 'seed')} × "
        f"{_many(estimate.recipes, 'recipe')} = {_many(runs, 'fine-tuning')}, {done} done"
    )
    # A study of writing alone has no fine-tunings.
    lines = [f"{estimate.name}: {grid if estimate.tasks else models}", ""]
    if estimate.tasks:
        lines += [*table(estimate.models, estimate.tasks, estimate.cells, hours), ""]
    lines += writing_lines(estimate.writing, hours, estimate.translates)
    lines += [*pretraining_lines(estimate.pretraining), *_hours_lines(estimate, hours), *_duration_lines(estimate)]
    lines += _disk_lines(estimate)
    lines.append("there: " + ", ".join(f"{what} {have}/{want}" for what, (have, want) in estimate.files.items()))
    if estimate.total("measured") < runs - done and estimate.assumed:
        tokens = ", ".join(f"{task} {length}" for task, length in estimate.assumed.items())
        note = "; XGLUE's sizes where the data is not there yet" if estimate.released else ""
        lines.append(f"assumed [E]: tokens of an example {tokens}{note}")
    return "\n".join(lines) + "\n"


def _hours_lines(estimate: Plan, hours: str) -> list[str]:
    """What fine-tuning has taken and will take, and what that is known from."""
    runs, done, lines = int(estimate.total("runs")), int(estimate.total("done")), []
    unknown = sum(cell.left is None for cell in estimate.cells.values())
    measured, left = int(estimate.total("measured")), runs - done
    if done:
        lines.append(
            f"fine-tuning, spent: {number(estimate.total('spent'))} {hours}, by the records of the finished runs"
        )
    if left:
        note = f"fine-tuning, left: {number(estimate.total('left'))} {hours}"
        if measured:
            note += f"; {measured} of {left} runs by finished ones of the same recipe, model and task"
        others = "; others" if measured else ","
        if measured < left and estimate.device == "GPU":
            note += f"{others} on {CARD} [E]"
        elif measured < left:
            note += f"{others} at {CPU / 1e9:.0f} GFLOP/s a core [E]"
        lines.append(note)
    if unknown:
        lines.append(f"unknown: {unknown} pairs of model and task, of which a size is not known yet (marked ?)")
    return lines


def _duration_lines(estimate: Plan) -> list[str]:
    """How long all that is left takes on one card or core and on several; nothing if nothing is left."""
    left = estimate.total("left") + sum(cell.left or 0 for cell in estimate.writing.values())
    if estimate.device == "core":
        left += estimate.pretraining.left or 0
    if not left:
        return []
    workers = ", ".join(f"{_duration(left / many)} on {many}" for many in WORKERS[estimate.device])
    where = f"{estimate.device}s" + (f" as fast as {CARD}" if estimate.device == "GPU" else "")
    least = "" if all(cell.left is not None for cell in estimate.cells.values()) else "at least "
    return [f"in all: {least}{workers} {where}"]


def _duration(hours: float) -> str:
    """Hours, or from a day on days, as they are printed."""
    return f"{number(hours)} hours" if hours < 24 else f"{hours / 24:.1f} days"


def _disk_lines(estimate: Plan) -> list[str]:
    """The disk that a study takes, and what would save much of it."""
    sizes = [f"{what} {_size(size)}" for what, size in estimate.disk.items()]
    if not estimate.keep_weights:
        sizes[2] += " at a time (keep_weights: false)"  # the third is fine-tuned weights
    lines = ["disk [E]: " + ", ".join(sizes)]
    if estimate.saved >= WORTH_SAVING:
        lines.append(
            f"keep_weights=false saves {_size(estimate.saved)} of it: a run's weights go once its predictions are made"
        )
    return lines


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _size(size: float | None) -> str:
    if size is None:
        return "unknown"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
