"""Published checkpoints of whole models, in small: every form of their files, adapted and written with as transformers
itself does it."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    M2M100ForConditionalGeneration,
    MBartForConditionalGeneration,
    MT5ForConditionalGeneration,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.generation.training import AdaptationFiles, adapt
from mtbridge.generation.writing import OutputFiles, write_outputs
from mtbridge.models import hub
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.whole import load_whole
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.specs.task import Task
from mtbridge.training.pretraining.loop import PretrainingFiles, pretrain
from tests.support import small
from tests.support.hub_server import Hub, use
from tests.support.pretraining import plan
from tests.support.published import T5_SIZES, save_checkpoint, train_pieces, train_tokenizers, whole_model

WORDS = [
    "the",
    "cat",
    "sees",
    "a",
    "small",
    "dog",
    "die",
    "Katze",
    "sieht",
    "einen",
    "Hund",
    "кошка",
    "видит",
    "собаку",
]
CLASSES = {
    "mbart": MBartForConditionalGeneration,
    "m2m_100": M2M100ForConditionalGeneration,
    "t5": T5ForConditionalGeneration,
    "mt5": MT5ForConditionalGeneration,
}
CODES = {"mbart": {"en": "en_XX", "ru": "ru_RU"}, "m2m_100": {"en": "eng_Latn", "ru": "rus_Cyrl"}}
TASK = Task("first", "generation", (), "exact_match", ("text",))
EACH = pytest.mark.parametrize("family", CLASSES)
FORM = pytest.mark.parametrize("form", ["safetensors", "shards", "bin", "bin shards", "old bin"])


@pytest.fixture(scope="module")
def published():
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.permutation(WORDS)) for _ in range(60)]
    return train_tokenizers(lines, train_pieces(lines))


@pytest.fixture(scope="module")
def models(published):
    """family -> the class in small, with weights large enough that outputs differ and end.

    What reads the source weighs most: outputs then differ by far more than another processor's rounding changes.
    """
    torch.manual_seed(0)
    found = {family: whole_model(family, published[family]) for family in CLASSES}
    for family, model in found.items():
        model.requires_grad_(False)
        for name, parameter in model.named_parameters():
            if "norm" not in name and (family in CODES or "block" in name):
                reads = "encoder_attn" in name or "EncDecAttention" in name
                parameter.add_(torch.randn_like(parameter) * (1.0 if reads else 0.3))
    return found


def some_logits(model):
    model.eval()
    ids = torch.arange(3, 15).view(2, 6)
    with torch.no_grad():
        return model(input_ids=ids, decoder_input_ids=ids[:, :4] + 2).logits


def same(ours, theirs):
    torch.testing.assert_close(some_logits(ours), some_logits(theirs), rtol=0, atol=1e-6)


# ---- Read ------------------------------------------------------------------------------------------------------------


@FORM
@EACH
def test_a_whole_model_is_the_published_one(models, tmp_path, family, form):
    folder = save_checkpoint(tmp_path / "checkpoint", family, models[family], form)
    same(load_whole(folder), models[family])


def stored(folder, model, drop=(), rename=None, **more):
    """A `.bin` of a model's tensors without some, others under another name."""
    folder.mkdir()
    model.config.save_pretrained(folder)
    found = {(rename or {}).get(name, name): value for name, value in model.state_dict().items() if name not in drop}
    torch.save({**found, **more}, folder / "pytorch_model.bin")
    return folder


def names_of_embeddings(model):
    table = model.get_input_embeddings().weight
    return [name for name, value in model.state_dict(keep_vars=True).items() if value is table]


@EACH
def test_tied_embeddings_may_be_stored_once_under_any_of_their_names(models, tmp_path, family):
    """Also where `shared.weight`, of which transformers ties all others, is the one that is missing."""
    names = names_of_embeddings(models[family])
    assert len(names) == (3 if family == "mt5" else 4)
    for number, kept in enumerate(names):
        folder = stored(tmp_path / str(number), models[family], drop=set(names) - {kept})
        same(load_whole(folder), models[family])


