"""The studies with data on the Hub read, by the clients' own code, repositories laid out as their pages say.

Rows are the tests' own. Set MTBRIDGE_REAL_DATA=1 to try the real data sets, and to see which of them are alive.
"""

import os

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import bitext
from mtbridge.data.readers import hub, opening, read_examples
from mtbridge.specs.source import read_source
from mtbridge.study.languages import parts_of, task_languages
from mtbridge.study.load import load
from tests.support.data_sets import card, classes, json_lines, parquet
from tests.support.hub_server import Hub, use_data

SPLITS = ("train", "validation", "test")
TEXT = {"dtype": "string"}


def text_features(*names):
    return [{"name": name, **TEXT} for name in names]


def by_folder(columns, languages, features=None, splits=SPLITS, licence=None):
    """A configuration a language: `en/train-00000-of-00001.parquet`, and classes in the card."""
    configs = {name: {split: f"{name}/{split}-*" for split in splits} for name in languages}
    files = {
        f"{name}/{split}-00000-of-00001.parquet": parquet(columns(name, split))
        for name in languages
        for split in splits
    }
    return {"README.md": card(configs, licence, features), **files}


def xnli():
    features = [*text_features("premise", "hypothesis"),
                {"name": "label", "dtype": classes("entailment", "neutral", "contradiction")}]  # fmt: skip
    row = lambda name, split: {"premise": [f"{name} {split}"], "hypothesis": ["h"], "label": [2]}
    return {"facebook/xnli": by_folder(row, ["de", "en"], features)}, ("contradiction", "{theirs} {split}")


def paws_x():
    features = [{"name": "id", "dtype": "int32"}, *text_features("sentence1", "sentence2"),
                {"name": "label", "dtype": classes("0", "1")}]  # fmt: skip
    row = lambda name, split: {"id": [1], "sentence1": [f"{name} {split}"], "sentence2": ["b"], "label": [1]}
    return {"google-research-datasets/paws-x": by_folder(row, ["de", "en"], features)}, ("1", "{theirs} {split}")


def sib200():
    def tsv(name, split):
        return f"index_id\tcategory\ttext\n17\tsports\t{name} {split}\n".encode()

    names = {"train": "train", "validation": "dev", "test": "test"}
    languages = ["deu_Latn", "eng_Latn"]
    configs = {name: {split: f"data/{name}/{file}.tsv" for split, file in names.items()} for name in languages}
    files = {f"data/{name}/{file}.tsv": tsv(name, split) for name in languages for split, file in names.items()}
    about = {"README.md": card(configs, "cc-by-sa-4.0"), **files}
    return {"Davlan/sib200": about}, ("sports", "{theirs} {split}")


