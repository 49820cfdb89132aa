"""Thousands of files and configs that nobody meant to write: they are read, or end in the project's own error."""

import contextlib
import io
import shutil
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenizers
from mtbridge.data.readers import read_examples
from mtbridge.models import checkpoints
from mtbridge.models.loading import load_encoder
from mtbridge.representations.similarity import compare_models
from mtbridge.specs.recipe import Encoding, Recipe
from mtbridge.specs.task import Task
from mtbridge.study.load import load
from mtbridge.study.settings import Settings
from mtbridge.training import batches as inputs
from mtbridge.training import weights_file
from tests.support import small

FUZZ = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
QAM = Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage"))
POS = Task("pos", "tagging", ("NOUN", "VERB"), "tagging_accuracy")
NER = Task("ner", "tagging", ("O", "B-PER", "I-PER"), "entity_f1")
PAWS = Task("paws-x", "pair", ("0", "1"), "accuracy", ("first", "second"))
WPR = Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title", "snippet"), (("query",), ("title", "snippet")))
GOOD = {  # task, place in a release, a file that is right
    "pairs": (QAM, "QAM/xglue.qam.en.dev", b"a b\tc d\t1\ne\tf g\t0\n"),
    "tags": (POS, "POS/en.dev", "a NOUN\nb VERB\n\né NOUN\n".encode()),
    "entities": (NER, "NER/en.dev", b"a I-PER\nb O\n\nc B-PER\nd I-PER\n"),
    "header": (PAWS, "PAWSX/en/dev_2k.tsv", b"id\ta\tb\tlabel\n1\ta\tb\t0\n2\tc\td\t1\n"),
    "results": (WPR, "WPR/xglue.wpr.en.dev", b"q\tt\ts\t4\nq\tt\tu\t0\nr\tt\ts\t2\n"),
}
SPICE = [
    b"",
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
    b'"',
    b"\xe2\x80\xa8",
    b"\x85",
    b"\xed\xa0\x80",
    b"-",
]


@st.composite
def damaged(draw, good: bytes) -> bytes:
    """A right content with some bytes cut, doubled, changed or put in."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.sampled_from(SPICE), st.binary(max_size=6), st.just(bytes(content[start:end]) * 2)))
        content[start:end] = new
    return bytes(content)


@contextlib.contextmanager
def own_error_only():
    """Any error but MtbridgeError comes through and fails the test; its message is one line that says something."""
    try:
        yield
    except MtbridgeError as error:
        assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("case", GOOD)
def test_files_of_a_release(tmp_path, case):
    task, name, good = GOOD[case]
    path = tmp_path / name
    path.parent.mkdir(parents=True)

    @FUZZ
    @given(st.one_of(damaged(good), st.binary(max_size=200)))
    def fuzz(content):
        path.write_bytes(content)
        with own_error_only():
            table = read_examples({"kind": "xglue", "path": str(tmp_path)}, task, "dev", "en", None, 1)
            assert table.num_rows > 0
            labels = table.column("label").to_pylist()
            assert {x for row in labels for x in (row if task.kind == "tagging" else [row])} <= set(task.labels)

    fuzz()


def test_archives_of_a_release(tmp_path):
    task, name, good = GOOD["pairs"]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"xglue_full_dataset/{name}")
        member.size = len(good)
        archive.addfile(member, io.BytesIO(good))
    path, before = tmp_path / "release.tar.gz", set(tmp_path.parent.iterdir())

    @FUZZ
    @given(damaged(packed.getvalue()))
    def fuzz(content):
        path.write_bytes(content)
        with own_error_only():
            read_examples({"kind": "xglue", "path": str(path)}, task, "dev", "en", None, 1)

    fuzz()
    assert set(tmp_path.parent.iterdir()) == before


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A fine-tuned run and everything it was made from, all of it right."""
    folder = tmp_path_factory.mktemp("made")
    small.make_tagging(folder, train=12, dev=6)
    recipe = Recipe(epochs=1, batch_size=8, max_length=40, selection="last")
    small.finetune_tagging(folder, folder, recipe)
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        save_file({"en": rng.normal(size=(2, 9, 4)).astype("float32")}, folder / f"{name}.safetensors")
    return folder


READERS = {
    "examples": ("pos.parquet", lambda at: inputs.read_examples(at / "pos.parquet", small.POS)),
    "tokens": ("pos-tokens/tokens.npy", lambda at: load_inputs(at)),
    "offsets": ("pos-tokens/tokens.offsets.npy", lambda at: load_inputs(at)),
    "what tokens are": ("pos-tokens/meta.json", lambda at: load_inputs(at)),
    "encoder": ("mbart/model.safetensors", lambda at: load_encoder(at / "mbart")),
    "encoder's config": ("mbart/config.json", lambda at: load_encoder(at / "mbart")),
    "checkpoint": ("mbart-checkpoint/model.safetensors", lambda at: list(checkpoints.Tensors(at / "mbart-checkpoint"))),
    "tokenizer": ("tokenizer/tokenizer.json", lambda at: tokenizers.open_tokenizer(at / "tokenizer")),
    "weights": ("model.safetensors", lambda at: load_run(at)),
    "record": ("run.json", lambda at: load_run(at)),
    "states": ("a.safetensors", lambda at: compare_models({n: at / f"{n}.safetensors" for n in "ab"}, "x")),
}


def load_run(at):
    return weights_file.load(at / "mbart", at / "model.safetensors", at / "run.json", small.POS)


def load_inputs(at):
    examples = inputs.read_examples(at / "pos.parquet", small.POS)
    return inputs.load_inputs(at / "mbart", at / "pos-tokens", small.POS, examples["language"], Encoding(max_length=40))


@pytest.mark.parametrize("what", READERS)
def test_artifacts_that_were_cut_or_changed(made, tmp_path, what):
    """Where a checksum is kept, a changed file is never used; elsewhere it may be, when it is a right one."""
    name, read = READERS[what]
    place = shutil.copytree(made, tmp_path / "place")
    path, good = place / name, (made / name).read_bytes()
    read(place)
    exact = what in ("tokens", "offsets", "encoder", "weights")

    @settings(FUZZ, max_examples=300)
    @given(st.one_of(damaged(good), st.integers(0, len(good)).map(lambda n: good[:n])))
    def fuzz(content):
        path.write_bytes(content)
        with own_error_only():
            read(place)
            assert not exact or content == good

    fuzz()


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 10**12),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["mbert", "pos", "en", "../x", "$(reboot)", "a b", "'", "smoke", "default", "\0", "é"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=5,
)


def test_configs():
    keys = sorted(Settings.model_fields)
    presets = ["mini", "smoke", "local", "paper"]

    @FUZZ
    @given(
        st.sampled_from(presets),
        st.dictionaries(st.one_of(st.sampled_from(keys), st.text(max_size=8)), VALUES, max_size=3),
    )
    def fuzz(study, user):
        with own_error_only():
            loaded = load({"study": study, **user})
            assert "/" not in loaded.folder and loaded.folder not in ("", ".", "..")

    fuzz()


@pytest.mark.parametrize(
    "key", ["models", "tasks", "languages", "recipes", "recipe_defaults", "model_catalog", "task_catalog", "source"]
)
def test_configs_whose_parts_are_something_else(key):
    @settings(FUZZ, max_examples=300)
    @given(VALUES)
    def fuzz(value):
        with own_error_only():
            load({"study": "mini", key: value})

    fuzz()
