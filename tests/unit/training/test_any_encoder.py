"""Encoders that no family declares are fine-tuned and predicted with as others are, packed or padded."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.data import tokenizers
from mtbridge.models.extraction import extract_encoder
from mtbridge.specs.recipe import Recipe
from mtbridge.training import prediction
from mtbridge.training.run import finetune
from tests.support import small
from tests.support.architectures import make_checkpoint

# Dropout of the architectures' own differs between packed and padded batches, so it is off (`make_encoder`).
RECIPE = Recipe(learning_rate=2e-3, epochs=3, batch_size=8, max_length=40, dropout=0.0)
TASKS = {task.name: task for task in (small.NC, small.PAIR, small.POS)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    tokenizer = small.make_tokenizer(folder)
    special = tokenizers.specials(tokenizer)
    start, end = special["start"], special["end"]
    special["templates"] = {
        "single": {"pieces": [start, "A", end], "types": [0, 0, 0]},
        "pair": {"pieces": [start, "A", end, "B", end], "types": [0, 0, 0, 1, 1]},
    }
    (tokenizer / "special.json").write_text(json.dumps(special))
    for task in TASKS.values():
        small.write_examples(folder / "train", tokenizer, task, (("train", "en", 60), ("dev", "en", 20)))
        small.write_examples(folder / "evaluation", tokenizer, task, (("test", "de", 10), ("test", "en", 10)), seed=1)
    return folder


def make_encoder(place, model_type):
    if not (place / model_type).exists():
        size = tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size()
        checkpoint = make_checkpoint(place / f"{model_type}-checkpoint", model_type, size)
        config = json.loads((checkpoint / "config.json").read_text())
        config |= {key: 0.0 for key in config if "dropout" in key and isinstance(config[key], float)}
        (checkpoint / "config.json").write_text(json.dumps(config))
        extract_encoder(checkpoint, place / "tokenizer", place / model_type, {"model": model_type})
    return place / model_type


def train(place, encoder, task, out, recipe=RECIPE):
    files = small.run_files(encoder, place / "train", task, out)
    finetune(files, task, recipe, 1, {"model": encoder.name})
    return load_file(files.weights), json.loads(files.record.read_text())


def predict(place, encoder, task, out):
    tokens, examples = place / "evaluation" / f"{task.name}-tokens", place / "evaluation" / f"{task.name}.parquet"
    weights, record = out / "model.safetensors", out / "run.json"
    prediction.predict_examples(encoder, weights, record, tokens, examples, task, out / "predictions.parquet")
    return pq.read_table(out / "predictions.parquet").to_pydict()


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize("model_type", ["modernbert", "umt5", "mpnet", "deberta-v2"])
def test_every_kind_of_input_is_learnt_and_predicted(model_type, task, place, tmp_path):
    encoder = make_encoder(place, model_type)
    _, run = train(place, encoder, task, tmp_path / "run")
    losses = [loss for _, loss in run["loss"]]
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    used, rows = run["embeddings_trained"]
    assert used < rows, "the vocabulary is trimmed"
    assert len(predict(place, encoder, task, tmp_path / "run")["gold"]) == 20


@pytest.mark.parametrize("model_type", ["bert", "modernbert", "umt5"])
def test_padded_batches_train_what_packed_ones_do(model_type, place, tmp_path):
    """An update has the same examples, and a padded encoder the same states."""
    packed = make_encoder(place, model_type)
    padded = tmp_path / "padded"
    shutil.copytree(packed, padded)
    card = json.loads((padded / "card.json").read_text())
    assert card["batches"] == "packed"
    (padded / "card.json").write_text(json.dumps(card | {"batches": "padded"}))
    # A few updates: rounding grows with each.
    recipe = replace(RECIPE, epochs=1, learning_rate=1e-4)
    (one, run), (other, again) = (
        train(place, encoder, small.NC, tmp_path / name, recipe) for encoder, name in ((packed, "a"), (padded, "b"))
    )
    assert run["steps"] == again["steps"] and run["tokens"] == again["tokens"]
    np.testing.assert_allclose([x for _, x in run["loss"]], [x for _, x in again["loss"]], rtol=1e-3)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=2e-4, msg=name)


def test_a_table_that_may_not_be_trimmed_is_trained_whole(place, tmp_path):
    encoder = tmp_path / "whole"
    shutil.copytree(make_encoder(place, "bert"), encoder)
    card = json.loads((encoder / "card.json").read_text())
    (encoder / "card.json").write_text(json.dumps(card | {"embeddings": "whole"}))
    _, run = train(place, encoder, small.NC, tmp_path / "run")
    used, rows = run["embeddings_trained"]
    assert used == rows
    trimmed, _ = train(place, make_encoder(place, "bert"), small.NC, tmp_path / "trimmed")
    one, other = (predict(place, folder, small.NC, tmp_path / out) for folder, out in
                  ((encoder, "run"), (place / "bert", "trimmed")))  # fmt: skip
    np.testing.assert_allclose(one["scores"], other["scores"], atol=1e-4)
    assert trimmed
