"""From a meaning to words: every text, tag and entity of the generated world is made here."""

from functools import lru_cache

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import package_data
from mtbridge.data.world import LANGUAGES, names
from mtbridge.data.world.grammar import adjective_form, decline, join, noun_phrase, text
from mtbridge.data.world.lexicon import (
    CELLS,
    FUNCTION_WORDS,
    GRADABLE_ADJECTIVES,
    JOBS,
    NOUNS,
    PERSONAL_VERBS,
    VERBS,
    plural,
)
from mtbridge.data.world.meanings import Meaning, Person

SENTENCES = package_data(__file__, "words/sentences.yaml")


def _literal(word, language):
    return FUNCTION_WORDS[language][word]


def _compile():
    compiled = {}
    for key, lines in SENTENCES.items():
        for language, line in zip(CELLS, lines.strip().splitlines(), strict=True):
            parts = []
            for part in line.split():
                if part.startswith("{"):
                    slot, _, argument = part[1:-1].partition(":")
                    parts.append((slot, globals()["_" + slot], argument))
                else:
                    parts.append(("", None, (_literal(part, language),)))
            compiled[(*key.split(), language)] = tuple(parts)
    return compiled


def entity(words, kind: str, tag: str = "PROPN") -> tuple[tuple[str, str, str], ...]:
    """The words of a name as triples (form, part of speech, B- or I- and the kind of entity)."""
    return tuple((word, tag, ("I-" if index else "B-") + kind) for index, word in enumerate(words))


# --- slots: (meaning, language, argument) -> words -----------------------------------------------------------------


@lru_cache(None)
def _person(person, language, case="nominative"):
    latin, russian, gender = names.FIRST_NAMES[person.first]
    family, russian_family = names.FAMILY_NAMES[person.family]
    if language != "ru":
        return entity((latin, family), "PER")
    return entity(tuple(decline(name, case, gender, animate=True) for name in (russian, russian_family)), "PER")


def _named_organisation(name, head, language):
    words = entity(name.split(), "ORG")
    return ((head, "NOUN", "O"), *words) if language == "ru" else words


def _agent(m, language, argument):
    if isinstance(m.agent, Person):
        return _person(m.agent, language)
    return _named_organisation(m.agent, "компания", language)


def _who(m, language, argument):
    if isinstance(m.agent, Person):
        return _person(m.agent, language)
    return entity((m.agent or m.organisation).split(), "ORG")


def _organisation(m, language, argument):
    return _named_organisation(m.organisation, "компании", language)


def _patient(m, language, argument):
    return _person(m.patient, language, argument or "nominative")


def _reporter(m, language, argument):
    return _person(m.reporter, language)


def _feminine(m):
    return not isinstance(m.agent, Person) or m.agent.gender == "f"  # Russian компания, French entreprise


def _pronoun(m, language, argument):
    she = _feminine(m)
    word = {"en": ("he", "she"), "de": ("er", "sie"), "es": ("él", "ella"), "fr": ("il", "elle"), "ru": ("он", "она")}
    return (_literal(word[language][she], language),)


def _verb(m, language):
    return (PERSONAL_VERBS if m.frame == "interact" else VERBS)[m.verb][language]


def _past(m, language, argument):
    form = _verb(m, language).past
    if language == "ru" and _feminine(m) and argument != "m":
        form += "а"
    return ((form, "VERB", "O"),)


def _infinitive(m, language, argument):
    return ((_verb(m, language).infinitive, "VERB", "O"),)


def _participle(m, language, argument):
    """Past participle; in the Spanish and French passive it agrees with the `thing` or the `patient`."""
    form = _verb(m, language).participle
    if argument:
        gender = m.patient.gender if argument == "patient" else NOUNS[_lemma(m)][language].gender
        if gender == "f":
            form = form[:-1] + "a" if language == "es" else form + "e"
        if argument == "thing" and m.number:
            form = plural(form, language)
    return ((form, "VERB", "O"),)


def _be(m, language, argument):
    forms = {"en": ("was", "were"), "de": ("wurde", "wurden"), "es": ("fue", "fueron"), "fr": ("a", "ont")}
    return (_literal(forms[language][m.number is not None], language),)


