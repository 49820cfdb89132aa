"""What a study costs before it is run, and what of it is there: runs, hours, disk.

Hours come from the records of finished runs (the mean of the same recipe, model and task), and where there are none
from the number of operations: 6 per parameter of the encoder's body and token for an update, 2 for a prediction (Kaplan
et al. 2020, section 2.1; embeddings are looked up, attention's own share is small at these lengths). The figures below
that are marked [E] are estimates; the text that is printed names them. Hours are of one GPU, or of one core.

What it gives up: pretraining, hidden states and spectra are counted as files, not as hours.
"""

import itertools
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.data.tokenized import Ragged
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages
from mtbridge.tasks.kinds import kind_of

PEAK = 790e12  # FLOP/s of one H200 in bf16, dense, as measured on large products
SUSTAINED = 0.12  # share of it that fine-tuning small batches reaches without CUDA graphs [E]
BEST = 0.40  # share that is within reach with them [E]
CPU = 50e9  # FLOP/s of one core on small models, as the study `mini` fine-tuned 4 × 96 encoders on an AMD EPYC

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
# Tokens of an example with specials [E]: in the release, cut at 256, and as generated. With the former a seed of the
# published grid takes 3.0 GPU-hours at BEST.
TOKENS = {"nc": 230, "xnli": 42, "paws-x": 55, "qam": 90, "qadsm": 30, "wpr": 60, "ner": 22, "pos": 27}
GENERATED = {"nc": 33, "xnli": 23, "paws-x": 24, "qam": 41, "qadsm": 36, "wpr": 58, "ner": 18, "pos": 17}
WORDS_PER_TOKEN = 0.75  # [E]
# Encoder parameters, embeddings and body, and the bytes of the files that are fetched [E].
PUBLISHED = {
    "google-bert/bert-base-multilingual-cased": (92.2e6, 85.1e6, 0.71e9),
    "FacebookAI/xlm-roberta-base": (192.4e6, 85.1e6, 1.12e9),
    "facebook/mbart-large-50": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-many-to-one-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-one-to-many-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-many-to-many-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/nllb-200-distilled-600M": (262.4e6, 151.2e6, 2.46e9),
}
BYTES = 4  # of a stored number
MET = 0.2  # share of the embeddings' rows that English training examples meet; the others are not stored again [E]


@dataclass
class Cell:
    """The runs of one model on one task, all recipes and seeds; hours are None where an estimate lacks a figure."""

    runs: int = 0
    done: int = 0
    measured: int = 0  # runs to do whose hours come from finished ones
    spent: float = 0.0
    left: float | None = 0.0


@dataclass
class Plan:
    """Counts and estimates of a study."""

    name: str
    device: str  # GPU or core
    models: list[str]
    tasks: list[str]
    seeds: int
    recipes: int
    cells: dict[tuple[str, str], Cell]  # (model, task)
    disk: dict[str, float | None] = field(default_factory=dict)  # what -> bytes
    there: dict[str, tuple[int, int]] = field(default_factory=dict)  # what -> (files that exist, all)
    assumed: dict[str, int] = field(default_factory=dict)  # task -> tokens of an example, where they are not there yet
    released: bool = False  # whether any task's data is a release's, whose sizes stand in for files not there yet
    keep_weights: bool = True

    def total(self, key: str) -> float:
        """Sum of a number over all cells, those that lack it left out."""
        return sum(getattr(cell, key) or 0 for cell in self.cells.values())


