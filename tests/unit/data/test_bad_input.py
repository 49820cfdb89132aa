"""Bad input ends in one line that names file and line, or key, and says what was expected."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import available_languages, read_examples
from mtbridge.inference.scoring import Run, score
from mtbridge.specs.options import to_options
from mtbridge.specs.task import Task

ROOT = Path(__file__).resolve().parents[3]
PAIR = Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage"))
NLI = Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
POS = Task("pos", "tagging", ("NOUN", "VERB", "PROPN"), "tagging_accuracy")
WPR = Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title", "snippet"), (("query",), ("title", "snippet")))
PAWS = Task("paws-x", "pair", ("0", "1"), "accuracy", ("first", "second"))

# name: task, file, content, what the message must hold
FILES = {
    "too few fields": (PAIR, "QAM/xglue.qam.en.dev", b"a\tb\t1\na\tb\n", ["qam.en.dev:2:", "2 fields", "3"]),
    "too many fields": (PAIR, "QAM/xglue.qam.en.dev", b"a\tb\t1\na\tb\tc\t1\n", ["qam.en.dev:2:", "4 fields"]),
    "surplus tab and no label": (WPR, "WPR/xglue.wpr.en.dev", b"a\tb\tc\td\te\n", ["wpr.en.dev:1:", "5 fields"]),
    "too few fields of a result": (WPR, "WPR/xglue.wpr.en.dev", b"a\tb\t1\n", ["wpr.en.dev:1:", "ragged: drop"]),
    "blank line among rows": (PAIR, "QAM/xglue.qam.en.dev", b"a\tb\t1\n\na\tb\t0\n", ["qam.en.dev:2:", "1 fields"]),
    "unknown label": (
        NLI,
        "XNLI/en.dev",
        b"a\tb\tneutral\na\tb\tentailmant\n",
        ["en.dev:2:", "'entailmant'", "'entailment'"],
    ),
    "label with a space at its end": (PAIR, "QAM/xglue.qam.en.dev", b"a\tb\t1 \n", ["qam.en.dev:1:", "'1 '"]),
    "unknown tag": (POS, "POS/en.dev", b"a NOUN\n\nb VERB\nc VREB\n", ["en.dev:4:", "'VREB'", "'VERB'"]),
    "word without a tag": (POS, "POS/en.dev", b"a NOUN\nb\n", ["en.dev:2:", "1 columns", "tokens, label"]),
    "tag without a word": (POS, "POS/en.dev", b"a NOUN\n NOUN\n", ["en.dev:2:", "an empty column"]),
    "a third column": (POS, "POS/en.dev", b"a NN NOUN\n", ["en.dev:1:", "3 columns", "columns: [tokens, pos, chunk"]),
    "wrong encoding": (POS, "POS/en.dev", "a NOUN\n\u00e9 NOUN\n".encode("latin-1"), ["en.dev:2:", "UTF-8", "byte 7"]),
    "UTF-16": (POS, "POS/en.dev", "a NOUN\n".encode("utf-16-le"), ["en.dev:1:", "UTF-8"]),
    "NUL byte": (POS, "POS/en.dev", b"a NOUN\nb NOUN\nc\0 NOUN\n", ["en.dev:3:", "NUL"]),
    "empty file": (POS, "POS/en.dev", b"", ["en.dev:1:", "empty"]),
    "only line ends": (PAIR, "QAM/xglue.qam.en.dev", b"\r\n\n", ["qam.en.dev:1:", "empty"]),
    "header and no row": (PAWS, "PAWSX/en/dev_2k.tsv", b"id\ta\tb\tlabel\n", ["dev_2k.tsv:1:", "no example"]),
    "the same id twice": (
        PAWS,
        "PAWSX/en/dev_2k.tsv",
        b"id\ta\tb\tlabel\n7\ta\tb\t0\n8\ta\tb\t0\n7\ta\tb\t1\n",
        ["dev_2k.tsv:4:", "'7'", "dev_2k.tsv:2"],
    ),
    "missing language": (POS, "POS/de.dev", b"a NOUN\n", ["POS/en.dev", "missing", "pos", "none"]),
}


@pytest.mark.parametrize("case", FILES)
def test_file_is_refused_with_its_line(tmp_path, case):
    task, name, content, parts = FILES[case]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    refused(parts, read_examples, {"kind": "xglue", "path": str(tmp_path)}, task, "dev", "en", None, 0)


def refused(parts, function, *arguments, **keywords):
    with pytest.raises(MtbridgeError) as caught:
        function(*arguments, **keywords)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


SOURCES = {
    "unknown kind": ({"kind": "xgleu"}, ["source.kind", "'xgleu'", "'xglue'"]),
    "no path": ({"kind": "xglue"}, ["source.path", "qam"]),
    "no such folder": ({"kind": "xglue", "path": "/nowhere/xglue"}, ["source.path", "/nowhere/xglue"]),
    "unknown layout": ({"kind": "xglue", "path": ".", "format": "row"}, ["source.format", "'row'", "'rows'"]),
    "dataset without a name": ({"kind": "datasets"}, ["source.path", "qam"]),
    "no such file of a dataset": ({"kind": "datasets", "path": "/nowhere/{language}.csv"}, ["/nowhere/en.csv"]),
    "no such folder of a dataset": ({"kind": "datasets", "path": "/nowhere/set"}, ["/nowhere/set", "no such"]),
    "generated without a number": ({"kind": "generated"}, ["qam", "dev"]),
}


@pytest.mark.parametrize("case", SOURCES)
def test_source_is_refused_with_its_key(case):
    source, parts = SOURCES[case]
    refused(parts, read_examples, source, PAIR, "dev", "en", None, 0)


def test_unknown_task_of_a_release_must_say_where_it_is(tmp_path):
    task = Task("topic", "pair", ("0", "1"), "accuracy", ("a", "b"))
    source = {"kind": "xglue", "path": str(tmp_path)}
    refused(["topic", "source.folder"], read_examples, source, task, "dev", "en", None, 0)
    refused(["topic", "source.format", "rows"], available_languages, {**source, "folder": "TOPIC"}, "topic")


COLUMNS = {
    "no such column": ({}, ["source.columns.passage", "'passage'", "pasage"]),
    "mapping of a column that the task lacks": ({"columns": {"pasage": "x"}}, ["source.columns.pasage", "'passage'"]),
    "no such language column": ({"columns": {"passage": "pasage"}, "language_column": "lang"}, ["language_column"]),
}


@pytest.fixture
def offline(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.parametrize("case", COLUMNS)
def test_columns_of_a_dataset_are_refused_with_their_key(tmp_path, offline, case):
    keys, parts = COLUMNS[case]
    pq.write_table(pa.table({"question": ["a"], "pasage": ["b"], "label": [1]}), tmp_path / "a.parquet")
    source = {"kind": "datasets", "path": str(tmp_path / "a.parquet"), **keys}
    refused(parts, read_examples, source, PAIR, "dev", "en", None, 0)


def test_rows_of_a_dataset_are_refused_with_their_number(tmp_path, offline):
    pq.write_table(pa.table({"question": ["a", None], "passage": ["b", "c"], "label": [1, 0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"tokens": [["a", "b"]], "label": [["NOUN"]]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 this is none")
    source = {"kind": "datasets", "path": str(tmp_path / "a.parquet")}
    refused(["a.parquet, row 2", "question"], read_examples, source, PAIR, "dev", "en", None, 0)
    source["path"] = str(tmp_path / "b.parquet")
    refused(["b.parquet, row 1", "2 words", "1 labels"], read_examples, source, POS, "dev", "en", None, 0)
    source["path"] = str(tmp_path / "c.parquet")
    refused(["c.parquet", "not readable as Parquet"], read_examples, source, PAIR, "dev", "en", None, 0)


# Archives


def archive(path, *members, mode="w:gz"):
    """members: (name, content), or a TarInfo that is written as it is."""
    with tarfile.open(path, mode) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, BytesIO(member[1]))
    return {"kind": "xglue", "path": str(path)}


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = ("xglue_full_dataset/POS/en.dev", b"a NOUN\n")
MEMBERS = {
    "parent folder": (("xglue_full_dataset/POS/../../../evil", b"x"), "points outside"),
    "absolute path": (("/tmp/evil", b"x"), "points outside"),
    "symbolic link": (special("xglue_full_dataset/POS/en.test", tarfile.SYMTYPE, "/etc/passwd"), "link"),
    "hard link": (special("xglue_full_dataset/POS/en.test", tarfile.LNKTYPE, "../secret"), "link"),
    "device": (special("xglue_full_dataset/POS/en.test", tarfile.CHRTYPE), "device"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_archive_that_reaches_out_is_refused(tmp_path, case):
    member, part = MEMBERS[case]
    source = archive(tmp_path / "release.tar.gz", GOOD, member)
    refused(["release.tar.gz", part], available_languages, source, "pos")
    refused(["release.tar.gz", part], read_examples, source, POS, "dev", "en", None, 0)
    assert not (tmp_path.parent / "evil").exists() and not Path("/tmp/evil").exists()


@pytest.mark.parametrize("mode", ["w:gz", "w", "w:xz"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_truncated_archive_is_refused(tmp_path, mode, share):
    noise = np.random.default_rng(0).bytes(40_000).hex().encode()
    path = tmp_path / "release.tar"
    source = archive(path, GOOD, ("xglue_full_dataset/POS/en.test", noise), mode=mode)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(["release.tar", "not a whole tar archive"], read_examples, source, POS, "dev", "en", None, 0)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_damaged_archive_is_refused(tmp_path, mode):
    noise = np.random.default_rng(0).bytes(40_000).hex().encode()
    path = tmp_path / "release.tar"
    source = archive(path, ("xglue_full_dataset/POS/en.dev", noise), mode=mode)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    refused(["release.tar", "not a whole tar archive"], read_examples, source, POS, "dev", "en", None, 0)


def test_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "release.tar.gz").write_text("<html>404</html>")
    source = {"kind": "xglue", "path": str(tmp_path / "release.tar.gz")}
    refused(["release.tar.gz", "not a whole tar archive"], available_languages, source, "pos")


def test_error_inside_an_archive_names_archive_member_and_line(tmp_path):
    source = archive(tmp_path / "release.tar.gz", ("xglue_full_dataset/POS/en.dev", b"a NOUN\nb XX\n"))
    refused(["release.tar.gz/POS/en.dev:2:", "'XX'"], read_examples, source, POS, "dev", "en", None, 0)


# Predictions


def predictions(**changes):
    columns = {
        "language": ["en", "en"],
        "split": ["dev", "dev"],
        "example_id": ["1", "2"],
        "gold": ["0", "1"],
        "predicted": ["0", "0"],
        "scores": [[0.9, 0.1], [0.8, 0.2]],
    }
    return pa.table(columns | changes)


EXAMPLES = pa.table({"language": ["en", "en"], "split": ["dev", "dev"], "example_id": ["1", "2"], "label": ["0", "1"]})
PREDICTIONS = {
    "missing": (predictions().slice(0, 1), ["no prediction for 1 of 2", "'2'"]),
    "twice": (predictions(example_id=["1", "1"]), ["two predictions", "'1'"]),
    "surplus": (
        pa.concat_tables([predictions(), predictions(example_id=["3", "4"]).slice(0, 1)]),
        ["'3'", "no example"],
    ),
    "other gold": (predictions(gold=["0", "0"]), ["'2'", "another gold label"]),
    "unknown class": (predictions(predicted=["0", "yes"]), ["'2'", "'yes'"]),
    "no class": (predictions(predicted=["0", None]), ["'2'", "None"]),
    "NaN": (predictions(scores=[[0.9, 0.1], [float("nan"), 0.2]]), ["not finite"]),
    "infinite": (predictions(scores=[[0.9, 0.1], [float("inf"), 0.2]]), ["not finite"]),
    "no score": (predictions(scores=[[0.9, 0.1], []]), ["0 classes", "2"]),
    "other classes": (predictions(scores=[[0.9, 0.1, 0], [0.1, 0.2, 0.7]]), ["3 classes", "2"]),
}


@pytest.mark.parametrize("case", PREDICTIONS)
def test_predictions_are_refused_with_their_file(case):
    table, parts = PREDICTIONS[case]
    refused(["run.parquet", *parts], score, table, EXAMPLES, PAIR, Run("sound", "mbert", 0), where="run.parquet")


def test_predictions_for_other_words_are_refused():
    keys = {"language": ["en"], "split": ["dev"], "example_id": ["1"]}
    table = pa.table({**keys, "gold": [["NOUN", "VERB"]], "predicted": [["NOUN"]], "scores": [[[1.0, 0.0, 0.0]]]})
    examples = pa.table({**keys, "label": [["NOUN", "VERB"]]})
    parts = ["run.parquet", "1 predictions for 2 words"]
    refused(parts, score, table, examples, POS, Run("r", "m", 0), where="run.parquet")


def test_ranking_without_numbers_for_labels_is_refused():
    task = Task("rank", "ranking", ("bad", "good"), "ndcg", ("query",))
    table = predictions(gold=["bad", "good"], predicted=["bad", "good"])
    examples = EXAMPLES.drop(["label"]).append_column("label", [["bad", "good"]]).append_column("query", [["q", "q"]])
    refused(["rank", "'bad'", "whole number"], score, table, examples, task, Run("r", "m", 0))


# Whole programs


def run(script, *arguments):
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def stopped(done, folder, *parts):
    """Exit code 1, one line that begins with error:, and an empty output folder."""
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    for part in parts:
        assert part in lines[0]
    assert not folder.exists() or not list(folder.iterdir())


def test_examples_of_a_bad_file_stop_the_program(tmp_path):
    (tmp_path / "POS").mkdir()
    (tmp_path / "POS" / "en.train").write_text("a NOUN\nb NUON\n")
    source = f'{{"kind": "xglue", "path": "{tmp_path}"}}'
    task = to_options(Task("pos", "tagging", ("NOUN",), "tagging_accuracy"))
    done = run("examples.py", "--source", source, *task, "--part", "train", "--output", tmp_path / "out" / "x.parquet")
    stopped(done, tmp_path / "out", "POS/en.train:2:", "'NUON'", "'NOUN'")


def test_missing_predictions_stop_the_program(tmp_path):
    pq.write_table(predictions().slice(0, 1), tmp_path / "p.parquet")
    pq.write_table(EXAMPLES, tmp_path / "e.parquet")
    files = ["--predictions", tmp_path / "p.parquet", "--examples", tmp_path / "e.parquet"]
    task = to_options(Task("qam", "pair", ("0", "1"), "accuracy", ("question",)))
    which = ["--recipe", "r", "--model", "m", "--seed", 0]
    out = tmp_path / "out"
    done = run("score.py", *files, *task, *which, "--output", out / "s.parquet", "--replicates", out / "s.npz")
    stopped(done, out, "p.parquet", "no prediction for 1 of 2")


def test_a_broken_file_among_the_scores_stops_the_program(tmp_path):
    (tmp_path / "s.parquet").write_bytes(b"half a fi")
    out = tmp_path / "out"
    done = run("merge.py", "--tables", tmp_path / "s.parquet", "--output", out / "scores.parquet")
    stopped(done, out, "s.parquet", "delete it")
