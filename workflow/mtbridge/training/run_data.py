"""What a fine-tuning reads: its files, and the examples that it is trained on and selects its epoch with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.tokenized import Ragged
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.training.batches import Inputs, example_targets, load_inputs, read_examples


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
    targets: np.ndarray | Ragged  # see `example_targets`
    train: np.ndarray  # rows
    dev: list[tuple[Inputs, dict, np.ndarray]]  # inputs, examples and rows, of each language that selects the epoch


def read_data(files: RunFiles, task: Task, recipe: Recipe) -> Data:
    """Read a run's examples and assemble its inputs.

    Raises:
        MtbridgeError: there are no training examples, or no dev examples to select the epoch with.
    """
    examples = read_examples(files.examples, task)
    inputs = load_inputs(files.encoder, files.tokens, task, examples["language"], recipe)
    targets = example_targets(examples["label"], task, files.examples)
    split = np.asarray(examples["split"])
    train = np.flatnonzero(split == "train")
    if len(train) == 0:
        raise MtbridgeError(f"{files.examples}: no examples of the split 'train'; expected English training examples")
    dev = [(inputs, examples, np.flatnonzero(split == "dev"))]
    if recipe.selection == "mean_dev":
        dev = _dev_of_all_languages(files, task, recipe)
    if recipe.selection != "last" and any(len(rows) == 0 for _, _, rows in dev):
        raise MtbridgeError(f"{files.examples}: no 'dev' examples, but recipe.selection is '{recipe.selection}'")
    return Data(inputs, examples, targets, train, dev)


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
