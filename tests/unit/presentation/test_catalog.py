"""The catalog: one row a table or figure, from which rules, targets, programs and the page are made."""

import subprocess
import sys
from pathlib import Path

import pytest

from mtbridge.base import identity
from mtbridge.base.errors import MtbridgeError
from mtbridge.presentation import catalog
from mtbridge.study.grid import Study
from mtbridge.study.load import load

ROOT = Path(__file__).resolve().parents[3]


def names(**user) -> set[str]:
    """The names of what a study has."""
    study = Study(load(user))
    return {entry.name for entry in catalog.ENTRIES if entry.outputs(study)}


def test_planning_imports_nothing_heavy():
    heavy = "{'pandas', 'numpy', 'matplotlib', 'seaborn', 'torch', 'scipy'}"
    code = f"import sys; from mtbridge.presentation import catalog; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("entry", catalog.ENTRIES, ids=lambda entry: entry.name)
def test_a_row_names_the_module_that_it_loads(entry):
    """Code of other rows is no part of its identity: a wrong name would hide its own."""
    assert {function.__module__ for function in entry.load()} == {f"mtbridge.presentation.{entry.module}"}


def test_an_edited_table_makes_no_other_table_stale():
    reached = {}
    for entry in catalog.ENTRIES:
        graph = identity.Graph(identity.project(), entry.unused_modules(catalog.ENTRIES))
        reached[entry.name] = {node.module for node in identity.Reach(graph, entry.kind).found}
    own = {entry.name: f"mtbridge.presentation.{entry.module}" for entry in catalog.ENTRIES}
    for name, modules in reached.items():
        assert own[name] in modules
        assert not modules & (set(own.values()) - {own[name]})


def test_tables_and_figures_of_the_paper_and_of_the_default_study():
    every = {*(f"table{n}" for n in range(1, 6)), "figure1", "figure2", "procrustes", "weights", "sigma", "alike"}
    every |= {"forest", "verdicts", "ranking", "separability", "separability_differences", "transfer", "claims"}
    every |= {"changes", "retrieval", "retrieval_layers"}
    assert names(study="mini") == every | {"translation", "translators"}
    assert names(study="paper") == {*every, "exposure", "agreement"}
    assert "learning_rate" in names(study="paper-sensitivity")


def test_another_protocol_has_files_in_a_folder_of_its_own():
    study = Study(load({"study": "paper"}))
    assert catalog.find("figure1").outputs(study)[:2] == [
        "results/paper/figures/figure1.png",
        "results/paper/figures/sound/figure1.png",
    ]
    assert catalog.find("exposure").outputs(study) == [
        f"results/paper/tables/exposure.{end}" for end in ("csv", "md", "tex")
    ]


def test_published_values_are_files_of_the_project():
    study = Study(load({"study": "paper"}))
    for entry in catalog.ENTRIES:
        assert all((ROOT / path).is_file() for path in entry.references(study)), entry.name


def test_names_are_unique_and_an_unknown_one_is_answered_with_the_nearest():
    every = [entry.name for entry in catalog.ENTRIES]
    assert len(set(every)) == len(every)
    with pytest.raises(MtbridgeError, match="'tabel1' is no table or figure; did you mean 'table1'"):
        catalog.find("tabel1")
