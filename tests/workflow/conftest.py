"""The smoke study, run once for all tests of this folder in a copy of the project."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtbridge.presentation import catalog

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "Snakefile",
    "config.yaml",
    "workflow",
    "scripts",
    "profiles",
    "envs",
    "README.md",
    "Makefile",
    "pyproject.toml",
)

DEFINITIONS = ROOT / ".snakemake" / "definitions.json"


class Project:
    """A copy of the project, and Snakemake in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        # The copy's library comes before the one that is installed.
        self.variables = {"PYTHONPATH": str(folder / "workflow"), "PYTHONDONTWRITEBYTECODE": "1"}
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / part)
        # What was read of the code, by its content: the first plan of a copy need not read it all again.
        if DEFINITIONS.is_file():
            (folder / ".snakemake").mkdir(exist_ok=True)
            shutil.copy2(DEFINITIONS, folder / ".snakemake" / DEFINITIONS.name)

    def snakemake(self, *arguments, study="smoke", config=(), check=True) -> subprocess.CompletedProcess:
        """Targets and options first, then the config."""
        command = [sys.executable, "-m", "snakemake", *map(str, arguments), "--config", f"study={study}", *config]
        environment = {**os.environ, **self.variables}
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=900, env=environment, check=False
        )
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done

    def plan(self, *arguments, study="smoke", config=()) -> dict[str, int]:
        """How many jobs of each rule would run."""
        done = self.snakemake(*arguments, "-n", study=study, config=config)
        table = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
        jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)\s*$", table, re.MULTILINE)}
        return {rule: count for rule, count in jobs.items() if rule not in TARGETS}

    def program(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run one of the project's programs by hand, with the project's own library."""
        environment = {**os.environ, **self.variables}
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=check)

    def path(self, name: str) -> Path:
        return self.folder / "results" / "smoke" / name

    def edit(self, name: str, old: str, new: str):
        """Replace a text in a file of the project; used as a context, the old text comes back."""
        return Edit(self.folder / name, old, new)


class Edit:
    def __init__(self, path: Path, old: str, new: str):
        self.path, self.before = path, path.read_text()
        assert old in self.before, f"{path} does not hold {old!r}"
        self.after = self.before.replace(old, new, 1)

    def __enter__(self):
        self.path.write_text(self.after)

    def __exit__(self, *_):
        self.path.write_text(self.before)


TARGETS = {"all", "report", *(entry.name for entry in catalog.ENTRIES)}


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Project:
    """The finished smoke study; each of several test processes has its own copy of what the first has made."""
    project = Project(tmp_path_factory.mktemp("project"))
    is_one_of_several = "PYTEST_XDIST_WORKER" in os.environ  # then the parent folder is theirs alone
    shared = tmp_path_factory.getbasetemp().parent / "smoke" if is_one_of_several else None
    if shared and shared.is_dir():
        copy_made(shared, project.folder)
        return project
    project.snakemake()
    if shared:
        # Complete, or not there.
        copied = copy_made(project.folder, tmp_path_factory.mktemp("made"))
        with contextlib.suppress(OSError):  # another process was as quick
            copied.rename(shared)
    return project


def copy_made(source: Path, target: Path) -> Path:
    """Copy what Snakemake has made and what it remembers of it."""
    for part in ("results", ".snakemake"):
        shutil.copytree(source / part, target / part, dirs_exist_ok=True, symlinks=True)
    return target
