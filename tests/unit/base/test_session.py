"""One workflow at a time works on a study; dates in the future, the jobs' environment and the job rate limit."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mtbridge.base import program, session
from mtbridge.base.errors import MtbridgeError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environment(monkeypatch):
    """The process's environment, as it was again after the test."""
    kept = dict(os.environ)
    yield os.environ
    os.environ.clear()
    os.environ.update(kept)


def test_a_second_workflow_is_refused_until_the_first_ends_however_it_ends(tmp_path):
    results = str(tmp_path / "results")
    code = "import sys, time; from mtbridge.base import session; lock = session.lock(sys.argv[1])"
    code += "; print(1, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code, results], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "1\n"
        with pytest.raises(MtbridgeError, match=rf"another workflow \(.* process {first.pid}\) is at work on it"):
            session.lock(results)
        first.kill()
    session.lock(results).close()


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(MtbridgeError, match=r"results: cannot be written: .*check the folder's space and rights"):
        session.lock(str(tmp_path / "results"))


def test_only_dates_in_the_future_are_corrected_all_to_the_same(tmp_path, capsys):
    names = ("past", "soon", "folder/late", "folder/later")
    (tmp_path / "folder").mkdir()
    now = time.time()
    for name, offset in zip(names, (-1000, 1000, 2000, 3000), strict=True):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (now + offset, now + offset))
    (tmp_path / "link").symlink_to("nowhere")
    session.correct_future_dates(str(tmp_path))
    dates = [(tmp_path / name).stat().st_mtime for name in names]
    assert dates[0] == pytest.approx(now - 1000, abs=1)
    assert len(set(dates[1:])) == 1 and dates[1] <= time.time()
    assert "3 files and folders were dated in the future" in capsys.readouterr().err
    session.correct_future_dates(str(tmp_path))
    assert not capsys.readouterr().err


def test_jobs_find_the_checkouts_library_first_however_often_the_snakefile_is_read(environment):
    environment["PYTHONPATH"] = os.pathsep.join(["/other", "/checkout/workflow"])
    session.set_environment("/checkout")
    first = dict(environment)
    session.set_environment("/checkout")
    assert dict(environment) == first
    assert environment["PYTHONPATH"] == os.pathsep.join(["/checkout/workflow", "/other"])
    assert environment["PATH"].split(os.pathsep)[0] == os.path.dirname(sys.executable)
    assert environment["MTBRIDGE_HOME"] == "/checkout"


@pytest.mark.parametrize("variable", [{}, {"MTBRIDGE_HOME": str(ROOT)}])
def test_code_of_the_workflows_checkout_runs(variable):
    program.check_home(variable.get("MTBRIDGE_HOME"))


def test_a_program_of_another_checkout_does_not_run_where_no_variable_tells(tmp_path):
    for folder in ("scripts", "workflow/mtbridge"):
        (tmp_path / folder).mkdir(parents=True)
    program_file = tmp_path / "scripts/program.py"
    program_file.write_text("from mtbridge.base.program import command; command(lambda: print('it ran'))")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MTBRIDGE")}
    done = subprocess.run([sys.executable, program_file], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "it ran" not in done.stdout
    assert f"the workflow is that of {tmp_path}" in done.stderr


def test_code_of_another_checkout_does_not_run_and_the_error_says_what_to_install(tmp_path):
    script = "from mtbridge.base.program import command; command(lambda: print('it ran'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MTBRIDGE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and str(ROOT) in line and f"pip install --no-deps -e {tmp_path}" in line


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"mtbridge/__init__.py": ""}, "has another mtbridge (/"),
        ({"sitecustomize.py": f"import sys; sys.path.remove({str(ROOT / 'workflow')!r})"}, "mtbridge is not installed"),
    ],
)
def test_a_plan_with_another_library_or_none_is_refused_in_one_line(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "rror" in line]
    assert done.returncode == 1 and len(errors) == 1, done.stderr
    assert errors[0].startswith("error: ") and expected in errors[0] and "make setup" in errors[0]


@pytest.mark.parametrize(
    ("jobs", "gpus", "cold", "warm"),
    [(10, 0, None, True), (10, 0, "0", True), (9, 0, None, False), (10, 1, None, False), (10, 0, "1", False)],
)
def test_a_warm_process_starts_for_many_jobs_without_gpus_unless_it_is_switched_off(
    tmp_path, monkeypatch, jobs, gpus, cold, warm
):
    started = []
    monkeypatch.setattr(session, "start_warm_process", lambda modules: started.append(1))
    monkeypatch.delenv("MTBRIDGE_COLD", raising=False)
    if cold is not None:
        monkeypatch.setenv("MTBRIDGE_COLD", cold)
    session.start(str(tmp_path), SimpleNamespace(), jobs, gpus)
    session._lock.close()
    assert bool(started) == warm


@pytest.mark.parametrize("limited", [False, True])
def test_a_limit_that_the_user_asks_for_stays(tmp_path, monkeypatch, limited):
    monkeypatch.setattr(sys, "argv", ["snakemake", *(["--max-jobs-per-timespan", "1/1m"] if limited else [])])
    scheduler = SimpleNamespace(job_rate_limiter="the limit")
    session.start(str(tmp_path), scheduler, 0, 0)
    session._lock.close()
    assert scheduler.job_rate_limiter == ("the limit" if limited else None)


STUDY = """
from mtbridge.base import session

LOOKS = []

onstart:
    assert type(workflow.scheduler.job_rate_limiter).__name__ == "JobRateLimiter"
    look_again = workflow.scheduler._schedule_reevalutation
    workflow.scheduler._schedule_reevalutation = lambda delay: LOOKS.append(delay) or look_again(delay)
    if config["lift"]:
        session.lift_job_rate_limit(workflow.scheduler)

onsuccess:
    print("looks asked for:", len(LOOKS))

rule all:
    input: expand("{name}.txt", name=list("abcd"))

rule one:
    output: "{name}.txt"
    shell: "echo {wildcards.name} > {output}"
"""


@pytest.mark.slow
def test_snakemake_keeps_looking_at_all_jobs_again_unless_its_rate_limit_is_lifted(tmp_path):
    """Fails where Snakemake renames what is set, or no longer needs it: then `lift_job_rate_limit` can go."""
    looks = {}
    for lift in (0, 1):
        folder = tmp_path / str(lift)
        folder.mkdir()
        (folder / "Snakefile").write_text(STUDY)
        options = ("--cores", "1", "--scheduler", "greedy", "--config", f"lift={lift}")
        command = [sys.executable, "-m", "snakemake", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert [(folder / f"{name}.txt").read_text() for name in "abcd"] == ["a\n", "b\n", "c\n", "d\n"]
        looks[lift] = int(done.stdout.partition("looks asked for:")[2].split()[0])
    assert looks[0] >= 4 and looks[1] == 0


def test_a_target_that_is_no_rule_and_no_file_is_answered_with_the_nearest():
    rules = ["figure1", "table1", "all"]
    for words in ([], ["figure1", "-n"], ["results/a/b.csv"], ["-n", "--config", "study=mini"], ["x.txt", "-n", "odd"]):
        session.check_targets(words, rules)
    with pytest.raises(MtbridgeError, match="'fig1' is no target; did you mean 'figure1'"):
        session.check_targets(["table1", "fig1", "-n"], rules)
    with pytest.raises(MtbridgeError, match="did you mean 'figure1'"):
        session.check_targets(["-n", "-p", "fig1"], rules)
