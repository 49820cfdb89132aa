"""Language codes in the names of files, and in columns."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.names import NAME
from mtbridge.specs.source import AnySource

FEWER_LANGUAGES = "; a task in fewer languages names them in its `languages`"
CODE_OR_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def ours(source: AnySource, theirs: set[str]) -> set[str]:
    """Our languages for the source's names of languages: the inverse of its `languages`."""
    named: dict[str, str] = getattr(source, "languages", {})
    codes = {code for code, name in named.items() if name in theirs}
    return codes | {name for name in theirs - set(named.values()) if name not in named}


def codes_in(pattern: str, names: set[str]) -> set[str]:
    """What stands for {language} in those names that a pattern fits; in both places, if it occurs twice."""
    code = re.compile(
        re.escape(pattern)
        .replace(re.escape("{language}"), f"({NAME.pattern})", 1)
        .replace(re.escape("{language}"), r"\1")
    )
    return {match[1] for name in names if (match := code.fullmatch(name))}


def codes_in_paths(pattern: Path) -> set[str]:
    """What stands for {language} in the paths of existing files that a pattern fits."""
    text = str(pattern)
    first = text.index("{language}") if "{language}" in text else len(text)
    folder = Path(text[:first]) if text[:first].endswith("/") else Path(text[:first]).parent
    rest = pattern.relative_to(folder).as_posix().replace("{language}", "*")
    return codes_in(text, {str(path) for path in folder.glob(rest) if path.is_file()})


def check_languages(
    spoken: Sequence[str], known: Collection[str], place: Callable[[int], str], others: re.Pattern = CODE_OR_WORD
) -> None:
    """Check a column of languages, because a row in no language would be left out in silence.

    spoken: the column.
    known: names of languages that the source lists.
    others: what other names look like; by default a code or a word, such as `pt-BR` or `english`.
    place: a function of the row that returns its place.

    Raises:
        MtbridgeError: a value is no name of a language, or differs from another in case only.
    """
    spelling: dict[str, str] = {}
    for row, name in enumerate(spoken):
        if name not in known and not (isinstance(name, str) and others.fullmatch(name)):
            raise MtbridgeError(
                f"{place(row)}: the language is {str(name)[:40]!r}; expected a code or a word: mend the row, or list "
                "the name in source.languages"
            )
        if (other := spelling.setdefault(name.casefold(), name)) != name:
            raise MtbridgeError(
                f"{place(row)}: the language '{name}' differs from '{other}' in case only; write both alike"
            )
