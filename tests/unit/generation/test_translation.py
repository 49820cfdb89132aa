"""Translation: what transformers' own search writes, whatever order and batches; nothing is cut in silence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.generation import translation, writing
from mtbridge.generation.inputs import padded
from mtbridge.generation.translation import TranslationFiles, Translator, read_aligned, write_translations
from mtbridge.generation.translation_scores import corpus_chrf, score_translations
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.specs.adaptation import Decoding
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining.initialization import create, open_checkpoint
from tests.support import pretraining, published, small
from tests.support.writing import WRITERS

DIRECTIONS = [("en", "de"), ("de", "en")]
DECODINGS = [Decoding(longest=12), Decoding(beams=3, no_repeat=2, longest=12)]


def sentences(language, count=24):
    rng = np.random.default_rng(7)
    made = [" ".join(small.sentence(rng, int(rng.integers(1, 12)))) for _ in range(count)]
    return [text.upper() for text in made] if language == "de" else made


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that has learnt a little to write English in capitals, and the way back."""
    place = pretraining.make_place(tmp_path_factory.mktemp("translator"))
    pretraining.run(place, place / "model", pretraining.plan("m2m_100", "translation", 400, "all"))
    return Translator(place / "model", place / "tokenizer"), place / "model"


@pytest.fixture(params=[*(name for name in WRITERS if FAMILIES[name].tags is not None), "trained"])
def translator(request, place, tmp_path, trained):
    """(translator, checkpoint): a random model of each family whose texts differ, and the trained one."""
    if request.param == "trained":
        return trained
    model = open_checkpoint(place / request.param)
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
    model.save_pretrained(tmp_path / "model")
    return Translator(tmp_path / "model", place / "tokenizer"), tmp_path / "model"


def by_transformers(checkpoint, writer, texts, source, target, decoding):
    """What transformers' `generate` writes for one padded batch of all texts."""
    model = open_checkpoint(checkpoint).eval()
    end, pad = writer.ids["end"], writer.ids["pad"]
    ids = [one.ids for one in writer.tokenizer.encode_batch(texts, add_special_tokens=False)]
    batch = padded([np.array([writer.tag(source), *row, end]) for row in ids], pad)
    with torch.inference_mode():
        written = model.generate(
            input_ids=batch,
            attention_mask=(batch != pad).long(),
            # Not as `forced_bos_token_id`: beams would then count the tag as one of the output's tokens.
            decoder_input_ids=torch.tensor([[end, writer.tag(target)]]).repeat(len(batch), 1),
            decoder_start_token_id=end,
            forced_bos_token_id=None,
            max_new_tokens=decoding.longest,
            num_beams=decoding.beams,
            no_repeat_ngram_size=decoding.no_repeat,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=pad,
            bad_words_ids=[[token] for token in writer.never_written],
            forced_eos_token_id=None,
        )
    return writer.tokenizer.decode_batch(written.tolist())


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_translations_are_those_of_transformers_on_a_padded_batch(translator, source, target):
    texts = sentences(source)
    translate, checkpoint = translator
    got = translate.translate(texts, source, target, DECODINGS[0])
    assert got == by_transformers(checkpoint, translate.writer, texts, source, target, DECODINGS[0])
    assert len(set(got)) > 1


def test_beams_are_those_of_transformers_on_a_padded_batch(trained):
    translate, checkpoint = trained
    decoding = Decoding(beams=3, longest=12)
    texts = sentences("en")
    got = translate.translate(texts, "en", "de", decoding)
    assert got == by_transformers(checkpoint, translate.writer, texts, "en", "de", decoding)
    assert got != translate.translate(texts, "en", "de", Decoding(longest=12))


@pytest.mark.parametrize("decoding", DECODINGS, ids=["greedy", "beams"])
def test_neither_order_nor_batches_change_a_translation(trained, monkeypatch, decoding):
    translate, _ = trained
    texts = sentences("en")
    expected = translate.translate(texts, "en", "de", decoding)
    order = np.random.default_rng(3).permutation(len(texts))
    assert translate.translate([texts[i] for i in order], "en", "de", decoding) == [expected[i] for i in order]
    monkeypatch.setattr(writing, "TOKENS", 20)
    assert translate.translate(texts, "en", "de", decoding) == expected


@pytest.mark.parametrize("family", ["mbart", "m2m_100"])
def test_a_published_model_translates_as_transformers_does_with_the_published_tokenizer(family, tmp_path):
    """The tag of the source, the order of specials, and the forced tag of the target are those of transformers."""
    lines = [*sentences("en", 60), *sentences("de", 60)]
    published_tokenizer = published.train_tokenizers(lines, published.train_pieces(lines, 80))[family]
    torch.manual_seed(11)
    model = published.whole_model(family, published_tokenizer)
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # so large that texts differ in what is written for them
            if "norm" not in name:
                parameter.add_(torch.randn_like(parameter) * (1.0 if "encoder_attn" in name else 0.3))
    folder = published.save_checkpoint(tmp_path / "checkpoint", family, model, "safetensors")
    published_tokenizer.save_pretrained(folder)
    import_tokenizer(folder, family, ["de", "en"], tmp_path / "tokenizer")
    translate, tags = Translator(folder, tmp_path / "tokenizer"), FAMILIES[family].tags
    for source, target in DIRECTIONS:
        texts = sentences(source)
        published_tokenizer.src_lang = tags[source]
        written = model.generate(
            **published_tokenizer(texts, padding=True, return_tensors="pt"),
            forced_bos_token_id=published_tokenizer.convert_tokens_to_ids(tags[target]),
            decoder_start_token_id=published_tokenizer.eos_token_id,  # in the published config.json
            max_new_tokens=10,
            num_beams=1,
            bad_words_ids=[[token] for token in translate.writer.never_written],
            forced_eos_token_id=None,
        )
        expected = published_tokenizer.batch_decode(written, skip_special_tokens=True)
        got = translate.translate(texts, source, target, Decoding(longest=9))
        assert got == expected and len(set(got)) > 1


