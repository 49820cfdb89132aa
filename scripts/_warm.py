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
import signal
import socket
import sys

IMPORTED = (
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.metrics", "seqeval.metrics", "tokenizers"),
    *("torch", "torch.nn.functional", "safetensors.torch", "accelerate", "transformers"),
    *(f"transformers.models.{family}" for family in ("bert", "xlm_roberta", "mbart", "m2m_100")),
    *(f"transformers.models.{family}.modeling_{family}" for family in ("bert", "xlm_roberta", "mbart", "m2m_100")),
)


def interpreter() -> str:
    """What tells this Python from another environment's or a container's."""
    found = os.stat(sys.executable)
    return f"{sys.prefix} {found.st_dev} {found.st_ino}"


def elsewhere() -> None:
    """Run this program in a fork of the warm process that MTBRIDGE_WARM names, and exit as it does; return if there is
    none, or if it is another Python's."""
    place = os.environ.pop("MTBRIDGE_WARM", None)
    if not place:
        return
    connection = socket.socket(socket.AF_UNIX)
    try:
        with open(f"{place}.python") as file:
            if file.read() != interpreter():
                return
        connection.connect(place)
        socket.send_fds(connection, [b"."], [0, 1, 2])
    except OSError:
        return
    asked = {"argv": [os.path.abspath(sys.argv[0]), *sys.argv[1:]], "cwd": os.getcwd(), "env": dict(os.environ)}
    connection.sendall(json.dumps(asked).encode() + b"\n")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: connection.send(bytes([number])))
    status = connection.recv(4)
    if not status:
        sys.exit("error: the process that ran this program is gone; run it again")
    code = int.from_bytes(status, "little", signed=True)
    sys.exit(128 - code if code < 0 else code)


def serve(place: str, workflow: int) -> dict:
    """Wait at `place` for programs, until the process `workflow` is gone. Returns only in forks: what one is to run."""
    for module in IMPORTED:
        importlib.import_module(module)
    with open(f"{place}.python", "w") as file:
        file.write(interpreter())
    listener, alive = socket.socket(socket.AF_UNIX), os.pidfd_open(workflow)
    listener.bind(place)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are not waited for here
    while listener in select.select([listener, alive], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            os.close(alive)
            return supervise(connection)
        connection.close()
    os.unlink(place)
    os.unlink(f"{place}.python")
    os.rmdir(os.path.dirname(place))
    sys.exit()


def supervise(connection) -> dict:
    """Fork once more, tell the asker how that ended, and end. Returns only in the second fork: what it is to run."""
    streams = socket.recv_fds(connection, 1, 3)[1]
    with connection.makefile() as lines:
        asked = json.loads(lines.readline())
    worker = os.fork()
    if worker == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return asked
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(worker)
    while ended not in select.select([connection, ended], [], [])[0]:
        try:
            passed_on = connection.recv(1)
        except ConnectionError:
            passed_on = b""
        # Without its asker, who was killed, nobody would know how it ended.
        os.kill(worker, passed_on[0] if passed_on else signal.SIGKILL)
        if not passed_on:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(code.to_bytes(4, "little", signed=True))
    os._exit(0)


def main(place: str, workflow: str) -> None:
    import gc

    gc.disable()  # as in `mtbridge.errors.command`
    asked = serve(place, int(workflow))
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[:] = asked["argv"]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
