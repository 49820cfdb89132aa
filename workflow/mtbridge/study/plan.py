"""Estimates what a study costs before it is run (runs, hours, disk), and counts what exists of it.

Hours come from the records of finished runs (the mean of the same recipe, model and task). Without such runs they come
from the number of operations, see `operations`. The figures below that are marked [E] are estimates, and the printed
text says so. Hours are of one GPU or one core.

Pretrainings are in `plan_of_pretraining`, tasks of writing in `plan_of_writing`, hidden states in `plan_of_states`,
the sizes of data in `data_sizes`. What it gives up: hours of the comparison of states, of spectra, of translations and
of scores; they are a small part of a study.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.names import split_replicate
from mtbridge.study.cells import Cell, number, table
from mtbridge.study.data_sizes import (
    PIECES,
    basis_of_tokens,
    counted_tokens,
    examples_of,
    guessed_sizes,
    release_of,
    typical_tokens,
)
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages
from mtbridge.study.local_checkpoints import recipe_of
from mtbridge.study.model_sizes import PUBLISHED, parameters
from mtbridge.study.operations import CARD, CPU, expected_hours, in_windows
from mtbridge.study.plan_of_pretraining import pretraining_cell, pretraining_lines
from mtbridge.study.plan_of_states import bytes_of_states, states_cell, states_lines
from mtbridge.study.plan_of_writing import assumed_tokens, weights_of_writing, writing_cells, writing_lines
from mtbridge.tasks.kinds import kind_of

WORDS_PER_TOKEN = 0.75  # [E]
BYTES = 4  # of a stored number
TUNED, ADAPTED = "fine-tuned weights", "adapted weights"  # kinds of files that keep_weights=false takes away
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
    basis: dict[str, str] = field(default_factory=dict)  # task -> what these tokens are from, where that is not XGLUE
    guessed: list[str] = field(default_factory=list)  # sizes of splits that are guesses, as they are printed
    unsized: list[str] = field(default_factory=list)  # tasks and models of which some size is not known
    released: bool = False  # whether XGLUE's sizes stand for those of files that are not there yet
    keep_weights: bool = True
    written: dict[str, tuple[int, int]] = field(default_factory=dict)  # task of writing -> assumed tokens, in and out
    translates: bool = False  # whether some way of adapting needs translations of examples
    states: Cell = field(default_factory=Cell)  # of all models and corpora
    writing: dict[tuple[str, str], Cell] = field(default_factory=dict)  # of adaptations, with what they write
    pretraining: Cell = field(default_factory=Cell)  # of all models; hours are of cores
    saved: float = 0.0  # bytes that keep_weights=false would save

    @property
    def left(self) -> list[float | None]:
        """The hours of all that is left on the plan's device, in parts; None where a figure is missing."""
        cells = [*self.cells.values(), *self.writing.values(), self.states]
        return [cell.left for cell in cells] + ([self.pretraining.left] if self.device == "core" else [])

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
    examples = {task: examples_of(study, task, results) for task in study.tasks}
    bodies = {model: parameters(study, model, results) for model in study.models}
    assumed = {task: typical_tokens(study, task) for task in study.tasks}
    counted = counted_tokens(study, results)
    lengths: dict[tuple[str, str], Any] = {}  # (model, task) -> tokens: a number, an array [example], or None
    for model, task in itertools.product(study.models, study.tasks):
        tokens = counted[settings.tokenizer_of(model), task]
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
        basis={task: basis for task in study.tasks if (basis := basis_of_tokens(study, task))},
        guessed=guessed_sizes(study, [task for task in study.tasks if not _is_there(results, task)]),
        unsized=[task for task in study.tasks if None in (examples[task], assumed[task])]
        + [model for model in study.settings.models if bodies[model][1] is None],
        released=any(release_of(study, task) and not _is_there(results, task) for task in study.tasks),
        keep_weights=settings.keep_weights,
        written=assumed_tokens(study),
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
    estimate.states = states_cell(study, results, bodies)
    estimate.writing = writing_cells(study, results, bodies)
    estimate.disk = _disk(study, lengths, examples, bodies)
    estimate.disk["hidden states"] = bytes_of_states(study, results, BYTES)
    if estimate.writing:
        estimate.disk[ADAPTED] = weights_of_writing(study, bodies, BYTES)
    estimate.saved = _saved(study, estimate.disk)
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


