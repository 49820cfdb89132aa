"""What this project's programs reach, and what makes their results stale."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtbridge.base import identity
from mtbridge.base.identity import canonical, unresolved
from mtbridge.base.identity.reach import Reach
from mtbridge.base.identity.references import NOT_MEANING, ROOT, Graph, Project


def copied(to: Path) -> Path:
    """A copy of this project's code."""
    for folder in ("scripts", "workflow/mtbridge"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return to


@pytest.fixture
def copy(tmp_path):
    return copied(tmp_path)


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The digests of all programs in a copy that nobody edits."""
    return digests(copied(tmp_path_factory.mktemp("before")))


def programs(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "scripts").glob("[a-z]*.py"))


def digests(root: Path) -> dict[str, str]:
    graph = Graph(Project(root), frozenset())
    return {program: Reach(graph, program).digest() for program in programs(root)}


def digest_of(root: Path, program: str, *unused: str) -> str:
    """The digest of one program; unused: modules that it does not use, although it could."""
    return Reach(Graph(Project(root), frozenset(unused)), program).digest()


def reached(program: str) -> tuple[set[str], set[str]]:
    """The parts of the names of all modules, and the names of all definitions, that a program reaches."""
    found = Reach(Graph(identity.project()), program).found
    return {part for node in found for part in node.module.split(".")}, {node.name for node in found}


def module_with(root: Path, text: str) -> Path:
    """The one module that has a text."""
    (path,) = (path for path in (root / "workflow/mtbridge").rglob("*.py") if text in path.read_text())
    return path


def test_training_reaches_its_loss_and_nothing_that_only_shows():
    modules, names = reached("finetune")
    shown = {"tables", "figures", "report", "config", "grid", "readers", "world", "similarity", "pretrain", "layout"}
    assert not modules & (shown | {"presentation", "study", "representations", "inference"})
    assert {"Training", "pool", "classifier"} <= names


def test_figures_reach_no_training():
    modules, _ = reached("figure")
    assert not modules & {"finetune", "models", "pretrain", "settings", "grid", "training"}


def test_an_edited_pooling_makes_stale_what_pools(copy, before):
    path = module_with(copy, "\ndef pool(")
    text = path.read_text()
    assert "batch.offsets[1:] - 1" in text
    path.write_text(text.replace("batch.offsets[1:] - 1", "batch.offsets[1:] - 2"))
    after = digests(copy)
    pools = {"finetune", "predict", "states", "measure_separability_after"}
    assert {program for program in before if before[program] != after[program]} == pools


def test_an_edited_loss_makes_stale_what_trains(copy, before):
    path = module_with(copy, "\nclass Training")
    text = path.read_text()
    assert "clip_grad_norm_(" in text
    path.write_text(text.replace("clip_grad_norm_(", "clip_grad_value_("))
    after = digests(copy)
    assert {program for program in before if before[program] != after[program]} == {"finetune"}


def test_a_moved_module_makes_nothing_stale(copy, before):
    library = copy / "workflow/mtbridge"
    (library / "moved").mkdir()
    (library / "moved/__init__.py").write_text('"""A room."""\n')
    moved = ["finetune", "models", "packing", "tokens", "tables", "metrics", "checkpoints"]
    moved = [path for name in moved for path in library.rglob(f"{name}.py") if "moved" not in path.parts]
    assert moved
    for path in moved:
        old = ".".join(("mtbridge", *path.relative_to(library).with_suffix("").parts))
        package, _, name = old.rpartition(".")
        path.rename(library / "moved" / f"new_{name}.py")
        for file in (*library.rglob("*.py"), *(copy / "scripts").glob("*.py")):
            text = re.sub(rf"\b{re.escape(old)}\b", f"mtbridge.moved.new_{name}", file.read_text())
            lines = []
            for line in text.splitlines():
                found = re.fullmatch(rf"( *)from {re.escape(package)} import (.*)", line)
                names = found[2].split(", ") if found else []
                if name in names:
                    rest = [one for one in names if one != name]
                    lines += [f"{found[1]}from {package} import {', '.join(rest)}"] if rest else []
                    line = f"{found[1]}from mtbridge.moved import new_{name} as {name}"
                lines.append(line)
            file.write_text("\n".join(lines) + "\n")
    assert digests(copy) == before


def test_an_edited_reader_of_another_source_makes_no_examples_stale(copy):
    readers = next((copy / "workflow/mtbridge").rglob("conllu.py")).parent
    package = ".".join(readers.relative_to(copy / "workflow").parts)
    unused = (f"{package}.hub", f"{package}.xglue", package.replace("readers", "world"))
    before = digest_of(copy, "examples", *unused), digest_of(copy, "examples")
    for path in (readers / "hub.py", readers / "xglue.py"):
        path.write_text(re.sub(r"(\n    return )", r"\1not ", path.read_text()))
    after = digest_of(copy, "examples", *unused), digest_of(copy, "examples")
    assert after[0] == before[0] and after[1] != before[1]
    (readers / "conllu.py").write_text(re.sub(r"(\n    return )", r"\1not ", (readers / "conllu.py").read_text()))
    assert digest_of(copy, "examples", *unused) != before[0]


def test_a_setting_of_recipes_makes_no_hidden_states_stale(copy, before):
    path = next((copy / "workflow/mtbridge").rglob("recipe.py"))
    path.write_text(
        path.read_text().replace('0.1, description="Share of the updates', '0.2, description="Share of the updates')
    )
    after = digests(copy)
    changed = {program for program in before if before[program] != after[program]}
    assert "finetune" in changed and not changed & {"states", "encoder", "pretrain", "score", "table"}


def test_every_listed_exception_is_a_module_of_the_project():
    project = identity.project()
    assert not [module for module in NOT_MEANING if project.file(module) is None]


def test_no_new_place_hides_what_code_reaches():
    """Each makes a whole module count, or (import, names) all texts or names that a program reaches."""
    # What only plans a study makes nothing stale, and what only writes the documentation neither.
    ours = [place for place in unresolved(identity.project()) if place.module.split(".")[0] == "mtbridge"]
    ours = [place for place in ours if place.module != "mtbridge.presentation.documentation"]
    places = {(place.definition, place.why) for place in ours if place.module.split(".")[1] not in ("base", "study")}
    assert places == {
        ("_compile", "globals"),  # sentence patterns of the generated world
        ("_class", canonical.COMPUTED_IMPORT),  # classes of transformers
    }


def test_the_definitions_of_a_program_can_be_listed():
    command = [sys.executable, "-m", "mtbridge.base.identity", "figure"]
    environment = {"PYTHONPATH": str(ROOT / "workflow"), "PATH": ""}
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    assert "figure:main" in listed and any(line.endswith("figure1:draw") for line in listed)
