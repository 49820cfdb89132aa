"""The generated world: correct words, labels that follow from meanings, and splits that share none of them."""

import itertools
import math
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import read_examples
from mtbridge.data.world import CORPORA, LANGUAGES, names
from mtbridge.data.world.corpora import draw_corpus, parallel
from mtbridge.data.world.examples import TASKS, draw_examples, examples
from mtbridge.data.world.grammar import noun_phrase, text
from mtbridge.data.world.lexicon import ANTONYM, CATEGORIES, CATEGORY_OF, NOUNS, TOPICS
from mtbridge.data.world.meanings import PARTITIONS, Meaning, Person, partition, people
from mtbridge.data.world.realise import line, words
from mtbridge.data.world.release import NC_LABELS, write_xglue
from mtbridge.study.languages import study_languages
from mtbridge.study.load import load

SPLITS = ("train", "dev", "test")


def person(first, family):
    firsts = [row[0] for row in names.FIRST_NAMES]
    return Person(firsts.index(first), [row[0] for row in names.FAMILY_NAMES].index(family))


def city(english):
    return ("city", [row["en"] for row in names.CITY_NAMES].index(english))


def country(english):
    return ("country", [row["en"] for row, _ in names.countries()].index(english))


ANNA, PAUL = person("Anna", "Weber"), person("Paul", "Novak")
PIZZA = Meaning(
    "act", agent=ANNA, verb="buy", thing="pizza", adjective="big", place=city("Berlin"), time=("weekday", 0)
)

