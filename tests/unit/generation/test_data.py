"""What an adaptation learns from: shares of several languages, mixed-in text, translations; and how texts are split."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.data import tokenized
from mtbridge.generation import translated
from mtbridge.generation.examples import learning_examples
from mtbridge.generation.inputs import Writer
from mtbridge.generation.mixing import Mixed
from mtbridge.generation.sentences import first_sentence, joined, sentences
from mtbridge.generation.training import AdaptationFiles, adapt
from mtbridge.generation.translated import TranslatedFiles, translate_evaluation, translate_training
from mtbridge.generation.writing import OutputFiles, write_outputs
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.options import to_options
from mtbridge.tasks.kinds import IGNORED
from tests.support import small
from tests.support.writing import TASK, rows

ROOT = Path(__file__).parents[3]
PLAN = Adaptation(learning_rate=5e-3, epochs=2, batch_size=7, source_length=24, target_length=12)


@pytest.fixture(scope="module")
def several(place, tmp_path_factory):
    """The training examples of English, and the same ones in capitals as German."""
    path = tmp_path_factory.mktemp("several") / "train.de.parquet"
    write_parquet(pd.DataFrame(rows("train", "de", 96, 1)), path)
    return [place / "train.parquet", path]


@pytest.fixture(scope="module")
def corpus(place, tmp_path_factory):
    """Tokens of 40 lines a language."""
    folder, rng = tmp_path_factory.mktemp("text"), np.random.default_rng(3)
    lines = [" ".join(small.sentence(rng, 5)) for _ in range(40)]
    (folder / "en.txt").write_text("".join(f"{line}\n" for line in lines))
    (folder / "de.txt").write_text("".join(f"{line.upper()}\n" for line in lines))
    texts = {language: folder / f"{language}.txt" for language in ("en", "de")}
    tokenized.write_corpus(place / "tokenizer", texts, folder / "tokens")
    return folder / "tokens"


# ---- Several languages -----------------------------------------------------------------------------------------------


def test_languages_share_the_examples_and_none_is_learnt_from_twice(place, several):
    writer = Writer(place / "tokenizer", FAMILIES["mbart"])
    alone = learning_examples(writer, several[:1], TASK, PLAN)
    shared = learning_examples(writer, several, TASK, PLAN)
    assert sorted(shared.names) == sorted(alone.names) and len(set(shared.names)) == 96
    assert shared.languages == ["en"] * 48 + ["de"] * 48
    whole = learning_examples(writer, several, TASK, replace(PLAN, whole=True))
    assert len(whole.names) == 192 and whole.languages.count("de") == 96


def test_every_example_has_the_tag_of_its_language(place, several):
    writer = Writer(place / "tokenizer", FAMILIES["mbart"])
    shared = learning_examples(writer, several, TASK, PLAN)
    for language, (source, (read, wanted)) in zip(shared.languages, shared.pairs, strict=True):
        assert source[0] == read[1] == writer.tag(language) and wanted[0] == IGNORED


def test_what_is_cut_is_counted(place, several):
    writer = Writer(place / "tokenizer", FAMILIES["mbart"])
    assert learning_examples(writer, several, TASK, PLAN).cut == (0, 0)
    short = learning_examples(writer, several, TASK, replace(PLAN, source_length=8))
    read = [writer.read(path, TASK) for path in several]
    lengths = [len(tokens) for texts in read for tokens, split in zip(texts.sources, texts.split, strict=True)
               if split == "train"]  # fmt: skip
    whole = learning_examples(writer, several, TASK, replace(PLAN, source_length=8, whole=True))
    assert short.cut[0] > 0 and whole.cut == (round(np.mean([length > 6 for length in lengths]), 4), 0)


def test_a_language_whose_share_is_none_is_refused(place, several, tmp_path):
    write_parquet(pd.read_parquet(several[1]).iloc[:1], tmp_path / "one.parquet")
    writer, files = Writer(place / "tokenizer", FAMILIES["mbart"]), [several[0], tmp_path / "one.parquet"]
    with pytest.raises(MtbridgeError, match=r"one\.parquet: 1 training examples, of which a share of 1/2 is none"):
        learning_examples(writer, files, TASK, PLAN)
    assert len(learning_examples(writer, files, TASK, replace(PLAN, whole=True)).names) == 97


def test_a_file_without_training_examples_is_refused_by_name(place, tmp_path):
    write_parquet(pd.DataFrame(rows("dev", "de", 4, 1)), tmp_path / "dev.parquet")
    with pytest.raises(MtbridgeError, match=r"dev\.parquet: no examples of the split 'train'"):
        learning_examples(Writer(place / "tokenizer", FAMILIES["mbart"]), [tmp_path / "dev.parquet"], TASK, PLAN)


# ---- Mixed-in text ---------------------------------------------------------------------------------------------------


def test_mixed_in_text_is_of_other_languages_and_of_the_step_alone(place, corpus):
    plan = replace(PLAN, mixed=0.25, target_length=24, sentences=2)
    mixed, writer = (
        Mixed(corpus, place / "tokenizer", FAMILIES["mbart"], plan, ["en"], 1),
        Writer(place / "tokenizer", FAMILIES["mbart"]),
    )
    later = mixed.samples(5, 8)
    mixed.samples(1, 3)
    for again, sample in zip(mixed.samples(5, 8), later, strict=True):
        assert np.array_equal(again.source, sample.source) and np.array_equal(again.target, sample.target)
    assert (
        {int(sample.source[0]) for sample in later} == {int(sample.target[0]) for sample in later} == {writer.tag("de")}
    )
    assert any(writer.ids["mask"] in sample.source for sample in later)
    assert all(len(sample.target) <= plan.target_length and writer.ids["mask"] not in sample.target for sample in later)
    assert writer.tokenizer.decode(later[0].target).isupper(), "the text of the other language, whole"


def test_the_share_is_of_all_that_an_update_has():
    for share, batch, count in ((0.0, 16, 0), (0.5, 16, 16), (0.2, 16, 4), (0.25, 12, 4)):
        assert Adaptation(mixed=share, batch_size=batch).mixed_texts == count


def test_no_other_language_to_mix_in_is_refused(place, corpus):
    with pytest.raises(MtbridgeError, match="no text but in de, en; expected other languages"):
        Mixed(corpus, place / "tokenizer", FAMILIES["mbart"], replace(PLAN, mixed=0.5), ["de", "en"], 1)


# ---- Several processes -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "prompt"])
def test_several_processes_adapt_the_same_model_as_one(place, several, corpus, tmp_path, method):
    """Whatever share of a batch each has: 96 in sevens leave a last one of five, and one text of another language."""
    plan = replace(PLAN, method=method, width=4, mixed=0.1)
    files = AdaptationFiles(
        *(place / "mbart", place / "tokenizer", several[:1]),
        *(tmp_path / "one.safetensors", tmp_path / "one.json", corpus),
    )
    adapt(files, TASK, plan, 1, {})
    command = [
        *(sys.executable, "-m", "mtbridge.base.several_processes", "2", ROOT / "scripts/adapt.py"),
        *(*to_options(TASK), *to_options(plan), "--model", "mbart", "--seed", "1"),
        *("--checkpoint", files.checkpoint, "--tokenizer", files.tokenizer, "--examples", files.examples[0]),
        *("--corpus", corpus, "--weights", tmp_path / "two.safetensors", "--record", tmp_path / "two.json"),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [*map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    records = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two")]
    assert [record["processes"] for record in records] == [1, 2]
    assert records[0]["target_tokens"] == records[1]["target_tokens"]
    one, two = (load_file(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=5e-5, msg=name)


# ---- Translations ----------------------------------------------------------------------------------------------------


class Reversing:
    """A translator that writes words backwards, so two translations are the text itself."""

    def __init__(self, *_):
        self.asked = []

    def translate(self, texts, source, target, decoding, progress=None):
        self.asked += texts
        return [text[::-1] for text in texts]


@pytest.fixture
def reversing(monkeypatch):
    monkeypatch.setattr(translated, "Translator", Reversing)


def test_sentences_are_translated_one_by_one_and_each_once():
    translator = Reversing()
    found = translated.translate_texts(translator, ["Ab. Cd!", "Ab.", ""], "en", "de")
    assert found == [".bA !dC", ".bA", ""] and translator.asked == ["Ab.", "Cd!"]
    assert translated.translate_texts(Reversing(), ["Ab. Cd!"], "en", "zh") == [".bA!dC"]


def test_translated_training_examples_keep_ids_and_drop_what_nothing_is_left_of(place, tmp_path, monkeypatch):
    class Failing(Reversing):
        def translate(self, texts, *rest):
            return ["" if text.startswith("cat") else text[::-1] for text in texts]

    monkeypatch.setattr(translated, "Translator", Failing)
    path = tmp_path / "train.de.parquet"
    translate_training(TranslatedFiles(place, place, place / "train.parquet", path), TASK, "de")
    found, own = pd.read_parquet(path), pd.read_parquet(place / "train.parquet").query("split == 'train'")
    kept = own[~own["label"].str.startswith("cat")]
    assert len(kept) < len(own) and found["example_id"].tolist() == kept["example_id"].tolist()
    assert set(found["language"]) == {"de"} and set(found["split"]) == {"train"}
    assert found["label"].tolist() == [text[::-1] for text in kept["label"]]


@pytest.mark.usefixtures("reversing")
def test_by_way_of_english_inputs_are_translated_and_outputs_come_back(place, tmp_path):
    """English outputs are those of the model alone; the others are of the translated inputs, translated."""
    files = AdaptationFiles(
        *(place / "mbart", place / "tokenizer", [place / "train.parquet"]),
        *(tmp_path / "trained.safetensors", tmp_path / "adaptation.json"),
    )
    adapt(files, TASK, PLAN, 1, {})
    by_way = tmp_path / "evaluation.parquet"
    translate_evaluation(TranslatedFiles(place, place, place / "evaluation.parquet", by_way), TASK)
    inputs, own = pd.read_parquet(by_way), pd.read_parquet(place / "evaluation.parquet")
    german = own.query("split == 'test' and language == 'de'").reset_index(drop=True)
    assert inputs["text"].tolist() == [text[::-1] for text in german["text"]] and set(inputs["language"]) == {"de"}
    assert inputs["label"].tolist() == german["label"].tolist()

    def outputs(path):
        made = (files.checkpoint, files.tokenizer, files.weights, files.record, place / "evaluation.parquet")
        return OutputFiles(*made, path)

    write_outputs(outputs(tmp_path / "direct.parquet"), TASK, Decoding(longest=8))
    translated.write_translated_outputs(
        outputs(tmp_path / "by_way.parquet"), by_way, (place, place), TASK, Decoding(longest=8)
    )
    direct, found = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("direct", "by_way"))
    english = [frame.query("language == 'en'").reset_index(drop=True) for frame in (direct, found)]
    pd.testing.assert_frame_equal(*english)
    columns = ["language", "split", "example_id", "input", "reference"]
    pd.testing.assert_frame_equal(direct[columns], found[columns])
    # The reversed inputs, written for as English, with the outputs reversed.
    write_parquet(inputs.assign(language="en"), tmp_path / "as_english.parquet")
    written = replace(outputs(tmp_path / "english.parquet"), examples=tmp_path / "as_english.parquet")
    write_outputs(written, TASK, Decoding(longest=8))
    expected = [joined([s[::-1] for s in sentences(text)], "de") for text in pd.read_parquet(written.output)["output"]]
    assert found.query("language == 'de'")["output"].tolist() == expected


@pytest.mark.usefixtures("reversing")
def test_translations_of_other_examples_are_refused(place, tmp_path):
    files = AdaptationFiles(
        *(place / "mbart", place / "tokenizer", [place / "train.parquet"]),
        *(tmp_path / "trained.safetensors", tmp_path / "adaptation.json"),
    )
    adapt(files, TASK, replace(PLAN, epochs=1), 1, {})
    inputs = pd.read_parquet(place / "evaluation.parquet").query("split == 'test' and language == 'de'")
    write_parquet(inputs.iloc[1:], tmp_path / "less.parquet")
    made = (files.checkpoint, files.tokenizer, files.weights, files.record, place / "evaluation.parquet")
    with pytest.raises(MtbridgeError, match=r"less\.parquet: no translation of de test-000"):
        translated.write_translated_outputs(
            OutputFiles(*made, tmp_path / "out.parquet"), tmp_path / "less.parquet", (place, place), TASK, Decoding()
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said "no." Then he left', ['He said "no."', "Then he left"]),
        ("她来了。他走了！", ["她来了。", "他走了！"]),
        ("3.5 percent. Yes", ["3.5 percent.", "Yes"]),
        ("مرحبا؟ نعم", ["مرحبا؟", "نعم"]),
        ("  ", []),
        ("a\nb", ["a\nb"]),
    ],
)
def test_sentences_end_with_their_marks(text, expected):
    assert sentences(text) == expected
    assert first_sentence(text) == (expected or [""])[0]
