"""Waiting for what another process does."""

import time


def wait_for(condition, what: str, seconds: float = 60, state=lambda: ""):
    """Ask until the condition holds, and return what it returned. Fails with `what` and the state after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}\n{state()}")
