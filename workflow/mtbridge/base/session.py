"""One run of the workflow on a study: the environment of its jobs, its lock, the files' dates, the warm process.

The Snakefile calls `set_environment` when it is read, and `start` before the first job. SESSION.md, beside this file,
says what each part is there for.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import TextIO

from mtbridge.base.errors import MtbridgeError

FEW_JOBS = 10  # fewer than these end before a warm process has paid for itself

_lock: TextIO | None = None  # open, and so locked, until this process ends


def set_environment(home: str) -> None:
    """Set the environment that jobs inherit. home: the checkout, the folder of the Snakefile."""

    def prepend(variable: str, *folders: str) -> str:
        present = os.environ.get(variable, "").split(os.pathsep)
        return os.pathsep.join([*folders, *(folder for folder in present if folder and folder not in folders)])

    os.environ.update(
        # Programs run with the Python that runs Snakemake, also when its environment was not activated; sacct is the
        # profile's, which also answers when the controller is away.
        PATH=prepend("PATH", os.path.dirname(sys.executable), f"{home}/profiles/slurm/bin"),
        # Whatever is installed in a job's environment, the code that runs must be the checkout's, whose identity is
        # recorded. (In Conda environments Snakemake removes PYTHONPATH; there `program.check_home` sees to it.)
        PYTHONPATH=prepend("PYTHONPATH", f"{home}/workflow"),
        PYTHONHASHSEED="0",
        TOKENIZERS_PARALLELISM="false",
        TQDM_DISABLE="1",
        MTBRIDGE_HOME=str(home),
        MTBRIDGE_WORKFLOW=str(os.getpid()),  # jobs end when this process does, however it ends
    )


def start(results: str, scheduler, jobs: int, gpus: int, modules: Sequence[str] = ()) -> None:
    """Begin to work on a study: lock it, correct dates in the future, start the warm process, lift the job rate limit.

    Args:
        results: the study's folder.
        scheduler: Snakemake's, `workflow.scheduler`.
        jobs: how many jobs run on this machine, in this Python.
        gpus: how many GPUs the study trains on.
        modules: what jobs import beside what all programs do; see `warm_start`.

    Raises:
        MtbridgeError: another workflow is at work on the study, or the folder cannot be written.
    """
    global _lock
    _lock = lock(results)
    correct_future_dates(results)
    # With GPUs, jobs start cold: whatever looks for one at its import leaves CUDA in a state that no fork can use.
    if jobs >= FEW_JOBS and not gpus and os.environ.get("MTBRIDGE_COLD", "0") == "0":
        start_warm_process(modules)
    if not any(word.startswith("--max-jobs-per") for word in sys.argv):
        lift_job_rate_limit(scheduler)


def lock(results: str) -> TextIO:
    """Lock a study: one workflow at a time works on it. The lock holds while the file that is returned is open.

    The kernel frees it when the process ends, so a killed workflow leaves nothing to unlock; Snakemake's own lock,
    which stays behind, is off in the profiles.

    Raises:
        MtbridgeError: another workflow holds the lock, or the folder cannot be written.
    """
    path = os.path.join(results, "unfinished", "workflow.lock")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(path, "a+")  # noqa: SIM115 (open until this process ends)
    except OSError as error:
        raise MtbridgeError(f"{results}: cannot be written: {error}; check the folder's space and rights") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read()
        file.close()
        raise MtbridgeError(
            f"{results}: another workflow ({holder}) is at work on it; wait for its end or stop it"
        ) from None
    except OSError as error:
        print(f"{path}: cannot be locked ({error}); start no second workflow on this study", file=sys.stderr)
    with contextlib.suppress(OSError):  # a full disk; the text only says who is at work
        file.truncate(0)
        os.write(file.fileno(), f"{socket.gethostname()} process {os.getpid()}".encode())
    return file


def correct_future_dates(results: str) -> None:
    """Date files and folders that another machine's clock dated into the future back to now, all to the same second.

    Snakemake would take what is made from them for older than they are, and make it again and again.
    """
    now, count = time.time(), 0
    for folder, _, names in os.walk(results):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            with contextlib.suppress(OSError):
                if os.lstat(path).st_mtime > now:
                    os.utime(path, (now, now), follow_symlinks=False)
                    count += 1
    if count:
        print(f"{results}: {count} files and folders were dated in the future; they are from now", file=sys.stderr)


def start_warm_process(modules: Sequence[str] = ()) -> None:
    """Start the process that jobs are forked from (see `warm_start`), and tell jobs where it is. It ends with this one.

    Where it cannot be started, jobs start cold.
    """
    if not hasattr(os, "pidfd_open"):
        return
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with contextlib.suppress(OSError):
        path = os.path.join(tempfile.mkdtemp(prefix="mtbridge-"), "socket")
        subprocess.Popen(
            # -P: no module is imported from the current folder.
            [sys.executable, "-P", "-m", "mtbridge.base.warm_start", path, str(os.getpid()), *modules],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **one_thread, "CUDA_VISIBLE_DEVICES": ""},
        )
        os.environ["MTBRIDGE_WARM"] = path


def lift_job_rate_limit(scheduler) -> None:
    """Switch off Snakemake's limit of 100 jobs a second, which no option switches off.

    With a limit, Snakemake 9.27 looks at all jobs again a second after each look, and never forgets such a reminder:
    every job that ends adds one. Towards the end of a study of 500 jobs this takes a core.
    """
    scheduler.job_rate_limiter = None
