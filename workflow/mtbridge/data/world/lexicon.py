"""The words of the generated world as tables: nouns, verbs, adjectives, jobs and function words in five languages.

The words themselves stand in words/*.yaml, whose comments say what a row means; this module reads them, once.
"""

from typing import NamedTuple

from mtbridge.base.files import package_data
from mtbridge.data.world import LANGUAGES

NOUN_FILE = package_data(__file__, "words/nouns.yaml")
VERB_FILE = package_data(__file__, "words/verbs.yaml")
TOPIC_FILE = package_data(__file__, "words/topics.yaml")

CELLS = ("en", "de", "es", "fr", "ru")  # the order of a row's cells, and of a sentence's lines
TOPICS = tuple(TOPIC_FILE["topics"])


class Noun(NamedTuple):
    """A noun's forms in one language. The gender is m, f or n."""

    gender: str
    singular: str
    plural: str  # after a number; Russian: the genitive plural


class Verb(NamedTuple):
    """A verb's forms in one language; "" where no sentence of the language uses the form."""

    past: str
    participle: str
    infinitive: str


class Category(NamedTuple):
    """Nouns of one topic that go with the same verbs; all of them lemmas, as is the hypernym."""

    topic: str
    kind: str  # goods, event, work or place
    verbs: tuple[str, ...]
    hypernym: str
    nouns: tuple[str, ...]


def plural(word: str, language: str) -> str:
    """Regular plural of a noun or adjective in English, Spanish or French."""
    if language == "en":
        if word[-1] == "y" and word[-2] not in "aeiou":
            return word[:-1] + "ies"
        return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
    if language == "es":
        if word.endswith("ón"):
            return word[:-2] + "ones"
        if word[-1] == "z":
            return word[:-1] + "ces"
        return word + ("s" if word[-1] in "aeiouáéó" else "es")
    if word[-1] in "sxz":
        return word
    if word.endswith(("eau", "eu")):
        return word + "x"
    return word[:-2] + "aux" if word.endswith("al") else word + "s"


def _row(line: str) -> dict[str, list[str]]:
    """The words of each cell of a row, by language."""
    return dict(zip(CELLS, (cell.split() for cell in line.split("|")), strict=True))


def _rows(block: str) -> dict[str, dict[str, list[str]]]:
    """The rows of a block, by lemma: the first English word."""
    rows = map(_row, block.strip().splitlines())
    return {row["en"][0]: row for row in rows}


def _noun(cell: list[str], language: str) -> Noun:
    if language == "en":
        return Noun("n", cell[0], cell[1] if len(cell) > 1 else plural(cell[0], "en"))
    gender, singular, *rest = cell
    return Noun(gender, singular, rest[0] if rest else plural(singular, language))


def _categories() -> tuple[dict[str, Category], dict[str, dict[str, Noun]]]:
    """The categories by name, and the nouns of all of them by lemma; a hypernym's lemma is "@" and the category."""
    categories, nouns = {}, {}
    for name, entry in NOUN_FILE["categories"].items():
        hypernym = "@" + name
        rows = _rows(entry["nouns"])
        for lemma, row in ((hypernym, _row(entry["hypernym"])), *rows.items()):
            nouns[lemma] = {language: _noun(row[language], language) for language in LANGUAGES}
        kind = entry["kind"]
        verbs = (*entry["verbs"].split(), *VERBS_OF_KIND[kind])
        categories[name] = Category(entry["topic"], kind, verbs, hypernym, tuple(rows))
    return categories, nouns


def _verbs(block: str) -> dict[str, dict[str, Verb]]:
    """Verbs by their English infinitive and by language."""
    table = {}
    for lemma, row in _rows(block).items():
        infinitive, past, participle = row["en"]
        forms = {"en": Verb(past, participle, infinitive)}
        for language in ("de", "es"):
            forms[language] = Verb(*row[language])
        forms["fr"] = Verb("", *row["fr"])
        forms["ru"] = Verb(row["ru"][0], "", row["ru"][1])
        table[lemma] = forms
    return table


def _function_words(tags: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """The triples (form, universal part of speech, no entity) of one language's function words."""
    return {word: (word.rstrip("_"), tag, "O") for tag, words in tags.items() for word in words.split()}


VERBS_OF_KIND = {kind: tuple(verbs.split()) for kind, verbs in NOUN_FILE["verbs_of_kind"].items()}
CATEGORIES, NOUNS = _categories()
CATEGORY_OF = {noun: name for name, category in CATEGORIES.items() for noun in category.nouns}
CATEGORIES_OF_TOPIC = {
    topic: tuple(name for name, category in CATEGORIES.items() if category.topic == topic) for topic in TOPICS
}
PRODUCT_CATEGORIES = frozenset(NOUN_FILE["products"].split())
GENERAL_EVENTS = tuple(NOUN_FILE["events"].split())

VERBS = _verbs(VERB_FILE["with_things"])
PERSONAL_VERBS = _verbs(VERB_FILE["with_persons"])
ORGANISATION_VERBS = frozenset(VERB_FILE["of_organisations"].split())
ONE_SIDED_VERBS = tuple(VERB_FILE["one_sided"].split())
RELATED_VERBS = frozenset(frozenset(pair.split()) for pair in VERB_FILE["related"])

_ROWS_OF_TOPIC = {topic: _rows(entry["adjectives"]) for topic, entry in TOPIC_FILE["topics"].items()}
_GENERAL_ROWS = _rows(TOPIC_FILE["adjectives"])
GENERAL_ADJECTIVES = tuple(_GENERAL_ROWS)
ADJECTIVES_OF_TOPIC = {topic: tuple(rows) for topic, rows in _ROWS_OF_TOPIC.items()}
ADJECTIVES = {lemma: row for rows in (_GENERAL_ROWS, *_ROWS_OF_TOPIC.values()) for lemma, row in rows.items()}
_PAIRS = [pair.split() for pair in TOPIC_FILE["antonyms"]]
ANTONYM = {one: other for pair in _PAIRS for one, other in (pair, reversed(pair))}

GRADABLE_ADJECTIVES = frozenset(TOPIC_FILE["gradable"].split())

_JOBS = {topic: _rows(entry["jobs"]) for topic, entry in TOPIC_FILE["topics"].items()}
JOBS_OF_TOPIC = {topic: tuple(rows) for topic, rows in _JOBS.items()}
JOBS = {lemma: row for rows in _JOBS.values() for lemma, row in rows.items()}
ORGANISATION_WORDS = {topic: tuple(entry["organisations"].split()) for topic, entry in TOPIC_FILE["topics"].items()}
EVENT_WORDS = {topic: entry["event"] for topic, entry in TOPIC_FILE["topics"].items()}

FUNCTION_WORDS = {
    language: _function_words(tags) for language, tags in package_data(__file__, "words/function_words.yaml").items()
}
