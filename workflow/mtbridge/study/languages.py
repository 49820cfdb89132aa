"""Which languages a study and its tasks have, as set or as found in the user's files."""

from collections.abc import Iterable, Sequence

from mtbridge.data.bitext import find_files
from mtbridge.data.corpora import languages_of, taken_for_copies
from mtbridge.data.readers import available_languages
from mtbridge.specs.names import LANGUAGE
from mtbridge.specs.source import Datasets, Generated
from mtbridge.study.settings import Settings


def study_languages(settings: Settings) -> list[str]:
    """The study's languages: as set, or those of the corpus, or of the generated world."""
    if settings.languages:
        return list(settings.languages)
    if settings.corpus is not None:
        return sorted(languages_of(settings.corpus, settings.corpora.stems["pretraining"][0]))
    # Here, because reading the word lists takes time that most studies need not spend.
    from mtbridge.data.world import LANGUAGES

    return list(LANGUAGES)


def task_languages(settings: Settings, key: str) -> list[str]:
    """The languages that a task is scored in: as set, or those of the study that its source has."""
    languages = settings.task_catalog[key].languages
    if languages:
        return list(languages)
    available = available_languages(settings.source_of(key), key)  # None: any
    return [language for language in study_languages(settings) if available is None or language in available]


def bitext_languages(settings: Settings) -> list[str]:
    """The languages that have pairs of their own with the source language; none if the study names no such pairs."""
    given = settings.retrieval
    if given.folder is None and given.source is None:
        return []
    if given.languages is not None:
        return list(given.languages)
    others = [language for language in study_languages(settings) if language != settings.source_language]
    if given.folder is not None:
        files = (find_files(given.folder, given.stem, name, settings.source_language) for name in others)
        return [language for language, found in zip(others, files, strict=True) if found]
    named = given.source.languages if isinstance(given.source, Datasets) else {}
    return [language for language in others if not named or language in named]


def parts_of(settings: Settings, key: str, splits: Sequence[str], languages: Sequence[str]) -> list[tuple[str, str]]:
    """The parts (split, language) that a task has: dev in its `dev_languages` only, if it names them."""
    with_dev = settings.task_catalog[key].dev_languages
    return [
        (split, language)
        for split in splits
        for language in languages
        if split != "dev" or with_dev is None or language in with_dev
    ]


def left_out(settings: Settings) -> str:
    """One line about the languages in the user's files that the study leaves out; "" if there are none."""
    parts = []
    if settings.corpus is not None:
        where = settings.corpus, settings.corpora.stems["pretraining"][0]
        there = languages_of(*where) | taken_for_copies(*where)
        parts += _named("the corpus", there, study_languages(settings))
    for key in settings.tasks:
        source = settings.source_of(key)
        if not isinstance(source, Generated):
            parts += _named(key, available_languages(source, key) or (), task_languages(settings, key))
    if not parts:
        return ""
    return f"note: in the files, but not among `languages`, and so left out: {'; '.join(parts)}"


def _named(what: str, there: Iterable[str], taken: list[str]) -> list[str]:
    found = sorted(language for language in set(there) - set(taken) if LANGUAGE.fullmatch(language))
    return [f"{what} has {', '.join(found)}"] if found else []
