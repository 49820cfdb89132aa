"""What only a GPU can show: the same numbers as on a CPU and as without graphs, and that no fault of it ends a run.

Without a GPU all are skipped; MTBRIDGE_GPU_TESTS=cpu runs on the CPU those that can be run there.
"""

import copy
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from mtbridge.data.tokenized import Ragged
from mtbridge.models.classes import encoder_class
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.packing import pack
from mtbridge.representations import states
from mtbridge.specs import families
from mtbridge.specs.recipe import Recipe
from mtbridge.tasks.kinds import IGNORED
from mtbridge.training import cuda_graphs, finetuning, resume
from mtbridge.training.prediction import predict_examples
from mtbridge.training.run import finetune
from tests.support import small

ROOT = Path(__file__).resolve().parents[2]
TRIAL = os.environ.get("MTBRIDGE_GPU_TESTS") == "cpu"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
pytestmark = pytest.mark.skipif(DEVICE.type == "cpu" and not TRIAL, reason="PyTorch finds no GPU here")
GPU_ONLY = pytest.mark.skipif(DEVICE.type == "cpu", reason="PyTorch finds no GPU here")
FAMILIES = pytest.mark.parametrize("family", families.FAMILIES)
PRECISIONS = pytest.mark.parametrize("precision", ["fp32", "bf16"])
RECIPE = Recipe(learning_rate=1e-3, epochs=1, batch_size=8, max_length=48, dropout=0.1, selection="last")
LENGTHS = (3, 48, 17, 48, 30, 1, 9)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Small encoders of every family, without dropout in `<family>`, and the tokens of two tasks."""
    folder = tmp_path_factory.mktemp("gpu")
    tokenizer = small.make_tokenizer(folder)
    for family in families.FAMILIES:
        small.make_encoder(folder, tokenizer, family)
    for task in (small.NC, small.POS):
        small.write_examples(folder, tokenizer, task, (("train", "en", 1600), ("dev", "en", 40), ("test", "de", 40)))
    return folder


def without_dropout(model):
    for module in model.modules():
        for name, value in vars(module).items():
            if "dropout" in name and isinstance(value, float):
                setattr(module, name, 0.0)
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def packed_and_padded(folder, family):
    """The packed encoder and transformers' own with a mask, both training without dropout; a batch for each."""
    kind = families.FAMILIES[family]
    config = AutoConfig.from_pretrained(folder / family, attn_implementation="sdpa")
    for key in kind.layerdrop:
        setattr(config, key, 0.0)
    config.update(kind.encoder_config)
    plain = encoder_class(kind)(config, **kind.encoder_arguments)
    plain.load_state_dict(load_file(folder / family / "model.safetensors"))
    rng = np.random.default_rng(0)
    rows = [rng.integers(10, 100, length).tolist() for length in LENGTHS]
    return load_encoder(folder / family), plain, rows


def states_and_gradients(model, rows, precision, padded, dtype=torch.float32):
    """Last hidden states of all tokens, and the gradients of a weighted sum of them, on the model's device, in fp64."""
    model = without_dropout(copy.deepcopy(model)).to(dtype).train()
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        if padded:
            longest = max(map(len, rows))
            ids = torch.zeros(len(rows), longest, dtype=torch.long)
            mask = torch.zeros(len(rows), longest, dtype=torch.long)
            for number, row in enumerate(rows):
                ids[number, : len(row)] = torch.tensor(row)
                mask[number, : len(row)] = 1
            extra = {}
            if "xlm" in model.config.model_type:  # transformers counts ids other than padding
                ids[mask == 0] = model.config.pad_token_id
            hidden = model(input_ids=ids.to(device), attention_mask=mask.to(device), **extra).last_hidden_state
            hidden = hidden[mask.bool().to(device)]
        else:
            ids, types = Ragged.of(rows), Ragged.of([[0] * len(row) for row in rows], np.int8)
            hidden = forward(model, pack(ids, types, range(len(rows))).to(device))
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=tuple(hidden.shape))).to(device, dtype)
    (hidden.to(dtype) * weights).sum().backward()
    found = [p.grad for _, p in sorted(model.named_parameters()) if p.grad is not None]
    return hidden.detach().double().cpu(), torch.cat([g.double().flatten().cpu() for g in found])


def distance(a, b) -> float:
    return float((a - b).norm() / b.norm())


