"""Makes checked settings of the user's values, or one line about what is wrong with them."""

import json
import re
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.names import REPLICATE
from mtbridge.specs.source import KINDS, choices
from mtbridge.study.checks import check
from mtbridge.study.layers import merge, preset, source_layer
from mtbridge.study.replicates import needed
from mtbridge.study.settings import Settings

# pydantic's types of error for an undeclared key, in a model and in a dataclass.
UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
# pydantic's types of error for a source whose kind is missing or unknown.
UNKNOWN_KIND = ("union_tag_not_found", "union_tag_invalid")


def load(user: dict, where: str = "config.yaml or --config") -> Settings:
    """Settings from the user's values, over the preset that they name.

    where: the place of the user's values, for errors.

    Raises:
        MtbridgeError: a value is wrong; the message names its file and key.
    """
    user = {key: value for key, value in user.items() if value is not None}
    study = user.get("study", "mini")
    layers = [*preset(study), (where, {**user, "study": study})]
    values: dict = {}
    for _, content in layers:
        values = merge(values, content)
    values["recipes"] = _recipes_over_default(values.get("recipes"))
    if values["recipes"] is None:
        del values["recipes"]
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise MtbridgeError(explain(error, layers)) from None
    check(settings, layers)
    return settings


def unused(user: dict, settings: Settings) -> str:
    """One line about models and tasks that the user's config describes but the study does not run, or "".

    user: the user's values, as `load` takes them.
    """
    parts = []
    for key, run, catalog in (("models", settings.models, "model_catalog"), ("tasks", settings.tasks, "task_catalog")):
        made = needed(settings, run) if key == "models" else set(run)
        described = [name for name in user.get(catalog) or {} if name not in made]
        if described:
            parts.append(f"{', '.join(described)} (name it in `{key}`)")
    return f"note: described in the config, but not run: {'; '.join(parts)}" if parts else ""


def _recipes_over_default(recipes: Any) -> Any:
    """Every recipe with the missing settings taken from the recipe `default`."""
    if not isinstance(recipes, dict) or not isinstance(recipes.get("default"), dict):
        return recipes
    default = recipes["default"]
    return {name: merge(default, recipe) if isinstance(recipe, dict) else recipe for name, recipe in recipes.items()}


def explain(error: ValidationError, layers: list) -> str:
    """The message of the first error, with file, key, value and the nearest valid key."""
    first = error.errors()[0]
    location = tuple(part for part in first["loc"] if part != "[key]")  # pydantic's mark of a key that is wrong
    # pydantic names the kind of a source between `source` and its key; the config does not.
    shown = tuple(part for before, part in zip(("", *location), location, strict=False) if before != "source")
    key = ".".join(str(part) for part in shown)
    where = source_layer(shown, layers)
    if first["type"] in UNKNOWN_KEY:
        return f"{where}: {key}: there is no such key; {nearest(str(location[-1]), keys_at(location[:-1]))}"
    if first["type"] in ("missing", "missing_argument"):
        return f"{where}: {key}: is missing"
    value = first["input"]
    if first["type"] in UNKNOWN_KIND:
        kind = str(value.get("kind") or "") if isinstance(value, dict) else str(value)
        return f"{where}: {key}: has no kind that is known; {nearest(kind, KINDS)}"
    hint = _hint(first, key)
    message = first["msg"].removeprefix("Value error, ")
    # pydantic's own messages begin with a capital letter; YAML keeps its own.
    message = message if message[:2].isupper() else message[0].lower() + message[1:]
    message = message.replace("'key=[", f"'{re.sub(r'[.]?[0-9]+$', '', key)}=[")
    return f"{where}: {key}: {message}, got {json.dumps(value, default=str)}{hint}"


def _hint(error: Any, key: str) -> str:
    """How a value is written rightly, where people often write it otherwise; else nothing."""
    value = error["input"]
    if key.endswith(".family"):
        # A similar name may be another architecture: the message lists the families and suggests none.
        return "; of a published or local encoder of another architecture, leave the key out"
    if error["type"] == "literal_error" and isinstance(value, str):
        return "; " + nearest(value, choices(error))
    if re.match(r"models\b", key) and isinstance(value, str) and REPLICATE in value:
        return f"; name the model, {value.split(REPLICATE)[0]}, and say by `replicates` how many times it is pretrained"
    if error["type"] == "string_type" and isinstance(value, bool):
        return "; YAML reads yes, no, on and off as true and false: put the word in quotes"
    if error["type"] == "string_type" and isinstance(value, int | float):
        return f'; put it in quotes: "{value}"'
    in_list = isinstance(error["loc"][-1], int)
    if error["type"] == "int_parsing" and in_list and isinstance(value, str) and "," in value:
        name, items = key.rpartition(".")[0], ", ".join(item.strip() for item in value.split(","))
        return f"; several are a list: {name}: [{items}], and behind --config in quotes: '{name}=[{items}]'"
    return ""


def keys_at(location: tuple) -> list[str]:
    """The keys that are valid at a place of the configuration."""
    at: Any = Settings
    for before, part in zip(("", *location), location, strict=False):
        if before == "source" and part in KINDS:
            at = KINDS[part]
            continue
        at = _types_of(at).get(part) or at  # a part may also be a name or an index, which leads to no other group
    return list(_types_of(at))


def _types_of(group: Any) -> dict[str, Any]:
    """Key -> the group of settings below it, or None for a plain value."""
    declared: dict[str, Any]
    if isinstance(group, type) and issubclass(group, BaseModel):
        declared = {name: field.annotation for name, field in group.model_fields.items()}
    else:
        declared = {field.name: field.type for field in fields(group)}
    return {name: _group_in(annotation) for name, annotation in declared.items()}


def _group_in(annotation: Any) -> Any:
    """The group of settings that a type holds: `dict[Name, TaskSettings]` holds TaskSettings."""
    if isinstance(annotation, type) and (is_dataclass(annotation) or issubclass(annotation, BaseModel)):
        return annotation
    return next((group for part in get_args(annotation) if (group := _group_in(part))), None)
