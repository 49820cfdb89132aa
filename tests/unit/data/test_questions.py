"""Questions and answers in SQuAD's format, texts in two files, and tables whose label is a text to write."""

import json
import os
import re
from pathlib import Path

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import available_languages, files, problems, read_examples
from mtbridge.specs.source import read_source, to_json
from mtbridge.specs.task import Task

# A folder of the release, or laid out alike, with real questions.
REAL = Path(os.environ.get("MTBRIDGE_XGLUE", "/none"))
QA = Task("qa", "generation", (), "f1", ("question", "context"))
QG = Task("qg", "generation", (), "chrf", ("answer", "context"))
NTG = Task("ntg", "generation", (), "rouge_l", ("body",))
CONTEXT = "Ada Lovelace wrote the first program in 1843."


def entry(name, question="Who wrote it?", answers=("Ada Lovelace",), context=CONTEXT, **keys):
    found = [{"text": text, "answer_start": context.find(text)} for text in answers]
    return {"id": name, "question": question, "answers": found, **keys}


def article(*entries, context=CONTEXT, title="t"):
    return {"title": title, "paragraphs": [{"context": context, "qas": list(entries)}]}


def squad(*articles, **keys):
    return json.dumps({"version": "1.1", "data": list(articles), **keys}, ensure_ascii=False)


@pytest.fixture
def place(tmp_path):
    """Writes files of QA in a release: place("en.dev.json", text) -> source."""

    def write(name, content, folder="QA"):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {"kind": "xglue", "path": str(tmp_path)}

    return write


def rows(source, task=QA, split="dev", language="en", limit=None):
    return read_examples(source, task, split, language, limit, 0).to_pylist()


def test_all_answers_are_references_and_the_first_is_the_label(place):
    answers = ("Ada Lovelace", "Lovelace", "Ada Lovelace", "Ada")
    found = rows(place("en.dev.json", squad(article(entry("a", answers=answers)))))
    assert found[0]["label"] == "Ada Lovelace" and found[0]["references"] == ["Ada Lovelace", "Lovelace", "Ada"]
    assert (found[0]["example_id"], found[0]["question"], found[0]["context"]) == ("a", "Who wrote it?", CONTEXT)


def test_a_task_with_the_answer_among_its_columns_writes_the_question(place):
    source = place(
        "en.dev.json", squad(article(entry("a", answers=("Lovelace", "Ada")), entry("b", "And when?", ("1843",))))
    )
    found = rows(source, QG)
    assert [(row["answer"], row["label"], row["references"]) for row in found] == [
        ("Lovelace", "Who wrote it?", ["Who wrote it?"]),
        ("1843", "And when?", ["And when?"]),
    ]


@pytest.mark.parametrize("columns", [("context",), ("question", "answer"), ("question", "passage")])
def test_columns_say_what_is_written_or_are_refused(place, columns):
    source = place("en.dev.json", squad(article(entry("a"))))
    with pytest.raises(MtbridgeError, match="task qa: columns: "):
        rows(source, Task("qa", "generation", (), "f1", columns))


