"""Ways of adapting: what each trains and adds, that it begins as nothing, resume, and what is written."""

import json
import os
import shutil
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.generation import training, writing
from mtbridge.generation.inputs import Writer, padded
from mtbridge.generation.methods import Adapted
from mtbridge.generation.training import AdaptationFiles, adapt
from mtbridge.generation.writing import OutputFiles, write_outputs, write_texts
from mtbridge.models.classes import family_of
from mtbridge.specs import families
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.tasks.kinds import IGNORED
from mtbridge.training import resume
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.processes import Processes
from tests.support import small
from tests.support.writing import TASK, WRITERS

METHODS = ("full", "frozen", "adapters", "lora", "prompt")
ADDED = ("adapters", "lora")  # begin as nothing; a prompt does not
PLAN = Adaptation(learning_rate=5e-3, epochs=2, batch_size=8, source_length=24, target_length=12, width=4)
FAMILY = families.FAMILIES
TAGGED = [name for name in WRITERS if FAMILY[name].tags is not None]
EACH = pytest.mark.parametrize("method", METHODS)
FAMILIES = pytest.mark.parametrize("family", WRITERS)


def files(place, family, out):
    out.mkdir(exist_ok=True)
    inputs = (place / family, place / "tokenizer", [place / "train.parquet"])
    return AdaptationFiles(*inputs, out / "trained.safetensors", out / "adaptation.json")


def outputs_of(made, place, output):
    inputs = (made.checkpoint, made.tokenizer, made.weights, made.record, place / "evaluation.parquet")
    return OutputFiles(*inputs, output)


def run(place, family, out, plan=PLAN, state=resume.NOWHERE):
    made = files(place, family, out)
    adapt(made, TASK, plan, 1, {"model": family}, state=state)
    return json.loads(made.record.read_text()), load_file(made.weights)


def adapted(place, family, method):
    torch.manual_seed(0)
    return Adapted(open_checkpoint(place / family), family_of(place / family), replace(PLAN, method=method))


def logits(one, place):
    writer = Writer(place / "tokenizer", one.family)
    rows = [writer.source(np.array(text), language, 20) for text, language in (([9, 10], "en"), ([9], "de"))]
    one.model.eval()
    encoded, mask = one.encode(rows, writer.ids["pad"])
    return one.model(
        encoder_outputs=encoded, attention_mask=mask, decoder_input_ids=torch.tensor([[2, 7, 9]] * 2)
    ).logits


@FAMILIES
@pytest.mark.parametrize("method", ADDED)
def test_what_is_added_changes_nothing_before_it_is_trained(place, family, method):
    with torch.no_grad():
        torch.testing.assert_close(
            logits(adapted(place, family, method), place), logits(adapted(place, family, "full"), place)
        )


@FAMILIES
@pytest.mark.parametrize("method", [method for method in METHODS if method != "prompt"])
def test_packed_sources_are_encoded_as_padded_ones(place, family, method):
    """Against transformers' own encoder with a mask: states and, with all weights trained, gradients."""
    one, writer = adapted(place, family, method), Writer(place / "tokenizer", FAMILY[family])
    plain = open_checkpoint(place / family).eval()
    one.model.eval()
    rows = [writer.source(np.arange(9, 9 + length), "en", 20) for length in (3, 12, 7, 1)]
    encoded, mask = one.encode(rows, writer.ids["pad"])
    ids = padded(rows, writer.ids["pad"])
    assert torch.equal(mask, (ids != writer.ids["pad"]).long())
    expected = plain.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
    torch.testing.assert_close(encoded.last_hidden_state, expected, rtol=0, atol=1e-5)
    if method == "full":
        weight = torch.linspace(-1, 1, expected.numel()).view_as(expected)
        for states in (encoded.last_hidden_state, expected):
            (states * weight).sum().backward()
        for (name, a), (_, b) in zip(one.model.named_parameters(), plain.named_parameters(), strict=True):
            if b.grad is not None:
                torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-5, msg=name)


@FAMILIES
@EACH
def test_a_method_trains_what_it_says_and_leaves_all_else(place, family, method):
    one = adapted(place, family, method)
    before = {name: p.detach().clone() for name, p in one.model.named_parameters()}
    optimizer = torch.optim.SGD(one.trained.values(), 1.0)
    logits(one, place).logsumexp(-1).sum().backward()
    optimizer.step()
    moved = {name for name, p in one.model.named_parameters() if not torch.equal(p, before[name])}
    names = set(one.trained)
    assert moved <= names
    if method == "full":
        assert names == set(before)
    if method == "frozen":
        encoder = {id(p) for p in one.model.get_encoder().parameters()}
        table = one.model.get_input_embeddings().weight
        assert {id(p) for p in one.trained.values()} == encoder - {id(table)}
        assert not table.requires_grad and not one.model.get_output_embeddings().weight.requires_grad
    if method == "adapters":
        assert names and all(".down." in name or ".up." in name for name in names)
        layers = small.SMALL.layers + small.SMALL.decoder_layers
        assert len(names) == 4 * layers
    if method == "lora":
        assert names and all("lora_" in name for name in names)
    if method == "prompt":
        assert names == {"prompt"} and one.trained["prompt"].shape == (PLAN.width, one.model.config.d_model)


