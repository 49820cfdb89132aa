"""Checks of the pairs among which translations are looked for."""

from mtbridge.data.bitext import COLUMNS, SPLIT, find_files
from mtbridge.data.readers import opening
from mtbridge.specs.source import Datasets, their_language
from mtbridge.study.checker import Checker
from mtbridge.study.languages import bitext_languages


def pairs_can_be_read(checker: Checker) -> None:
    """Pairs come from a folder or a table, which has every language, and no two languages have the same rows."""
    settings, at = checker.settings, ("retrieval",)
    given = settings.retrieval
    if given.folder is None and given.source is None:
        if given.languages is not None:
            checker.wrong((*at, "languages"), "belongs to pairs of your own: name their `folder` or `source`")
        return
    if given.folder is not None and given.source is not None:
        checker.wrong((*at, "source"), "says where pairs come from, and `folder` says it too; delete one of them")
    for i, language in enumerate(given.languages or []):
        if language == settings.source_language:
            checker.wrong((*at, "languages", i), f"'{language}' is the source language, to which each pair leads")
        if language in (given.languages or [])[:i]:
            checker.wrong((*at, "languages", i), f"names '{language}' twice")
    languages = bitext_languages(settings)
    if given.folder is not None:
        missing = [
            name for name in languages if find_files(given.folder, given.stem, name, settings.source_language) is None
        ]
        if missing or not languages:
            name, source = (missing or ["de"])[0], settings.source_language
            of = f"of '{missing[0]}'" if missing else "of any language of the study"
            expected = f"{name}-{source}.{name} and {name}-{source}.{source}, or {given.stem}.{name}"
            checker.wrong((*at, "folder"), f"{given.folder} has no pairs {of}; expected files like {expected}")
    else:
        _table_has_pairs(checker, languages)


def _table_has_pairs(checker: Checker, languages: list[str]) -> None:
    """The keys of the source fit pairs, and its local files are there."""
    source, at = checker.settings.retrieval.source, ("retrieval", "source")
    if not isinstance(source, Datasets):
        kind = source.kind if source else ""
        checker.wrong((*at, "kind"), f"'{kind}' holds examples of tasks; pairs are rows of `kind: datasets`")
        return
    if not source.path:
        checker.wrong((*at, "path"), "is missing; name a dataset, its folder or its files")
        return
    for name in source.columns:
        checker.known((*at, "columns", name), name, COLUMNS, "column of a pair")
    if len({source.columns.get(name, name) for name in COLUMNS}) < len(COLUMNS):
        checker.wrong((*at, "columns"), "both sides of a pair are one column; name a column for each")
    if source.language_column:
        checker.wrong((*at, "language_column"), "a table of pairs is of one language; put {language} into the path")
    if not languages:
        checker.wrong((*at, "languages"), "has no language of the study beside the source language")
    inside = [text for text in (source.path, source.config, source.folder, source.splits.get("test")) if text]
    if len(languages) > 1 and not any("{language}" in text for text in inside):
        checker.wrong((*at, "path"), "nothing tells the languages apart; put {language} into path or config")
    theirs: dict[str, str] = {}
    for language in languages:
        other = theirs.setdefault(their_language(source, language), language)
        if other != language:
            checker.wrong(
                (*at, "languages"), f"'{other}' and '{language}' are both '{their_language(source, language)}'"
            )
        path = opening.local_path(source, "retrieval", SPLIT, language)
        is_file = path is not None and opening.is_table(path)
        if path is not None and ((is_file and not path.is_file()) or (opening.is_local(path) and not path.exists())):
            checker.wrong((*at, "path"), f"{path}: no such file or folder ({language})")
