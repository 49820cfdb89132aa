"""Published checkpoints, in small: the real classes and tokenizers become encoder folders that give the same states."""

import csv
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from safetensors.torch import load_file
from transformers import BertTokenizer, MBartConfig, MBartForCausalLM

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.models import checkpoints, hub
from mtbridge.models import published_tokenizers as languages
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.template import template as template_of
from mtbridge.specs import families, language_tags
from mtbridge.weights import measures, spectra
from tests.support import small
from tests.support.hub_server import Hub, use
from tests.support.published import (
    LAYERS,
    WIDTHS,
    model_proto,
    save_checkpoint,
    train_pieces,
    train_tokenizers,
    whole_model,
)

REFERENCE = Path(__file__).resolve().parents[3] / "workflow" / "reference"
FAMILIES = ["bert", "xlm-roberta", "mbart", "m2m_100", "t5", "mt5"]
SENTINELS = {"t5": "", "mt5": "▁"}  # what stands before their names
TAGGED = ["mbart", "m2m_100"]
TEXTS = [
    ("en", "the cat sees a small dog"),
    ("de", "die Katze sieht einen Hund, und 12 Vögel!"),
    ("ru", "кошка видит маленькую собаку"),
    ("fr", "le chat"),
]
PAIRS = [("en", "the cat sees a dog", "a dog"), ("es", "el gato ve un perro pequeño", "the cat"), ("ru", "кошка", "le")]


def corpus():
    words = " ".join(text for _, text in TEXTS) + " el gato ve un perro pequeño"
    rng = np.random.default_rng(0)
    return [" ".join(rng.permutation(words.split())) for _ in range(60)]


@pytest.fixture(scope="module")
def pieces():
    """(piece, score) as in a sentencepiece model of type unigram, its own three specials first."""
    return train_pieces(corpus())


@pytest.fixture(scope="module")
def published(pieces):
    """family -> the published tokenizer's class on a small vocabulary."""
    return train_tokenizers(corpus(), pieces)


@pytest.fixture(scope="module")
def whole_models(published):
    """family -> the published model's class in a small size, random weights."""
    torch.manual_seed(0)
    return {family: whole_model(family, tokenizer) for family, tokenizer in published.items()}


def own_encoder(family, model):
    return model.get_encoder() if families.FAMILIES[family].sequence_to_sequence else model.base_model


@pytest.fixture
def import_from(tmp_path, published):
    """family -> (checkpoint folder with its tokenizer, tokenizer folder)."""

    def make(family, asked=("de", "en", "es", "fr", "ru")):
        published[family].save_pretrained(tmp_path / "published")
        languages.import_tokenizer(tmp_path / "published", family, asked, tmp_path / "tokenizer")
        return tmp_path / "tokenizer"

    return make


def published_ids(family, tokenizer, language, *texts) -> list[int]:
    if family in TAGGED:
        tokenizer.src_lang = families.FAMILIES[family].tags[language]
    return tokenizer(*texts)["input_ids"]


def batch(rows, pad):
    ids = torch.full((len(rows), max(map(len, rows))), pad)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


# ---- The same states -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["safetensors", "shards", "bin", "bin shards"])
@pytest.mark.parametrize("family", FAMILIES)
def test_states_are_those_of_the_published_encoder_on_texts_and_pairs(
    family, form, published, whole_models, import_from, tmp_path
):
    model, tokenizer = whole_models[family], import_from(family)
    checkpoint = save_checkpoint(tmp_path / "checkpoint", family, model, form)
    extract_encoder(checkpoint, tokenizer, tmp_path / "encoder", {"model": family})
    encoder, split = load_encoder(tmp_path / "encoder"), tokenizers.open_tokenizer(tokenizer)
    for examples in (TEXTS, PAIRS):
        template = template_of(
            tmp_path / "encoder", len(examples[0]) - 1, 60, "family", "own", ["de", "en", "es", "fr", "ru"]
        )
        ours, types, theirs = [], [], []
        for language, *texts in examples:
            parts = [np.array(split.encode(text, add_special_tokens=False).ids) for text in texts]
            row, kinds, _ = template.assemble(tokenized.Ragged.of(parts), [language])
            ours.append(row[0].tolist())
            types.append(kinds[0].tolist())
            theirs.append(published_ids(family, published[family], language, *texts))
        assert ours == theirs
        ids, mask = batch(ours, published[family].pad_token_id)
        kinds, _ = batch(types, 0)
        extra = {"token_type_ids": kinds} if family == "bert" else {}
        with torch.no_grad():
            expected = own_encoder(family, model)(
                input_ids=ids, attention_mask=mask, output_hidden_states=True, **extra
            ).hidden_states
            got = forward(encoder, small.packed(ours, types), hidden_states=True)
        assert len(got) == len(expected) == 3
        for layer, other in zip(got, expected, strict=True):
            # T5's residual stream grows from block to block, and with it rounding, which is another one on another
            # processor.
            scale = max(1.0, float(other.abs().max()))
            torch.testing.assert_close(layer, other[mask.bool()], rtol=0, atol=4e-6 * scale)


