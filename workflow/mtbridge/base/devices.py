"""Which GPUs a job on this machine uses: each job its own, although nobody hands them out.

Snakemake counts GPUs but does not say which; without a word all jobs would use the first. A job holds a lock file for
each of its devices. The kernel frees the lock when the process that holds it ends, however it ends.
"""

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
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    found: list[tuple[str, list[str]]] = []
    for line in listed.splitlines():
        uuid = re.search(r"UUID: ((?:GPU|MIG)-[^)\s]+)", line)
        if uuid and uuid[1].startswith("GPU"):
            found.append((uuid[1], []))
        elif uuid and found:
            found[-1][1].append(uuid[1])
    return found


def visible_gpus() -> list[str]:
    """The devices that this process may use, by UUID where the driver tells it, as CUDA_VISIBLE_DEVICES takes them."""
    every = installed_gpus()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return [name for gpu, instances in every for name in instances or [gpu]]
    names = []
    for name in (part.strip() for part in chosen.split(",")):
        if name in ("", "-1"):  # CUDA ignores what follows
            break
        names.append(every[int(name)][0] if name.isdigit() and int(name) < len(every) else name)
    return names


def wait_for_gpus(count: int, runs_per_gpu: int = 1, folder: Path | None = None, pause: float = 1.0) -> int:
    """Choose GPUs for this process and what it starts, wait until they are free, and hold them until its end.

    Sets CUDA_VISIBLE_DEVICES. Inside a Slurm job that was given no more, nothing is chosen.

    Args:
        count: how many; 0: none are to be seen.
        runs_per_gpu: so many processes may share a device.

    Returns:
        how many there are: `count`, or 0 (with a line on stderr) where one was asked for and the machine has none.

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
    began = told = time.monotonic()
    while True:
        held = _try(devices, count, runs_per_gpu, folder)
        if held:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(held)
            return count
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"waiting for {count} of {len(devices)} GPUs for {told - began:.0f} s", file=sys.stderr, flush=True)
        time.sleep(pause)


_held: list[int] = []  # file descriptors, open until the process ends, also across exec


def _try(devices: list[str], count: int, runs_per_gpu: int, folder: Path) -> list[str]:
    """`count` devices, locked, the emptiest first; or none at all."""
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
    if len(names) < count:
        for file in files:
            with contextlib.suppress(OSError):
                os.close(file)
        return []
    for file in files:
        os.set_inheritable(file, True)
    _held.extend(files)
    return names


def add_gpu_options(parser) -> None:
    """Add --gpus and --runs-per-gpu to a program's parser."""
    parser.add_argument("--gpus", type=int, help="0: the CPU; N: so many, reserved; default: what is there, unreserved")
    parser.add_argument("--runs-per-gpu", type=int, default=1, help="processes that may share a reserved GPU")


def reserve(arguments) -> int:
    """Reserve what the options ask for; the number of GPUs to use."""
    return 1 if arguments.gpus is None else wait_for_gpus(arguments.gpus, arguments.runs_per_gpu)