@PRECISIONS
@FAMILIES
def test_packed_states_and_gradients_are_those_of_padded_ones(place, family, precision):
    """In fp32 up to rounding; in bf16 no farther from those in double precision than the padded ones are."""
    packed, plain, rows = packed_and_padded(place, family)
    exact = states_and_gradients(plain, rows, "fp32", True, torch.float64)
    own = states_and_gradients(packed.to(DEVICE), rows, precision, False)
    theirs = states_and_gradients(plain.to(DEVICE), rows, precision, True)
    for ours, other, true in zip(own, theirs, exact, strict=True):
        limit = 1e-5 if precision == "fp32" else max(1.5 * distance(other, true), 1e-3)
        assert distance(ours, true) <= limit, (distance(ours, true), distance(other, true))


def run(place, out, monkeypatch, graphs, recipe=RECIPE, task=small.POS, family="mbart", state=resume.NOWHERE):
    """A fine-tuning; returns its record, its weights, and how many graphs were recorded."""
    monkeypatch.setenv("MTBRIDGE_CUDA_GRAPHS", "1" if graphs else "0")
    made = []

    class Watched(cuda_graphs.GraphedStep):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(finetuning, "GraphedStep", Watched)
    files = small.run_files(place / family, place, task, out)
    finetune(files, task, recipe, 3, {"model": family}, state=state)
    count = len(made[0].graphs or ()) if made else 0
    return json.loads(files.record.read_text()), load_file(files.weights), count


def moved(weights, other, start) -> float:
    """How far two trainings' weights are apart, as a share of how far the second moved from the start."""
    keys = [key for key in other if key in start and start[key].shape == other[key].shape]
    apart = torch.cat([(weights[key] - other[key]).flatten() for key in keys]).norm()
    way = torch.cat([(start[key] - other[key]).flatten() for key in keys]).norm()
    return float(apart / way)


def start_of(place, family):
    return {f"encoder.{key}": value for key, value in load_file(place / family / "model.safetensors").items()}


@GPU_ONLY
@PRECISIONS
@FAMILIES
def test_two_hundred_steps_from_graphs_are_those_without(place, tmp_path, monkeypatch, capsys, family, precision):
    """With dropout: a graph draws the masks that plain steps draw."""
    recipe = replace(RECIPE, precision=precision)
    record, weights, count = run(place, tmp_path / "graphs", monkeypatch, True, recipe, family=family)
    other, eager, none = run(place, tmp_path / "eager", monkeypatch, False, recipe, family=family)
    assert "no CUDA graphs" not in capsys.readouterr().err
    assert count > 0 and none == 0 and record["steps"] == other["steps"] == 200
    losses, others = (np.array(one["loss"])[:, 1] for one in (record, other))
    assert np.abs(losses - others).max() < (2e-3 if record["precision"] == "fp32" else 3e-2), (losses, others)
    assert moved(weights, eager, start_of(place, family)) < (0.02 if record["precision"] == "fp32" else 0.2)


@GPU_ONLY
def test_graphs_that_add_to_gradients_give_the_same(place, tmp_path, monkeypatch, capsys):
    """As several processes use them, which make the update themselves."""
    own = cuda_graphs.GraphedStep.__init__
    with monkeypatch.context() as patched:
        patched.setattr(cuda_graphs.GraphedStep, "__init__", lambda self, *given: own(self, *given[:-1]))
        _, weights, count = run(place, tmp_path / "graphs", patched, True)
    _, eager, _ = run(place, tmp_path / "eager", monkeypatch, False)
    assert count > 0 and "no CUDA graphs" not in capsys.readouterr().err
    assert moved(weights, eager, start_of(place, "mbart")) < 0.02


@GPU_ONLY
def test_a_run_goes_on_from_its_state_as_if_it_had_not_been_stopped(place, tmp_path, monkeypatch):
    state = resume.StatePlace(tmp_path / "state", 3600)
    own = finetuning.Training.step

    def step(self, indices):
        own(self, indices)
        if self.steps == 90:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(finetuning.Training, "step", step)
        with pytest.raises(resume.Interrupted, match="step 90 of 200"):
            run(place, tmp_path / "stopped", patched, True, state=state)
    record, weights, count = run(place, tmp_path / "stopped", monkeypatch, True, state=state)
    _, whole, _ = run(place, tmp_path / "whole", monkeypatch, True)
    assert record["resumed_at"] == 90 and count > 0
    assert moved(weights, whole, start_of(place, "mbart")) < 0.02