def plan(study: Study, results=None) -> Plan:
    """Count and estimate a study whose results lie in `results` (default: its own folder)."""
    results = Path(results or study.results)
    if results.exists() and not results.is_dir():
        raise MtbridgeError(f"--results: {results} is no folder; expected a study's results")
    settings = study.settings
    examples = {task: _examples(study, task, results) for task in study.tasks}
    bodies = {model: _parameters(study, model, results) for model in study.models}
    assumed = {task: _assumed(study, task) for task in study.tasks}
    tokenizers = {model: settings.tokenizer_of(model) for model in study.models}
    pairs = itertools.product(dict.fromkeys(tokenizers.values()), study.tasks)
    counted = {
        (tokenizer, task): _counted(results / "tokens" / tokenizer / task / "train") for tokenizer, task in pairs
    }
    lengths = {}
    for model, task in itertools.product(study.models, study.tasks):
        tokens = counted[tokenizers[model], task]
        lengths[model, task] = assumed[task] if tokens is None else tokens
    made = Plan(
        name=study.name,
        device="GPU" if settings.gpus else "core",
        models=study.models,
        tasks=study.tasks,
        seeds=len(study.seeds),
        recipes=len(study.recipes),
        cells={pair: Cell() for pair in lengths},
        assumed={task: assumed[task] for (_, task), tokens in counted.items() if tokens is None and assumed[task]},
        released=any(settings.source_of(task)["kind"] != "generated" for task in study.tasks),
        keep_weights=settings.keep_weights,
    )
    spent: dict[tuple, list[float]] = {}
    for run in study.runs:
        record = results / "runs/{recipe}/{model}/{task}/seed{seed}/run.json".format(**run)
        hours = _hours_spent(record, settings.gpus or settings.threads)
        if hours is not None:
            spent.setdefault((run["recipe"], run["model"], run["task"]), []).append(hours)
    for recipe in study.recipes:
        for model, task in made.cells:
            cell, known = made.cells[model, task], spent.get((recipe, model, task), [])
            left = len(study.seeds) - len(known)
            cell.runs += len(study.seeds)
            cell.done += len(known)
            cell.spent += sum(known)
            if known:
                cell.measured += left
                each = sum(known) / len(known)
            else:
                each = _hours_expected(study, recipe, task, lengths[model, task], examples[task], bodies[model][1])
            cell.left = None if cell.left is None or each is None else cell.left + left * each
    made.disk = _disk(study, lengths, examples, bodies)
    made.there = _there(study, results)
    return made


