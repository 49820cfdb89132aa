"""Checks of the ways of adapting models to tasks of generation. One function per rule, as in `checks`."""

from mtbridge.specs.adaptation import Adaptation
from mtbridge.study.checker import Checker
from mtbridge.study.languages import study_languages, task_languages
from mtbridge.study.settings import Settings
from mtbridge.study.writing import translates, ways, writing_models


def generation_has_models(checker: Checker) -> None:
    """Where texts are written, a model can write."""
    settings = checker.settings
    if settings.generation_tasks and not writing_models(settings):
        message = f"none can write, which {settings.generation_tasks[0]} needs; expected an encoder with its decoder"
        checker.wrong(("models",), message)


def ways_fit(checker: Checker) -> None:
    """No rate is named twice; models, tasks, languages and the translator of a way are there; a prompt leaves room."""
    settings = checker.settings
    for name, way in settings.adaptations.items():
        at = ("adaptations", name)
        if len(set(way.rates)) < len(way.rates):
            checker.wrong((*at, "rates"), f"names one twice, {way.rates}")
        for model in way.models or ():
            checker.known((*at, "models"), model, settings.model_catalog, "model of the catalog")
        for task in way.tasks or ():
            checker.known((*at, "tasks"), task, settings.task_catalog, "task of the catalog")
    for name, one in ways(settings).values():
        at = ("adaptations", name)
        if one.longest_source < 8:
            message = f"{one.width} prompt vectors leave {one.longest_source} of {one.source_length} tokens"
            checker.wrong((*at, "width"), f"{message} for the text; expected 8 at least")
        if settings.generation_tasks:
            _languages_fit(checker, name, one)
            _text_is_there(checker, name, one)
            _translator_fits(checker, name, one)


def taught_languages(settings: Settings, task: str) -> list[str]:
    """The languages whose own training examples of a task some way learns from, the source language first."""
    given = settings.adaptations
    found = [
        language
        for name, one in ways(settings).values()
        if one.translator is None and task in (given[name].tasks or [task])
        for language in one.languages
    ]
    return list(dict.fromkeys([settings.source_language, *found]))


def _languages_fit(checker: Checker, name: str, one: Adaptation) -> None:
    """A way's languages are those of its tasks, each once."""
    settings, at = checker.settings, ("adaptations", name, "languages")
    if len(set(one.languages)) < len(one.languages):
        checker.wrong(at, f"names one twice, {', '.join(one.languages)}")
    for task in settings.generation_tasks:
        if task in (settings.adaptations[name].tasks or [task]):
            for language in one.languages:
                checker.known(at, language, task_languages(settings, task), f"language of {task}")


def _text_is_there(checker: Checker, name: str, one: Adaptation) -> None:
    """Text to mix in is there, in another language than those that are learnt from."""
    settings, at = checker.settings, ("adaptations", name, "mixed")
    if not one.mixed:
        return
    if one.mixed_texts == 0:
        message = f"{one.mixed:g} of {one.batch_size} examples an update is no text"
        checker.wrong(at, f"{message}; expected {1 / (2 * one.batch_size):.2g} at least, or a larger batch_size")
    others = set(study_languages(settings)) - set(one.languages or [settings.source_language])
    if not others:
        checker.wrong(at, "no language is left whose text could be mixed in; name fewer `languages` of the way")
    models = settings.adaptations[name].models or writing_models(settings)
    published = [model for model in models if settings.origin(model) == "published"]
    if published and settings.corpus is None:
        message = f"the generated corpus says nothing to {published[0]}, which learnt real languages"
        checker.wrong(at, f"{message}; set `corpus` to a folder of real text")


def _translator_fits(checker: Checker, name: str, one: Adaptation) -> None:
    """A way's translator translates in the directions that the way needs."""
    settings, at, source = checker.settings, ("adaptations", name, "translator"), checker.settings.source_language
    if one.translator is None:
        return
    checker.known(at, one.translator, settings.model_catalog, "model of the catalog")
    others = one.languages or [
        language for task in settings.generation_tasks for language in task_languages(settings, task)
    ]
    for language in dict.fromkeys(others):
        needed = [(source, language)] if one.languages else [(language, source), (source, language)]
        for pair in needed if language != source else ():
            if not translates(settings, one.translator, pair):
                checker.wrong(at, f"'{one.translator}' has not learnt to translate from {pair[0]} to {pair[1]}")