@pytest.mark.parametrize("family", FAMILIES)
def test_words_are_split_as_published(family, published, import_from):
    words = ["the", "Katze", "sees", ",", "собаку", "12"]
    theirs = published[family](words, is_split_into_words=True, add_special_tokens=False)
    ours = tokenizers.open_tokenizer(import_from(family)).encode(words, is_pretokenized=True, add_special_tokens=False)
    assert ours.ids == theirs["input_ids"]
    assert ours.word_ids == theirs.word_ids()
    if family != "bert":
        assert ours.tokens[0].startswith("▁") and ours.tokens[ours.word_ids.index(4)].startswith("▁")


def test_a_bin_of_an_old_pytorch_is_read(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "old bin")
    extract_encoder(folder, import_from("mbart"), tmp_path / "encoder", {})
    key = "layers.1.fc2.weight"
    assert torch.equal(
        load_file(tmp_path / "encoder/model.safetensors")[key],
        whole_models["mbart"].state_dict()[f"model.encoder.{key}"],
    )


@pytest.mark.parametrize("family", TAGGED)
@pytest.mark.parametrize("name", ["model.shared.weight", "lm_head.weight", "model.decoder.embed_tokens.weight"])
def test_tied_embeddings_are_found_under_any_of_their_names(family, name, whole_models, import_from, tmp_path):
    model = whole_models[family]
    found = {key: value for key, value in model.state_dict().items() if "embed_tokens" not in key}
    found = {key: value for key, value in found.items() if key not in ("lm_head.weight", "model.shared.weight")}
    (tmp_path / "checkpoint").mkdir()
    model.config.save_pretrained(tmp_path / "checkpoint")
    torch.save({**found, name: model.state_dict()["model.shared.weight"]}, tmp_path / "checkpoint/pytorch_model.bin")
    extract_encoder(tmp_path / "checkpoint", import_from(family), tmp_path / "encoder", {})
    got = load_file(tmp_path / "encoder/model.safetensors")["embed_tokens.weight"]
    assert torch.equal(got, model.state_dict()["model.shared.weight"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_loaded_encoder_is_real_and_in_single_precision(family, whole_models, import_from, tmp_path):
    """Also from a checkpoint in half precision, whose config says so."""
    folder = save_checkpoint(tmp_path / "checkpoint", family, whole_models[family], "safetensors")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "float16"}))
    extract_encoder(folder, import_from(family), tmp_path / "encoder", {})
    path = tmp_path / "encoder/model.safetensors"
    half = {key: value.half() for key, value in load_file(path).items()}
    torch.save(half, tmp_path / "encoder/pytorch_model.bin")
    path.unlink()
    encoder = load_encoder(tmp_path / "encoder")
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in encoder.parameters())
    assert not any(t.is_meta for t in (*encoder.parameters(), *encoder.buffers()))
    loaded = encoder.state_dict()
    assert all(torch.equal(loaded[key], value.float()) for key, value in half.items())


