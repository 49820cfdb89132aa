"""The page on settings says what is declared, and is current."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from mtbridge.specs.setting import setting
from mtbridge.study.documentation import document
from mtbridge.study.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


class Few(BaseModel):
    """Little."""

    width: int = setting(8, description="How wide.", ge=1)


class Many(BaseModel):
    """Much."""

    first: Literal["a", "b"] = setting("a", description="One of two: a|b.")
    second: float | None = setting(None, description="A share.", gt=0, le=1)
    third: list[str] = setting([], description="Words.")
    fourth: bool = setting(True, description="A switch.", identity=False)
    fifth: str = setting(description="A text.")


class Study(BaseModel):
    """All."""

    size: Few = setting(Few(), description="Sizes.")
    small: dict[str, Few] = setting({"one": Few()}, description="Small groups.")
    large: dict[str, Many] = setting({}, description="Large groups.", min_length=1)


def test_page_is_that_of_the_settings():
    assert (ROOT / "docs" / "settings.md").read_text() == document(Settings), (
        "run: python -m mtbridge.study.documentation > docs/settings.md"
    )


def test_a_row_says_type_default_limits_meaning_and_whether_results_depend_on_it():
    rows = document(Study).splitlines()
    assert "| `first` | `a`, `b` | `a` |  | One of two: a\\|b. | yes |" in rows
    assert "| `second` | number |  | > 0, ≤ 1 | A share. | yes |" in rows
    assert "| `third` | list: text |  |  | Words. | yes |" in rows
    assert "| `fourth` | true or false | `true` |  | A switch. | no |" in rows
    assert "| `fifth` | text | must be set |  | A text. | yes |" in rows


def test_groups_stand_in_the_table_around_them_unless_they_are_large_and_given_by_name():
    page = document(Study)
    assert [line for line in page.splitlines() if line.startswith("##")] == [
        "## The study",
        "## `large.<name>`: Much.",
    ]
    rows = page.splitlines()
    assert "| `size.width` | whole number | `8` | ≥ 1 | How wide. | yes |" in rows
    assert '| `small` | mapping | `["one"]` |  | Small groups. | yes |' in rows
    assert "| `small.<name>.width` | whole number | `8` | ≥ 1 | How wide. | yes |" in rows
    assert "| `large` | mapping |  | at least 1 | Large groups. | yes |" in rows
