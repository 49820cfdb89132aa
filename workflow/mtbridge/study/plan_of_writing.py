"""What adaptations to tasks of writing cost before they are run, with what they write; see `plan`.

Hours of adapting come from the records of finished runs of the same way, model and task, or from the number of
operations; hours of writing from the number of operations, because no record has them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.names import split_replicate
from mtbridge.study.cells import Cell, Cells, table
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages
from mtbridge.study.operations import STEP, WriterSizes, adaptation_hours, trained, writing_hours
from mtbridge.study.writing import is_adapted, writing_models

# Tokens of an input and of what is to be written [E]: of real text, and of generated examples.
TOKENS = {
    **{"xl-sum": (512, 40), "ntg": (400, 18), "xglue-qg": (80, 15)},
    **{"xquad": (200, 6), "mlqa": (200, 6), "qa": (200, 6), "qg": (200, 18)},
}
GENERATED = {"event": (42, 14), "lead": (42, 15), "qa": (55, 5)}
LONGEST = 3  # [E]: the longest output of a batch in lengths of a mean one
# Parameters of the decoder's body, and of the output layer [E].
DECODERS = {
    "facebook/mbart-large-50": (201.6e6, 256.1e6),
    "facebook/mbart-large-50-many-to-one-mmt": (201.6e6, 256.1e6),
    "facebook/mbart-large-50-one-to-many-mmt": (201.6e6, 256.1e6),
    "facebook/mbart-large-50-many-to-many-mmt": (201.6e6, 256.1e6),
    "facebook/nllb-200-distilled-600M": (201.6e6, 262.4e6),
    "google/mt5-small": (25.2e6, 128.1e6),
    "google/mt5-base": (113.3e6, 192.1e6),
}
Bodies = Mapping[str, tuple[float, float] | tuple[None, None]]  # model -> the encoder's embeddings and body


def writing_cells(study: Study, results: Path, bodies: Bodies) -> dict[tuple[str, str], Cell]:
    """(model, task) -> its adaptations. Raises MtbridgeError if a record of one cannot be read."""
    settings = study.settings
    tasks = settings.generation_tasks
    models = writing_models(settings) if tasks else []
    cells = {(model, task): Cell() for model in models for task in tasks}
    spent = _finished(study, results)
    for (model, task), cell in cells.items():
        for recipe, (way, _) in study.ways.items():
            if not is_adapted(settings, way, model, task):
                continue
            finished = spent.get((recipe, model, task), [])
            adapting, writing = _expected(study, recipe, model, task, results, bodies[model])
            if study.trained_as(recipe, model, task) != recipe:
                adapting = 0.0  # another way's training, which is counted there
            elif finished:
                adapting = sum(finished) / len(finished)
            expected = None if adapting is None or writing is None else adapting + writing
            cell.add(len(study.replicates(model)) * len(study.seeds), finished, expected)
    return cells


def weights_of_writing(study: Study, bodies: Bodies, size: int) -> float | None:
    """Bytes of what all adaptations train, of `size` bytes a number, but for the few of what is added to a model.

    Without keep_weights a run's go when it has written: those of the largest run are there at a time. None if a figure
    is missing.
    """
    each: list[float] = []
    for run in study.adaptations:
        sizes = _sizes(study, run["model"], bodies[run["model"]])
        if sizes is None:
            return None
        each.append(size * trained(study.ways[run["recipe"]][1].method, sizes))
    return max(each) if each and not study.settings.keep_weights else sum(each)


def assumed_tokens(study: Study) -> dict[str, tuple[int, int]]:
    """Task of writing -> the assumed tokens of an input and of an output, before they are cut; those that have any."""
    known = {task: _typical(study, task) for task in study.settings.generation_tasks}
    return {task: tokens for task, tokens in known.items() if tokens is not None}


def _typical(study: Study, task: str) -> tuple[int, int] | None:
    return (GENERATED if study.settings.source_of(task).kind == "generated" else TOKENS).get(task)


def writing_lines(
    cells: Cells, hours: str, translates: bool, assumed: Mapping[str, tuple[int, int]] = MappingProxyType({})
) -> list[str]:
    """What is printed of them, with an empty line behind it; nothing if there are none.

    translates: whether some way needs translations of examples, which nothing is estimated of.
    assumed: see `assumed_tokens`.
    """
    if not cells:
        return []
    models, tasks = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    runs, done = sum(cell.runs for cell in cells.values()), sum(cell.done for cell in cells.values())
    note = "adapting by records where a like run is finished, else, and writing, by operations [E]"
    if hours.startswith("GPU"):
        note += f"; a token of a batch in {STEP * 1000:.0f} ms"
    note += "; translating examples is not counted" if translates else ""
    if assumed:
        note += "\nassumed [E]: tokens of an input and of an output, before they are cut: "
        note += ", ".join(f"{task} {read} and {written}" for task, (read, written) in assumed.items())
    title = f"{runs} adaptation{'s' * (runs != 1)} to tasks of writing, {done} done; with what they write:"
    return [title, "", *table(models, tasks, cells, hours), "", note, ""]


def _finished(study: Study, results: Path) -> dict[tuple[str, str, str], list[float]]:
    """(way, model, task) -> the hours of its finished adaptations, of all pretrainings and seeds."""
    spent: dict[tuple[str, str, str], list[float]] = {}
    devices = study.settings.gpus or study.settings.threads
    for run in study.writing_runs:
        record = results / "runs/{recipe}/{model}/{task}/seed{seed}/adaptation.json".format(**run)
        if not record.exists():
            continue
        try:
            seconds = sum(json.loads(record.read_text(encoding="utf-8"))["seconds"].values())
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise MtbridgeError(f"{record}: not a run's record ({error}); delete it and adapt again") from error
        key = (run["recipe"], split_replicate(run["model"])[0], run["task"])
        spent.setdefault(key, []).append(devices * seconds / 3600)
    return spent


def _expected(
    study: Study, recipe: str, model: str, task: str, results: Path, body: tuple[float, float] | tuple[None, None]
) -> tuple[float | None, float | None]:
    """Hours of one adaptation, and of what it writes, by operations; None if a figure is missing."""
    settings, adaptation = study.settings, study.ways[recipe][1]
    sizes, counts = _sizes(study, model, body), _counts(study, task, results)
    typical = _typical(study, task)
    if sizes is None or counts is None or typical is None:
        return None, None
    # Each of several languages may give all its examples; text that is mixed in counts as examples.
    examples = counts[0] * (max(1, len(adaptation.languages)) if adaptation.whole else 1) / (1 - adaptation.mixed)
    source = min(typical[0], adaptation.source_length)
    longest = settings.decoding.longest
    adapting = adaptation_hours(
        asdict(adaptation), (source, min(typical[1], adaptation.target_length)), examples, sizes, bool(settings.gpus)
    )
    tokens, last = (source, min(typical[1], longest)), min(LONGEST * typical[1], longest)
    return adapting, writing_hours(settings.decoding.beams, tokens, last, counts[1], sizes, bool(settings.gpus))


def _sizes(study: Study, model: str, body: tuple[float, float] | tuple[None, None]) -> WriterSizes | None:
    spec = study.settings.first_model(model)
    if body[1] is None:
        return None
    if not spec.is_made_here:
        decoder = DECODERS.get(spec.repo or "")
        return None if decoder is None else WriterSizes(body[1], *decoder)
    sizes = study.settings.architecture
    width, inner = sizes.hidden_size, sizes.feedforward
    # Two attentions and a feed-forward a layer, without biases and norms.
    layer = 8 * width**2 + 2 * width * inner
    vocabulary = study.settings.tokenizers[study.settings.tokenizer_of(model)].vocabulary
    return WriterSizes(body[1], sizes.decoder_layers * layer, vocabulary * width)


def _counts(study: Study, task: str, results: Path) -> tuple[float, float] | None:
    """(training examples, outputs that are written for a run): counted in the files, or else as set."""
    paths = [results / "data" / task / f"{part}.parquet" for part in ("train", "evaluation")]
    source = study.settings.source_language
    if all(path.exists() for path in paths):
        from mtbridge.base.files import read_table

        train, evaluation = (read_table(path, ["split", "language"]).to_pylist() for path in paths)
        written = [row for row in evaluation if row["split"] == "test" or row["language"] == source]
        return sum(row["split"] == "train" for row in train), len(written)
    size = {split: study.settings.size(task, split) for split in ("train", "dev", "test")}
    if size["train"] is None or size["dev"] is None or size["test"] is None:
        return None
    return size["train"], len(task_languages(study.settings, task)) * size["test"] + size["dev"]