@GPU_ONLY
def test_after_a_recording_that_failed_steps_are_plain_and_dropout_works(place, tmp_path, monkeypatch, capsys):
    own = finetuning.Training.gradients

    def waiting(self, batch, targets, scale):
        loss = own(self, batch, targets, scale)
        loss.item()  # not possible in a recording
        return loss

    monkeypatch.setattr(finetuning.Training, "gradients", waiting)
    _, weights, _ = run(place, tmp_path / "graphs", monkeypatch, True)
    assert capsys.readouterr().err.count("no CUDA graphs") == 1
    _, eager, _ = run(place, tmp_path / "eager", monkeypatch, False)
    assert moved(weights, eager, start_of(place, "mbart")) < 0.02, "masks of dropout differ after the failure"
    assert torch.rand(3, device=DEVICE).isfinite().all()


@GPU_ONLY
def test_memory_that_runs_out_halves_the_passes_and_keeps_the_batch(place, tmp_path, monkeypatch, capsys):
    recipe = replace(RECIPE, batch_size=64, dropout=0.0)
    _, expected, _ = run(place, tmp_path / "whole", monkeypatch, False, recipe, small.NC)
    own = finetuning.Training.gradients

    def hungry(self, batch, targets, scale):
        if len(batch.lengths) > 17:
            torch.empty(1 << 50, dtype=torch.uint8, device=DEVICE)  # raises the allocator's own error
        return own(self, batch, targets, scale)

    monkeypatch.setattr(finetuning.Training, "gradients", hungry)
    record, weights, _ = run(place, tmp_path / "halved", monkeypatch, True, recipe, small.NC)
    assert record["examples_a_pass"] == 16 and record["steps"] == 25
    assert "out of memory: 16 examples a pass from here on" in capsys.readouterr().err
    assert moved(weights, expected, start_of(place, "mbart")) < 0.02


@GPU_ONLY
def test_two_runs_share_a_gpu(place, tmp_path):
    """Two programs that ask for the same GPU, with room for two, learn what one alone learns."""
    started = []
    for number in range(3):
        out = tmp_path / str(number)
        out.mkdir()
        command = [sys.executable, ROOT / "scripts/finetune.py", *small.tagging_flags(place, RECIPE)]
        command += ["--weights", out / "model.safetensors", "--record", out / "run.json"]
        command += ["--gpus", "1", "--runs-per-gpu", "2"]
        path = os.pathsep.join([str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path}
        started.append(
            subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        )
        if number == 0:
            assert started[0].wait(120) == 0, started[0].stderr.read()
    for process in started[1:]:
        assert process.wait(240) == 0, process.stderr.read()
    alone, *together = (load_file(tmp_path / str(number) / "model.safetensors") for number in range(3))
    for one in together:
        assert moved(one, alone, start_of(place, "mbart")) < 0.02


@FAMILIES
def test_hidden_states_and_predictions_are_those_of_the_cpu(place, tmp_path, monkeypatch, family):
    texts = {language: (place / f"{language}.txt") for language in ("en", "de")}
    from mtbridge.data import tokenized

    corpus = tmp_path / "corpus"
    tokenized.write_corpus(place / "tokenizer", texts, corpus)
    found, predicted = [], []
    run(place, tmp_path / "run", monkeypatch, True, task=small.NC, family=family)
    for device in (DEVICE, torch.device("cpu")):
        for module in (states, sys.modules[predict_examples.__module__]):
            monkeypatch.setattr(module, "device_of", lambda device=device: device)
        output = states.states_of(load_encoder(place / family), place / family, corpus, list(texts), 48)
        found.append(np.concatenate([output[language].ravel() for language in sorted(output)]))
        path = tmp_path / f"{device.type}.parquet"
        weights, record = tmp_path / "run/model.safetensors", tmp_path / "run/run.json"
        tokens, examples = place / "nc-tokens", place / "nc.parquet"
        predict_examples(place / family, weights, record, tokens, examples, small.NC, path)
        import pyarrow.parquet as pq

        predicted.append(np.array(pq.read_table(path).column("scores").to_pylist()))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=2e-5)
    np.testing.assert_allclose(predicted[0], predicted[1], rtol=0, atol=2e-4)


@GPU_ONLY
def test_a_target_that_is_ignored_is_ignored_on_the_device(place):
    """Filled batches rely on it: the loss of a filled batch is the batch's own."""
    logits = torch.randn(5, 3, device=DEVICE)
    targets = torch.tensor([0, 2, 1, IGNORED, IGNORED], device=DEVICE)
    loss = torch.nn.functional.cross_entropy
    both = [loss(logits[:n], targets[:n], reduction="sum", ignore_index=IGNORED) for n in (3, 5)]
    torch.testing.assert_close(*both)