def test_the_tag_of_the_target_decides_the_language(trained):
    translate, _ = trained
    for (source, target), is_right in zip(DIRECTIONS, (str.isupper, str.islower), strict=True):
        found = translate.translate(sentences(source), source, target, Decoding(longest=20))
        assert sum(map(is_right, found)) > len(found) / 2


def test_no_text_and_empty_texts_are_no_error(trained):
    translate, _ = trained
    assert translate.translate([], "en", "de", Decoding()) == []
    assert len(translate.translate(["", "cat"], "en", "de", Decoding())) == 2


def test_what_is_cut_is_said(trained, capsys):
    translate, _ = trained
    texts = ["cat", "dog " * 70, "bird"]
    found = translate.write(texts, "en", "de", Decoding())
    assert found.source_cut == [False, True, False]
    translate.translate(texts, "en", "de", Decoding(longest=1))
    printed = capsys.readouterr().err
    assert "en-de: 1 of 3 sources were cut" in printed and "translations were cut" in printed


def test_progress_ends_with_all_texts(trained):
    translate, _ = trained
    done: list[int] = []
    translate.translate(sentences("en"), "en", "de", Decoding(longest=3), done.append)
    assert done[-1] == 24 and done == sorted(done)


def test_an_unknown_language_and_a_model_without_a_decoder_are_refused_in_one_line(trained, place, tmp_path):
    translate, _ = trained
    for pair in (("en", "fr"), ("fr", "en")):
        with pytest.raises(MtbridgeError, match="no tag for 'fr'"):
            translate.translate(["cat"], *pair, Decoding())
    create("bert", small.SMALL, translate.writer.ids, 150, 1).save_pretrained(tmp_path / "bert")
    with pytest.raises(MtbridgeError, match="bert, which has no decoder"):
        Translator(tmp_path / "bert", place / "tokenizer")


def scored(place, checkpoint, folder, languages=("de", "en"), directions="all"):
    """The rows that are written for a checkpoint, and (source, target) -> chrF."""
    folder.mkdir()
    written, counted = folder / "translations.parquet", folder / "scores.parquet"
    files = TranslationFiles(checkpoint, place / "tokenizer", place / "texts", written)
    write_translations(files, languages, directions, Decoding(longest=20))
    score_translations(written, counted)
    groups = pd.read_parquet(counted).groupby(["source", "target"])["chrf"]
    return pd.read_parquet(written), {pair: float(corpus_chrf(np.stack(rows).sum(axis=0))) for pair, rows in groups}


def test_a_test_set_is_translated_in_every_direction_and_training_raises_chrf(tmp_path):
    place, scores = pretraining.make_place(tmp_path / "place"), {}
    for steps in (0, 500):
        objective = "translation" if steps else "none"
        plan = pretraining.plan(objective=objective, steps=steps, directions="all" if steps else None)
        pretraining.run(place, tmp_path / f"c{steps}", plan)
        frame, scores[steps] = scored(place, tmp_path / f"c{steps}", tmp_path / f"out{steps}")
    texts = {language: (place / "texts" / f"{language}.txt").read_text().splitlines() for language in ("de", "en")}
    for (source, target), rows in frame.groupby(["source", "target"]):
        assert rows["line"].tolist() == list(range(120))
        assert (rows["input"].tolist(), rows["reference"].tolist()) == (texts[source], texts[target])
    assert set(scores[500]) == {("de", "en"), ("en", "de")}
    assert all(scores[500][pair] > scores[0][pair] + 5 for pair in scores[500])


def test_directions_without_a_tag_are_left_out_and_said(trained, tmp_path, capsys):
    checkpoint = trained[1]
    place = checkpoint.parent
    (place / "texts" / "fr.txt").write_text((place / "texts" / "en.txt").read_text())
    frame, _ = scored(place, checkpoint, tmp_path / "out", ("de", "en", "fr"))
    assert set(zip(frame["source"], frame["target"], strict=True)) == set(DIRECTIONS)
    assert "left out, because the tokenizer has no tag: fr" in capsys.readouterr().err
    with pytest.raises(MtbridgeError, match="has no tags for both sides of a direction"):
        scored(place, checkpoint, tmp_path / "none", ("en", "fr"))


def test_texts_of_other_lengths_are_no_test_set(tmp_path):
    for language, lines in (("de", 3), ("en", 4)):
        (tmp_path / f"{language}.txt").write_text("a\n" * lines)
    with pytest.raises(MtbridgeError, match=r"de\.txt:3: ends here, but en\.txt has 4 lines"):
        read_aligned(tmp_path, ["de", "en"])


def test_a_family_without_tags_is_refused(trained, monkeypatch):
    untagged = replace(FAMILIES["m2m_100"], tags=None)
    monkeypatch.setattr(translation, "family_of", lambda folder: untagged)
    with pytest.raises(MtbridgeError, match="has no language tags"):
        Translator(trained[1], trained[1].parent / "tokenizer")
