"""Programs that hand themselves over to a warm process behave as if they ran by themselves."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

SERVER = """
import sys
from mtbridge.base import warm_start
warm_start.MODULES = ("colorsys", "tempfile")
import tempfile; tempfile.gettempdir()
warm_start.main(*sys.argv[1:])
"""
PROGRAM = """
import fcntl, os, sys, time
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command

def main():
    print(sys.argv[1:], os.getcwd(), repr(os.environ.get("WORD")), "colorsys" in sys.modules, sys.stdin.read())
    if "wait" in sys.argv:
        file = open("lock", "w")
        fcntl.flock(file, fcntl.LOCK_EX)
        print(os.getpid(), flush=True)
        time.sleep(600)
    raise MtbridgeError("told in one line") if "fail" in sys.argv else SystemExit(3)

if __name__ == "__main__":
    command(main)
"""


@pytest.fixture
def warm(tmp_path):
    """The environment of a program that finds a warm process; `workflow` in it is the process it serves."""
    (tmp_path / "place").mkdir()
    place = tmp_path / "place" / "socket"
    workflow = subprocess.Popen(["sleep", "600"])
    server = subprocess.Popen([sys.executable, "-c", SERVER, place, str(workflow.pid)], start_new_session=True)
    known = Path(f"{place}.python")
    wait_for(lambda: known.exists() and known.read_text(), "the warm process")
    yield {**os.environ, "OMP_NUM_THREADS": "1", "MTBRIDGE_WARM": str(place), "WORD": "a 'b' $c\n"}, workflow, server
    workflow.kill()
    workflow.wait()
    server.wait(60)


def program(folder, *arguments, environment, **options):
    (folder / "program.py").write_text(PROGRAM)
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    command = [sys.executable, "program.py", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes, **options)


def free(lock: Path) -> bool:
    with open(lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_it_runs_as_by_itself(tmp_path, warm):
    alone = {key: value for key, value in warm[0].items() if key != "MTBRIDGE_WARM"}
    for arguments, code in ((["a b", "$(c)", ""], 3), (["fail"], 1)):
        asked = [program(tmp_path, *arguments, environment=environment) for environment in (alone, warm[0])]
        told = [one.communicate("typed") for one in asked]
        assert [one.returncode for one in asked] == [code, code]
        assert told[0][0].replace("False", "True") == told[1][0]  # only there the module was imported before
        assert told[0][1] == told[1][1]


def test_signals_reach_it(tmp_path, warm):
    asked = program(tmp_path, "wait", environment=warm[0])
    asked.stdin.close()
    asked.stdout.readline()
    assert int(asked.stdout.readline()) != asked.pid
    asked.send_signal(signal.SIGTERM)
    assert asked.wait(60) == 128 + signal.SIGTERM
    assert "ended by SIGTERM" in asked.stderr.read()
    assert free(tmp_path / "lock")


def test_a_signal_that_comes_with_the_program_is_not_lost(tmp_path, warm):
    (tmp_path / "slow.py").write_text("import time; time.sleep(600)")
    asked = {"argv": [str(tmp_path / "slow.py")], "cwd": str(tmp_path), "env": {}}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(warm[0]["MTBRIDGE_WARM"])
        content = json.dumps(asked).encode()
        socket.send_fds(connection, [len(content).to_bytes(4, "little")], [0, 1, 2])
        connection.sendall(content + bytes([signal.SIGTERM]))
        told = connection.recv(5, socket.MSG_WAITALL)
    assert told[:1] == b"." and int.from_bytes(told[1:], "little", signed=True) == -signal.SIGTERM


def test_it_does_not_outlive_the_one_who_asked(tmp_path, warm):
    asked = program(tmp_path, "wait", environment=warm[0])
    asked.stdin.close()
    asked.stdout.readline()
    asked.stdout.readline()
    assert not free(tmp_path / "lock")
    asked.kill()
    wait_for(lambda: free(tmp_path / "lock"), "the end of the fork")


def test_the_one_who_asked_tells_that_it_was_killed(tmp_path, warm):
    asked = program(tmp_path, "wait", environment=warm[0])
    asked.stdin.close()
    asked.stdout.readline()
    os.kill(int(asked.stdout.readline()), signal.SIGKILL)
    assert asked.wait(60) == 128 + signal.SIGKILL


def test_it_does_not_outlive_the_one_who_watches_it(tmp_path, warm):
    asked = program(tmp_path, "wait", environment=warm[0])
    asked.stdin.close()
    asked.stdout.readline()
    worker = int(asked.stdout.readline())
    watching = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(watching, signal.SIGKILL)
    assert asked.wait(60) == 1 and "run it again" in asked.stderr.read()
    wait_for(lambda: free(tmp_path / "lock"), "the end of the fork")


@pytest.mark.parametrize("odd", [{"OMP_NUM_THREADS": "2"}, {"closed": 0}])
def test_a_program_that_would_run_otherwise_there_runs_where_it_is(tmp_path, warm, odd):
    environment = {**warm[0], **{key: value for key, value in odd.items() if key != "closed"}}
    (tmp_path / "program.py").write_text(PROGRAM.replace("sys.stdin.read()", "0"))
    command = f"exec {sys.executable} program.py" + (" <&-" if "closed" in odd else "")
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "False" in done.stdout and done.returncode == 3


def test_temporary_files_go_where_the_program_was_told(tmp_path, warm):
    (tmp_path / "program.py").write_text(PROGRAM.replace("print(", "import tempfile; print(tempfile.gettempdir(), "))
    command, environment = [sys.executable, "program.py"], {**warm[0], "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, input="", capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)) and "True" in done.stdout


def test_without_a_warm_process_of_this_python_it_runs_where_it_is(tmp_path, warm):
    environment, _, server = warm
    place = Path(environment["MTBRIDGE_WARM"])
    right = Path(f"{place}.python").read_text()
    Path(f"{place}.python").write_text(right + " another")
    asked = program(tmp_path, environment=environment)
    assert "False" in asked.communicate("")[0] and asked.returncode == 3
    Path(f"{place}.python").write_text(right)
    server.kill()
    server.wait()
    asked = program(tmp_path, environment=environment)
    assert "False" in asked.communicate("")[0] and asked.returncode == 3


def test_the_warm_process_ends_with_its_workflow_and_leaves_nothing(tmp_path, warm):
    _, workflow, server = warm
    workflow.kill()
    workflow.wait()
    assert server.wait(60) == 0
    assert not (tmp_path / "place").exists()


def test_a_warm_process_whose_workflow_is_gone_already_leaves_nothing(tmp_path):
    (tmp_path / "place").mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    command = [sys.executable, "-c", SERVER, tmp_path / "place" / "socket", str(gone.pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert len(done.stderr.splitlines()) == 1 and "cold" in done.stderr
    assert not (tmp_path / "place").exists()
