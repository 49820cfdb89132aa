"""BLEU and chrF from counts of sentences: sacrebleu's own scores of any sample, of copies, and of nothing."""

import numpy as np
import pandas as pd
import pytest
from sacrebleu.metrics import BLEU, CHRF

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.generation.translation_scores import (
    CORPUS,
    bleu_tokenizer,
    corpus_bleu,
    corpus_chrf,
    counts,
    score_translations,
)

WORDS = [*"abcdefghijklm", "the", "rained", ".", ","]


def texts(seed, count=30, noise=0.3):
    """(outputs, references): references with words replaced, dropped and repeated; some outputs are short or empty."""
    rng = np.random.default_rng(seed)
    references = [" ".join(rng.choice(WORDS, rng.integers(1, 14))) for _ in range(count)]
    outputs = []
    for reference in references:
        kept = [str(rng.choice(WORDS)) if rng.random() < noise else word for word in reference.split()]
        outputs.append(" ".join(word for word in kept if rng.random() > noise / 2))
    outputs[0] = ""
    return outputs, references


@pytest.mark.parametrize(("metric", "score"), [(BLEU(), corpus_bleu), (CHRF(), corpus_chrf)], ids=["BLEU", "chrF"])
@pytest.mark.parametrize("noise", [0.0, 0.3, 0.8, 1.0])
def test_scores_of_resamples_are_sacrebleus_of_the_resampled_sentences(metric, score, noise):
    outputs, references = texts(1, noise=noise)
    of_sentences = counts(metric, outputs, references)
    rng = np.random.default_rng(2)
    drawn = [np.arange(30), *rng.integers(30, size=(20, 30)), *rng.integers(30, size=(20, 2))]
    numbers = np.array([np.bincount(rows, minlength=30) for rows in drawn])
    expected = [
        metric.corpus_score([outputs[i] for i in rows], [[references[i] for i in rows]]).score for rows in drawn
    ]
    np.testing.assert_allclose(score(numbers @ of_sentences), expected, atol=1e-9)


def test_a_copy_of_the_reference_has_100_and_nothing_has_0():
    references = [" ".join(WORDS), " ".join(WORDS[::-1])]
    for metric, score in ((BLEU(), corpus_bleu), (CHRF(), corpus_chrf)):
        assert score(counts(metric, references, references).sum(axis=0)) == pytest.approx(100, abs=1e-9)
        for empty in (["", ""], ["xyz", "qqq"]):
            expected = metric.corpus_score(empty, [references]).score
            assert score(counts(metric, empty, references).sum(axis=0)) == expected == 0


def test_brevity_is_as_in_its_equation():
    """Half of a reference, all of it right: precisions are 1, the penalty is exp(1 − 2)."""
    reference = "a b c d e f g h i j"
    half = counts(BLEU(), ["a b c d e"], [reference]).sum(axis=0)
    assert corpus_bleu(half) == pytest.approx(100 * np.exp(-1))


@pytest.mark.parametrize(
    ("language", "name"),
    [("de", "13a"), ("zh", "zh"), ("zh-TW", "zh"), ("ja", "char"), ("th", "char"), ("ko", "13a"), ("en", "13a")],
)
def test_words_are_told_by_the_language(language, name):
    assert bleu_tokenizer(language) == name


def translations(folder, source="en", target="zh"):
    outputs, references = ["我爱猫。", "狗跑了"], ["我爱猫。", "狗跑得快"]
    columns = {"source": source, "target": target, "line": [0, 1], "input": ["I love cats.", "狗跑"]}
    columns |= {"reference": references, "output": outputs, "source_cut": False, "output_cut": [False, True]}
    write_parquet(pd.DataFrame(columns), folder / "in.parquet")
    return outputs, references, columns["input"]


def test_the_file_has_counts_and_signatures_of_the_targets_tokenizer(tmp_path):
    outputs, references, inputs = translations(tmp_path)
    score_translations(tmp_path / "in.parquet", tmp_path / "out.parquet")
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert set(frame["bleu_signature"].str.contains("tok:zh")) == {True}
    assert frame["chrf_signature"].str.contains(r"^nrefs:1\|.*nc:6\|nw:0\|.*version:").all()
    chinese = BLEU(tokenize="zh")
    for measure, expected in (
        ("bleu", chinese.corpus_score(outputs, [references]).score),
        ("chrf", CHRF().corpus_score(outputs, [references]).score),
        ("chrf_copy", CHRF().corpus_score(inputs, [references]).score),
    ):
        assert CORPUS[measure](np.stack(frame[measure]).sum(axis=0)) == pytest.approx(expected)
    assert frame["bleu_signature"].iloc[0] == chinese.get_signature().format()


def test_a_test_set_without_references_is_refused(tmp_path):
    translations(tmp_path)
    frame = pd.read_parquet(tmp_path / "in.parquet").assign(reference=" ")
    write_parquet(frame, tmp_path / "in.parquet")
    with pytest.raises(MtbridgeError, match="en-zh: all references are empty"):
        score_translations(tmp_path / "in.parquet", tmp_path / "out.parquet")