# Sentences that a speaker has checked, each for a rule of grammar: meaning, form, language, sentence.
SAID = {
    "pizza": PIZZA._replace(reporter=PAUL),
    "hotel": Meaning("act", agent=PAUL, verb="visit", thing="hotel", adjective="good"),
    "tractor": Meaning("act", agent=PAUL, verb="repair", thing="tractor", adjective="small"),
    "cars": Meaning("act", agent=PAUL, verb="sell", thing="car", number=12),
    "hospitals": Meaning("act", agent=PAUL, verb="sell", thing="hospital", adjective="normal", number=5),
    "bank": Meaning("act", agent="Orion Bank", verb="open", thing="bank", time=("date", 5, 12)),
    "reason": Meaning("act", agent=ANNA, verb="design", thing="lamp", adjective="modern"),
    "meeting": Meaning("interact", agent=PAUL, patient=ANNA, verb="meet", time=("weekday", 1)),
    "victory": Meaning("interact", agent=ANNA, patient=PAUL, verb="beat"),
    "journey": Meaning("route", agent=ANNA, origin=city("Venice"), place=city("Paris")),
    "eastward": Meaning("route", agent=ANNA, origin=city("Istanbul"), place=city("Lyon")),
    "talk": Meaning("talk", agent=ANNA, thing="hotel", place=country("Japan")),
    "museum": Meaning("talk", agent=ANNA, thing="museum", place=country("Italy")),
    "car": Meaning("talk", agent=ANNA, thing="car", place=country("France")),
    "concert": Meaning("attend", agent=ANNA, thing="concert"),
    "doctor": Meaning("profession", agent=ANNA, job="doctor", place=country("Brazil")),
    "engineer": Meaning("profession", agent=ANNA, job="engineer", place=country("Brazil")),
    "price": Meaning("price", thing="lamp", organisation="Orion Design", number=500, detail=("PLN",)),
    "shop": Meaning(
        "range", organisation="Orion Design", thing="lamp", others=("table", "sofa"), place=country("Italy")
    ),
    "warmth": Meaning("weather", place=city("Riga"), number=20, time=("month", 3)),
}
GOLDEN = """
pizza plain en Anna Weber bought a big pizza in Berlin on Monday.
pizza plain de Anna Weber kaufte am Montag in Berlin eine große Pizza.
pizza plain es Anna Weber compró una pizza grande en Berlín el lunes.
pizza plain fr Anna Weber a acheté une grande pizza à Berlin lundi.
pizza plain ru Анна Вебер купила большую пиццу в Берлине в понедельник.
pizza fronted de Am Montag kaufte Anna Weber in Berlin eine große Pizza.
pizza passive es Una pizza grande fue comprada por Anna Weber en Berlín el lunes.
pizza passive fr Une grande pizza a été achetée par Anna Weber à Berlin lundi.
pizza negated fr Anna Weber n'a pas acheté la grande pizza à Berlin lundi.
pizza negated de Anna Weber hat die große Pizza am Montag in Berlin nicht gekauft.
pizza where es ¿Dónde compró Anna Weber la pizza grande el lunes?
pizza where fr Où Anna Weber a-t-elle acheté la grande pizza lundi ?
pizza what fr Qu'a acheté Anna Weber à Berlin lundi ?
pizza wants en Anna Weber wants to buy a big pizza in Berlin.
pizza report de Paul Novak sagte, dass Anna Weber am Montag in Berlin eine große Pizza kaufte.
pizza report ru Пауль Новак сказал, что Анна Вебер купила большую пиццу в Берлине в понедельник.
pizza claims fr Anna Weber a dit qu'elle a acheté une grande pizza à Berlin lundi.
pizza claims ru Анна Вебер сказала, что она купила большую пиццу в Берлине в понедельник.
hotel plain de Paul Novak besuchte ein gutes Hotel.
hotel negated fr Paul Novak n'a pas visité le bon hôtel.
tractor plain de Paul Novak reparierte einen kleinen Traktor.
cars plain ru Пауль Новак продал 12 автомобилей.
cars passive en 12 cars were sold by Paul Novak.
hospitals plain fr Paul Novak a vendu 5 hôpitaux normaux.
bank plain ru Компания Orion Bank открыла банк 12 мая.
bank plain es Orion Bank abrió un banco el 12 de mayo.
bank plain de Orion Bank eröffnete am 12. Mai eine Bank.
bank plain en Orion Bank opened a bank on May 12.
reason because de Anna Weber entwarf die Lampe, weil die Lampe modern ist.
reason because es Anna Weber diseñó la lámpara porque la lámpara es moderna.
reason because ru Анна Вебер разработала лампу, потому что лампа современная.
meeting plain ru Пауль Новак встретил Анну Вебер во вторник.
meeting plain es Paul Novak conoció a Anna Weber el martes.
meeting passive fr Anna Weber a été rencontrée par Paul Novak mardi.
victory plain ru Анна Вебер победила Пауля Новака.
victory passive de Paul Novak wurde von Anna Weber besiegt.
journey plain ru Анна Вебер поехала из Венеции в Париж.
journey plain de Anna Weber reiste von Venedig nach Paris.
eastward plain fr Anna Weber a voyagé d'Istanbul à Lyon.
talk plain es Anna Weber habló del hotel en Japón.
talk plain fr Anna Weber a parlé de l'hôtel au Japon.
museum plain fr Anna Weber a parlé du musée en Italie.
car plain ru Анна Вебер рассказала об автомобиле во Франции.
concert plain es Anna Weber asistió al concierto.
concert plain fr Anna Weber a assisté au concert.
doctor plain de Anna Weber ist Ärztin aus Brasilien.
doctor plain fr Anna Weber est médecin du Brésil.
engineer plain en Anna Weber is an engineer from Brazil.
price plain fr La lampe d'Orion Design coûte 500 zlotys polonais.
price plain ru Лампа компании Orion Design стоит 500 польских злотых.
shop plain en Orion Design in Italy: lamp, table and sofa.
shop plain de Orion Design in Italien: Lampe, Tisch und Sofa.
shop plain es Orion Design en Italia: lámpara, mesa y sofá.
shop plain fr Orion Design en Italie : lampe, table et sofa.
shop plain ru Orion Design в Италии: лампа, стол и софа.
warmth plain ru В марте в Риге было 20 градусов.
warmth plain de In Riga waren es im März 20 Grad.
"""


@pytest.mark.parametrize("golden", GOLDEN.strip().splitlines())
def test_a_meaning_is_said_correctly(golden):
    name, form, language, expected = golden.split(maxsplit=3)
    assert line(SAID[name], language, form) == expected


def test_the_same_seed_gives_the_same_text_and_another_seed_another():
    one = parallel("pretraining", 60, 3)
    assert one == parallel("pretraining", 60, 3)
    assert one["en"] != parallel("pretraining", 60, 4)["en"]
    assert examples("nc", "dev", "ru", 20, 1) == examples("nc", "dev", "ru", 20, 1)
    assert examples("nc", "dev", "ru", 20, 1) == examples("nc", "dev", "ru", 30, 1)[:20]