def _is_there(results: Path, task: str) -> bool:
    """Whether a task's examples are there, so that their sizes are counted."""
    return all((results / "data" / task / f"{part}.parquet").exists() for part in ("train", "evaluation"))


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
    spec, inputs = study.settings.task(task), 1.0  # inputs of an example
    if kind_of(spec).spans:
        tokens, inputs = in_windows(tokens, recipe)
        recipe["max_length"] = recipe["context_length"]
    elif kind_of(spec).chooses:
        inputs = len(spec.choices)
        recipe["batch_size"] *= inputs
    examples = examples[0] * inputs, examples[1] * inputs
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
        TUNED: (all_weights if settings.keep_weights or all_weights is None else all_weights / max(1, len(study.runs))),
        "predictions": None if predictions is None else predictions * runs * len(study.models),
    }


def _saved(study: Study, disk: Mapping[str, float | None]) -> float:
    """Bytes that keep_weights=false would save: all weights of runs but those of one at a time."""
    jobs = {TUNED: len(study.runs), ADAPTED: len(study.adaptations)} if study.settings.keep_weights else {}
    return sum((disk.get(what) or 0) * (1 - 1 / max(1, many)) for what, many in jobs.items())


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
    lines += writing_lines(estimate.writing, hours, estimate.translates, estimate.written)
    lines += [*pretraining_lines(estimate.pretraining), *_hours_lines(estimate, hours)]
    lines += [*states_lines(estimate.states, hours), *_duration_lines(estimate), *_disk_lines(estimate)]
    there = [f"{what} {have}/{want}" for what, (have, want) in estimate.files.items() if want]
    lines.append(f"there: {', '.join(there)}")
    if estimate.total("measured") < runs - done:
        lines += _assumed_lines(estimate)
    return "\n".join(lines) + "\n"


def _assumed_lines(estimate: Plan) -> list[str]:
    """What the hours that are left rest on besides, and what that is from."""
    lines = []
    if estimate.assumed:
        tokens = ", ".join(f"{task} {length}" for task, length in estimate.assumed.items())
        note = "; XGLUE's sizes where the data is not there yet" if estimate.released else ""
        lines.append(f"assumed [E]: tokens of an example {tokens}{note}")
    if words := [f"{task} {estimate.basis[task]}" for task in estimate.assumed if task in estimate.basis]:
        lines.append(f"of these, English words × {PIECES} tokens and special ones: {'; '.join(words)}")
    if estimate.guessed:
        lines.append(f"assumed [E]: examples of {'; '.join(estimate.guessed)}")
    return lines


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
        of = ", ".join(dict.fromkeys(estimate.unsized))
        lines.append(f"unknown: {unknown} pairs of model and task, of which a size is not known yet (marked ?): {of}")
    return lines


def _duration_lines(estimate: Plan) -> list[str]:
    """How long all that is left takes on one card or core and on several; nothing if nothing is left."""
    left = sum(hours or 0 for hours in estimate.left)
    if not left:
        return []
    workers = ", ".join(f"{_duration(left / many)} on {many}" for many in WORKERS[estimate.device])
    where = f"{estimate.device}s" + (f" as fast as {CARD}" if estimate.device == "GPU" else "")
    least = "at least " if None in estimate.left else ""
    # Models are trained on cores, also in a study that fine-tunes on GPUs.
    beside = ", beside the pretraining" if estimate.device == "GPU" and estimate.pretraining.left != 0 else ""
    return [f"in all{beside}: {least}{workers} {where}"]


def _duration(hours: float) -> str:
    """Hours, or from a day on days, as they are printed."""
    return f"{number(hours)} hours" if hours < 24 else f"{hours / 24:.1f} days"


def _disk_lines(estimate: Plan) -> list[str]:
    """The disk that a study takes, and what would save much of it."""
    sizes = {what: _size(size) for what, size in estimate.disk.items() if size != 0}  # 0: the study has none
    if not estimate.keep_weights:
        at_a_time = {
            what: f"{sizes[what]} at a time (keep_weights: false)" for what in (TUNED, ADAPTED) if what in sizes
        }
        sizes |= at_a_time
    lines = ["disk [E]: " + ", ".join(f"{what} {size}" for what, size in sizes.items())]
    if estimate.saved >= WORTH_SAVING:
        done = "predictions are made" if TUNED in sizes else "outputs are written"
        lines.append(f"keep_weights=false saves {_size(estimate.saved)} of it: a run's weights go once its {done}")
    return lines


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _size(size: float | None) -> str:
    if size is None:
        return "unknown"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
