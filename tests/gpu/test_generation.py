"""Adapting and writing on a GPU: the weights and outputs are those of a CPU. Skipped without one, see test_gpu."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.generation import training, writing
from mtbridge.generation.training import AdaptationFiles, adapt
from mtbridge.generation.writing import OutputFiles, write_outputs
from mtbridge.specs import families
from mtbridge.specs.adaptation import Adaptation, Decoding
from tests.gpu.test_gpu import DEVICE, TRIAL
from tests.support import writing as writing_support
from tests.support.writing import TASK

pytestmark = pytest.mark.skipif(DEVICE.type == "cpu" and not TRIAL, reason="PyTorch finds no GPU here")
PLAN = Adaptation(learning_rate=1e-3, epochs=1, batch_size=8, source_length=24, target_length=12, width=4)
WRITERS = [name for name in writing_support.WRITERS if families.FAMILIES[name].tags]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return writing_support.make_place(tmp_path_factory.mktemp("gpu"))


def adapted(place, family, plan, out):
    out.mkdir()
    files = AdaptationFiles(
        *(place / family, place / "tokenizer", [place / "train.parquet"]),
        *(out / "trained.safetensors", out / "adaptation.json"),
    )
    adapt(files, TASK, plan, 1, {})
    inputs = (files.checkpoint, files.tokenizer, files.weights, files.record, place / "evaluation.parquet")
    write_outputs(OutputFiles(*inputs, out / "outputs.parquet"), TASK, Decoding(longest=6))
    return json.loads(files.record.read_text()), load_file(files.weights), pd.read_parquet(out / "outputs.parquet")


@pytest.mark.parametrize("family", WRITERS)
@pytest.mark.parametrize("method", ["full", "frozen", "adapters", "lora", "prompt"])
def test_an_adaptation_and_its_outputs_are_those_of_the_cpu(place, tmp_path, monkeypatch, family, method):
    plan = replace(PLAN, method=method)
    record, here, outputs = adapted(place, family, plan, tmp_path / "here")
    assert record["device"].split(":")[0] == DEVICE.type
    for module in (training, writing):
        monkeypatch.setattr(module, "device_of", lambda process=0: torch.device("cpu"))
    _, there, expected = adapted(place, family, plan, tmp_path / "there")
    for name, tensor in there.items():
        torch.testing.assert_close(here[name], tensor, rtol=0, atol=2e-4, msg=name)
    # A tie between two words may fall otherwise.
    assert (outputs["output"] == expected["output"]).mean() > 0.9


def test_in_bf16_the_loss_falls_as_in_fp32(place, tmp_path):
    losses = {}
    for precision in ("fp32", "bf16"):
        plan = replace(PLAN, precision=precision, epochs=6, learning_rate=3e-3)
        record, _, _ = adapted(place, "mbart", plan, tmp_path / precision)
        losses[precision] = record["loss"][-1][1]
        assert record["loss"][-1][1] < 0.9 * record["loss"][0][1]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.2)
