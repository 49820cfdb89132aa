"""What may be a name or a path in a config: both become parts of paths, options and rules of Snakemake."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

# Names become parts of paths and of file names on every system, and nothing else.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_name(value: Any) -> str:
    """The value, if it may be a part of a path. Raises ValueError otherwise."""
    if not isinstance(value, str) or not NAME.fullmatch(value) or ".." in value:
        raise ValueError("a name is made of letters, digits, '.', '_' and '-', and starts with a letter or digit")
    return value


def to_list(value: Any) -> Any:
    """One item where a list is expected is a list of one: `--config tasks=pos`."""
    return [value] if isinstance(value, str | int) else value


def check_path(value: Any) -> Any:
    """The value, if it may stand behind a program's option and among a rule's inputs. Raises ValueError otherwise."""
    if isinstance(value, str) and (not value.strip() or value.startswith("-") or CONTROL.search(value)):
        raise ValueError("expected one line of text that does not begin with a dash, as an option does")
    if isinstance(value, str) and re.search("[{}]", value):
        raise ValueError("braces are Snakemake's wildcards; name it otherwise")
    return value


Name = Annotated[str, BeforeValidator(check_name)]
Place = Annotated[str, BeforeValidator(check_path)]
Names = Annotated[list[Name], BeforeValidator(to_list)]
