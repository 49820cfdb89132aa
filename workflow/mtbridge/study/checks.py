"""Checks of settings against each other: names that refer to others, bases, languages, sources. One function per rule.

A rule reads all settings and raises its error by `Checker.wrong`, which names the file that set the key.
"""

import json

from pydantic import ValidationError

from mtbridge.data.corpora import languages_of
from mtbridge.data.readers import available_languages
from mtbridge.data.readers import problems as source_problems
from mtbridge.specs.names import CONTROL
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.source import Datasets, Generated, Xglue
from mtbridge.study.adaptation_checks import generation_has_models, taught_languages, ways_fit
from mtbridge.study.checker import Checker
from mtbridge.study.languages import parts_of, study_languages, task_languages
from mtbridge.study.model_checks import (
    bases_exist,
    derived_fits,
    lengths_fit,
    objective_fits,
    published_is_not_trained,
    replicates_fit,
    tokenizer_exists,
    translates_if_it_can,
)
from mtbridge.study.outline import FLOOR
from mtbridge.study.recipe_settings import RECIPE_SETTINGS
from mtbridge.study.retrieval_checks import pairs_can_be_read
from mtbridge.study.settings import Settings
from mtbridge.tasks.kinds import kind_of


def check(settings: Settings, layers: list) -> None:
    """Apply all rules. Raises MtbridgeError about the first rule that is broken."""
    checker = Checker(settings, layers)
    for rule in (
        names_exist,
        compared_exist,
        nothing_twice,
        protocols_fit_tasks,
        recipes_fit_tasks,
        generation_has_models,
        ways_fit,
        languages_hold_the_source,
        shares_fit,
        translation_has_languages,
        pairs_can_be_read,
    ):
        rule(checker)
    for model in settings.models:
        # In this order: the later rules look up bases, tokenizers and families.
        for model_rule in (
            bases_exist,
            replicates_fit,
            derived_fits,
            tokenizer_exists,
            objective_fits,
            translates_if_it_can,
            lengths_fit,
            published_is_not_trained,
        ):
            model_rule(checker, model)
    aligned_corpus_exists(checker)
    for task in settings.tasks:
        for task_rule in (
            task_fits_its_kind,
            labels_are_usable,
            source_exists,
            source_names_columns,
            source_has_languages,
            dev_is_enough,
            source_can_be_read,
        ):
            task_rule(checker, task)


# ---- the study -------------------------------------------------------------------------------------------------------


def names_exist(checker: Checker) -> None:
    """Models, tasks and protocols that are run or shown are in their catalogs."""
    settings = checker.settings
    for i, task in enumerate(settings.tasks):
        checker.known(("tasks", i), task, settings.task_catalog, "task of the catalog")
    for i, model in enumerate(settings.models):
        checker.known(("models", i), model, settings.model_catalog, "model of the catalog")
    for i, protocol in enumerate(settings.protocols):
        checker.known(("protocols", i), protocol, settings.protocol_catalog, "protocol of the catalog")
    for i, model in enumerate(settings.primary):
        checker.known(("primary", i), model, settings.models, "model that is run")
    for i, task in enumerate(settings.separability_after):
        checker.known(("separability_after", i), task, settings.understanding_tasks, "task with labels that is run")
    if FLOOR in settings.models:
        checker.wrong(("models",), f"'{FLOOR}' is the name of the baseline; call the model otherwise")


def compared_exist(checker: Checker) -> None:
    """The two of a contrast are models that are run, or recipes."""
    settings = checker.settings
    for i, pair in enumerate(settings.compare):
        among = settings.recipes if set(pair) <= set(settings.recipes) else settings.models
        for name in pair:
            checker.known(("compare", i), name, among, "model that is run, or recipe")
        if pair[0] == pair[1]:
            checker.wrong(("compare", i), f"'{pair[0]}' is compared with itself")


def nothing_twice(checker: Checker) -> None:
    """No list has the same item twice."""
    for field in ("models", "tasks", "seeds", "protocols", "languages", "separability_after", "primary"):
        values = getattr(checker.settings, field) or []
        if len(set(values)) < len(values):
            checker.wrong((field,), f"names one twice, {values}")


