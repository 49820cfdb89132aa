"""How every program in scripts/ starts and ends: warm start, errors, signals, and the last line of its log."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mtbridge.base import warm_start
from mtbridge.base.checkout import HOME
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import close_bars

_start_up = 0.0  # CPU seconds until `begin_work`


def command(main: Callable[[], object]) -> NoReturn:
    """Run `main` as a program: the user's mistakes end in one line on stderr and exit code 1, bugs in a traceback.

    If there is a warm process, the program runs there. The last line of the log says how long the job took, how much of
    its CPU time passed before `begin_work`, and whether it was started warm. Does not return.
    """
    import atexit
    import gc

    warm_start.hand_over()
    start = time.perf_counter()
    warm = "torch" in sys.modules  # programs import it inside `main`: here it was imported before the fork
    # Imports of torch and transformers make millions of objects that live until the end. Garbage collection scans them
    # again and again, which is an eighth of the start-up; `begin_work` switches it on again.
    gc.disable()
    # A signal ends the program by SystemExit, so `finally` blocks remove files that are written in part.
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _end)
    end_with(os.environ.get("MTBRIDGE_WORKFLOW"))
    try:
        check_home(os.environ.get("MTBRIDGE_HOME"))
        check_home(checkout_of(sys.argv[0]))
        main()
        note = f", {_start_up:.2f} s of it before work" if _start_up else ""
        note += ", warm" if warm else ""
        print(f"time: {time.perf_counter() - start:.2f} s, cpu {time.process_time():.2f} s{note}", file=sys.stderr)
        code = 0
    except MtbridgeError as error:
        close_bars()
        print(f"error: {error}", file=sys.stderr)
        code = 1
    # Do what an interpreter does at its end, except freeing the modules of torch and transformers object by object,
    # which takes a second.
    threading._shutdown()  # type: ignore[attr-defined]  # private, and the only way to wait for all threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    print(f"error: ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    sys.exit(128 + number)  # a shell's exit code of a program that a signal ended


def checkout_of(program: str) -> str | None:
    """The checkout that a program in scripts/ belongs to; None for any other program.

    A job whose environment was cleaned knows neither PYTHONPATH nor MTBRIDGE_HOME, but it still has the program's path.
    """
    folder = Path(program).resolve().parent
    return str(folder.parent) if (folder.parent / "workflow" / "mtbridge").is_dir() else None


def check_home(home: str | None) -> None:
    """Check that this code belongs to the workflow's checkout, because results are recorded with its identity.

    home: the workflow's checkout; None outside a workflow.

    Raises:
        MtbridgeError: this code belongs to another checkout.
    """
    if home and not (Path(home).exists() and os.path.samefile(home, HOME)):
        raise MtbridgeError(
            f"this job's Python ({sys.executable}) has the mtbridge of {HOME}, the workflow is that of {home}; "
            f"run `{sys.executable} -m pip install --no-deps -e {home}`"
        )


def end_with(process: str | None) -> None:
    """End this program by SIGTERM when the workflow's process ends.

    Otherwise jobs of a killed workflow would go on, and write the same files as those of the next one.

    process: the id of the workflow's process. None, or an id that cannot be seen from here (in a container, on a
        cluster's node), is not watched.
    """
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
    """Mark the end of the start-up: collect garbage from now on, and note the CPU time so far.

    A program calls it once, after its heavy imports.
    """
    import gc

    global _start_up
    gc.freeze()  # objects of the imports are never scanned
    gc.enable()
    _start_up = time.process_time()