@pytest.mark.parametrize("shape", [(7,), (5, 3), (11, 2, 3)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_written_in_blocks_are_the_same(tmp_path, monkeypatch, shape, dtype):
    monkeypatch.setattr(checkpoints, "BLOCK", 40)  # a few rows at a time
    found = {"a": torch.randn(shape).to(dtype), "b": torch.randn(3, 2).to(dtype).T}
    torch.save(found, tmp_path / "pytorch_model.bin")
    tensors = checkpoints.Tensors(tmp_path)
    checkpoints.write(tensors, {"x": "a", "y": "b"}, tmp_path / "model.safetensors")
    again = load_file(tmp_path / "model.safetensors")
    assert torch.equal(again["x"], found["a"]) and torch.equal(again["y"], found["b"])
    assert again["x"].dtype == dtype


# ---- Tokenizers ------------------------------------------------------------------------------------------------------


def bare(tokenizer, text) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("family", ["mbart", "xlm-roberta"])
def test_a_sentencepiece_model_gives_the_published_ids(family, pieces, published, tmp_path):
    (tmp_path / "sentencepiece.bpe.model").write_bytes(model_proto(pieces))
    languages.import_tokenizer(tmp_path, family, ["en"], tmp_path / "tokenizer")
    split, theirs = tokenizers.open_tokenizer(tmp_path / "tokenizer"), published[family]
    assert split.get_vocab() == theirs.get_vocab()
    for text in [text for _, text in TEXTS] + ["  two  spaces", "unknown Ω signs", "", "a <mask>, b</s>"]:
        assert bare(split, text) == theirs(text, add_special_tokens=False)["input_ids"]
    # As sentencepiece, not as mBART-50's class, which makes a piece of the space at the end.
    assert bare(split, "the cat ") == bare(split, "the cat")


def test_a_sentencepiece_model_splits_as_the_library_itself(tmp_path):
    """With its table of characters: full-width signs, ligatures, spaces of all kinds."""
    (tmp_path / "text").write_text("\n".join(corpus()))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "sentencepiece.bpe"), vocab_size=70, minloglevel=2
    )
    reference = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "sentencepiece.bpe.model"))
    languages.import_tokenizer(tmp_path, "mbart", ["en"], tmp_path / "tokenizer")
    ours = tokenizers.open_tokenizer(tmp_path / "tokenizer")
    for text in ["the ｃａｔ ﬁsh", " le\tchat　ve ", "кошка\u00a0видит½ Ω", "Ü U\u0308 dog "]:
        theirs = [3 if i == 0 else i + 1 for i in reference.encode(text)]
        assert bare(ours, text) == theirs


@pytest.mark.parametrize("family", SENTINELS)
@pytest.mark.parametrize("fallback", [True, False])
def test_t5s_sentencepiece_model_splits_as_the_library_itself(family, fallback, tmp_path):
    """With sentinels that the model lacks (T5) or has among its pieces (mT5), and signs that are written as bytes."""
    (tmp_path / "text").write_text("\n".join(corpus()))
    sentinels = [f"▁<extra_id_{number}>" for number in reversed(range(10))] if family == "mt5" else []
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"),
        model_prefix=str(tmp_path / "spiece"),
        vocab_size=70 + len(sentinels) + 256 * fallback,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        byte_fallback=fallback,
        user_defined_symbols=sentinels,
        minloglevel=2,
    )
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0 if sentinels else 10}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    reference = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spiece.model"))
    languages.import_tokenizer(tmp_path, family, ["en", "xx"], tmp_path / "tokenizer")
    ours, ids = tokenizers.open_tokenizer(tmp_path / "tokenizer"), tokenizers.specials(tmp_path / "tokenizer")
    for text in ["the ｃａｔ ﬁsh", " le\tchat　ve ", "кошка\u00a0видит½ Ω", "Ü U\u0308 dog "]:
        assert bare(ours, text) == reference.encode(text), text
        if fallback:
            assert ours.decode(bare(ours, text)) == reference.decode(reference.encode(text))
    pieces = [reference.id_to_piece(number) for number in range(len(reference))]
    size = len(pieces)
    first = [pieces.index(name) for name in sentinels[::-1]] or list(range(size + 9, size - 1, -1))
    assert ids["sentinels"] == first
    assert bare(ours, "the <extra_id_1> cat")[1:2] in ([first[1]], [reference.piece_to_id("▁")])
    assert first[1] in bare(ours, "the <extra_id_1> cat")


