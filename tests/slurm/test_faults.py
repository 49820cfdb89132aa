"""What a cluster does to jobs, and that they come back: the project's profile and resources on tiny jobs."""

import re

import pytest

from tests.support.waiting import wait_for
from tests.workflow.conftest import Project

# `attempts/` is declared nowhere: Snakemake deletes what a failed job made.
SNAKEFILE = """
include: "workflow/rules/common.smk"


rule all:
    default_target: True
    input: "made/hungry", "made/slow", "made/broken"


rule hungry:
    output: "made/hungry"
    resources: mem_mb=growing(1000)
    shell:
        "echo {resources.mem_mb} >> attempts/hungry; "
        "python -c 'import time; block = b\\"x\\" * (1300 << 20); time.sleep(5)'; touch {output}"


rule slow:
    output: "made/slow"
    resources: runtime=growing(1)
    shell: "echo {resources.runtime} >> attempts/slow; sleep $(( {resources.runtime} == 1 ? 3600 : 1 )); touch {output}"


rule broken:
    output: "made/broken"
    log: "logs/broken.log"
    shell: "(echo first line; echo error: the label is unknown; exit 3) > {log} 2>&1"


rule patient:
    output: "made/{name}"
    threads: lambda wildcards: 4 if wildcards.name == "large" else 1
    shell:
        "echo $SLURM_JOB_ID >> attempts/{wildcards.name}; touch {output}; "
        "for i in $(seq 600); do test -e attempts/go && exit 0; sleep 0.5; done; exit 1"


rule counted:
    output: "gpus/{n}"
    threads: 1
    resources: gpu=lambda wildcards: int(wildcards.n)
    shell: "echo ${{CUDA_VISIBLE_DEVICES:-}} > {output}"
"""


class Workshop(Project):
    """A copy of the project whose Snakefile is that of this module."""

    def __init__(self, folder):
        super().__init__(folder)
        (folder / "Snakefile").write_text(SNAKEFILE)
        (folder / "attempts").mkdir()

    def attempts(self, name: str) -> list[str]:
        """What each attempt of a job wrote when it began."""
        path = self.folder / "attempts" / name
        return path.read_text().split() if path.exists() else []

    def go(self):
        """Let the patient jobs finish."""
        (self.folder / "attempts/go").touch()


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


@pytest.fixture(scope="module")
def troubles(cluster, tmp_path_factory):
    """One run of three jobs that cannot go well the first time, to its end."""
    from tests.slurm.conftest import Run

    workshop = Workshop(tmp_path_factory.mktemp("troubles"))
    run = Run(workshop, cluster)
    try:
        run.end(400)
    finally:
        run.kill()
        cluster.cancel_all()
    return workshop, run


def test_a_job_killed_for_memory_comes_back_with_more_and_succeeds(troubles, faults):
    workshop, run = troubles
    with faults.survive("job over its memory (Slurm)"):
        assert workshop.attempts("hungry") == ["1000", "2000"], run.state()
        assert (workshop.folder / "made/hungry").exists()


def test_a_job_over_its_time_limit_comes_back_with_a_longer_one_and_succeeds(troubles, faults):
    workshop, run = troubles
    with faults.survive("job over its time limit (Slurm)"):
        assert workshop.attempts("slow") == ["1", "2"], run.state()
        assert (workshop.folder / "made/slow").exists()
        assert "TIMEOUT" in run.text()


def test_a_failing_job_ends_the_run_with_the_last_lines_of_its_own_log(troubles, faults):
    _, run = troubles
    with faults.survive("job that fails, told by its own log's last lines (Slurm)"):
        assert run.process.returncode != 0
        at_the_end = run.text().rpartition("Logfile logs/broken.log")[2]
        assert "error: the label is unknown" in at_the_end, run.state()
        assert len(re.findall(r"^Logfile logs/broken.log", run.text(), re.MULTILINE)) <= 3


