"""One fine-tuning run, from its input files to its weights and record; it continues an interrupted run."""

import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from mtbridge.base.files import read_json, sha256, write_json
from mtbridge.base.program import begin_work
from mtbridge.models.classes import find_family_of
from mtbridge.models.computing import device_of, usable_precision
from mtbridge.models.kernels import keep_memory
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.training import resume
from mtbridge.training.course import peak_memory, restore, train_to_the_end
from mtbridge.training.finetuning import Training
from mtbridge.training.processes import Processes
from mtbridge.training.run_data import RunFiles
from mtbridge.training.weights_file import save


def finetune(
    files: RunFiles,
    task: Task,
    recipe: Recipe,
    seed: int,
    about: dict,
    threads: int = 1,
    state: resume.StatePlace = resume.NOWHERE,
) -> None:
    """Fine-tune on the source language, and write the weights and the run's record.

    Args:
        about: entries for the record that the caller knows (model, identity, commit …).
        threads: of torch on the CPU.

    Raises:
        MtbridgeError: the loss is not finite (the message has the step and example ids), labels or tokens do not fit,
            memory does not suffice for one example, or a signal asked to stop.
    """
    started = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    keep_memory()
    processes = Processes()
    origin = origin_of(files, task, recipe, seed, about.get("identity"))
    device = device_of(int(os.environ.get("LOCAL_RANK", "0")))
    precision = usable_precision(recipe.precision, device, find_family_of(files.encoder), warn=processes.rank == 0)
    # The last bits of a run depend on these too, so a state from another device or number of threads is not continued.
    here = {"processes": processes.count, "device": device.type, "threads": threads, "precision": precision}
    name = resume.state_name(origin | here)
    with resume.State(state.folder, name, state.every, claim=processes.rank == 0) as saved_state:
        processes.wait()  # the others read the state after the first has the folder to itself
        training = Training(files, task, replace(recipe, precision=precision), seed, processes, device)
        restore(training, saved_state, processes)
        saved_state.listen()
        begin_work()
        start, resumed_at = time.perf_counter() - started, training.steps
        train_to_the_end(training, saved_state, processes, about)
        if processes.rank == 0:
            facts = {**about, "why": resume.explain_rerun(_origin_file(files), origin), "task": task.name, "seed": seed}
            facts |= {"recipe": asdict(recipe), "labels": list(task.labels), "resumed_at": resumed_at}
            facts |= {"processes": processes.count, "device": str(device), "precision": precision}
            _write(training, files, facts, start)
            write_json(origin, _origin_file(files))
            saved_state.remove()
    processes.end()


def origin_of(files: RunFiles, task: Task, recipe: Recipe, seed: int, identity: str | None) -> dict:
    """Everything that decides the result of a run, in the types of JSON, so that it can equal what a file has."""
    evaluation = files.evaluation
    origin = {
        "code": identity,
        "recipe": asdict(recipe),
        "seed": seed,
        "task": asdict(task),
        "encoder": read_json(Path(files.encoder) / "card.json").get("sha256"),
        "tokens": sha256(Path(files.tokens) / "tokens.npy"),
        "examples": sha256(files.examples),
        "evaluation": sha256(Path(evaluation[0]) / "tokens.npy", evaluation[1]) if evaluation else None,
        "versions": resume.versions(),
    }
    return json.loads(json.dumps(origin))


def _origin_file(files: RunFiles) -> Path:
    # Snakemake deletes a rule's outputs before it runs again; this file is not one, and stays.
    return Path(files.record).with_name("made_of.json")


def _write(training: Training, files: RunFiles, facts: dict, start: float) -> None:
    """Write the weights of the selected epoch, and the record; `start` is the seconds before the first step."""
    vocabulary, best, recipe = training.vocabulary, training.best, training.recipe
    weights, scale = (best.weights, best.scale) if best else (training.model.state_dict(), vocabulary.scale)
    record = {
        **facts,
        "examples": len(training.train),
        "steps": training.steps,
        "epochs": recipe.epochs,
        "examples_a_pass": training.micro_batch,
        "tokens": training.tokens,
        "embeddings_trained": [len(vocabulary.rows), len(vocabulary)],
        "loss": training.curve,
        "dev": training.dev_curve,
        "selected_epoch": best.epoch if best else recipe.epochs,
        "warnings": training.warnings(),
        "tokens_per_second": round(training.tokens / max(training.seconds["train"], 1e-9)),
        "seconds": {key: round(value, 3) for key, value in {"start": start, **training.seconds}.items()},
        "peak_memory_mb": peak_memory(),
        "versions": resume.versions(),
    }
    for warning in record["warnings"]:
        print(f"warning: {facts.get('model')}, {facts['task']}, seed {facts['seed']}: {warning}", file=sys.stderr)
    save(files.weights, weights, files.encoder, vocabulary.rows, scale)
    write_json(record | {"weights": sha256(files.weights)}, files.record)
