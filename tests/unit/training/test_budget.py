"""Budgets of pretraining: what is counted, what it costs, and a control that matches another model."""

import json

import numpy as np
import pytest
from torch.utils.flop_counter import FlopCounterMode

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenizers
from mtbridge.models.extraction import extract_encoder
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining import budget
from mtbridge.training.pretraining.initialization import create
from mtbridge.training.pretraining.objectives import OBJECTIVES
from mtbridge.training.pretraining.texts import Sample, encoder_length
from tests.support import small
from tests.support.pretraining import make_place, plan, run


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("budget"))


def test_counts_of_a_batch_leave_padding_out():
    batch = [Sample(np.zeros(3), np.zeros(5)), Sample(np.zeros(4), np.zeros(2))]
    assert budget.count(batch) == {
        "texts": 2,
        "encoder_tokens": 7,
        "decoder_tokens": 7,
        "positions": 2 * (4 + 5),
        "encoder_pairs": 9 + 16,
        "decoder_pairs": 25 + 4,
        "cross_pairs": 15 + 8,
    }
    assert budget.count([Sample(np.zeros(3))])["decoder_tokens"] == 0


def test_a_second_text_of_the_encoder_is_counted_as_one_more_text():
    pair = Sample(np.zeros(3), np.zeros(5), paired=True)
    alone = [Sample(np.zeros(3)), Sample(np.zeros(5))]
    assert budget.count([pair]) == budget.count(alone) and encoder_length(pair) == 8


@pytest.mark.parametrize(
    ("family", "objective"),
    [("bert", "masked_lm"), ("distilbert", "masked_lm"), ("xlm-roberta", "masked_lm"), ("mbart", "translation"),
     ("m2m_100", "translation"), ("t5", "denoising"), ("mt5", "prefix_lm")],
)  # fmt: skip
def test_flops_are_those_that_torch_counts_in_a_batch_without_padding(place, family, objective):
    ids = tokenizers.specials(place / "tokenizer")
    vocabulary = tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size()
    model = create(family, small.SMALL, ids, vocabulary, 1).train()
    model.set_attn_implementation("eager")
    rng = np.random.default_rng(0)
    tokens = lambda n: np.concatenate([[ids["start"]], rng.integers(10, vocabulary, n - 2), [ids["end"]]])
    batch = [Sample(tokens(30), None if objective == "masked_lm" else tokens(20)) for _ in range(50)]
    made = plan(family, objective, directions="all" if objective == "translation" else None)
    with FlopCounterMode(display=False) as counter:
        OBJECTIVES[objective].loss(model, batch, made, ids, rng).backward()
    expected = counter.get_total_flops()
    assert budget.flops(model, FAMILIES[family], budget.count(batch), made.mask_share) == pytest.approx(
        expected, rel=0.02
    )


def test_records_add_up_over_the_chain_of_bases(place, tmp_path):
    first = run(place, tmp_path / "a", plan(steps=32))
    second = run(place, tmp_path / "b", plan(objective="translation", directions="all", steps=16), tmp_path / "a")
    assert first["tokens"] == first["encoder_tokens"] + first["decoder_tokens"]
    assert first["total"] == {key: first[key] for key in budget.SUMMED} and first["flops"] > 0
    assert second["total"] == {key: first[key] + second[key] for key in budget.SUMMED}
    assert 0 < first["padding"] < 0.3 and first["batches"].startswith("padded")


def test_a_base_that_was_made_elsewhere_leaves_the_total_open(place, tmp_path):
    run(place, tmp_path / "a", plan(steps=2))
    (tmp_path / "a/pretraining.json").write_text('["of another project"]')
    assert run(place, tmp_path / "b", plan(steps=2), tmp_path / "a")["total"] is None


def test_the_untrained_model_has_seen_nothing(place, tmp_path):
    record = run(place, tmp_path / "a", plan(objective="none", steps=0))
    assert record["total"] == dict.fromkeys(budget.SUMMED, 0) and record["padding"] == 0


def test_a_control_gets_the_updates_encoder_tokens_and_lines_of_the_model_it_matches(place, tmp_path):
    run(place, tmp_path / "base", plan(steps=4))
    model = run(place, tmp_path / "model", plan(objective="translation", directions="all", steps=64), tmp_path / "base")
    control, free = (
        run(place, tmp_path / name, plan(steps=64, sentences=1), tmp_path / "base", match=match)
        for name, match in (("control", tmp_path / "model"), ("free", None))
    )
    assert control["match"] == "model" and "match" not in free
    assert control["steps"] == model["steps"]
    assert control["encoder_tokens"] == pytest.approx(model["encoder_tokens"], rel=0.005)
    assert abs(free["encoder_tokens"] / model["encoder_tokens"] - 1) > 0.05
    # Every text is a line: its target is as long as the targets of translation are.
    length = [record["decoder_tokens"] / record["texts"] for record in (control, model)]
    assert length[0] == pytest.approx(length[1], rel=0.1)


def test_a_model_that_learnt_nothing_cannot_be_matched(place, tmp_path):
    run(place, tmp_path / "none", plan(objective="none", steps=0))
    with pytest.raises(MtbridgeError, match=r"none/pretraining\.json: has no encoder tokens"):
        run(place, tmp_path / "a", plan(), match=tmp_path / "none")


def test_the_card_states_the_budget_of_a_model_that_is_trained_here(place, tmp_path):
    record = run(place, tmp_path / "a", plan(steps=2))
    for name in ("known", "unknown"):
        extract_encoder(tmp_path / "a", place / "tokenizer", tmp_path / name, {"model": "a"})
        card = json.loads((tmp_path / name / "card.json").read_text())
        if name == "known":
            assert card["pretraining"] == {key: record[key] for key in record if key not in ("loss", "seconds")}
            (tmp_path / "a/pretraining.json").unlink()
        else:
            assert card["pretraining"] is None
