"""Examples come out of files as they stand there, whoever wrote them."""

import io
import itertools
import json
import os
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from seqeval.metrics.sequence_labeling import get_entities

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_record
from mtbridge.data.readers import READERS, available_languages, hub, modules_of_other_kinds, read_examples, xglue
from mtbridge.specs.options import to_options
from mtbridge.specs.task import Task
from mtbridge.study.load import load
from mtbridge.tasks.kinds.tag_schemes import to_iob2
from mtbridge.tasks.metrics import runs

ROOT = Path(__file__).resolve().parents[3]
UPOS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ")
UPOS += ("SYM", "VERB", "X")
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "ORG", "LOC", "MISC") for prefix in "BI"))
SIB = "entertainment geography health politics science/technology sports travel"
MSN = "foodanddrink finance lifestyle news video autos"
SEARCH = (("query",), ("title", "snippet"))
TASKS = {
    task.name: task
    for task in (
        Task(
            "nc", "classification", tuple(f"{SIB} {MSN}".split()), "accuracy", ("title", "body"), (("title", "body"),)
        ),
        Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis")),
        Task("paws-x", "pair", ("0", "1"), "accuracy", ("first", "second")),
        Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage")),
        Task("qadsm", "pair", ("Good", "Bad"), "accuracy", ("query", "title", "snippet"), SEARCH),
        Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title", "snippet"), SEARCH),
        Task("ner", "tagging", ENTITIES, "entity_f1"),
        Task("pos", "tagging", UPOS, "tagging_accuracy"),
    )
}


@pytest.fixture
def release(tmp_path):
    """Writes files of a release: release("NER/en.dev", "text") -> source."""

    def write(name, content, **keys):
        path = tmp_path / "xglue" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {"kind": "xglue", "path": str(tmp_path / "xglue"), **keys}

    return write


def rows(source, task, split="dev", language="en", limit=None, seed=0):
    return read_examples(source, TASKS[task], split, language, limit, seed).to_pylist()


def test_empty_edge_fields_keep_their_columns(release):
    source = release("WPR/xglue.wpr.en.dev", "\ttitle\t\t3\nq\t\tsnippet\t0\n \t \t \t1\n")
    found = [(r["query"], r["title"], r["snippet"], r["label"]) for r in rows(source, "wpr")]
    assert found == [("", "title", "", "3"), ("q", "", "snippet", "0"), (" ", " ", " ", "1")]


def test_quotation_marks_are_characters(release):
    source = release("QAM/xglue.qam.en.dev", '"who\t"a" said\t1\nso"\t""\t0\n')
    assert [(r["question"], r["passage"]) for r in rows(source, "qam")] == [('"who', '"a" said'), ('so"', '""')]


def test_only_line_feeds_end_lines(release):
    text = "a\u2028b\x0c\x85\tc\x1dd\t1\n"
    assert rows(release("QAM/xglue.qam.en.dev", text), "qam")[0]["question"] == "a\u2028b\x0c\x85"


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_last_sentence_needs_no_blank_line(release, end):
    source = release("POS/en.dev", f"a DET\nb NOUN\n\n\nc VERB{end}")
    assert [r["tokens"] for r in rows(source, "pos")] == [["a", "b"], ["c"]]
    assert [r["example_id"] for r in rows(source, "pos")] == ["1", "2"]


def test_crlf_and_byte_order_mark_leave_no_trace(release):
    source = release("POS/en.dev", b"\xef\xbb\xbfa DET\r\nb NOUN\r\n\r\nc VERB\r\n")
    found = rows(source, "pos")
    assert [r["tokens"] for r in found] == [["a", "b"], ["c"]] and found[0]["label"] == ["DET", "NOUN"]


def test_spaces_inside_a_token_do_not_become_its_label(release):
    source = release("POS/fr.dev", "200 000 NUM\n\u00a0 PUNCT\n")
    with pytest.raises(MtbridgeError, match=r"POS/fr\.dev:1: 3 columns .* say spaces_in_tokens: true"):
        rows(source, "pos", language="fr")
    source["spaces_in_tokens"] = True
    assert rows(source, "pos", language="fr")[0]["tokens"] == ["200 000", "\u00a0"]


