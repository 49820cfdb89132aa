"""Pretraining: what each objective shows a model, budgets in tokens, and continued training from a base."""

import itertools
import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.template import Template
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.pretraining import DIRECTIONS as NAMES_OF_DIRECTIONS
from mtbridge.specs.pretraining import OBJECTIVES as NAMES_OF_OBJECTIVES
from mtbridge.training.pretraining.initialization import create
from mtbridge.training.pretraining.objectives import DIRECTIONS, OBJECTIVES, denoise, direction_pairs, samples
from mtbridge.training.pretraining.texts import Sample, Texts, batches, length
from mtbridge.training.resume import StatePlace
from tests.support import pretraining, small
from tests.support.pretraining import make_place, plan


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("pretrain"))


def run(place, out, made, base=None, **more):
    """The weights and the record of a pretraining."""
    record = pretraining.run(place, out, made, base, **more)
    return load_file(out / "model.safetensors"), record


def stream(place, made):
    ids = tokenizers.specials(place / "tokenizer")
    texts = Texts(place / "corpus", ["de", "en"], made.seed, 50)
    return ids, texts, samples(texts, made, ids)


@pytest.mark.parametrize(
    ("family", "objective", "directions"),
    [
        ("bert", "masked_lm", None),
        ("xlm-roberta", "masked_lm", None),
        ("mbart", "denoising", None),
        ("m2m_100", "translation", "all"),
    ],
)
def test_every_objective_lowers_its_loss_and_repeats_itself(place, tmp_path, family, objective, directions):
    made = plan(family, objective, 60, directions)
    weights, record = run(place, tmp_path / "a", made)
    assert record["loss"][-1][1] < 0.9 * record["loss"][0][1]
    again, _ = run(place, tmp_path / "b", plan(family, objective, 60, directions))
    assert all(torch.equal(weights[key], again[key]) for key in weights)


@pytest.mark.parametrize(
    ("family", "objective", "directions"),
    [("bert", "masked_lm", None), ("mbart", "denoising", None), ("m2m_100", "translation", "all")],
)
@pytest.mark.parametrize("number", [1, 11, 20])
def test_interrupted_it_goes_on_and_ends_as_if_undisturbed(
    place, tmp_path, monkeypatch, family, objective, directions, number
):
    made, losses = plan(family, objective, 20, directions), []
    weights, record = run(place, tmp_path / "undisturbed", made)
    loss = OBJECTIVES[objective].loss

    def interrupted(*arguments):
        losses.append(1)
        if len(losses) == number:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(*arguments)

    with monkeypatch.context() as patched:
        patched.setitem(OBJECTIVES, objective, replace(OBJECTIVES[objective], loss=interrupted))
        with pytest.raises(MtbridgeError, match=f"stopped by SIGTERM at step {number} of 20; its state is kept"):
            run(place, tmp_path / "out", made, state=StatePlace(tmp_path / "state"))
    assert not (tmp_path / "out").exists()
    found, again = run(place, tmp_path / "out", made, state=StatePlace(tmp_path / "state"))
    assert all(torch.equal(weights[key], found[key]) for key in weights)
    assert {**again, "seconds": 0} == {**record, "seconds": 0}
    assert not (tmp_path / "state").exists()


def test_interrupted_with_the_dropout_of_its_base_it_ends_as_if_undisturbed(place, tmp_path, monkeypatch):
    run(place, tmp_path / "base", plan(steps=2))
    config = tmp_path / "base/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "dropout": 0.2}))
    made = plan(steps=8)
    weights, _ = run(place, tmp_path / "undisturbed", made, tmp_path / "base")
    loss, losses = OBJECTIVES["denoising"].loss, []

    def interrupted(*arguments):
        losses.append(1)
        if len(losses) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(*arguments)

    with monkeypatch.context() as patched, pytest.raises(MtbridgeError, match="at step 4 of 8"):
        patched.setitem(OBJECTIVES, "denoising", replace(OBJECTIVES["denoising"], loss=interrupted))
        run(place, tmp_path / "out", made, tmp_path / "base", state=StatePlace(tmp_path / "state"))
    found, _ = run(place, tmp_path / "out", made, tmp_path / "base", state=StatePlace(tmp_path / "state"))
    assert all(torch.equal(weights[key], found[key]) for key in weights)


def test_untrained_means_not_a_single_step(place, tmp_path):
    made = plan(objective="none", steps=0)
    weights, record = run(place, tmp_path / "a", made)
    ids = tokenizers.specials(place / "tokenizer")
    new = create("mbart", small.SMALL, ids, tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size(), made.seed)
    assert (record["steps"], record["tokens"]) == (0, 0)
    assert torch.equal(
        weights["model.encoder.layers.0.fc1.weight"], new.state_dict()["model.encoder.layers.0.fc1.weight"]
    )


