"""What a fine-tuning reads: its files, and the examples that it is trained on and selects its epoch with."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.tokenized import Ragged
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.training.batches import Inputs, input_targets, load_inputs, read_examples


@dataclass(frozen=True)
class RunFiles:
    """What a run reads and writes.

    encoder: encoder folder, see `models.loading`.
    tokens, examples: the task's training part: train and dev in the source language.
    weights: the safetensors file to write, see `weights_file`.
    record: the JSON file to write, `run.json`.
    evaluation: (tokens, examples) of the evaluation part, for a recipe that selects the epoch on dev of all languages.
    """

    encoder: Path
    tokens: Path
    examples: Path
    weights: Path
    record: Path
    evaluation: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class Data:
    """The examples that a run is trained on, and those that select its epoch."""

    inputs: Inputs
    examples: dict[str, list]
    targets: np.ndarray | Ragged  # see `input_targets`
    train: np.ndarray  # rows of `inputs`
    # Inputs, examples, and the numbers of those examples that select the epoch, for each language that does.
    dev: list[tuple[Inputs, dict, np.ndarray]]


def read_data(files: RunFiles, task: Task, recipe: Recipe) -> Data:
    """Read a run's examples and assemble its inputs.

    Raises:
        MtbridgeError: there are no training examples, or no dev examples to select the epoch with.
    """
    examples = read_examples(files.examples, task)
    inputs = load_inputs(files.encoder, files.tokens, task, examples["language"], recipe)
    targets = input_targets(inputs, examples["label"], task, files.examples)
    split = np.asarray(examples["split"])
    train = inputs.rows(np.flatnonzero(split == "train"))
    if inputs.windows is not None:
        train = _with_answers(train, inputs, targets)
    if len(train) == 0:
        raise MtbridgeError(f"{files.examples}: no examples of the split 'train'; expected English training examples")
    dev = [(inputs, examples, np.flatnonzero(split == "dev"))]
    if recipe.selection == "mean_dev":
        dev = _dev_of_all_languages(files, task, recipe)
    if recipe.selection != "last" and any(len(rows) == 0 for _, _, rows in dev):
        raise MtbridgeError(f"{files.examples}: no 'dev' examples, but recipe.selection is '{recipe.selection}'")
    return Data(inputs, examples, targets, train, dev)


def _with_answers(rows: np.ndarray, inputs: Inputs, targets: Any) -> np.ndarray:
    """The windows of those examples whose answer is in the tokens; a tokenizer may drop signs that it does not know."""
    lost = targets[rows, 0] < 0
    if lost.any():
        count = len(np.unique(inputs.example(rows[lost])))
        print(f"{count} training examples are left out: no token stands for their answer", file=sys.stderr)
    return rows[~lost]


def _dev_of_all_languages(files: RunFiles, task: Task, recipe: Recipe) -> list[tuple[Inputs, dict, np.ndarray]]:
    """Inputs, examples and dev rows of each language of the evaluation part."""
    if files.evaluation is None:
        raise MtbridgeError("recipe.selection: 'mean_dev' needs the evaluation examples of every language")
    tokens, path = files.evaluation
    examples = read_examples(path, task)
    inputs = load_inputs(files.encoder, tokens, task, examples["language"], recipe)
    language, split = np.asarray(examples["language"]), np.asarray(examples["split"])
    languages = sorted(set(language))
    return [(inputs, examples, np.flatnonzero((language == one) & (split == "dev"))) for one in languages]