@pytest.mark.parametrize("lower", [True, False])
def test_a_vocabulary_file_gives_the_published_ids(lower, published, tmp_path):
    vocabulary = published["bert"].get_vocab()
    theirs = BertTokenizer(vocab=vocabulary, do_lower_case=lower)
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in sorted(vocabulary, key=vocabulary.get)))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    languages.import_tokenizer(tmp_path, "bert", ["en"], tmp_path / "tokenizer")
    ours = tokenizers.open_tokenizer(tmp_path / "tokenizer")
    for text in [text for _, text in TEXTS] + ["Vögel [MASK] 猫!", ""]:
        assert bare(ours, text) == theirs(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("family", FAMILIES)
def test_specials_are_the_published_ones(family, published, import_from):
    ids, theirs = tokenizers.specials(import_from(family)), published[family]
    assert ids["end"] == (theirs.sep_token_id if family == "bert" else theirs.eos_token_id)
    assert (ids["pad"], ids["unknown"]) == (theirs.pad_token_id, theirs.unk_token_id)
    if family in SENTINELS:
        names = [f"{SENTINELS[family]}<extra_id_{number}>" for number in range(10)]
        assert ids["sentinels"] == theirs.convert_tokens_to_ids(names)
        assert (ids["start"], ids["mask"]) == (theirs.pad_token_id, ids["sentinels"][0])
    else:
        assert (ids["start"], ids["mask"]) == (theirs.cls_token_id, theirs.mask_token_id)
        assert "sentinels" not in ids
    if family in TAGGED:
        for language, tag in ids["languages"].items():
            assert tag == theirs.convert_tokens_to_ids(families.FAMILIES[family].tags[language]) != theirs.unk_token_id
    else:
        assert set(ids["languages"].values()) == {None}


def test_every_tag_is_one_of_the_published_tokenizer():
    from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES as MBART50
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB

    assert list(language_tags.MBART50.values()) == MBART50
    assert set(language_tags.NLLB.values()) <= set(NLLB)
    assert len(set(language_tags.NLLB.values())) == len(language_tags.NLLB)
    xglue = set("ar bg de el en es fr hi it nl pl pt ru sw th tr ur vi zh".split())  # noqa: SIM905
    assert xglue - set(language_tags.MBART50) == {"bg", "el"}
    assert xglue <= set(language_tags.NLLB)


def test_a_language_without_a_tag_is_warned_of_marked_and_fed_as_english(whole_models, import_from, tmp_path, capsys):
    tokenizer = import_from("mbart", ["bg", "de", "el"])
    assert capsys.readouterr().err.count("has no tag for bg, el; such texts get English's\n") == 1
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "safetensors")
    extract_encoder(folder, tokenizer, tmp_path / "encoder", {})
    assert json.loads((tmp_path / "encoder/card.json").read_text())["languages"] == ["de", "en"]
    special = tokenizers.specials(tmp_path / "encoder")
    assert special["languages"]["bg"] is None
    shape = template_of(tmp_path / "encoder", 1, 20, "family", "own", ["bg", "de", "en"])
    assert shape.ids["T"]["bg"] == shape.ids["T"]["en"] != special["unknown"]


def test_a_model_without_tags_misses_none(whole_models, import_from, tmp_path, capsys):
    tokenizer = import_from("xlm-roberta", ["bg", "en"])
    assert capsys.readouterr().err == ""
    folder = save_checkpoint(tmp_path / "checkpoint", "xlm-roberta", whole_models["xlm-roberta"], "safetensors")
    extract_encoder(folder, tokenizer, tmp_path / "encoder", {})
    assert json.loads((tmp_path / "encoder/card.json").read_text())["languages"] == ["bg", "en"]


# ---- Fetched ---------------------------------------------------------------------------------------------------------


