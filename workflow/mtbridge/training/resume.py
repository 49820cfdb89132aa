"""The state of a training that can be interrupted, and the lock that lets one process at a time continue it.

Snakemake deletes a failed job's outputs, so the state lies in a folder that is not an output. It is written to a
temporary file and renamed. Its name is a digest of everything that decides the training, so another recipe, other data
or other code never continue it. It has everything that the further steps depend on: the finished run is bit by bit that
of an uninterrupted training (on a CPU with as many threads; on a GPU up to the order in which kernels add).
RESUME.md, beside this file, says why this is not ten lines.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, cannot_write, read_json

if TYPE_CHECKING:
    import torch

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # a cluster sends one of these before it kills a job
PATIENCE = 120.0  # seconds that another process gets to end its step before it is killed


@dataclass(frozen=True)
class StatePlace:
    """The folder for the state of an unfinished training (None: no state is kept), and the seconds between writes."""

    folder: str | Path | None = None
    every: float = 300.0


NOWHERE = StatePlace()


def state_name(origin: dict) -> str:
    """The name of a training's state: a digest of everything that decides the training, as values for JSON."""
    return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that results depend on."""
    import numpy
    import torch
    import transformers

    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def explain_rerun(past: str | Path, now: dict) -> str:
    """Why a training is made again, in one line.

    Args:
        past: JSON file of what decided the training last time; need not exist.
        now: what decides it this time.
    """
    if not Path(past).exists():
        return "made for the first time"
    try:
        before = read_json(past)
    except MtbridgeError:
        return "what it was made of before cannot be read"

    def flat(value: Any, name: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            return {name: value}
        return {key: one for part in value for key, one in flat(value[part], f"{name}.{part}".strip(".")).items()}

    old, new = flat(before), flat(now)
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    short = [
        f"{name} ({old.get(name)} -> {new.get(name)})" if len(str(new.get(name))) < 20 else name for name in changed
    ]
    return f"changed: {', '.join(short)}" if short else "nothing changed: its outputs were gone, or asked for anew"


def optimizer_tensors(optimizer: "torch.optim.Optimizer") -> "dict[str, torch.Tensor]":
    """The tensors of an optimizer's state, by names for `load_optimizer`: optimizer.<parameter>.<tensor>."""
    state = optimizer.state_dict()["state"].items()
    return {f"optimizer.{number}.{name}": value for number, one in state for name, value in one.items()}


def load_optimizer(optimizer: "torch.optim.Optimizer", tensors: "dict[str, torch.Tensor]") -> None:
    """Load the tensors that `optimizer_tensors` returned; those with other names are ignored."""
    state_dict = optimizer.state_dict()
    for name, value in with_prefix("optimizer.", tensors).items():
        number, _, kind = name.partition(".")
        state_dict["state"].setdefault(int(number), {})[kind] = value
    optimizer.load_state_dict(state_dict)