def _said(m, language, argument):
    return (_literal("сказала" if (m.agent if argument else m.reporter).gender == "f" else "сказал", language),)


def _travelled(m, language, argument):
    return (_literal("поехала" if _feminine(m) else "поехал", language),)


def _talked(m, language, argument):
    return (_literal("рассказала" if _feminine(m) else "рассказал", language),)


def _attended(m, language, argument):
    return (_literal("посетила" if _feminine(m) else "посетил", language),)


def _inverted(m, language, argument):
    return (_literal("a-t-elle" if _feminine(m) else "a-t-il", language),)


def _lemma(m):
    return "@" + m.category if m.general else m.thing


_AND = {"en": "and", "de": "und", "es": "y", "fr": "et", "ru": "и"}


def _phrase(m, language, argument, case):
    article = "definite" if argument or m.name else "indefinite"
    number = m.number if m.frame == "act" and argument != "bare" else None
    adjective = None if argument == "bare" or m.general else m.adjective
    if argument == "prepositional":
        case = argument
    words = noun_phrase(_lemma(m), language, article, case, adjective, number)
    if m.name and not m.general:
        words = (*words, *_name(m))
    if m.second and argument != "bare":
        words = (
            *words,
            _literal(_AND[language], language),
            *noun_phrase(m.second, language, article, case),
        )
    return words


def _name(m):
    return tuple(
        (word, "NUM" if word.isdigit() else "PROPN", ("I-" if index else "B-") + "MISC")
        for index, word in enumerate(m.name.split())
    )


def _object(m, language, argument):
    return _phrase(m, language, argument, "accusative")


def _subject(m, language, argument):
    return _phrase(m, language, argument, "nominative")


def _nominal(m, language, argument):
    words = noun_phrase(_lemma(m), language, None, "nominative", None if argument else m.adjective, None)
    return (*words, *_name(m)) if m.name else words


def _things(m, language, argument):
    """What an organisation has: nouns without articles, the last after "and"."""
    last = len(m.others)
    words = ()
    for index, noun in enumerate((m.thing, *m.others)):
        words += (_literal(_AND[language] if index == last else ",", language),) if index else ()
        words += noun_phrase(noun, language, None)
    return words


def _quality(m, language, argument):
    gender = NOUNS[_lemma(m)][language].gender
    return ((adjective_form(m.adjective, language, gender), "ADJ", "O"),)


def _very(m, language, argument):
    if m.adjective not in GRADABLE_ADJECTIVES:
        return ()
    return (_literal({"en": "very", "de": "sehr", "es": "muy", "fr": "très", "ru": "очень"}[language], language),)


_IN = {"en": "in", "de": "in", "es": "en", "fr": "à", "ru": "в"}
_FROM = {"en": "from", "de": "von", "es": "de", "fr": "de", "ru": "из"}
_TO = {"en": "to", "de": "nach", "es": "a", "fr": "à", "ru": "в"}


@lru_cache(None)
def _located(place, language, relation):
    """A place with its preposition. relation: in, from, to; or bare for the name alone."""
    kind, index = place
    if kind == "city":
        name, gender = names.CITY_NAMES[index][language], None
    else:
        table, gender = names.countries()[index]
        name = table[language]
    if language == "ru" and relation != "bare":
        case = {"in": "prepositional", "from": "genitive", "to": "accusative"}[relation]
        name = decline(name, case, "m")
    words = entity(name.split(), "LOC")
    if relation == "bare":
        return words
    preposition = {"in": _IN, "from": _FROM, "to": _TO}[relation][language]
    if language == "de" and kind == "country" and relation == "from":
        preposition = "aus"
    if language == "fr" and kind == "country":
        masculine = gender == "m" and name[0] not in "AEIOUÉ"
        if relation == "from":
            preposition = "du" if masculine else "de"
        else:
            preposition = "au" if masculine else "en"
    return (_literal(preposition, language), *words)


def _place(m, language, argument):
    return _located(m.place, language, "in") if m.place else ()


def _city(m, language, argument):
    return _located(m.place, language, "bare")