def test_a_fetched_checkpoint_becomes_an_encoder_whose_card_says_where_it_is_from(
    whole_models, pieces, tmp_path, monkeypatch
):
    folder = save_checkpoint(tmp_path / "upload", "mbart", whole_models["mbart"], "bin shards")
    (folder / "sentencepiece.bpe.model").write_bytes(model_proto(pieces))
    with Hub() as server:
        commit = server.commit("owner/mbart", {path.name: path.read_bytes() for path in folder.iterdir()})
        use(server.url, tmp_path / "cache", monkeypatch)
        hub.fetch("owner/mbart", "main", tmp_path / "lock.json", tmp_path / "checkpoint", "mbart")
    languages.import_tokenizer(tmp_path / "checkpoint", "mbart", ["de", "en"], tmp_path / "tokenizer")
    card = {"model": "mbart", "source": "hub"}
    extract_encoder(tmp_path / "checkpoint", tmp_path / "tokenizer", tmp_path / "encoder", card)
    card = json.loads((tmp_path / "encoder/card.json").read_text())
    assert (card["repo"], card["revision"], card["commit"]) == ("owner/mbart", "main", commit)
    assert card["files"]["pytorch_model-1.bin"] == hub_entry(tmp_path, "pytorch_model-1.bin")
    values = spectra.singular_values(tmp_path / "encoder")
    weight = whole_models["mbart"].state_dict()["model.encoder.layers.1.fc1.weight"]
    assert measures.frobenius_norm(values["1.fc1"]) == pytest.approx(float(weight.double().norm()))


def hub_entry(tmp_path, name):
    return json.loads((tmp_path / "lock.json").read_text())["owner/mbart"]["main"]["files"][name]


# ---- Bad input -------------------------------------------------------------------------------------------------------


def refused(tmp_path, checkpoint, tokenizer, match):
    with pytest.raises(MtbridgeError, match=match) as raised:
        extract_encoder(checkpoint, tokenizer, tmp_path / "encoder", {})
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "encoder").exists()


def edit_config(folder, **change):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))


def test_a_decoder_of_a_known_family_is_refused(whole_models, import_from, tmp_path):
    config = MBartConfig(**{**LAYERS, **WIDTHS, "vocab_size": 200}, is_decoder=True, is_encoder_decoder=False)
    MBartForCausalLM(config).save_pretrained(tmp_path / "checkpoint")
    refused(tmp_path, tmp_path / "checkpoint", import_from("mbart"), r"a decoder without an encoder \(is_decoder\)")


def test_a_checkpoint_with_only_a_decoder_is_refused(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "m2m_100", whole_models["m2m_100"], "bin")
    found = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save({k: v for k, v in found.items() if "encoder" not in k}, folder / "pytorch_model.bin")
    refused(tmp_path, folder, import_from("m2m_100"), "holds no encoder of the family m2m_100")


