"""Start a program as several processes by torchrun: `_several.py COUNT PROGRAM ARGUMENT …`.

The first error that one of them tells is the last line: neither what follows from it in the others nor torchrun's own
account, forty lines, comes after.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path


def pass_on(number, _frame) -> None:
    """To the processes that were started: a cluster's warning, of which torchrun would die before they have written
    their state. (SIGTERM and the like torchrun passes on itself.)"""
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    except OSError:  # a kernel without this file; a cluster signals all
        return
    if not children:
        sys.exit(f"error: ended by {signal.Signals(number).name}")
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), number)


@contextlib.contextmanager
def first_error():
    """What is written to stderr inside, by started processes too, comes out up to the first error, and no further."""
    source, sink = os.pipe()
    real = os.dup(2)
    os.dup2(sink, 2)
    os.close(sink)

    def pass_through():
        told = False
        with open(source, "rb") as lines:
            for line in lines:
                if not told:
                    os.write(real, line)
                told = told or line.startswith(b"error: ")

    thread = threading.Thread(target=pass_through)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real, 2)
        thread.join()


def start(count: str, program: list[str]) -> int:
    """Run to the end; the exit code."""
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable()
    try:
        run.main(["--standalone", "--nproc_per_node", count, *program])
    except SignalException as end:
        print(f"error: ended by {signal.Signals(end.sigval).name}", file=sys.stderr)
        return 128 + end.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        how = failure.signal_name() if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        print(f"error: process {rank + 1} of {count} was ended by {how}", file=sys.stderr)
        return max(1, failure.exitcode)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, pass_on)
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "120")  # seconds for a state to be written, not 30
    with first_error():
        code = start(sys.argv[1], sys.argv[2:])
    sys.exit(code)
