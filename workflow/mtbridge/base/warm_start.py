"""Programs that start warm: as forks of a process that has already imported what all of them import.

The server (`main`, one for each workflow) imports torch, transformers and the rest once, and waits. A program calls
`hand_over` first: that sends its arguments, environment and standard streams to the server, forwards signals, and exits
with the exit code of the fork that ran in its place. If there is no usable server, the program runs in its own process.
WARM_START.md, beside this file, explains why this is not shorter.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import warnings
from collections.abc import Iterable, Sequence

# The server also imports the modules that its caller names: those of model families, which take as long as torch.
MODULES = (
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.metrics", "seqeval.metrics", "tokenizers"),
    *(
        "pydantic",
        "pydantic.dataclasses",
        "torch",
        "torch.nn.functional",
        "safetensors.torch",
        "accelerate",
        "transformers",
    ),
)
FORWARDED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def interpreter() -> str:
    """A text that identifies this Python: it differs in every other environment or container."""
    # The mount namespace: in a container the same path may be another Python.
    status = os.stat(sys.executable)
    return f"{sys.prefix} {status.st_dev} {status.st_ino} {os.readlink('/proc/self/ns/mnt')}"


# ---- The program's side ----


def hand_over() -> None:
    """Run this program in a fork of the server that MTBRIDGE_WARM names, and exit as the fork does.

    Returns if there is no server, or if the program would run differently there: under another Python, or with several
    threads (libraries count them when they are imported).
    """
    # Removed, so that the fork, which gets this environment and calls `hand_over` too, does not hand over again.
    path = os.environ.pop("MTBRIDGE_WARM", None)
    if not path or os.environ.get("OMP_NUM_THREADS", "1") != "1":
        return
    connection = socket.socket(socket.AF_UNIX)
    if connection.fileno() < 3 or not _send(path, connection):  # a standard stream is closed: the socket has its number
        connection.close()
        return
    for number in FORWARDED_SIGNALS:  # until here a signal ends this program, and the fork with it
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: connection.send(bytes([number])))
    try:
        status = connection.recv(4)
    except OSError:
        status = b""
    if not status:
        sys.exit("error: the process that ran this program is gone; run it again")
    code = int.from_bytes(status, "little", signed=True)
    sys.exit(128 - code if code < 0 else code)


def _send(path: str, connection: socket.socket) -> bool:
    """Send this program to the server at `path`. Returns whether a fork runs it.

    The message: the length of the JSON (4 bytes) with the three standard streams, then the JSON. The answer is 1 byte.
    """
    program = {"argv": [os.path.abspath(sys.argv[0]), *sys.argv[1:]], "cwd": os.getcwd(), "env": dict(os.environ)}
    content = json.dumps(program).encode()
    try:
        with open(f"{path}.python") as file:
            if file.read() != interpreter():
                return False
        connection.connect(path)
        socket.send_fds(connection, [len(content).to_bytes(4, "little")], [0, 1, 2])
        connection.sendall(content)
        return bool(connection.recv(1))
    except OSError:
        return False


# ---- The server's side ----


def serve(path: str, workflow: int, modules: Sequence[str] = ()) -> dict:
    """Wait at the socket `path` for programs until the process `workflow` is gone, and remove the socket's folder then.

    modules: what is imported beside `MODULES`.

    Returns in forks only: the program that the fork is to run (argv, cwd, env).
    """
    server = os.getpid()
    try:
        alive, listener = os.pidfd_open(workflow), socket.socket(socket.AF_UNIX)
        listener.bind(path)
        for module in (*MODULES, *modules):
            importlib.import_module(module)
        listener.listen(64)
        with open(f"{path}.python", "w") as file:  # until this file exists, programs run in their own process
            file.write(interpreter())
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes forks that have ended; nobody waits for them
        watched: list[socket.socket | int] = [listener, alive]
        while listener in select.select(watched, [], [])[0]:
            connection, _ = listener.accept()
            if _fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                os.close(alive)
                return supervise(connection)
            connection.close()
    except (OSError, ImportError) as error:
        print(f"jobs start cold: {error}", file=sys.stderr)
    finally:
        if os.getpid() == server:
            shutil.rmtree(os.path.dirname(path), ignore_errors=True)
    sys.exit()


def _fork() -> int | None:
    """os.fork, or None if there is no memory for one more process."""
    with contextlib.suppress(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a library has a thread, which forks lack and do not need
        return os.fork()
    return None


def supervise(connection: socket.socket) -> dict:
    """Fork once more, send the program's exit code when that fork ends, and end.

    Returns in the second fork only: the program that it is to run.
    """
    try:
        size, streams, _, _ = socket.recv_fds(connection, 4, 3)
        program = json.loads(connection.recv(int.from_bytes(size, "little"), socket.MSG_WAITALL))
    except (OSError, ValueError):  # the program that handed over is gone
        os._exit(1)
    supervisor, worker = os.getpid(), _fork()
    if worker is None:
        os._exit(1)
    if worker == 0:
        _become_worker(connection, streams, supervisor)
        return program
    for stream in streams:
        os.close(stream)
    with contextlib.suppress(OSError):
        connection.sendall(b".")
    worker_end = os.pidfd_open(worker)  # readable when the worker has ended
    watched: list[socket.socket | int] = [connection, worker_end]
    while worker_end not in select.select(watched, [], [])[0]:
        try:
            number = connection.recv(1)
        except OSError:
            number = b""
        os.kill(worker, number[0] if number else signal.SIGKILL)  # no byte: the program that handed over was killed
        if not number:
            break
    # Negative: the number of the signal that ended the program.
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(code.to_bytes(4, "little", signed=True))
    os._exit(0)


def _become_worker(connection: socket.socket, streams: Iterable[int], supervisor: int) -> None:
    """Replace the standard streams by the program's, and arrange that this process ends with the supervisor."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # without it nobody would learn how this process ended
    if os.getppid() != supervisor:  # it ended before the request to the kernel
        os._exit(1)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)


def main(path: str, workflow: str, *modules: str) -> None:
    """Be the server of the process `workflow` at the socket `path`; in a fork, run a program as `__main__`."""
    import gc
    import tempfile

    gc.disable()  # as in `mtbridge.base.program.command`
    program = serve(path, int(workflow), modules)
    os.chdir(program["cwd"])
    os.environ.clear()
    os.environ.update(program["env"])
    tempfile.tempdir = None  # an import has computed it from the server's environment
    sys.argv[:] = program["argv"]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