def test_languages_do_not_depend_on_each_other():
    everything = parallel("heldout", 60, 0)
    for language in LANGUAGES:
        assert parallel("heldout", 60, 0, (language,)) == {language: everything[language]}


def test_lines_are_aligned():
    """Numbers, and the names that all languages spell alike, are the same on the same line."""
    corpus = parallel("parallel", 600, 0)
    assert {len(lines) for lines in corpus.values()} == {600}
    for group in zip(*(corpus[language] for language in LANGUAGES), strict=True):
        numbers = [sorted(re.findall(r"\d+", sentence)) for sentence in group]
        assert all(found == numbers[0] for found in numbers), group
        addresses = [re.findall(r"www\.\w+\.com", sentence) for sentence in group]
        assert all(found == addresses[0] for found in addresses), group


@pytest.mark.parametrize("corpus", ["parallel", "heldout"])
def test_documents_of_three_lines_keep_their_topic(corpus):
    lines = [sentence.meaning.topic for (sentence,) in draw_corpus(corpus, 300, 0)]
    for start in range(0, 300, 3):
        assert len({topic for topic in lines[start : start + 3] if topic}) <= 1


def kind_of_text(first, second):
    """What a text of two lines of pretraining is."""
    if first[0].meaning.frame == "search":
        return "page"
    if first[0].form in ("who", "where", "when", "what"):
        return "answer"
    return "twice" if [m for m, _ in first] == [m for m, _ in second] else "document"


def test_pretraining_text_is_documents_pages_answers_and_what_is_told_twice():
    lines = list(draw_corpus("pretraining", 4000, 0))
    counts = Counter(kind_of_text(*pair) for pair in zip(lines[::2], lines[1::2], strict=True))
    for kind, share in {"document": 0.4, "page": 0.2, "answer": 0.2, "twice": 0.2}.items():
        assert counts[kind] / 2000 == pytest.approx(share, abs=0.04)


def test_the_lines_of_a_text_belong_together():
    lines = list(draw_corpus("pretraining", 2000, 0))
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        kind, meaning = kind_of_text(first, second), first[0].meaning
        if kind == "page":
            title, description = second
            assert title.meaning == description.meaning
            assert [getattr(title.meaning, f) for f in ("thing", "place", "adjective")] == [
                getattr(meaning, f) for f in ("thing", "place", "adjective")
            ]
        if kind == "answer":
            assert second[0].meaning == meaning
            assert meaning.place and meaning.time


def sentences_of(corpus_or_split, seed=0):
    """The sentences of a corpus, or of all tasks' examples in a split."""
    if corpus_or_split in CORPORA:
        found = [sentence for line in draw_corpus(corpus_or_split, 1000, seed) for sentence in line]
    else:
        found = []
        for task in TASKS:
            for columns, _ in draw_examples(task, corpus_or_split, 100, seed):
                found += [sentence for column in columns for sentence in column]
    return found


def test_corpora_and_splits_share_no_meaning():
    parts = {part: sentences_of(part) for part in PARTITIONS}
    assert set(parts) == {*CORPORA, *SPLITS}
    for part, found in parts.items():
        assert {partition(sentence.meaning) for sentence in found} == {part}
    for language in ("en", "ru"):
        # "Who bought the pizza?" names nobody: it claims nothing.
        texts = {
            part: {line(meaning, language, form) for meaning, form in found if form != "who"}
            for part, found in parts.items()
        }
        for one, other in itertools.combinations(texts, 2):
            assert not texts[one] & texts[other]


def test_half_of_the_names_and_nouns_of_evaluation_are_not_in_training_but_all_are_in_text():
    def heard(part):
        persons = {name for person in people(part) for name in enumerate(person)}
        acts = [sentence for sentence in sentences_of(part) if sentence.meaning.frame in ("act", "range")]
        return persons | {noun for (m, _) in acts for noun in (m.thing, *(m.others or ()))}

    for part in ("dev", "test"):
        assert 0.4 < len(heard(part) - heard("train")) / len(heard(part)) < 0.6
        assert heard(part) <= heard("pretraining")


