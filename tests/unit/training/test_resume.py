"""Interrupted trainings: they go on where they were, end bit by bit as if nothing had happened, and are never two."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.recipe import Recipe
from mtbridge.training import finetuning
from mtbridge.training.resume import StatePlace
from tests.support import small
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
RECIPE = Recipe(learning_rate=5e-3, epochs=3, batch_size=8, max_length=40, dropout=0.2, weight_decay=0.1)
EQUAL = ("loss", "dev", "selected_epoch", "steps", "tokens")
STEPS = 3 * 5


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    small.make_tagging(folder, train=37, dev=12)
    return folder


def train(place, out, recipe=RECIPE, every=300.0):
    files = small.finetune_tagging(place, out, recipe, StatePlace(out / "state", every))
    return load_file(files.weights), json.loads(files.record.read_text())


@pytest.fixture(scope="module")
def undisturbed(place, tmp_path_factory):
    return train(place, tmp_path_factory.mktemp("undisturbed") / "run")


def assert_equal(found, expected):
    weights, run = found
    assert all(torch.equal(weights[name], expected[0][name]) for name in expected[0])
    assert {name: run[name] for name in EQUAL} == {name: expected[1][name] for name in EQUAL}


def after_step(monkeypatch, number, act):
    step = finetuning.Training.step

    def watched(self, chosen):
        step(self, chosen)
        if self.steps == number:
            act()

    monkeypatch.setattr(finetuning.Training, "step", watched)


@pytest.mark.parametrize("number", [1, 4, 5, 6, 10, STEPS - 1])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_keeps_the_state_and_the_next_run_ends_as_if_undisturbed(
    place, tmp_path, monkeypatch, undisturbed, number, name
):
    """Inside an epoch and at its end, before dev is scored (5 steps an epoch)."""
    with monkeypatch.context() as patched:
        after_step(patched, number, lambda: os.kill(os.getpid(), getattr(signal, name)))
        with pytest.raises(MtbridgeError, match=rf"stopped by {name} at step {number} of {STEPS}; its state is kept"):
            train(place, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    found = train(place, tmp_path)
    assert found[1]["resumed_at"] == number
    assert_equal(found, undisturbed)
    assert not (tmp_path / "state").exists()


def test_many_interruptions_are_as_none(place, tmp_path, monkeypatch, undisturbed):
    for number in (2, 3, 7, 11):
        with monkeypatch.context() as patched, pytest.raises(MtbridgeError, match=f"at step {number}"):
            after_step(patched, number, lambda: os.kill(os.getpid(), signal.SIGTERM))
            train(place, tmp_path)
    assert_equal(train(place, tmp_path), undisturbed)


def test_another_recipe_never_goes_on_with_a_state(place, tmp_path, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(MtbridgeError, match="at step 7"):
        after_step(patched, 7, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(place, tmp_path)
    assert train(place, tmp_path, replace(RECIPE, learning_rate=4e-3))[1]["resumed_at"] == 0


def test_a_broken_state_is_named_and_training_starts_anew(place, tmp_path, monkeypatch, undisturbed, capsys):
    with monkeypatch.context() as patched, pytest.raises(MtbridgeError, match="at step 7"):
        after_step(patched, 7, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(place, tmp_path)
    (state,) = (tmp_path / "state").glob("*.safetensors")
    state.write_bytes(state.read_bytes()[:200])
    found = train(place, tmp_path)
    assert f"{state}: not readable" in capsys.readouterr().err
    assert found[1]["resumed_at"] == 0
    assert_equal(found, undisturbed)


def started(place, out, every):
    """The same training as a program of its own."""
    out.mkdir(exist_ok=True)
    command = [
        *(sys.executable, ROOT / "scripts/finetune.py", *small.tagging_flags(place, RECIPE)),
        *("--state", out / "state", "--state-every", str(every / 60)),
        *("--weights", out / "model.safetensors", "--record", out / "run.json"),
    ]  # fmt: skip
    return subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_killed_at_once_it_goes_on_from_the_last_state_kept(place, tmp_path, undisturbed):
    with started(place, tmp_path, every=0) as job:
        wait_for(lambda: any((tmp_path / "state").glob("*.safetensors")), "a state that is kept")
        job.kill()
    with started(place, tmp_path, every=0) as again:
        _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    found = load_file(tmp_path / "model.safetensors"), json.loads((tmp_path / "run.json").read_text())
    assert_equal(found, undisturbed)
    assert found[1]["resumed_at"] == int(re.search(r"going on after step (\d+)", errors)[1]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_to_several_processes_keeps_the_state_and_is_told_once(place, tmp_path, name):
    """The one that has started the others passes it on and outlives it, so that they come to write."""
    recipe = replace(RECIPE, epochs=400, selection="last")
    command = [
        *(sys.executable, "-m", "mtbridge.base.several_processes", "2", ROOT / "scripts/finetune.py"),
        *(*small.tagging_flags(place, recipe), "--state", tmp_path / "state", "--state-every", "0.001"),
        *("--weights", tmp_path / "model.safetensors", "--record", tmp_path / "run.json"),
    ]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True) as job:
        wait_for(lambda: any((tmp_path / "state").glob("*.safetensors")), "a state that is kept")
        job.send_signal(getattr(signal, name))
        _, errors = job.communicate(timeout=120)
    assert job.returncode > 0
    assert errors.count("rror") == 1, errors
    told = re.match(r"error: stopped by .* at step (\d+) of 2000; its state is kept in", errors.splitlines()[-1])
    assert told, errors
    (state,) = (tmp_path / "state").glob("*.safetensors")
    with safe_open(state, "pt") as file:
        assert json.loads(file.metadata()["values"])["steps"] == int(told[1])  # of that moment, not one before
    assert not (tmp_path / "run.json").exists()


def test_a_process_left_over_is_stopped_and_its_state_taken_over(place, tmp_path, monkeypatch, undisturbed):
    code = (
        "import sys, time\nsys.path.insert(0, sys.argv[1])\nfrom mtbridge.training import resume\n"
        "state = resume.State(sys.argv[2], 'x')\nstate.listen()\nprint(1, flush=True)\n"
        "while not state.due: time.sleep(0.05)\nprint('told', flush=True)"
    )
    command = [sys.executable, "-c", code, str(ROOT / "workflow"), str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as orphan:
        assert orphan.stdout.readline() == "1\n"
        assert_equal(train(place, tmp_path), undisturbed)
        assert orphan.stdout.readline() == "told\n"


# ---- Memory, and losses that are none --------------------------------------------------------------------------------


def short_of_memory(monkeypatch, most):
    gradients = finetuning.Training.gradients

    def limited(self, batch, goals, scale):
        if len(batch.lengths) > most:
            gradients(self, batch, goals, scale)  # what was added before memory ran out must not stay
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return gradients(self, batch, goals, scale)

    monkeypatch.setattr(finetuning.Training, "gradients", limited)


def test_out_of_memory_halves_the_pass_and_keeps_the_batch(place, tmp_path, monkeypatch, capsys):
    recipe = replace(RECIPE, dropout=0.0, learning_rate=1e-4)
    whole, run = train(place, tmp_path / "whole", recipe)
    short_of_memory(monkeypatch, 2)
    parts, record = train(place, tmp_path / "parts", recipe)
    assert (run["examples_a_pass"], record["examples_a_pass"], record["steps"]) == (8, 2, run["steps"])
    assert capsys.readouterr().err.count("out of memory") == 2
    for name in whole:
        torch.testing.assert_close(parts[name], whole[name], rtol=0, atol=1e-5, msg=name)


def test_out_of_memory_with_a_single_example_is_an_error(place, tmp_path, monkeypatch):
    short_of_memory(monkeypatch, 0)
    with pytest.raises(MtbridgeError, match=r"out of memory with one example a pass .* lower recipe\.max_length"):
        train(place, tmp_path)


def test_a_training_that_diverged_leaves_its_weights_to_look_at_and_is_not_gone_on_with(place, tmp_path):
    with pytest.raises(MtbridgeError, match=r"mbart, pos, seed 1: loss is .* at step \d+ of 15 \(examples train-"):
        train(place, tmp_path, replace(RECIPE, learning_rate=1e30, clip=1e30))
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"diverged.safetensors", "lock"}
    assert train(place, tmp_path)[1]["resumed_at"] == 0


def test_a_run_says_why_it_was_made(place, tmp_path):
    recipe = replace(RECIPE, epochs=1, selection="last")
    assert train(place, tmp_path, recipe)[1]["why"] == "made for the first time"
    (tmp_path / "run.json").unlink()
    assert train(place, tmp_path, recipe)[1]["why"].startswith("nothing changed")
    other = replace(recipe, learning_rate=4e-3, clip=2.0)
    expected = "changed: recipe.clip (1.0 -> 2.0), recipe.learning_rate (0.005 -> 0.004)"
    assert train(place, tmp_path, other)[1]["why"] == expected
    changed = shutil.copytree(place, tmp_path / "place")
    shutil.rmtree(changed / "pos-tokens")
    small.write_examples(changed, place / "tokenizer", small.POS, (("train", "en", 30), ("dev", "en", 12)), seed=5)
    assert train(changed, tmp_path, other)[1]["why"] == "changed: examples, tokens"
