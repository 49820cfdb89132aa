"""A file that has another shape than its source says is an error with its line; what is read stays as it is written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import files, read_examples
from mtbridge.specs.options import to_options
from mtbridge.specs.source import read_source
from mtbridge.specs.task import Task

ROOT = Path(__file__).resolve().parents[3]
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC") for prefix in "BI"))
NER = Task("ner", "tagging", ENTITIES, "entity_f1")
POS = Task("pos", "tagging", ("NOUN", "VERB", "PUNCT"), "tagging_accuracy")
TOPIC = Task("topic", "classification", ("neg", "pos"), "accuracy", ("text",))
WPR = Task("wpr", "ranking", ("0", "1", "2"), "ndcg", ("query", "document"))


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(source, task, split="dev", language="en", limit=None, seed=0):
    return read_examples(source, task, split, language, limit, seed).to_pylist()


# ---- one word a line ----

FOUR = "Anna NNP B-NP I-PER\nlives VBZ B-VP O\nin IN B-PP O\nRome NNP B-NP I-LOC\n\nBonn NNP B-NP I-LOC\n"


@pytest.fixture
def words(tmp_path):
    """Writes NER/en.dev, and returns its source."""

    def make(content, **keys):
        write(tmp_path, "NER/en.dev", content)
        return {"kind": "xglue", "path": str(tmp_path), **keys}

    return make


def test_columns_that_nobody_named_are_refused_with_their_line(words):
    with pytest.raises(MtbridgeError, match=r"NER/en\.dev:1: 4 columns where source\.columns names 2"):
        found(words(FOUR), NER)


def test_named_columns_give_the_word_and_its_tag(words):
    sentences = found(words(FOUR, columns=["tokens", "pos", "chunk", "label"]), NER)
    assert [s["tokens"] for s in sentences] == [["Anna", "lives", "in", "Rome"], ["Bonn"]]
    assert [s["label"] for s in sentences] == [["B-PER", "O", "O", "B-LOC"], ["B-LOC"]]


def test_a_line_with_fewer_columns_than_the_others_is_refused(words):
    source = words(FOUR.replace("in IN B-PP O", "in IN O"), columns=["tokens", "pos", "chunk", "label"])
    with pytest.raises(MtbridgeError, match=r"NER/en\.dev:3: 3 columns"):
        found(source, NER)


def test_germeval_is_read_by_its_columns_without_its_comments(words):
    text = "#\thttp://x [2010-01-01]\n1\tBonn\tB-LOC\tO\n2\tliegt\tO\tO\n\n#\thttp://y [2010]\n1\tAnna\tB-PER\tO\n"
    sentences = found(words(text, columns=["number", "tokens", "label", "inner"], comment="#"), NER)
    assert [s["tokens"] for s in sentences] == [["Bonn", "liegt"], ["Anna"]]


def test_a_comment_inside_a_sentence_may_be_a_word(words, capsys):
    with pytest.raises(MtbridgeError, match=r"NER/en\.dev:2: '#jazz O' begins with source\.comment inside a sentence"):
        found(words("a O\n#jazz O\n", comment="#"), NER)
    found(words("# one O\na O\n\n# two O\nb O\n", comment="#"), NER)
    assert "2 comments left out, the first at line 1: # one O" in capsys.readouterr().err


def numbered(lengths, part, form):
    """Sentences of so many words each; the first word says which sentence it is."""
    word = {"words": "{}\tNOUN\n", "conllu": "{n}\t{}\t_\tNOUN\t_\t_\t_\t_\t_\t_\n"}[form]
    return "\n".join(
        "".join(word.format(f"{part}{i}" if n == 1 else "x", n=n) for n in range(1, length + 1))
        for i, length in enumerate(lengths)
    )


@pytest.mark.parametrize("form", ["words", "conllu"])
def test_a_sample_of_sentences_is_the_same_in_all_languages_though_lengths_differ(tmp_path, form):
    name = {"words": "POS/{}.dev", "conllu": "{}.dev.conllu"}[form]
    for language, lengths in (("en", [1, 3, 2, 5, 1, 4, 2, 2]), ("de", [2, 2, 4, 1, 1, 3, 6, 1])):
        write(tmp_path, name.format(language), numbered(lengths, "s", form))
    source = {"words": {"kind": "xglue", "path": str(tmp_path)},
              "conllu": {"kind": "conllu", "path": str(tmp_path / "{language}.{split}.conllu")}}[form]  # fmt: skip
    for seed in range(5):
        first, second = (
            [row["tokens"][0] for row in found(source, POS, language=language, limit=3, seed=seed)]
            for language in ("en", "de")
        )
        assert first == second and len(first) == 3


@pytest.mark.parametrize("order", ["together", "mixed"])
def test_a_sample_of_a_table_with_a_column_of_languages_is_the_same_in_all_of_them(tmp_path, order):
    rows = [f"{i},{language},pos" for language in ("en", "de") for i in range(8)]
    lines = rows if order == "together" else sorted(rows)
    write(tmp_path, "dev.csv", "text,language,label\n" + "".join(line + "\n" for line in lines))
    source = {"kind": "datasets", "path": str(tmp_path / "{split}.csv"), "language_column": "language"}
    english, german = ([row["text"] for row in found(source, TOPIC, language=x, limit=3)] for x in ("en", "de"))
    assert english == german and len(english) == 3


def test_an_id_that_is_missing_is_refused(tmp_path):
    path = write(tmp_path, "en.dev.jsonl", '{"id": "1", "text": "a", "label": "pos"}\n{"text": "b", "label": "neg"}\n')
    source = {"kind": "datasets", "path": str(path), "columns": {"example_id": "id"}}
    with pytest.raises(MtbridgeError, match=r"en\.dev\.jsonl:2: "):
        found(source, TOPIC)


def test_class_numbers_with_gaps_may_be_mapped(tmp_path):
    table = pa.table({"text": ["a", "b"], "label": pa.array([0.0, 1.0])})
    pq.write_table(table, tmp_path / "en.dev.parquet")
    source = {"kind": "datasets", "path": str(tmp_path / "en.dev.parquet"), "labels": {"0.0": "neg", "1.0": "pos"}}
    assert [row["label"] for row in found(source, TOPIC)] == ["neg", "pos"]


def test_a_folder_does_not_read_what_lies_outside_it(tmp_path):
    write(tmp_path, "other/test.csv", "text,label\na,pos\n")
    write(tmp_path, "data/README.md", "---\nconfigs:\n- config_name: default\n  data_files:\n"
          "  - split: test\n    path: ../other/test.csv\n---\n")  # fmt: skip
    with pytest.raises(MtbridgeError, match=r"other/test\.csv: outside .*data"):
        found({"kind": "datasets", "path": str(tmp_path / "data")}, TOPIC, split="test")


def test_another_tasks_labels_are_not_spelt_as_multinlis(tmp_path):
    write(tmp_path, "S/xglue.s.en.dev", "a\tb\tcontradictory\n")
    task = Task("stance", "classification", ("supporting", "contradictory"), "accuracy", ("a", "b"))
    source = {"kind": "xglue", "path": str(tmp_path), "folder": "S", "format": "rows"}
    assert found(source, task)[0]["label"] == "contradictory"


@pytest.mark.parametrize("columns", [["tokens", "pos"], ["tokens", "tokens", "label"]])
def test_columns_name_tokens_and_label_once(columns):
    from mtbridge.data.readers import problems

    source = read_source({"kind": "xglue", "path": "x", "columns": columns})
    assert [key for key, _ in problems(source, [("dev", "en")], "ner")] == ["columns"]


# ---- schemes of entity tags ----

SCHEMES = {
    "IOB1": "I-PER I-PER O I-LOC B-LOC I-LOC O I-PER",
    "IOB2": "B-PER I-PER O B-LOC B-LOC I-LOC O B-PER",
    "BIOES": "B-PER E-PER O S-LOC B-LOC E-LOC O S-PER",
    "BILOU": "B-PER L-PER O U-LOC B-LOC L-LOC O U-PER",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_is_stored_as_iob2(words, scheme):
    lines = "".join(f"w{i} {tag}\n" for i, tag in enumerate(SCHEMES[scheme].split()))
    assert found(words(lines), NER)[0]["label"] == SCHEMES["IOB2"].split()


@pytest.mark.parametrize(
    ("tags", "line", "told"),
    [
        ("PER O LOC", 1, "has no prefix"),
        ("O PER-B PER-I", 2, "'PER-B' has no prefix"),
        ("O B-PER M-PER E-PER", 3, "the prefix 'M-' fits no scheme"),
        ("S-PER O U-LOC", 3, "fits no scheme"),
        ("B-PER O S-LOC", 2, "O after B-PER, which BIOES does not allow"),
        ("I-PER E-PER S-LOC", 1, "I-PER after the beginning"),
        ("S-LOC B-PER E-LOC", 3, "E-LOC after B-PER"),
        ("U-LOC B-PER", 2, "the end of the sentence after B-PER"),
        ("b-PER O", 1, "has no prefix"),
        ("B-per O", 1, "differs from 'B-PER' in case only"),
        ("B-ORG O", 1, "the label 'B-ORG' is none of the task"),
    ],
)
def test_tags_of_no_scheme_are_refused_with_their_line(words, tags, line, told):
    source = words("".join(f"w {tag}\n" for tag in tags.split()))
    with pytest.raises(MtbridgeError, match=rf"NER/en\.dev:{line}: .*{told}"):
        found(source, NER)


def test_tags_without_a_prefix_can_be_mapped(words):
    source = words("a PER\nb O\nc LOC\n", labels={"PER": "I-PER", "LOC": "I-LOC"})
    assert found(source, NER)[0]["label"] == ["B-PER", "O", "B-LOC"]


# ---- CoNLL-U ----

UD = [
    "# sent_id = s1",
    "# text = Dámelo ya.",
    "1-2\tDámelo\t_\t_\t_\t_\t_\t_\t_\t_",
    "1\tDa\tdar\tVERB\t_\t_\t0\troot\t_\t_",
    "2\tmelo\tél\tNOUN\t_\t_\t1\tobj\t_\t_",
    "2.1\tempty\t_\t_\t_\t_\t_\t_\t_\t_",
    "3\tya\tya\tNOUN\t_\t_\t1\tadvmod\t_\tSpaceAfter=No",
    "4\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_",
    "",
    "1\tVen\tvenir\tVERB\t_\t_\t0\troot\t_\t_",
    "",
]


@pytest.fixture
def treebank(tmp_path):
    def make(lines):
        write(tmp_path, "en-dev.conllu", "\n".join(lines) + "\n")
        return {"kind": "conllu", "path": str(tmp_path / "{language}-{split}.conllu")}

    return make


def edited(number, line=None):
    """The treebank with a line (counted from 1) replaced, or left out."""
    return [*UD[: number - 1], *([] if line is None else [line]), *UD[number:]]


@pytest.mark.parametrize("text", [UD[1], "# newpar"])
def test_multiword_tokens_stand_in_the_text_and_their_words_among_the_tokens(treebank, text):
    # "Da" + "melo" happen to make up the same letters; the text is that of the multiword token.
    sentences = found(treebank(edited(2, text)), POS)
    assert [s["tokens"] for s in sentences] == [["Da", "melo", "ya", "."], ["Ven"]]
    assert [s["example_id"] for s in sentences] == ["s1", "2"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (edited(9), "9: the ID 1 where 5 is expected; a blank line ends a sentence"),
        (edited(5), "5: the ID 2.1 where 2 is expected"),
        (edited(7, UD[7]), "7: the ID 4 where 3 is expected"),
        ([*UD[2:6], "", *UD[6:]], "6: the ID 3 where 1 is expected"),
        (edited(4, UD[3] + "\tmore"), "4: 11 columns where CoNLL-U has 10"),
        (edited(7, UD[6].replace("\tya\tya", "\tpronto\tya")), "2: the words do not make up the # text"),
        (edited(3, UD[2].replace("1-2", "2-3")), "3: the ID 2-3 where 1 is expected"),
        (edited(3, UD[2].replace("1-2", "1-9").replace("Dámelo", "Dámeloya.")), "8: the sentence ends inside a"),
        (edited(4, UD[3].replace("\tVERB", "\t")), "4: UPOS is empty"),
        (["# a comment", "", *UD], "1: a sentence without words"),
    ],
)
def test_a_treebank_of_another_shape_is_refused_with_its_line(treebank, lines, told):
    with pytest.raises(MtbridgeError, match=f"en-dev.conllu:{told}"):
        found(treebank(lines), POS)


def test_a_treebank_without_its_text_is_refused_and_a_single_underscore_is_a_word(treebank):
    withheld = ["1\t_\t_\tVERB\t_\t_\t0\troot\t_\t_", "2\t_\t_\tNOUN\t_\t_\t1\tobj\t_\t_"]
    with pytest.raises(MtbridgeError, match=r"en-dev\.conllu:1: every FORM of the sentence is '_'"):
        found(treebank([*withheld, "", *UD]), POS)
    with pytest.raises(MtbridgeError, match=r"every FORM"):
        found(treebank([withheld[0], "", withheld[0], ""]), POS)
    lone = ["1\t_\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_", "2\tviene\tvenir\tVERB\t_\t_\t0\troot\t_\t_", ""]
    assert found(treebank(["# text = _ viene", *lone]), POS)[0]["tokens"] == ["_", "viene"]


def test_global_columns_say_where_form_and_upos_stand(treebank):
    lines = ["# global.columns = ID UPOS FORM NER", "1\tVERB\tVen\tO", "2\tPUNCT\t!\tO", ""]
    assert found(treebank(lines), POS)[0] | {"split": ""} == {
        "split": "",
        "language": "en",
        "example_id": "1",
        "tokens": ["Ven", "!"],
        "label": ["VERB", "PUNCT"],
    }
    with pytest.raises(MtbridgeError, match=r"conllu:1: global\.columns lacks UPOS"):
        found(treebank(["# global.columns = ID FORM", "1\tVen", ""]), POS)


# ---- tables ----


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.parquet"])
def test_text_stays_text_in_every_format(tmp_path, name):
    values = ["007", "1.10", "2021-01-01", "true", "NA", "null", "1e5", "+7", "1_000", " x ", "0x1F", "１２"]
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.table({"text": values, "label": ["pos"] * len(values)}), path)
    elif name.startswith("a.json"):
        lines = [json.dumps({"text": value, "label": "pos"}) for value in values]
        path.write_text("\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]")
    else:
        mark = "," if name == "a.csv" else "\t"
        path.write_text(f"text{mark}label\n" + "".join(f"{value}{mark}pos\n" for value in values))
    source = {"kind": "datasets", "path": str(path)}
    assert [row["text"] for row in found(source, TOPIC)] == values


@pytest.mark.parametrize("labels", [("true", "false"), ("01", "1"), ("-1", "+1"), ("1.0", "0.0"), ("2021-01-01", "NA")])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_labels_are_compared_as_they_are_written(tmp_path, name, labels):
    task = Task("t", "classification", labels, "accuracy", ("text",))
    if name == "a.jsonl":
        bare = [label if label in ("true", "false", "1.0", "0.0", "-1") else f'"{label}"' for label in labels]
        content = "".join(f'{{"text": "x", "label": {label}}}\n' for label in bare)
    else:
        mark = "," if name == "a.csv" else "\t"
        content = f"text{mark}label\n" + "".join(f"x{mark}{label}\n" for label in labels)
    source = {"kind": "datasets", "path": str(write(tmp_path, name, content))}
    assert [row["label"] for row in found(source, task)] == list(labels)


def test_fields_in_quotation_marks_hold_commas_marks_and_lines(tmp_path):
    content = 'text,label\r\n"I came, I ""saw""\nand left",pos\r\nplain,neg\r\n'
    source = {"kind": "datasets", "path": str(write(tmp_path, "a.csv", content))}
    assert [row["text"] for row in found(source, TOPIC)] == ['I came, I "saw"\nand left', "plain"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "text,label\nI came, I saw,pos\n", r"a\.csv:2: 3 fields where the header has 2 .* quotation marks"),
        ("a.csv", "text,label\nx,pos\nalone\n", r"a\.csv:3: 1 fields"),
        ("a.csv", 'text,label\nx,pos\n"never closed,pos\ny,neg\n', r"a\.csv:3: not CSV"),
        ("a.csv", 'text,label\n"a" b,pos\n', r"a\.csv:2: not CSV"),
        ("a.csv", "text,text,label\na,b,pos\n", r"a\.csv:1: the header has 'text' twice"),
        ("a.csv", "text;label\na;pos\n", r"a\.csv: source\.columns\.text: no column 'text'; "),
        ("a.tsv", "text\tlabel\na\tb\tpos\n", r"a\.tsv:2: 3 fields where the header has 2 .* separated by a tab"),
        ("a.jsonl", '{"text": "a", "label": "pos"}\n{"text": "a"}\n', r"a\.jsonl:2: the label 'None'"),
        ("a.jsonl", '{"text": "a", "label": "pos"}\n{"txt": "a", "label": "pos"}\n', r"a\.jsonl:2: .* 'text' is empty"),
        ("a.jsonl", '{"text": "a", "text": "b", "label": "pos"}\n', r"a\.jsonl:1: an object has a key twice"),
        ("a.jsonl", '{"text": "a", "label": "pos"}\n{"text": "a", \n', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", '["a", "pos"]\n', r"a\.jsonl:1: no object"),
        (
            "a.jsonl",
            '{"text": ["a"], "label": "pos"}\n',
            r"a\.jsonl:1: the column 'text' holds a list; expected a text",
        ),
        ("a.json", '{"text": ["a"],\n "label": ["pos"]}\n', r"a\.json:1: not JSON"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path, name, content, told):
    source = {"kind": "datasets", "path": str(write(tmp_path, name, content))}
    with pytest.raises(MtbridgeError, match=told):
        found(source, TOPIC)


def test_a_column_of_numbers_is_no_text(tmp_path):
    pq.write_table(pa.table({"text": [7, 8], "label": ["pos", "neg"]}), tmp_path / "a.parquet")
    with pytest.raises(MtbridgeError, match=r"a\.parquet, row 1: the column 'text' holds the value 7; expected a text"):
        found({"kind": "datasets", "path": str(tmp_path / "a.parquet")}, TOPIC)


def test_words_that_are_no_list_are_refused_in_one_line(tmp_path):
    write(tmp_path, "a.csv", "tokens,label\n\"['a', 'b']\",\"['O', 'O']\"\n")
    source = {"kind": "datasets", "path": str(tmp_path / "a.csv")}
    with pytest.raises(MtbridgeError, match=r"a\.csv:2: the column 'tokens' holds a text; expected a list of words"):
        found(source, NER)
    write(tmp_path, "b.jsonl", '{"tokens": ["a", "b"], "label": "O O"}\n')
    source["path"] = str(tmp_path / "b.jsonl")
    with pytest.raises(MtbridgeError, match=r"b\.jsonl:1: the column of 'label' holds 'O O'; expected a list"):
        found(source, NER)


def test_one_split_of_several_languages_is_read_by_its_column(tmp_path):
    write(tmp_path, "a.csv", "text,label,lang\na,pos,eng_Latn\nb,neg,deu_Latn\n")
    source = {"kind": "datasets", "path": str(tmp_path / "a.csv"), "language_column": "lang"}
    source["languages"] = {"en": "eng_Latn"}
    assert [row["text"] for row in found(source, TOPIC)] == ["a"]
    with pytest.raises(MtbridgeError, match="no row of the column 'lang' is 'de'; it has deu_Latn, eng_Latn"):
        found(source, TOPIC, language="de")


# ---- line ends, rankings, files ----


@pytest.mark.parametrize("ends", [("\r",), ("\r\n",), ("\n", "\r\n", "\r")])
def test_lines_may_end_in_any_way_also_mixed(tmp_path, ends):
    rows = ["q\ta\t1", "q\tb\t0", "r\tc\t2", "r\td\t0"]
    text = "".join(row + ends[i % len(ends)] for i, row in enumerate(rows))
    write(tmp_path, "WPR/xglue.wpr.en.dev", text)
    source = {"kind": "xglue", "path": str(tmp_path)}
    assert ["\t".join((r["query"], r["document"], r["label"])) for r in found(source, WPR)] == rows


def test_a_sample_of_a_ranking_keeps_queries_whole_wherever_their_rows_stand(tmp_path):
    rows = [f"q{query}\td{rank}\t{rank}" for rank in range(3) for query in range(10)]
    write(tmp_path, "WPR/xglue.wpr.en.dev", "\n".join(rows))
    sample = found({"kind": "xglue", "path": str(tmp_path)}, WPR, limit=10)
    queries = [row["query"] for row in sample]
    assert len(sample) == 9 and {queries.count(query) for query in queries} == {3}


def test_the_files_that_are_watched_are_those_that_are_read(tmp_path):
    watched = lambda source, task: [str(path) for path in files(read_source(source), task.name, [("dev", "en")])]
    csv_file = write(tmp_path, "t/en.dev.csv", "text,label\na,pos\n")
    assert watched({"kind": "datasets", "path": f"{tmp_path}/t/{{language}}.{{split}}.csv"}, TOPIC) == [str(csv_file)]
    for name in ("train.csv", "validation.csv", ".git/config"):
        write(tmp_path, f"folder/{name}", "text,label\na,pos\n")
    folder = {"kind": "datasets", "path": f"{tmp_path}/folder"}
    assert watched(folder, TOPIC) == [f"{tmp_path}/folder/train.csv", f"{tmp_path}/folder/validation.csv"]
    assert found(folder, TOPIC)[0]["text"] == "a"
    renamed = write(tmp_path, "en-valid.conllu", "1\tVen\t_\tVERB\t_\t_\t0\troot\t_\t_\n")
    source = {"kind": "conllu", "path": f"{tmp_path}/{{language}}-{{split}}.conllu", "splits": {"dev": "valid"}}
    assert watched(source, POS) == [str(renamed)] and found(source, POS)


def test_a_home_stands_for_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "my data/en.dev.csv", "text,label\na,pos\n")
    assert found({"kind": "datasets", "path": "~/my data/{language}.{split}.csv"}, TOPIC)[0]["text"] == "a"


def test_local_data_needs_no_writable_cache_of_the_hub(tmp_path):
    for name in ("train.csv", "validation.csv", "test.csv"):
        write(tmp_path, f"folder/{name}", "text,label\na,pos\nb,neg\n")
    source = json.dumps({"kind": "datasets", "path": str(tmp_path / "folder")})
    command = [sys.executable, "scripts/examples.py", "--part", "train", "--source", source, *to_options(TOPIC)]
    cold = {"HF_HOME": "/proc/none", "HF_DATASETS_CACHE": "/proc/none/cache"}
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "train.parquet")],
        cwd=ROOT,
        env={**os.environ, **cold, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "train.parquet").num_rows == 4