def test_document_lines_are_no_words_and_end_a_sentence(release):
    source = release("NER/en.dev", "-DOCSTART- O\n\na O\nb I-LOC\n-DOCSTART- O\nc O\n")
    assert [r["tokens"] for r in rows(source, "ner")] == [["a", "b"], ["c"]]
    source = release("NER/en.dev", "-DOCSTART- -X- O O\n\na O\n") | {"spaces_in_tokens": True}
    assert [r["tokens"] for r in rows(source, "ner")] == [["a"]], "also where it has more columns than the words"


def test_multinli_header_and_spelling(release):
    text = "premise\thypo\tlabel\na\tb\tcontradictory\nc\td\tneutral\n"
    found = rows(release("XNLI/multinli.train.en.tsv", text), "xnli", "train")
    assert [(r["premise"], r["label"], r["example_id"]) for r in found] == [
        ("a", "contradiction", "2"),
        ("c", "neutral", "3"),
    ]


def test_a_file_without_its_header_loses_no_row(release):
    found = rows(release("XNLI/multinli.train.en.tsv", "a\tb\tneutral\n"), "xnli", "train")
    assert [r["premise"] for r in found] == ["a"]


def test_paws_x_header_and_ids(release):
    text = "id\tsentence1\tsentence2\tlabel\n7\ta\tb\t1\n4\tc\td\t0\n"
    source = release("PAWSX/de/dev_2k.tsv", text)
    found = rows(source, "paws-x", language="de")
    assert [(r["example_id"], r["first"], r["label"]) for r in found] == [("7", "a", "1"), ("4", "c", "0")]


def xnli_line(language, label, premise, hypothesis, pair):
    return "\t".join([language, label, *["(parse"] * 4, premise, hypothesis, "1", pair, "face", *["x"] * 8]) + "\n"


def test_xnli_in_one_file_a_split_is_read_by_language(release):
    names = [f"column{i}" for i in range(19)]
    names[:2], names[6:8], names[9] = ["language", "gold_label"], ["sentence1", "sentence2"], "pairID"
    header = "\t".join(names) + "\n"
    text = header + xnli_line("en", "neutral", "a", "b", "1") + xnli_line("de", "entailment", "ä", "ö", "1")
    text += xnli_line("de", "contradiction", "ü", "ß", "2")
    for split in ("dev", "test"):
        source = release(f"XNLI/xnli.{split}.tsv", text)
    assert available_languages(source, "xnli") == {"en", "de"}
    found = rows(source, "xnli", language="de")
    assert [(r["premise"], r["hypothesis"], r["label"], r["example_id"]) for r in found] == [
        ("ä", "ö", "entailment", "1"),
        ("ü", "ß", "contradiction", "2"),
    ]
    release("XNLI/de.dev", "own\tfile\tneutral\n")
    assert [r["premise"] for r in rows(source, "xnli", language="de")] == ["own"]


@pytest.mark.parametrize(
    "iob1",
    [
        "I-PER I-PER O I-LOC",
        "I-PER B-PER I-PER",
        "I-PER I-LOC I-LOC B-LOC",
        "B-PER I-PER O B-LOC B-LOC",
        "O O I-ORG",
        "B-PER I-LOC",
    ],
)
def test_iob2_holds_the_same_entities(iob1):
    labels = iob1.split()
    (normal,) = to_iob2([labels], str)
    assert get_entities(normal) == get_entities(labels)
    assert to_iob2([normal], str) == [normal]
    # In IOB2 every entity begins with B-, and with nothing else.
    begins = [i for i, label in enumerate(normal) if label.startswith("B-")]
    assert begins == [start for _, start, _ in get_entities(labels)]


def test_ner_is_read_as_iob2_and_pos_as_it_is(release):
    source = release("NER/en.dev", "EU I-ORG\nrejects O\nGerman I-MISC\nFrench B-MISC\n")
    assert rows(source, "ner")[0]["label"] == ["B-ORG", "O", "B-MISC", "B-MISC"]


def test_surplus_tabs_are_mended_only_where_the_model_sees_one_text(release, capsys):
    source = release("WPR/xglue.wpr.en.dev", "q\ta\tb\tc\td\t2\nq\ta\tb\t0\n", ragged="join")
    found = rows(source, "wpr")[0]
    assert (found["title"], found["snippet"], found["label"]) == ("a", "b c d", "2")
    assert TASKS["wpr"].texts(found)[1] == "a b c d"
    assert "1 rows with surplus tabs" in capsys.readouterr().err


