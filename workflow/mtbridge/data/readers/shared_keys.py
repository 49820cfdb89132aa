"""Keys of a source that several kinds of source have: path, languages, labels."""

from pathlib import Path


def existing_files(source: dict, splits: dict[str, list[str]]) -> list[str]:
    """The files at the source's path for every split and its languages, as far as they exist; sorted."""
    codes = source.get("languages", {})
    pairs = [(split, codes.get(language, language)) for split, languages in splits.items() for language in languages]
    paths = [Path(source["path"].replace("{split}", split).replace("{language}", code)) for split, code in pairs]
    return sorted({str(path) for path in paths if path.is_file()})


def label_names(source: dict) -> dict[str, str]:
    """The source's `labels`: the label in the file -> the task's label."""
    return {str(theirs): str(ours) for theirs, ours in (source.get("labels") or {}).items()}
