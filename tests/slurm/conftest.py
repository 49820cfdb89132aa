"""A real Slurm for all tests of this folder, and Snakemake under the project's own profile in a copy of the project."""

import os
import signal
import subprocess
import sys

import pytest

from tests.slurm.cluster import Cluster, missing
from tests.support.waiting import wait_for
from tests.workflow.conftest import Project

# Seconds between looks at a job: the profile's 40 are for clusters that many share.
SOON = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")


@pytest.fixture(scope="session")
def cluster():
    if absent := missing():
        pytest.skip(f"no Slurm here: {absent} not found (apt-get install slurm-wlm)")
    with Cluster() as started:
        yield started


class Run:
    """Snakemake at work in the background; what it says goes to a file."""

    def __init__(self, project: Project, cluster: Cluster, *arguments):
        self.log = project.folder / f"run{len(list(project.folder.glob('run*.log')))}.log"
        self.cluster = cluster
        command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *SOON, *map(str, arguments)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=project.folder,
                env={**cluster.environment, **project.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Ignored where the tests run in a shell's background, and that is inherited.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def state(self) -> str:
        """Everything that helps to understand a failure."""
        return f"{self.text()[-8000:]}\n== jobs\n{self.cluster.states()}\n{self.cluster.logs()}"

    def wait_for(self, condition, what: str, seconds: float = 120):
        """Wait for a condition while Snakemake runs."""

        def met():
            found = condition()
            assert found or self.process.poll() is None, f"Snakemake ended before {what}\n{self.state()}"
            return found

        return wait_for(met, what, seconds, self.state)

    def end(self, seconds: float = 300) -> str:
        """Wait for the end of the run and return what it said."""
        wait_for(lambda: self.process.poll() is not None, "the end of the run", seconds, self.state)
        return self.text()

    def succeed(self, seconds: float = 300) -> str:
        self.end(seconds)
        assert self.process.returncode == 0, self.state()
        return self.text()

    def fail(self, seconds: float = 300) -> str:
        self.end(seconds)
        assert self.process.returncode != 0, self.state()
        return self.text()

    def interrupt(self):
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)


@pytest.fixture
def start(cluster):
    """Start Snakemake in a project; whatever still runs at the end of the test is stopped with its jobs."""
    runs = []

    def begin(project, *arguments) -> Run:
        runs.append(Run(project, cluster, *arguments))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()
    if runs:
        cluster.cancel_all()


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)
