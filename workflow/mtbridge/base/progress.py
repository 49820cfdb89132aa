"""Lines in a log that say how far a job is and how long it still takes. They are never part of a result."""

import sys
import time


class Progress:
    """Prints at most one line every `every` seconds: position, time left, and the caller's note."""

    def __init__(self, what: str, total: int, every: float = 5.0):
        self.what, self.total, self.every = what, total, every
        self.start = self.last = time.perf_counter()

    def __call__(self, done: int, note: str = "") -> None:
        """Print that `done` parts of `total` are done; the last part is always printed."""
        now = time.perf_counter()
        if now - self.last < self.every and done < self.total:
            return
        self.last = now
        left = (now - self.start) / max(done, 1) * (self.total - done)
        print(f"{self.what} {done}/{self.total}, {left:.0f} s left {note}".rstrip(), file=sys.stderr, flush=True)