def with_prefix(prefix: str, tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The tensors whose names begin with a prefix, by their names without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class Interrupted(MtbridgeError):
    """A signal asked the process to stop."""


class State:
    """The state of one training in `folder`; without a folder no state is kept.

    While it is open no other process continues the same training. If a process that a dead workflow left behind does,
    it is asked to stop, its state is used, and it is killed if it does not stop.
    """

    def __init__(self, folder: str | Path | None, name: str = "", every: float = 300.0, claim: bool = True):
        """
        Args:
            folder: created if need be; None: no state is kept.
            name: see `state_name`.
            every: seconds between two writes.
            claim: False in all but one of the processes that train together: they only read, and listen to signals.

        Raises:
            MtbridgeError: the folder cannot be written, or another process does not stop.
        """
        self.folder = Path(folder) if folder else None
        self.every, self.last = every, time.monotonic()  # the last write, or the start
        self.signal = 0  # number of the last signal
        self._lock: int | None = None  # file descriptor
        self._handlers: dict[int, Any] = {}  # signal -> its handler before `listen`
        if self.folder:
            self.path = self.folder / f"{name}.safetensors"
        if not self.folder or not claim:
            return
        try:
            self._lock = self._claim(self.folder)
            # Other files are states of another recipe or code, or half written by a process that was killed.
            for other in self.folder.iterdir():
                if other not in (self.path, self.folder / "lock"):
                    shutil.rmtree(other) if other.is_dir() else other.unlink()
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._lock is not None:
            os.close(self._lock)

    def _claim(self, folder: Path) -> int:
        """Wait for the lock and take it, with the name of this process in it; returns its file descriptor."""
        lock, start = folder / "lock", time.monotonic()
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The process before may have finished and removed the folder, and our file then locks nothing.
                if lock.exists() and os.fstat(file).st_ino == lock.stat().st_ino:
                    break
            except BlockingIOError:
                self._ask_to_stop(os.pread(file, 200, 0).decode().split(), time.monotonic() - start)
                time.sleep(0.2)
            except OSError as error:
                # Some network file systems have no locks; that must not prevent a training.
                print(f"{lock}: cannot be locked ({error}); nothing else may train this", file=sys.stderr, flush=True)
                break
            os.close(file)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{socket.gethostname()} {os.getpid()}".encode(), 0)
        return file

    def _ask_to_stop(self, holder: list[str], waited: float) -> None:
        """Ask the process that has the lock (host, process id) to stop; kill it after PATIENCE seconds of waiting."""
        if waited > 2 * PATIENCE:
            raise MtbridgeError(
                f"{self.folder}: another process ({' '.join(holder)}) is at this training and does not end; stop it"
            )
        if len(holder) == 2 and holder[0] == socket.gethostname():
            with_force = waited > PATIENCE
            # Asked once, in the first round of waiting.
            if waited < 0.2 or with_force:
                print(f"process {holder[1]} is at this training: it is stopped", file=sys.stderr, flush=True)
                try:
                    os.kill(int(holder[1]), signal.SIGKILL if with_force else signal.SIGTERM)
                except ProcessLookupError:
                    pass
                except PermissionError as error:
                    raise MtbridgeError(f"{self.folder}: process {holder[1]} is at this training: {error}") from error

    def listen(self) -> None:
        """From here on SIGNALS only set `signal`; the training loop reads `due` and stops at the end of a step."""
        self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}

    def ignore_signals(self) -> None:
        """Ignore SIGNALS from here on: this process is about to end, and must have time to say why."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._handlers = {}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number

    @property
    def due(self) -> bool:
        """Whether the state should be written now: `every` seconds are over, or a signal came."""
        return bool(self.signal) or (self.folder is not None and time.monotonic() - self.last > self.every)

    def load(self) -> "tuple[dict[str, torch.Tensor], dict[str, Any]] | None":
        """(tensors, values) that an earlier process wrote; None if there are none, or if they are not readable."""
        from safetensors import SafetensorError, safe_open

        if not self.folder or not self.path.exists():
            return None
        try:
            with safe_open(str(self.path), framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a handle is no dict)
                return tensors, json.loads(file.metadata()["values"])
        except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
            print(f"{self.path}: not readable ({error}); training starts anew", file=sys.stderr, flush=True)
            return None

    def write(self, tensors: "dict[str, torch.Tensor]", values: dict[str, Any], name: str | None = None) -> None:
        """Write tensors and values (as JSON, which keeps floats bit by bit).

        name: instead of the state's own. Such a file is for people only, and the next training deletes it.
        """
        from safetensors.torch import save_file

        with atomic_write(self.path.with_stem(name) if name else self.path) as file:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()}, file, {"values": json.dumps(values)}
            )
        self.last = time.monotonic()

    def interrupted(self, where: str) -> "Interrupted":
        """The error that ends a process after a signal; `where`: the step."""
        name = signal.Signals(self.signal).name if self.signal else "a signal to another process"
        kept = f"; its state is kept in {self.folder}, run again to go on" if self.folder else ""
        return Interrupted(f"stopped by {name} at {where}{kept}")

    def remove(self) -> None:
        """Delete the folder, once the training's outputs are written."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
