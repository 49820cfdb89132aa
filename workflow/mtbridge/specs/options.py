"""The options of programs, derived from specifications: `learning_rate` is `--learning-rate`, checked as in the config.

A field that is no number, text or choice of texts (a list, a mapping) is given as JSON.
"""

import argparse
import json
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from mtbridge.base.errors import MtbridgeError


def option(name: str) -> str:
    """The option of a setting."""
    return "--" + name.replace("_", "-")


def add_options(parser: argparse.ArgumentParser, specification: type) -> None:
    """Add an option for every setting of a specification to a program's parser."""
    types = get_type_hints(specification)
    for field in fields(specification):
        about = field.default  # pydantic's FieldInfo, see `specs.setting`
        described = getattr(about, "description", None) or ""
        required = about.is_required() and about.default_factory is None
        parser.add_argument(
            option(field.name), required=required, help=described.replace("%", "%%"), **_kind(types[field.name])
        )


def _kind(annotation: Any) -> dict[str, Any]:
    """What argparse must know of a setting's type."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    if annotation in (int, float, str):
        return {"type": annotation}
    return {"type": json.loads, "metavar": "JSON"}


def read_options(arguments: argparse.Namespace, specification: type) -> Any:
    """The specification that parsed options describe. Raises MtbridgeError naming the option that does not fit."""
    given = {field.name: vars(arguments)[field.name] for field in fields(specification)}
    try:
        return specification(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise MtbridgeError(f"{option(str(first['loc'][0]))}: {first['msg']}, got {first['input']!r}") from None


def to_options(values: Any) -> list[str]:
    """A specification's settings as `read_options` takes them; what is None is left out."""
    found = []
    for field in fields(values):
        value = vars(values)[field.name]
        if value is not None:
            plain = isinstance(value, int | float | str)
            found += [option(field.name), str(value) if plain else json.dumps(value, ensure_ascii=False)]
    return found
