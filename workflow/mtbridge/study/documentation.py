"""The tables in docs/settings.md: `python -m mtbridge.study.documentation > docs/settings.md`.

They are read from the JSON schema of the settings, as workflow/schema.json is: a setting is described where it is
declared, and nowhere else.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from mtbridge.study.settings import Settings

INTRODUCTION = """\
# Settings

What config.yaml may hold; the same keys stand behind `--config`. A study starts from the defaults below. Its preset in
workflow/studies/ comes over them, and your config.yaml over the preset. `architecture.layers` is the key `layers` in
the group `architecture`; `<name>` is a name that you choose. Where no results depend on a setting, it only says where
or how fast something runs, or how it is shown. (Made by `python -m mtbridge.study.documentation > docs/settings.md`.)
"""
FEW = 4  # a group with so many keys needs no table of its own
HEAD = ("key", "type", "default", "limits", "meaning", "results depend on it")
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {}",
    "minProperties": "at least {}",
}

Schema = dict[str, Any]


class Row(NamedTuple):
    """A setting: its key, with those of the groups around it, its schema, and whether it must be set."""

    key: str
    schema: Schema
    required: bool


def document(settings: type[BaseModel]) -> str:
    """The page on a model's settings, as Markdown: a table, and one for each group that is given by name (`recipes`).

    A group that there is once (`architecture`), or that has few keys, stands in the table of the group around it.
    """
    schema = settings.model_json_schema()
    groups = schema.get("$defs", {})
    page, tables = [INTRODUCTION], [("The study", schema)]
    for title, group in tables:  # grows while the tables are written
        rows = list(_rows(group, groups))
        lines = [_line(cells) for cells in (HEAD, ["---"] * len(HEAD), *map(_cells, rows))]
        page.append("\n".join([f"## {title}", "", *lines, ""]))
        for row in rows:
            named = _group(row.schema.get("additionalProperties"), groups)
            if named and len(named["properties"]) > FEW:
                tables.append((f"`{row.key}.<name>`: {named['description']}", named))
    return "\n".join(page)


def _group(schema: Any, groups: Schema) -> Schema | None:
    """The group that a schema refers to, if it does."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return groups[reference.rsplit("/", 1)[1]] if reference else None


def _not_none(schema: Schema) -> Schema:
    """The schema without the choice of none."""
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    return {**schema, **choices[0]} if len(choices) == 1 else schema


def _rows(group: Schema, groups: Schema, path: str = "") -> Iterator[Row]:
    """The rows of a group's table."""
    for key, about in group["properties"].items():
        schema = _not_none(about)
        single, named = _group(schema, groups), _group(schema.get("additionalProperties"), groups)
        if single:
            yield from _rows(single, groups, f"{path}{key}.")
            continue
        yield Row(path + key, schema, key in group.get("required", ()))
        if named and len(named["properties"]) <= FEW:
            yield from _rows(named, groups, f"{path}{key}.<name>.")


def _line(cells) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cells(row: Row) -> tuple[str, ...]:
    """What stands in a row, as in HEAD."""
    depends = "yes" if row.schema.get("identity", True) else "no"
    default = "must be set" if row.required else _default(row.schema)
    limits = ", ".join(text.format(row.schema[key]) for key, text in LIMITS.items() if key in row.schema)
    return f"`{row.key}`", _type(row.schema), default, limits, row.schema["description"], depends


def _type(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        items = schema["items"] if "items" in schema else schema["prefixItems"][0]  # of a pair, its first
        return f"list: {_type(items)}"
    return TYPES.get(schema.get("type", ""), "mapping")


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None or value == "" or value == [] or value == {}:
        return ""
    named = schema.get("additionalProperties")
    if isinstance(named, dict) and "$ref" in named:  # the names; the defaults of a group's keys have rows
        value = list(value)
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.stdout.write(document(Settings))
