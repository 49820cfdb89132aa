"""Fine-tuning on choices among several texts: an input for each, losses of whole examples, and that it learns."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mtbridge.base.files import write_parquet
from mtbridge.data import tokenized
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.training import batches as inputs
from mtbridge.training.classifier import classifier
from mtbridge.training.cuda_graphs import fill_up
from mtbridge.training.finetuning import Training
from mtbridge.training.prediction import predict
from mtbridge.training.processes import Processes
from mtbridge.training.run import finetune
from tests.support import small

CHOICES = ("one", "two", "three")
MC = Task("mc", "choice", CHOICES, "accuracy", ("text", "question", *CHOICES), choices=CHOICES)
KIND = kind_of(MC)
FAMILIES = ("bert", "xlm-roberta", "mbart", "mt5")
RECIPE = Recipe(learning_rate=3e-3, epochs=4, batch_size=8, max_length=24, dropout=0.0, warmup=0.05)
CPU = torch.device("cpu")


def rows_of(splits, seed=0):
    """`splits`: (split, language, count), …; the right choice is the one animal among three words."""
    rng, rows = np.random.default_rng(seed), []
    for split, language, count in splits:
        for number in range(count):
            words = [small.WORDS[int(place)] for place in rng.integers(4, len(small.WORDS), 3)]
            right = int(rng.integers(3))
            words[right] = small.WORDS[int(rng.integers(0, 4))]
            texts = {"text": " ".join(small.sentence(rng, int(rng.integers(2, 9)))), "question": "sees"}
            texts |= dict(zip(CHOICES, words, strict=True)) | {"label": CHOICES[right]}
            rows.append({"split": split, "language": language, "example_id": f"{split}-{number}", **texts})
    return pd.DataFrame(rows)


def write(folder, tokenizer, *splits, seed=0):
    folder.mkdir(exist_ok=True)
    write_parquet(rows_of(splits, seed), folder / "mc.parquet")
    tokenized.write_examples(tokenizer, folder / "mc.parquet", MC, folder / "mc-tokens")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("choices")
    tokenizer = small.make_tokenizer(folder, sentinels=2)
    for family in FAMILIES:
        small.make_encoder(folder, tokenizer, family)
    return write(folder, tokenizer, ("train", "en", 60), ("dev", "en", 20))


def given(place, family, recipe=RECIPE):
    examples = inputs.read_examples(place / "mc.parquet", MC)
    made = inputs.load_inputs(place / family, place / "mc-tokens", MC, examples["language"], recipe)
    return made, inputs.input_targets(made, examples["label"], MC, "x")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_inputs_of_an_example_are_the_pairs_that_end_with_its_choices(place, family, tmp_path):
    """As the same pairs are when they are the examples of a task of pairs."""
    long_enough = replace(RECIPE, max_length=48)
    made, _ = given(place, family, long_enough)
    rows = pd.read_parquet(place / "mc.parquet")
    pairs = Task("flat", "pair", ("0", "1"), "accuracy", ("a", "b"))
    flat = [
        {"split": row.split, "language": "en", "example_id": f"{row.example_id}-{choice}", "label": "0"}
        | {"a": row.text, "b": f"{row.question} {getattr(row, choice)}"}
        for row in rows.itertuples()
        for choice in CHOICES
    ]
    write_parquet(pd.DataFrame(flat), tmp_path / "flat.parquet")
    tokenized.write_examples(place / "tokenizer", tmp_path / "flat.parquet", pairs, tmp_path / "flat-tokens")
    expected = inputs.load_inputs(place / family, tmp_path / "flat-tokens", pairs, ["en"] * len(flat), long_enough)
    np.testing.assert_array_equal(made.ids.values, expected.ids.values)
    np.testing.assert_array_equal(made.ids.offsets, expected.ids.offsets)
    np.testing.assert_array_equal(made.types.values, expected.types.values)
    assert len(made) == len(rows) and made.lengths.sum() == expected.lengths.sum()


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_too_long_loses_the_end_of_its_first_text_and_never_a_choice(place, family, tmp_path, capsys):
    """The end of a choice is what tells it from the others; and all choices of an example have the same first text."""
    examples = pd.read_parquet(place / "mc.parquet").head(6)
    examples["text"] = [" ".join(examples["text"]) * (row + 1) for row in range(6)]
    examples["question"] = ["sees " * (row + 6) for row in range(6)]
    write_parquet(examples, tmp_path / "mc.parquet")
    tokenized.write_examples(place / "tokenizer", tmp_path / "mc.parquet", MC, tmp_path / "tokens")
    texts, count = tokenized.Ragged.load(tmp_path / "tokens", "tokens"), len(CHOICES)
    second = int(texts.lengths.reshape(6, -1)[:, 1:].max())

    def inputs_of(length):
        recipe = replace(RECIPE, max_length=length)
        return inputs.load_inputs(place / family, tmp_path / "tokens", MC, ["en"] * 6, recipe)

    made = inputs_of(second + 12)
    assert capsys.readouterr().err == ""
    for row in range(6):
        own = [list(texts[row * (1 + count) + 1 + choice]) for choice in range(count)]
        whole = [list(made.ids[row * count + choice]) for choice in range(count)]
        before = []
        for one, end in zip(whole, own, strict=True):
            at = next(at for at in range(len(one)) if one[at : at + len(end)] == end)
            before.append(tuple(one[:at]))
        assert len(set(before)) == 1, "the same first text stands before each choice"
    inputs_of(second - 1)
    assert "of 6 examples have a choice that is cut; raise recipe.max_length" in capsys.readouterr().err


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_of_choices_has_the_losses_of_each_example_alone(place, family):
    made, targets = given(place, family)
    torch.manual_seed(0)
    model = classifier(place / family, 1, RECIPE).eval()
    rows = np.array([3, 0, 40, 17])
    together = KIND.loss(model(made.batch(rows).to(CPU)), torch.from_numpy(inputs.batch_targets(made, targets, rows)))
    alone = sum(
        torch.nn.functional.cross_entropy(model(made.batch([row]).to(CPU)).T, torch.tensor([targets[row]]))
        for row in rows
    )
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_batch_of_choices_that_is_filled_up_has_the_same_loss(place):
    made, targets = given(place, "mbart")
    torch.manual_seed(0)
    model = classifier(place / "mbart", 1, RECIPE).eval()
    rows = np.array([5, 9, 2])
    batch, goals = made.batch(rows), inputs.batch_targets(made, targets, rows)
    losses = [
        KIND.loss(model(one.to(CPU)), torch.from_numpy(own))
        for one, own in ((batch, goals), fill_up(batch, goals, RECIPE.max_length, KIND.ignored))
    ]
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-5)


def test_the_order_of_choices_moves_their_scores_and_no_more(place, tmp_path):
    rows = rows_of((("train", "en", 12),))
    turned = rows.rename(columns=dict(zip(CHOICES, (*CHOICES[1:], CHOICES[0]), strict=True)))
    torch.manual_seed(0)
    model, found = classifier(place / "bert", 1, RECIPE), []
    for name, frame in (("as", rows), ("turned", turned)):
        folder = tmp_path / name
        folder.mkdir()
        write_parquet(frame, folder / "mc.parquet")
        tokenized.write_examples(place / "tokenizer", folder / "mc.parquet", MC, folder / "mc-tokens")
        made = inputs.load_inputs(place / "bert", folder / "mc-tokens", MC, ["en"] * 12, RECIPE)
        found.append(np.stack(predict(model, made, MC))[:, :, 0])
    assert found[0].shape == (12, 3) and found[0].std() > 0
    np.testing.assert_allclose(found[1], np.roll(found[0], 1, axis=1), atol=1e-5)


def test_scores_of_choices_do_not_depend_on_the_other_examples(place):
    made, _ = given(place, "xlm-roberta")
    torch.manual_seed(0)
    model = classifier(place / "xlm-roberta", 1, RECIPE)
    every, rows = predict(model, made, MC), [70, 7]
    for row, one in zip(rows, predict(model, made, MC, rows=rows), strict=True):
        np.testing.assert_allclose(one, every[row], atol=1e-5)


@pytest.mark.slow
def test_a_run_learns_which_choice_is_right_and_predicts_it(place, tmp_path):
    folder = write(tmp_path / "data", place / "tokenizer", ("train", "en", 600), ("dev", "en", 60), seed=1)
    recipe = replace(RECIPE, max_length=40, epochs=6, learning_rate=5e-3)
    found = small.predicted_after_training(place / "bert", folder, MC, recipe, tmp_path / "run")
    right = small.share_right(found, "dev")
    assert right > 0.8, f"{right:.2f}; a third by chance"
    np.testing.assert_allclose(np.stack(found["scores"]).sum(1), 1, rtol=1e-5)


def test_a_run_whose_epoch_is_chosen_on_one_label_says_so(place, tmp_path):
    rows = rows_of((("train", "en", 24), ("dev", "en", 6)))
    rows.loc[rows["split"] == "dev", "label"] = "two"
    (tmp_path / "data").mkdir()
    write_parquet(rows, tmp_path / "data/mc.parquet")
    tokenized.write_examples(place / "tokenizer", tmp_path / "data/mc.parquet", MC, tmp_path / "data/mc-tokens")
    for epochs in (1, 2):
        files = small.run_files(place / "bert", tmp_path / "data", MC, tmp_path / f"run{epochs}")
        finetune(files, MC, replace(RECIPE, epochs=epochs), 1, {"model": "bert"})
        told = "the epoch is chosen on dev examples that all have the label 'two'"
        assert (told in json.loads(files.record.read_text())["warnings"]) is (epochs > 1), "of one epoch none is chosen"


def test_passes_of_a_batch_that_memory_does_not_hold_keep_examples_whole(place, tmp_path):
    """Halves of a batch: the same run."""
    weights = []
    for name, batch in (("whole", 8), ("halves", 4)):
        files = small.run_files(place / "bert", place, MC, tmp_path / name)
        training = Training(files, MC, RECIPE, 1, Processes(), CPU)
        training.micro_batch = batch
        training.step(np.arange(8))
        weights.append(training.model.head.weight.detach().clone())
    torch.testing.assert_close(*weights, rtol=1e-5, atol=1e-6)
