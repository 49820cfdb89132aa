"""How a setting is declared: once, with its meaning, its range and whether results depend on it.

A specification is a frozen dataclass whose fields are `setting(…)`. All else is derived from it: the keys of
config.yaml and their checks, `workflow/schema.json`, the options of programs (`specs.options`), the table of settings
in the documentation, and the settings in a run's record.
"""

from dataclasses import fields
from typing import Annotated, Any, TypeVar, cast, dataclass_transform, get_type_hints

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.dataclasses import dataclass

Specification = TypeVar("Specification")

# A key that nobody declared is a mistake, often a misspelt one.
STRICT = ConfigDict(extra="forbid")


@dataclass_transform(frozen_default=True)
def specification(cls: type[Specification]) -> type[Specification]:
    """Make a class a frozen dataclass that checks its values: pydantic raises ValidationError if one does not fit."""
    # pydantic types the result as a class of its own, without the fields of `cls`.
    return cast(type[Specification], dataclass(frozen=True, config=STRICT)(cls))


def setting(default: Any = ..., *, description: str = "", identity: bool = True, **limits) -> Any:
    """Declare a setting: its default (none: it must be set), its meaning, and pydantic's limits such as `ge=1`.

    The meaning needs its keyword: `base.identity` leaves out keyword arguments of this name, so a text changes no
    identity.

    identity: whether a result depends on it. Settings that only say where or how fast something runs, or how it is
        shown, pass False; `study.documentation` shows it.
    """
    extra: JsonDict | None = None if identity else {"identity": False}
    return Field(default=default, description=description, json_schema_extra=extra, **limits)


def optional(declared: type) -> type:
    """A specification of the same settings, of which each may be left out and is then None.

    The JSON schema keeps the defaults of `declared`: a setting that is left out has them, unless something else gives a
    value.
    """
    types = get_type_hints(declared)
    annotations: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for field in fields(declared):
        about: Any = field.default  # pydantic's FieldInfo
        # The limits of a value stay; None is outside of them.
        value = Annotated[(types[field.name], *about.metadata)] if about.metadata else types[field.name]
        annotations[field.name] = value | None
        extra: JsonDict = {**(about.json_schema_extra or {}), "default": about.default}
        given[field.name] = Field(default=None, description=about.description, json_schema_extra=extra)
    return specification(type("Optional", (), {"__annotations__": annotations, **given}))


def description_of(specification: type, name: str) -> str:
    """The meaning of a setting that a specification declares, for a group that has the same setting in another type."""
    declared: dict[str, Any] = {field.name: field.default for field in fields(specification)}
    return declared[name].description
