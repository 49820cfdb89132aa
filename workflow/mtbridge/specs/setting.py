"""How a setting is declared: once, with its meaning, its range and whether results depend on it.

A specification is a frozen dataclass whose fields are `setting(…)`. From it come the keys of config.yaml and their
checks, `workflow/schema.json`, the options of programs (`specs.options`), the table of settings in the documentation,
and the settings that a run's record holds.
"""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

# A key that nobody declared is a mistake, and a checked value does not change.
STRICT = ConfigDict(extra="forbid")

# A frozen dataclass that checks its values when it is made: `ValidationError` where one does not fit.
specification = dataclass(frozen=True, config=STRICT)


def setting(default: Any = ..., *, description: str = "", identity: bool = True, **limits) -> Any:
    """A setting's default (none: it must be given), its meaning, and limits such as `ge=1`.

    The meaning stands behind its keyword, by which the identity of code knows that no result depends on it.

    identity: whether a result depends on it. Settings that only say where or how fast something runs do not.
    """
    extra = None if identity else {"identity": False}
    return Field(default=default, description=description, json_schema_extra=extra, **limits)
