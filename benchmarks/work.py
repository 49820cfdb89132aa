"""What all benchmarks share: a piece of work with its contenders, and the clock that measures one of them."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Work:
    """Something that several can do.

    A contender is a function of (folder, sizes, clock). It does what must be there anyhow (imports, inputs), then the
    work inside `with clock:`, and returns figures: `values`, what it found, to be compared with the others'; `rate` and
    `unit`, if the work has one; `seconds` and `memory_mb` where the clock's are not the ones that count.
    """

    title: str  # sizes in braces
    contenders: dict[str, Callable]  # the first is this project
    sizes: dict
    quick: dict  # sizes of a trial in seconds, where they differ
    prepare: Callable | None = None  # of (folder, sizes): makes the inputs, once, not timed
    tolerance: float = 0.0  # within which the contenders' values must agree
    often: int = 1  # times as many rounds: what takes a tenth of a second is disturbed by little
    profile: Callable | None = None  # of (folder, sizes): where the time of this project goes, once
    lacking: Callable[[dict], str | None] = lambda sizes: None  # what the machine has not, if the work needs it


class Clock:
    """Wall time of a `with` block in seconds and its peak memory in MB (10⁶ bytes).

    Memory is anonymous resident memory beyond what the process had before, sampled every 5 ms; pages that are mapped
    from files do not count, since the system may drop them. None where /proc/self/status has no such figure. With a
    GPU `gpu_mb` is the peak of what PyTorch allocated there. `cpu_seconds` are this process's, its threads' together.
    """

    seconds: float | None = None
    cpu_seconds: float | None = None
    memory_mb: int | None = None
    gpu_mb: int | None = None

    def __enter__(self):
        self._base = self._peak = anonymous()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        if cuda():
            cuda().reset_peak_memory_stats()
        self._begun, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        if cuda():
            cuda().synchronize()
            self.gpu_mb = round(cuda().max_memory_allocated() / 1e6)
        self.seconds, self.cpu_seconds = time.perf_counter() - self._begun, time.process_time() - self._cpu
        self._done.set()
        self._watcher.join()
        if self._base is not None:
            self.memory_mb = round((max(self._peak, anonymous()) - self._base) / 1e6)

    def _watch(self):
        while self._base is not None and not self._done.wait(0.005):
            self._peak = max(self._peak, anonymous())


def anonymous() -> int | None:
    """Anonymous resident memory of this process in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), None)


def cuda():
    """`torch.cuda`, if torch is there and finds a GPU that it may use."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_available() else None
