"""Language codes in the names of files."""

import re
from pathlib import Path

from mtbridge.specs.names import NAME
from mtbridge.specs.source import AnySource


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
