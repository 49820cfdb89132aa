"""Where a task's examples come from: one class a kind of source. `data.readers` has what reads each of them.

`{language}` and `{split}` in a path, and where a description says so, are replaced by the language and the split.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.names import CONTROL, Name
from mtbridge.specs.setting import setting, specification


def check_pattern(value: Any) -> Any:
    """Return a path with its `~` filled in. Raises ValueError if it holds other braces than {language} and {split}."""
    if not isinstance(value, str):
        return value
    if not value.strip() or value.startswith("-") or CONTROL.search(value):
        raise ValueError("expected one line of text that does not begin with a dash, as an option does")
    if re.search("[{}]", re.sub("{(language|split)}", "", value)):
        raise ValueError("of what stands in braces only {language} and {split} are known")
    return os.path.expanduser(value)


def check_texts(value: Any) -> Any:
    """Return a mapping with numbers as texts, because YAML reads the class `1` as a number."""
    if not isinstance(value, Mapping):
        return value
    # bool is a kind of int, and `yes` is no class "True": pydantic refuses it.
    as_text = lambda one: str(one) if isinstance(one, int) and not isinstance(one, bool) else one
    return {as_text(key): as_text(text) for key, text in value.items()}


def check_regex(value: Any) -> Any:
    """Return a regular expression. Raises ValueError if it is none, or has not one group."""
    if isinstance(value, str):
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from None
        if groups != 1:
            raise ValueError(f"{groups} groups; expected one, in round brackets, for the language")
    return value


Pattern = Annotated[str, BeforeValidator(check_pattern)]
Regex = Annotated[str, BeforeValidator(check_regex)]
Labels = Annotated[dict[str, str], BeforeValidator(check_texts)]
Languages = dict[Name, str]
Splits = dict[Literal["train", "dev", "test"], str]
Ragged = Literal["error", "drop", "join"]
LayoutName = Literal["words", "rows", "xnli", "paws-x", "source-target", "squad", "mlqa"]


@specification
class Generated:
    """Examples that the project makes."""

    kind: Literal["generated"] = setting("generated", description="Text that the project generates; no other keys.")


@specification
class Xglue:
    """The files of the XGLUE release, or files laid out alike."""

    kind: Literal["xglue"] = setting("xglue", description="Files of the XGLUE release, or laid out alike.")
    path: Pattern | None = setting(
        None, description="The release's folder or tar.gz, local or `hf://datasets/…`; default: the study's `xglue`."
    )
    folder: str | None = setting(None, description="The task's folder in it; default: that of the release.")
    format: LayoutName | None = setting(None, description="The layout of its files; default: that of the release.")
    languages: Languages = setting({}, description="Our language -> its name in file names; default: the same.")
    labels: Labels = setting({}, description="Label in the file -> the task's label.")
    columns: tuple[Name, ...] = setting(
        ("tokens", "label"),
        description="Of files with one word a line: all columns in order, as in [tokens, pos, chunk, label]; those "
        "with other names than `tokens` and `label` are not read.",
    )
    spaces_in_tokens: bool = setting(
        False, description="Of files with one word a line: tokens may hold spaces, other columns may not."
    )
    comment: str | None = setting(
        None, description="Of files with one word a line: lines that begin with it are left out.", min_length=1
    )
    ragged: Ragged = setting(
        "error",
        description="A row with a wrong number of fields: an `error`; `drop` it; or `join` surplus fields into the "
        "last text, where a model sees the last columns as one text anyway.",
    )


@specification
class OtherPlace:
    """Where the examples of one split or language come from, where that is another place than that of the others."""

    path: Pattern = setting(description="As the source's own `path`.")
    config: Pattern | None = setting(None, description="As the source's own `config`.")
    folder: Pattern | None = setting(None, description="As the source's own `folder`.")
    revision: str | None = setting(None, description="As the source's own `revision`.")
    columns: dict[Name, str] = setting({}, description="What differs from the source's own `columns`.")
    labels: Labels = setting({}, description="What differs from the source's own `labels`.")


@specification
class Datasets:
    """What the `datasets` library opens on the Hub, or local tables."""

    kind: Literal["datasets"] = setting("datasets", description="A dataset of the Hub, a folder, or a table.")
    path: Pattern | None = setting(
        None,
        description="Name on the Hub; files in a dataset there, `hf://datasets/<owner>/<name>@<revision>/<file>`, in "
        "whose name `*` stands for any text; a local folder; or a local file. Files end in .parquet, .csv, .tsv, .json "
        "or .jsonl, and may be packed (.gz).",
    )
    config: Pattern | None = setting(
        None, description="Configuration of the dataset; {language}, {split} are filled in."
    )
    folder: Pattern | None = setting(
        None,
        description="Folder of a dataset that holds a configuration's files, where no name tells it: {language} in the "
        "branch refs/convert/parquet, in which the Hub keeps the tables of datasets that are made by a script.",
    )
    revision: str | None = setting(None, description="Branch, tag or commit of a dataset on the Hub.")
    train: OtherPlace | None = setting(
        None, description="Another dataset or file that training examples come from, as SQuAD's for XQuAD."
    )
    dev: OtherPlace | None = setting(None, description="Another dataset or file that dev examples come from.")
    places: dict[Name, OtherPlace] = setting(
        {},
        description="Our language -> another dataset or file that its examples come from, as COPA's English ones for "
        "XCOPA. `train` and `dev` come first.",
    )
    dev_from_train: int = setting(
        0,
        description="Of a dataset without dev: so many of its training examples, drawn by the study's `data_seed`, are "
        "dev and no longer train.",
        ge=0,
    )
    splits: Splits = setting(
        {}, description="Our split -> theirs; default: train, validation, test; {language} is filled in."
    )
    languages: Languages = setting({}, description="Our language -> their name of it; default: the same.")
    columns: dict[Name, str] = setting(
        {},
        description="Our column (a text column, `label`, `example_id`) -> theirs; default: the same name. "
        "`answers.text` is the part `text` of the column `answers`, `options.0` the first one of a list, "
        "`choices.text.0` the first one of a part. An id may be "
        "several columns, as in `link + question_number`; empty, it is the number of the row.",
    )
    labels: Labels = setting({}, description="Their label -> the task's label.")
    language_column: str | None = setting(
        None, description="The column with a row's language, if one split holds several."
    )
    language_pattern: Regex | None = setting(
        None,
        description="Where only a part of that column is the language: a regular expression of the whole, whose group "
        "is the language: `(.+)-[0-9]+-[0-9]+` of TyDiQA's ids.",
    )


@specification
class Conllu:
    """Treebanks of Universal Dependencies."""

    kind: Literal["conllu"] = setting("conllu", description="Treebanks of Universal Dependencies.")
    path: Pattern | None = setting(None, description="A file; its name holds {language} and {split}.")
    languages: Languages = setting({}, description="Our language -> what replaces {language}; default: the same.")
    splits: Splits = setting({}, description="Our split -> what replaces {split}; default: train, dev, test.")
    labels: Labels = setting({}, description="Their UPOS -> the task's label.")


@specification
class Squad:
    """Questions and answers in the JSON of SQuAD, as XQuAD and MLQA have them too."""

    kind: Literal["squad"] = setting("squad", description="Questions, contexts and answers in the JSON of SQuAD.")
    path: Pattern | None = setting(None, description="A file; its name holds {language} and {split}.")
    train: Pattern | None = setting(
        None, description="The file of training examples, if it has another name than `path` says."
    )
    languages: Languages = setting({}, description="Our language -> what replaces {language}; default: the same.")
    splits: Splits = setting({}, description="Our split -> what replaces {split}; default: train, dev, test.")
    dev_articles: int = setting(
        0,
        description="Where one file holds dev and test, as those of XQuAD do (`path` then has no {split}): its first "
        "so many articles are dev, all others test.",
        ge=0,
    )
    impossible: Literal["error", "drop"] = setting(
        "error", description="A question without an answer, as SQuAD 2 has them: an `error`; or `drop` it."
    )


KINDS: dict[str, type] = {
    "generated": Generated,
    "xglue": Xglue,
    "datasets": Datasets,
    "conllu": Conllu,
    "squad": Squad,
}
AnySource = Generated | Xglue | Datasets | Conllu | Squad
Source = Annotated[AnySource, Field(discriminator="kind")]
LAYOUT_NAMES: tuple[str, ...] = get_args(LayoutName)


def read_source(value: Any) -> AnySource:
    """The source that a mapping of keys describes; a source is returned as it is.

    Raises:
        MtbridgeError: a key is unknown or its value does not fit; the message names it.
    """
    if isinstance(value, AnySource):
        return value
    try:
        return TypeAdapter(Source).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in KINDS:
            raise MtbridgeError(f"source.kind: '{kind}' is no kind of source; {nearest(str(kind), KINDS)}") from None
        key = ".".join(str(part) for part in first["loc"][1:])
        known = [field.name for field in fields(KINDS[kind])]
        message = f"no such key; {nearest(key, known)}" if key not in known else first["msg"]
        if first["type"] == "literal_error":
            message = f"'{first['input']}' is not one of them; {nearest(str(first['input']), choices(first))}"
        raise MtbridgeError(f"source.{key}: {message}") from None


def choices(error: Any) -> list[str]:
    """The texts that a setting may have, from pydantic's error about another one."""
    return re.findall(r"'([^']+)'", error["ctx"]["expected"])


