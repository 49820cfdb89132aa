"""One command sets a user's own checkpoint beside its untrained twin: cost, progress, table and page."""

import pytest

from tests.support.checkpoints import make_bert

SIZES = ("train=40", "dev=12", "test=15", "languages=[en,de]", "corpora={parallel: 12}")


@pytest.fixture
def own(smoke, tmp_path):
    """A checkpoint, and tasks laid out as XGLUE."""
    sizes = ("--train", "60", "--dev", "12", "--test", "20", "--lines", "60", "--languages", "de", "en")
    smoke.program("scripts/world.py", *sizes, "--output", str(tmp_path / "own"))
    return str(make_bert(tmp_path / "tiny-bert")), str(tmp_path / "own/xglue")


def test_one_command_ends_with_a_table_and_a_page(smoke, own):
    model, xglue = own
    words = ("scripts/evaluate.py", model, "--xglue", xglue, "--cores", "2", "--config", *SIZES)
    done = smoke.program(*words)
    results = smoke.folder / "results/evaluate-tiny-bert"
    assert done.stdout.startswith("evaluate-tiny-bert: 2 models × 3 tasks × 1 seed")
    assert "core-hours left" in done.stdout and "?" not in done.stdout.splitlines()[3]
    assert "**Table 1.**" in done.stdout and f"Page: {results.resolve()}/report/index.html" in done.stdout
    page = (results / "report/index.html").read_text()
    assert "its untrained twin" in page and "tiny-bert" in page
    cut = "trained on 40 of 60 (NC, POS and NER) English examples for 3 epochs and scored on 15 of 20 (NC, POS and NER)"
    assert page.count(cut) == 2, "before the answers and before the scores"
    # How far it is, and not what every job reads and writes.
    lines = done.stderr.splitlines()
    jobs = [line for line in lines if " jobs, " in line]
    assert jobs and "rule finetune:" not in done.stderr and len(lines) < 150
    again = smoke.program(*words)
    assert "Nothing to be done" in again.stderr + again.stdout


def test_a_job_that_fails_is_still_told_with_its_log(smoke, own, tmp_path):
    model, xglue = own
    broken = tmp_path / "own/xglue/NC/xglue.nc.de.test"
    broken.write_text("one\ttwo\tthree\tfour\tfive\n")
    words = ("scripts/evaluate.py", model, "--xglue", xglue, "--cores", "2", "--config", *SIZES, "name=broken")
    done = smoke.program(*words, check=False)
    assert done.returncode and "xglue.nc.de.test:1" in done.stdout + done.stderr
