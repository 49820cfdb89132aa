"""Fine-tuning: the same run from the same seed, the same batches whoever computes them, and no half of anything."""

import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.specs import families
from mtbridge.specs.recipe import Encoding, Recipe
from mtbridge.training import batches as inputs
from mtbridge.training import prediction
from mtbridge.training.run import finetune
from tests.support import small

ROOT = Path(__file__).resolve().parents[3]
RECIPE = Recipe(learning_rate=5e-3, epochs=3, batch_size=8, max_length=40)
TRAIN = (("train", "en", 60), ("dev", "en", 20))
EVALUATION = (("dev", "de", 10), ("test", "de", 10), ("dev", "en", 10), ("test", "en", 10))
TASKS = {task.name: task for task in (small.NC, small.PAIR, small.POS, small.WPR, small.STS)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetune")
    tokenizer = small.make_tokenizer(folder)
    for family in families.FAMILIES:
        small.make_encoder(folder, tokenizer, family)
    for task in TASKS.values():
        small.write_examples(folder / "train", tokenizer, task, TRAIN)
        small.write_examples(folder / "evaluation", tokenizer, task, EVALUATION, seed=1)
    return folder


def train(place, out, family="mbart", task=small.NC, recipe=RECIPE, seed=1, evaluation=None, **more):
    files = small.run_files(place / family, place / "train", task, out, evaluation)
    finetune(files, task, recipe, seed, {"model": family}, **more)
    return load_file(files.weights), json.loads(files.record.read_text())


def predict(place, out, family="mbart", task=small.NC):
    prediction.predict_examples(
        place / family,
        out / "model.safetensors",
        out / "run.json",
        place / "evaluation" / f"{task.name}-tokens",
        place / "evaluation" / f"{task.name}.parquet",
        task,
        out / "predictions.parquet",
    )
    return pq.read_table(out / "predictions.parquet").to_pydict()


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize("family", ["bert", "mbart"])
def test_every_kind_of_task_is_learnt_and_predicted_in_every_language(place, tmp_path, family, task):
    _, run = train(place, tmp_path, family, task)
    losses = [loss for _, loss in run["loss"]]
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    assert run["steps"] == 3 * 8
    predictions = predict(place, tmp_path, family, task)
    assert len(predictions["gold"]) == 40
    assert set(predictions["language"]) == {"de", "en"}
    for predicted, scores in zip(predictions["predicted"], predictions["scores"], strict=True):
        if task is small.STS:
            assert [predicted] == scores
        elif task is small.POS:
            assert all(task.labels[int(np.argmax(s))] == p for p, s in zip(predicted, scores, strict=True))
        else:
            assert task.labels[int(np.argmax(scores))] == predicted
            assert sum(scores) == pytest.approx(1, abs=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(place, tmp_path):
    first, _ = train(place, tmp_path / "a", seed=1)
    again, _ = train(place, tmp_path / "b", seed=1)
    other, _ = train(place, tmp_path / "c", seed=2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_english_dev_chooses_the_epoch_and_last_takes_the_last(place, tmp_path):
    _, run = train(place, tmp_path / "a", recipe=replace(RECIPE, epochs=4))
    values = [point["value"] for point in run["dev"]]
    assert len(values) == 4
    assert run["selected_epoch"] == 1 + values.index(max(values))
    _, last = train(place, tmp_path / "b", recipe=replace(RECIPE, epochs=4, selection="last"))
    assert (last["selected_epoch"], last["dev"]) == (4, [])


@pytest.mark.parametrize("selection", ["en_dev", "last"])
@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_a_run_that_has_not_learnt_says_so_in_record_and_log_and_one_that_has_does_not(
    place, tmp_path, capfd, task, selection
):
    recipe = replace(RECIPE, selection=selection)
    _, run = train(place, tmp_path / "a", task=task, recipe=replace(recipe, learning_rate=1e-9))
    assert any(warning.startswith("the training loss ends at") for warning in run["warnings"])
    log = capfd.readouterr().err
    assert all(f"warning: mbart, {task.name}, seed 1: {warning}\n" in log for warning in run["warnings"])
    if task is small.POS:
        _, run = train(place, tmp_path / "b", task=task, recipe=replace(recipe, epochs=10))
        assert run["warnings"] == []


def test_mean_dev_is_the_mean_over_languages(place, tmp_path):
    both = (place / "evaluation" / "nc-tokens", place / "evaluation" / "nc.parquet")
    _, run = train(place, tmp_path, recipe=replace(RECIPE, epochs=1, selection="mean_dev"), evaluation=both)
    predictions = predict(place, tmp_path)
    right = {"de": [], "en": []}
    for language, split, gold, predicted in zip(
        *(predictions[key] for key in ("language", "split", "gold", "predicted")), strict=True
    ):
        if split == "dev":
            right[language].append(gold == predicted)
    assert run["dev"][0]["value"] == pytest.approx(100 * np.mean([np.mean(r) for r in right.values()]), abs=1e-3)


def test_mean_dev_without_the_other_languages_is_refused(place, tmp_path):
    with pytest.raises(MtbridgeError, match="'mean_dev' needs the evaluation examples"):
        train(place, tmp_path, recipe=replace(RECIPE, selection="mean_dev"))


def test_a_loss_that_is_no_number_names_step_and_examples_and_leaves_nothing(place, tmp_path):
    with pytest.raises(MtbridgeError, match=r"seed 1: loss is nan at step \d+ of \d+ \(examples train-\d+, .*lower"):
        train(place, tmp_path, recipe=replace(RECIPE, learning_rate=1e30, clip=1e30))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_label_is_named_with_the_nearest(place, tmp_path):
    with pytest.raises(MtbridgeError, match=r"nc\.parquet: label 'animal' is not among the task's; did you mean 'an"):
        train(place, tmp_path, task=replace(small.NC, labels=("animals", "thing")))


def test_tokens_of_another_tokenizer_are_refused(place, tmp_path):
    meta = place / "train" / "nc-tokens" / "meta.json"
    content = meta.read_text()
    try:
        meta.write_text(json.dumps({**json.loads(content), "tokenizer": "0" * 64}))
        with pytest.raises(MtbridgeError, match="made by another tokenizer"):
            train(place, tmp_path)
    finally:
        meta.write_text(content)


def test_weights_of_another_model_are_refused(place, tmp_path):
    train(place, tmp_path, family="bert")
    with pytest.raises(MtbridgeError, match=r"model\.safetensors: was not trained from .*mbart"):
        predict(place, tmp_path, family="mbart")


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_train_the_same_model_as_one(place, tmp_path, processes):
    """Dropout off: the run does not depend on how many share its batches (60 in sevens: the last one is uneven)."""
    recipe = replace(RECIPE, dropout=0.0, epochs=2, batch_size=7, selection="last")
    alone, run = train(place, tmp_path / "one", task=small.POS, recipe=recipe)
    (tmp_path / "several").mkdir()
    command = [
        *(sys.executable, "-m", "mtbridge.base.several_processes", str(processes)),
        *(ROOT / "scripts/finetune.py", *small.tagging_flags(place, recipe, place / "train")),
        *("--weights", tmp_path / "several/model.safetensors", "--record", tmp_path / "several/run.json"),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((tmp_path / "several/run.json").read_text())
    assert (record["processes"], run["processes"]) == (processes, 1)
    shared = load_file(tmp_path / "several/model.safetensors")
    for key in alone:
        torch.testing.assert_close(shared[key], alone[key], rtol=0, atol=2e-5, msg=key)
    assert record["tokens"] == run["tokens"]
    ours, theirs = (predict(place, tmp_path / name, task=small.POS) for name in ("one", "several"))
    assert ours["predicted"] == theirs["predicted"]


DIVERGING = """
import os, sys
sys.path.insert(0, sys.argv[1] + "/scripts")
from mtbridge.training import finetuning
from mtbridge.base.program import command
import finetune as program

accumulate = finetuning.Training.accumulate_gradients


def diverging(self, rows, scale):
    self.every = 4  # losses are read when all processes have met the first one's
    bad = float("nan") if self.steps == 5 and self.processes.rank == 1 else 1
    loss, updated = accumulate(self, rows, scale * bad)
    return loss * bad, updated


finetuning.Training.accumulate_gradients = diverging
del sys.argv[1]
command(program.main)
"""


@pytest.mark.slow
def test_a_loss_that_is_none_in_one_process_ends_all_and_is_told_once(place, tmp_path):
    (tmp_path / "diverging.py").write_text(DIVERGING)
    recipe = replace(RECIPE, epochs=2, batch_size=8, selection="last")
    command = [
        *(sys.executable, "-m", "mtbridge.base.several_processes", "2"),
        *(tmp_path / "diverging.py", ROOT, *small.tagging_flags(place, recipe, place / "train")),
        *("--weights", tmp_path / "weights", "--record", tmp_path / "run.json", "--state", tmp_path / "state"),
    ]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]  # nothing of torchrun's behind it
    assert done.stderr.count("rror") == 1, done.stderr
    found = re.match(r"error: mbart, pos, seed 1: loss is nan at step 6 of \d+ \(examples (.*) …\); lower", error)
    assert found and re.fullmatch(r"train-\d+(, train-\d+){3}", found[1]), error
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"diverged.safetensors", "lock"}
    assert not (tmp_path / "weights").exists() and not (tmp_path / "run.json").exists()


# ---- Inputs and batches ---------------------------------------------------------------------------------------------


def test_an_epoch_has_every_example_once_whatever_the_batch_and_depends_on_seed_and_epoch_alone():
    lengths = np.random.default_rng(0).integers(3, 90, 1003)
    batches = inputs.epoch_batches(lengths, 32, 1, 2)
    assert sorted(np.concatenate(batches).tolist()) == list(range(1003))
    assert all((a == b).all() for a, b in zip(batches, inputs.epoch_batches(lengths, 32, 1, 2), strict=True))
    assert any(
        len(a) != len(b) or (a != b).any()
        for a, b in zip(batches, inputs.epoch_batches(lengths, 32, 1, 3), strict=True)
    )


def test_evaluation_batches_hold_every_row_once_within_their_budget():
    lengths = np.random.default_rng(0).integers(3, 300, 500)
    batches = inputs.sorted_batches(lengths, 1000)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert all(lengths[batch].sum() <= 1000 for batch in batches)
    assert len(batches) < 1.3 * lengths.sum() / 1000


def test_words_without_a_subword_or_cut_off_keep_the_others_in_place(place, tmp_path):
    """A word may vanish in the tokenizer or lie beyond the maximal length; labels stay with their words."""
    import pandas as pd

    from mtbridge.base.files import write_parquet

    words = ["cat", "\u200b", "dog", *["bird"] * 30, "fish"]
    frame = pd.DataFrame(
        {
            "split": ["train"],
            "language": ["en"],
            "example_id": ["0"],
            "tokens": [words],
            "label": [["NOUN"] * len(words)],
        }
    )
    write_parquet(frame, tmp_path / "pos.parquet")
    tokenized.write_examples(place / "tokenizer", tmp_path / "pos.parquet", small.POS, tmp_path / "tokens")
    encoding = Encoding(max_length=12)
    made = inputs.load_inputs(place / "mbart", tmp_path / "tokens", small.POS, ["en"], encoding)
    positions, ids = np.asarray(made.words[0]), np.asarray(made.ids[0])
    assert len(positions) == len(words)
    assert len(ids) == 12
    library = tokenizers.open_tokenizer(place / "tokenizer")
    for word, position in zip(words, positions, strict=True):
        if position >= 0:
            first = library.encode([word], is_pretokenized=True, add_special_tokens=False).ids[0]
            assert ids[position] == first
    assert positions[-1] == -1
    assert positions[0] == 1
    assert made.batch([0, 0]).first_subwords.tolist() == [p + start for start in (0, 12) for p in positions if p >= 0]
    labels = inputs.example_targets([["NOUN"] * len(words)], small.POS, "x")
    assert len(inputs.batch_targets(made, labels, [0])) == (positions >= 0).sum()


def test_a_truncated_token_file_is_named(place, tmp_path):
    folder, _ = small.write_examples(tmp_path, place / "tokenizer", small.NC, TRAIN)
    file = folder / "tokens.npy"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(MtbridgeError, match=r"tokens\.npy: not readable"):
        inputs.load_inputs(place / "mbart", folder, small.NC, ["en"] * 80, Encoding(max_length=40))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="sets what only glibc has")
def test_memory_once_used_is_not_cleared_again_by_the_kernel():
    code = """
import resource
import numpy as np
from mtbridge.models.kernels import keep_memory
keep_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
first, again = faults(), faults()
assert again < first / 10, (first, again)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
