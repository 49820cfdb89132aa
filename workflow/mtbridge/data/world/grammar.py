"""Word forms: agreement, articles, Russian and German cases, elision, and how words make a line of text.

A word is a triple (form, universal part of speech, entity tag or "O"). Contracted forms stay one word, as they are
written: French "du", Spanish "del" and German "am" are tagged ADP.
"""

from functools import lru_cache

from mtbridge.base.files import package_data
from mtbridge.data.world.lexicon import ADJECTIVES, NOUNS, plural

EXCEPTIONS = package_data(__file__, "words/exceptions.yaml")

# --- Russian -------------------------------------------------------------------------------------------------------


_INDECLINABLE = frozenset(EXCEPTIONS["indeclinable"].split())
_OBLIQUE = EXCEPTIONS["oblique_stems"]


@lru_cache(None)
def decline(name: str, case: str, gender: str = "m", animate: bool = False) -> str:
    """Case of a Russian noun or name in the singular: genitive, accusative, prepositional.

    Covers what the tables hold: regular hard and soft stems. Women's names that end in a consonant, and names in
    -о, -е, -и, -у and -э, do not decline. Masculine and neuter things have accusative = nominative. For neuter things
    (gender n) only the prepositional is made, for feminine ones in -ь too.
    """
    if case == "nominative":
        return name
    if name.endswith("ия"):
        return name[:-1] + {"accusative": "ю"}.get(case, "и")
    if name[-1] == "а":
        soft = name[-2] in "гкхжшчщ"
        return name[:-1] + {"accusative": "у", "prepositional": "е", "genitive": "и" if soft else "ы"}[case]
    if name[-1] == "я":
        return name[:-1] + {"accusative": "ю", "prepositional": "е", "genitive": "и"}[case]
    if case == "prepositional" and name not in _INDECLINABLE:
        if gender == "n":
            return name[:-1] + ("и" if name.endswith("ие") else "е")
        if gender == "f" and name[-1] == "ь":
            return name[:-1] + "и"
        if gender == "m" and name.endswith("ий"):
            return name[:-1] + "и"
        name = _OBLIQUE.get(name, name)
    if name[-1] in "оеиуэ" or gender != "m" or (case == "accusative" and not animate):
        return name
    ending = "е" if case == "prepositional" else ("я" if name[-1] in "йь" else "а")
    return (name[:-1] if name[-1] in "йь" else name) + ending


def _russian_adjective(form: str, gender: str, case: str) -> str:
    """`gender` m, f, n, or p for the genitive plural."""
    stem, ending = form[:-2], form[-2:]
    if gender == "p":
        return stem + ("их" if stem[-1] in "гкхжшчщ" else "ых")
    if gender == "m":
        return form
    if gender == "f":
        return stem + ("ую" if case == "accusative" else "ая")
    return stem + ("ее" if ending == "ий" and stem[-1] in "жшчщ" else "ое")


# --- noun phrases ---------------------------------------------------------------------------------------------------

_GERMAN_ARTICLES = {  # nominative and accusative
    "definite": {"m": ("der", "den"), "f": ("die", "die"), "n": ("das", "das")},
    "indefinite": {"m": ("ein", "einen"), "f": ("eine", "eine"), "n": ("ein", "ein")},
}
_GERMAN_ENDINGS = {
    "definite": {"m": ("e", "en"), "f": ("e", "e"), "n": ("e", "e")},
    "indefinite": {"m": ("er", "en"), "f": ("e", "e"), "n": ("es", "es")},
}
_ARTICLES = {
    "es": {"definite": {"m": "el", "f": "la"}, "indefinite": {"m": "un", "f": "una"}},
    "fr": {"definite": {"m": "le", "f": "la"}, "indefinite": {"m": "un", "f": "une"}},
}
_CONSONANT_SOUND = tuple(EXCEPTIONS["consonant_sound"].split())


def adjective_form(adjective: str, language: str, gender: str, case: str = "nominative", number: bool = False) -> str:
    """Agreeing form. German: the predicate (uninflected) form; attributes are made in `noun_phrase`."""
    cell = ADJECTIVES[adjective][language]
    if language in ("en", "de"):
        return cell[0]
    if language == "ru":
        return _russian_adjective(cell[0], "p" if number else gender, case)
    masculine = cell[0].removeprefix("<")
    if gender == "f":
        feminine = cell[1] if len(cell) > 1 else masculine
        if language == "es" and masculine.endswith("o"):
            feminine = masculine[:-1] + "a"
        return plural(feminine, language) if number else feminine
    return plural(masculine, language) if number else masculine


