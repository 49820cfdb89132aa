"""How a program ends that runs as several processes."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL) if rank else time.sleep(60)", "process 2 of 2 was ended by SIGKILL"),
        # In each of them. `sys.exit(text)` would write the text and the end of its line apart.
        ("print('error: no dev examples', file=sys.stderr, flush=True); sys.exit(1)", "no dev examples"),
        ("1 / (1 - rank)", "process 2 of 2 was ended by exit code 1"),  # behind a traceback
    ],
)
def test_the_first_error_is_the_only_one_and_the_last_line(tmp_path, program, expected):
    (tmp_path / "fails.py").write_text(f"import os, signal, sys, time\nrank = int(os.environ['RANK'])\n{program}\n")
    command = [sys.executable, "-m", "mtbridge.base.several_processes", "2", tmp_path / "fails.py"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {expected}" and done.stderr.count("error: ") == 1


def test_a_program_that_restarts_itself_runs_once_in_each_process_with_its_arguments(tmp_path):
    """Also where the current folder holds a module of the name of one that is needed."""
    (tmp_path / "logging.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "scripts").mkdir()
    program = tmp_path / "scripts" / "program.py"
    program.write_text(
        "import os, sys\nfrom mtbridge.base.several_processes import restart\n"
        "restart(2) if 'RANK' not in os.environ else open(os.environ['RANK'], 'w').write(repr(sys.argv[1:]))\n"
    )
    command = [sys.executable, "scripts/program.py", "a b", "$c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["['a b', '$c']"] * 2
