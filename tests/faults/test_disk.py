"""A disk that is full or may not be written, a clock that is wrong: one line says so, and nothing half-written stays.

Full disks are small file systems in memory, which only root can mount; a limit on the size of files does for others.
"""

import errno
import os
import resource
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import load_file

from mtbridge.base import files
from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized
from mtbridge.specs.options import to_options
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.specs.recipe import Recipe
from mtbridge.training.resume import StatePlace
from tests.faults.conftest import STUDY
from tests.support import small
from tests.support.kills import results
from tests.workflow.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
RECIPE = Recipe(learning_rate=5e-3, epochs=2, batch_size=8, max_length=40, dropout=0.2)


class Disk:
    """A small file system at a folder; used as a context."""

    def __init__(self, folder: Path, kilobytes: int):
        self.folder, self.kilobytes = folder, kilobytes

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.kilobytes}k", "none", self.folder], capture_output=True
        )
        if done.returncode != 0:
            pytest.skip("no file system can be mounted here: it takes root")
        return self

    def now(self, options: str):
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.folder], check=True)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# ---- One file --------------------------------------------------------------------------------------------------------

VALUES = np.random.default_rng(0).normal(size=40_000)


def tokenizer(path):
    from tokenizers import Tokenizer, models

    Tokenizer(models.WordLevel({str(i): i for i in range(20_000)}, unk_token="0")).save(str(path))


def model(path):
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(**sizes, vocab_size=3000)).save_pretrained(path)


def figure(path):
    import matplotlib.image

    matplotlib.image.imsave(path, VALUES.reshape(200, 200), format="png", dpi=100)


def safetensors(path):
    import safetensors.numpy

    safetensors.numpy.save_file({"a": VALUES}, path)


def torch_safetensors(path):
    import safetensors.torch
    import torch

    safetensors.torch.save_file({"a": torch.from_numpy(VALUES)}, path)


WRITERS = {
    "text": lambda path: path.write_text("x" * 300_000),
    "array": lambda path: np.save(path, VALUES),
    "arrays": lambda path: np.savez(path.open("wb"), a=VALUES),
    "figure": figure,
    "tokenizer": tokenizer,
    "weights": torch_safetensors,
    "states": safetensors,
    "model": model,
}
LARGE = {
    "table": lambda path: files.write_parquet(pa.table({"a": VALUES}), path),
    "record": lambda path: files.write_json(VALUES.tolist(), path),
}


