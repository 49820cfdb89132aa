"""The course of a training, of whatever kind: from its state on disk to its end, in one process or several."""

import sys
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.training import resume
from mtbridge.training.processes import Processes


class Diverged(MtbridgeError):
    """The loss of a step is not finite, or far above that of guessing."""


def restore(training: Any, state: resume.State, processes: Processes) -> None:
    """Continue from the state on disk if all processes could read it."""
    content = state.load()
    if processes.any(content is None) or content is None:
        return
    training.restore(*content)
    if processes.rank == 0:
        print(f"going on after step {training.steps} of {training.total}", file=sys.stderr, flush=True)


def train_to_the_end(training: Any, state: resume.State, processes: Processes, about: dict) -> None:
    """Run a training to its end. Of several processes only the first raises an error; the others exit silently.

    training: with `run(state)`, which raises Diverged or Interrupted in all processes, and the `model` that it trains.
    """
    try:
        training.run(state)
    except (Diverged, resume.Interrupted) as error:
        if isinstance(error, Diverged):
            error = Diverged(f"{about.get('model')}, {error}")
            if state.folder and processes.rank == 0:
                state.write(training.model.state_dict(), {"error": str(error)}, "diverged")
        if processes.count > 1:
            # When the others exit, the launcher ends the first too; it must have time to write the message.
            state.ignore_signals()
        processes.wait()
        if processes.rank != 0:
            sys.exit(1)
        raise error


def peak_memory() -> int:
    """The larger of this process's peak resident memory and its peak memory on the GPU, in MB (2²⁰ bytes)."""
    import resource

    import torch

    # Linux gives ru_maxrss in KB.
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return max(host, torch.cuda.max_memory_allocated() >> 20) if torch.cuda.is_available() else host
