"""Which texts may be names or paths in a config; both become parts of paths, options and Snakemake's rules."""

import os
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

# Characters that are safe in file names on every system, in a shell and in Snakemake's wildcards.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Codes of languages as files name them: de, yor, pt_BR, zh-CN, eng_Latn, zh-Hans-CN.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
# Between a model's name and the number of a further pretraining of it; no name of the user's holds it.
REPLICATE = "@"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_name(value: Any) -> str:
    """Return the value if it may be a part of a path. Raises ValueError otherwise."""
    if isinstance(value, bool):
        word = "yes" if value else "no"
        raise ValueError(f"YAML reads yes, no, on and off as true and false; put the word in quotes: '{word}'")
    if isinstance(value, int | float):
        raise ValueError("a name is a text; let it begin with a letter, or put it in quotes in config.yaml")
    if isinstance(value, str) and "," in value:
        items = ", ".join(item.strip() for item in value.split(","))
        raise ValueError(f"several names are a list: [{items}], and behind --config in quotes: 'key=[{items}]'")
    if not isinstance(value, str) or not NAME.fullmatch(value) or ".." in value:
        raise ValueError("a name is made of letters, digits, '.', '_' and '-', and starts with a letter or digit")
    return value


def replicate_name(model: str, number: int) -> str:
    """The name of a model's pretraining of this number, from 1: mbart, mbart@2, mbart@3."""
    return model if number == 1 else f"{model}{REPLICATE}{number}"


def split_replicate(name: str) -> tuple[str, int]:
    """A model and the number of its pretraining, from 1, of a name that `replicate_name` made."""
    model, _, number = name.partition(REPLICATE)
    return model, int(number or 1)


def to_list(value: Any) -> Any:
    """A list of one for a single item, so that `--config tasks=pos` may stand for `tasks=[pos]`; others unchanged."""
    return [value] if isinstance(value, str | int) else value


def check_path(value: Any) -> Any:
    """Return a path, its `~` filled in, if it may follow an option and be an input. Raises ValueError otherwise."""
    if isinstance(value, str) and (not value.strip() or value.startswith("-") or CONTROL.search(value)):
        raise ValueError("expected one line of text that does not begin with a dash, as an option does")
    if isinstance(value, str) and re.search("[{}]", value):
        raise ValueError("braces are Snakemake's wildcards; name it otherwise")
    return os.path.expanduser(value) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(check_name)]
Place = Annotated[str, BeforeValidator(check_path)]
Names = Annotated[list[Name], BeforeValidator(to_list)]
