"""Runs a program as several processes, by torchrun: python -m mtbridge.base.several_processes COUNT PROGRAM ARGUMENT …

The first error of any process is the last line of the log. The errors that it causes in the other processes are left
out, and so is torchrun's own report of forty lines.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn


def restart(count: int) -> NoReturn:
    """Replace this program by `count` processes that run it. Does not return."""
    # -P: no module is imported from the current folder.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "mtbridge.base.several_processes", str(count), *sys.argv])


def forward(number: int, _frame: FrameType | None) -> None:
    """Forward a signal, the warning before a cluster's time limit, to the processes, so that they write their state.

    Without a handler it would kill torchrun first. (torchrun itself forwards SIGTERM, SIGINT, SIGHUP and SIGQUIT.)
    """
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    except OSError:  # a kernel without this file; on such a system the cluster must signal all processes
        return
    if not children:  # not started yet: there is no state to write
        sys.exit(f"error: ended by {signal.Signals(number).name}")
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), number)


@contextlib.contextmanager
def stderr_up_to_first_error() -> Iterator[None]:
    """Print to stderr up to the first line that begins with "error: ", and nothing after it.

    This holds for child processes too, which inherit the file descriptor: it is replaced by a pipe.
    """
    source, sink = os.pipe()
    stderr = os.dup(2)
    os.dup2(sink, 2)
    os.close(sink)

    def copy() -> None:
        error_seen = False
        with open(source, "rb") as lines:
            for line in lines:
                if not error_seen:
                    os.write(stderr, line)
                error_seen = error_seen or line.startswith(b"error: ")

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        thread.join()


def run(count: str, program: list[str]) -> int:
    """Run `program` (its path and arguments) as `count` processes. Returns the exit code."""
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable()  # torchrun logs what it does, and the forty lines
    try:
        torchrun.main(["--standalone", "--nproc_per_node", count, *program])
    except SignalException as end:
        print(f"error: ended by {signal.Signals(end.sigval).name}", file=sys.stderr)
        return 128 + end.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        how = failure.signal_name() if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        # Only the last line of the log if the process itself printed no error.
        print(f"error: process {rank + 1} of {count} was ended by {how}", file=sys.stderr)
        return max(1, failure.exitcode)  # it is negative after a signal
    return 0


def main(count: str, *program: str) -> None:
    """Run the program that the command line names, and exit with its code."""
    signal.signal(signal.SIGUSR1, forward)
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "120")  # seconds to write a state; torchrun's own: 30
    with stderr_up_to_first_error():
        code = run(count, list(program))
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
