"""GPUs of one machine: every job its own, freed when the job ends however it ends. The devices here are only names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtbridge.base import devices
from mtbridge.base.errors import MtbridgeError

JOB = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from mtbridge.base.devices import wait_for_gpus
wait_for_gpus(int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[2]), 0.05)
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """start(count, runs per GPU) -> a process that holds its devices; its first line of output names them."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    started = []

    def start(count=1, runs_per_gpu=1, seen="GPU-a,GPU-b,MIG-c/1"):
        command = [sys.executable, "-c", JOB, str(Path(devices.__file__).parents[2]), tmp_path / "locks"]
        started.append(
            subprocess.Popen(
                [*map(str, command), str(count), str(runs_per_gpu)],
                env={**os.environ, "CUDA_VISIBLE_DEVICES": seen},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for job in started:
        job.kill()
        job.communicate()


def held(job) -> list[str]:
    return job.stdout.readline().strip().split(",")


def test_jobs_side_by_side_have_devices_of_their_own(jobs):
    running = [jobs(), jobs(), jobs()]
    assert sorted(name for job in running for name in held(job)) == ["GPU-a", "GPU-b", "MIG-c/1"]


def test_a_job_waits_for_a_device_and_gets_that_of_a_killed_one(jobs):
    first, second = jobs(2), jobs(1)
    taken, other = held(first), held(second)
    waiting = jobs(2)
    assert len({*taken, *other}) == 3
    first.kill()
    assert held(waiting) == taken


def test_several_runs_share_a_device_only_when_all_are_taken(jobs):
    running = [jobs(1, 2, "GPU-a,GPU-b") for _ in range(4)]
    assert sorted(name for job in running for name in held(job)) == ["GPU-a", "GPU-a", "GPU-b", "GPU-b"]


def test_the_lock_outlives_a_change_of_program(tmp_path, jobs):
    """A fine-tuning of several processes replaces itself by their launcher."""
    code = (
        "import os, sys\nsys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\n"
        "from mtbridge.base.devices import wait_for_gpus\nwait_for_gpus(1, 1, Path(sys.argv[2]))\n"
        "os.execv(sys.executable, [sys.executable, '-c', 'import sys; print(1, flush=True); sys.stdin.read()'])"
    )
    command = [sys.executable, "-c", code, str(Path(devices.__file__).parents[2]), str(tmp_path / "locks")]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "GPU-a"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "1\n"
        assert devices._lock_devices(["GPU-a"], 1, 1, tmp_path / "locks") == []
        first.stdin.close()
    assert held(jobs(1, 1, "GPU-a")) == ["GPU-a"]


def nvidia_smi(folder, monkeypatch, lines):
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_devices_are_named_by_the_driver_whatever_names_the_user_chose(tmp_path, monkeypatch):
    nvidia_smi(
        tmp_path / "bin",
        monkeypatch,
        [
            "GPU 0: NVIDIA H100 (UUID: GPU-aa-1)",
            "  MIG 1g.10gb     Device  0: (UUID: MIG-bb-2)",
            "  MIG 1g.10gb     Device  1: (UUID: MIG-cc-3)",
            "GPU 1: NVIDIA H100 (UUID: GPU-dd-4)",
        ],
    )
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.visible_gpus() == ["MIG-bb-2", "MIG-cc-3", "GPU-dd-4"]
    for chosen, names in (
        ("1", ["GPU-dd-4"]),
        ("MIG-cc-3,1", ["MIG-cc-3", "GPU-dd-4"]),
        ("", []),
        ("1,-1,0", ["GPU-dd-4"]),
    ):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
        assert devices.visible_gpus() == names


def test_a_slurm_job_keeps_what_it_was_given(monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.wait_for_gpus(1, folder=tmp_path) == 1
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert list(tmp_path.iterdir()) == []


def test_in_a_slurm_job_with_more_devices_than_a_run_wants_each_run_takes_its_own(monkeypatch, jobs):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    running = [jobs(1, 1, "GPU-a,GPU-b"), jobs(1, 1, "GPU-a,GPU-b")]
    assert sorted(name for job in running for name in held(job)) == ["GPU-a", "GPU-b"]


def test_a_machine_without_a_gpu_trains_one_run_on_the_cpu_and_says_so_and_refuses_several(monkeypatch, capsys):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.wait_for_gpus(1) == 0
    assert "no GPU on this machine" in capsys.readouterr().err
    with pytest.raises(MtbridgeError, match="gpus: 4 in the config, but 0 on this machine"):
        devices.wait_for_gpus(4)
