"""Killing a study and its jobs, and comparing what it gives with what an undisturbed one gives."""

import contextlib
import os
import signal

import pandas as pd

from tests.workflow.conftest import Project

STEP = "        self.steps += 1\n"


def marked(folder, pause: float = 0.0) -> Project:
    """A copy of the project in which every training step leaves a mark, and takes `pause` seconds longer."""
    made = Project(folder)
    module = folder / "workflow/mtbridge/finetune.py"
    mark = f"        open('steps', 'a').write('.')\n        time.sleep({pause})\n"
    text = module.read_text()
    assert text.count(STEP) == 1
    module.write_text(text.replace(STEP, STEP + mark))
    return made


def steps(project: Project) -> int:
    return (project.folder / "steps").stat().st_size


def jobs(project: Project, program: str = "") -> list[int]:
    """The ids of the study's programs that are running."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/cmdline", "rb") as file:
                here = os.readlink(f"/proc/{entry.name}/cwd") == str(project.folder)
                if here and f"python\0scripts/{program}".encode() in file.read():
                    found.append(int(entry.name))
    return found


def kill(ids) -> None:
    for number in ids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def results(project: Project) -> dict:
    """Everything that trainings give: weights and predictions as bytes, scores as a table."""
    base = project.folder / "results/smoke"
    files = [*base.glob("runs/**/model.safetensors"), *base.glob("predictions/**/*.parquet")]
    found = {str(path.relative_to(base)): path.read_bytes() for path in files}
    scores = pd.read_parquet(base / "scores.parquet")
    return found | {"scores": scores.to_csv(index=False)}


def wrong(found: dict, expected: dict) -> list[str]:
    """The results that differ from, or lack in, the expected ones."""
    return [name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name)]


def half_written(project: Project) -> list:
    return list((project.folder / "results/smoke").glob("runs/**/.*"))
