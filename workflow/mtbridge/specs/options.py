"""The options of programs, derived from specifications: `learning_rate` is `--learning-rate`, checked as in the config.

The value of any other field than a number, a text or a choice of texts (a list, a mapping) is JSON.
"""

import argparse
import json
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from mtbridge.base.errors import MtbridgeError


def option(name: str) -> str:
    """The name of a setting's option."""
    return "--" + name.replace("_", "-")


def add_options(parser: argparse.ArgumentParser, specification: type) -> None:
    """Add an option for every setting of a specification to a program's parser."""
    types = get_type_hints(specification)
    for field in fields(specification):
        about: Any = field.default  # pydantic's FieldInfo, see `specs.setting`
        description = getattr(about, "description", None) or ""
        required = about.is_required() and about.default_factory is None
        # argparse formats help texts with `%`.
        description = description.replace("%", "%%")
        parser.add_argument(option(field.name), required=required, help=description, **_argument(types[field.name]))


def _argument(annotation: Any) -> dict[str, Any]:
    """The arguments of `add_argument` that follow from a setting's type."""
    if get_origin(annotation) in (Union, UnionType):  # `int | None`: None is the option left out
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    if annotation in (int, float, str):
        return {"type": annotation}
    return {"type": json.loads, "metavar": "JSON"}


def read_options(arguments: argparse.Namespace, specification: type) -> Any:
    """Make a specification of parsed options.

    Raises:
        MtbridgeError: a value does not fit; the message names its option.
    """
    values = {field.name: vars(arguments)[field.name] for field in fields(specification)}
    try:
        return specification(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise MtbridgeError(f"{option(str(first['loc'][0]))}: {first['msg']}, got {first['input']!r}") from None


def to_options(settings: Any) -> list[str]:
    """The options that `read_options` turns into this specification again; settings that are None have none."""
    options = []
    for field in fields(settings):
        value = vars(settings)[field.name]
        if value is not None:
            # JSON's true and false, not Python's
            is_scalar = isinstance(value, int | float | str) and not isinstance(value, bool)
            options += [option(field.name), str(value) if is_scalar else json.dumps(value, ensure_ascii=False)]
    return options
