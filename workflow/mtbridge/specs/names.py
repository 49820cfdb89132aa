"""Which texts may be names or paths in a config; both become parts of paths, options and Snakemake's rules."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

# Characters that are safe in file names on every system, in a shell and in Snakemake's wildcards.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_name(value: Any) -> str:
    """Return the value if it may be a part of a path. Raises ValueError otherwise."""
    if not isinstance(value, str) or not NAME.fullmatch(value) or ".." in value:
        raise ValueError("a name is made of letters, digits, '.', '_' and '-', and starts with a letter or digit")
    return value


def to_list(value: Any) -> Any:
    """A list of one for a single item, so that `--config tasks=pos` may stand for `tasks=[pos]`; others unchanged."""
    return [value] if isinstance(value, str | int) else value


def check_path(value: Any) -> Any:
    """Return the value if it may follow a program's option and be a rule's input. Raises ValueError otherwise."""
    if isinstance(value, str) and (not value.strip() or value.startswith("-") or CONTROL.search(value)):
        raise ValueError("expected one line of text that does not begin with a dash, as an option does")
    if isinstance(value, str) and re.search("[{}]", value):
        raise ValueError("braces are Snakemake's wildcards; name it otherwise")
    return value


Name = Annotated[str, BeforeValidator(check_name)]
Place = Annotated[str, BeforeValidator(check_path)]
Names = Annotated[list[Name], BeforeValidator(to_list)]