def protocols_fit_tasks(checker: Checker) -> None:
    """The tasks for which a protocol has settings of its own exist."""
    catalog = checker.settings.task_catalog
    for name, protocol in checker.settings.protocol_catalog.items():
        at = ("protocol_catalog", name)
        for field in ("splits", "mean_without"):
            for task in getattr(protocol, field):
                checker.known((*at, field, task), task, catalog, "task of the catalog")
        if protocol.corpus is not None:
            checker.known((*at, "corpus", "task"), protocol.corpus.task, catalog, "task of the catalog")


def recipes_fit_tasks(checker: Checker) -> None:
    """The settings that differ for a task are settings of a recipe, and the task exists."""
    settings = checker.settings
    groups = {("recipes", name): recipe for name, recipe in settings.recipes.items()}
    groups |= {("recipe_defaults", origin): recipe for origin, recipe in settings.recipe_defaults.items()}
    for group, values in groups.items():
        at = (*group, "by_task")
        for task, own in values.by_task.items():
            checker.known((*at, task), task, settings.task_catalog, "task of the catalog")
            for key in own:
                checker.known((*at, task, key), key, RECIPE_SETTINGS, "setting of a recipe")
            try:
                Recipe(**own)
            except ValidationError as error:
                first = error.errors()[0]
                checker.wrong((*at, task, *first["loc"]), first["msg"])


def languages_hold_the_source(checker: Checker) -> None:
    """The source language is one of the study's languages; the user's corpus, if there is one, can be read."""
    settings = checker.settings
    if settings.corpus is not None:
        # It raises the error of a folder without such files, even if `languages` is set.
        languages_of(settings.corpus, settings.corpora.stems["pretraining"][0])
    languages = study_languages(settings)
    if settings.source_language not in languages:
        name = _language_name(settings)
        checker.wrong(("languages",), f"{name} must be among them, got {', '.join(languages)}")


def shares_fit(checker: Checker) -> None:
    """Shares of the text are between 0 and 1, of languages of the study, and the source language has all of its own."""
    settings, languages = checker.settings, study_languages(checker.settings)
    for language, share in settings.corpora.shares.items():
        at = ("corpora", "shares", language)
        checker.known(at, language, languages, "language of the study")
        if not 0 <= share <= 1:
            checker.wrong(at, f"{share:g}; expected a share between 0 and 1")
        if language == settings.source_language and share < 1:
            checker.wrong(at, f"{share:g}; the source language, which models are fine-tuned in, has all of its text")


def _language_name(settings: Settings) -> str:
    code = settings.source_language
    return f"English ('{code}')" if code == "en" else f"'{code}', the source language,"


def translation_has_languages(checker: Checker) -> None:
    """A test set of the user's has the source language and another one of the study."""
    settings = checker.settings
    if settings.translation.test is None:
        return
    at, stem = ("translation", "test"), settings.translation.stem
    there = languages_of(settings.translation.test, stem)
    found = [language for language in study_languages(settings) if language in there]
    if settings.source_language not in found or len(found) < 2:
        checker.wrong(
            at,
            f"'{settings.translation.test}' has {stem}.<language> of {', '.join(sorted(there)) or 'no language'}; "
            f"expected {settings.source_language} and another language of the study",
        )


# ---- tasks -----------------------------------------------------------------------------------------------------------


def aligned_corpus_exists(checker: Checker) -> None:
    """The task whose examples are the aligned corpus has its columns, every language of the study, and translations."""
    settings, source = checker.settings, checker.settings.corpora.parallel_from
    if source is None:
        return
    at = ("corpora", "parallel_from")
    checker.known((*at, "task"), source.task, settings.task_catalog, "task of the catalog")
    for column in source.columns:
        columns = settings.task_catalog[source.task].columns
        checker.known((*at, "columns"), column, columns, f"column of {source.task}")
    for language in study_languages(settings):
        if language not in task_languages(settings, source.task):
            checker.wrong((*at, "task"), f"'{source.task}' has no '{language}', a language of the study")
    if not settings.resampling(source.task).aligned:
        message = f"'{source.task}' does not say that its rows are translations; if they are, set its `aligned: true`"
        checker.wrong((*at, "task"), message)


