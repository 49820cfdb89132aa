"""A small study, killed at random moments: the next plain run completes it, and every result is the undisturbed one's.

Three kills, or as many as MTBRIDGE_KILLS says.
"""

import os
import random
import subprocess
import sys
import time

from tests.faults.conftest import STUDY
from tests.support.kills import forks, half_written, jobs, kill, marked, processes, results, steps, wrong
from tests.support.waiting import wait_for
from tests.workflow.conftest import Project

KILLS = int(os.environ.get("MTBRIDGE_KILLS", "3"))


def start(project: Project) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--config", "study=smoke", *STUDY]
    environment = {**os.environ, **project.variables}
    with open(project.folder / "log", "a") as log:
        return subprocess.Popen(
            command, cwd=project.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


KINDS = ("workflow killed (-9)", "workflow and jobs killed (-9)", "a job killed (-9), then the workflow")


def test_killed_at_random_moments_the_study_completes_and_nothing_differs(undisturbed, tmp_path, faults):
    # Steps take longer here, and every second kill waits for some, so that trainings are met in their middle.
    made, rng = marked(tmp_path, pause=0.1), random.Random(1)
    for number in range(KILLS):
        running, kind = start(made), KINDS[number % 3]
        moment = time.monotonic() + rng.uniform(3, 7)
        wanted = steps(made) + (rng.randint(1, 8) if number % 2 else 0)
        while running.poll() is None and (time.monotonic() < moment or steps(made) < wanted or not jobs(made)):
            time.sleep(0.05)
        if running.poll() is not None:
            break  # it was quicker than the killer
        faults[kind].injected += 1
        found = jobs(made)
        if kind == KINDS[2]:
            kill((forks(made) or found if number % 2 else found)[:1])
            time.sleep(1)
        kill([running.pid])
        if kind == KINDS[1]:
            kill(found)
        running.wait()
        wait_for(lambda: not processes(made), "the end of all that the workflow had started", 30)
    assert sum(faults[kind].injected for kind in KINDS) > KILLS // 2, "the study was over before it was killed often"
    kinds = [*KINDS, "a job killed (-9)"]
    running = start(made)
    while running.poll() is None and not jobs(made):
        time.sleep(0.05)
    if running.poll() is None:
        kill(jobs(made)[:1])
        faults[kinds[-1]].injected += 1
        assert running.wait(900) != 0, "a killed job must not pass for a finished one"
    made.snakemake(config=STUDY)
    differ = wrong(results(made), results(undisturbed))
    for kind in kinds:
        faults[kind].survived = faults[kind].injected
    every = faults["all of these, in one study"]
    every.injected = every.survived = sum(faults[kind].injected for kind in kinds)
    every.repeated, every.needed, every.wrong = steps(made) - steps(undisturbed), steps(undisturbed), len(differ)
    assert not differ
    assert not half_written(made), "half-written files left behind"


def test_a_second_workflow_on_a_study_is_refused_and_the_first_goes_on(tmp_path, faults):
    made = Project(tmp_path)
    first = start(made)
    try:
        wait_for((made.folder / "results/smoke/unfinished/workflow.lock").exists, "the lock of the first", 120)
        time.sleep(1)
        with faults.survive("second workflow on a folder"):
            second = made.snakemake("table3", check=False, config=STUDY)
            assert second.returncode != 0
            assert "another workflow" in second.stderr + second.stdout
            assert first.poll() is None
    finally:
        kill([first.pid])
        first.wait()
