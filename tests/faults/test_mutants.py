"""Files that someone changed are read as what they say, or refused with their name, never as something else.

`tests/support/mutants` makes the files and knows what each of them says.
"""

import re
from pathlib import Path

import pytest

from tests.support.mutants.cases import CASES
from tests.support.mutants.mutant import CHANGES, UNDETECTABLE, Tally, report, try_all

ROOT = Path(__file__).resolve().parents[2]
FEWEST = 10_000  # files, all cases together


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    """What came of the files of the cases that have run: name -> tally."""
    return {}


@pytest.fixture(autouse=True)
def no_network(tmp_path, monkeypatch):
    """The library `datasets` keeps its files below the test's own folder, and asks nobody."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_changed_file_is_read_as_what_it_says_or_refused(case, tmp_path, tallies):
    tallies[case.name] = tally = try_all(case, tmp_path)
    if tally.faults:
        pytest.fail(
            f"{len(tally.faults)} kinds of faults; the smallest file of each:\n{report(case, tally)}", pytrace=False
        )
    assert tally.counts["none"] == {"same": case.rounds}


def test_there_are_many_changed_files(tallies):
    if len(tallies) < len(CASES):
        pytest.skip("not all cases have run")
    assert sum(tally.total() for tally in tallies.values()) >= FEWEST


def test_the_page_of_the_documentation_has_all_files_changes_and_reasons():
    text = (ROOT / "docs" / "input.md").read_text()
    table = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert table[0] == ["files", *CHANGES]
    assert [row[0] for row in table[2 : 2 + len(CASES)]] == [case.name for case in CASES]
    assert dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, flags=re.M)).items() >= UNDETECTABLE.items()
