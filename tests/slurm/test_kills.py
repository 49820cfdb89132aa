"""Kills while jobs are in Slurm: the next plain run completes the study, and its scores are the undisturbed ones."""

import os
import signal

import pytest

from tests.support.kills import half_written, jobs, kill, marked, results, steps, wrong

STUDY = (
    "study=smoke",
    "train=120",
    "dev=20",
    "test=20",
    "corpora={pretraining: 400}",
    "model_catalog={mbart: {steps: 4}, mbart-m2m: {steps: 2}}",
    "tasks=[pos]",
    "checkpoint_minutes=0",
)
TARGET = "results/smoke/scores.parquet"
PAUSE = 1.5  # seconds that a step takes longer: trainings of 8 steps are under way when they are killed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    made = marked(tmp_path_factory.mktemp("undisturbed"))
    made.snakemake(TARGET, config=STUDY[1:])
    return made


def states(project) -> set:
    """The trainings that have kept a state."""
    return set(project.path("unfinished/runs").glob("**/*.safetensors"))


def test_workflow_and_jobs_killed_on_slurm_the_next_plain_run_completes_and_nothing_differs(
    undisturbed, tmp_path, start, faults
):
    project = marked(tmp_path, PAUSE)

    def begin():
        return start(project, TARGET, "--config", *STUDY)

    def trainings():
        return jobs(project, "finetune.py")

    def only_workflow(run):
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()

    kinds = [f"{kind} (Slurm)" for kind in ("workflow killed (-9)", "a job's process killed (-9)", "both killed (-9)")]
    run = begin()
    run.wait_for(lambda: states(project), "a training that has kept its state", 300)
    only_workflow(run)
    left = trainings()
    assert left, "jobs of a cluster outlive the workflow that sent them"
    faults[kinds[0]].injected += 1

    run = begin()
    run.wait_for(lambda: set(trainings()) - set(left), "a training of the second run", 300)
    first = trainings()
    run.wait_for(lambda: states(project), "its state")
    kill(first)
    faults[kinds[1]].injected += 1
    run.wait_for(lambda: set(trainings()) - set(first), "another attempt, by itself", 300)
    kill(trainings())
    only_workflow(run)
    faults[kinds[2]].injected += 1

    run = begin()
    run.succeed(400)
    differ = wrong(results(project), results(undisturbed))
    for kind in kinds:
        faults[kind].survived = faults[kind].injected
    every = faults["these three, in one study (Slurm)"]
    every.injected = every.survived = 3
    every.repeated, every.needed, every.wrong = steps(project) - steps(undisturbed), steps(undisturbed), len(differ)
    assert not differ
    assert not half_written(project)
    assert "Nothing to be done" in start(project, "-n", TARGET, "--config", *STUDY).succeed(120)
