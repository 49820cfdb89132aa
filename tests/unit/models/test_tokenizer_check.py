"""An imported tokenizer gives the ids of transformers' own, or is refused in one line."""

import json
import shutil

import numpy as np
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenizers
from mtbridge.models import any_tokenizer, tokenizer_check
from mtbridge.models.published_tokenizers import import_tokenizer
from tests.support.checkpoints import make_bert, tokenizer
from tests.support.published import train_pieces, train_tokenizers, whole_model


@pytest.fixture(scope="module")
def published():
    """family -> the published tokenizer's class, on a vocabulary of the probes' own words."""
    words = " ".join(tokenizer_check.PROBES).split()
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.permutation(words)) for _ in range(60)]
    return train_tokenizers(lines, train_pieces(lines, size=200))


@pytest.fixture
def bert(tmp_path):
    return make_bert(tmp_path / "bert")


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def as_vocabulary_file(folder):
    """Replace tokenizer.json by vocab.txt, as older checkpoints have it."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get)))


def imported(folder, family="bert"):
    import_tokenizer(folder, family, ["en", "de"], folder / "made")
    return tokenizers.open_tokenizer(folder / "made")


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "mbart", "m2m_100"])
def test_published_classes_are_opened_by_transformers_and_agree(family, published, tmp_path, monkeypatch):
    published[family].save_pretrained(tmp_path)
    whole_model(family, published[family]).config.save_pretrained(tmp_path)
    opened = []
    monkeypatch.setattr(tokenizer_check, "_check_texts", lambda *arguments: opened.append(arguments[-1]))
    own = imported(tmp_path, family)
    monkeypatch.undo()
    assert [type(reference) for reference in opened] == [type(published[family])]
    for text in tokenizer_check.PROBES:
        assert (
            own.encode(text, add_special_tokens=False).ids
            == published[family](text, add_special_tokens=False)["input_ids"]
        )


@pytest.mark.parametrize("lower", [True, False])
def test_a_vocabulary_file_is_read_as_its_settings_say(lower, bert):
    as_vocabulary_file(bert)
    edit(bert / "tokenizer_config.json", do_lower_case=lower)
    own, theirs = imported(bert), tokenizer(do_lower_case=lower)
    for text in tokenizer_check.PROBES:
        assert own.encode(text, add_special_tokens=False).ids == theirs(text, add_special_tokens=False)["input_ids"]


def test_settings_against_tokenizer_json_are_refused(bert):
    edit(bert / "tokenizer_config.json", do_lower_case=False)
    with pytest.raises(MtbridgeError, match=r"do not agree: 'The cat .* by transformers' BertTokenizer; save the"):
        imported(bert)


def test_added_tokens_that_all_files_have_are_single_tokens(tmp_path):
    folder, own = make_bert(tmp_path / "bert"), tokenizer()
    own.add_tokens(["dingo", "[NEW]"])
    own.save_pretrained(folder)
    ids = imported(folder).encode("a dingo [NEW] cat", add_special_tokens=False).ids
    assert ids == own("a dingo [NEW] cat", add_special_tokens=False)["input_ids"]
    assert own.convert_tokens_to_ids("dingo") in ids


@pytest.mark.parametrize("place", ["added_tokens.json", "tokenizer_config.json"])
@pytest.mark.parametrize("old", [True, False], ids=["vocab.txt", "tokenizer.json"])
def test_an_added_token_that_one_file_alone_has_is_refused(place, old, bert):
    index = len(tokenizer())
    if old:
        as_vocabulary_file(bert)
    if place == "added_tokens.json":
        (bert / place).write_text(json.dumps({"[NEW]": index}))
    else:
        edit(bert / place, added_tokens_decoder={str(index): {"content": "[NEW]", "special": False}})
    with pytest.raises(MtbridgeError, match=r"its files do not agree on the added token '\[NEW\]'; save the tokenizer"):
        imported(bert)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MyTokenizer", "tokenizer_class 'MyTokenizer' is not supported"),
        ("CanineTokenizer", "CanineTokenizer, is written in Python alone"),
    ],
)
def test_a_class_that_is_not_read_exactly_is_refused(name, expected, bert):
    as_vocabulary_file(bert)
    edit(bert / "tokenizer_config.json", tokenizer_class=name)
    with pytest.raises(MtbridgeError, match=expected):
        imported(bert)


def test_code_of_the_checkpoint_is_not_run_but_refused(bert):
    edit(bert / "tokenizer_config.json", tokenizer_class="My", auto_map={"AutoTokenizer": ["tokenization.My", None]})
    with pytest.raises(MtbridgeError, match=r"tokenizer_class 'My' is not supported \(it needs code of its own"):
        imported(bert)


def test_special_tokens_elsewhere_than_the_family_has_them_are_refused(published, tmp_path):
    """mBART-25's class has the language's tag after the text, mBART-50's before it."""
    published["mbart"].save_pretrained(tmp_path)
    whole_model("mbart", published["mbart"]).config.save_pretrained(tmp_path)
    edit(tmp_path / "tokenizer_config.json", tokenizer_class="MBartTokenizer")
    with pytest.raises(MtbridgeError, match="MBartTokenizer puts special tokens elsewhere than the family mbart"):
        imported(tmp_path, "mbart")


def test_a_tokenizer_that_transformers_cannot_open_is_read_if_its_class_is_known(bert, monkeypatch):
    def missing(checkpoint):
        raise ImportError("no package for it")

    for module in (any_tokenizer, tokenizer_check):
        monkeypatch.setattr(module, "open_with_transformers", missing)
    assert imported(bert).token_to_id("cat")
    shutil.rmtree(bert / "made")
    edit(bert / "tokenizer_config.json", tokenizer_class="BertJapaneseTokenizer")
    with pytest.raises(MtbridgeError, match=r"transformers cannot open its tokenizer \(no package for it\)"):
        imported(bert)