def test_the_tag_is_read_and_never_learnt(place):
    writer = Writer(place / "tokenizer", FAMILY["mbart"])
    read, wanted = writer.target(np.array([11, 12]), "de", 12)
    assert read.tolist() == [writer.ids["end"], writer.tag("de"), 11, 12]
    assert wanted.tolist() == [IGNORED, 11, 12, writer.ids["end"]]
    with pytest.raises(MtbridgeError, match="no tag for 'xx'"):
        writer.tag("xx")


def test_a_cut_target_has_its_end_and_a_cut_source_too(place):
    writer = Writer(place / "tokenizer", FAMILY["mbart"])
    read, wanted = writer.target(np.arange(50), "en", 12)
    assert len(read) == len(wanted) == 11 and wanted[-1] == writer.ids["end"]
    source = writer.source(np.arange(50), "en", 12)
    assert len(source) == 12 and source[-1] == writer.ids["end"]


@pytest.mark.parametrize("method", ["full", "prompt"])
def test_a_run_goes_on_from_its_state_to_the_same_weights(place, tmp_path, monkeypatch, method):
    plan, state = replace(PLAN, method=method), resume.StatePlace(tmp_path / "state", 3600)
    own = training.Adapting.step

    def step(self, rows):
        own(self, rows)
        if self.steps == 13:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(training.Adapting, "step", step)
        with pytest.raises(resume.Interrupted, match="step 13 of 24"):
            run(place, "mbart", tmp_path / "stopped", plan, state)
    record, weights = run(place, "mbart", tmp_path / "stopped", plan, state)
    _, whole = run(place, "mbart", tmp_path / "whole", plan)
    assert record["resumed_at"] == 13 and record["steps"] == 24
    assert set(weights) == set(whole)
    for name, tensor in whole.items():
        assert torch.equal(weights[name], tensor), name


def test_a_record_says_what_was_trained(place, tmp_path):
    record, weights = run(place, "mbart", tmp_path / "run", replace(PLAN, method="adapters"))
    trained = sum(tensor.numel() for tensor in weights.values())
    assert record["parameters"]["trained"] == trained < record["parameters"]["model"] / 4
    assert record["optimizer_mb"] == round(12 * trained / 1e6, 3)
    assert record["loss"][-1][0] == record["steps"] == 24


def test_a_loss_that_is_not_finite_stops_by_name(place, tmp_path):
    with pytest.raises(MtbridgeError, match=r"loss is (nan|inf) at step \d+ of 24 \(examples train-"):
        run(place, "mbart", tmp_path / "run", replace(PLAN, learning_rate=1e30))


@FAMILIES
@EACH
def test_outputs_do_not_depend_on_how_texts_are_batched(place, tmp_path, monkeypatch, family, method):
    made = files(place, family, tmp_path / "run")
    adapt(made, TASK, replace(PLAN, method=method, epochs=1), 1, {"model": family})
    tables = []
    for tokens in (writing.TOKENS, 1):
        monkeypatch.setattr(writing, "TOKENS", tokens)
        path = tmp_path / f"{tokens}.parquet"
        write_outputs(outputs_of(made, place, path), TASK, Decoding(longest=8))
        tables.append(pd.read_parquet(path))
    pd.testing.assert_frame_equal(*tables)
    assert (tables[0]["language"] + tables[0]["split"]).value_counts().to_dict() == {
        "entest": 9,
        "detest": 9,
        "endev": 6,
    }
    assert (tables[0]["cut"] == (tables[0]["tokens"] == 8)).all()


def _keeps_searches(found):
    """A `decoding.write` that writes nothing."""

    def write(model, batches, search, progress):
        found.append(search)
        return [[] for _, mask in batches for _ in mask]

    return write


@pytest.mark.parametrize("family", TAGGED)
def test_every_output_begins_with_the_tag_of_its_language(place, monkeypatch, family):
    """And with nothing but the decoder's start where the model is to write the tag itself."""
    one, writer, searches = adapted(place, family, "full"), Writer(place / "tokenizer", FAMILY[family]), []
    monkeypatch.setattr(writing, "write", _keeps_searches(searches))
    for language, force in (("en", True), ("de", True), ("de", False)):
        source = writer.source(np.array([9, 10]), language, 20)
        write_texts(one, writer, [source], language, Decoding(force_language=force))
    end = writer.ids["end"]
    assert [search.prefix for search in searches] == [(end, writer.tag("en")), (end, writer.tag("de")), (end,)]
    assert writer.tag("de") in searches[0].banned and searches[2].banned == ()


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("family", [name for name in WRITERS if name not in TAGGED])
def test_nothing_is_forced_where_a_family_has_no_tags(place, monkeypatch, family, force):
    one, writer, searches = adapted(place, family, "full"), Writer(place / "tokenizer", FAMILY[family]), []
    monkeypatch.setattr(writing, "write", _keeps_searches(searches))
    source = writer.source(np.array([9, 10]), "no such language", 20)
    assert source.tolist() == [9, 10, writer.ids["end"]]
    write_texts(one, writer, [source], "no such language", Decoding(force_language=force))
    assert searches[0].prefix == (writer.ids["pad"],) == (one.model.config.decoder_start_token_id,)
    assert (
        set(searches[0].banned) >= {writer.ids["pad"], writer.tag("de")} and writer.ids["end"] not in searches[0].banned
    )
    read, wanted = writer.target(np.arange(9, 59), "de", 12)
    assert read.tolist() == [writer.ids["pad"], *range(9, 19)] and wanted.tolist() == [*range(9, 19), writer.ids["end"]]


