"""Programs that start warm: forked from a process that has already imported what all of them import.

Importing torch and transformers takes seconds, in a study of small models as long as the work. So a workflow that runs
many programs on its own machine starts one process that imports them once, and its jobs hand themselves over to it:
`elsewhere`, called before anything else, sends arguments, environment and standard streams there, passes signals on and
ends with the exit code of the fork that ran in its stead. Whatever is amiss, the program just runs where it is.
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

IMPORTED = (
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.metrics", "seqeval.metrics", "tokenizers"),
    *("torch", "torch.nn.functional", "safetensors.torch", "accelerate", "transformers"),
    *(f"transformers.models.{family}" for family in ("bert", "xlm_roberta", "mbart", "m2m_100")),
    *(f"transformers.models.{family}.modeling_{family}" for family in ("bert", "xlm_roberta", "mbart", "m2m_100")),
)
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def interpreter() -> str:
    """What tells this Python from another environment's or a container's."""
    found = os.stat(sys.executable)
    return f"{sys.prefix} {found.st_dev} {found.st_ino} {os.readlink('/proc/self/ns/mnt')}"


def elsewhere() -> None:
    """Run this program in a fork of the warm process that MTBRIDGE_WARM names, and exit as it does; return if there is
    none, or if it would run otherwise there: under another Python, or with several threads (libraries count them when
    they are imported)."""
    place = os.environ.pop("MTBRIDGE_WARM", None)
    if not place or os.environ.get("OMP_NUM_THREADS", "1") != "1":
        return
    connection = socket.socket(socket.AF_UNIX)
    if connection.fileno() < 3:  # a standard stream is closed, and this would pass for it
        return
    asked = {"argv": [os.path.abspath(sys.argv[0]), *sys.argv[1:]], "cwd": os.getcwd(), "env": dict(os.environ)}
    content = json.dumps(asked).encode()
    try:
        with open(f"{place}.python") as file:
            if file.read() != interpreter():
                return
        connection.connect(place)
        socket.send_fds(connection, [len(content).to_bytes(4, "little")], [0, 1, 2])
        connection.sendall(content)
        if not connection.recv(1):
            return
    except OSError:
        return
    for number in PASSED_ON:  # until here a signal ends this program, and with it the other
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


def serve(place: str, workflow: int) -> dict:
    """Wait at `place` for programs, until the process `workflow` is gone, and remove the folder then. Returns only in
    forks: what one is to run."""
    server = os.getpid()
    try:
        alive, listener = os.pidfd_open(workflow), socket.socket(socket.AF_UNIX)
        listener.bind(place)
        for module in IMPORTED:
            importlib.import_module(module)
        listener.listen(64)
        with open(f"{place}.python", "w") as file:  # until it is there, programs run where they are
            file.write(interpreter())
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are not waited for here
        while listener in select.select([listener, alive], [], [])[0]:
            connection, _ = listener.accept()
            if fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                os.close(alive)
                return supervise(connection)
            connection.close()
    except (OSError, ImportError) as error:
        print(f"jobs start cold: {error}", file=sys.stderr)
    finally:
        if os.getpid() == server:
            shutil.rmtree(os.path.dirname(place), ignore_errors=True)
    sys.exit()


def fork() -> int | None:
    """os.fork, or None where there is no memory for one more process."""
    with contextlib.suppress(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some library has a thread, which forks do without
        return os.fork()
    return None


def supervise(connection) -> dict:
    """Fork once more, tell the asker how that ended, and end. Returns only in the second fork: what it is to run."""
    import ctypes

    try:
        size, streams, _, _ = socket.recv_fds(connection, 4, 3)
        asked = json.loads(connection.recv(int.from_bytes(size, "little"), socket.MSG_WAITALL))
    except (OSError, ValueError):  # the asker is gone
        os._exit(1)
    here, worker = os.getpid(), fork()
    if worker is None:
        os._exit(1)
    if worker == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody would know how it ended
        if os.getppid() != here:
            os._exit(1)
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return asked
    for stream in streams:
        os.close(stream)
    with contextlib.suppress(OSError):
        connection.sendall(b".")
    ended = os.pidfd_open(worker)
    while ended not in select.select([connection, ended], [], [])[0]:
        try:
            passed_on = connection.recv(1)
        except OSError:
            passed_on = b""
        os.kill(worker, passed_on[0] if passed_on else signal.SIGKILL)  # the asker was killed
        if not passed_on:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(code.to_bytes(4, "little", signed=True))
    os._exit(0)


def main(place: str, workflow: str) -> None:
    import gc
    import tempfile

    gc.disable()  # as in `mtbridge.base.errors.command`
    asked = serve(place, int(workflow))
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    tempfile.tempdir = None  # asked for by an import, under the other environment
    sys.argv[:] = asked["argv"]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
