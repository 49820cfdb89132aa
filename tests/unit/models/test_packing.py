"""Packed batches and trimmed vocabularies against the plain way: padded, masked, the whole table, transformers' own
attention. The same outputs, gradients and training."""

import contextlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_table
from mtbridge.models import kernels, packing
from mtbridge.models.classes import encoder_class
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.specs import families
from mtbridge.specs.recipe import Recipe
from mtbridge.tasks.kinds import IGNORED
from mtbridge.tasks.kinds.regression import Regression
from mtbridge.training import batches as inputs
from mtbridge.training import classifier, prediction, weights_file
from mtbridge.training import cuda_graphs as graphs
from mtbridge.training import trimmed_embeddings as vocabulary
from mtbridge.training.half_weights import HalfWeights
from mtbridge.training.run import finetune
from tests.support import small

RECIPE = Recipe(learning_rate=3e-3, epochs=2, batch_size=7, max_length=20, dropout=0.0, selection="last")
TASKS = {task.name: task for task in (small.NC, small.PAIR, small.POS, small.WPR)}
KINDS = pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
FAMILIES = pytest.mark.parametrize("family", families.FAMILIES)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packing")
    tokenizer = small.make_tokenizer(folder)
    for family in families.FAMILIES:
        small.make_encoder(folder, tokenizer, family)
        config = folder / family / "config.json"
        off = {key: 0.0 for key in json.loads(config.read_text()) if "dropout" in key}
        config.write_text(json.dumps({**json.loads(config.read_text()), **off}))
    for task in TASKS.values():
        small.write_examples(folder, tokenizer, task, (("train", "en", 39), ("dev", "en", 5)))
    return folder


