"""The frame that every program in scripts/ runs in: how it starts, what it says at its end, and what ends it early."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from mtbridge.base import warm_start
from mtbridge.base.errors import MtbridgeError

HOME = Path(__file__).resolve().parents[3]  # the checkout that this code belongs to

_start_up = 0.0  # CPU seconds until `begin_work`


def command(main: Callable[[], object]) -> NoReturn:
    """Run `main` as a program: the user's mistakes end in one line on stderr and exit code 1, bugs in a traceback.

    Where a warm process waits, the program runs there. The last line of a log says what the job cost, how much of it
    went by before any work was done, and whether it was started warm. Does not return.
    """
    import atexit
    import gc

    warm_start.hand_over()
    began = time.perf_counter()
    warm = "torch" in sys.modules  # programs import it inside `main`: here it was imported before the fork
    # Imports of torch and transformers make millions of objects that live until the end; scanning them for garbage
    # again and again is an eighth of the start-up. Collection comes back before any work is done (see `begin_work`).
    gc.disable()
    # The end that a signal asks for is an exit like any other: what is half written is removed.
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _end)
    end_with(os.environ.get("MTBRIDGE_WORKFLOW"))
    try:
        check_home(os.environ.get("MTBRIDGE_HOME"))
        main()
        start = f", {_start_up:.2f} s of it before work" if _start_up else ""
        start += ", warm" if warm else ""
        print(f"time: {time.perf_counter() - began:.2f} s, cpu {time.process_time():.2f} s{start}", file=sys.stderr)
        code = 0
    except MtbridgeError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    # What an interpreter does at its end but one thing: taking torch's and transformers' modules apart, object by
    # object, is a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _end(number, _frame) -> None:
    print(f"error: ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    sys.exit(128 + number)


def check_home(home: str | None) -> None:
    """Refuse to run code of another checkout than the workflow's, whose identity the results are recorded under.

    home: the workflow's checkout; None outside a workflow.

    Raises:
        MtbridgeError: this code is another checkout's.
    """
    if home and Path(home).resolve() != HOME:
        raise MtbridgeError(
            f"this job's Python ({sys.executable}) has the mtbridge of {HOME}, the workflow is that of {home}; "
            f"run `{sys.executable} -m pip install --no-deps -e {home}`"
        )


def end_with(process: str | None) -> None:
    """End this program (by SIGTERM) when the workflow's process is gone: a killed workflow leaves no job behind that
    would write beside those of the next one. `process`: its id; one that cannot be seen from here is not watched."""
    if not process:
        return
    try:
        handle = os.pidfd_open(int(process))
    except (OSError, ValueError, AttributeError):
        return

    def watch() -> None:
        select.select([handle], [], [])
        print("error: the workflow is gone; this job ends too", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def begin_work() -> None:
    """Call once, after the heavy imports and before the work: garbage is collected from here on, the clock noted."""
    import gc

    global _start_up
    gc.freeze()
    gc.enable()
    _start_up = time.process_time()
