"""Says how far a job is and how long it still takes: a bar on a terminal, lines in a log. It is never part of a result.

Snakemake sends what a program says to a log file, so the bar is for programs that somebody starts by hand.
"""

import os
import sys
import threading
import time
from typing import Any

_open_bars: list[Any] = []


class Progress:
    """Follows `total` parts of a job.

    On a terminal it draws a bar. Elsewhere it prints at most one line every `every` seconds: position, time left, and
    the caller's note.
    """

    def __init__(self, what: str, total: int, every: float = 5.0):
        self.what, self.total, self.every = what, total, every
        self.start = self.last = time.perf_counter()
        self.bar: Any = _bar(what, total) if sys.stderr.isatty() else None

    def __call__(self, done: int, note: str = "") -> None:
        """Say that `done` parts of `total` are done; the last part is always said."""
        if self.bar is not None:
            self._draw(done, note)
            return
        now = time.perf_counter()
        if now - self.last < self.every and done < self.total:
            return
        self.last = now
        left = (now - self.start) / max(done, 1) * (self.total - done)
        print(f"{self.what} {done}/{self.total}, {left:.0f} s left {note}".rstrip(), file=sys.stderr, flush=True)

    def _draw(self, done: int, note: str) -> None:
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(done - self.bar.n)
        if done >= self.total:
            _close(self.bar)


def close_bars() -> None:
    """End the bars of jobs that have not come to their end, so that what is printed next has a line of its own."""
    for bar in reversed(_open_bars):
        _close(bar)


def _bar(what: str, total: int) -> Any:
    from tqdm import tqdm  # comes with huggingface_hub, transformers and datasets

    # No thread that watches bars, and no lock between processes: a program may be a fork, and draws from one thread.
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
    # Some terminals, as that of a container, do not say how wide they are.
    size = {"dynamic_ncols": True} if os.get_terminal_size(sys.stderr.fileno()).columns else {"ncols": 80}
    # A bar inside another one's job goes when it is done (leave=None). Large numbers are bytes of a file.
    bar = tqdm(desc=what, total=total, file=sys.stderr, leave=None, miniters=1, unit_scale=total >= 10**6, **size)
    _open_bars.append(bar)
    return bar


def _close(bar: Any) -> None:
    if bar in _open_bars:
        _open_bars.remove(bar)
        bar.close()
