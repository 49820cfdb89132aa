"""What config.json of a local checkpoint says of a model, so that a plan already tells what cannot work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.specs.families import declared_family
from mtbridge.specs.recipe import Recipe
from mtbridge.study.model_settings import ModelSettings
from mtbridge.study.settings import Settings
from mtbridge.tasks.kinds import kind_of


def read_config(spec: ModelSettings) -> tuple[Any, Path]:
    """The content of a local checkpoint's config.json, and its path. Raises MtbridgeError if it is no JSON."""
    path = Path(spec.path or "", "config.json")
    return read_json(path), path


def family_problem(spec: ModelSettings) -> tuple[str, str] | None:
    """What is wrong with a local checkpoint's family: (key of the model, message); None if it fits."""
    try:
        config, path = read_config(spec)
        declared_family(config, path)
    except MtbridgeError as error:
        return "path", str(error)
    if spec.family not in (None, config["model_type"]):
        return "family", f"{spec.family}, but {path} says model_type '{config['model_type']}'"
    return None


def longest_input(spec: ModelSettings) -> int | None:
    """The most tokens that a local checkpoint takes; None where nobody knows it yet, as for a model of the Hub.

    Raises:
        MtbridgeError: the numbers in config.json are none.
    """
    if spec.source != "local":
        return None
    config, path = read_config(spec)
    # Without the key it is 1, transformers' default for the families that count from it.
    padding = config.get("pad_token_id")
    try:
        family = declared_family(config, path)
        if family is None:
            # The encoder itself says it exactly when it is tried; see `models.forward.positions_of`.
            longest = config.get("max_position_embeddings")
            return longest if longest is None or longest > 0 else None
        return family.longest_input(config, 1 if padding is None else padding)
    except TypeError as error:
        raise MtbridgeError(f"{path}: its sizes are no numbers ({error}); get it again") from error


def recipe_of(settings: Settings, name: str, model: str, task: str) -> Recipe:
    """The recipe by which a model is fine-tuned on a task.

    A length that nobody has set is at most what the user's checkpoint takes; `checks` refuses one that is set.
    """
    recipe = settings.recipe(name, settings.origin(model), task)
    field = kind_of(settings.task(task)).length_setting
    if any(field in values for _, values in settings.recipe_layers(name, settings.origin(model), task)):
        return recipe
    longest = longest_input(settings.first_model(model))
    return recipe if longest is None else replace(recipe, **{field: min(vars(recipe)[field], longest)})
