"""One run of the workflow on a study: the environment of its jobs, its lock, the files' dates, the warm process.

The Snakefile calls `set_environment` when it is read, and `start` before the first job. SESSION.md, beside this file,
says what each part is for.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import dropwhile, takewhile
from typing import Any, TextIO

from mtbridge.base.errors import MtbridgeError, nearest

# Options of Snakemake that take no value, as they stand before targets.
NO_VALUE = frozenset(
    ("-n", "--dry-run", "--dryrun", "-p", "--printshellcmds", "-f", "--force", "-F", "--forceall", "-k", "--keep-going")
)
FEW_JOBS = 10  # with fewer jobs a warm process costs more time than it saves

_lock: TextIO | None = None  # open, and so locked, until this process ends


def set_environment(home: str) -> None:
    """Set the environment that jobs inherit. home: the checkout, the folder of the Snakefile."""

    def prepend(variable: str, *folders: str) -> str:
        present = os.environ.get(variable, "").split(os.pathsep)
        return os.pathsep.join([*folders, *(folder for folder in present if folder and folder not in folders)])

    os.environ.update(
        # Programs run with the Python that runs Snakemake, even if its environment was not activated. `sacct` is the
        # one of the Slurm profile, which also answers when the controller does not.
        PATH=prepend("PATH", os.path.dirname(sys.executable), f"{home}/profiles/slurm/bin"),
        # Jobs must run the checkout's code, whose identity is recorded, even if another version is installed. (In Conda
        # environments Snakemake removes PYTHONPATH; there `program.check_home` finds a wrong version.)
        PYTHONPATH=prepend("PYTHONPATH", f"{home}/workflow"),
        PYTHONHASHSEED="0",
        TOKENIZERS_PARALLELISM="false",
        TQDM_DISABLE="1",
        MTBRIDGE_HOME=str(home),
        MTBRIDGE_WORKFLOW=str(os.getpid()),  # jobs end when this process ends; see `program.end_with`
    )


def check_command_line(words: Sequence[str]) -> None:
    """Check the words of Snakemake's command line, where a mistake would change the study in silence.

    Raises:
        MtbridgeError: `--config` is given twice; Snakemake takes the last one alone.
    """
    if sum(word.split("=")[0] == "--config" or word.startswith("-C") for word in words) > 1:
        raise MtbridgeError(
            "--config is given twice, and only the last one would count; write all settings behind one, as in "
            "--config study=smoke tasks=pos"
        )


def check_targets(words: Sequence[str], names: Iterable[str]) -> None:
    """Check the targets at the beginning of Snakemake's command line, or behind options that take no value.

    Each is a rule's name, or a file's path.

    Raises:
        MtbridgeError: a word without a slash or a dot is no rule; the message names the nearest one.
    """
    known = sorted(names)
    # Behind an option that takes a value, a word may be that value.
    first = dropwhile(lambda word: word in NO_VALUE, words)
    for word in takewhile(lambda word: not word.startswith("-"), first):
        if word not in known and not set(word) & set("/."):
            raise MtbridgeError(f"'{word}' is no target; {nearest(word, known)}")


def start(results: str, scheduler: Any, jobs: int, gpus: int, modules: Sequence[str] = ()) -> None:
    """Begin to work on a study: lock it, correct dates in the future, start the warm process, lift the job rate limit.

    Args:
        results: the study's folder.
        scheduler: Snakemake's, `workflow.scheduler`.
        jobs: how many jobs this run has that start on this machine, in this Python.
        gpus: how many GPUs the study trains on.
        modules: the modules that jobs import beside those that all programs import; see `warm_start`.

    Raises:
        MtbridgeError: another workflow is at work on the study, or the folder cannot be written.
    """
    global _lock
    _lock = lock(results)
    correct_future_dates(results)
    # With GPUs, jobs start cold: a library that looks for a GPU while it is imported leaves CUDA unusable in forks.
    if jobs >= FEW_JOBS and not gpus and os.environ.get("MTBRIDGE_COLD", "0") == "0":
        start_warm_process(modules)
    if not any(word.startswith("--max-jobs-per") for word in sys.argv):
        lift_job_rate_limit(scheduler)


def lock(results: str) -> TextIO:
    """Lock a study, so that one workflow at a time works on it. The lock lasts while the returned file is open.

    The kernel frees it when the process ends, so a killed workflow leaves nothing to unlock. Snakemake's own lock,
    which a killed workflow leaves, is off in the profiles.

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
    except OSError as error:  # a network file system without locks
        print(f"{path}: cannot be locked ({error}); start no second workflow on this study", file=sys.stderr)
    with contextlib.suppress(OSError):  # a full disk; the text only says who holds the lock
        file.truncate(0)
        os.write(file.fileno(), f"{socket.gethostname()} process {os.getpid()}".encode())
    return file


def correct_future_dates(results: str) -> None:
    """Set the dates of files and folders that lie in the future to now; another machine's clock may be ahead.

    Snakemake would find the files that are made from them older than them, and make those again in every run. All get
    the same date, so none becomes newer than another.
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
    """Start the process that jobs are forked from (see `warm_start`), and tell jobs where it is.

    It ends with this process. If it cannot be started, jobs start cold.
    """
    if not hasattr(os, "pidfd_open"):  # Linux before 5.3, or another system
        return
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with contextlib.suppress(OSError):
        path = os.path.join(tempfile.mkdtemp(prefix="mtbridge-"), "socket")
        subprocess.Popen(
            # -P: no module is imported from the current folder.
            [sys.executable, "-P", "-m", "mtbridge.base.warm_start", path, str(os.getpid()), *modules],
            start_new_session=True,  # Ctrl-C must end jobs in Snakemake's order, not the server first
            stdin=subprocess.DEVNULL,
            env={**os.environ, **one_thread, "CUDA_VISIBLE_DEVICES": ""},
        )
        os.environ["MTBRIDGE_WARM"] = path


def lift_job_rate_limit(scheduler: Any) -> None:
    """Switch off Snakemake's limit of 100 jobs a second, which no option switches off.

    With a limit, every look at the waiting jobs makes Snakemake 9.27 look again a second later, without end. Every job
    that ends starts one more such chain; towards the end of a study of 500 jobs they keep a core busy.
    """
    scheduler.job_rate_limiter = None