@pytest.mark.parametrize("lengths", [(3, 1, 4, 2), (25, 40, 1, 24)])
@pytest.mark.parametrize("worth", [None, 1.0])
@FAMILIES
def test_the_loss_and_gradients_are_those_of_transformers_on_padded_input(
    place, tmp_path, monkeypatch, family, lengths, worth
):
    """With the tag among the labels masked, an output layer of its own or tied, scaled or not, and its bias; also where
    the decoder reads targets of unequal length one part after another."""
    made = training.Adapting(files(place, family, tmp_path / "run"), TASK, PLAN, 1, Processes())
    if FAMILY[family].output_bias:
        made.adapted.model.get_buffer(FAMILY[family].output_bias).normal_()
    ids, rows = made.writer.ids, [5, 0, 17, 3]
    plain = open_checkpoint(place / family).eval()
    plain.load_state_dict(made.adapted.model.state_dict())
    pairs = [made.examples.pairs[row] for row in rows]
    rng = np.random.default_rng(3)
    for source, target in zip((9, 2, 15, 6), lengths, strict=True):
        texts = rng.integers(8, 140, source), rng.integers(8, 140, target)
        pairs.append((made.writer.source(texts[0], "en", 30), made.writer.target(texts[1], "en", 50)))
    if worth:  # also one part alone is then in the order of lengths
        monkeypatch.setattr(training, "WORTH", worth)
    parts = made._parts(pairs)
    assert len(parts) >= 3 if max(lengths) > 8 else len(parts) == 1 and (parts[0] != sorted(parts[0])) == bool(worth)
    source = padded([source for source, _ in pairs], ids["pad"])
    labels = padded([wanted for _, (_, wanted) in pairs], IGNORED)
    theirs = plain(
        input_ids=source,
        attention_mask=(source != ids["pad"]).long(),
        # A class shifts its labels itself, so those with a tag get the decoder's input too.
        decoder_input_ids=padded([read for _, (read, _) in pairs], ids["pad"]),
        labels=labels,
    ).loss
    ours = made.loss(pairs) / (labels != IGNORED).sum()
    torch.testing.assert_close(ours, theirs)
    ours.backward()
    theirs.backward()
    expected = dict(plain.named_parameters())
    for name, parameter in made.trained.items():
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-4, atol=1e-6)
    if FAMILY[family].tags is None:
        torch.testing.assert_close(
            theirs, plain(input_ids=source, attention_mask=source != ids["pad"], labels=labels).loss
        )


def test_a_tokenizer_of_other_ids_than_the_models_is_refused(place, tmp_path):
    shutil.copytree(place / "t5", tmp_path / "t5")
    config = json.loads((tmp_path / "t5/config.json").read_text())
    (tmp_path / "t5/config.json").write_text(json.dumps(config | {"eos_token_id": 7}))
    given = replace(files(place, "t5", tmp_path / "run"), checkpoint=tmp_path / "t5")
    with pytest.raises(
        MtbridgeError, match=r"config\.json: eos_token_id is 7, but the tokenizer's end is \d+; they do not"
    ):
        training.Adapting(given, TASK, PLAN, 1, Processes())


def test_sentinels_may_be_written_and_stay_in_the_text(tmp_path):
    folder = small.make_tokenizer(tmp_path, sentinels=3)
    writer = Writer(folder, FAMILY["mt5"])
    first, second = writer.ids["sentinels"][:2]
    assert not writer.sentinels & set(writer.never_written)
    word = writer.tokenizer.token_to_id("▁cat")
    row = [first, word, second, writer.tag("de"), writer.ids["pad"]]
    assert writer.texts([row, [word]]) == ["<extra_id_0> cat<extra_id_1>", "cat"]


def test_weights_of_another_run_are_refused(place, tmp_path):
    made = files(place, "mbart", tmp_path / "run")
    adapt(made, TASK, replace(PLAN, epochs=1), 1, {"model": "mbart"})
    made.weights.write_bytes(made.weights.read_bytes()[:-1] + b"x")
    with pytest.raises(MtbridgeError, match=r"not what .* says of it \(sha256\)"):
        write_outputs(outputs_of(made, place, tmp_path / "out.parquet"), TASK, Decoding(longest=8))


def test_a_task_is_learnt(place, tmp_path):
    """The first word of a text, by all weights: an untrained model of this size learns some of it."""
    plan = replace(PLAN, epochs=30, learning_rate=3e-3)
    record, _ = run(place, "mbart", tmp_path / "run", plan)
    assert record["loss"][-1][1] < record["loss"][0][1] / 2
