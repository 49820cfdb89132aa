"""The reference is that of the code."""

from pathlib import Path

from mtbridge.presentation import catalog
from mtbridge.presentation.documentation import document
from mtbridge.specs.families import FAMILIES
from mtbridge.tasks.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]


def test_the_reference_is_current_and_names_all_that_there_is():
    page = document()
    command = "run: python -m mtbridge.presentation.documentation > docs/reference.md"
    assert (ROOT / "docs" / "reference.md").read_text() == page, command
    for name in (*(entry.name for entry in catalog.ENTRIES), *FAMILIES, *KINDS):
        assert f"| `{name}` |" in page