def test_no_article_names_an_organisation():
    """Else its name, the same in every language, would tell the topic."""
    for columns, _ in draw_examples("nc", "train", 300, 0):
        for meaning, _ in itertools.chain(*columns):
            assert meaning.organisation is None
            assert meaning.agent is None or isinstance(meaning.agent, Person)


def test_text_is_the_joined_tokens():
    for language in LANGUAGES:
        for meaning, form in itertools.chain(*draw_corpus("heldout", 200, 0)):
            tagged = words(meaning, language, form)
            assert line(meaning, language, form) == text([word for word, _, _ in tagged], language)
            assert "".join(word for word, _, _ in tagged) == line(meaning, language, form).replace(" ", "")
            assert all(word and " " not in word for word, _, _ in tagged)


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_the_tasks_and_all_occur_in_english(task):
    seen = set()
    for row in examples(task, "train", "en", 1000, 0):
        assert set(row) == {"example_id", *TASKS[task].columns, "label"}
        seen.update(row["label"] if TASKS[task].kind == "tagging" else [row["label"]])
    assert seen == set(TASKS[task].labels)


@pytest.mark.parametrize("task", TASKS)
def test_an_example_means_the_same_in_every_language(task):
    rows = {language: examples(task, "test", language, 40, 0) for language in LANGUAGES}
    ids = [row["example_id"] for row in rows["en"]]
    assert len(set(ids)) == 40
    for language in LANGUAGES:
        assert [row["example_id"] for row in rows[language]] == ids
        if TASKS[task].kind != "tagging":
            assert [row["label"] for row in rows[language]] == [row["label"] for row in rows["en"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_entity_tags_are_well_formed_and_languages_agree_on_them(language):
    english = examples("ner", "dev", "en", 300, 0)
    some = 0
    for row, other in zip(examples("ner", "dev", language, 300, 0), english, strict=True):
        assert len(row["tokens"]) == len(row["label"])
        for before, tag in itertools.pairwise(["O", *row["label"]]):
            assert tag[0] != "I" or before[2:] == tag[2:]
        kinds = [sorted(tag for tag in r["label"] if tag[0] == "B") for r in (row, other)]
        assert kinds[0] == kinds[1]
        some += bool(kinds[0])
    assert some > 200


def test_most_frequent_topic_is_no_answer():
    labels = [row["label"] for row in examples("nc", "train", "en", 2000, 0)]
    assert 0.09 < max(labels.count(topic) for topic in TOPICS) / 2000 < 0.15


def details(meaning):
    """What a statement about a deed adds to it, as independent parts."""
    fields = ("adjective", "place", "time", "name", "number")
    return {(field, getattr(meaning, field)) for field in fields if getattr(meaning, field)}


def judge(premise, hypothesis):
    """Entailment between two statements, decided from their fields alone."""
    (p, p_form), (h, h_form) = premise, hypothesis
    p_denied, h_denied = p_form == "negated", h_form == "negated"
    if p.frame == "property":
        opposite = ANTONYM[p.adjective] == h.adjective
        if not opposite and p.adjective != h.adjective:
            return "neutral"
        return "entailment" if opposite == h_denied else "contradiction"
    if p_form == "wants" or any(getattr(p, f) != getattr(h, f) for f in ("agent", "patient", "verb", "thing")):
        return "neutral"
    told, claimed = details(p), details(h)
    if p_denied:  # a denied deed is denied with any further detail
        if not told <= claimed:
            return "neutral"
        return "entailment" if h_denied else "contradiction"
    if h_denied:
        return "contradiction" if claimed <= told else "neutral"
    if claimed <= told:
        return "entailment"
    changed = {key for key, value in claimed if dict(told).get(key, value) != value}
    if changed == {"place"} and (p.time is None or p.time[0] in ("month", "year")):
        return "neutral"  # there is time enough to do it in both places
    return "contradiction" if changed else "neutral"


def test_inference_labels_follow_from_the_meanings():
    forms = {}
    for ((premise,), (hypothesis,)), label in draw_examples("xnli", "train", 2000, 0):
        assert premise != hypothesis
        assert not (hypothesis.meaning.general and judge(premise, hypothesis) == "contradiction")
        assert judge(premise, hypothesis) == label
        forms.setdefault((hypothesis.form, hypothesis.meaning.general), set()).add(label)
    assert all(len(labels) > 1 for labels in forms.values()), forms  # no form of sentence tells the label by itself


def test_a_hypernym_is_of_the_same_category():
    dog = PIZZA._replace(general=True, adjective=None)
    assert line(dog, "en") == "Anna Weber bought a dish in Berlin on Monday."
    assert line(dog, "ru") == "Анна Вебер купила блюдо в Берлине в понедельник."


@pytest.mark.parametrize("task", ["nc", "xnli", "paws-x", "qam", "qadsm"])
def test_labels_are_equally_frequent(task):
    labels = TASKS[task].labels
    rows = examples(task, "test", "en", 10 * len(labels), 0)
    assert Counter(row["label"] for row in rows) == dict.fromkeys(labels, 10)


def test_paraphrases_keep_who_did_what_and_exchanges_do_not():
    passive = 0
    for (told, again), label in draw_examples("paws-x", "test", 400, 0):
        deeds, deeds_again = ({(m.agent, m.verb, m.thing) for m, _ in text} for text in (told, again))
        assert (label == "1") == (deeds == deeds_again)
        for position in range(2):  # the same people, verbs and things
            assert len({deed[position] for deed in deeds ^ deeds_again}) in (0, 2)
            assert {deed[position] for deed in deeds} == {deed[position] for deed in deeds_again}
        assert all(m.verb in CATEGORIES[m.category].verbs for m, _ in again)  # nothing odd tells an exchange
        passive += sum(form == "passive" for _, form in again)
    assert 40 < passive < 130


def test_a_passage_answers_exactly_when_it_tells_what_is_asked():
    same_agent, wrong = 0, 0
    for ((question,), (passage,)), label in draw_examples("qam", "test", 400, 0):
        asked, told = question.meaning, passage.meaning
        assert told.place and told.time and told.agent
        assert (label == "1") == (asked == told)
        if label == "0":
            assert asked.topic != told.topic
            same_agent, wrong = same_agent + (asked.agent == told.agent), wrong + 1
    assert 0.4 < same_agent / wrong < 0.6


def test_an_advertisement_is_good_when_it_sells_what_is_sought():
    for ((search,), (title,), (body,)), label in draw_examples("qadsm", "test", 300, 0):
        assert title.meaning == body.meaning
        sought, found = search.meaning, title.meaning
        assert (label == "Good") == (sought.thing == found.thing)
        assert label == "Bad" or (sought.place, sought.adjective) == (found.place, found.adjective)
        assert bool(sought.adjective) == bool(found.adjective)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.slow
def test_relevance_is_graded_and_lists_are_consecutive(split):
    rows = list(draw_examples("wpr", split, 600, 0))
    for ((search,), (offer,), _), label in rows:
        sought, found = search.meaning, offer.meaning
        topics = [CATEGORIES[CATEGORY_OF[m.thing]].topic for m in (sought, found)]
        if sought.thing == found.thing:
            expected = 4 if sought.place == found.place else 3
        elif CATEGORY_OF[sought.thing] == CATEGORY_OF[found.thing]:
            expected = 2
        else:
            expected = int(topics[0] == topics[1])
        assert label == str(expected)
        assert expected or sought.place != found.place
    for start in range(0, 600, 4):
        labels = [label for _, label in rows[start : start + 4]]
        assert labels.count("4") == (2 if split == "train" else 1)
        assert labels.count("0") >= (1 if split == "train" else 2)
    for language in LANGUAGES:
        texts = [row["query"] for row in examples("wpr", split, language, 600, 0)]
        assert {len(list(group)) for _, group in itertools.groupby(texts)} == {4}


@pytest.mark.parametrize("task", ["qadsm", "wpr"])
@pytest.mark.slow
def test_no_city_tells_that_it_was_not_looked_for(task):
    """Queries and what is found draw from the same cities; else a name alone would tell the label."""
    rows = list(draw_examples(task, "test", 4000, 0))
    sought, found = ({example.columns[column][0].meaning.place for example in rows} for column in (0, 1))
    assert sought == found


# ---- Shortcuts: what a reader who understands nothing would score ----------------------------------------------------


def word_sets(row, task):
    return [set(re.findall(r"\w+", text.lower())) for text in TASKS[task].texts(row)]


def accuracy_by_words(task):
    """A naive Bayes classifier of the words of both texts together."""
    counts = {label: Counter() for label in TASKS[task].labels}
    for row in examples(task, "train", "en", 2000, 0):
        counts[row["label"]].update(set.union(*word_sets(row, task)))
    test = examples(task, "test", "en", 400, 0)

    def guess(row):
        words = set.union(*word_sets(row, task))
        return max(counts, key=lambda label: sum(math.log(counts[label][word] + 1) for word in words))

    return sum(guess(row) == row["label"] for row in test) / len(test)


def accuracy_by(feature, task):
    """The best single threshold on a number that `feature` gives a row."""
    values = [(feature(row), row["label"]) for row in examples(task, "train", "en", 1000, 0)]
    one = TASKS[task].labels[1]
    best = 0.0
    for threshold in {value for value, _ in values}:
        right = sum((value > threshold) == (label == one) for value, label in values) / len(values)
        best = max(best, right, 1 - right)
    return best


def length_difference(task):
    return lambda row: abs(len(TASKS[task].texts(row)[0]) - len(TASKS[task].texts(row)[1]))


def overlap(task):
    def share(row):
        one, other = word_sets(row, task)
        return len(one & other) / len(one | other)

    return share


@pytest.mark.parametrize("task", ["paws-x", "qam", "qadsm"])
@pytest.mark.slow
def test_words_and_lengths_tell_little_of_the_label(task):
    assert accuracy_by_words(task) < 0.6
    assert accuracy_by(length_difference(task), task) < 0.62
    assert accuracy_by(lambda row: len(TASKS[task].texts(row)[1]), task) < 0.6


def test_shared_words_tell_nothing_of_paraphrases():
    assert accuracy_by(overlap("paws-x"), "paws-x") < 0.56


def test_vocabulary_is_broad_in_every_language():
    corpus = parallel("pretraining", 20_000, 0)
    for lines in corpus.values():
        assert len({word.strip(".,;:!?¿").lower() for sentence in lines for word in sentence.split()}) >= 1500


def test_latin_script_languages_share_words_and_russian_only_names():
    corpus = parallel("pretraining", 1500, 0)
    forms = {
        language: {w.lower() for s in corpus[language] for w in re.findall(r"[^\W\d]+", s)} for language in LANGUAGES
    }
    for language in ("de", "es", "fr"):
        assert len(forms["en"] & forms[language]) / len(forms["en"]) > 0.2
    assert 0.005 < len(forms["en"] & forms["ru"]) / len(forms["en"]) < 0.2


def test_every_noun_has_a_surface_of_its_own():
    for language in LANGUAGES:
        singulars = [forms[language].singular for lemma, forms in NOUNS.items() if lemma[0] != "@"]
        assert len(singulars) == len(set(singulars))


@pytest.mark.parametrize("language", ("de", "es", "fr"))
def test_articles_agree_with_adjectives(language):
    """An independent look at gender: feminine articles go with feminine adjectives, everywhere in the lexicon."""
    feminine = {"de": ("eine", "gute"), "es": ("una", "buena"), "fr": ("une", "bonne")}[language]
    for lemma in NOUNS:
        phrase = [word for word, _, _ in noun_phrase(lemma, language, "indefinite", "nominative", "good")]
        assert (phrase[0] == feminine[0]) == (feminine[1] in phrase)


def test_files_of_the_release_have_its_layout(tmp_path):
    folder = tmp_path / "release"
    write_xglue(folder, {"train": 12, "dev": 6, "test": 6}, 0, ("en", "de"))
    columns = {"NC": 3, "XNLI": 3, "QADSM": 4, "WPR": 4, "QAM": 3, "PAWSX": 4}
    for name, width in columns.items():
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        assert len(files) == 5
        for path in files:
            rows = path.read_text(encoding="utf-8").split("\n")
            assert rows.pop() == ""
            headed = name == "PAWSX" or path.name == "multinli.train.en.tsv"
            assert len(rows) == (12 if "train" in path.name else 6) + headed
            assert {row.count("\t") + 1 for row in rows} == {width}
    train = (folder / "XNLI/multinli.train.en.tsv").read_text(encoding="utf-8")
    assert train.startswith("premise\thypo\tlabel\n")
    assert "\tcontradictory\n" in train and "\tcontradiction\n" not in train
    assert (
        (folder / "PAWSX/de/dev_2k.tsv").read_text(encoding="utf-8").startswith("id\tsentence1\tsentence2\tlabel\n1\t")
    )
    for task in ("POS", "NER"):
        assert sorted(path.name for path in (folder / task).iterdir()) == [
            "de.dev",
            "de.test",
            "en.dev",
            "en.test",
            "en.train",
        ]
        content = (folder / task / "de.test").read_text(encoding="utf-8")
        assert not content.endswith("\n\n")
        sentences = [[pair.split(" ") for pair in block.split("\n")] for block in content.rstrip("\n").split("\n\n")]
        rows = examples(task.lower(), "test", "de", 6, 0)
        assert [[tuple(pair) for pair in s] for s in sentences] == [
            list(zip(r["tokens"], r["label"], strict=True)) for r in rows
        ]


@pytest.mark.parametrize(
    "call, told",
    [
        (lambda: parallel("pretrainig", 1, 0), "did you mean 'pretraining'"),
        (lambda: parallel("heldout", 1, 0, ("en", "it")), "'it'"),
        (lambda: examples("nerr", "dev", "en", 1, 0), "did you mean 'ner'"),
        (lambda: examples("ner", "tests", "en", 1, 0), "did you mean 'test'"),
        (lambda: examples("ner", "test", "nl", 1, 0), "'nl'"),
    ],
)
def test_unknown_names_are_told_in_one_line(call, told):
    with pytest.raises(MtbridgeError, match=re.escape(told)) as error:
        call()
    assert "\n" not in str(error.value)


def run_script(*arguments):
    script = Path(__file__).parents[3] / "scripts" / "world.py"
    return subprocess.run([sys.executable, script, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_the_program_writes_what_the_local_study_reads(tmp_path):
    done = run_script(
        "--languages", "de", "en", "--train", 9, "--dev", 5, "--test", 5, "--lines", 7, "--output", tmp_path / "w"
    )
    assert done.returncode == 0, done.stderr
    expected = parallel("pretraining", 7, 1, ("de", "en"))
    for language in ("de", "en"):
        assert (tmp_path / f"w/text/train.{language}").read_text().splitlines() == expected[language]
    settings = load(
        {"study": "local", "xglue": str(tmp_path / "w/xglue"), "corpus": str(tmp_path / "w/text"), "name": "x",
         "task_catalog": {"nc": {"labels": list(TOPICS)}}}
    )  # fmt: skip
    assert study_languages(settings) == ["de", "en"]


def test_a_wrong_language_ends_the_program_in_one_line_and_leaves_nothing(tmp_path):
    done = run_script("--languages", "xx", "--output", tmp_path / "w")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TASKS)
def test_the_release_reads_back_as_the_examples_it_was_written_from(name, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "release"
    if not folder.exists():
        write_xglue(folder, {"train": 40, "dev": 20, "test": 20}, 3, ("de", "en"))
    labels = tuple(NC_LABELS.get(label, label) for label in TASKS[name].labels)
    task = replace(TASKS[name], labels=labels)
    for split, language, count in (("train", "en", 40), ("dev", "en", 20), ("dev", "de", 20), ("test", "de", 20)):
        read = read_examples({"kind": "xglue", "path": str(folder)}, task, split, language, None, 0).to_pylist()
        written = examples(name, split, language, count, 3)
        assert len(read) == len(written)
        for ours, theirs in zip(written, read, strict=True):
            for key in task.columns:
                assert ours[key] == theirs[key], (split, language, key)
            label = ours["label"]
            expected = NC_LABELS.get(label, label) if isinstance(label, str) else label
            assert theirs["label"] == expected, (split, language)


def test_the_languages_are_known_without_reading_a_word():
    code = (
        "import sys; from mtbridge.study import grid, load, options; "
        "options.Options(grid.Study(load.load({}))).outline(); "
        "print(*(name for name in sys.modules if name.startswith('mtbridge.data.world.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()
