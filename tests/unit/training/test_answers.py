"""Fine-tuning on answers that stand in a text: inputs in windows, packed batches, and that it learns."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import sha256, write_parquet
from mtbridge.data import tokenized
from mtbridge.models.forward import forward
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import START, kind_of
from mtbridge.training import batches as inputs
from mtbridge.training.classifier import classifier
from mtbridge.training.cuda_graphs import fill_up
from mtbridge.training.prediction import predict
from mtbridge.training.run_data import read_data
from tests.support import small

QA = Task("qa", "extraction", (), "answer_f1", ("question", "context"))
KIND = kind_of(QA)
FAMILIES = ("bert", "xlm-roberta", "mbart", "mt5")
RECIPE = Recipe(learning_rate=3e-3, epochs=4, batch_size=8, context_length=24, doc_stride=6, dropout=0.0, warmup=0.05)
CPU = torch.device("cpu")


def questions(splits, seed=0):
    """`splits`: (split, language, count), …; the answer is the context's one animal, the question the word before."""
    rng, rows = np.random.default_rng(seed), []
    for split, language, count in splits:
        for number in range(count):
            words = [small.WORDS[4 + i] for i in rng.permutation(len(small.WORDS) - 4)[: rng.integers(4, 16)]]
            at = int(rng.integers(0, len(words) - 1))
            words[at + 1] = small.WORDS[int(rng.integers(0, 4))]
            context, answer = " ".join(words), words[at + 1]
            start = len(" ".join(words[: at + 1])) + 1
            texts = {"question": words[at], "context": context, "label": answer, "references": [answer, "x"]}
            rows.append(
                {"split": split, "language": language, "example_id": f"{split}-{number}", **texts, START: start}
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    tokenizer = small.make_tokenizer(folder, sentinels=2)
    for family in FAMILIES:
        small.make_encoder(folder, tokenizer, family)
    write_parquet(questions((("train", "en", 120), ("dev", "en", 30))), folder / "qa.parquet")
    tokenized.write_examples(tokenizer, folder / "qa.parquet", QA, folder / "qa-tokens")
    return folder


def given(place, family, recipe=RECIPE):
    examples = inputs.read_examples(place / "qa.parquet", QA)
    made = inputs.load_inputs(place / family, place / "qa-tokens", QA, examples["language"], recipe)
    return examples, made, inputs.input_targets(made, examples["label"], QA, "x")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_scored_is_the_first_token_and_the_context(place, family):
    """By the encoder's tokenizer: tokens at the positions that are scored say the context, those of the answer it."""
    examples, made, targets = given(place, family)
    library = tokenized.open_tokenizer(place / "tokenizer")
    encoded = [library.encode(text, add_special_tokens=False) for text in examples["context"]]
    assert len(made) > len(encoded)  # some contexts are cut
    assert made.ids.lengths.max() <= RECIPE.context_length
    for row in range(len(made)):
        example = made.example(row)
        start, size = made.windows.start[row], made.windows.size[row]
        positions = made.words[row]
        assert positions[0] == 0
        assert made.ids[row][positions[1:]].tolist() == encoded[example].ids[start : start + size]
        begin, end = targets[row, :2]
        if begin:
            first, last = (encoded[example].offsets[start + place - 1] for place in (begin, end))
            found = examples["context"][example][first[0] : last[1]].strip()
            assert found == examples["label"][example]
    held = np.unique(made.example(np.flatnonzero(targets[:, 0] > 0)))
    assert len(held) > 0.9 * len(encoded)  # an answer may lie across the ends of two windows


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_batch_of_windows_has_the_losses_of_each_window_alone(place, family):
    _, made, targets = given(place, family)
    torch.manual_seed(0)
    model = classifier(place / family, 2, RECIPE).eval()
    rows = np.array([3, 0, 40, 41, 17])
    together = KIND.loss(model(made.batch(rows).to(CPU)), torch.from_numpy(inputs.batch_targets(made, targets, rows)))
    alone = 0.0
    for row in rows:
        logits = model.head(forward(model.encoder, made.batch([row]).to(CPU)))[torch.from_numpy(made.words[row])]
        for side in (0, 1):
            alone += torch.nn.functional.cross_entropy(logits[None, :, side], torch.tensor([targets[row, side]])) / 2
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_batch_that_is_filled_up_has_the_same_loss(place):
    _, made, targets = given(place, "mbart")
    torch.manual_seed(0)
    model = classifier(place / "mbart", 2, RECIPE).eval()
    rows = np.array([5, 9, 2])
    batch, goals = made.batch(rows), inputs.batch_targets(made, targets, rows)
    filled, more = fill_up(batch, goals, RECIPE.context_length, KIND.ignored)
    assert more.shape == (len(filled.first_subwords), 3)
    losses = [KIND.loss(model(one.to(CPU)), torch.from_numpy(goals)) for one, goals in ((batch, goals), (filled, more))]
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-5)


