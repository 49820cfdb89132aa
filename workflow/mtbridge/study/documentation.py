"""The tables in docs/settings.md: `python -m mtbridge.study.documentation > docs/settings.md`.

Like workflow/schema.json they come from the JSON schema of the settings, so a setting is described only where it is
declared.
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
FEW = 4  # a group with at most so many keys gets no table of its own
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
    """A setting: its key after the keys of its groups, its schema, and whether it must be set."""

    key: str
    schema: Schema
    required: bool


def document(settings: type[BaseModel]) -> str:
    """A Markdown page on a pydantic model's settings: a table, and one for each mapping of names to groups (`recipes`).

    A single group (`architecture`), or one with few keys, is part of the table of the group around it. A group that has
    several kinds (`source`) has a table for each kind, once.
    """
    schema = settings.model_json_schema()
    groups = schema.get("$defs", {})
    page, tables = [INTRODUCTION], [(["The study"], schema)]
    for titles, group in tables:  # the list grows in the loop
        rows = list(_rows(group, groups))
        lines = [_line(cells) for cells in (HEAD, ["---"] * len(HEAD), *map(_cells, rows))]
        heading = " and ".join(titles) + (f": {group['description']}" if group is not schema else "")
        page.append("\n".join([f"## {heading}", "", *lines, ""]))
        for row in rows:
            for title_of_kind, kind in _kinds(row, groups):
                if all(other is not kind for _, other in tables):
                    tables.append(([title_of_kind], kind))
            named = _group(row.schema.get("additionalProperties"), groups)
            if named and len(named["properties"]) > FEW:
                title = f"`{row.key}.<name>`"
                # Two keys with the same group share a table, whose heading names both.
                shared = next((others for others, known in tables if known is named), None)
                if shared:
                    shared.append(title)
                else:
                    tables.append(([title], named))
    return "\n".join(page)


def _group(schema: Any, groups: Schema) -> Schema | None:
    """The group that a schema refers to; None for a plain value."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return groups[reference.rsplit("/", 1)[1]] if reference else None


def _kinds(row: Row, groups: Schema) -> Iterator[tuple[str, Schema]]:
    """(title, group) of every kind of group that a setting may hold."""
    for name, reference in row.schema.get("discriminator", {}).get("mapping", {}).items():
        kind = groups[reference.rsplit("/", 1)[1]]
        yield f"A `{row.key}` of the kind `{name}`", kind


def _not_none(schema: Schema) -> Schema:
    """The schema of a setting without the choice `null`."""
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
    """The cells of a row, in the order of HEAD."""
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
        # A pair is described by its first item.
        items = schema["items"] if "items" in schema else schema["prefixItems"][0]
        return f"list: {_type(items)}"
    return TYPES.get(schema.get("type", ""), "mapping")


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None or value == "" or value == [] or value == {}:
        return ""
    named = schema.get("additionalProperties")
    if isinstance(named, dict) and "$ref" in named:  # only the names: a group's keys have rows of their own
        value = list(value)
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.stdout.write(document(Settings))