def task_fits_its_kind(checker: Checker, key: str) -> None:
    """Columns that are joined exist, and metric, texts and labels fit the kind of task."""
    task, at = checker.settings.task_catalog[key].task(key), ("task_catalog", key)
    for segment in task.segments:
        for column in segment:
            checker.known((*at, "segments"), column, task.columns, "column of the task")
    group = checker.settings.task_catalog[key].group
    if group is not None:
        checker.known((*at, "group"), group, () if kind_of(task).per_word else task.columns, "text column of the task")
    for setting, message in kind_of(task).problems(task):
        checker.wrong((*at, setting), message)


def labels_are_usable(checker: Checker, key: str) -> None:
    """Labels are lines of text, as submissions and tables need them; no language is named twice."""
    task, at = checker.settings.task_catalog[key], ("task_catalog", key)
    if odd := [label for label in task.labels if CONTROL.search(label)]:
        checker.wrong((*at, "labels"), f"{json.dumps(odd[0])} holds a control character; map it to another")
    if len(set(task.languages or [])) < len(task.languages or []):
        checker.wrong((*at, "languages"), "names a language twice")


def source_exists(checker: Checker, key: str) -> None:
    """A task's source has its path, and its keys fit each other."""
    source, at = checker.settings.source_of(key), ("task_catalog", key, "source")
    if not isinstance(source, Generated) and not source.path:
        release = isinstance(source, Xglue)
        need = "set `xglue:` to the release's folder or tar.gz" if release else "set its path"
        checker.wrong(("xglue",) if release else at, f"task '{key}' has no source; {need}")


def source_names_columns(checker: Checker, key: str) -> None:
    """The names of a table's columns are those of columns of the task, each of another one."""
    settings, source = checker.settings, checker.settings.source_of(key)
    if isinstance(source, Datasets):
        # Here, because most studies have no table.
        from mtbridge.data.readers.naming import column_problems

        for part, message in column_problems(source, settings.task(key)):
            checker.wrong(("task_catalog", key, "source", *part.split(".")), message)


def source_can_be_read(checker: Checker, key: str) -> None:
    """No two languages and no two splits are read from the same rows, and the local files are there."""
    settings = checker.settings
    parts = parts_of(settings, key, ("dev", "test"), task_languages(settings, key))
    taught = taught_languages(settings, key) if key in settings.generation_tasks else [settings.source_language]
    parts[:0] = [("train", language) for language in taught]
    for part, message in source_problems(settings.source_of(key), parts, key):
        checker.wrong(("task_catalog", key, "source", part), message)


def dev_is_enough(checker: Checker, key: str) -> None:
    """A task that has dev in some languages has it in the source language, and no protocol shows its dev scores."""
    settings, at = checker.settings, ("task_catalog", key, "dev_languages")
    with_dev = settings.task_catalog[key].dev_languages
    if with_dev is None:
        return
    if key in settings.generation_tasks:
        checker.wrong(at, "belongs to tasks with labels; delete it")
    if settings.source_language not in with_dev:
        checker.wrong(at, f"{_language_name(settings)} must be among them: by it the epoch is chosen")
    for language in with_dev:
        checker.known(at, language, task_languages(settings, key), "language of the task")
    for name in settings.protocols:
        if settings.protocol_catalog[name].split(key) == "dev":
            checker.wrong(
                ("protocol_catalog", name, "splits", key), f"is dev, which '{key}' has in some languages only"
            )


def source_has_languages(checker: Checker, key: str) -> None:
    """A task's source has the languages that the task sets, and the source language."""
    settings, at = checker.settings, ("task_catalog", key)
    english = _language_name(settings)
    available = available_languages(settings.source_of(key), key)
    if available is not None:
        with_dev = settings.task_catalog[key].dev_languages
        for language in settings.task_catalog[key].languages or []:
            # Whether files of a language without dev are there, `source_can_be_read` says.
            if language not in available and (with_dev is None or language in with_dev):
                message = f"the source has no '{language}'; it has {', '.join(sorted(available))}"
                checker.wrong((*at, "languages"), message)
        if settings.source_language not in available:
            name = "English" if settings.source_language == "en" else f"'{settings.source_language}'"
            checker.wrong((*at, "source"), f"the source has no {name}, which is what is trained on")
    if settings.source_language not in task_languages(settings, key):
        checker.wrong((*at, "languages"), f"{english} must be among them: it is what is trained on")