@pytest.mark.parametrize("family", FAMILIES)
def test_more_layers_than_the_config_says_are_refused(family, whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", family, whole_models[family], "bin")
    edit_config(folder, encoder_layers=1, num_hidden_layers=1)
    refused(
        tmp_path, folder, import_from(family), r"tensor '.*1\..*' has no place in the model that config.json describes"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_layers_than_the_config_says_are_refused(family, whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", family, whole_models[family], "shards")
    edit_config(folder, encoder_layers=3, num_hidden_layers=3)
    refused(tmp_path, folder, import_from(family), r"tensor '.*2\..*' is missing; the checkpoint is incomplete")


def test_another_width_than_the_config_says_is_refused(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "bin")
    edit_config(folder, encoder_ffn_dim=40)
    refused(tmp_path, folder, import_from("mbart"), r"fc1\.weight' has shape \(24, 16\), config\.json says \(40, 16\)")


def test_a_config_that_makes_no_model_is_refused(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "bin")
    edit_config(folder, d_model="wide")
    refused(tmp_path, folder, import_from("mbart"), r"config\.json: ")


def test_a_bin_that_would_run_code_is_refused(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "bin")

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    torch.save({"model.shared.weight": Trap()}, folder / "pytorch_model.bin")
    refused(tmp_path, folder, import_from("mbart"), r"pytorch_model\.bin: not readable as PyTorch weights")
    assert not (tmp_path / "ran").exists()


def test_a_truncated_bin_is_refused(whole_models, import_from, tmp_path):
    folder = save_checkpoint(tmp_path / "checkpoint", "mbart", whole_models["mbart"], "bin")
    data = (folder / "pytorch_model.bin").read_bytes()
    (folder / "pytorch_model.bin").write_bytes(data[: len(data) // 2])
    refused(tmp_path, folder, import_from("mbart"), r"pytorch_model\.bin: not readable as PyTorch weights")


@pytest.mark.parametrize(
    ("family", "files", "message"),
    [
        ("mbart", {}, r"has no tokenizer; expected tokenizer\.json or sentencepiece\.bpe\.model"),
        (
            "m2m_100",
            {"sentencepiece.bpe.model": b""},
            r"has no tokenizer; expected tokenizer\.json for the family m2m_100",
        ),
        ("mbart", {"sentencepiece.bpe.model": b"\xff\xff"}, "not readable as a sentencepiece model"),
        ("mbart", {"sentencepiece.bpe.model": model_proto([("a", 0.0)])}, "not laid out as those of mBART-50"),
        ("mbart", {"tokenizer.json": b"{}"}, "not readable as a tokenizer"),
        ("gpt2", {"tokenizer.json": b"{}"}, "the family 'gpt2' is not supported for this; supported are bert"),
    ],
)
def test_a_tokenizer_that_is_none_is_refused(family, files, message, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(MtbridgeError, match=message):
        languages.import_tokenizer(tmp_path, family, ["en"], tmp_path / "tokenizer")
    assert not (tmp_path / "tokenizer").exists()


def test_a_tokenizer_of_another_family_is_refused(published, tmp_path):
    published["m2m_100"].save_pretrained(tmp_path / "nllb")
    with pytest.raises(MtbridgeError, match="has no tag en_XX for English"):
        languages.import_tokenizer(tmp_path / "nllb", "mbart", ["en"], tmp_path / "tokenizer")


# ---- The real ones ---------------------------------------------------------------------------------------------------

MBART = {
    "mbart": "facebook/mbart-large-50",
    "mbart-m2m": "facebook/mbart-large-50-many-to-many-mmt",
    "mbart-o2m": "facebook/mbart-large-50-one-to-many-mmt",
    "mbart-m2o": "facebook/mbart-large-50-many-to-one-mmt",
}


@pytest.mark.skipif(
    os.environ.get("MTBRIDGE_REAL_CHECKPOINTS") != "1",
    reason="fetches four checkpoints of 2.4 GB from the Hub; set MTBRIDGE_REAL_CHECKPOINTS=1",
)
def test_real_checkpoints_have_the_published_norms_and_distances(tmp_path):
    """All 288 norms and 216 distances of Tables 2 and 5, to a hundredth, which is how they are printed."""
    sigma = {}
    for model, repo in MBART.items():
        place = tmp_path / model
        hub.fetch(repo, "main", tmp_path / "lock.json", place / "checkpoint", "mbart")
        languages.import_tokenizer(place / "checkpoint", "mbart", ["en"], place / "tokenizer")
        extract_encoder(place / "checkpoint", place / "tokenizer", place / "encoder", {"model": model})
        sigma[model] = spectra.singular_values(place / "encoder")
    wrong, seen = [], defaultdict(int)
    for table in ("table2", "table5"):
        for row in csv.DictReader((REFERENCE / f"{table}.csv").open()):
            key = f"{row['layer']}.{row['matrix']}"
            ours = {"sigma_norm": measures.frobenius_norm(sigma[row["model"]][key])}
            if row["model"] != "mbart":
                ours["d"] = measures.distance(sigma[row["model"]][key], sigma["mbart"][key])
            for name, value in ours.items():
                seen[name] += 1
                if abs(value - float(row[name])) > 0.01:
                    wrong.append(f"{row['model']} {key} {name}: {value:.3f}, published {row[name]}")
    assert seen == {"sigma_norm": 288, "d": 216}
    assert not wrong, f"{len(wrong)} of 504 values differ: " + "; ".join(wrong[:10])
