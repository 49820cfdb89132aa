"""Tasks of writing of the generated world: what is to be written follows from the text, in every language."""

import random
from collections import Counter

import pytest

from mtbridge.data.readers import read_examples
from mtbridge.data.world import LANGUAGES
from mtbridge.data.world.answers import ASKED, Answer
from mtbridge.data.world.drawing import World
from mtbridge.data.world.examples import WRITING, draw_examples, examples
from mtbridge.data.world.realise import line, words
from mtbridge.data.world.sentences import Sentence

COUNT = 300


@pytest.fixture(scope="module")
def drawn():
    return list(draw_examples("qa", "test", COUNT, 1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_stands_in_the_sentence_that_tells_the_deed_and_in_the_text(drawn, language):
    for example, row in zip(drawn, examples("qa", "test", language, COUNT, 1), strict=True):
        (told,) = [one for one in example.columns[1] if one.meaning == example.label.meaning]
        sentence = line(told.meaning, language, told.form)
        assert sentence in row["text"]
        # Whole words, though the first one of the answer, or of the sentence, has a capital letter.
        answer = [word for word, _, _ in example.label.words(language)]
        tokens = [word.casefold() for word, _, _ in words(told.meaning, language, told.form)]
        wanted = [word.casefold() for word in answer]
        assert any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens))), (row["text"], row["label"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_does_not_hold_its_answer_and_asks_for_what_differs(drawn, language):
    world = World("test", random.Random(1))
    for example, row in zip(drawn, examples("qa", "test", language, COUNT, 1), strict=True):
        assert row["label"].casefold() not in row["question"].casefold()
        deed, asked = example.label
        someone = next(one for one in world.people if one.gender == deed.agent.gender and one != deed.agent)
        day = ("weekday", 4 if deed.time == ("weekday", 3) else 3)
        changed = {
            "who": deed._replace(agent=someone),
            "where": deed._replace(place=world.other_place(deed.place)),
            "when": deed._replace(time=day),
        }.get(asked)
        if changed is None:
            continue
        assert Answer(changed, asked).line(language) != row["label"]
        assert line(changed, language, asked) == row["question"], "the question tells nothing of its answer"


def test_one_sentence_of_a_text_tells_a_deed_and_its_place_is_any(drawn):
    places = Counter()
    for example in drawn:
        told = [at for at, one in enumerate(example.columns[1]) if one.meaning.frame == "act"]
        assert len(told) == 1 and len(example.columns[1]) == 3
        places.update(told)
    assert min(places.values()) > COUNT / 5


def test_questions_are_equally_frequent_and_most_answers_differ(drawn):
    asked = Counter(example.label.asked for example in drawn)
    assert set(asked) == set(ASKED) and max(asked.values()) - min(asked.values()) <= 40
    answers = Counter(row["label"] for row in examples("qa", "test", "en", COUNT, 1))
    assert answers.most_common(1)[0][1] < COUNT / 15


@pytest.mark.parametrize("task", WRITING)
def test_what_is_to_be_written_means_the_same_in_every_language(task):
    drawn = list(draw_examples(task, "dev", 60, 2))
    for language in LANGUAGES:
        for example, row in zip(drawn, examples(task, "dev", language, 60, 2), strict=True):
            own = example.label
            expected = line(own.meaning, language, own.form) if isinstance(own, Sentence) else own.line(language)
            assert row["label"] == expected


def test_a_study_reads_the_generated_questions():
    table = read_examples({"kind": "generated"}, WRITING["qa"], "dev", "fr", 5, 1)
    assert table.schema.names == ["split", "language", "example_id", "question", "text", "label", "references"]
    assert table["references"].to_pylist() == [[label] for label in table["label"].to_pylist()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_that_are_marked_stand_in_the_sentence_that_tells_the_deed(language):
    drawn = list(draw_examples("answer", "dev", 200, 1))
    for example, row in zip(drawn, examples("answer", "dev", language, 200, 1), strict=True):
        start, label = row["answer_start"], row["label"]
        assert row["text"][start : start + len(label)] == label
        assert label.lower() == example.label.line(language).lower()
        lines = [line(one.meaning, language, one.form) for one in example.columns[1]]
        telling = next(at for at, one in enumerate(example.columns[1]) if one.meaning == example.label.meaning)
        begin = sum(len(one) + 1 for one in lines[:telling])
        assert begin <= start < start + len(label) <= begin + len(lines[telling])
