"""A small study, killed at random moments: the next plain run completes it, and every result is the undisturbed one's.

Three kills, or as many as MTBRIDGE_KILLS says.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.workflow.conftest import Project

KILLS = int(os.environ.get("MTBRIDGE_KILLS", "3"))
STUDY = ("seeds=[1,2]", "checkpoint_minutes=0.01")
STEP = "        self.steps += 1\n"


def project(folder) -> Project:
    """A copy of the project in which every training step leaves a mark."""
    made = Project(folder)
    module = folder / "workflow/mtbridge/finetune.py"
    marked = module.read_text().replace(STEP, f"{STEP}        open('steps', 'a').write('.')\n")
    assert marked.count("open('steps'") == 1
    module.write_text(marked)
    return made


def steps(project: Project) -> int:
    return (project.folder / "steps").stat().st_size


def start(project: Project) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--config", "study=smoke", *STUDY]
    with open(project.folder / "log", "a") as log:
        return subprocess.Popen(command, cwd=project.folder, stdout=log, stderr=log, start_new_session=True)


def jobs(project: Project) -> list[int]:
    """The ids of the study's programs that are running."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/cmdline", "rb") as file:
                here = os.readlink(f"/proc/{entry.name}/cwd") == str(project.folder)
                if here and b"python\0scripts/" in file.read():
                    found.append(int(entry.name))
    return found


def kill(ids) -> None:
    for number in ids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Project:
    made = project(tmp_path_factory.mktemp("undisturbed"))
    made.snakemake(config=STUDY)
    return made


def results(project: Project) -> dict:
    """Everything that trainings give: weights and predictions as bytes, scores as a table."""
    base = project.folder / "results/smoke"
    files = [*base.glob("runs/**/model.safetensors"), *base.glob("predictions/**/*.parquet")]
    found = {str(path.relative_to(base)): path.read_bytes() for path in files}
    scores = pd.read_parquet(base / "scores.parquet")
    return found | {"scores": scores.to_csv(index=False)}


KINDS = ("workflow killed (-9)", "workflow and jobs killed (-9)", "a job killed (-9), then the workflow")


def test_killed_at_random_moments_the_study_completes_and_nothing_differs(undisturbed, tmp_path, faults):
    made, rng = project(tmp_path), random.Random(1)
    for number in range(KILLS):
        running, kind = start(made), KINDS[number % 3]
        moment = time.monotonic() + rng.uniform(3, 7)
        while running.poll() is None and (time.monotonic() < moment or not jobs(made)):
            time.sleep(0.05)
        if running.poll() is not None:
            break  # it was quicker than the killer
        faults[kind].injected += 1
        found = jobs(made)
        if kind == KINDS[2]:
            kill(found[:1])
            time.sleep(1)
        kill([running.pid])
        if kind == KINDS[1]:
            kill(found)
        running.wait()
        deadline = time.monotonic() + 30
        while jobs(made):
            assert time.monotonic() < deadline, "jobs outlive their workflow"
            time.sleep(0.1)
    assert sum(faults[kind].injected for kind in KINDS) > KILLS // 2, "the study was over before it was killed often"
    running = start(made)
    while running.poll() is None and not jobs(made):
        time.sleep(0.05)
    if running.poll() is None:
        kill(jobs(made)[:1])
        faults["a job killed (-9)"].injected += 1
        assert running.wait(900) != 0, "a killed job must not pass for a finished one"
    made.snakemake(config=STUDY)
    found, expected = results(made), results(undisturbed)
    wrong = [name for name in expected if found.get(name) != expected[name]]
    for row in faults.rows.values():
        row.survived = row.injected
    every = faults["all of these"]
    every.injected = every.survived = sum(row.injected for row in faults.rows.values())
    every.repeated, every.needed, every.wrong = steps(made) - steps(undisturbed), steps(undisturbed), len(wrong)
    assert not wrong
    assert found.keys() == expected.keys()
    assert not list((made.folder / "results/smoke").glob("runs/**/.*")), "half-written files left behind"


def test_a_second_workflow_on_a_study_is_refused_and_the_first_goes_on(tmp_path, faults):
    made = Project(tmp_path)
    first = start(made)
    try:
        deadline = time.monotonic() + 120
        while not (made.folder / "results/smoke/unfinished/workflow.lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        second = made.snakemake("table3", check=False, config=STUDY)
        assert second.returncode != 0
        assert "another workflow" in second.stderr + second.stdout
        assert first.poll() is None
        faults["second workflow on a folder"].injected += 1
        faults["second workflow on a folder"].survived += 1
    finally:
        kill([first.pid])
        first.wait()