def _examples(study: Study, task: str, results: Path) -> tuple[float, float] | None:
    """(training examples, evaluation examples of all languages); counted where the files are there."""
    languages = len(task_languages(study.settings, task))
    paths = [results / "data" / task / f"{part}.parquet" for part in ("train", "evaluation")]
    if all(path.exists() for path in paths):
        import pyarrow.compute as pc

        from mtbridge.base.files import read_table

        train = pc.sum(pc.equal(read_table(paths[0], ["split"])["split"], "train")).as_py()
        return train, read_table(paths[1], ["split"]).num_rows
    release = RELEASE.get(task) if study.settings.source_of(task)["kind"] != "generated" else None
    sizes = [study.settings.size(task, split) for split in ("train", "dev", "test")]
    if release is None:
        return (sizes[0], languages * (sizes[1] + sizes[2])) if all(sizes) else None
    dev, test = (min(size or release[1], release[1] // 2) for size in sizes[1:])
    return min(sizes[0] or release[0], release[0]), languages * (dev + test)


def _assumed(study: Study, task: str) -> int | None:
    """Tokens of an example of a task that is not tokenized yet; None for a task that is not known here."""
    return (GENERATED if study.settings.source_of(task)["kind"] == "generated" else TOKENS).get(task)


def _counted(folder: Path):
    """Tokens of each English example, [rows], if their folder is there."""
    if not folder.exists():
        return None
    rows, texts = read_json(folder / "meta.json", ("rows",))["rows"], Ragged.load(folder, "tokens")
    starts = texts.offsets[:: max(1, len(texts) // max(1, rows))]
    return 3 + np.diff(starts)  # three: start, end, and a tag or separator


def _parameters(study: Study, model: str, results: Path) -> tuple[float, float] | tuple[None, None]:
    """(parameters of the embeddings, of the body), from the card if the encoder is there."""
    card = results / "models" / model / "card.json"
    if card.exists():
        try:
            parameters = json.loads(card.read_text(encoding="utf-8"))["parameters"]
            return parameters["embeddings"], parameters["body"]
        except (ValueError, KeyError, OSError) as error:
            raise MtbridgeError(
                f"{card}: not readable ({error}); delete its folder so that it is made again"
            ) from error
    spec = study.settings.model_catalog[model]
    if spec.source != "trained":
        return PUBLISHED.get(spec.repo, (None, None))[:2]
    sizes = study.settings.architecture
    width, inner = sizes.hidden_size, sizes.feedforward
    vocabulary = study.settings.tokenizers[study.settings.tokenizer_of(model)].vocabulary
    return (vocabulary + sizes.positions) * width, sizes.layers * (4 * width**2 + 2 * width * inner + 9 * width + inner)


def _hours_spent(record: Path, devices: int) -> float | None:
    """Hours of a finished run on so many devices, by its record."""
    try:
        return devices * sum(json.loads(record.read_text(encoding="utf-8"))["seconds"].values()) / 3600
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise MtbridgeError(
            f"{record}: not a run's record ({error}); delete it so that the run is made again"
        ) from error


def operations(recipe: dict, tokens, examples: tuple[float, float], languages: int, body: float) -> float:
    """FLOP of one run: training, the dev scores that choose its epoch, and the predictions of every language.

    tokens: of an example, or of several, whose mean counts when they are cut.
    """
    train, evaluation = examples
    length = float(np.minimum(tokens, recipe["max_length"]).mean())
    dev = {"last": 0, "en_dev": evaluation / languages / 2, "mean_dev": evaluation / 2}[recipe["selection"]]
    return body * length * (6 * recipe["epochs"] * train + 2 * recipe["epochs"] * dev + 2 * evaluation)


def _hours_expected(study: Study, recipe: str, task: str, tokens, examples, body) -> float | None:
    if tokens is None or examples is None or body is None:
        return None
    languages = len(task_languages(study.settings, task))
    flop = operations(asdict(study.settings.recipes[recipe].for_task(task)), tokens, examples, languages, body)
    return flop / (PEAK * SUSTAINED if study.settings.gpus else CPU) / 3600


def _disk(study: Study, lengths: dict, examples: dict, bodies: dict) -> dict[str, float | None]:
    """Bytes by kind of file; None where a figure is missing."""
    settings, runs = study.settings, len(study.recipes) * len(study.seeds)

    def total(values) -> float | None:
        values = list(values)
        return None if None in values else float(sum(values))

    whole = {model: None if body is None else BYTES * (table + body) for model, (table, body) in bodies.items()}
    fetched = [
        {"hub": PUBLISHED.get(spec.repo, (None, None, None))[2], "local": 0, "trained": whole[model]}[spec.source]
        for model, spec in ((model, settings.model_catalog[model]) for model in whole)
    ]
    trained = total(None if body is None else BYTES * (MET * table + body) for table, body in bodies.values())
    every = None if trained is None else trained * runs * len(study.tasks)
    predicted = []
    for task, counts in examples.items():
        spec = settings.task(task)
        kind, tokens = kind_of(spec), lengths[study.models[0], task]
        units = WORDS_PER_TOKEN * (0 if tokens is None else np.mean(tokens)) if kind.per_word else 1
        rows = counts[1] if counts else None
        predicted.append(None if rows is None else rows * (40 + units * (BYTES * kind.head_size(spec) + 4)))
    predictions = total(predicted)
    return {
        "checkpoints": total(fetched),
        "encoders": total(whole.values()),
        "fine-tuned weights": every if settings.keep_weights or every is None else every / len(study.runs),
        "predictions": None if predictions is None else predictions * runs * len(study.models),
    }


def _there(study: Study, results: Path) -> dict[str, tuple[int, int]]:
    """How many of the files of each kind exist."""

    def present(pattern: str, rows: list[dict]) -> tuple[int, int]:
        return sum((results / pattern.format(**row)).exists() for row in rows), len(rows)

    run = "{recipe}/{model}/{task}/seed{seed}"
    views = [{"view": study.view(protocol)} for protocol in study.protocols]
    shown = [{**view, "number": number} for view in views for number in range(1, 6)]
    return {
        "data": present("data/{task}/evaluation.parquet", study.each_task),
        "encoders": present("models/{model}/card.json", study.each_model),
        "spectra": present("spectra/{model}.npz", study.each_model),
        "fine-tunings": present(f"runs/{run}/run.json", study.runs),
        "predictions": present(f"predictions/{run}.parquet", study.runs),
        "scores": present(f"scores/{run}.parquet", study.scored),
        "tables": present("tables/{view}table{number}.csv", shown),
        "figures": present("figures/{view}figure{number}.csv", [row for row in shown if row["number"] < 3]),
    }


def text(made: Plan) -> str:
    """The plan as it is printed."""
    runs, done = int(made.total("runs")), int(made.total("done"))
    hours = f"{made.device}-hours"
    lines = [
        f"{made.name}: {_many(len(made.models), 'model')} × {_many(len(made.tasks), 'task')} × "
        f"{_many(made.seeds, 'seed')} × {_many(made.recipes, 'recipe')} = {_many(runs, 'fine-tuning')}, {done} done",
        "",
    ]
    header = ["done/all", *made.tasks, f"{hours} left"]
    rows = []
    for model in made.models:
        cells = [made.cells[model, task] for task in made.tasks]
        rows.append([model, *(f"{cell.done}/{cell.runs}" for cell in cells), _hours(cells)])
    columns = [[made.cells[model, task] for model in made.models] for task in made.tasks]
    rows.append([f"{hours} left", *(_hours(cells) for cells in columns), _hours(made.cells.values())])
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, *rows):
        aligned = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *aligned[1:]]))
    lines.append("")

    unknown = sum(cell.left is None for cell in made.cells.values())
    measured, left = int(made.total("measured")), runs - done
    if done:
        lines.append(f"spent: {_number(made.total('spent'))} {hours}, by the records of the finished runs")
    if left:
        note = f"left: {_number(made.total('left'))} {hours}"
        if measured:
            note += f"; {measured} of {left} runs by finished ones of the same recipe, model and task"
        others = "; others at" if measured else ", at"
        if measured < left and made.device == "GPU":
            note += f"{others} {SUSTAINED:.0%} of {PEAK / 1e12:.0f} TFLOP/s [E] ({BEST:.0%} is within reach)"
        elif measured < left:
            note += f"{others} {CPU / 1e9:.0f} GFLOP/s a core [E]"
        lines.append(note)
    if unknown:
        lines.append(f"unknown: {unknown} pairs of model and task, of which a size is not known yet (marked ?)")
    sizes = [f"{what} {_size(size)}" for what, size in made.disk.items()]
    if not made.keep_weights:
        sizes[2] += " at a time (keep_weights: false)"
    lines.append("disk [E]: " + ", ".join(sizes))
    lines.append("there: " + ", ".join(f"{what} {have}/{want}" for what, (have, want) in made.there.items()))
    if measured < left and made.assumed:
        tokens = ", ".join(f"{task} {length}" for task, length in made.assumed.items())
        sizes = "; XGLUE's sizes where the data is not there yet" if made.released else ""
        lines.append(f"assumed [E]: tokens of an example {tokens}{sizes}")
    return "\n".join(lines) + "\n"


def _hours(cells) -> str:
    cells = list(cells)
    text = _number(sum(cell.left or 0 for cell in cells))
    return text + "?" if any(cell.left is None for cell in cells) else text


def _number(hours: float) -> str:
    return f"{hours:.1f}" if hours >= 10 else f"{hours:.2f}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _size(size: float | None) -> str:
    if size is None:
        return "unknown"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
