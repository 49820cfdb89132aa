"""Scores of outputs: closed forms, the libraries of the field, and what is wrong with an output."""

import itertools
import re

import pandas as pd
import pytest

from mtbridge.generation import baselines
from mtbridge.generation.scores import (
    Identifier,
    points,
    rouge_l,
    rouge_n,
    score_output,
    score_outputs,
    script_of,
)
from mtbridge.tasks.words import WORDS_RULE, words

GERMAN = "Die Ärztin verkaufte gestern in Berlin ein altes Haus und kaufte danach ein neues Fahrrad."
ENGLISH = "The doctor sold an old house in Berlin yesterday and bought a new bicycle afterwards."
RUSSIAN = "Вчера врач продала старый дом в Берлине и потом купила новый велосипед."


@pytest.fixture(scope="module")
def identifier():
    return Identifier(["de", "en", "ru"])


def test_words_are_runs_of_letters_and_in_scripts_without_spaces_letters():
    assert words("Das Haus, 3 kg — ÄRZTE!", "de") == ["das", "haus", "3", "kg", "ärzte"]
    assert words("我买了 3 本书。", "zh") == ["我", "买", "了", "3", "本", "书"]
    assert words("हिन्दी में", "hi") == ["हिन्दी", "में"]
    assert words("don't stop_it", "en") == ["don", "t", "stop", "it"]
    assert words("كِتَاب جَدِيد", "ar") == ["كِتَاب", "جَدِيد"]
    assert words("ที่ ดี", "th") == ["ท", "ี", "่", "ด", "ี"], "marks tell words apart"
    assert words("好的。", "zh-CN") == ["好", "的"]


def test_rouge_in_closed_form():
    one, other = ["a", "b", "c", "d"], ["a", "c", "d", "e", "f"]
    assert rouge_n(one, other, 1) == pytest.approx(100 * 2 * 3 / 9)
    assert rouge_n(one, other, 2) == pytest.approx(100 * 2 * 1 / 7)  # c d
    assert rouge_l(one, other) == pytest.approx(100 * 2 * 3 / 9)  # a c d
    assert rouge_l(["b", "a"], ["a", "b"]) == pytest.approx(50)
    assert rouge_n(["a", "a", "a"], ["a", "b"], 1) == pytest.approx(100 * 2 / 5), "each as often as it occurs"


@pytest.mark.parametrize("measure", [lambda a, b: rouge_n(a, b, 1), lambda a, b: rouge_n(a, b, 2), rouge_l])
def test_rouge_is_symmetric_and_100_for_equal_texts(measure):
    one, other = ["the", "cat", "sat", "on", "the", "mat"], ["on", "the", "mat", "the", "cat", "lay"]
    assert measure(one, other) == measure(other, one) < 100
    assert measure(one, one) == 100
    assert measure([], one) == 0


def test_a_perfect_output_has_all_points_and_no_fault(identifier):
    found = score_output(GERMAN, [GERMAN], ENGLISH, "de", identifier)
    assert all(found[name] == pytest.approx(100) for name in ("chrf", "rouge_1", "rouge_2", "rouge_l", "exact_match"))
    faults = ("wrong_language", "reference_wrong", "other_script", "empty", "copy", "leftover")
    assert all(found[name] == 0 for name in faults) and found["found"] == found["found_free"] == "de"


def test_an_output_in_english_is_in_the_wrong_language_and_one_of_the_input_a_copy(identifier):
    found = score_output(ENGLISH, [GERMAN], GERMAN, "de", identifier)
    assert found["wrong_language"] == 1 and found["found"] == "en" and found["copy"] == found["other_script"] == 0
    found = score_output(ENGLISH, [RUSSIAN], RUSSIAN, "ru", identifier)
    assert found["wrong_language"] == found["other_script"] == 1
    assert score_output(GERMAN.upper(), ["Haus"], GERMAN, "de", identifier)["copy"] == 1


def test_an_empty_output_is_empty_and_nothing_else(identifier):
    found = score_output("  ", [GERMAN], GERMAN, "de", identifier)
    assert found["empty"] == 1 and found["copy"] == 0
    assert found["wrong_language"] is None and found["other_script"] is None and found["found_free"] is None


def test_left_overs_of_pretraining_are_seen(identifier):
    for text in ("Das <extra_id_0> Haus", "Das <mask> Haus", "Das [MASK]"):
        assert score_output(text, [GERMAN], GERMAN, "de", identifier)["leftover"] == 1
    assert score_output("3 < 4 und 5 > 2", [GERMAN], GERMAN, "de", identifier)["leftover"] == 0


def test_a_language_that_the_identifier_does_not_know_cannot_be_told():
    found = score_output("abc", ["abc"], "x", "tlh", Identifier(["tlh", "en"]))
    assert found["wrong_language"] is None and found["reference_wrong"] is None


def test_script_and_region_of_a_code_do_not_count():
    identifier = Identifier(["de_AT", "en-GB"])
    assert identifier.known == ["de", "en"]
    assert score_output(GERMAN, [GERMAN], ENGLISH, "de_AT", identifier)["wrong_language"] == 0
    assert score_output(ENGLISH, [GERMAN], GERMAN, "de_AT", identifier)["wrong_language"] == 1