def test_continued_pretraining_starts_from_its_base(place, tmp_path):
    base, _ = run(place, tmp_path / "base", plan())
    same, _ = run(place, tmp_path / "same", plan(steps=0), tmp_path / "base")
    assert all(torch.equal(base[key], same[key]) for key in base)
    on, _ = run(place, tmp_path / "on", plan(objective="translation", directions="many-to-one"), tmp_path / "base")
    assert not torch.equal(base["model.encoder.layers.0.fc1.weight"], on["model.encoder.layers.0.fc1.weight"])


def test_translation_and_denoising_see_the_same_number_of_tokens(place, tmp_path):
    """The budget is tokens, whatever the lengths of an objective's texts."""
    seen = {}
    for objective, directions in (("denoising", None), ("translation", "english-centric")):
        _, record = run(place, tmp_path / objective, plan(objective=objective, directions=directions, steps=64))
        seen[objective] = record["tokens"]
    assert seen["denoising"] == pytest.approx(64 * 200, rel=0.01)
    assert seen["translation"] == pytest.approx(64 * 200, rel=0.01)


def test_steps_hold_their_tokens_on_average_and_no_text_is_left_out():
    rng = np.random.default_rng(0)
    texts = [Sample(np.zeros(int(n))) for n in rng.integers(3, 120, 4000)]
    made = list(itertools.islice(batches(iter(texts), 500), 16 * 25))
    taken = [length(sample) for batch in made for sample in batch]
    assert sum(taken) == pytest.approx(500 * len(made), abs=120)
    drawn = [length(sample) for sample in texts[: len(taken)]]
    assert sorted(taken) == sorted(drawn), "every text that was drawn is trained on, the longest too"


def test_noise_is_made_of_the_text_that_is_to_be_written(place):
    """Texts longer than a model takes are cut before they are noised, so nothing hidden was never to be seen."""
    made = plan()
    ids, texts, _ = stream(place, made)
    texts.limit = 9
    for source, target, *_ in itertools.islice(samples(texts, made, ids), 100):
        assert set(source.tolist()) - {ids["mask"]} <= set(target.tolist())
        assert len(target) <= 9 + 2


@pytest.mark.parametrize("directions", list(DIRECTIONS))
def test_translation_pairs_are_aligned_and_tagged(place, directions):
    ids, texts, samples = stream(place, plan(objective="translation", directions=directions))
    tag_of = {tag: language for language, tag in ids["languages"].items()}
    seen = set()
    for source, target, *_ in itertools.islice(samples, 200):
        a, b = tag_of[source[0]], tag_of[target[0]]
        seen.add((a, b))
        assert source[-1] == target[-1] == ids["end"]
        line = next(i for i in range(texts.lines) if np.array_equal(texts.line(a, i), source[1:-1]))
        aligned = [i for i in range(texts.lines) if np.array_equal(texts.line(a, i), texts.line(a, line))]
        assert any(np.array_equal(texts.line(b, i), target[1:-1]) for i in aligned)
    assert seen == set(direction_pairs(directions, ("de", "en"), "en"))


def test_directions_are_those_of_their_names():
    def pairs(directions, source_language="en"):
        return set(direction_pairs(directions, ("de", "en", "fr"), source_language))

    assert pairs("many-to-one") == {("de", "en"), ("fr", "en")}
    assert pairs("one-to-many") == {("en", "de"), ("en", "fr")}
    assert pairs("english-centric") == pairs("many-to-one") | pairs("one-to-many")
    assert len(pairs("all")) == 6
    assert pairs("many-to-one", "fr") == {("de", "fr"), ("en", "fr")}


def test_every_objective_and_every_direction_that_may_be_set_is_there():
    assert {*OBJECTIVES, "none"} == set(NAMES_OF_OBJECTIVES)
    assert set(DIRECTIONS) == set(NAMES_OF_DIRECTIONS)


