"""A Slurm of one node with two fake GPUs, from the distribution's own packages, started and stopped by a test."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.support.waiting import wait_for

# Daemons live in sbin, which is not on every user's PATH.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
DAEMONS = ("munged", "slurmctld", "slurmd")

SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# cred_expire is also how long a requeued job waits before it starts again (default 120 s).
AuthInfo=socket={folder}/munged.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# No cgroups in a container: processes are followed by their group, memory is looked at every second.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# No slurmdbd: sacct hangs, as on many small sites.
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
# A whole study's jobs stay in the queue's list, so that a test can look at them at its end; the default is 300.
MinJobAge=7200
KillWait=2
OverTimeLimit=0
ReturnToService=2
SlurmdTimeout=0
MessageTimeout=4
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefMemPerCPU=500 PriorityTier=1
PartitionName=urgent Nodes={host} MaxTime=INFINITE DefMemPerCPU=500 PriorityTier=2
"""


def missing() -> str:
    """Which of the daemons are not installed; empty where all are."""
    return ", ".join(daemon for daemon in DAEMONS if not shutil.which(daemon, path=SEARCH))


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """Used as a context: the daemons are up inside it and gone after it, with everything that ran under them."""

    def __init__(self, cpus: int = 4):
        self.folder = Path(
            tempfile.mkdtemp(prefix="slurm-", dir="/tmp")
        )  # short: a socket's path has 108 bytes at most
        self.user = getpass.getuser()
        self.host = socket.gethostname().partition(".")[0]
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": os.pathsep.join([str(self.folder / "bin"), SEARCH]),
        }
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        controller_port, node_port = free_ports(2)
        self._write(
            "slurm.conf",
            SLURM_CONF.format(
                folder=self.folder,
                host=self.host,
                user=self.user,
                cpus=cpus,
                memory=memory - 64,
                controller_port=controller_port,
                node_port=node_port,
            ),
        )
        self._write("gres.conf", f"AutoDetect=off\nName=gpu File={self.folder}/gpu[0-1]\n")
        # Slurm's step executor hides SLURM_CONF from its srun; a site's would lie at the default place.
        srun = shutil.which("srun", path=SEARCH)
        self._write("bin/srun", f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {srun} "$@"\n').chmod(0o755)
        for name in ("gpu0", "gpu1"):
            (self.folder / name).symlink_to("/dev/null")  # Slurm wants a device; nothing is ever sent to it
        for name in ("state", "spool"):
            (self.folder / name).mkdir()

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *command, timeout: float = 60, check: bool = True) -> str:
        """The output of a command of the cluster."""
        done = subprocess.run(
            list(map(str, command)),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        """The ends of the daemons' logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def start(self, daemon: str, *arguments):
        """Start a daemon. Its output goes to a file: a pipe would stay open in what it leaves behind."""
        with (self.folder / f"{daemon}.out.log").open("w") as log:
            done = subprocess.run(
                [daemon, *map(str, arguments)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, f"{daemon} did not start\n{self.logs()}"

    def stop(self, daemon: str):
        """Stop a daemon and wait until it is gone; nothing where it does not run."""
        path = self.folder / f"{daemon}.pid"
        if not path.exists() or not (text := path.read_text().strip()):
            return
        pid = int(text)
        for signal in (15, 9):
            try:
                os.kill(pid, signal)
                wait_for(lambda: not Path(f"/proc/{pid}").exists() or _zombie(pid), f"the end of {daemon}", 15)
                break
            except ProcessLookupError:
                break
            except AssertionError:
                continue
        path.unlink(missing_ok=True)

    def jobs(self, *states: str) -> list[str]:
        """Ids of the jobs that wait or run; or of those in the given states."""
        which = [f"--states={','.join(states)}"] if states else []
        return self.run("squeue", "--noheader", "--format=%i", *which).split()

    def states(self) -> str:
        """Every job that Slurm remembers."""
        return self.run("squeue", "--states=all", "--format=%i %T %r %l %m %b %k", check=False)

    def __enter__(self):
        try:
            key = self.folder / "munged.key"
            key.write_bytes(os.urandom(1024))
            key.chmod(0o600)
            munge = {"key-file": key, "seed-file": self.folder / "munged.seed", "log-file": self.folder / "munged.log"}
            files = {**munge, "pid-file": self.folder / "munged.pid", "socket": self.folder / "munged.socket"}
            self.start("munged", "--force", *(f"--{option}={path}" for option, path in files.items()))
            self.start("slurmctld")
            self.start("slurmd", "-N", self.host)
            idle = lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T", check=False)
            wait_for(idle, "an idle node", state=self.logs)
        except BaseException:
            self._shut_down()
            raise
        return self

    def cancel_all(self):
        """Cancel every job and wait until the node is free of them."""
        self.run("scancel", "--user", self.user, check=False)
        wait_for(lambda: not self.jobs(), "the end of cancelled jobs", 30, self.states)

    def __exit__(self, *_):
        try:
            if (self.folder / "slurmctld.pid").exists():
                self.cancel_all()
        finally:
            self._shut_down()

    def _shut_down(self):
        for daemon in reversed(DAEMONS):
            self.stop(daemon)
        shutil.rmtree(self.folder, ignore_errors=True)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