BROKEN = {
    "no answer": (
        squad(article(entry("q7", answers=()))),
        r"en\.dev\.json: the question 'q7' has no answer.*impossible: drop",
    ),
    "a word for impossible": (
        squad(article(entry("a"), entry("q7", is_impossible="true"))),
        r"en\.dev\.json: question 'q7': is_impossible is 'true'; expected true or false",
    ),
    "impossible": (
        squad(article(entry("a"), entry("q7", is_impossible=True, plausible_answers=[]))),
        r"'q7' has no answer, as 1 of 2",
    ),
    "an answer in other words": (
        squad(article(entry("q7", answers=("Grace",)))),
        "question 'q7': the answer 'Grace' does not stand in its context",
    ),
    "an empty answer": (squad(article(entry("q7", answers=(" ",)))), "question 'q7', an answer: no text 'text'"),
    "no question": (squad(article(entry("q7", question=""))), "question 'q7': no text 'question'"),
    "no id": (squad(article(entry("a"), entry(""))), r"data\[0\]\.paragraphs\[0\]: question 2 of the file has no id"),
    "no context": (squad(article(entry("a"), context="")), r"data\[0\]\.paragraphs\[0\]: no text 'context'"),
    "twice": (squad(article(entry("q7"), entry("q7"))), "the question 'q7' stands here twice"),
    "a name that is taken": (
        squad(article(entry("q7"), entry("q7", "When?", ("1843",)), entry("q7#2"))),
        "'q7#2' is the id of one question",
    ),
    "no articles": (squad(), "no list of articles"),
    "a list": ("[1]", "no list of articles"),
    "answers of the Hub": (
        squad(article({"id": "q7", "question": "Who?", "answers": {"text": ["Ada"], "answer_start": [0]}})),
        "question 'q7': no list 'answers'",
    ),
    "cut": (squad(article(entry("a")))[:-3], r"en\.dev\.json:1: not JSON"),
    "cut below": ('{"data": [\n\n{', r"en\.dev\.json:3: not JSON"),
    "a key twice": ('{"data": [], "data": [1]}', "has a key twice"),
    "half a character": (squad(article(entry("a"))).replace("Who wrote", "\\ud800"), "surrogates not allowed"),
    "another encoding": (squad(article(entry("a", "Wér?"))).encode("latin-1"), r"en\.dev\.json:1: not UTF-8"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_question(place, case):
    content, told = BROKEN[case]
    with pytest.raises(MtbridgeError, match=told) as caught:
        rows(place("en.dev.json", content))
    assert "\n" not in str(caught.value) and "en.dev.json" in str(caught.value)


def test_questions_that_share_an_id_are_numbered_and_told_of(place, capsys):
    source = place("en.dev.json", squad(article(entry("0"), entry("0", "When?", ("1843",)), entry("1"))))
    assert [row["example_id"] for row in rows(source)] == ["0", "0#2", "1"]
    assert "1 of 3 questions have the id of an earlier one and are numbered, as in '0#2'" in capsys.readouterr().err


def test_impossible_questions_are_left_out_on_request_and_counted(tmp_path, capsys):
    (tmp_path / "en.dev.json").write_text(
        squad(article(entry("a", is_impossible=True), entry("b"), entry("c", answers=())))
    )
    source = {"kind": "squad", "path": f"{tmp_path}/{{language}}.{{split}}.json", "impossible": "drop"}
    assert [row["example_id"] for row in rows(source)] == ["b"]
    assert "2 of 3 questions without an answer, left out, the first 'a'" in capsys.readouterr().err


def test_a_shifted_answer_is_told_of_and_changes_nothing(place, capsys):
    one = entry("a")
    one["answers"][0]["answer_start"] = 3
    assert rows(place("en.dev.json", squad(article(one))))[0]["label"] == "Ada Lovelace"
    assert "stands elsewhere in the context than `answer_start` says, the first 'a'" in capsys.readouterr().err


def xquad(folder):
    for language, name in (("en", "en"), ("pt", "pt-br")):
        articles = [article(entry(f"{at}"), title=f"{language} {at}") for at in range(5)]
        (folder / f"xquad.{name}.json").write_text(squad(*articles))
    (folder / "train-v1.1.json").write_text(squad(article(entry("x"))))
    keys = {"languages": {"pt": "pt-br"}, "dev_articles": 2, "train": f"{folder}/train-v1.1.json"}
    return {"kind": "squad", "path": f"{folder}/xquad.{{language}}.json", **keys}


def test_articles_of_one_file_are_dev_and_test_and_training_has_its_own(tmp_path):
    source = xquad(tmp_path)
    assert available_languages(source, "qa") == {"en", "pt"}
    dev, test = (rows(source, split=split, language="pt") for split in ("dev", "test"))
    assert [row["example_id"] for row in dev] == ["0", "1"] and [row["example_id"] for row in test] == ["2", "3", "4"]
    assert [row["example_id"] for row in rows(source, split="train")] == ["x"]
    assert files(read_source(source), "qa", [("train", "en"), ("dev", "pt"), ("test", "pt")]) == [
        tmp_path / "train-v1.1.json",
        tmp_path / "xquad.pt-br.json",
    ]
    parts = [("train", "en"), ("dev", "en"), ("test", "en"), ("dev", "pt"), ("test", "pt")]
    assert problems(read_source(source), parts, "qa") == []


@pytest.mark.parametrize(
    ("change", "key", "told"),
    [
        ({"dev_articles": 0}, "path", "one file for all splits"),
        ({"train": None}, "train", "training examples need another"),
        ({"train": "nowhere.json"}, "train", "nowhere.json: no such file"),
        ({"languages": {}}, "path", "xquad.pt.json: no such file"),
    ],
)
def test_what_is_missing_of_files_of_questions_is_told_by_its_key(tmp_path, change, key, told):
    source = {name: value for name, value in {**xquad(tmp_path), **change}.items() if value is not None}
    found = problems(read_source(source), [("train", "en"), ("dev", "pt"), ("test", "pt")], "qa")
    assert any(name == key and told in message for name, message in found), found


def test_the_release_and_the_source_of_questions_read_the_same(place, tmp_path):
    source = place("en.dev.json", squad(article(entry("a"), entry("b", "When?", ("1843",)))))
    place("de.dev.json", squad(article(entry("a"))))
    place("de.test.json", squad(article(entry("a"))))
    own = {"kind": "squad", "path": f"{tmp_path}/QA/{{language}}.{{split}}.json"}
    assert rows(source) == rows(own)
    assert available_languages(source, "qa") == available_languages(own, "qa") == {"de"}


def test_mlqa_is_read_as_the_release_has_it(place):
    for split in ("dev", "test"):
        for language in ("en", "de"):
            name = f"MLQA_V1/{split}/{split}-context-{language}-question-{language}.json"
            place(name, squad(article(entry(f"{split} {language}"))), "MLQA")
    source = place("MLQA_V1/dev/dev-context-en-question-de.json", squad(article(entry("cross"))), "MLQA")
    place("squad1.1/train-v1.1.json", squad(article(entry("x"))), "MLQA")
    task = Task("mlqa", "generation", (), "f1", ("question", "context"))
    assert available_languages(source, "mlqa") == {"en", "de"}
    assert rows(source, task, "test", "de")[0]["example_id"] == "test de"
    assert rows(source, task, "train")[0]["example_id"] == "x"


def test_a_sample_of_questions_is_the_same_in_all_languages(place):
    for language in ("en", "de"):
        order = range(40) if language == "en" else reversed(range(40))
        source = place(f"{language}.dev.json", squad(article(*(entry(f"{at}") for at in order))))
    one, other = ({row["example_id"] for row in rows(source, language=language, limit=9)} for language in ("en", "de"))
    assert len(one) == 9 and one == other


# Two files


def pair(place, source="one\ntwo\n", target="1\n2\n", language="en", split="dev"):
    place(f"xglue.ntg.{language}.tgt.{split}", target, "NTG")
    return place(f"xglue.ntg.{language}.src.{split}", source, "NTG")


def test_lines_of_two_files_belong_together(place):
    source = pair(place, 'a "b" \t c\n\u2028 d\n', "A\r\nB")
    found = rows(source, NTG)
    assert [(row["example_id"], row["body"], row["label"]) for row in found] == [
        ("1", 'a "b" \t c', "A"),
        ("2", "\u2028 d", "B"),
    ]
    assert found[1]["references"] == ["B"]
    pair(place, split="test")
    assert available_languages(source, "ntg") == {"en"}
    assert len(files(read_source(source), "ntg", [("dev", "en")])) == 2, "both are watched"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (("a\nb\n", "1\n2\n3\n"), r"tgt\.dev:3: the other of .* ends before this line \(2 and 3 lines\)"),
        (("a\nb\nc", "1\n2"), r"src\.dev:3: the other of"),
        (("a\n\nc\n", "1\n2\n3\n"), r"src\.dev:2: an empty line"),
        (("a\nb\n", "1\n \n3\n"), r"(?:tgt\.dev:3: the other)|(?:tgt\.dev:2: an empty line)"),
        (("a\nb\n", "1\n \n"), r"tgt\.dev:2: an empty line"),
        (("", ""), r"src\.dev:1: the file is empty"),
        ((b"a\n\xe9\n", "1\n2\n"), r"src\.dev:2: not UTF-8"),
        (("a\nb\n", b"1\n\xe9\n"), r"tgt\.dev:2: not UTF-8"),
        (('"a"\n"b"\n', "1\n2\n"), r"src\.dev:1: every text .* stands in quotation marks"),
    ],
)
def test_two_files_that_do_not_fit_are_refused_with_file_and_line(place, content, told):
    with pytest.raises(MtbridgeError, match=told):
        rows(pair(place, *content), NTG)


