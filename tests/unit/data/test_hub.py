"""Data sets on the Hub: read by the clients' own code from a small server, held to a commit and to checksums."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_record, read_table
from mtbridge.data import readers
from mtbridge.data.readers import hub, read_examples
from mtbridge.specs.options import to_options
from mtbridge.specs.source import read_source, to_json
from mtbridge.specs.task import Task
from tests.support.data_sets import card, classes, json_lines, parquet
from tests.support.hub_server import Hub, use_data

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "examples.py"
NLI = Task("nli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
REPO = "datasets/facebook/xnli"
SOURCE = {"kind": "datasets", "path": "facebook/xnli", "config": "{language}"}
FEATURES = [
    {"name": "premise", "dtype": "string"},
    {"name": "hypothesis", "dtype": "string"},
    {"name": "label", "dtype": classes(*NLI.labels)},
]
SPLITS = ("train", "validation", "test")


def nli(language, split, label=1):
    return parquet({"premise": [f"{language} {split}"], "hypothesis": ["h"], "label": [label]})


def repository(languages=("de", "en"), licence="cc-by-nc-4.0", label=1):
    configs = {name: {split: f"{name}/{split}-*" for split in SPLITS} for name in languages}
    files = {
        f"{name}/{split}-00000-of-00001.parquet": nli(name, split, label) for name in languages for split in SPLITS
    }
    return {"README.md": card(configs, licence, FEATURES), **files}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with Hub() as server:
        use_data(server.url, tmp_path / "cache", monkeypatch)
        yield server


@pytest.fixture
def read(tmp_path):
    """Read a split as a program does: (rows, what was read)."""

    def run(source=SOURCE, split="test", language="de", task=NLI, lock="study.lock.json"):
        with hub.reading(lock and tmp_path / lock) as current:
            rows = read_examples(source, task, split, language, None, 0).to_pylist()
        return rows, current.sources()

    return run


def lock_of(tmp_path):
    return json.loads((tmp_path / "study.lock.json").read_text())


def test_only_the_file_of_the_split_is_fetched_and_its_classes_have_the_names_of_the_card(server, read):
    server.commit(REPO, repository())
    rows, _ = read()
    assert [(row["premise"], row["label"]) for row in rows] == [("de test", "neutral")]
    content = [name for name, _ in server.sent if name.endswith(".parquet")]
    assert content == ["de/test-00000-of-00001.parquet"]


# ---- The lock file ---------------------------------------------------------------------------------------------------


def test_what_was_read_is_locked_and_stays_when_the_branch_moves(server, read, tmp_path):
    first = server.commit(REPO, repository())
    before, sources = read()
    entry = lock_of(tmp_path)[REPO]["main"]
    assert entry["commit"] == first and entry["licence"] == "cc-by-nc-4.0"
    assert set(entry["files"]) == {"de/test-00000-of-00001.parquet"}
    assert entry["splits"]["de::test"]["classes"] == {"label": list(NLI.labels)}
    server.commit(REPO, repository(label=2))
    assert read()[0] == before
    (about,) = sources
    assert (about["repository"], about["commit"], about["licence"]) == (REPO, first, "cc-by-nc-4.0")
    assert about["files"] == {name: file["sha256"] for name, file in entry["files"].items()}


def test_a_further_language_is_added_at_the_locked_commit(server, read, tmp_path):
    first = server.commit(REPO, repository())
    read()
    server.commit(REPO, repository(label=2))
    assert read(language="en")[0][0]["label"] == "neutral"
    entry = lock_of(tmp_path)[REPO]["main"]
    assert entry["commit"] == first
    assert set(entry["files"]) == {"de/test-00000-of-00001.parquet", "en/test-00000-of-00001.parquet"}


def test_what_was_read_once_is_read_again_without_a_request(server, read, monkeypatch):
    from huggingface_hub import constants

    server.commit(REPO, repository())
    before, _ = read()
    server.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert read()[0] == before and server.requests == []
    with pytest.raises(MtbridgeError, match="HF_HUB_OFFLINE is set; fetch once with a network, or set path to a local"):
        read(language="en")


def test_another_content_under_the_locked_commit_stops(server, read, tmp_path, monkeypatch):
    from huggingface_hub import constants

    commit = server.commit(REPO, repository())
    read()
    server.repos[REPO]["commits"][commit]["de/test-00000-of-00001.parquet"] = nli("de", "test", 2)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "another"))
    with pytest.raises(MtbridgeError, match=r"de/test-.*wrong .*expected .*no longer what .*study\.lock\.json holds"):
        read()


def test_a_file_that_was_changed_in_the_cache_stops(server, read, tmp_path):
    server.commit(REPO, repository())
    read()
    file = next((tmp_path / "cache").rglob("snapshots/*/de/test-*.parquet")).resolve()
    file.chmod(0o644)
    file.write_bytes(nli("de", "test", 2))
    with pytest.raises(MtbridgeError, match=r"the copy in the cache, .* was changed: delete "):
        read()


def test_a_locked_commit_that_is_gone_stops(server, read, tmp_path, monkeypatch):
    from huggingface_hub import constants

    old = server.commit(REPO, repository())
    read()
    server.commit(REPO, repository(label=2))
    del server.repos[REPO]["commits"][old]
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "another"))
    with pytest.raises(MtbridgeError, match=r"at the commit that .*lock\.json holds.* no such revision; remove"):
        read()


def test_without_a_lock_file_nothing_is_locked(server, read, tmp_path):
    server.commit(REPO, repository())
    read(lock=None)
    server.commit(REPO, repository(label=2))
    assert read(lock=None)[0][0]["label"] == "contradiction" and not (tmp_path / "study.lock.json").exists()


# ---- What a repository looks like ------------------------------------------------------------------------------------


def test_files_inside_a_repository_are_read_by_their_address(server, read, tmp_path):
    rows = {"premise": ["p"], "hypothesis": ["h"], "label": ["neutral"]}
    shards = {f"de/test/000{number}.parquet": parquet(rows | {"premise": [str(number)]}) for number in range(3)}
    server.commit(REPO, {"script.py": b"", "deep/de/test/0000.parquet": b"", **shards}, "refs/convert/parquet")
    address = "hf://datasets/facebook/xnli@refs%2Fconvert%2Fparquet/{language}/{split}/*.parquet"
    found, _ = read({"kind": "datasets", "path": address})
    assert [row["premise"] for row in found] == ["0", "1", "2"]
    assert set(lock_of(tmp_path)[REPO]["refs/convert/parquet"]["files"]) == set(shards)
    one, _ = read({"kind": "datasets", "path": address.replace("*", "0001")})
    assert [row["premise"] for row in one] == ["1"]
    with pytest.raises(MtbridgeError, match=r"no file is called de/test/\*\.csv; did you mean"):
        read(
            {
                "kind": "datasets",
                "path": address.replace("parquet", "csv").replace("convert%2Fcsv", "convert%2Fparquet"),
            }
        )


def test_tables_that_only_a_folder_tells_apart(server, read):
    files = {f"{name}/{split}/0000.parquet": nli(name, split) for name in ("de", "en") for split in SPLITS}
    server.commit(REPO, files, "refs/convert/parquet")
    source = {"kind": "datasets", "path": "facebook/xnli", "revision": "refs/convert/parquet", "folder": "{language}"}
    source["labels"] = {number: name for number, name in enumerate(NLI.labels)}
    assert [row["premise"] for row in read(source)[0]] == ["de test"]


def test_packed_json_lines_are_read_as_text(server, read):
    rows = {"text": ["NA", "007"], "label": ["play", "call"]}
    task = Task("intent", "classification", ("play", "call"), "accuracy", ("text",))
    configs = {"de": {"test": "test/de.json.gz"}}
    server.commit("datasets/o/intents", {"README.md": card(configs), "test/de.json.gz": json_lines(rows, packed=True)})
    found, _ = read({"kind": "datasets", "path": "o/intents", "config": "{language}"}, task=task)
    assert [(row["text"], row["label"]) for row in found] == [("NA", "play"), ("007", "call")]


def test_a_part_of_a_split_is_what_the_library_makes_of_it(server, read):
    rows = {"premise": [str(row) for row in range(11)], "hypothesis": ["h"] * 11, "label": [0] * 11}
    files = {"README.md": card({"de": {"validation": "de.parquet"}}, features=FEATURES), "de.parquet": parquet(rows)}
    server.commit(REPO, files)
    source = {**SOURCE, "splits": {"dev": "validation[:20%]", "test": "validation[20%:]"}}
    dev, test = ([row["premise"] for row in read(source, split)[0]] for split in ("dev", "test"))
    assert dev == ["0", "1"] and dev + test == rows["premise"]
    with pytest.raises(MtbridgeError, match=r"source\.splits: 'validation\[20\]' is no part of a split"):
        read({**SOURCE, "splits": {"test": "validation[20]"}})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"config": "german"}, r"task nli: source facebook/xnli:german:test: .*cannot be opened: .*german.* not found"),
        ({"splits": {"test": "tests"}}, r"de has no split 'tests'; did you mean 'test'"),
        ({"path": "facebook/xnly"}, "has no such repository, or it is private; check the source's path"),
        ({"revision": "v3"}, "has no such revision; check the source's revision"),
    ],
)
def test_what_a_repository_does_not_have_is_told_in_one_line(server, read, keys, message):
    server.commit(REPO, repository())
    with pytest.raises(MtbridgeError, match=message) as caught:
        read({**SOURCE, **keys})
    assert "\n" not in str(caught.value)


def test_a_repository_that_is_made_by_a_script_is_refused(server, read):
    server.commit(REPO, {"xnli.py": b"import os", "README.md": b"# XNLI\n"})
    with pytest.raises(MtbridgeError, match=r"task nli: source facebook/xnli.*cannot be opened"):
        read()


def test_gated_data_say_what_to_do(server, read):
    server.commit(REPO, repository())
    server.gated.add(REPO)
    with pytest.raises(MtbridgeError, match=r"is gated; accept its terms on .*/datasets/facebook/xnli and set"):
        read()


def test_a_card_cannot_name_files_elsewhere(server, read):
    server.commit(REPO, repository())
    files = {"README.md": card({"de": {"test": "hf://datasets/facebook/xnli@main/de/test-*"}})}
    server.commit("datasets/o/other", files)
    with pytest.raises(MtbridgeError, match=r"source o/other:de:test: .* Data files don't belong to o/other"):
        read({**SOURCE, "path": "o/other"})


# ---- Splits and languages --------------------------------------------------------------------------------------------


def many(count, **more):
    return {
        "premise": [f"p{row}" for row in range(count)],
        "hypothesis": ["h"] * count,
        "label": ["neutral"] * count,
    } | more


def write(tmp_path: Path, name: str, columns: dict) -> str:
    (tmp_path / name).write_bytes(parquet(columns))
    return str(tmp_path / name)


def test_dev_that_is_missing_is_drawn_from_train_by_the_seed(tmp_path):
    write(tmp_path, "de.train.parquet", many(50, id=[f"i{row}" for row in range(50)]))
    source = {"kind": "datasets", "path": f"{tmp_path}/{{language}}.{{split}}.parquet", "columns": {"example_id": "id"}}
    source["dev_from_train"] = 10

    def ids(split, seed=1, source=source):
        return [row["example_id"] for row in read_examples(source, NLI, split, "de", None, seed).to_pylist()]

    dev, train = ids("dev"), ids("train")
    assert len(dev) == 10 and sorted(dev + train) == sorted(f"i{row}" for row in range(50))
    assert ids("dev", 2) != dev and ids("dev") == dev
    backwards = many(50, id=[f"i{row}" for row in reversed(range(50))])
    write(tmp_path, "de.train.parquet", backwards)
    assert set(ids("dev")) == set(dev)
    with pytest.raises(MtbridgeError, match=r"50 training examples .de., of which source.dev_from_train makes all dev"):
        ids("train", source={**source, "dev_from_train": 50})


def test_a_language_is_a_part_of_a_column(tmp_path):
    names = ["arabic-17-1", "english-3-2", "arabic-17-3"]
    path = write(tmp_path, "test.parquet", many(3, id=names))
    source = {"kind": "datasets", "path": path, "language_column": "id", "languages": {"ar": "arabic", "en": "english"}}
    source |= {"language_pattern": "(.+)-[0-9]+-[0-9]+", "columns": {"example_id": "id"}}
    found = read_examples(source, NLI, "test", "ar", None, 0).to_pylist()
    assert [(row["example_id"], row["language"]) for row in found] == [("arabic-17-1", "ar"), ("arabic-17-3", "ar")]
    write(tmp_path, "test.parquet", many(3, id=[*names[:2], "arabic"]))
    with pytest.raises(MtbridgeError, match=r"test\.parquet, row 3: 'arabic' does not fit source\.language_pattern"):
        read_examples(source, NLI, "test", "ar", None, 0)


def test_each_split_may_come_from_a_place_of_its_own(tmp_path):
    places = {split: write(tmp_path, f"{split}.parquet", many(count)) for split, count in
              (("train", 3), ("dev", 2), ("test", 4))}  # fmt: skip
    source = {"kind": "datasets", "path": places["test"], **{key: {"path": places[key]} for key in ("train", "dev")}}
    assert {split: read_examples(source, NLI, split, "en", None, 0).num_rows for split in places} == {
        "train": 3, "dev": 2, "test": 4
    }  # fmt: skip


def test_the_program_reads_from_the_endpoint_of_the_environment_and_keeps_what_it_read(server, tmp_path):
    first = server.commit(REPO, repository())
    out, lock = tmp_path / "evaluation.parquet", tmp_path / "study.lock.json"
    command = [sys.executable, str(SCRIPT), "--source", json.dumps(SOURCE), *to_options(NLI), "--part", "evaluation"]
    command += ["--languages", "en", "de", "--dev-languages", "en", "--lock", str(lock), "--output", str(out)]
    caches = {name: str(tmp_path / name) for name in ("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE")}
    names = {"HF_ENDPOINT": server.url, "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1,localhost", **caches}
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"} | names
    subprocess.run(command, env=environment, check=True, capture_output=True)
    (source,) = read_record(out)["sources"]
    assert (source["commit"], source["licence"]) == (first, "cc-by-nc-4.0") and len(source["files"]) == 3
    rows = read_table(out, ["language", "split"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("en", "dev"), ("en", "test"), ("de", "test")]
    before = out.read_bytes()
    server.commit(REPO, repository(label=2))
    subprocess.run(command, env=environment | {"HF_HUB_OFFLINE": "1"}, check=True, capture_output=True)
    assert out.read_bytes() == before


def test_a_language_may_come_from_a_place_of_its_own_with_other_names(tmp_path):
    """As English does for XCOPA: another file, other columns and labels; the others as the source says."""
    write(tmp_path, "de.test.parquet", {"text": ["ein"], "label": ["0"], "page": ["a"], "number": [1]})
    for split in ("train", "dev", "test"):
        write(tmp_path, f"english.{split}.parquet", {"body": [f"one {split}"], "label": ["no"], "texts": [["x", "y"]]})
    source = {
        "kind": "datasets",
        "path": str(tmp_path / "{language}.{split}.parquet"),
        "columns": {"example_id": "page + number"},
        "places": {
            "en": {
                "path": str(tmp_path / "english.{split}.parquet"),
                "columns": {"text": "texts.1", "example_id": ""},
                "labels": {"no": "0"},
            }
        },
    }
    task = Task("t", "classification", ("0", "1"), "accuracy", ("text",))
    parts = [("train", "en"), ("dev", "en"), ("test", "en"), ("test", "de")]
    assert readers.problems(read_source(source), parts, "t") == []
    assert read_source(json.loads(to_json(read_source(source)))) == read_source(source)
    german, english = (read_examples(source, task, "test", one, None, 1).to_pylist() for one in ("de", "en"))
    assert [row["example_id"] for row in german] == ["a+1"] and [row["text"] for row in german] == ["ein"]
    assert [(row["example_id"], row["text"], row["label"]) for row in english] == [("0", "y", "0")]
    source["places"]["en"]["columns"]["text"] = "texts.2"
    with pytest.raises(MtbridgeError, match=r"row 1: source.columns.text: the column 'texts' has 2 items; expected mo"):
        read_examples(source, task, "test", "en", None, 1)
    source["places"]["en"]["path"] = str(tmp_path / "english.test.parquet")
    message = "one file for all splits: train would be test; put {split} into its name"
    assert ("places.en", message) in readers.problems(read_source(source), parts, "t")
    source["places"]["en"]["path"], source["path"] = str(tmp_path / "english.{split}.parquet"), "de.{split}.parquet"
    assert not any(key == "path" and "tells" in text for key, text in readers.problems(read_source(source), parts, "t"))
