"""Which GPUs a job on this machine uses. Every job takes GPUs of its own.

Snakemake counts GPUs but does not say which GPU a job gets, so by default all jobs would use the first. A job locks a
file for each of its devices. The kernel frees the lock when the process ends, whatever ended it.
"""

import argparse
import contextlib
import fcntl
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mtbridge.base.errors import MtbridgeError


def installed_gpus() -> list[tuple[str, list[str]]]:
    """This machine's GPUs in the driver's order: (UUID, UUIDs of its MIG instances)."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    gpus: list[tuple[str, list[str]]] = []
    for line in listing.splitlines():
        uuid = re.search(r"UUID: ((?:GPU|MIG)-[^)\s]+)", line)
        if uuid and uuid[1].startswith("GPU"):
            gpus.append((uuid[1], []))
        elif uuid and gpus:  # a MIG instance is listed below its GPU
            gpus[-1][1].append(uuid[1])
    return gpus


def visible_gpus() -> list[str]:
    """The devices that this process may use, by UUID if the driver lists it, in the form of CUDA_VISIBLE_DEVICES."""
    gpus = installed_gpus()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [name for gpu, instances in gpus for name in instances or [gpu]]
    names = []
    for name in (part.strip() for part in visible.split(",")):
        if name in ("", "-1"):  # CUDA ignores this entry and all that follow
            break
        # Two jobs may name one GPU by number and by UUID; their lock must be the same file.
        names.append(gpus[int(name)][0] if name.isdigit() and int(name) < len(gpus) else name)
    return names


def wait_for_gpus(count: int, runs_per_gpu: int = 1, folder: Path | None = None, pause: float = 1.0) -> int:
    """Choose GPUs for this process and its children, wait until they are free, and lock them until this process ends.

    Sets CUDA_VISIBLE_DEVICES. Inside a Slurm job that has no more than `count` GPUs, it changes nothing.

    Args:
        count: how many GPUs; 0 hides all of them.
        runs_per_gpu: how many processes may share a device.
        folder: where the lock files are; default: a folder of this user among the temporary files.
        pause: seconds between two attempts.

    Returns:
        The number of GPUs to use: `count`, or 0 (with a line on stderr) if `count` is 1 and the machine has no GPU.

    Raises:
        MtbridgeError: the machine has fewer than `count`, and `count` is more than one.
    """
    if count == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return 0
    devices = visible_gpus()
    if "SLURM_JOB_ID" in os.environ and len(devices) <= count:
        return count
    if not devices and count == 1:
        print("no GPU on this machine: the CPU is used", file=sys.stderr, flush=True)
        return 0
    if len(devices) < count:
        raise MtbridgeError(f"gpus: {count} in the config, but {len(devices)} on this machine; lower it")
    folder = folder or Path(tempfile.gettempdir()) / f"mtbridge-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    start = last_message = time.monotonic()
    while True:
        gpus = _lock_devices(devices, count, runs_per_gpu, folder)
        if gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
            return count
        if time.monotonic() - last_message > 60:
            last_message = time.monotonic()
            waited = f"{last_message - start:.0f} s"
            print(f"waiting for {count} of {len(devices)} GPUs for {waited}", file=sys.stderr, flush=True)
        time.sleep(pause)


_locks: list[int] = []  # file descriptors, open until the process ends, also across exec


def _lock_devices(devices: list[str], count: int, runs_per_gpu: int, folder: Path) -> list[str]:
    """Lock `count` devices, those with the fewest runs first; an empty list, and no lock, if there are not so many.

    File `<device>.<place>` stands for one of the `runs_per_gpu` places on a device.
    """
    names: list[str] = []
    files: list[int] = []
    for place in range(runs_per_gpu):
        for device in devices:
            if device in names or len(names) == count:
                continue
            name = re.sub(r"[^\w-]", "_", device)
            file = os.open(folder / f"{name}.{place}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                continue
            names.append(device)
            files.append(file)
    if len(names) < count:  # keeping some of them could block another job that waits for several, for ever
        for file in files:
            with contextlib.suppress(OSError):
                os.close(file)
        return []
    for file in files:
        os.set_inheritable(file, True)  # `several_processes.restart` replaces this program by another
    _locks.extend(files)
    return names


def add_gpu_options(parser: argparse.ArgumentParser) -> None:
    """Add --gpus and --runs-per-gpu to a program's parser."""
    parser.add_argument(
        "--gpus", type=int, help="0: the CPU; N: reserve N GPUs; default: use what is there, reserve none"
    )
    parser.add_argument("--runs-per-gpu", type=int, default=1, help="processes that may share a reserved GPU")


def reserve(arguments: argparse.Namespace) -> int:
    """Reserve the GPUs that the options of `add_gpu_options` ask for. Returns the number of GPUs to use."""
    return 1 if arguments.gpus is None else wait_for_gpus(arguments.gpus, arguments.runs_per_gpu)
