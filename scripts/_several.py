"""Start a program as several processes by torchrun: `_several.py COUNT PROGRAM ARGUMENT …`.

What the processes say of their end stands; torchrun's own account of it, forty lines, does not follow.
"""

import contextlib
import logging
import os
import signal
import sys
from pathlib import Path


def pass_on(number, _frame) -> None:
    """To the processes that were started: a cluster's warning, of which torchrun would die before they have written
    their state."""
    with contextlib.suppress(OSError):  # a kernel without this file; a process that is gone
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            os.kill(int(child), number)


def main():
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable()
    signal.signal(signal.SIGUSR1, pass_on)
    count, *program = sys.argv[1:]
    try:
        run.main(["--standalone", "--nproc_per_node", count, *program])
    except SignalException as end:
        sys.exit(128 + end.sigval)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:  # it had no time to say so
            sys.exit(f"error: process {rank + 1} of {count} was ended by {failure.signal_name()}")
        sys.exit(failure.exitcode)


main()
