"""The readers, each with the files that it reads."""

from __future__ import annotations

import functools
import io
import random
import tarfile
from pathlib import Path

from mtbridge.data.readers import read_examples
from mtbridge.specs.task import Task
from tests.support.mutants import content, corpus, delimited, options, parquet, questions, records, treebank, words
from tests.support.mutants.mutant import Case

ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
UPOS = ("ADJ", "NOUN", "PROPN", "PUNCT", "VERB")
SEARCH = (("query",), ("title", "snippet"))
NC = Task("nc", "classification", ("sports", "autos", "news"), "accuracy", ("title", "body"), (("title", "body"),))
ODD = Task("odd", "classification", ("true", "NA", "007", "sports"), "accuracy", ("text",))
QAM = Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage"))
QADSM = Task("qadsm", "pair", ("Good", "Bad"), "accuracy", ("query", "title", "snippet"), SEARCH)
WPR = Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title", "snippet"), SEARCH)
XNLI = Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
PAWS = Task("paws-x", "pair", ("0", "1"), "accuracy", ("first", "second"))
STS = Task("sts", "regression", (), "pearson", ("first", "second"))
NER = Task("ner", "tagging", ENTITIES, "entity_f1")
EXAM = Task("exam", "choice", ("A", "B", "C"), "accuracy", ("text", *options.NAMES), choices=options.NAMES)
QA = Task("qa", "extraction", (), "answer_f1", ("question", "context"))
POS = Task("pos", "tagging", UPOS, "tagging_accuracy")
XNLI_HEADER = [
    *("language", "gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse"),
    *("sentence2_parse", "sentence1", "sentence2", "promptID", "pairID", "genre", "label1", "label2", "label3"),
    *("label4", "label5", "sentence1_tokenized", "sentence2_tokenized", "match"),
]


def field(role: str, task: Task, at: int, rng: random.Random) -> str:
    """What stands in a field of row number `at`."""
    if role == "label":
        return task.labels[at % len(task.labels)]
    if role == delimited.REGRESSION:
        return f"{at % 5}.{25 + at}"
    if role == "id":
        return str(11 + at)
    if role == "language":
        return ("de", "en")[at % 2]
    if role == "query":
        return f"{content.WORDS[at // 3]} {content.WORDS[at // 3 + 1]}"
    return content.text(rng) if role else rng.choice(("face", "(a b)", "match"))


def make_rows(task: Task, roles: list[str], header: list[str] | None, count: int, rng: random.Random, **form):
    """A file of rows."""
    rows = [[field(role, task, at, rng) for role in roles] for at in range(count)]
    if form.get("quoted"):  # some fields that need quoting
        text = next(at for at, role in enumerate(roles) if role in task.columns)
        rows[1][text] = rows[1][text].replace(" ", ", ", 1)
        rows[3][text] = 'he said "' + rows[3][text] + '", again'
    return delimited.Rows(header, rows, roles, task.labels, **form)


def make_words(roles: list[str], entities: bool, rng: random.Random) -> words.Words:
    """A file of words."""
    others = iter(rng.choices(("DT", "NNP", "VBZ", "I-NP", "I-VP"), k=400))
    made = []
    for labels in sentences_of_labels(entities, rng):
        tokens = content.text(rng, len(labels)).split(" ")
        made.append(
            [
                [token if role == "tokens" else label if role == "label" else next(others) for role in roles]
                for token, label in zip(tokens, labels, strict=True)
            ]
        )
    return words.Words(made, roles, entities)


def sentences_of_labels(entities: bool, rng: random.Random) -> list[list[str]]:
    """Labels of some sentences; entities have all lengths and neighbours."""
    if not entities:
        return [[rng.choice(UPOS) for _ in range(rng.randint(2, 4))] for _ in range(4)]
    pieces = (["O"], ["B-PER"], ["B-LOC"], ["B-PER", "I-PER"], ["B-LOC", "I-LOC", "I-LOC"])
    made = [[tag for piece in rng.sample(pieces, 3) for tag in piece] for _ in range(3)]
    return [["B-PER", "I-PER", "B-PER", "O"], *made]


def make_records(task: Task, rng: random.Random, number: bool = False, by_line: bool = True) -> records.Records:
    """A file of records."""
    if task.kind == "tagging":
        entities = task is NER
        made = [
            {"tokens": content.text(rng, len(labels)).split(" "), "label": labels}
            for labels in sentences_of_labels(entities, rng)
        ]
        return records.Records(made, ("tokens",), words=True, entities=entities, by_line=by_line)
    made = []
    for at in range(5):
        texts = {name: field(name, task, at, rng) for name in task.columns}
        label = field(delimited.REGRESSION if number else "label", task, at, rng)
        made.append(texts | {"label": float(label) if number else label})
    return records.Records(made, task.columns, number=number, by_line=by_line)


