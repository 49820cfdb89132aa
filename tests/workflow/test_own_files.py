"""The user's files, as they lie on disks: dates, folders and languages."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def own(smoke, tmp_path):
    """Settings of a study on parts of speech in the user's own files, and the folder of these files."""
    folder = tmp_path / "xglue" / "POS"
    folder.mkdir(parents=True)
    for language in ("en", "de", "pt_BR"):
        for split in ("train", "dev", "test"):
            (folder / f"{language}.{split}").write_text("Dogs NOUN\nbark VERB\n")
    source = f"task_catalog={{pos: {{source: {{kind: xglue, path: {tmp_path}/xglue}}}}}}"
    return folder, (source, "name=own_files", "tasks=[pos]", "models=[mbart]", "languages=[en,de]")


def test_corrected_files_with_an_older_date_are_read_again_and_a_new_date_alone_changes_nothing(smoke, own):
    folder, config = own
    target = "results/own_files/data/pos/train.parquet"
    smoke.snakemake(target, config=config)
    assert smoke.plan(target, config=config) == {}
    os.utime(folder / "en.train")
    assert smoke.plan(target, config=config) == {}
    (folder / "en.train").write_text("Dogs PROPN\nbark VERB\n")
    os.utime(folder / "en.train", (1_000_000_000, 1_000_000_000))
    assert smoke.plan(target, config=config) == {"train_examples": 1}


def test_a_plan_tells_once_which_languages_of_the_files_are_left_out(smoke, own):
    _, config = own
    done = smoke.snakemake("-n", config=config)
    notes = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("note:")]
    assert notes == ["note: in the files, but not among `languages`, and so left out: pos has pt_BR"]


def test_a_plan_tells_that_a_file_is_missing(smoke, own):
    folder, config = own
    (folder / "en.train").unlink()
    done = smoke.snakemake("-n", config=config, check=False)
    assert done.returncode != 0
    assert "task_catalog.pos.source.path: " in done.stderr and "en.train is missing (en train)" in done.stderr


@pytest.mark.parametrize("directory", [False, True])
def test_snakemake_may_start_in_another_folder(smoke, tmp_path, directory):
    place = tmp_path / "my study"
    place.mkdir()
    target = "results/smoke/data/nc/train.parquet"
    where = ["--directory", str(place)] if directory else []
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(smoke.folder / "Snakefile"), *where]
    done = subprocess.run(
        [*command, target, "--cores", "1", "--config", "study=smoke"],
        cwd=tmp_path if directory else place,
        env={**os.environ, **smoke.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (place / target).exists(), done.stderr


def test_what_world_writes_the_study_local_reads(smoke):
    smoke.program("scripts/world.py", "--train", "60", "--dev", "20", "--test", "20", "--lines", "300", "--output", "w")
    config = ("xglue=w/xglue", "corpus=w/text", "name=world")
    tasks = ("nc", "xnli", "paws-x", "qam", "qadsm", "wpr", "ner", "pos")
    targets = [f"results/world/data/{task}/{part}.parquet" for task in tasks for part in ("train", "evaluation")]
    smoke.snakemake(*targets, study="local", config=config)
    assert all((smoke.folder / target).exists() for target in targets)


def test_a_second_config_option_ends_before_any_job_in_one_line(smoke):
    done = smoke.snakemake("-n", "--config", "tasks=pos", check=False)
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert done.returncode != 0 and len(errors) == 1 and "--config is given twice" in errors[0]
