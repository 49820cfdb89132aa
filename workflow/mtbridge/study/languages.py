"""Which languages a study and its tasks have, as set or as found in the user's files."""

from mtbridge.data.corpora import languages_of
from mtbridge.data.readers import available_languages
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