def test_ragged_rows_are_left_out_on_request_and_counted(release, capsys):
    source = release("WPR/xglue.wpr.en.dev", "q\ta\tb\t2\nq\tshort\t1\nq\tc\td\t0\n", ragged="drop")
    assert [r["example_id"] for r in rows(source, "wpr")] == ["1", "3"]
    assert "1 rows ragged, left out, the first at line 2" in capsys.readouterr().err


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_a_limit_draws_a_sample_by_seed_in_file_order(release, split):
    source = release(f"QAM/xglue.qam.en.{split}", "".join(f"q{i}\tp\t{int(i > 50)}\n" for i in range(100)))
    first, again, other = (rows(source, "qam", split, limit=10, seed=seed) for seed in (1, 1, 2))
    numbers = [int(r["example_id"]) for r in first]
    assert first == again != other and len(first) == 10
    assert numbers == sorted(numbers) != list(range(1, 11))
    assert {r["label"] for r in first} == {"0", "1"}  # the file is sorted by label


def test_a_sample_has_the_same_rows_in_every_language(release):
    for language in ("en", "de"):
        source = release(f"QAM/xglue.qam.{language}.test", "".join(f"{language}{i}\tp\t1\n" for i in range(100)))
    one, other = (rows(source, "qam", "test", limit=7, language=language) for language in ("en", "de"))
    assert [r["question"][2:] for r in one] == [r["question"][2:] for r in other]


def test_a_sample_keeps_its_rows_when_the_file_is_sorted_or_grows(release):
    lines = [f"{i}\ta{i}\tb\t1\n" for i in range(100)]
    sets = []
    for content in (lines, lines[::-1], [*lines, "100\ta100\tb\t1\n"]):
        source = release("PAWSX/en/test_2k.tsv", "".join(content))
        sets.append({r["example_id"] for r in rows(source, "paws-x", "test", limit=10)})
    assert sets[0] == sets[1] and len(sets[0] & sets[2]) >= 9


@pytest.mark.parametrize("split", ["train", "dev"])
def test_limit_keeps_whole_queries(release, split):
    lengths = [3, 1, 4, 2, 5, 3, 2, 4]
    text = "".join(f"query {i}\tt\ts\t{j % 5}\n" for i, length in enumerate(lengths) for j in range(length))
    source = release(f"WPR/xglue.wpr.en.{split}", text)
    for limit in (2, 7, 9, 23):
        queries = [r["query"] for r in rows(source, "wpr", split, limit=limit)]
        starts = runs(queries)
        assert 0 < len(queries) <= max(limit, 5)
        for start, end in itertools.pairwise(starts):
            assert end - start == lengths[int(queries[start].split()[1])]
    assert len(rows(source, "wpr", split, limit=24)) == 24


def test_a_ninth_task_of_a_known_layout_needs_no_code(release):
    TASKS["topic"] = Task("topic", "classification", ("a", "b"), "accuracy", ("text",))
    source = release("TOPIC/xglue.topic.sw.dev", "habari\tb\n", folder="TOPIC", format="rows")
    release("TOPIC/xglue.topic.sw.test", "ndiyo\ta\n")
    assert rows(source, "topic", language="sw")[0]["text"] == "habari"
    assert available_languages(source, "topic") == {"sw"}
    del TASKS["topic"]


def test_labels_of_a_source_are_renamed(release):
    source = release("QADSM/xglue.qadsm.en.dev", "a\tb\tc\t1\n", labels={1: "Good", 0: "Bad"})
    assert rows(source, "qadsm")[0]["label"] == "Good"


def test_languages_have_both_dev_and_test(release):
    for name in ("en.train", "en.dev", "en.test", "de.dev", "fr.test", "labels.txt", "ru.dev", "ru.test"):
        source = release(f"NER/{name}", "a O\n")
    assert available_languages(source, "ner") == {"en", "ru"}
    assert available_languages(source, "pos") == set()


