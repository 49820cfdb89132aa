"""A training that can be interrupted: its state beside the results, and one process at a time that goes on with it.

Snakemake deletes a failed job's outputs, so the state lies in a folder that is no output. It is written beside its
place and renamed, under a name that says what it is the state of: another recipe, other data or other code never go
on with it. It holds everything that decides what comes next, so the finished run is bit by bit that of a training
that nothing disturbed (on a CPU with as many threads; on a GPU up to the order in which kernels add).
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
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, cannot_write, read_json

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # a cluster's warnings before the end
PATIENCE = 120.0  # seconds that an orphan has to reach the end of its step


def state_name(origin: dict) -> str:
    """A digest of everything that decides a training: its values (for JSON) by name."""
    return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    import numpy
    import torch
    import transformers

    found = {module.__name__: module.__version__ for module in (numpy, torch, transformers)}
    return {"python": platform.python_version(), **found}


def explain_rerun(past, now: dict) -> str:
    """Why a training is made again, from what decided it then (a JSON file, if there is one) and now."""
    if not Path(past).exists():
        return "made for the first time"
    try:
        before = read_json(past)
    except MtbridgeError:
        return "what it was made of before cannot be read"

    def flat(value, name=""):
        if not isinstance(value, dict):
            return {name: value}
        return {key: one for part in value for key, one in flat(value[part], f"{name}.{part}".strip(".")).items()}

    old, new = flat(before), flat(now)
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    short = [
        f"{name} ({old.get(name)} -> {new.get(name)})" if len(str(new.get(name))) < 20 else name for name in changed
    ]
    return f"changed: {', '.join(short)}" if short else "nothing changed: its outputs were gone, or asked for anew"


def optimizer_tensors(optimizer) -> dict:
    """An optimizer's tensors, by names that `load_optimizer` understands."""
    state = optimizer.state_dict()["state"].items()
    return {f"optimizer.{number}.{name}": value for number, one in state for name, value in one.items()}


def load_optimizer(optimizer, tensors: dict) -> None:
    """Put back what `optimizer_tensors` gave; other tensors are left alone."""
    whole_state = optimizer.state_dict()
    for name, value in with_prefix("optimizer.", tensors).items():
        number, _, kind = name.partition(".")
        whole_state["state"].setdefault(int(number), {})[kind] = value
    optimizer.load_state_dict(whole_state)


def with_prefix(prefix: str, tensors: dict) -> dict:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class Interrupted(MtbridgeError):
    """A signal asked to stop."""


class State:
    """The state of one training in `folder`, or, without a folder, no state at all.

    While it is open no other process goes on with the same training. One that does already was left over by a workflow
    that died: it is asked to stop (its state is then taken over), and killed if it does not.
    """

    def __init__(self, folder, name: str = "", every: float = 300.0, claim: bool = True):
        """
        Args:
            folder: made if need be; None: nothing is kept.
            name: what the state is the state of, see `key`.
            every: seconds between two writings.
            claim: False in all but one of the processes that train together; they read the state and hear signals.
        """
        self.folder = Path(folder) if folder else None
        self.every, self.last, self.signal, self._lock = every, time.monotonic(), 0, None
        self._before: dict = {}
        if self.folder:
            self.path = self.folder / f"{name}.safetensors"
        if not self.folder or not claim:
            return
        try:
            self._claim()
            for other in self.folder.iterdir():  # of another recipe or code, or half written when a process was killed
                if other not in (self.path, self.folder / "lock"):
                    shutil.rmtree(other) if other.is_dir() else other.unlink()
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._lock is not None:
            os.close(self._lock)

    def _claim(self) -> None:
        lock, began = self.folder / "lock", time.monotonic()
        while self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever held it may have finished, and removed the folder with the lock in it.
                if lock.exists() and os.fstat(file).st_ino == lock.stat().st_ino:
                    self._lock = file
                    break
            except BlockingIOError:
                self._ask(os.pread(file, 200, 0).decode().split(), time.monotonic() - began)
                time.sleep(0.2)
            except OSError as error:
                print(f"{lock}: cannot be locked ({error}); nothing else may train this", file=sys.stderr, flush=True)
                self._lock = file
                break
            os.close(file)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{socket.gethostname()} {os.getpid()}".encode(), 0)

    def _ask(self, holder: list[str], waited: float) -> None:
        if waited > 2 * PATIENCE:
            raise MtbridgeError(
                f"{self.folder}: another process ({' '.join(holder)}) is at this training and does not end; stop it"
            )
        if len(holder) == 2 and holder[0] == socket.gethostname():
            with_force = waited > PATIENCE
            if waited < 0.2 or with_force:
                print(f"process {holder[1]} is at this training: it is stopped", file=sys.stderr, flush=True)
                try:
                    os.kill(int(holder[1]), signal.SIGKILL if with_force else signal.SIGTERM)
                except ProcessLookupError:
                    pass
                except PermissionError as error:
                    raise MtbridgeError(f"{self.folder}: process {holder[1]} is at this training: {error}") from error

    def listen(self) -> None:
        """From here on a signal to end is noted, and acted upon by who asks `due`."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def ignore_signals(self) -> None:
        """From here on a signal comes too late: this process ends, and says why."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._before = {}

    def _note(self, number, _frame) -> None:
        self.signal = number

    @property
    def due(self) -> bool:
        """Whether the state should be written now: time is up, or a signal came."""
        return bool(self.signal) or (self.folder is not None and time.monotonic() - self.last > self.every)

    def load(self):
        """(tensors, values) of an earlier process, or None."""
        from safetensors import SafetensorError, safe_open

        if not self.folder or not self.path.exists():
            return None
        try:
            with safe_open(str(self.path), framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["values"])  # noqa: SIM118
        except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
            print(f"{self.path}: not readable ({error}); training starts anew", file=sys.stderr, flush=True)
            return None

    def write(self, tensors: dict, values: dict, name: str | None = None) -> None:
        """Keep tensors and values (JSON; floats come back bit by bit). Under another name they are only kept to be
        looked at, until the training is tried again."""
        from safetensors.torch import save_file

        with atomic_write(self.path.with_stem(name) if name else self.path) as file:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()}, file, {"values": json.dumps(values)}
            )
        self.last = time.monotonic()

    def interrupted(self, where: str) -> "Interrupted":
        """The end of a process that a signal has stopped."""
        name = signal.Signals(self.signal).name if self.signal else "a signal to another process"
        kept = f"; its state is kept in {self.folder}, run again to go on" if self.folder else ""
        return Interrupted(f"stopped by {name} at {where}{kept}")

    def remove(self) -> None:
        """The training is over and its outputs are written."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
