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
    mark = f"        open('steps', 'a').write('.')\n        time.sleep({pause})\n"
    for name in ("training/finetuning.py", "generation/training.py"):
        module = folder / "workflow/mtbridge" / name
        text = module.read_text()
        assert text.count(STEP) == 1
        module.write_text(text.replace(STEP, STEP + mark))
    return made


def steps(project: Project) -> int:
    """How many steps its trainings have made, those made twice counted twice."""
    marks = project.folder / "steps"
    return marks.stat().st_size if marks.exists() else 0


def processes(project: Project) -> dict[int, str]:
    """Command lines, by process id, of all that runs in the project's folder."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/cmdline", "rb") as file:
                if os.readlink(f"/proc/{entry.name}/cwd") == str(project.folder):
                    found[int(entry.name)] = file.read().decode().replace("\0", " ")
    return found


def jobs(project: Project, program: str = "") -> list[int]:
    """The ids of the study's programs, as the workflow started them; a warm one waits for its fork."""
    return [number for number, command in processes(project).items() if f"python scripts/{program}" in command]


def forks(project: Project) -> list[int]:
    """The ids of the processes that work for programs that were started warm: below the warm process, which the
    workflow started, and the one that watches over the fork."""

    def parent(number: int) -> int:
        with contextlib.suppress(OSError), open(f"/proc/{number}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
        return 0

    warm = [number for number, command in processes(project).items() if "mtbridge.base.warm_start" in command]
    return [number for number in warm if parent(number) in warm and parent(parent(number)) in warm]


def kill(ids) -> None:
    for number in ids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def results(project: Project) -> dict:
    """Everything that trainings give: weights, predictions and outputs as bytes, scores as a table."""
    base = project.folder / "results/smoke"
    patterns = ("runs/**/*.safetensors", "predictions/**/*.parquet", "outputs/**/*.parquet")
    files = [path for pattern in patterns for path in base.glob(pattern)]
    found = {str(path.relative_to(base)): path.read_bytes() for path in files}
    scores = pd.read_parquet(base / "scores.parquet")
    return found | {"scores": scores.to_csv(index=False)}


def wrong(found: dict, expected: dict) -> list[str]:
    """The results that differ from, or lack in, the expected ones."""
    return [name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name)]


def half_written(project: Project) -> list:
    return list((project.folder / "results/smoke").glob("runs/**/.*"))
