"""Shared by all benchmarks: a piece of work with its contenders, and the clock that measures one of them."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Work:
    """A piece of work that several contenders can do.

    A contender is a function of (folder, sizes, clock). It imports and reads its inputs, then does the work inside
    `with clock:`. It returns a dict: `values`, its result, to be compared with the others'; `rate` and `unit`, if the
    work has a rate; `seconds` and `memory_mb`, to replace those of the clock.
    """

    title: str  # a format string with the names of sizes
    contenders: dict[str, Callable]  # the first is this project
    sizes: dict
    quick: dict  # the sizes that differ in a trial of some seconds
    prepare: Callable | None = None  # (folder, sizes): makes the inputs, once; its time does not count
    tolerance: float = 0.0  # within which the contenders' values must agree
    often: int = 1  # factor on the number of rounds: work of a tenth of a second varies more
    profile: Callable | None = None  # (folder, sizes): where this project's time goes; called once
    lacking: Callable[[dict], str | None] = lambda sizes: None  # what the work needs and the machine does not have


class Clock:
    """Wall time of a `with` block in seconds and its peak memory in MB (10⁶ bytes).

    Memory is anonymous resident memory beyond that of the process before the block, sampled every 5 ms. Pages mapped
    from files do not count, since the system may drop them. It is None where /proc/self/status does not have it.
    `gpu_mb` is the peak of PyTorch's allocations on a GPU. `cpu_seconds` is the sum over the threads of this process.
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
        self._start, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        if cuda():
            cuda().synchronize()  # kernels may still run when Python has launched them all
            self.gpu_mb = round(cuda().max_memory_allocated() / 1e6)
        self.seconds, self.cpu_seconds = time.perf_counter() - self._start, time.process_time() - self._cpu
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
    """`torch.cuda` if torch has been imported and finds a GPU, else None. It imports nothing, which would take time."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_available() else None