def test_denoising_hides_its_share_and_keeps_the_rest_in_order_within_sentences():
    rng, mask = np.random.default_rng(0), 4
    hidden, total = 0, 0
    for _ in range(300):
        sentences = [np.arange(100, 112), np.arange(200, 209), np.arange(300, 315)]
        noisy = denoise(sentences, 0.35, mask, rng)
        kept = noisy[noisy != mask]
        assert len(set(kept.tolist())) == len(kept)
        assert set(kept.tolist()) <= set(np.concatenate(sentences).tolist())
        for low in (100, 200, 300):
            part = kept[(kept >= low) & (kept < low + 100)]
            assert (np.diff(part) > 0).all()
        # Sentences are moved whole: once one is left, it does not come again.
        order = (kept // 100).tolist()
        assert len([1 for a, b in itertools.pairwise(order) if a != b]) <= 2
        # No two masks stand side by side: each stands for one span.
        assert not ((noisy[1:] == mask) & (noisy[:-1] == mask)).any()
        hidden, total = hidden + 36 - len(kept), total + 36
    assert 0.25 < hidden / total <= 0.36


def test_masked_lm_scores_only_hidden_tokens_at_the_share_asked_for(place, monkeypatch):
    made = plan("bert", "masked_lm", mask_share=0.3)
    ids, _, samples = stream(place, made)
    vocabulary = tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size()
    model = create("bert", small.SMALL, ids, vocabulary, made.seed)
    batch = [next(samples) for _ in range(60)]
    clean = np.concatenate([sample.source[1:-1] for sample in batch])
    scored = []
    original = torch.nn.functional.cross_entropy
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda x, y: scored.append(y) or original(x, y))
    loss = OBJECTIVES["masked_lm"].loss(model, batch, made, ids, np.random.default_rng(0))
    share = len(scored[0]) / len(clean)
    assert 0.25 < share < 0.35
    assert not set(scored[0].tolist()) & {ids["pad"], ids["start"], ids["end"]}
    assert torch.isfinite(loss)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta"])
def test_a_text_of_masked_lm_stands_in_the_template_that_fine_tuning_gives_a_pair(place, family):
    made = plan(family, "masked_lm", sentences=2)
    ids, texts, _ = stream(place, made)
    texts.languages = ["en"]
    model = create(family, small.SMALL, ids, 300, made.seed)
    types = FAMILIES[family].has_token_types(model.config.to_dict())
    pair = Template(FAMILIES[family].pair, {"S": ids["start"], "E": ids["end"], "T": {}}, 52, types)
    batch = [OBJECTIVES["masked_lm"].sample(texts, number, made, ids) for number in (0, 6)]
    lines = [texts.line("en", number) for number in (0, 1, 6, 7)]
    expected, expected_types, _ = pair.assemble(tokenized.Ragged.of(lines), ["en", "en"])
    assert [sample.source.tolist() for sample in batch] == [expected[0].tolist(), expected[1].tolist()]
    seen = {}
    body = model.get_submodule(FAMILIES[family].body)
    body.register_forward_pre_hook(lambda _, args, kwargs: seen.update(kwargs), with_kwargs=True)
    OBJECTIVES["masked_lm"].loss(model, batch, made, ids, np.random.default_rng(0))
    if types:
        for row, length_ in enumerate(expected.lengths):
            assert seen["token_type_ids"][row, :length_].tolist() == expected_types[row].tolist()
            assert not seen["token_type_ids"][row, length_:].any()
    else:
        assert "token_type_ids" not in seen


@pytest.mark.parametrize("limit", [7, 20])
def test_a_pair_of_lines_is_no_longer_than_a_single_text_may_be(place, limit):
    made = plan("xlm-roberta", "masked_lm", sentences=3)
    ids, texts, _ = stream(place, made)
    texts.limit = limit
    assert max(len(next(samples(texts, made, ids))[0]) for _ in range(50)) == limit + 2


@pytest.mark.parametrize(("family", "objective"), [("bert", "masked_lm"), ("mbart", "denoising")])
def test_the_source_language_has_its_share_of_the_texts(place, family, objective):
    def share(source_share):
        made = plan(family, objective, source_share=source_share)
        _, texts, found = stream(place, made)
        drawn, line = [], texts.consecutive
        texts.consecutive = lambda language, *rest: drawn.append(language) or line(language, *rest)
        for _ in range(2000):
            next(found)
        return drawn.count("en") / len(drawn)

    assert share(0.8) == pytest.approx(0.8, abs=0.03)
    assert share(None) == pytest.approx(0.5, abs=0.04)


def test_a_base_of_another_family_is_refused(place, tmp_path):
    run(place, tmp_path / "base", plan("bert", "masked_lm", steps=1))
    with pytest.raises(MtbridgeError, match="family bert, but the model continued from it is mbart"):
        run(place, tmp_path / "on", plan(), tmp_path / "base")


def test_a_loss_that_is_no_number_stops_with_the_step_and_leaves_nothing(place, tmp_path):
    made = plan(steps=20, learning_rate=1e30)
    with pytest.raises(MtbridgeError, match=r"loss is nan at step \d+ of 20"):
        run(place, tmp_path / "a", made)
    assert list(tmp_path.iterdir()) == []