def to_json(source: AnySource) -> str:
    """The keys of a source that differ from their defaults, as JSON; `read_source` is the inverse.

    Keys with their default values are left out, so a new key changes the options of no program.
    """
    values = vars(source)
    given = lambda group: {name: value for name, value in vars(group).items() if value}
    return json.dumps({name: values[name] for name in ("kind", *changed(source))}, sort_keys=True, default=given)


def changed(source: AnySource) -> list[str]:
    """The keys of a source that do not have their default values."""
    declared: dict[str, Any] = {field.name: field.default for field in fields(source)}
    values = vars(source)
    return [name for name, default in declared.items() if name != "kind" and values[name] != default.default]


def their_language(source: AnySource, language: str) -> str:
    """The source's name of a language."""
    return str(getattr(source, "languages", {}).get(language, language))


def their_split(source: Datasets | Conllu | Squad, split: str, defaults: Mapping[str, str]) -> str:
    """The source's name of a split."""
    given = {str(ours): theirs for ours, theirs in source.splits.items()}
    return given.get(split, defaults[split])


def splits_problem(
    source: Datasets | Conllu | Squad, defaults: Mapping[str, str], others: Iterable[str] = ("dev", "test")
) -> list[tuple[str, str]]:
    """What is wrong with the names of splits: pairs (key, message). Rows of train must not be rows of the others."""
    train = their_split(source, "train", defaults)
    if any(_share_rows(train, their_split(source, other, defaults)) for other in others):
        return [("splits", f"'{train}' is train, and also dev or test; take another split for them")]
    return []


def _share_rows(one: str, other: str) -> bool:
    """Do two splits have rows in common? Of two slices, as in `train[:10%]`, only equal ones surely do."""
    return any(
        a == b or (a.split("[")[0] == b.split("[")[0] and ("[" in a) + ("[" in b) < 2)
        for a in one.split("+")
        for b in other.split("+")
    )


def repositories(source: AnySource) -> set[str]:
    """The data sets, by their names on the Hub, that a source names; none of kinds that read no data from there."""
    inside = re.compile("hf://datasets/([^/@]+/[^/@]+)")
    if isinstance(source, Xglue):
        return {match[1]} if (match := inside.match(source.path or "")) else set()
    if not isinstance(source, Datasets):
        return set()
    places = (source, source.train, source.dev, *source.places.values())
    paths = [place.path for place in places if place is not None and place.path]
    return {match[1] if (match := inside.match(path)) else path for path in paths}


def fill(pattern: str, language: str, split: str) -> str:
    """A pattern with {language} and {split} replaced."""
    return pattern.replace("{language}", language).replace("{split}", split)
