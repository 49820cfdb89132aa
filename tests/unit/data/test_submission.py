"""Exported predictions, read back by an evaluation of XGLUE's metrics written from their definitions, score as ours do.

`Evaluation` shares no code with the project, seqeval or scikit-learn: it reads the release's files and the exported
ones, and defines every metric anew.
"""

import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.data.readers import read_examples
from mtbridge.data.submission import export, of_run
from mtbridge.inference.scoring import Run, score
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]
UPOS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ")
UPOS += ("SYM", "VERB", "X")
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "ORG", "LOC", "MISC") for prefix in "BI"))
SEARCH = (("query",), ("title", "snippet"))
TASKS = {
    "nc": Task("nc", "classification", ("news", "sports"), "accuracy", ("title", "body")),
    "paws-x": Task("paws-x", "pair", ("0", "1"), "accuracy", ("sentence1", "sentence2")),
    "wpr": Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title", "snippet"), SEARCH),
    "ner": Task("ner", "tagging", ENTITIES, "entity_f1"),
    "pos": Task("pos", "tagging", UPOS, "tagging_accuracy"),
}


class Evaluation:
    """XGLUE's official numbers from the release's file and the prediction file of one task and language."""

    def __init__(self, truth: Path, prediction: Path):
        self.truth = truth.read_text(encoding="utf-8").split("\n")
        self.prediction = prediction.read_text(encoding="utf-8").split("\n")

    def rows(self, header=False):
        """(fields of the true row, predicted label); they belong together by their number."""
        true = [line.split("\t") for line in self.truth if line][int(header) :]
        said = [line for line in self.prediction if line]
        assert len(true) == len(said)
        return list(zip(true, said, strict=True))

    def accuracy(self, header=False):
        rows = self.rows(header)
        return 100 * sum(fields[-1] == said for fields, said in rows) / len(rows)

    def sentences(self):
        """(true tags, predicted tags) of every sentence; what is missing at a sentence's end is O."""

        def split(lines):
            blocks = [list(block) for filled, block in itertools.groupby(lines, key=bool) if filled]
            return [[line.split(" ")[-1] for line in block] for block in blocks]

        true, said = split(self.truth), split(self.prediction)
        assert len(true) == len(said)
        return [(gold, tags + ["O"] * (len(gold) - len(tags))) for gold, tags in zip(true, said, strict=True)]

    @staticmethod
    def chunks(sentences):
        """Chunks (type, first, last) of sentences strung together with an O after each, by conlleval's rules.

        A tag is a letter and a type: B-PER is (B, PER), NOUN is (N, OUN), a bare letter has the type "". A chunk ends
        where the type changes after anything but O, before and after S, before B, after E, and before O behind B or I.
        It begins at B and S, at E and I behind E, S or O, and where the type changes at anything but O; one that ends
        without having begun goes back to where the last one began.
        """
        tags = [tag for sentence in sentences for tag in (*sentence, "O")]
        parts = [(tag[0], tag[1:].rpartition("-")[2]) for tag in tags]
        found, first, before = set(), 0, ("O", "")
        for place, (letter, kind) in enumerate([*parts, ("O", "")]):
            last_letter, last_kind = before
            other = kind != last_kind
            ends = (
                last_letter in "ES" or (last_letter in "BI" and letter in "BSO") or (last_letter not in "O." and other)
            )
            begins = letter in "BS" or (last_letter in "ESO" and letter in "EI") or (letter not in "O." and other)
            if ends:
                found.add((last_kind, first, place - 1))
            if begins:
                first = place
            before = letter, kind
        return found

    def entity_f1(self):
        true, said = (self.chunks(part) for part in zip(*self.sentences(), strict=True))
        precision, recall = (len(true & said) / max(len(part), 1) for part in (said, true))
        return 100 * 2 * precision * recall / (precision + recall) if true & said else 0.0

    def chunk_precision(self):
        true, said = (self.chunks(part) for part in zip(*self.sentences(), strict=True))
        return 100 * len(true & said) / max(len(said), 1)

    def ndcg(self):
        """Mean over runs of rows with one query; equal predictions share the mean discount of their places."""
        values = []
        for _, group in itertools.groupby(self.rows(), key=lambda row: row[0][0]):
            gains = [(float(fields[-1]), float(said)) for fields, said in group]
            if len(gains) < 2:
                continue
            discounts = [1 / math.log2(place + 2) for place in range(len(gains))]
            best = sum(a * b for a, b in zip(sorted((gain for gain, _ in gains), reverse=True), discounts, strict=True))
            total, place = 0.0, 0
            for said in sorted({said for _, said in gains}, reverse=True):
                tied = [gain for gain, other in gains if other == said]
                total += sum(tied) * sum(discounts[place : place + len(tied)]) / len(tied)
                place += len(tied)
            values.append(total / best if best else 0.0)
        return 100 * sum(values) / len(values)