def test_a_missing_target_is_named_and_its_language_not_there(place, tmp_path):
    source = pair(place)
    for split in ("dev", "test"):
        place(f"xglue.ntg.de.src.{split}", "a\n", "NTG")
    assert available_languages(source, "ntg") == set()
    with pytest.raises(MtbridgeError, match=r"NTG/xglue\.ntg\.de\.tgt\.dev is missing"):
        rows(source, NTG, language="de")
    found = problems(read_source(source), [("dev", "de")], "ntg")
    assert found == [("path", f"{tmp_path}: NTG/xglue.ntg.de.tgt.dev is missing (de dev)")]


def test_keys_that_files_of_texts_have_no_use_for_are_refused(place):
    source = pair(place)
    for key, value in (("ragged", "drop"), ("comment", "#"), ("labels", {"a": "b"})):
        found = problems(read_source({**source, key: value}), [("dev", "en")], "ntg")
        assert [name for name, _ in found] == [key] and "texts to write" in found[0][1]


# Tables


SUMMARY = Task("summary", "generation", (), "rouge_l", ("text",))
XLSUM = {
    "columns": {"label": "summary", "example_id": "id"},
    "languages": {"en": "english", "zh": "chinese_simplified"},
}


def test_xl_sums_fields_are_read_by_a_map_of_columns_and_languages(tmp_path):
    for name in ("english", "chinese_simplified"):
        (tmp_path / name).mkdir()
        for split in ("train", "validation", "test"):
            row = {"id": f"{split}-1", "url": "u", "title": "T", "summary": f"S {name}", "text": "Line.\nNext."}
            (tmp_path / name / f"{split}.jsonl").write_text(json.dumps(row) + "\n")
    source = {"kind": "datasets", "path": f"{tmp_path}/{{language}}", **XLSUM}
    found = rows(source, SUMMARY, "test", "zh")
    assert found == [
        {
            **{"split": "test", "language": "zh", "example_id": "test-1", "text": "Line.\nNext."},
            **{"label": "S chinese_simplified", "references": ["S chinese_simplified"]},
        }
    ]
    assert rows(source, SUMMARY, "train")[0]["label"] == "S english"


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", 'text,label\n"a, ""b""",7\nNA,true\n'),
        ("tsv", 'text\tlabel\na, "b"\t7\nNA\ttrue\n'),
        ("jsonl", '{"text": "a, \\"b\\"", "label": "7"}\n{"text": "NA", "label": "true"}\n'),
        ("json", '[{"text": "a, \\"b\\"", "label": "7"}, {"text": "NA", "label": "true"}]'),
    ],
)
def test_tables_hold_texts_to_write_as_they_stand(tmp_path, suffix, content):
    (tmp_path / f"en.dev.{suffix}").write_text(content)
    found = rows({"kind": "datasets", "path": f"{tmp_path}/{{language}}.{{split}}.{suffix}"}, SUMMARY)
    assert [(row["text"], row["label"]) for row in found] == [('a, "b"', "7"), ("NA", "true")]


def test_a_label_may_be_a_list_of_references(tmp_path):
    (tmp_path / "en.dev.jsonl").write_text('{"text": "x", "label": ["a", "b", "a"]}\n{"text": "y", "label": "c"}\n')
    source = {"kind": "datasets", "path": f"{tmp_path}/{{language}}.{{split}}.jsonl"}
    assert [(row["label"], row["references"]) for row in rows(source, SUMMARY)] == [("a", ["a", "b"]), ("c", ["c"])]
    for bad in ("[]", '["a", ""]', '["a", null]', "null", '" "'):
        (tmp_path / "en.dev.jsonl").write_text(f'{{"text": "x", "label": {bad}}}\n')
        with pytest.raises(MtbridgeError, match=r"en\.dev\.jsonl:1: no expected text in the column of 'label'"):
            rows(source, SUMMARY)


HUB = {"columns": {"label": "answers.text", "example_id": "id"}}


def test_answers_as_the_hub_has_them_are_a_part_of_a_column_and_training_comes_from_elsewhere(tmp_path):
    row = {
        "id": "q",
        "question": "Who?",
        "context": CONTEXT,
        "answers": {"text": ["Ada", "Lovelace"], "answer_start": [0, 4]},
    }
    (tmp_path / "xquad.en.dev.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "squad.jsonl").write_text(json.dumps({**row, "id": "t"}) + "\n")
    path = f"{tmp_path}/xquad.{{language}}.{{split}}.jsonl"
    source = {"kind": "datasets", "path": path, "train": {"path": f"{tmp_path}/squad.jsonl"}, **HUB}
    (found,) = rows(source)
    assert found["references"] == ["Ada", "Lovelace"] and found["label"] == "Ada"
    assert rows(source, split="train")[0]["example_id"] == "t"
    assert read_source(json.loads(to_json(read_source(source)))) == read_source(source), "programs get it as JSON"
    assert files(read_source(source), "qa", [("train", "en"), ("dev", "en")]) == [
        tmp_path / "squad.jsonl",
        tmp_path / "xquad.en.dev.jsonl",
    ]
    assert problems(read_source(source), [("train", "en"), ("dev", "en")], "qa") == []
    gone = read_source({**source, "train": {"path": f"{tmp_path}/gone.jsonl"}})
    assert [key for key, _ in problems(gone, [("train", "en"), ("dev", "en")], "qa")] == ["train"]
    with pytest.raises(MtbridgeError, match=r"dev\.jsonl:1: source\.columns\.label: no 'txt' in the column 'answers'"):
        rows({**source, "columns": {"label": "answers.txt"}})
    with pytest.raises(MtbridgeError, match=r"no 'x' in the column 'question', which is no object"):
        rows({**source, "columns": {"label": "question.x"}})


@pytest.mark.skipif(not (REAL / "QA").is_dir(), reason="set MTBRIDGE_XGLUE to a folder with a folder QA")
def test_real_questions_are_read_in_every_language():
    source = {"kind": "xglue", "path": str(REAL)}
    languages = sorted(available_languages(source, "qa"))
    assert {"de", "en", "zh"} <= set(languages)
    for language in languages:
        for task in (QA, QG):
            found = rows(source, task, "test", language)
            path = REAL / "QA" / f"{language}.test.json"
            assert len(found) == len(re.findall('"question"', path.read_text(encoding="utf-8")))
    assert all(row["label"] in row["context"] for row in rows(source, QA, "train"))


# ---- Answers that are marked in their text ---------------------------------------------------------------------------

MARKED = Task("qa", "extraction", (), "answer_f1", ("question", "context"))


def test_an_extraction_has_the_place_of_its_label(place):
    text = "Ada met Ada Lovelace."
    answers = {"text": "Ada Lovelace", "answer_start": 8}, {"text": "Ada", "answer_start": 8}
    made = {"id": "a", "question": "Who?", "answers": list(answers)}
    (found,) = rows(place("en.dev.json", squad(article(made, context=text))), MARKED)
    assert (found["label"], found["answer_start"], found["references"]) == ("Ada Lovelace", 8, ["Ada Lovelace", "Ada"])
    made["answers"][0] = {"text": "Ada", "answer_start": 8}
    (found,) = rows(place("en.dev.json", squad(article(made, context=text))), MARKED)
    assert found["answer_start"] == 8  # the second one


def test_an_extraction_reads_the_rows_of_the_hub_as_they_are(tmp_path):
    answers = {"text": ["Lovelace", "Ada Lovelace"], "answer_start": [4, 0]}
    row = {"id": "a", "question": "Who?", "context": CONTEXT, "answers": answers}
    (tmp_path / "en.dev.jsonl").write_text(json.dumps(row) + "\n")
    source = {"kind": "datasets", "path": str(tmp_path / "{language}.{split}.jsonl"), "columns": {"example_id": "id"}}
    (found,) = rows(source, MARKED)
    assert (found["label"], found["answer_start"]) == ("Lovelace", 4)
    assert found["references"] == ["Lovelace", "Ada Lovelace"] and found["example_id"] == "a"


def test_an_extraction_reads_a_table_with_or_without_places(tmp_path):
    (tmp_path / "en.dev.csv").write_text("question,context,label,at\nWho?,Ada met Ada,Ada,8\n")
    source = {"kind": "datasets", "path": str(tmp_path / "{language}.{split}.csv"), "columns": {"label": "label"}}
    (found,) = rows(source, MARKED)
    assert found["answer_start"] == 0
    (found,) = rows(source | {"columns": {"label": "label", "answer_start": "at"}}, MARKED)
    assert found["answer_start"] == 8


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Who?,Ada met Ada,Grace,0", "en.dev.csv:2: the answer 'Grace' does not stand in its context"),
        ("Who?,Ada met Ada,Ada,there", "en.dev.csv:2: answer_start is 'there'"),
        ("Who?,Ada met Ada,,0", "en.dev.csv:2: no expected text"),
    ],
)
def test_a_row_whose_answer_has_no_place_is_named(tmp_path, row, message):
    (tmp_path / "en.dev.csv").write_text(f"question,context,label,at\n{row}\n")
    columns = {"label": "label", "answer_start": "at"}
    source = {"kind": "datasets", "path": str(tmp_path / "{language}.{split}.csv"), "columns": columns}
    with pytest.raises(MtbridgeError, match=re.escape(message)):
        rows(source, MARKED)