@pytest.fixture
def limited():
    """No file may grow beyond 50 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("what", [*WRITERS, *LARGE])
def test_what_does_not_fit_is_told_in_one_line_and_leaves_the_old_one(tmp_path, limited, what):
    path = tmp_path / "made"
    path.write_text("old")
    with pytest.raises(MtbridgeError, match=r"made: cannot be written: .*; check the folder's space and rights$"):
        write(what, path)
    assert path.read_text() == "old"
    assert everything(tmp_path) == ["made"]


def write(what, path):
    if what in LARGE:
        LARGE[what](path)
    else:
        with files.atomic_write(path) as temporary:
            WRITERS[what](temporary)


def test_on_a_full_and_on_a_read_only_disk_every_kind_of_file_is_told_alike(tmp_path, faults):
    with Disk(tmp_path / "disk", 64) as disk:
        for state in ("full", "read-only"):
            if state == "read-only":
                disk.now("ro")
            for what in [*WRITERS, *LARGE]:
                with (
                    faults.survive(f"file written to a {state} disk"),
                    pytest.raises(MtbridgeError, match=r"made: cannot be written: .* check the folder's space"),
                ):
                    write(what, disk.folder / "made")
                assert everything(disk.folder) == []


def test_an_error_that_is_not_the_disks_keeps_its_own_name(tmp_path):
    with pytest.raises(FileNotFoundError), files.atomic_write(tmp_path / "made"):
        (tmp_path / "missing").read_text()
    with pytest.raises(ValueError, match="3 requested"), files.atomic_write(tmp_path / "made"):
        raise ValueError("3 requested and more written")


def test_content_is_on_the_disk_before_its_name_and_its_name_before_the_program_goes_on(tmp_path, monkeypatch):
    """So that a power cut leaves the old or the new, and nothing made from what is gone."""
    events, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: events.append(os.readlink(f"/proc/self/fd/{handle}")))
    monkeypatch.setattr(os, "replace", lambda old, new: (events.append("renamed"), replace(old, new)))
    with files.atomic_write(tmp_path / "model") as folder:
        (folder / "part").mkdir(parents=True)
        (folder / "part" / "weights").write_text("new")
    settled = [folder / "part", folder / "part" / "weights", folder]
    assert events == [*map(str, settled), "renamed", str(tmp_path)]


# ---- Trainings -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    tokenizer = small.make_tagging(folder, train=37, dev=12)
    tokenized.write_corpus(
        tokenizer, {language: folder / f"{language}.txt" for language in ("de", "en")}, folder / "corpus"
    )
    return folder


def train(place, out):
    return load_file(small.finetune_tagging(place, out, RECIPE, StatePlace(out / "state", 0)).weights)


@pytest.mark.parametrize("call", ["tempfile.mkdtemp", "os.replace"])
def test_a_disk_full_at_any_moment_of_a_training_ends_it_and_with_space_it_goes_on(
    place, tmp_path, monkeypatch, call, faults
):
    expected = train(place, tmp_path / "undisturbed")
    module, name = call.split(".")
    function = getattr(getattr(files, module), name)
    for number in count():
        calls = count()

        def full(*arguments, number=number, calls=calls, **keywords):
            if next(calls) == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0] if arguments else ""))
            return function(*arguments, **keywords)

        out = tmp_path / str(number)
        with monkeypatch.context() as patched:
            patched.setattr(getattr(files, module), name, full)
            try:
                train(place, out)
            except MtbridgeError as error:
                assert "cannot be written" in str(error) and "No space left on device" in str(error)
            else:
                break
        with faults.survive("disk full at a moment of a training"):
            found = train(place, out)
            assert all((found[name] == expected[name]).all() for name in expected)
            assert everything(out) == everything(tmp_path / "undisturbed")
    assert number >= 12, "states, weights and two records are written"


def programs(place, disk: Path) -> dict:
    """Command lines of programs that write to a disk."""
    plan = PretrainingPlan(family="bert", objective="masked_lm", steps=3, tokens_per_step=64, learning_rate=1e-3)
    return {
        "finetune": [
            *("finetune.py", *small.tagging_flags(place, RECIPE)),
            *("--state", disk / "state", "--weights", disk / "weights", "--record", disk / "run.json"),
        ],
        "pretrain": [
            *(
                "pretrain.py",
                "--corpus",
                place / "corpus",
                "--tokenizer",
                place / "tokenizer",
                *to_options(plan),
                *to_options(small.SMALL),
            ),
            *("--state", disk / "state", "--output", disk / "checkpoint"),
        ],
    }


@pytest.mark.parametrize("state", ["full", "read-only"])
@pytest.mark.parametrize("program", ["finetune", "pretrain"])
def test_a_program_on_a_full_or_read_only_disk_says_so_in_one_line(place, tmp_path, program, state, faults):
    with Disk(tmp_path / "disk", 16 if state == "full" else 1024) as disk:
        if state == "read-only":
            disk.now("ro")
        command = [sys.executable, *programs(place, disk.folder)[program]]
        command[1] = ROOT / "scripts" / command[1]
        with faults.survive(f"training on a {state} disk"):
            done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
            assert done.returncode == 1, done.stderr
            error = done.stderr.splitlines()[-1]
            assert "Traceback" not in done.stderr and done.stderr.count("error: /") == 1, done.stderr
            assert error.startswith(f"error: {disk.folder}/") and "cannot be written" in error
            assert not [name for name in everything(disk.folder) if not name.startswith("state")]
            disk.now("rw,size=20m")
            done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


# ---- The workflow ----------------------------------------------------------------------------------------------------

RUNS = [f"results/smoke/scores/default/{model}/pos/seed1.parquet" for model in ("mbart", "mbart-m2m")]


def same(made: Project, undisturbed: Project) -> bool:
    expected, base = results(undisturbed), made.folder / "results/smoke"
    paths = [*base.glob("runs/**/model.safetensors"), *base.glob("predictions/**/*.parquet")]
    return len(paths) == 4 and all(path.read_bytes() == expected[str(path.relative_to(base))] for path in paths)


def told(done) -> list[str]:
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode != 0 and not any("Traceback" in line for line in lines), "\n".join(lines)
    return [line for line in lines if line.strip().startswith("error:")]


def test_a_study_on_a_full_disk_a_read_only_one_and_under_a_wrong_clock_is_that_of_a_good_one(
    undisturbed, tmp_path, faults
):
    made = Project(tmp_path)
    with Disk(made.folder / "results", 1200) as disk:
        with faults.survive("study on a full disk"):
            errors = told(made.snakemake(*RUNS, config=STUDY, check=False))
            assert errors and all("cannot be written" in line and "o space left" in line for line in errors), errors
            disk.now("size=100m")
            made.snakemake(*RUNS, config=STUDY)
            assert same(made, undisturbed)
        with faults.survive("study on a read-only disk"):
            for end in ("parquet", "npz"):
                made.path(f"scores/default/mbart/pos/seed1.{end}").unlink()
            disk.now("ro")
            (error,) = told(made.snakemake(*RUNS, config=STUDY, check=False))
            assert "results/smoke: cannot be written" in error and "Read-only" in error
            disk.now("rw")
            made.snakemake(*RUNS, config=STUDY)
            assert same(made, undisturbed)
        for days in (400, -800):
            with faults.survive("clock of another machine"):
                for path in made.path("").rglob("*"):
                    then = path.lstat().st_mtime + days * 86_400
                    os.utime(path, (then, then))
                assert made.plan(*RUNS, config=STUDY) == {}
                for part in ("runs", "predictions", "scores"):
                    shutil.rmtree(made.path(f"{part}/default/mbart"))
                made.snakemake(*RUNS, config=STUDY)
                assert made.plan(*RUNS, config=STUDY) == {}
                assert same(made, undisturbed)
