"""Model families: all of their facts stand in one file, and those are transformers' own."""

import ast
import re
from pathlib import Path

import pytest
import torch

from mtbridge.data import tokenizers
from mtbridge.models.classes import config_class, encoder_class, pretraining_class
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining.initialization import create
from tests.support import small

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "workflow" / "mtbridge"
FACTS = LIBRARY / "specs" / "families.py"
CHOICE_BY_FAMILY = re.compile(r"\b(family|family\.name|model_type)\s*(==|in\s*[(\[{])")


def python_files():
    found = [path for folder in (LIBRARY, ROOT / "scripts") for path in sorted(folder.rglob("*.py"))]
    # The published tables have models by keys, one of which is also a family's name.
    of_tables = LIBRARY / "inference" / "claims" / "published.py"
    return [path for path in found if path not in (FACTS, of_tables)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return small.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_nothing_else_chooses_by_the_name_of_a_family():
    chosen = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in [*python_files(), *sorted((ROOT / "workflow" / "rules").glob("*.smk")), ROOT / "Snakefile"]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if CHOICE_BY_FAMILY.search(line)
    ]
    assert not chosen


def test_nothing_else_names_a_family():
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in FAMILIES
    ]
    assert not named


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_familys_names_are_those_of_its_classes(family, tokenizer):
    assert config_class(family).model_type == family.name
    assert config_class(family)().is_encoder_decoder == family.sequence_to_sequence
    vocabulary = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    whole = create(family.name, small.SMALL, tokenizers.specials(tokenizer), vocabulary, seed=1)
    encoder = encoder_class(family)(whole.config, **family.encoder_arguments)
    assert isinstance(whole, pretraining_class(family))
    weights, found = encoder.state_dict(), whole.state_dict()
    assert family.word_embeddings in weights
    assert set(family.tied_embeddings) <= set(found) | {"shared.weight"}
    inside = next(prefix for prefix in family.prefixes if prefix + family.layer_name(0, "k") in found)
    assert {inside + name for name in weights} <= set(found)
    hidden, inner = small.SMALL.hidden_size, small.SMALL.feedforward
    for layer in range(small.SMALL.layers):
        for matrix in ("k", "q", "v", "out", "fc1", "fc2"):
            shape = {"fc1": (inner, hidden), "fc2": (hidden, inner)}.get(matrix, (hidden, hidden))
            assert weights[family.layer_name(layer, matrix)].shape == shape
    assert family.layer_name(small.SMALL.layers, "k") not in weights
    assert not any(module.p for module in encoder.modules() if isinstance(module, torch.nn.Dropout))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_longest_input_is_the_longest_that_the_encoder_takes(family, tokenizer):
    ids = tokenizers.specials(tokenizer)
    whole = create(family.name, small.SMALL, ids, tokenizers.open_tokenizer(tokenizer).get_vocab_size(), seed=1)
    longest = family.longest_input(whole.config.to_dict(), ids["pad"])
    if "positions" not in family.config_keys:  # no position is the last
        assert longest is None
        longest = 3 * small.SMALL.positions
    else:
        assert longest in (small.SMALL.positions, small.SMALL.positions - 2)
    body = whole.get_submodule(family.body)
    encoder = body.get_encoder() if family.sequence_to_sequence else body
    row = torch.full((1, longest), ids["unknown"])
    assert encoder(input_ids=row).last_hidden_state.shape[1] == longest
    if family.positions_after_padding:
        with pytest.raises((IndexError, RuntimeError)):
            encoder(input_ids=torch.full((1, longest + 1), ids["unknown"]))
