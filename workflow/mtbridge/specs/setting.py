"""How a setting is declared: once, with its meaning, its range and whether results depend on it.

A specification is a frozen dataclass whose fields are `setting(…)`. All else is derived from it: the keys of
config.yaml and their checks, `workflow/schema.json`, the options of programs (`specs.options`), the table of settings
in the documentation, and the settings in a run's record.
"""

from dataclasses import fields
from typing import Any, TypeVar, cast, dataclass_transform

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


def description_of(specification: type, name: str) -> str:
    """The meaning of a setting that a specification declares, for a group that has the same setting in another type."""
    declared: dict[str, Any] = {field.name: field.default for field in fields(specification)}
    return declared[name].description