@lru_cache(None)
def noun_phrase(
    noun: str,
    language: str,
    article: str | None = "indefinite",
    case: str = "nominative",
    adjective: str | None = None,
    count: int | None = None,
) -> tuple:
    """The words of a noun phrase. `article` is definite, indefinite or None; with a `count` there is none."""
    gender, singular, many = NOUNS[noun][language]
    counted = count is not None
    head = many if counted else singular
    if language == "ru" and not counted:
        head = decline(singular, case, gender)
    words = [(head, "NOUN", "O")]
    if adjective:
        if language == "de":
            form = ADJECTIVES[adjective]["de"][0]
            if counted or (article is None and gender == "f"):
                form += "e"
            elif article is None:
                form += {"m": "er", "n": "es"}[gender]
            else:
                form += _GERMAN_ENDINGS[article][gender][case == "accusative"]
        else:
            form = adjective_form(adjective, language, gender, case, counted)
        after = language == "es" or (language == "fr" and not ADJECTIVES[adjective]["fr"][0].startswith("<"))
        words.insert(1 if after else 0, (form, "ADJ", "O"))
    if counted:
        return ((str(count), "NUM", "O"), *words)
    if article is None or language == "ru":
        return tuple(words)
    if language == "en":
        first = words[0][0]
        vowel = first[0] in "aeiou" and not first.startswith(_CONSONANT_SOUND)
        form = "the" if article == "definite" else ("an" if vowel else "a")
    elif language == "de":
        form = _GERMAN_ARTICLES[article][gender][case == "accusative"]
    else:
        form = _ARTICLES[language][article][gender]
    return ((form, "DET", "O"), *words)


# --- a line of text -------------------------------------------------------------------------------------------------

_MUTE_H = frozenset(EXCEPTIONS["mute_h"].split())
_ELIDED = {"le": "l'", "la": "l'", "de": "d'", "que": "qu'", "ne": "n'"}


def _vowel(word: str) -> bool:
    return word[0].lower() in "aeiouyàâéèêëîïôœ" or word in _MUTE_H


def join(words, language: str) -> list:
    """Adapt neighbouring words to each other, and write the first with a capital letter.

    French elides and contracts; Spanish has del, al and e for "y"; Russian has об for "о" and во for "в".
    """
    out: list[tuple[str, str, str]] = []
    for word in words:
        if out:
            previous, tag, _ = out[-1]
            form = word[0]
            if language == "fr":
                lower = previous.lower()
                if lower in _ELIDED and tag != "PROPN" and _vowel(form) and word[1] not in ("NUM", "PUNCT"):
                    out[-1] = (_ELIDED[lower], tag, "O")
                    # It is "de l'hôtel" but "du bar": no contraction with an article that is elided.
                elif len(out) > 1 and lower == "le" and tag == "DET":
                    before = out[-2][0].lower()
                    if before in ("de", "à") and out[-2][1] == "ADP":
                        out[-2:] = [({"de": "du", "à": "au"}[before], "ADP", "O")]
            elif language == "es":
                if form == "el" and word[1] == "DET" and previous.lower() in ("de", "a") and tag == "ADP":
                    out[-1] = ({"de": "del", "a": "al"}[previous.lower()], "ADP", "O")
                    continue
                if previous == "y" and form.lower().startswith(("i", "hi")) and not form.lower().startswith("hie"):
                    out[-1] = ("e", tag, "O")
            elif language == "ru" and previous == "о" and form[0].lower() in "аэиоу":
                out[-1] = ("об", tag, "O")
            elif language == "ru" and previous in ("в", "В") and form.startswith(("Вь", "Фр", "Фл", "вт", "Вр")):
                out[-1] = (previous + "о", tag, "O")
        out.append(word)
    for index, (form, tag, entity) in enumerate(out):
        if tag != "PUNCT":
            out[index] = (form[0].upper() + form[1:], tag, entity)
            break
    return out


_CLOSE = {".", ",", "!", "?", ";", ":", ")"}
_OPEN = {"(", "¿", "¡"}
_SPACED_IN_FRENCH = {"!", "?", ";", ":"}


def text(words, language: str) -> str:
    """The written line of a list of words (triples or plain strings)."""
    return written(words, language)[0]


def written(words, language: str) -> tuple[str, list[tuple[int, int]]]:
    """The written line of a list of words, and where each word stands in it: (first character, end)."""
    line, places, glue = "", [], True
    for word in words:
        form = word if isinstance(word, str) else word[0]
        close = form in _CLOSE and not (language == "fr" and form in _SPACED_IN_FRENCH)
        if not (glue or close or (form == "%" and language == "en")):
            line += " "
        places.append((len(line), len(line) + len(form)))
        line += form
        glue = form in _OPEN or (form[-1] == "'" and len(form) <= 3)
    return line, places