class Padded(torch.nn.Module):
    """What anyone would write first: transformers' class with its own attention, a padded batch, a mask."""

    def __init__(self, folder, family, classes, pooling):
        super().__init__()
        config = AutoConfig.from_pretrained(folder, attn_implementation="sdpa")
        kind = families.FAMILIES[family]
        config.update(kind.encoder_config)
        self.encoder = encoder_class(kind)(config, **kind.encoder_arguments)
        self.encoder.load_state_dict(load_file(folder / "model.safetensors"))
        self.head = torch.nn.Linear(config.hidden_size, classes)
        self.token_types, self.pooling = kind.token_types, pooling
        self.pad = json.loads((folder / "special.json").read_text())["pad"]

    def forward(self, made, rows):
        shape = len(rows), int(made.ids.lengths[rows].max())
        ids, types = torch.full(shape, self.pad), torch.zeros(shape, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        for i, row in enumerate(rows):
            length = len(made.ids[row])
            ids[i, :length] = torch.tensor(np.array(made.ids[row]))
            types[i, :length] = torch.tensor(np.array(made.types[row]))
            mask[i, :length] = 1
        extra = {"token_type_ids": types} if self.token_types else {}
        hidden = self.encoder(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
        if made.words is not None:
            at = [(i, int(p)) for i, row in enumerate(rows) for p in made.words[row] if p >= 0]
            return self.head(torch.stack([hidden[i, p] for i, p in at]))
        if self.pooling == "first":
            return self.head(hidden[:, 0])
        if self.pooling == "eos":
            return self.head(hidden[torch.arange(len(rows)), mask.sum(1) - 1])
        return self.head((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


def given(place, family, task, recipe=RECIPE):
    examples = inputs.read_examples(place / f"{task.name}.parquet", task)
    made = inputs.load_inputs(place / family, place / f"{task.name}-tokens", task, examples["language"], recipe)
    return (
        made,
        inputs.example_targets(examples["label"], task, "x"),
        np.flatnonzero(np.array(examples["split"]) == "train"),
    )


def both(place, family, task, recipe=RECIPE):
    """(ours, the padded one) with equal weights."""
    torch.manual_seed(0)
    ours = classifier.classifier(place / family, len(task.labels), recipe)
    padded = Padded(place / family, family, len(task.labels), recipe.pooling)
    padded.head.load_state_dict(ours.head.state_dict())
    return ours, padded


@pytest.mark.parametrize("pooling", ["mean", "first", "eos"])
@KINDS
@FAMILIES
def test_logits_and_gradients_are_those_of_the_padded_batch(place, family, task, pooling):
    recipe = replace(RECIPE, pooling=pooling)
    made, labels, train = given(place, family, task, recipe)
    ours, padded = both(place, family, task, recipe)
    rows = train[[5, 0, 17, 3, 9]]
    goals = torch.from_numpy(inputs.batch_targets(made, labels, rows))
    logits = ours(made.batch(rows).to(torch.device("cpu"))), padded(made, rows)
    torch.testing.assert_close(*logits, rtol=0, atol=1e-5)
    for one in logits:
        torch.nn.functional.cross_entropy(one, goals).backward()
    theirs = dict(padded.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs[name].grad, rtol=0, atol=1e-5, msg=name)


def test_bf16_errs_as_little_as_in_a_padded_batch(place):
    """Set against fp32, gradients of all parameters together: rounding is the one error there is."""
    made, labels, train = given(place, "xlm-roberta", small.NC)
    models_of = both(place, "xlm-roberta", small.NC)
    rows = train[:16]
    batch, goals = made.batch(rows).to(torch.device("cpu")), torch.from_numpy(inputs.batch_targets(made, labels, rows))

    def gradients(model, given, bf16):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(*given).float()
        torch.nn.functional.cross_entropy(logits, goals).backward()
        return torch.cat([p.grad.flatten() for _, p in sorted(model.named_parameters())])

    ours, padded = (
        [gradients(model, given, bf16) for bf16 in (False, True)]
        for model, given in zip(models_of, ((batch,), (made, rows)), strict=True)
    )
    assert 0 < (ours[1] - ours[0]).norm() < 1.05 * (padded[1] - padded[0]).norm()


def test_bf16_is_computed_in_fp32_where_the_processor_has_none_and_one_line_says_so(
    place, tmp_path, monkeypatch, capsys
):
    def can(bf16):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": bf16})

    def predicted(files):
        given = place / "nc-tokens", place / "nc.parquet", small.NC, tmp_path / "predictions.parquet"
        prediction.predict_examples(place / "bert", *files, *given)
        said = capsys.readouterr().err.count("no bf16 instructions")
        return read_table(given[-1]).column("scores").to_pylist(), said

    found = []
    for asked, has in (("fp32", True), ("bf16", True), ("bf16", False)):
        can(has)
        files = trained(place, tmp_path / f"{asked}-{has}", "bert", small.NC, replace(RECIPE, precision=asked))
        run = json.loads(files[1].read_text())
        assert capsys.readouterr().err.count("no bf16 instructions") == (asked == "bf16" and not has)
        found.append((load_file(files[0])["head.weight"], run["precision"], run["recipe"]["precision"], files))
    weights, computed, asked, files = zip(*found, strict=True)
    assert computed == ("fp32", "bf16", "fp32")
    assert asked == ("fp32", "bf16", "bf16")
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[1])
    # Predictions are made as the training was, if the machine can.
    can(True)
    plain, native, fallen_back = map(predicted, files)
    assert plain == fallen_back != native
    can(False)
    assert (predicted(files[0])[1], predicted(files[1])[1]) == (0, 1)


def plain_training(place, family, task, recipe, seed):
    """The recipe written down plainly: padded, every embedding trained, all in one process."""
    made, labels, train = given(place, family, task, recipe)
    torch.manual_seed(seed)
    model = Padded(place / family, family, len(task.labels), recipe.pooling)
    torch.manual_seed(seed)
    model.head.load_state_dict(classifier.classifier(place / family, len(task.labels), recipe).head.state_dict())
    groups = [[p for p in model.parameters() if p.ndim > 1], [p for p in model.parameters() if p.ndim == 1]]
    optimizer = torch.optim.AdamW(
        [{"params": groups[0], "weight_decay": recipe.weight_decay}, {"params": groups[1], "weight_decay": 0}],
        lr=recipe.learning_rate,
    )
    step, total = 0, recipe.epochs * -(-len(train) // recipe.batch_size)
    warmup = max(1, round(recipe.warmup * total))
    for epoch in range(1, recipe.epochs + 1):
        for chosen in inputs.epoch_batches(made.ids.lengths[train], recipe.batch_size, seed, epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * min((step + 1) / warmup, (total - step) / (total - warmup))
            rows, step = train[chosen], step + 1
            goals = torch.from_numpy(inputs.batch_targets(made, labels, rows))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(made, rows), goals).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
    return model.state_dict()


def trained(place, out, family, task, recipe, seed=3):
    files = small.run_files(place / family, place, task, out)
    finetune(files, task, recipe, seed, {"model": family})
    return files.weights, files.record


# So much decay that leaving it out, or out of the rows never met, moves weights far beyond the tolerance.
@pytest.mark.parametrize("weight_decay", [0.0, 20.0])
@KINDS
@FAMILIES
def test_training_gives_the_weights_of_plain_padded_untrimmed_training(place, tmp_path, family, task, weight_decay):
    # Adam divides by the gradient's size: with less than this a rounding error in a gradient near 0 is a step.
    recipe = replace(RECIPE, weight_decay=weight_decay, learning_rate=1e-4)
    files = trained(place, tmp_path, family, task, recipe)
    ours = weights_file.load(place / family, *files, task)[0].state_dict()
    plain = plain_training(place, family, task, recipe, 3)
    assert ours.keys() == plain.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], plain[name], rtol=0, atol=2e-6 if "embed" in name else 1e-5, msg=name)


@FAMILIES
def test_embeddings_that_training_never_meets_stay_bit_by_bit(place, tmp_path, family):
    files = trained(place, tmp_path, family, small.NC, RECIPE)
    name = families.FAMILIES[family].word_embeddings
    before = load_file(place / family / "model.safetensors")[name]
    after = vocabulary.embedding(weights_file.load(place / family, *files, small.NC)[0].encoder).weight
    rows = load_file(files[0])[weights_file.ROWS]
    other = np.setdiff1d(np.arange(len(before)), rows)
    assert 0 < len(other) < len(before)
    assert torch.equal(before[other], after[other])
    assert (before[rows] != after[rows]).any(1).all()
    assert len(load_file(files[0])["encoder." + name]) == len(rows)


def test_a_run_is_refused_by_an_encoder_that_is_no_longer_the_same(place, tmp_path):
    files = trained(place, tmp_path, "bert", small.NC, RECIPE)
    other = small.make_encoder(tmp_path / "other", place / "tokenizer", "bert", seed=2)
    with pytest.raises(MtbridgeError, match=r"was not trained from .*bert as it is now"):
        weights_file.load(other, *files, small.NC)


def test_the_whole_table_is_there_for_evaluation_and_the_trimmed_one_afterwards(place):
    encoder = load_encoder(place / "mbart")
    before = vocabulary.embedding(encoder).weight.detach().clone()
    trimmed = vocabulary.Trimmed(encoder, np.array([9, 4, 9, 30]))
    assert trimmed.places(np.array([4, 9, 30])).tolist() == [0, 1, 2]
    with torch.no_grad():
        vocabulary.embedding(encoder).weight += 1
    trimmed.scale = 0.5
    for _ in range(2):  # a scale is applied once
        with trimmed.untrimmed():
            table = vocabulary.embedding(encoder).weight
            assert torch.equal(table[[4, 9, 30]], before[[4, 9, 30]] + 1)
            assert torch.equal(table[[5, 31]], before[[5, 31]] * 0.5)
        assert len(vocabulary.embedding(encoder).weight) == 3


# ---- Dropout on a CPU ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 1.0])
def test_dropout_keeps_the_expected_value_and_drops_the_gradient_of_what_it_dropped(p):
    torch.manual_seed(0)
    x = torch.full((300, 1001), 2.0, requires_grad=True)
    out = kernels.dropout(x, p)
    kept = out.detach() != 0
    # Four standard errors of a share of 300,300.
    assert abs(kept.float().mean() - (1 - p)) <= 4 * (p * (1 - p) / x.numel()) ** 0.5
    assert (kept.float().mean(0).std() < 1.3 * (p * (1 - p) / 300) ** 0.5) or p == 1, "columns drop together"
    gradient = torch.autograd.grad(out.sum(), x)[0]
    torch.testing.assert_close(gradient, kept / (1 - p) if p < 1 else torch.zeros_like(x), rtol=2e-5, atol=0)
    torch.testing.assert_close(out, x * gradient)
    assert kernels.dropout(x, p, training=False) is x
    assert kernels.dropout(x, 1e-6) is x, "less than can be drawn is nothing"
    with pytest.raises(ValueError, match="expected 0 to 1"):
        kernels.dropout(x, 1 + p)


def test_attention_with_dropout_is_on_average_attention_without():
    lengths, generator = [5, 9, 9, 1], torch.Generator().manual_seed(0)
    batch = small.packed([[0] * length for length in lengths])
    parts = [torch.randn(sum(lengths), 2, 8, generator=generator) for _ in range(3)]
    plain = packing._in_groups(*parts, packing.Asked(batch, scaling=0.3))
    torch.manual_seed(1)
    drawn = torch.stack(
        [packing._in_groups(*parts, packing.Asked(batch, dropout=0.2, scaling=0.3)) for _ in range(2000)]
    )
    error = drawn.std(0) / 2000**0.5
    assert error.min() > 0
    assert ((drawn.mean(0) - plain).abs() < 6 * error).all()


@pytest.mark.parametrize("dropout_p", [0.0, 0.2])
def test_gradients_of_attention_are_those_of_autograd_through_the_same_masks(monkeypatch, dropout_p):
    lengths, generator = [5, 20, 9, 1, packing.STEP], torch.Generator().manual_seed(0)  # alone, together, not padded
    batch = small.packed([[0] * length for length in lengths])
    parts = [torch.randn(sum(lengths), 2, 8, generator=generator, requires_grad=True) for _ in range(3)]
    drawing, masks = kernels.dropout, []

    def dropout(weights, p):
        masks.append(drawing(torch.ones_like(weights), p))
        return weights * masks[-1]

    monkeypatch.setattr(kernels, "dropout", dropout)
    with torch.inference_mode():  # what evaluation left behind must serve training
        inferred = packing._in_groups(*parts, packing.Asked(batch, scaling=0.3))
    ours = packing._in_groups(*parts, packing.Asked(batch, dropout=dropout_p, scaling=0.3))
    masks = [one for mask in masks for one in mask.unflatten(0, (-1, 2))]  # [heads, length, length] each
    groups = sorted(range(len(lengths)), key=lambda row: -(-lengths[row] // packing.STEP))
    starts, plain = np.cumsum([0, *lengths]), {}
    for row, mask in zip(groups, masks, strict=True):
        length = lengths[row]
        q, k, v = (x[starts[row] : starts[row] + length].transpose(0, 1) for x in parts)
        weights = torch.softmax(0.3 * q @ k.mT, -1) * mask[:, :length, :length]
        plain[row] = (weights @ v).transpose(0, 1)
    plain = torch.cat([plain[row] for row in range(len(lengths))])
    torch.testing.assert_close(ours, plain, rtol=0, atol=1e-6)
    if not dropout_p:
        torch.testing.assert_close(inferred, plain.detach(), rtol=0, atol=1e-6)
    gradients = [torch.autograd.grad((one**3).sum(), parts) for one in (ours, plain)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_attention_in_bf16_errs_about_as_little_as_pytorchs_own():
    """Where values share an offset the gradient of a score is a small difference of large numbers."""
    lengths, generator = [37, 60, 9, 16], torch.Generator().manual_seed(0)
    batch = small.packed([[0] * length for length in lengths])
    given = [torch.randn(sum(lengths), 2, 32, generator=generator).bfloat16() for _ in range(4)]
    given[2] += 3

    def plain(*parts):
        sequences = zip(*(x.transpose(0, 1).split(lengths, 1) for x in parts), strict=True)
        attend = torch.nn.functional.scaled_dot_product_attention
        return torch.cat([attend(*(x[None] for x in one))[0] for one in sequences], 1).transpose(0, 1)

    def gradients(attend, dtype):
        *parts, weight = (x.to(dtype).requires_grad_() for x in given)
        return torch.autograd.grad((attend(*parts) * weight.detach()).sum(), parts)

    exact = gradients(plain, torch.float64)
    ours = gradients(lambda *parts: packing._in_groups(*parts, packing.Asked(batch)), torch.bfloat16)
    for own, theirs, true in zip(ours, gradients(plain, torch.bfloat16), exact, strict=True):
        assert own.dtype == torch.bfloat16
        assert 0 < (own - true).norm() < 1.6 * (theirs - true).norm()


def test_a_sequence_that_is_no_number_spoils_no_other():
    batch = small.packed([[0] * length for length in (3, 5)])
    parts = [torch.ones(8, 2, 8) for _ in range(3)]
    for part in parts:
        part[:3] = torch.inf
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            out = packing._in_groups(*(x.requires_grad_() for x in parts), packing.Asked(batch))
        assert torch.isfinite(out[3:]).all() and not torch.isfinite(out[:3]).any()


ONEDNN = pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="PyTorch's own products are not MKL's")


@ONEDNN
@pytest.mark.parametrize("bias", [True, False])
def test_products_by_onednn_are_pytorchs_own(bias):
    own, drawn = torch.nn.functional.linear, torch.Generator().manual_seed(0)
    x, weight = (torch.randn(*shape, generator=drawn, requires_grad=True) for shape in ((1, 37, 24), (40, 24)))
    inputs = x, weight, *([torch.randn(40, generator=drawn, requires_grad=True)] if bias else [])
    grad = torch.randn(1, 37, 40, generator=drawn)
    found = [linear(*inputs) for linear in (own, kernels._linear())]
    torch.testing.assert_close(*found, rtol=0, atol=1e-5)
    for a, b in zip(*(torch.autograd.grad(one, inputs, grad) for one in found), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


@ONEDNN
def test_inside_a_model_on_a_cpu_products_in_fp32_are_onednns_and_those_in_bf16_pytorchs(place, monkeypatch):
    encoder, own = load_encoder(place / "bert"), torch.nn.functional.linear
    batch, seen = small.packed([[5, 6, 7], [8, 9]]).to(torch.device("cpu")), []
    product = torch.ops.mkldnn._linear_pointwise
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda *a: seen.append(a[0].dtype) or product(*a))
    kernels._linear.cache_clear()
    try:
        forward(encoder, batch).sum().backward()
        assert set(seen) == {torch.float32}
        assert len(seen) == 2 * sum(isinstance(module, torch.nn.Linear) for module in encoder.modules())
        seen.clear()
        with torch.autocast("cpu", torch.bfloat16):
            forward(encoder, batch)
    finally:
        kernels._linear.cache_clear()
    assert not seen and torch.nn.functional.linear is own


@FAMILIES
def test_what_is_dropped_out_follows_from_the_seed_and_only_in_training(place, tmp_path, monkeypatch, family):
    shutil.copytree(place / family, tmp_path / family)
    config = json.loads((tmp_path / family / "config.json").read_text())
    rates = {key: 0.3 for key in config if "dropout" in key and "classifier" not in key}
    (tmp_path / family / "config.json").write_text(json.dumps({**config, **rates}))
    made, _, train = given(place, family, small.NC)
    batch, model = made.batch(train[:5]).to(torch.device("cpu")), load_encoder(tmp_path / family)
    own, drawn, drawing = torch.nn.functional.dropout, [], kernels.dropout

    def dropout(x, p, *options, **more):
        drawn.extend([x.shape] if p else [])
        return drawing(x, p, *options, **more)

    monkeypatch.setattr(kernels, "dropout", dropout)

    def hidden(seed):
        torch.manual_seed(seed)
        return forward(model, batch).detach()

    assert torch.equal(hidden(1), hidden(2))
    assert not drawn
    model.train()
    assert torch.equal(hidden(1), hidden(1))
    assert not torch.equal(hidden(1), hidden(2))
    assert torch.nn.functional.dropout is own
    tokens = len(batch.ids)
    inside, outside = [s for s in drawn if s[-1] == s[-2] != tokens], [s for s in drawn if tokens in s]
    layers = model.config.num_hidden_layers
    assert len(inside) >= layers and len(outside) > layers, "attention and hidden layers draw the same way"


# ---- What a GPU does differently, as far as it goes without one ------------------------------------------------------


def test_filling_a_batch_of_a_regression_adds_nothing_to_its_loss(place):
    made, _, train = given(place, "mbart", small.NC)
    kind, batch = Regression(), made.batch(train[:5])
    numbers = np.linspace(-1, 1, 5, dtype=np.float32)
    filled, targets = graphs.fill_up(batch, numbers, RECIPE.max_length, kind.ignored)
    assert targets.dtype == np.float32 and len(filled.lengths) == len(targets) == 6
    logits = torch.linspace(0, 1, 6)[:, None].requires_grad_()
    losses = [kind.loss(logits[:5], torch.from_numpy(numbers)), kind.loss(logits, torch.from_numpy(targets))]
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in losses]
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(gradients[0], gradients[1])


@KINDS
@FAMILIES
def test_filling_a_batch_changes_neither_loss_nor_gradients(place, family, task):
    made, labels, train = given(place, family, task)
    model, _ = both(place, family, task)
    batch, goals = made.batch(train[:5]), inputs.batch_targets(made, labels, train[:5])
    found = []
    for one, wanted in ((batch, goals), graphs.fill_up(batch, goals, RECIPE.max_length, IGNORED)):
        model.zero_grad()
        logits = model(one.to(torch.device("cpu")))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(wanted), reduction="sum")
        loss.backward()
        found.append((len(one.ids), loss.detach(), [p.grad.clone() for p in model.parameters()]))
    (_, loss, gradients), (size, filled_loss, filled_gradients) = found
    assert size % min(graphs.FILL, RECIPE.max_length) == 0
    torch.testing.assert_close(loss, filled_loss)
    for a, b in zip(gradients, filled_gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_without_graphs_steps_are_plain_and_one_line_says_so(place, capsys):
    made, labels, train = given(place, "mbart", small.NC)
    model, _ = both(place, "mbart", small.NC)

    def gradients(batch, goals, scale):
        loss = torch.nn.functional.cross_entropy(model(batch), goals, reduction="sum", ignore_index=IGNORED)
        (loss * scale).backward()
        return loss.detach()

    model.train()
    step = graphs.GraphedStep(gradients, model, RECIPE.max_length, torch.device("cpu"))
    batch, goals = made.batch(train[:5]), inputs.batch_targets(made, labels, train[:5])
    assert [step(batch, goals, 0.2) for _ in range(3)] == [None] * 3
    assert all(not parameter.grad.any() for parameter in model.parameters()), "what was tried is left in the gradients"
    assert capsys.readouterr().err.count("no CUDA graphs") == 1
    assert model.training, "without dropout from then on"


def test_the_line_on_graphs_that_failed_tells_what_broke_them(place, capsys, monkeypatch):
    made, labels, train = given(place, "bert", small.NC)
    model, _ = both(place, "bert", small.NC)

    def record(*_):
        try:
            raise RuntimeError("not permitted while recording\nmore of it")
        finally:
            raise RuntimeError("the recording is broken")

    monkeypatch.setattr(graphs.GraphedStep, "_compare", record)
    step = graphs.GraphedStep(lambda *_: torch.zeros(()), model, RECIPE.max_length, torch.device("cpu"))
    for _ in range(2):  # a size that occurs once is not recorded
        assert step(made.batch(train[:5]), inputs.batch_targets(made, labels, train[:5]), 0.2) is None
    assert capsys.readouterr().err == (
        "no CUDA graphs: not permitted while recording; each kernel is launched by itself\n"
    )


@KINDS
@FAMILIES
def test_all_weights_cast_at_once_give_the_gradients_of_each_cast_by_itself(place, family, task):
    made, labels, train = given(place, family, task)
    model, _ = both(place, family, task)
    halves, found = HalfWeights(model), []
    names = [name for name, _ in model.named_parameters()]
    batch, goals = made.batch(train[:5]), torch.from_numpy(inputs.batch_targets(made, labels, train[:5]))
    for context in (contextlib.nullcontext, halves.used):
        model.zero_grad()
        for _ in range(2):  # the second pass adds to the gradients of the first
            with context(), torch.autocast("cpu", torch.bfloat16):
                logits = model(batch.to(torch.device("cpu"))).float()
                torch.nn.functional.cross_entropy(logits, goals, reduction="sum").backward()
        found.append((logits.detach(), [parameter.grad.clone() for parameter in model.parameters()]))
        assert [name for name, _ in model.named_parameters()] == names
    (logits, gradients), (others, other_gradients) = found
    assert torch.equal(logits, others)
    for name, a, b in zip(names, gradients, other_gradients, strict=True):
        assert torch.equal(a, b), name
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