def test_checking_languages_imports_no_heavy_library(release):
    source = release("NER/en.dev", "a O\n")
    code = (
        "import sys; from mtbridge.data.readers import available_languages; "
        f"available_languages({source!r}, 'ner'); "
        "print([m for m in ('pandas', 'pyarrow', 'numpy', 'datasets', 'torch', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def packed(folder: Path, archive: Path, prefix: str, mode: str) -> dict:
    with tarfile.open(archive, mode) as tar:
        for path in sorted(folder.glob("**/*")):
            if path.is_file():
                content = path.read_bytes()
                member = tarfile.TarInfo(prefix + path.relative_to(folder).as_posix())
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return {"kind": "xglue", "path": str(archive)}


@pytest.mark.parametrize("prefix", ["xglue_full_dataset/", "./xglue_full_dataset/", "", "./"])
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_an_archive_reads_as_its_folder_does(release, tmp_path, prefix, mode):
    source = release("NER/en.dev", "EU I-ORG\n")
    release("NER/en.test", "x O\n")
    release("PAWSX/de/dev_2k.tsv", "id\ta\tb\tlabel\n1\ta\tb\t0\n")
    archive = packed(Path(source["path"]), tmp_path / "release.tar", prefix, mode)
    assert available_languages(archive, "ner") == {"en"}
    assert rows(archive, "ner") == rows(source, "ner")
    assert rows(archive, "paws-x", language="de") == rows(source, "paws-x", language="de")


def test_the_release_may_lie_in_its_own_folder(tmp_path):
    path = tmp_path / "xglue_full_dataset" / "NER" / "en.dev"
    path.parent.mkdir(parents=True)
    path.write_text("a O\n")
    assert rows({"kind": "xglue", "path": str(tmp_path)}, "ner")[0]["tokens"] == ["a"]


def test_table_has_the_columns_of_the_contract(release):
    source = release("NER/en.dev", "a O\n")
    table = read_examples(source, TASKS["ner"], "dev", "en", None, 0)
    text, texts = pa.string(), pa.list_(pa.string())
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == {
        "split": text,
        "language": text,
        "example_id": text,
        "tokens": texts,
        "label": texts,
    }


@pytest.mark.parametrize("kind", READERS)
def test_a_kind_of_source_is_a_module_of_its_name_and_reading_it_needs_no_other(kind):
    others = modules_of_other_kinds(kind)
    assert READERS[kind]().read.__module__ not in others
    assert others == {READERS[other]().read.__module__ for other in READERS if other != kind}


# generated


def test_generated_examples_come_as_those_of_a_file_do():
    source = {"kind": "generated"}
    from mtbridge.data.world import LANGUAGES

    assert available_languages(source, "ner") == set(LANGUAGES)
    found, again, other = (rows(source, "ner", language="ru", limit=20, seed=seed) for seed in (1, 1, 2))
    assert len(found) == 20 and found == again != other
    assert {row["language"] for row in found} == {"ru"} and {row["split"] for row in found} == {"dev"}
    assert all(len(row["tokens"]) == len(row["label"]) for row in found)


# datasets


@pytest.fixture
def offline(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def test_datasets_maps_columns_labels_and_languages(tmp_path, offline):
    table = pa.table(
        {"s1": ["a", "b", "c"], "s2": ["x", "NA", "z"], "gold": [0, 2, 1], "lang": ["en", "de", "de"], "key": [5, 6, 7]}
    )
    pq.write_table(table, tmp_path / "validation.parquet")
    source = {
        "kind": "datasets",
        "path": str(tmp_path / "validation.parquet"),
        "columns": {"premise": "s1", "hypothesis": "s2", "label": "gold", "example_id": "key"},
        "labels": {0: "entailment", 1: "neutral", 2: "contradiction"},
        "language_column": "lang",
    }
    found = rows(source, "xnli", language="de")
    assert [(r["premise"], r["label"], r["example_id"]) for r in found] == [
        ("b", "contradiction", "6"),
        ("c", "neutral", "7"),
    ]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_datasets_reads_text_files_by_language_and_keeps_words_that_look_like_nothing(tmp_path, offline, suffix):
    contents = {
        "csv": 'question,passage,label\nNA,"a, b",1\n',
        "tsv": 'question\tpassage\tlabel\nNA\t"a, b\t1\n',
        "jsonl": '{"question": "NA", "passage": "a, b", "label": 1}\n',
    }
    (tmp_path / f"fr.dev.{suffix}").write_text(contents[suffix])
    source = {"kind": "datasets", "path": str(tmp_path / ("{language}.{split}." + suffix))}
    found = rows(source, "qam", language="fr")[0]
    assert found["question"] == "NA" and found["label"] == "1"
    assert found["passage"] == ('"a, b' if suffix == "tsv" else "a, b")


def test_datasets_names_class_numbers_also_in_lists(tmp_path, offline):
    import datasets

    feature = datasets.ClassLabel(names=["NOUN", "VERB"])
    features = datasets.Features(
        {
            "words": datasets.List(datasets.Value("string")),
            "upos": datasets.List(feature),
            "id": datasets.Value("int64"),
        }
    )
    rows_there = {"words": [["a", "b"]], "upos": [[1, 0]], "id": [3]}
    (tmp_path / "sets").mkdir()
    datasets.Dataset.from_dict(rows_there, features=features).to_parquet(tmp_path / "sets" / "validation.parquet")
    source = {"kind": "datasets", "path": str(tmp_path / "sets"), "columns": {"tokens": "words", "label": "upos"}}
    assert rows(source, "pos")[0]["label"] == ["VERB", "NOUN"]


def hub_folder(folder: Path, config_name: str, splits: dict, features: dict) -> None:
    """A dataset repository with one configuration, as Parquet and a README that names the files."""
    import datasets

    files = []
    for split, columns in splits.items():
        path = folder / config_name / f"{split}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        datasets.Dataset.from_dict(columns, features=datasets.Features(features)).to_parquet(path)
        files += [f"  - split: {split}", f"    path: {config_name}/{split}.parquet"]
    lines = ["---", "configs:", f"- config_name: {config_name}", "  data_files:", *files, "---", ""]
    (folder / "README.md").write_text("\n".join(lines))


def mirror_columns():
    """What the dataset script of the release calls its columns: task -> (features, a row, what we make of it)."""
    import datasets

    text, words = datasets.Value("string"), datasets.List(datasets.Value("string"))
    grades = datasets.ClassLabel(names=["Bad", "Fair", "Good", "Excellent", "Perfect"])
    return {
        "nc": ({"news_title": text, "news_body": text, "news_category": text}, ["t", "b", "news"], "news"),
        "xnli": (
            {
                "premise": text,
                "hypothesis": text,
                "label": datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
            },
            ["p", "h", 2],
            "contradiction",
        ),
        "paws-x": (
            {"sentence1": text, "sentence2": text, "label": datasets.ClassLabel(names=["different", "same"])},
            ["a", "b", 1],
            "1",
        ),
        "qam": (
            {"question": text, "answer": text, "label": datasets.ClassLabel(names=["False", "True"])},
            ["q", "a", 0],
            "0",
        ),
        "qadsm": (
            {
                "query": text,
                "ad_title": text,
                "ad_description": text,
                "relevance_label": datasets.ClassLabel(names=["Bad", "Good"]),
            },
            ["q", "t", "d", 1],
            "Good",
        ),
        "wpr": (
            {"query": text, "web_page_title": text, "web_page_snippet": text, "relavance_label": grades},
            ["q", "t", "s", 3],
            "3",
        ),
        "ner": ({"words": words, "ner": words}, [["a", "b"], ["I-LOC", "O"]], ["B-LOC", "O"]),
        "pos": (
            {"words": words, "pos": datasets.List(datasets.ClassLabel(names=["ADJ", "NOUN"]))},
            [["a", "b"], [1, 0]],
            ["NOUN", "ADJ"],
        ),
    }


@pytest.mark.parametrize("name", ["nc", "xnli", "paws-x", "qam", "qadsm", "wpr", "ner", "pos"])
def test_the_preset_of_the_mirror_reads_a_repository_laid_out_alike(tmp_path, offline, name):
    features, row, label = mirror_columns()[name]
    hub_folder(
        tmp_path, name, {"validation.de": {key: [value] for key, value in zip(features, row, strict=True)}}, features
    )
    settings = load({"study": "paper-mirror"})
    source = replace(settings.source_of(name), path=str(tmp_path))
    found = read_examples(source, settings.task(name), "dev", "de", None, 0).to_pylist()
    assert [one["label"] for one in found] == [label] and found[0]["language"] == "de"
    texts = [found[0][column] for column in settings.task(name).columns]
    assert texts == row[:-1]


@pytest.mark.parametrize("name", ["xnli", "paws-x"])
def test_the_preset_of_the_parts_reads_a_configuration_a_language(tmp_path, offline, name):
    features, row, _ = mirror_columns()[name]
    if name == "paws-x":
        import datasets

        features["label"] = datasets.ClassLabel(names=["0", "1"])
    hub_folder(
        tmp_path, "fr", {"validation": {key: [value] for key, value in zip(features, row, strict=True)}}, features
    )
    settings = load({"study": "paper-parts"})
    source = replace(settings.source_of(name), path=str(tmp_path))
    found = read_examples(source, settings.task(name), "dev", "fr", None, 0).to_pylist()
    assert found[0]["label"] == {"xnli": "contradiction", "paws-x": "1"}[name]


# Universal Dependencies

TREEBANK = """\
# newdoc id = x
# sent_id = es-1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\tir\tir\tVERB\t_\t_\t_\t_\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_

1\t200 000\t200 000\tNUM\t_\t_\t0\troot\t_\t_
"""


@pytest.fixture
def treebank(tmp_path):
    def write(content=TREEBANK, name="UD_Spanish-X/es_x-ud-dev.conllu", **keys):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        pattern = str(tmp_path / "{language}-ud-{split}.conllu")
        return {"kind": "conllu", "path": pattern, "languages": {"es": "UD_Spanish-X/es_x"}, **keys}

    return write


def test_treebank_gives_syntactic_words_and_no_multiword_tokens_or_empty_nodes(treebank):
    found = rows(treebank(), "pos", language="es")
    assert [r["tokens"] for r in found] == [["vamos", "nos", "a", "el", "mar"], ["200 000"]]
    assert [r["label"] for r in found] == [["VERB", "PRON", "ADP", "DET", "NOUN"], ["NUM"]]
    assert [r["example_id"] for r in found] == ["es-1", "2"]


def test_treebank_errors_name_file_and_line(treebank):
    with pytest.raises(
        MtbridgeError, match=r"es_x-ud-dev\.conllu:6: the label 'PRN' is none of the task pos; did you mean 'PRON'"
    ):
        rows(treebank(TREEBANK.replace("PRON", "PRN")), "pos", language="es")
    with pytest.raises(MtbridgeError, match=r"conllu:5: 4 columns where CoNLL-U has 10"):
        rows(treebank(TREEBANK.replace("VERB\t_\t_\t0\troot\t_\t_", "VERB", 1)), "pos", language="es")
    with pytest.raises(MtbridgeError, match=r"conllu:5: the ID 'x' is no word number"):
        rows(treebank(TREEBANK.replace("1\tvamos", "x\tvamos")), "pos", language="es")
    with pytest.raises(MtbridgeError, match=r"es_x-ud-test\.conllu: no such file \(task pos, es test\)"):
        rows(treebank(), "pos", "test", language="es")
    with pytest.raises(MtbridgeError, match=r"conllu:1: a sentence without words"):
        rows(treebank("# nothing\n"), "pos", language="es")
    with pytest.raises(MtbridgeError, match="gives words and tags"):
        rows(treebank(), "nc", language="es")


def test_treebank_labels_and_splits_are_renamed(treebank):
    source = treebank(TREEBANK.replace("PRON", "CLITIC"), labels={"CLITIC": "PRON"}, splits={"test": "dev"})
    assert rows(source, "pos", "test", language="es")[0]["label"][1] == "PRON"


def test_treebank_languages_have_both_dev_and_test(treebank, tmp_path):
    source = treebank()
    assert available_languages(source, "pos") == set()
    treebank(name="UD_Spanish-X/es_x-ud-test.conllu")
    assert available_languages(source, "pos") == {"es"}
    plain = {"kind": "conllu", "path": str(tmp_path / "plain" / "{language}" / "{language}-{split}.conllu")}
    for language, split in (("de", "dev"), ("de", "test"), ("fr", "dev")):
        treebank(name=f"plain/{language}/{language}-{split}.conllu")
    assert available_languages(plain, "pos") == {"de"}
    with pytest.raises(MtbridgeError, match=r"task pos: source\.path no/where/.*: no treebank is there"):
        available_languages({"kind": "conllu", "path": "no/where/{language}.{split}"}, "pos")


# The release as the Hub has it

RELEASE_ADDRESS = "hf://datasets/microsoft/xglue@refs/pr/7/xglue_full_dataset.tar.gz"


def no_network(tmp_path) -> dict:
    """A cache of the test's own, and no traffic beside what is asked for."""
    return {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}


def offline_examples(tmp_path):
    """scripts/examples.py on the release's address, with nothing but the cache."""
    task = to_options(Task("ner", "tagging", tuple(ENTITIES), "entity_f1"))
    source = json.dumps({"kind": "xglue", "path": RELEASE_ADDRESS})
    command = [sys.executable, str(ROOT / "scripts" / "examples.py"), "--source", source, *task]
    return subprocess.run(
        [*command, "--part", "evaluation", "--languages", "en", "--output", str(tmp_path / "out.parquet")],
        env={**os.environ, **no_network(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )


def test_an_address_on_the_hub_names_repository_revision_and_file():
    assert hub.address(RELEASE_ADDRESS, "nc") == ("microsoft/xglue", "refs/pr/7", "xglue_full_dataset.tar.gz")
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert hub.address(f"hf://datasets/a/b@{commit}/c/d.tar.gz", "nc") == ("a/b", commit, "c/d.tar.gz")
    assert hub.address("hf://datasets/a/b@refs%2Fpr%2F7/d.tar.gz", "nc") == ("a/b", "refs/pr/7", "d.tar.gz")
    assert hub.address("hf://datasets/a/b/d.tar.gz", "nc") == ("a/b", None, "d.tar.gz")
    with pytest.raises(MtbridgeError, match="expected hf://datasets/<owner>"):
        available_languages({"kind": "xglue", "path": "hf://microsoft/xglue"}, "nc")


def test_checking_the_paper_study_asks_no_network(monkeypatch):
    import socket

    def refuse(*arguments, **keywords):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert available_languages({"kind": "xglue", "path": RELEASE_ADDRESS}, "nc") is None
    assert len(load({"study": "paper"}).tasks) == 8


def test_offline_the_release_comes_from_the_hubs_cache(release, tmp_path):
    source = release("NER/en.dev", "EU I-ORG\n")
    release("NER/en.test", "x O\n")
    commit, cache = "c" * 40, tmp_path / "hub" / "datasets--microsoft--xglue"
    (cache / "snapshots" / commit).mkdir(parents=True)
    (cache / "refs" / "refs" / "pr").mkdir(parents=True)
    (cache / "refs" / "refs" / "pr" / "7").write_text(commit)
    packed(
        Path(source["path"]), cache / "snapshots" / commit / "xglue_full_dataset.tar.gz", "xglue_full_dataset/", "w:gz"
    )
    done = offline_examples(tmp_path)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "out.parquet")["tokens"].to_pylist() == [["EU"], ["x"]]
    assert f"commit {commit}" in done.stderr and done.stderr.count("asking the Hub") == 1


def test_offline_without_a_cache_is_told_in_one_line(tmp_path):
    done = offline_examples(tmp_path)
    error = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and not (tmp_path / "out.parquet").exists()
    assert error.startswith("error: microsoft/xglue (refs/pr/7): is not in the cache")
    assert "or set path (or `xglue`) to a local directory" in error


def test_what_the_hub_refuses_is_told_in_one_line(tmp_path):
    refusals = {
        "RevisionNotFound": (404, "has no such revision; check the source's revision"),
        "RepoNotFound": (404, "has no such repository, or it is private; check the source's path"),
        "EntryNotFound": (404, "answered 404; check the source's path and revision"),
        "GatedRepo": (403, "is gated; accept its terms on"),
    }

    class Refusal(BaseHTTPRequestHandler):
        def do_HEAD(self):
            code = next(code for code in refusals if code in self.path)
            self.send_response(refusals[code][0])
            self.send_header("X-Error-Code", code)
            self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *arguments):
            pass

    code = (
        "from mtbridge.base.errors import MtbridgeError\n"
        "from mtbridge.data.readers.hub import fetch\n"
        f"for code in {list(refusals)}:\n"
        "    try:\n"
        "        fetch('o/n', code, 'f.tar.gz')\n"
        "    except MtbridgeError as error:\n"
        "        print(error)\n"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT / "workflow",
            env={**os.environ, **no_network(tmp_path), "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        server.shutdown()
        server.server_close()
    lines = done.stdout.splitlines()
    assert len(lines) == len(refusals)
    for line, (name, (_, expected)) in zip(lines, refusals.items(), strict=True):
        assert line.startswith(f"o/n ({name}): ") and expected in line, line


def test_a_large_archive_is_not_listed_before_it_is_needed(release, tmp_path, monkeypatch):
    source = release("NER/en.dev", "a O\n")
    release("NER/en.test", "b O\n")
    archive = packed(Path(source["path"]), tmp_path / "release.tar.gz", "", "w:gz")
    assert available_languages(archive, "ner") == {"en"}
    monkeypatch.setattr(xglue, "MAX_LISTED_BYTES", 10)
    assert available_languages(archive, "ner") is None
    assert rows(archive, "ner")[0]["tokens"] == ["a"]


# The program


def examples(source, part, languages, output, *options):
    task = to_options(Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage")))
    names = ["--part", part, "--languages", *languages, "--train", "5"]
    command = [sys.executable, str(ROOT / "scripts" / "examples.py"), "--source", json.dumps(source), *task, *names]
    return subprocess.run([*command, "--output", str(output), *options], capture_output=True, text=True, check=True)


def test_another_language_adds_rows_to_the_evaluation_and_leaves_training_alone(release, tmp_path):
    for language in ("en", "de", "ru"):
        for split in ("train", "dev", "test"):
            text = "".join(f"{language} {split} {i}\tp\t{i % 2}\n" for i in range(9))
            source = release(f"QAM/xglue.qam.{language}.{split}", text)
    for number, languages in enumerate((["en", "de"], ["en", "de", "ru"])):
        for part in ("train", "evaluation"):
            examples(source, part, languages, tmp_path / f"{part}{number}.parquet")
    assert (tmp_path / "train0.parquet").read_bytes() == (tmp_path / "train1.parquet").read_bytes()
    train = pq.read_table(tmp_path / "train0.parquet").to_pylist()
    assert [(row["language"], row["split"]) for row in train] == [("en", "train")] * 5 + [("en", "dev")] * 9
    there = {"train": {"en": 9}, "dev": {"en": 9}}
    assert read_record(tmp_path / "train0.parquet")["read"] == there, "of which train has 5"
    one, two = (pq.read_table(tmp_path / f"evaluation{number}.parquet").to_pylist() for number in (0, 1))
    assert two[: len(one)] == one and {row["language"] for row in two[len(one) :]} == {"ru"}
    assert [row["split"] for row in one] == (["dev"] * 9 + ["test"] * 9) * 2


def test_training_examples_are_those_of_the_source_language(release, tmp_path):
    for language in ("en", "de"):
        for split in ("train", "dev"):
            source = release(f"QAM/xglue.qam.{language}.{split}", f"{language}\tp\t1\n")
    examples(source, "train", ["en"], tmp_path / "x.parquet", "--source-language", "de")
    train = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert [(row["language"], row["split"], row["question"]) for row in train] == [
        ("de", "train", "de"),
        ("de", "dev", "de"),
    ]


def test_equal_dev_and_test_files_are_told(release, tmp_path):
    for split in ("dev", "test"):
        source = release(f"QAM/xglue.qam.en.{split}", "a\tb\t1\n")
    done = examples(source, "evaluation", ["en"], tmp_path / "x.parquet")
    assert "warning: qam en: dev and test hold the same examples" in done.stderr


def test_a_language_without_dev_has_test_alone(release, tmp_path):
    for language, splits in (("en", ("dev", "test")), ("th", ("test",))):
        for split in splits:
            source = release(f"QAM/xglue.qam.{language}.{split}", f"{language} {split}\tp\t1\n")
    examples(source, "evaluation", ["en", "th"], tmp_path / "x.parquet", "--dev-languages", "en")
    found = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert [(row["language"], row["split"]) for row in found] == [("en", "dev"), ("en", "test"), ("th", "test")]
    there = {"dev": {"en": 1}, "test": {"en": 1, "th": 1}}
    assert read_record(tmp_path / "x.parquet") == {"sources": [], "dev_from_train": 0, "read": there}


# Real files, where they are there.

REAL = ROOT.parent / "shared" / "data" / "xglue"
GENUINE = ROOT.parent / "shared" / "data" / "xglue-format"


@pytest.mark.skipif(not REAL.is_dir(), reason="no real data beside the repository")
@pytest.mark.parametrize("name", TASKS)
def test_real_files_are_read_in_every_language(name):
    source = {"kind": "xglue", "path": str(REAL)}
    languages = available_languages(source, name)
    assert {"en", "de", "fr"} <= languages
    train = read_examples(source, TASKS[name], "train", "en", None, 0)
    assert train.num_rows > 500
    for language in languages:
        for split in ("dev", "test"):
            assert read_examples(source, TASKS[name], split, language, None, 0).num_rows >= 99


@pytest.mark.skipif(not GENUINE.is_dir(), reason="no genuine rows beside the repository")
@pytest.mark.parametrize("name", TASKS)
def test_genuine_rows_of_the_release_are_read(name):
    source = {"kind": "xglue", "path": str(GENUINE)}
    for language in available_languages(source, name):
        assert read_examples(source, TASKS[name], "dev", language, None, 0).num_rows > 0
        assert read_examples(source, TASKS[name], "test", language, None, 0).num_rows > 0
    assert read_examples(source, TASKS[name], "train", "en", None, 0).num_rows > 0