@pytest.mark.parametrize("family", ["t5", "mt5"])
def test_an_output_layer_of_its_own_is_never_taken_for_the_embeddings(models, tmp_path, family):
    model = models[family]
    names = [
        name for name in model.state_dict() if "block" not in name and "norm" not in name and name != "lm_head.weight"
    ]
    folder = stored(tmp_path / "checkpoint", model, drop=names)
    if family == "t5":  # as in T5 1.1
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    with pytest.raises(MtbridgeError, match=r"missing \['shared\.weight'\]; expected the whole model with its decoder"):
        load_whole(folder)


def untied_t5(size=60):
    """A T5 1.1: gated, its output layer its own, whose states are not scaled."""
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=size, num_layers=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False, **T5_SIZES
    )
    model = T5ForConditionalGeneration(config)
    model.lm_head.weight = torch.nn.Parameter(torch.randn(size, 16))
    return model.eval()


@pytest.mark.parametrize("again", [False, True])
def test_logits_of_an_output_layer_of_its_own_are_not_scaled(tmp_path, again):
    """With config.json as published, and as transformers writes it again, where it says that all is tied."""
    model = untied_t5()
    model.save_pretrained(tmp_path / "one")
    if not again:
        config = json.loads((tmp_path / "one/config.json").read_text())
        config.pop("scale_decoder_outputs")
        (tmp_path / "one/config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    ours = load_whole(tmp_path / "one")
    assert not ours.config.scale_decoder_outputs and ours.lm_head.weight is not ours.shared.weight
    same(ours, model)
    ours.save_pretrained(tmp_path / "two")
    same(load_whole(tmp_path / "two"), model)


def test_tied_weights_that_differ_are_refused(models, tmp_path):
    other = {"model.decoder.embed_tokens.weight": models["mbart"].model.shared.weight + 1}
    folder = stored(tmp_path / "checkpoint", models["mbart"], **other)
    with pytest.raises(
        MtbridgeError, match=r"' and 'model\.shared\.weight' differ, but config\.json says that they are tied"
    ):
        load_whole(folder)


@EACH
def test_a_tensor_too_few_or_too_many_or_of_another_shape_is_named(models, tmp_path, family):
    decoder = next(name for name in models[family].state_dict() if "decoder" in name and "final_layer_norm" in name)
    with pytest.raises(MtbridgeError, match=rf"missing \['{decoder}'\]; expected the whole model"):
        load_whole(stored(tmp_path / "few", models[family], drop=[decoder]))
    with pytest.raises(MtbridgeError, match=r"not expected \['decoder\.more'\]"):
        load_whole(stored(tmp_path / "many", models[family], **{"decoder.more": torch.zeros(2)}))
    with pytest.raises(MtbridgeError, match=rf"'{decoder}' has shape \(7,\), config\.json says \(16,\)"):
        load_whole(stored(tmp_path / "other", models[family], **{decoder: torch.zeros(7)}))


def test_an_encoder_alone_cannot_write(tmp_path):
    T5EncoderModel(T5Config(vocab_size=60, num_layers=2, **T5_SIZES)).save_pretrained(tmp_path)
    with pytest.raises(MtbridgeError, match=r"missing \['decoder\..*'\]; expected the whole model with its decoder"):
        load_whole(tmp_path)


@EACH
def test_half_precision_is_read_as_single(models, tmp_path, family):
    models[family].save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    assert {p.dtype for p in load_whole(tmp_path).parameters()} == {torch.float32}


# ---- Adapted and written with ----------------------------------------------------------------------------------------


def rows(split, count):
    rng = np.random.default_rng(len(split))
    for number in range(count):
        language = "en" if split != "test" or number % 2 else "ru"
        words = rng.permutation(WORDS[-3:] if language == "ru" else WORDS[:6])[: 3 + number % 4]
        found = {"split": split, "language": language, "example_id": f"{split}-{number}"}
        yield found | {"text": " ".join(words), "label": str(words[0]), "references": [str(words[0])]}


@pytest.mark.parametrize("form", ["shards", "bin"])
@EACH
def test_a_fetched_model_is_adapted_and_writes_what_transformers_writes(
    published, models, tmp_path, monkeypatch, family, form
):
    """From the Hub's files on: with its own tokenizer, template, tag of the language and start of the decoder."""
    folder = save_checkpoint(tmp_path / "upload", family, models[family], form)
    published[family].save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    # What config.json says of writing is not what the study says; mBART's has beams, and an end that is forced.
    (folder / "config.json").write_text(
        json.dumps(config | {"num_beams": 5, "max_length": 4, "forced_eos_token_id": 2})
    )
    with Hub() as server:
        server.commit("owner/model", {path.name: path.read_bytes() for path in folder.iterdir()})
        use(server.url, tmp_path / "cache", monkeypatch)
        hub.fetch("owner/model", "main", tmp_path / "lock.json", tmp_path / "checkpoint", family)
    import_tokenizer(tmp_path / "checkpoint", family, ["en", "ru"], tmp_path / "tokenizer")
    write_parquet(pd.DataFrame(rows("train", 16)), tmp_path / "train.parquet")
    write_parquet(pd.DataFrame([*rows("dev", 2), *rows("test", 12)]), tmp_path / "evaluation.parquet")
    given = (tmp_path / "checkpoint", tmp_path / "tokenizer")
    written = (tmp_path / "trained.safetensors", tmp_path / "adaptation.json")
    way = Adaptation(learning_rate=1e-3, epochs=1, batch_size=8, source_length=24, target_length=12)
    adapt(AdaptationFiles(*given, [tmp_path / "train.parquet"], *written), TASK, way, 1, {"model": family})
    texts = {}
    for beams in (1, 3):
        files = OutputFiles(*given, *written, tmp_path / "evaluation.parquet", tmp_path / f"{beams}.parquet")
        write_outputs(files, TASK, Decoding(longest=9, beams=beams))
        texts[beams] = pd.read_parquet(tmp_path / f"{beams}.parquet")
    theirs = CLASSES[family].from_pretrained(tmp_path / "upload").eval()
    trained = load_file(written[0])
    names = [name for name in theirs.state_dict() if name in trained]
    assert len(names) == len(trained)
    theirs.load_state_dict(trained, strict=False)
    theirs.tie_weights() if family in CODES else None
    for beams, table in texts.items():
        for row in table.itertuples():
            assert row.output == transformers_output(theirs, published[family], family, row, beams), (beams, row)
    assert len(set(texts[1]["output"])) >= 3


def transformers_output(model, tokenizer, family, row, beams):
    """A text by transformers' own tokenizer and search; sentinels are shown, as ours are."""
    forced = {}
    if family in CODES:
        tokenizer.src_lang = CODES[family][row.language]
        forced = {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(CODES[family][row.language])}
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    sentinels = {number for number in special if "extra_id" in tokenizer.convert_ids_to_tokens(number)}
    banned = special - sentinels - {tokenizer.eos_token_id}
    found = model.generate(
        **tokenizer(row.input, return_tensors="pt"),
        **forced,
        num_beams=beams,
        do_sample=False,
        max_new_tokens=9 + bool(forced),
        max_length=None,
        forced_eos_token_id=None,
        bad_words_ids=[[token] for token in sorted(banned)],  # a forced token may still be written
    )[0].tolist()
    kept = found[1 + bool(forced) :]
    if tokenizer.eos_token_id in kept:
        kept = kept[: kept.index(tokenizer.eos_token_id)]
    return tokenizer.decode(
        [token for token in kept if token != tokenizer.pad_token_id], clean_up_tokenization_spaces=False
    )


def test_a_published_model_can_be_tuned_on_before(published, models, tmp_path):
    """Intermediate tuning of an mT5 from a `.bin`: spans with its own sentinels, its output layer stays its own."""
    folder = save_checkpoint(tmp_path / "checkpoint", "mt5", models["mt5"], "bin")
    published["mt5"].save_pretrained(folder)
    import_tokenizer(folder, "mt5", ["en"], tmp_path / "tokenizer")
    small.make_tokenizer(tmp_path / "texts")
    from mtbridge.data import tokenized

    tokenized.write_corpus(tmp_path / "tokenizer", {"en": tmp_path / "texts/en.txt"}, tmp_path / "corpus")
    for objective in ("span_corruption", "prefix_lm", "denoising"):
        files = PretrainingFiles(tmp_path / "corpus", tmp_path / "tokenizer", tmp_path / objective, folder)
        pretrain(files, plan("mt5", objective, steps=2), small.SMALL)
        tuned = load_whole(tmp_path / objective)
        assert not torch.equal(tuned.lm_head.weight, tuned.shared.weight)
        assert not torch.equal(tuned.lm_head.weight, models["mt5"].lm_head.weight)