def _origin(m, language, argument):
    return _located(m.origin or m.place, language, "from")


def _destination(m, language, argument):
    return _located(m.place, language, "to")


_ADVERBS = {
    "today": {"en": "today", "de": "heute", "es": "hoy", "fr": "aujourd'hui", "ru": "сегодня"},
    "yesterday": {"en": "yesterday", "de": "gestern", "es": "ayer", "fr": "hier", "ru": "вчера"},
}


@lru_cache(None)
def _when(time, language):
    kind, *values = time
    calendar = "PROPN" if language == "en" else "NOUN"
    words: tuple[tuple[str, str, str], ...]
    if kind in _ADVERBS:
        return (_literal(_ADVERBS[kind][language], language),)
    if kind == "weekday":
        words = ((names.weekday(values[0], language), calendar, "O"),)
        before = {"en": "on", "de": "am", "es": "el", "fr": None, "ru": "в"}[language]
    elif kind == "month":
        words = ((names.month(values[0], language), calendar, "O"),)
        before = {"en": "in", "de": "im", "es": "en", "fr": "en", "ru": "в"}[language]
    elif kind == "date":
        month = (names.month_of_date(values[0], language), calendar, "O")
        day = (str(values[1]) + ("." if language == "de" else ""), "NUM", "O")
        words = (month, day) if language == "en" else (day, month)
        if language == "es":
            words = (day, _literal("de", "es"), month)
        before = {"en": "on", "de": "am", "es": "el", "fr": "le", "ru": None}[language]
    else:
        words = ((str(values[0]), "NUM", "O"),)
        before = {"en": "in", "de": "im", "es": "en", "fr": "en", "ru": "в"}[language]
        if language == "de":
            words = (_literal("Jahr", "de"), *words)
        elif language == "ru":
            words = (*words, _literal("году", "ru"))
    return (_literal(before, language), *words) if before else words


def _time(m, language, argument):
    return _when(m.time, language) if m.time else ()


def _number(m, language, argument):
    return ((str(m.number), "NUM", "O"),)


def _hour(m, language, argument):
    return ((str(m.detail[0]), "NUM", "O"),)


def _amount(m, language, argument):
    words = names.currency(m.detail[0], language).split()
    noun = 0 if language in ("es", "fr") else len(words) - 1
    return (
        (str(m.number), "NUM", "O"),
        *((word, "NOUN" if index == noun else "ADJ", "O") for index, word in enumerate(words)),
    )


def _address(m, language, argument):
    return (("www." + (m.agent or m.organisation).replace(" ", "").lower() + ".com", "X", "O"),)


def _job(m, language, argument):
    forms = JOBS[m.job][language]
    word = forms[-1] if m.agent.gender == "f" else forms[0]
    if language != "en":
        return ((word, "NOUN", "O"),)
    return (_literal("an" if word[0] in "aeiou" else "a", "en"), (word, "NOUN", "O"))


def _territory(m, language, argument):
    return entity(names.territories()[m.detail[0]][language].split(), "LOC")


def _language(m, language, argument):
    return entity(names.languages()[m.detail[1]][language].split(), "MISC")


def _unit(m, language, argument):
    return ((names.unit_name(m.detail[2], language), "NOUN", "O"),)


# (frame, form, language) -> the parts of the sentence: name of the slot, what fills it, its argument; or the words.
COMPILED = _compile()


def check_language(language: str) -> None:
    """Raise MtbridgeError unless the world has text in the language."""
    if language not in LANGUAGES:
        raise MtbridgeError(f"the generated world does not speak '{language}'; {nearest(language, LANGUAGES)}")


def words(meaning: Meaning, language: str, form: str = "plain") -> list[tuple[str, str, str]]:
    """(word, UPOS, entity) of a meaning in a language. `form` is one of the frame's in words/sentences.yaml."""
    out = []
    for _, fill, argument in COMPILED[(meaning.frame, form, language)]:
        out.extend(fill(meaning, language, argument) if fill else argument)
    return join(out, language)


def line(meaning: Meaning, language: str, form: str = "plain") -> str:
    """The text of a meaning in a language."""
    return text(words(meaning, language, form), language)
