"""How far a job is: a bar on a terminal, lines in a log, and the same results either way."""

import os
import pty
import re
import subprocess
import sys
import termios

import pytest

from mtbridge.base.progress import Progress

JOB = """
import sys, time
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command
from mtbridge.base.progress import Progress

def main():
    progress = Progress("step", 20, every=0.0)
    for done in range(1, 21):
        inner = Progress("predicted", 2, every=0.0)
        inner(1), inner(2)
        progress(done, f"loss {1 / done:.3f}")
        time.sleep(0.03)
        if done == 7 and "fail" in sys.argv:
            raise MtbridgeError("the loss is nan")
    print(sum(range(20)))

command(main)
"""


def on_a_terminal(*arguments, columns: int = 100) -> tuple[str, str, int]:
    """What the job prints on a terminal, its result on a pipe, and its exit code."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, columns))
    with subprocess.Popen([sys.executable, "-c", JOB, *arguments], stdout=subprocess.PIPE, stderr=theirs) as job:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not part:
                break
            parts.append(part)
        out = job.stdout.read().decode()
    os.close(ours)
    return b"".join(parts).decode(), out, job.returncode


def in_a_log(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", JOB, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("columns", [100, 0])
def test_on_a_terminal_one_bar_is_redrawn_and_ends_full(columns):
    screen, out, code = on_a_terminal(columns=columns)
    assert out == "190\n" and code == 0
    bars = re.findall(r"\rstep: +(\d+)%\|", screen)
    assert bars == sorted(bars, key=int) and len(bars) > 3 and bars[-1] == "100"
    assert "20/20" in screen and "loss 0.050" in screen
    # The last line alone tells of the outer job; what was inside it has gone.
    visible = [line.rpartition("\r")[2] for line in screen.replace("\r\n", "\n").split("\n")]
    assert [line.split(":")[0] for line in visible if line.strip()][-2:] == ["step", "time"]


def test_in_a_log_there_are_lines_and_no_bar():
    done = in_a_log()
    lines = [line for line in done.stderr.splitlines() if line.startswith("step")]
    assert done.stdout == "190\n" and "\r" not in done.stderr and len(lines) == 20
    assert all(re.fullmatch(r"step \d+/20, \d+ s left loss \d\.\d{3}", line) for line in lines)
    assert lines[-1] == "step 20/20, 0 s left loss 0.050"


def test_an_error_behind_an_unfinished_bar_has_a_line_of_its_own():
    screen, _, code = on_a_terminal("fail")
    assert code == 1 and re.search(r"\n(\r?\x1b\[A)*\r?error: the loss is nan", screen), repr(screen[-300:])


def test_lines_come_no_oftener_than_asked_and_the_last_one_always(capsys):
    progress = Progress("rows", 3, every=3600)
    for done in (1, 2, 3):
        progress(done)
    assert capsys.readouterr().err == "rows 3/3, 0 s left\n"