def test_a_job_cancelled_by_hand_is_told_and_a_second_run_completes(cluster, workshop, start, faults):
    run = start(workshop, "made/cancelled", "made/other")
    with faults.survive("job cancelled by hand, scancel (Slurm)", 3):
        for attempt in (1, 2, 3):
            run.wait_for(lambda attempt=attempt: len(workshop.attempts("cancelled")) == attempt, f"attempt {attempt}")
            cluster.run("scancel", workshop.attempts("cancelled")[-1])
        run.wait_for(lambda: workshop.attempts("other"), "the other job")
        run.wait_for(lambda: run.text().count("SLURM status is: 'CANCELLED'") >= 3, "the word that it was cancelled")
        workshop.go()
        run.fail()
        assert (workshop.folder / "made/other").exists(), "one job's end must not end the others"
        assert not (workshop.folder / "made/cancelled").exists(), "half an output was left behind"
        start(workshop, "made/cancelled", "made/other").succeed()
        assert len(workshop.attempts("other")) == 1


def test_an_interrupted_run_takes_its_jobs_with_it_and_a_second_run_completes(cluster, workshop, start, faults):
    run = start(workshop, "made/interrupted")
    run.wait_for(lambda: workshop.attempts("interrupted"), "a running job")
    with faults.survive("workflow interrupted, Ctrl-C (Slurm)"):
        run.interrupt()
        run.fail(60)
        wait_for(lambda: not cluster.jobs(), "an empty queue", 30, run.state)
        workshop.go()
        start(workshop, "made/interrupted").succeed()


def test_a_job_whose_node_goes_down_runs_again_when_it_is_back(cluster, workshop, start, faults):
    run = start(workshop, "made/stranded")
    run.wait_for(lambda: workshop.attempts("stranded"), "a running job")
    with faults.survive("node taken down and back (Slurm)"):
        cluster.run("scontrol", "update", f"nodename={cluster.host}", "state=down", "reason=test")
        try:
            run.wait_for(lambda: cluster.jobs("PENDING"), "the job back in the queue")
        finally:
            # A node that answers may have come back by itself; then there is nothing to resume.
            cluster.run("scontrol", "update", f"nodename={cluster.host}", "state=resume", check=False)
        run.wait_for(lambda: len(workshop.attempts("stranded")) == 2, "the second start")
        workshop.go()
        run.succeed()
        assert len(set(workshop.attempts("stranded"))) == 1, "the same Slurm job, put back"


def test_a_preempted_job_runs_again_after_what_took_its_place(cluster, workshop, start, faults):
    run = start(workshop, "made/large")
    run.wait_for(lambda: workshop.attempts("large"), "a running job")
    urgent = ("--partition=urgent", "--cpus-per-task=4", "--mem=500", "--output=/dev/null")
    with faults.survive("job preempted and requeued (Slurm)"):
        cluster.run("sbatch", *urgent, "--wrap", "sleep 3")
        run.wait_for(lambda: len(workshop.attempts("large")) == 2, "the second start")
        workshop.go()
        run.succeed()


def test_a_run_survives_a_restart_of_the_controller(cluster, workshop, start, faults):
    run = start(workshop, "made/watched")
    run.wait_for(lambda: workshop.attempts("watched"), "a running job")
    with faults.survive("controller stopped and started (Slurm)"):
        cluster.stop("slurmctld")
        try:
            # Longer than the five questions in vain after which the executor by itself would forget its jobs.
            for _ in range(8):
                assert "Unable to contact slurm controller" in cluster.run("squeue", check=False)
        finally:
            cluster.start("slurmctld")
        workshop.go()
        run.succeed()
        assert len(workshop.attempts("watched")) == 1


def test_jobs_get_all_the_gpus_they_ask_for_side_by_side(cluster, workshop, start):
    start(workshop, "gpus/0", "gpus/1", "gpus/2").succeed()
    seen = [(workshop.folder / f"gpus/{n}").read_text().strip() for n in (0, 1, 2)]
    assert [len([device for device in text.split(",") if device.isdigit()]) for text in seen] == [0, 1, 2], seen