def wikiann():
    names = classes("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
    features = [{"name": "tokens", "list": "string"}, {"name": "ner_tags", "list": names}]
    row = lambda name, split: {"tokens": [[name, split]], "ner_tags": [[5, 6]]}
    return {"unimelb-nlp/wikiann": by_folder(row, ["de", "en"], features)}, (["B-LOC", "I-LOC"], None)


def massive():
    files = {
        f"{split}/{name}.json.gz": json_lines(
            {"id": ["5"], "label": ["play_music"], "label_text": ["play_music"], "text": [f"{name} {split}"]}, True
        )
        for name in ("de", "en")
        for split in SPLITS
    }
    configs = {name: {split: f"{split}/{name}.json.gz" for split in SPLITS} for name in ("de", "en")}
    return {"mteb/amazon_massive_intent": {"README.md": card(configs), **files}}, ("play_music", "{theirs} {split}")


def udpos():
    names = {"train": "train", "validation": "dev", "test": "test"}
    parts = [("en", split) for split in SPLITS] + [("de", "test")]
    rows = lambda name, split: {"tokens": [[name, split]], "pos_tags": [["NOUN", "VERB"]]}
    files = {f"{name}/{names[split]}.parquet": parquet(rows(name, split)) for name, split in parts}
    configs: dict = {}
    for name, split in parts:
        configs.setdefault(name, {})[split] = f"{name}/{names[split]}*"
    about = card(configs, "other", license_name="ud-2.7")
    return {"izhx/xtreme-r-udpos": {"README.md": about, **files}}, (["NOUN", "VERB"], None)


def xquad():
    def rows(name, split, count=1):
        return {"id": [f"q{number}" for number in range(count)], "title": ["t"] * count,
                "context": [f"Here is {name} {split}."] * count, "question": [f"{name} {split}"] * count,
                "answers": [{"text": [name], "answer_start": [8]}] * count}  # fmt: skip

    files = {"train": ("train", 2001), "validation": ("validation", 1)}  # dev is 2,000 of train
    squad = {"README.md": card({"plain_text": {split: f"plain_text/{split}-*" for split in files}})}
    squad |= {f"plain_text/{split}-00000-of-00001.parquet": parquet(rows("en", *about))
              for split, about in files.items()}  # fmt: skip
    names = {name: {"validation": f"xquad.{name}/validation-*"} for name in ("de", "en")}
    own = {"README.md": card({f"xquad.{name}": files for name, files in names.items()}, "cc-by-sa-4.0")}
    own |= {f"xquad.{name}/validation-00000-of-00001.parquet": parquet(rows(name, "test")) for name in names}
    return {"rajpurkar/squad": squad, "google/xquad": own}, ("{theirs}", "{theirs} {split}")


def belebele():
    def row(name, number):
        return {"link": ["https://en.wikibooks.org/wiki/A"], "question_number": [number],
                "flores_passage": [f"{name} test"], "question": ["Why?"], "mc_answer1": ["a"], "mc_answer2": ["b"],
                "mc_answer3": ["c"], "mc_answer4": ["d"], "correct_answer_num": ["2"], "dialect": [name],
                "ds": ["2023-06-01"]}  # fmt: skip

    languages = ("deu_Latn", "eng_Latn")
    configs = {name: {"test": f"data/{name}.jsonl"} for name in languages}
    files = {f"data/{name}.jsonl": json_lines(row(name, 1)) for name in languages}
    # A file's name is the id of all its questions.
    race = lambda name, split: {"example_id": ["middle1.txt"], "article": [f"eng_Latn {split}"], "answer": ["B"],
                                "question": ["Why?"], "options": [["a", "b", "c", "d"]]}  # fmt: skip
    return {
        "facebook/belebele": {"README.md": card(configs, "cc-by-sa-4.0"), **files},
        "ehovy/race": by_folder(race, ["middle"], licence="other"),
    }, ("2", "{theirs} {split}")


def xcopa():
    rows = lambda name, split, label: {"premise": [f"{name} {split}"], "choice1": ["a"], "choice2": ["b"],
                                       "question": ["cause"], "label": [label], "idx": [0]}  # fmt: skip
    own = by_folder(lambda name, split: rows(name, split, 1) | {"changed": [False]}, ["sw"],
                    splits=("validation", "test"), licence="cc-by-4.0")  # fmt: skip
    features = [*text_features("premise", "choice1", "choice2", "question"), {"name": "idx", "dtype": "int32"},
                {"name": "label", "dtype": classes("choice1", "choice2")}]  # fmt: skip
    glue = by_folder(lambda name, split: rows("en", split, 1), ["copa"], features, licence="other")
    header = "id,premise,question,choice1,choice2,label,mirrored\n"
    copa = {f"{split}.csv": f"{header}501,en {split},cause,a,b,1,False\n".encode() for split in ("train", "test")}
    copa["README.md"] = card({}, "cc-by-4.0")
    return {"cambridgeltl/xcopa": own, "aps/super_glue": glue, "pkavumba/balanced-copa": copa}, (
        "1",
        "{theirs} {split}",
    )


LAYOUTS = {
    "xnli": xnli,
    "paws-x": paws_x,
    "sib200": sib200,
    "wikiann": wikiann,
    "massive": massive,
    "udpos": udpos,
    "xquad": xquad,
    "belebele": belebele,
    "xcopa": xcopa,
}
ENGLISH_DEV = ("udpos", "xquad", "belebele", "xcopa")


@pytest.fixture
def server(tmp_path, monkeypatch):
    with Hub() as server:
        use_data(server.url, tmp_path / "cache", monkeypatch)
        yield server


def test_every_task_of_open_has_a_layout_here():
    assert set(load({"study": "open"}).tasks) == set(LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_source_of_open_is_read_from_a_repository_laid_out_as_its_page_says(server, tmp_path, name):
    repositories, (label, text) = LAYOUTS[name]()
    for repo, files in repositories.items():
        server.commit(f"datasets/{repo}", files)
    settings = load({"study": "open"})
    source, task = settings.source_of(name), settings.task(name)
    other = "de" if "de" in task_languages(settings, name) else "sw"
    parts = [("train", "en"), *parts_of(settings, name, ("dev", "test"), ["en", other])]
    assert (("dev", other) in parts) == (name not in ENGLISH_DEV) and ("test", other) in parts
    with hub.reading(tmp_path / "open.lock.json") as current:
        for split, language in parts:
            found = read_examples(source, task, split, language, None, 1).to_pylist()
            assert len(found) == (2000 if split == "dev" and source.dev_from_train else 1)
            row, theirs = found[0], source.languages.get(language, language)
            of_theirs = opening.THEIR_SPLITS["train" if split == "dev" and source.dev_from_train else split]
            assert row["label"] == (label.format(theirs=theirs) if isinstance(label, str) else label)
            if text is None:
                assert row["tokens"] == [theirs, of_theirs]
            else:
                assert row[task.columns[0]] == text.format(theirs=theirs, split=of_theirs)
    read = {file for about in current.sources() for file in about["files"]}
    assert len(read) == len(parts) - bool(source.dev_from_train), "files that no part needs were fetched"


def test_a_licence_with_a_name_of_its_own_is_shown_by_it(server, tmp_path):
    repositories, _ = udpos()
    server.commit("datasets/izhx/xtreme-r-udpos", repositories["izhx/xtreme-r-udpos"])
    settings = load({"study": "open"})
    with hub.reading(None) as current:
        read_examples(settings.source_of("udpos"), settings.task("udpos"), "test", "de", None, 1)
    assert [about["licence"] for about in current.sources()] == ["ud-2.7"]


def questions(answer):
    return {"id": ["q1"], "title": ["t"], "context": [f"It was {answer}."], "question": ["Who?"],
            "answers": [{"text": [answer], "answer_start": [7]}]}  # fmt: skip


def test_questions_are_read_from_squad_and_answers_in_other_languages_from_xquad(server):
    squad = {"README.md": card({"plain_text": {"train": "plain_text/train-*"}}),
             "plain_text/train-00000-of-00001.parquet": parquet(questions("Ada"))}  # fmt: skip
    xquad = {"README.md": card({"xquad.de": {"validation": "xquad.de/validation-*"}}),
             "xquad.de/validation-00000-of-00001.parquet": parquet({
                 name: [row for number in range(5) for row in ([f"q{number}"] if name == "id" else values)]
                 for name, values in questions("Bach").items()})}  # fmt: skip
    server.commit("datasets/rajpurkar/squad", squad)
    server.commit("datasets/google/xquad", xquad)
    settings = load({"study": "generation"})
    read = lambda split, language: read_examples(
        settings.source_of("xquad"), settings.task("xquad"), split, language, None, 1
    ).to_pylist()
    assert [row["label"] for row in read("train", "en")] == ["Ada"]
    dev, test = read("dev", "de"), read("test", "de")
    assert [row["example_id"] for row in dev + test] == [f"q{number}" for number in range(5)] and len(dev) == 1


def test_answers_have_their_places_and_sentences_stand_in_two_columns(server):
    """What tasks of extraction and of retrieval need of a table: an object's parts, and both sides of a bitext."""
    server.commit("datasets/google/xquad", {"README.md": card({"xquad.de": {"validation": "v.parquet"}}),
                                            "v.parquet": parquet(questions("Bach"))})  # fmt: skip
    source = read_source({"kind": "datasets", "path": "google/xquad", "config": "xquad.{language}"})
    table = opening.open_split(source, "xquad", "dev", "de")
    assert table.column("answers.text", "columns.label") == [["Bach"]]
    assert [list(map(int, starts)) for starts in table.column("answers.answer_start", "columns.start")] == [[7]]
    bitext = parquet({"sentence1": ["مرحبا"], "sentence2": ["Hello"]})
    server.commit("datasets/mteb/tatoeba-bitext-mining", {"ara-eng/test/0000.parquet": bitext}, "refs/convert/parquet")
    address = "hf://datasets/mteb/tatoeba-bitext-mining@refs%2Fconvert%2Fparquet/{language}/{split}/*.parquet"
    source = read_source({"kind": "datasets", "path": address, "languages": {"ar": "ara-eng"}})
    assert opening.open_split(source, "tatoeba", "test", "ar").columns == {
        "sentence1": ["مرحبا"], "sentence2": ["Hello"]
    }  # fmt: skip


def test_questions_of_tydiqa_have_their_language_in_their_ids(server):
    """As the page of google-research-datasets/tydiqa has it: one configuration, and no test and dev apart."""
    rows = questions("Ada") | {"id": ["arabic-23-1"]}
    both = {name: values + questions("Bob")[name] for name, values in rows.items()} | {
        "id": ["arabic-23-1", "finnish-1-0"]
    }
    files = {f"secondary_task/{split}-00000-of-00001.parquet": parquet(both) for split in ("train", "validation")}
    configs = {"secondary_task": {split: f"secondary_task/{split}-*" for split in ("train", "validation")}}
    server.commit("datasets/google-research-datasets/tydiqa", {"README.md": card(configs, "apache-2.0"), **files})
    source = {"kind": "datasets", "path": "google-research-datasets/tydiqa", "config": "secondary_task",
              "splits": {"test": "validation"}, "columns": {"label": "answers.text", "example_id": "id"},
              "language_column": "id", "language_pattern": "(.+)-[0-9]+-[0-9]+",
              "languages": {"ar": "arabic", "fi": "finnish"}}  # fmt: skip
    task = load({"study": "generation"}).task("xquad")
    assert [row["label"] for row in read_examples(source, task, "test", "fi", None, 1).to_pylist()] == ["Bob"]


def test_pairs_of_open_are_read_from_tatoeba_as_the_hub_converts_it_and_locked(server, tmp_path):
    given = load({"study": "open"}).retrieval
    rows = {"sentence1": [f"x {row}" for row in range(9)], "sentence2": [f"y {row}" for row in range(9)]}
    files = {f"{pair}/test/0000.parquet": parquet(rows) for pair in given.source.languages.values()}
    files["README.md"] = card({}, "cc-by-2.0")
    commit = server.commit("datasets/mteb/tatoeba-bitext-mining", files, "refs/convert/parquet")
    lock = tmp_path / "open.lock.json"
    with hub.reading(lock) as current:
        assert bitext.read_table(given.source, "zh") == (rows["sentence1"], rows["sentence2"])
    (source,) = current.sources()
    assert list(source["files"]) == ["cmn-eng/test/0000.parquet"], "other languages were fetched"
    moved = {name: parquet({"sentence1": ["a"], "sentence2": ["b"]}) for name in files if name != "README.md"}
    server.commit("datasets/mteb/tatoeba-bitext-mining", moved, "refs/convert/parquet")
    with hub.reading(lock) as current:
        assert bitext.read_table(given.source, "zh")[0] == rows["sentence1"], "the locked commit is read"
    assert [about["commit"] for about in current.sources()] == [source["commit"]] == [commit]


@pytest.mark.skipif(
    os.environ.get("MTBRIDGE_REAL_DATA") != "1",
    reason="asks the Hub for a few files a data set; set MTBRIDGE_REAL_DATA=1",
)
def test_the_real_data_sets_are_alive(capsys):
    settings = load({"study": "open"})
    dead = []
    try:
        line = f"alive  pairs: {len(bitext.read_table(settings.retrieval.source, 'de')[0])} in de"
    except MtbridgeError as error:
        dead.append("pairs")
        line = f"DEAD   pairs: {error}"
    with capsys.disabled():
        print(line)
    for name in settings.tasks:
        languages = task_languages(settings, name)
        parts = [("dev", "en"), ("test", languages[0]), ("test", languages[-1])]
        try:
            with hub.reading(None) as current:
                tables = [
                    read_examples(settings.source_of(name), settings.task(name), *part, None, 1) for part in parts
                ]
            sizes = ", ".join(f"{' '.join(part)} {table.num_rows}" for part, table in zip(parts, tables, strict=True))
            commits = ", ".join(f"{one['repository']} {one['commit']} ({one['licence']})" for one in current.sources())
            line = f"alive  {name}: {sizes}; {commits}"
        except MtbridgeError as error:
            dead.append(name)
            line = f"DEAD   {name}: {error}"
        with capsys.disabled():
            print(line)
    assert not dead