def test_scores_of_an_example_do_not_depend_on_the_others(place):
    examples, made, _ = given(place, "xlm-roberta")
    torch.manual_seed(0)
    model = classifier(place / "xlm-roberta", 2, RECIPE)
    every = predict(model, made, QA)
    assert len(every) == len(examples["label"])
    rows = [100, 7]
    for row, one in zip(rows, predict(model, made, QA, rows=rows), strict=True):
        np.testing.assert_allclose(one.logits, every[row].logits, atol=1e-5)
        assert (one.first == every[row].first).all() and len(one.window) >= made.windows.marks.first.lengths[row]


@pytest.mark.slow
def test_a_run_learns_which_word_answers_and_predicts_it(place, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_parquet(questions((("train", "en", 1500), ("dev", "en", 60)), seed=1), folder / "qa.parquet")
    tokenized.write_examples(place / "tokenizer", folder / "qa.parquet", QA, folder / "qa-tokens")
    recipe = replace(RECIPE, context_length=60, epochs=6, learning_rate=5e-3)
    found = small.predicted_after_training(place / "bert", folder, QA, recipe, tmp_path / "run")
    right = small.share_right(found, "dev")
    assert right > 0.7, f"{right:.2f}; one word of about nine by chance"


def test_a_question_that_fills_the_input_is_named(place, tmp_path):
    frame = questions((("train", "en", 3),))
    frame.loc[1, "question"] = " ".join(small.WORDS)
    write_parquet(frame, tmp_path / "qa.parquet")
    tokenized.write_examples(place / "tokenizer", tmp_path / "qa.parquet", QA, tmp_path / "qa-tokens")
    with pytest.raises(MtbridgeError, match=r"qa-tokens: the question of example 2 .* raise recipe.context_length"):
        inputs.load_inputs(place / "mbart", tmp_path / "qa-tokens", QA, ["en"] * 3, RECIPE)


def test_examples_whose_answer_has_no_token_are_left_out_of_training_and_told_of(place, tmp_path, capsys):
    write_parquet(questions((("train", "en", 6), ("dev", "en", 2))), tmp_path / "qa.parquet")
    folder = tmp_path / "qa-tokens"
    tokenized.write_examples(place / "tokenizer", tmp_path / "qa.parquet", QA, folder)
    answers = np.load(folder / "answers.npy")
    answers[2] = -1
    np.save(folder / "answers.npy", answers)
    meta = json.loads((folder / "meta.json").read_text()) | {"sha256": sha256(*sorted(folder.glob("*.npy")))}
    (folder / "meta.json").write_text(json.dumps(meta))
    data = read_data(small.run_files(place / "mbart", tmp_path, QA, tmp_path / "out"), QA, RECIPE)
    assert set(data.inputs.example(data.train)) == {0, 1, 3, 4, 5}
    assert "1 training examples are left out: no token stands for their answer" in capsys.readouterr().err