FILES = {
    "nc": "NC/xglue.nc.{}.test",
    "paws-x": "PAWSX/{}/test_2k.tsv",
    "wpr": "WPR/xglue.wpr.{}.test",
    "ner": "NER/{}.test",
    "pos": "POS/{}.test",
}


def evaluated(tmp_path, name, texts: dict[str, str], predicted: dict[str, list]):
    """(our official numbers, the evaluation's files) for a task whose release files hold `texts` by language."""
    task, source = TASKS[name], {"kind": "xglue", "path": str(tmp_path / "release")}
    tables = []
    for language, content in texts.items():
        path = tmp_path / "release" / FILES[name].format(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        tables.append(read_examples(source, task, "test", language, None, 0))
    examples = pa.concat_tables(tables)
    labels = [label for language in texts for label in predicted[language]]
    kind, number = pa.string(), pa.list_(pa.float32())
    one = [1 / len(task.labels)] * len(task.labels)
    scores = [one] * len(labels)
    if task.kind == "tagging":
        kind, number = pa.list_(kind), pa.list_(number)
        scores = [[[] if word is None else one for word in sentence] for sentence in labels]
    predictions = pa.table(
        {key: examples[key] for key in ("language", "split", "example_id")}
        | {"gold": examples["label"], "predicted": pa.array(labels, kind), "scores": pa.array(scores, number)}
    )
    results = tmp_path / "results"
    # Another order of rows than the examples': the export must not rely on it.
    shuffled = predictions.take(np.random.default_rng(0).permutation(predictions.num_rows))
    write_parquet(shuffled, results / "predictions" / "default" / "m" / name / "seed1.parquet")
    write_parquet(examples, results / "data" / name / "evaluation.parquet")
    export(*of_run(results, "default", "m", 1, [name]), "test", tmp_path / "export")
    found, _ = score(predictions, examples, task, Run("default", "m", 1))
    ours = {row["language"]: row["value"] for row in found.to_pylist() if row["official"]}
    folder = FILES[name].split("/")[0]
    evaluation = {
        language: Evaluation(
            tmp_path / "release" / FILES[name].format(language),
            tmp_path / "export" / folder / f"{language}.prediction",
        )
        for language in texts
    }
    return ours, evaluation


def sentences(words):
    return "\n".join("".join(f"w{i} {label}\n" for i, label in enumerate(sentence)) for sentence in words)


def test_accuracy_by_row_in_every_language(tmp_path):
    texts = {"en": "a\tb\tnews\n\t\tsports\nc\td\tnews\n", "de": "x\ty\tsports\n"}
    ours, other = evaluated(tmp_path, "nc", texts, {"en": ["news", "news", "news"], "de": ["sports"]})
    assert ours == {language: pytest.approx(one.accuracy()) for language, one in other.items()}
    assert ours["en"] == pytest.approx(200 / 3) and ours["de"] == 100


def test_paws_x_has_a_header_in_the_input_and_none_in_the_output(tmp_path):
    texts = {"fr": "id\tsentence1\tsentence2\tlabel\n9\ta\tb\t1\n2\tc\td\t0\n5\te\tf\t0\n"}
    ours, other = evaluated(tmp_path, "paws-x", texts, {"fr": ["1", "0", "1"]})
    assert (tmp_path / "export/PAWSX/fr.prediction").read_text() == "1\n0\n1\n"
    assert ours["fr"] == pytest.approx(other["fr"].accuracy(header=True)) == pytest.approx(200 / 3)


RANKINGS = {
    "ties": ([("a", 3), ("a", 0), ("a", 3), ("a", 1)], [2, 2, 2, 2]),
    "ties across grades": ([("a", 4), ("a", 2), ("a", 0), ("b", 1), ("b", 0)], [1, 1, 4, 0, 0]),
    "all-zero query": ([("a", 0), ("a", 0), ("b", 2), ("b", 1)], [4, 1, 0, 3]),
    "single rows are left out": ([("a", 0), ("b", 2), ("b", 4), ("c", 0)], [0, 4, 1, 3]),
    "a query that comes again is another": (
        [("a", 1), ("a", 0), ("b", 0), ("b", 3), ("a", 0), ("a", 2)],
        [1, 0, 0, 3, 2, 1],
    ),
    "perfect": ([("a", 4), ("a", 3), ("a", 0)], [3, 2, 1]),
}


@pytest.mark.parametrize("case", RANKINGS)
def test_ranking_agrees_on(tmp_path, case):
    rows, predicted = RANKINGS[case]
    text = "".join(f"{query}\tt{i}\ts\t{gain}\n" for i, (query, gain) in enumerate(rows))
    ours, other = evaluated(tmp_path, "wpr", {"en": text}, {"en": [str(label) for label in predicted]})
    assert ours["en"] == pytest.approx(other["en"].ndcg(), abs=1e-9)
    if case == "all-zero query":
        assert ours["en"] < 50  # it counts as 0
    if case == "perfect":
        assert ours["en"] == pytest.approx(100)


@pytest.mark.parametrize("seed", range(6))
def test_ranking_agrees_on_random_queries(tmp_path, seed):
    rng = np.random.default_rng(seed)
    text, predicted = "", []
    for query in range(40):
        for _ in range(rng.integers(1, 7)):
            gain = rng.integers(0, 5) if query % 5 else 0
            text += f"query {query}\tt\ts\t{gain}\n"
            predicted.append(str(rng.integers(0, 5)))
    ours, other = evaluated(tmp_path, "wpr", {"en": text}, {"en": predicted})
    assert ours["en"] == pytest.approx(other["en"].ndcg(), abs=1e-9)


TAGS = {
    "CCONJ for SCONJ is right": ([["NOUN", "CCONJ", "VERB"]], [["NOUN", "SCONJ", "VERB"]], 100),
    "a run is one chunk": ([["NOUN"] * 4], [["NOUN", "VERB", "NOUN", "NOUN"]], 0),
    "truncated sentences cost nothing": (
        [["NOUN", "VERB", "DET", "ADJ"], ["PRON", "VERB"]],
        [["NOUN", "VERB", None, None], ["PRON", "VERB"]],
        100,
    ),
    "a gap inside a sentence": ([["DET", "NOUN", "VERB"]], [["DET", None, "VERB"]], 100),
    "a sentence without any prediction": ([["DET", "NOUN"], ["VERB"]], [[None, None], ["VERB"]], 100),
    "X is a letter without a type": (
        [["X", "NOUN"], ["X", "X"], ["VERB", "X"]],
        [["X", "NOUN"], ["X", "DET"], ["VERB", "X"]],
        None,
    ),
    "INTJ, SYM and SCONJ begin as prefixes do": (
        [["INTJ", "NOUN", "SYM", "SYM"], ["SCONJ", "CCONJ", "INTJ"]],
        [["INTJ", "INTJ", "SYM", "SYM"], ["SCONJ", "SCONJ", "INTJ"]],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TAGS)
def test_part_of_speech_precision_agrees_on(tmp_path, case):
    gold, predicted, expected = TAGS[case]
    ours, other = evaluated(tmp_path, "pos", {"en": sentences(gold)}, {"en": predicted})
    assert ours["en"] == pytest.approx(other["en"].chunk_precision(), abs=1e-9)
    if expected is not None:
        assert ours["en"] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["pos", "ner"])
@pytest.mark.parametrize("seed", range(8))
def test_tags_agree_on_random_truncated_sentences(tmp_path, name, seed):
    rng = np.random.default_rng(seed)
    labels = TASKS[name].labels if seed % 2 else tuple(rng.choice(TASKS[name].labels, 4))
    gold = [[str(tag) for tag in rng.choice(labels, rng.integers(1, 12))] for _ in range(40)]
    predicted = []
    for sentence in gold:
        said = [tag if rng.random() < 0.6 else str(rng.choice(labels)) for tag in sentence]
        kept = rng.integers(0, len(said) + 1) if rng.random() < 0.3 else len(said)
        predicted.append([tag if i < kept and rng.random() < 0.97 else None for i, tag in enumerate(said)])
    ours, other = evaluated(tmp_path, name, {"en": sentences(gold)}, {"en": predicted})
    value = other["en"].chunk_precision() if name == "pos" else other["en"].entity_f1()
    assert ours["en"] == pytest.approx(value, abs=1e-9)


def test_entities_agree_though_the_release_is_iob1_and_predictions_are_iob2(tmp_path):
    gold = [["I-PER", "I-PER", "O", "I-LOC", "B-LOC", "I-LOC"], ["I-ORG"]]
    said = [["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC"], ["O"]]
    ours, other = evaluated(tmp_path, "ner", {"de": sentences(gold)}, {"de": said})
    assert ours["de"] == pytest.approx(other["de"].entity_f1()) == pytest.approx(600 / 7)


def test_the_evaluations_own_chunks_are_those_of_conlleval():
    find = Evaluation.chunks
    assert find([["B-PER", "I-PER", "I-LOC", "O", "I-LOC"]]) == {("PER", 0, 1), ("LOC", 2, 2), ("LOC", 4, 4)}
    assert find([["NOUN", "NOUN", "VERB"], ["VERB"]]) == {("OUN", 0, 1), ("ERB", 2, 2), ("ERB", 4, 4)}
    # A chunk that ends without having begun goes back to where the last one began.
    assert find([["SCONJ", "SCONJ", "CCONJ"]]) == {("CONJ", 0, 0), ("CONJ", 1, 1), ("CONJ", 1, 2)}
    assert find([["NOUN", "O"], ["X", "DET"]]) == {("OUN", 0, 0), ("", 0, 3), ("ET", 4, 4)}


def test_lines_of_a_tagged_file_keep_every_word_and_sentence_in_its_place():
    assert "".join(KINDS["tagging"].lines([["NOUN", None], [None]])) == "NOUN\nO\n\nO\n\n"


def test_a_missing_prediction_is_named_and_nothing_is_written(tmp_path):
    keys = {"language": ["en", "en"], "split": ["test", "test"], "example_id": ["1", "2"]}
    write_parquet(pa.table(keys | {"label": ["0", "1"]}), tmp_path / "examples.parquet")
    write_parquet(
        pa.table({k: v[:1] for k, v in keys.items()} | {"predicted": ["0"]}), tmp_path / "predictions.parquet"
    )
    paths = {"qam": tmp_path / "predictions.parquet"}, {"qam": tmp_path / "examples.parquet"}
    with pytest.raises(MtbridgeError, match="no prediction for en test example '2'"):
        export(*paths, "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(MtbridgeError, match=r"holds 'thesis\.tex', which is no export"):
        export({}, {}, "test", tmp_path / "out")
    with pytest.raises(MtbridgeError, match="the release has no such task; did you mean 'qam'"):
        export({"qamm": "x"}, {"qamm": "y"}, "test", tmp_path / "new")


def test_the_program_exports_all_tasks_of_a_run_and_again(tmp_path):
    evaluated(tmp_path, "nc", {"en": "a\tb\tnews\n"}, {"en": ["sports"]})
    evaluated(tmp_path, "pos", {"en": "a NOUN\n"}, {"en": [["VERB"]]})
    program = [sys.executable, ROOT / "scripts" / "export.py", "--results", tmp_path / "results", "--model", "m"]
    for _ in range(2):
        subprocess.run([*program, "--seed", "1", "--output", tmp_path / "all"], check=True)
    files = sorted(path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").glob("*/*"))
    assert files == ["NC/en.prediction", "POS/en.prediction"]
    failed = subprocess.run([*program, "--seed", "2", "--output", tmp_path / "no"], capture_output=True, text=True)
    assert failed.returncode == 1 and "no predictions of seed 2" in failed.stderr