def read(task: Task, source: dict, file: str, split: str, language: str, folder: Path, raw: bytes) -> list:
    """The examples of a file, as rows without ids."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    filled = {
        key: value.replace("<folder>", str(folder)) if isinstance(value, str) else value
        for key, value in source.items()
    }
    return without_ids(read_examples(filled, task, split, language, None, 0))


def read_archive(task: Task, file: str, split: str, language: str, folder: Path, raw: bytes) -> list:
    """The examples of a file in an archive."""
    folder.mkdir()
    with tarfile.open(folder / "release.tar.gz", "w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo(f"xglue_full_dataset/{file}")
        member.size = len(raw)
        archive.addfile(member, io.BytesIO(raw))
    source = {"kind": "xglue", "path": str(folder / "release.tar.gz")}
    return without_ids(read_examples(source, task, split, language, None, 0))


def without_ids(table) -> list:
    """Rows of examples as dictionaries, with what the file says."""
    return table.drop_columns(["split", "language", "example_id"]).to_pylist()


def grouped(examples: list) -> list:
    """The rows of a ranking by query, because a reader may bring those of a query together."""
    order = {row["query"]: at for at, row in reversed(list(enumerate(examples)))}
    return sorted(examples, key=lambda row: order[row["query"]])


def release(name, task, roles, file, *, header=None, count=6, split="dev", language="de", keys=None, **options) -> Case:
    """A case of the kind xglue."""
    form = {key: options.pop(key) for key in ("joined", "language_read") if key in options}
    if "language_read" in form:
        form["language"] = form.pop("language_read")
    make = functools.partial(rows_from, task, roles, header, count, form)
    source = {"kind": "xglue", "path": "<folder>", **(keys or {})}
    reader = functools.partial(read, task, source, file, split, language)
    canonical = grouped if task.kind == "ranking" else list
    return Case(name, make, delimited.changes, reader, file, True, canonical=canonical, fresh=False, **options)


def rows_from(task, roles, header, count, form, rng):
    """`make_rows` with the random generator last."""
    return make_rows(task, roles, header, count, rng, **form)


def table(name, task, roles, suffix, **options) -> Case:
    """A case of the kind datasets, a .csv or .tsv file or a folder with one."""
    file = f"sets/validation.{suffix}"
    path = f"<folder>/{file}"
    if options.pop("in_folder", False):
        path, options["place"] = "<folder>/sets", "/sets"
    header = [role or f"other{at}" if role != delimited.REGRESSION else "label" for at, role in enumerate(roles)]
    form = {"separator": "\t" if suffix == "tsv" else ",", "quoted": suffix == "csv", "by_name": True}
    keys = {}
    if "id" in roles:
        keys["columns"] = {"example_id": "id"}
    if "language" in roles:
        keys["language_column"], form["language"] = "language", "de"
    make = functools.partial(rows_from, task, roles, header, 6, form)
    reader = functools.partial(read, task, {"kind": "datasets", "path": path, **keys}, file, "dev", "de")
    canonical = grouped if task.kind == "ranking" else list
    return Case(name, make, delimited.changes, reader, file, canonical=canonical, **options)


def structured(name, task, suffix, changes, number=False, **options) -> Case:
    """A case of the kind datasets, a .json, .jsonl or .parquet file or a folder with one."""
    file = f"sets/validation.{suffix}"
    path = f"<folder>/{file}"
    if options.pop("in_folder", False):
        path, options["place"] = "<folder>/sets", "/sets"
    make = lambda rng: make_records(task, rng, number, suffix == "jsonl")
    reader = functools.partial(read, task, {"kind": "datasets", "path": path}, file, "dev", "de")
    canonical = grouped if task.kind == "ranking" else list
    return Case(name, make, changes, reader, file, canonical=canonical, **options)


def word_file(name, task, roles, keys=None) -> Case:
    """A case of the layout words."""
    file = f"{task.name.upper()}/de.dev"
    source = {"kind": "xglue", "path": "<folder>", **(keys or {})}
    reader = functools.partial(read, task, source, file, "dev", "de")
    return Case(name, lambda rng: make_words(roles, task is NER, rng), words.changes, reader, file, True, fresh=False)


def archived() -> Case:
    """PAWS-X in an archive."""
    file = "PAWSX/de/dev_2k.tsv"
    roles = ["id", "first", "second", "label"]
    make = functools.partial(rows_from, PAWS, roles, ["id", "sentence1", "sentence2", "label"], 6, {})
    reader = functools.partial(read_archive, PAWS, file, "dev", "de")
    return Case("xglue, paws-x in a .tar.gz", make, delimited.changes, reader, file, True, rounds=1, share=0.5)


def conllu() -> Case:
    """Universal Dependencies."""
    file = "de-dev.conllu"
    source = {"kind": "conllu", "path": "<folder>/{language}-{split}.conllu"}
    reader = functools.partial(read, POS, source, file, "dev", "de")
    return Case("conllu", treebank.make, treebank.changes, reader, file, True, fresh=False)


def lists_of_choices() -> Case:
    """A choice whose choices are items of a list."""
    file = "sets/validation.jsonl"
    source = {"kind": "datasets", "path": f"<folder>/{file}", "columns": options.COLUMNS}
    reader = functools.partial(read, EXAM, source, file, "dev", "de")
    return Case("datasets, jsonl: choices in a list", options.make, options.changes, reader, file)


def squad() -> Case:
    """Questions and answers."""
    file = "de.dev.json"
    source = {"kind": "squad", "path": "<folder>/{language}.{split}.json"}
    reader = functools.partial(read, QA, source, file, "dev", "de")
    return Case("squad", questions.make, questions.changes, reader, file)


CONLL = ["tokens", "", "", "label"]
ROWS = {"keys": {"folder": "STS", "format": "rows"}}
CASES = [
    word_file("xglue, words: entities", NER, ["tokens", "label"]),
    word_file("xglue, words: parts of speech", POS, ["tokens", "label"]),
    word_file("xglue, words: entities in four columns", NER, CONLL, {"columns": ["tokens", "pos", "chunk", "label"]}),
    release("xglue, rows: classification", NC, ["title", "body", "label"], "NC/xglue.nc.de.dev", joined=True),
    release("xglue, rows: pair", QAM, ["question", "passage", "label"], "QAM/xglue.qam.de.dev"),
    release("xglue, rows: joined pair", QADSM, [*QADSM.columns, "label"], "QADSM/xglue.qadsm.de.dev", joined=True),
    release("xglue, rows: ranking", WPR, [*WPR.columns, "label"], "WPR/xglue.wpr.de.dev", joined=True),
    release("xglue, rows: regression", STS, ["first", "second", "number"], "STS/xglue.sts.de.dev", **ROWS),
    release("xglue, xnli", XNLI, ["premise", "hypothesis", "label"], "XNLI/de.dev"),
    release(
        "xglue, xnli: training",
        XNLI,
        ["premise", "hypothesis", "label"],
        "XNLI/multinli.train.de.tsv",
        header=["premise", "hypo", "label"],
        split="train",
    ),
    release(
        "xglue, xnli: all languages in one file",
        XNLI,
        ["language", "label", "", "", "", "", "premise", "hypothesis", "", "id", *[""] * 9],
        "XNLI/xnli.dev.tsv",
        header=XNLI_HEADER,
        count=8,
        language_read="de",
        rounds=1,
    ),
    release(
        "xglue, paws-x",
        PAWS,
        ["id", "first", "second", "label"],
        "PAWSX/de/dev_2k.tsv",
        header=["id", "sentence1", "sentence2", "label"],
    ),
    archived(),
    table("datasets, csv: pair", QAM, ["question", "passage", "label"], "csv"),
    table("datasets, csv: odd labels", ODD, ["label", "", "text"], "csv"),
    table("datasets, csv: regression, with ids", STS, ["id", "first", "second", "number"], "csv"),
    table("datasets, csv: ranking, languages in a column", WPR, ["language", *WPR.columns, "label"], "csv", rounds=2),
    table("datasets, tsv: classification", NC, ["title", "label", "body"], "tsv"),
    table("datasets, tsv: regression", STS, ["number", "first", "second"], "tsv"),
    structured("datasets, json: pair", QAM, "json", records.changes),
    structured("datasets, json: regression", STS, "json", records.changes, number=True),
    structured("datasets, jsonl: ranking", WPR, "jsonl", records.changes),
    structured("datasets, jsonl: entities", NER, "jsonl", records.changes),
    structured("datasets, jsonl: parts of speech", POS, "jsonl", records.changes),
    table("datasets, csv: choice", EXAM, ["text", "a", "b", "c", "label"], "csv", rounds=1),
    structured("datasets, jsonl: choice", EXAM, "jsonl", records.changes, rounds=1),
    lists_of_choices(),
    squad(),
    structured("datasets, parquet: choice", EXAM, "parquet", parquet.changes, rounds=1),
    structured("datasets, parquet: pair", QAM, "parquet", parquet.changes),
    structured("datasets, parquet: regression", STS, "parquet", parquet.changes, number=True),
    structured("datasets, parquet: entities", NER, "parquet", parquet.changes),
    table(
        "datasets, a folder of csv", QAM, ["question", "passage", "label"], "csv", in_folder=True, rounds=1, share=0.1
    ),
    structured("datasets, a folder of parquet", QAM, "parquet", parquet.changes, in_folder=True, rounds=1, share=0.2),
    structured("datasets, a folder of jsonl", QAM, "jsonl", records.changes, in_folder=True, rounds=1, share=0.1),
    conllu(),
    Case("corpora", corpus.make, corpus.changes, corpus.read, corpus.FILE, fresh=False),
]