def test_scripts():
    assert (script_of(GERMAN), script_of(RUSSIAN), script_of("123 !")) == ("LATIN", "CYRILLIC", None)


def test_a_file_of_outputs_is_scored_row_by_row(tmp_path):
    rows = {"language": ["de", "en"], "split": "test", "example_id": ["1", "2"], "input": ["x", "y"]}
    rows |= {"references": [[GERMAN], [GERMAN, ENGLISH]], "output": [ENGLISH, ENGLISH], "tokens": [3, 3]}
    rows |= {"cut": [True, False], "input_cut": [False, True]}
    pd.DataFrame(rows).to_parquet(tmp_path / "outputs.parquet")
    score_outputs(tmp_path / "outputs.parquet", tmp_path / "scores.parquet", ["de", "en"])
    found = pd.read_parquet(tmp_path / "scores.parquet")
    assert found["wrong_language"].tolist() == [1, 0] and found["cut"].tolist() == [1, 0]
    assert found["input_cut"].tolist() == [0, 1]
    assert found["exact_match"].tolist() == [0, 100] and found["example_id"].tolist() == ["1", "2"]
    assert WORDS_RULE == 1


def squad(output: str, reference: str) -> tuple[float, float]:
    """Exact match and F1 in percent, from the definition: Rajpurkar et al. 2016, section 6.1, and their program."""

    def tokens(text):
        without = re.sub("[" + re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + "]", "", text.lower())
        return [token for token in re.split(r"\s+", re.sub(r"\b(a|an|the)\b", " ", without)) if token]

    one, other = tokens(output), tokens(reference)
    rest, same = list(other), 0
    for token in one:
        if token in rest:
            rest.remove(token)
            same += 1
    if same == 0:
        return 100.0 * (one == other), 0.0
    precision, recall = same / len(one), same / len(other)
    return 100.0 * (one == other), 100.0 * 2 * precision * recall / (precision + recall)


ANSWERS = [
    *("The Eiffel Tower", "eiffel  tower!", "A tower, an eiffel", "the", "", "U.S.A.", "usa", "Über-Mut", "über mut"),
    *(
        "3.5 kg",
        "35 kg",
        "tower tower eiffel",
        "Башня «Эйфеля»",
        "башня эйфеля",
        "埃菲尔铁塔",
        "埃菲尔 铁塔。",
        "theatre",
    ),
]


@pytest.mark.parametrize(("output", "reference"), list(itertools.product(ANSWERS, ANSWERS)))
def test_answers_are_scored_as_by_squad(identifier, output, reference):
    exact, f1 = squad(output, reference)
    found = points(output, reference, "en")
    assert found["exact_answer"] == exact and found["f1"] == pytest.approx(f1)


def test_f1_of_characters_compares_letters_where_a_script_has_no_spaces():
    found = points("埃菲尔塔", "埃菲尔铁塔", "zh")
    assert found["f1"] == 0 and found["f1_characters"] == pytest.approx(100 * 2 * 4 / 9)
    assert points("埃菲尔铁塔。", "“埃菲尔 铁塔”", "zh")["f1_characters"] == 100
    found = points("the Eiffel Tower", "Eiffel Tower", "en")
    assert found["f1"] == found["f1_characters"] == 100 and found["exact_match"] == 0, "exact match counts articles"
    assert points("the «Tower»", "Tower", "de")["f1_characters"] == 100
    assert points("the «Tower»", "Tower", "de")["f1"] == 0, "SQuAD's punctuation is ASCII's"


def test_of_several_references_the_best_counts_whatever_their_order(identifier):
    references = ["in the north", "northern Europe", "Scandinavia"]
    for order in itertools.permutations(references):
        found = score_output("Northern Europe.", list(order), "x", "en", identifier)
        assert found["f1"] == found["exact_answer"] == found["exact_match"] == found["rouge_l"] == 100
        assert found["chrf"] == max(
            score_output("Northern Europe.", [one], "x", "en", identifier)["chrf"] for one in order
        )
    one = score_output("42", ["42", RUSSIAN], "x", "de", identifier)
    assert (
        one["other_script"] is None
        and score_output("врач", ["doctor", "врач"], "x", "ru", identifier)["other_script"] == 0
    )


def test_a_few_letters_have_no_language(identifier):
    for text in ("1998", "Paris", "Лев", ""):
        found = score_output(text, [GERMAN], "x", "de", identifier)
        assert found["wrong_language"] is None and found["untold"] == 1
    found = score_output("die Wohnung", ["Paris"], "x", "de", identifier)
    assert found["wrong_language"] == 0 and found["untold"] == 0 and found["reference_wrong"] is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two. Three.", "One."),
        ("Was it 3.5 kg? No!", "Was it 3.5 kg?"),
        ("He said: “No.” Then he left.", "He said: “No.”"),
        ("第一句。第二句。", "第一句。"),
        ("पहला। दूसरा।", "पहला।"),
        ("no end", "no end"),
    ],
)
def test_the_first_sentence_of_a_text(text, first):
    assert baselines.first_sentence(text) == first
