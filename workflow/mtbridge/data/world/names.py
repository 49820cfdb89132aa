"""Names of the generated world: people, cities, countries, organisations, products; and what CLDR knows by name.

The invented ones stand in words/names.yaml; names of territories, languages, currencies, units and days are Babel's.
"""

from collections.abc import Callable
from functools import lru_cache

from mtbridge.base.files import package_data
from mtbridge.data.world import LANGUAGES

NAME_FILE = package_data(__file__, "words/names.yaml")


def _pairs(text: str) -> list[list[str]]:
    return [pair.split() for pair in text.split(",")]


# (Latin, Russian, gender) and (Latin, Russian)
FIRST_NAMES = tuple(
    (*pair, gender) for key, gender in (("female", "f"), ("male", "m")) for pair in _pairs(NAME_FILE[key])
)
FAMILY_NAMES = tuple(map(tuple, _pairs(NAME_FILE["family"])))
CITY_NAMES = tuple(
    dict(zip(LANGUAGES, (cell.replace("_", " ") for cell in row.split()), strict=True))
    for row in NAME_FILE["cities"].strip().splitlines()
)
COUNTRIES = tuple(NAME_FILE["countries"].split())
STEMS = tuple(NAME_FILE["stems"].split())


@lru_cache(None)
def locale(language: str):
    """Babel's locale of a language."""
    from babel import Locale

    return Locale.parse(language)


def _plain(names) -> bool:
    """Whether a name's every version is one to three words of letters, safe to cut at spaces."""
    return all(
        name
        and all(character.isalpha() or character in " -" for character in name)
        and " - " not in name
        and len(name.split()) <= 3
        and not any(word in ("und", "and", "y", "et", "и") for word in name.split())
        for name in names
    )


def _common(names_of: Callable) -> tuple[tuple[str, dict], ...]:
    """(code, {language: name}) of the entries of a CLDR table that every language names plainly."""
    tables = {language: names_of(locale(language)) for language in LANGUAGES}
    rows = []
    for code in sorted(tables["en"]):
        names = {language: tables[language].get(code) for language in LANGUAGES}
        if _plain(names.values()):
            rows.append((code, names))
    return tuple(rows)


_NO_TERRITORIES = ("EU", "EZ", "UN", "XA", "XB", "ZZ")  # alliances, test locales, "unknown region"


@lru_cache(None)
def territories() -> tuple[dict[str, str], ...]:
    """Names of territories that every language names plainly: {language: name} each."""
    return tuple(
        names
        for code, names in _common(lambda locale: locale.territories)
        if code.isalpha() and code not in _NO_TERRITORIES
    )


@lru_cache(None)
def countries() -> tuple[tuple[dict[str, str], str], ...]:
    """The countries of words/names.yaml: ({language: name}, French gender)."""
    return tuple(
        ({language: locale(language).territories[entry[:2]] for language in LANGUAGES}, entry[3:] or "f")
        for entry in COUNTRIES
    )


@lru_cache(None)
def languages() -> tuple[dict[str, str], ...]:
    """Names of languages that are one word in each of the five: {language: name} each."""
    return tuple(
        names
        for code, names in _common(lambda locale: locale.languages)
        if code.isalpha() and all(len(name.split()) == 1 for name in names.values())
    )


@lru_cache(None)
def currencies() -> tuple[str, ...]:
    """Codes of the countries' currencies whose plural is one word, or a noun and an adjective, in every language."""
    from babel.numbers import get_territory_currencies

    codes: set[str] = set()
    for entry in COUNTRIES:
        codes.update(get_territory_currencies(entry[:2]) or ())
    plain = []
    for code in sorted(codes):
        names = [currency(code, language) for language in LANGUAGES]
        if _plain(names) and len({len(name.split()) for name in names}) == 1 and len(names[0].split()) <= 2:
            plain.append(code)
    return tuple(plain)


@lru_cache(None)
def currency(code: str, language: str) -> str:
    """A currency's name after a number such as 12 or 500."""
    from babel.numbers import get_currency_name

    return get_currency_name(code, count=500, locale=language)


@lru_cache(None)
def units() -> tuple[str, ...]:
    """CLDR's names of the units that are one word in every language."""
    return tuple(
        unit
        for unit in NAME_FILE["units"].split()
        if all(len(unit_name(unit, language).split()) == 1 for language in LANGUAGES)
    )


@lru_cache(None)
def unit_name(unit: str, language: str) -> str:
    """A unit's name after a number such as 12 or 500."""
    from babel.units import format_unit

    return format_unit(12, unit, length="long", locale=language).replace("\xa0", " ").removeprefix("12").strip()


@lru_cache(None)
def month(number: int, language: str) -> str:
    """Month name: in Russian the prepositional ("мае"), elsewhere the plain one."""
    name = locale(language).months["stand-alone"]["wide"][number]
    if language != "ru":
        return name
    return name[:-1] + "е" if name[-1] in "ьй" else name + "е"


@lru_cache(None)
def month_of_date(number: int, language: str) -> str:
    """Month name inside a date: in Russian the genitive ("мая")."""
    return locale(language).months["format"]["wide"][number]


@lru_cache(None)
def weekday(number: int, language: str) -> str:
    """Weekday (0 = Monday): in Russian the accusative ("среду")."""
    name = locale(language).days["format"]["wide"][number]
    if language != "ru":
        return name
    return name[:-1] + "у" if name.endswith("а") else name
