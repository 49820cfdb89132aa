"""Fetching from the Hub: held to a commit, checked, resumed, offline; the client's own code against a small server."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from huggingface_hub import constants

from mtbridge.base import hub as base_hub
from mtbridge.base.errors import MtbridgeError
from mtbridge.models import hub
from tests.support.hub_server import Hub, point_to, use

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "fetch_model.py"
WEIGHTS = bytes(range(256)) * 400  # 102,400 bytes
FILES = {
    "config.json": b'{"model_type": "mbart"}',
    "tokenizer_config.json": b"{}",
    "sentencepiece.bpe.model": b"pieces" * 900,
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"never asked for" * 1000,
    "tf_model.h5": b"nor this" * 1000,
    "README.md": b"nor this",
}
TAKEN = {"config.json", "tokenizer_config.json", "sentencepiece.bpe.model", "model.safetensors"}
REPO = "owner/model"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A Hub with one repository, and the client set to it with an empty cache."""
    with Hub() as server:
        server.commit(REPO, FILES)
        use(server.url, tmp_path / "cache", monkeypatch)
        yield server


@pytest.fixture
def fetch(tmp_path):
    """Fetch into a new folder and give it; refusals must leave nothing behind."""
    number = iter(range(100))

    def run(repo=REPO, revision="main", family=None):
        output = tmp_path / f"out{next(number)}" / "checkpoint"
        try:
            hub.fetch(repo, revision, tmp_path / "study.lock.json", output, family)
        except MtbridgeError as error:
            assert "\n" not in str(error)
            assert not output.exists()
            assert not list(output.parent.glob("*")) if output.parent.exists() else True
            raise
        return output

    return run


def lock_of(tmp_path):
    return json.loads((tmp_path / "study.lock.json").read_text())


def test_only_the_needed_files_are_fetched_whole_and_described(server, fetch):
    folder = fetch(family="mbart")
    assert {path.name for path in folder.iterdir()} == TAKEN | {"source.json"}
    assert all((folder / name).read_bytes() == FILES[name] for name in TAKEN)
    assert not any(path.is_symlink() for path in folder.iterdir())
    source = json.loads((folder / "source.json").read_text())
    assert (source["repo"], source["revision"]) == (REPO, "main")
    assert source["commit"] == server.repos[REPO]["branches"]["main"]
    assert source["files"]["model.safetensors"] == {"sha256": hashlib.sha256(WEIGHTS).hexdigest(), "size": len(WEIGHTS)}
    assert set(source["files"]) == TAKEN
    assert server.downloads("pytorch_model.bin") == server.downloads("tf_model.h5") == []


def test_without_safetensors_the_bin_is_taken_and_a_tokenizer_json_goes_before_its_sources(server, fetch):
    bare = {name: data for name, data in FILES.items() if name != "model.safetensors"}
    server.commit(REPO, {**bare, "tokenizer.json": b"{}"})
    folder = fetch()
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "tokenizer_config.json", "tokenizer.json", "pytorch_model.bin", "source.json")
    }


def test_shards_are_taken_by_their_index(server, fetch):
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    server.commit(
        REPO,
        {
            "config.json": b"{}",
            "model.safetensors.index.json": json.dumps(index).encode(),
            "model-1-of-2.safetensors": b"1" * 3000,
            "model-2-of-2.safetensors": b"2" * 3000,
            "model-3-of-2.safetensors": b"3" * 3000,
        },
    )
    folder = fetch()
    assert (folder / "model-2-of-2.safetensors").read_bytes() == b"2" * 3000
    assert not (folder / "model-3-of-2.safetensors").exists()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd"])
def test_an_index_cannot_lead_out_of_its_folder(server, fetch, name):
    index = json.dumps({"weight_map": {"a": name}}).encode()
    server.commit(REPO, {"config.json": b"{}", "pytorch_model.bin.index.json": index})
    with pytest.raises(MtbridgeError, match=f"names '{name}'; expected a file in the same folder"):
        fetch()


# ---- The lock file ---------------------------------------------------------------------------------------------------


def test_the_first_fetch_locks_and_later_ones_hold_to_the_commit_when_the_branch_moves(server, fetch, tmp_path):
    first = server.repos[REPO]["branches"]["main"]
    fetch()
    entry = lock_of(tmp_path)[REPO]["main"]
    assert entry["commit"] == first
    assert set(entry["files"]) == TAKEN
    server.commit(REPO, {**FILES, "model.safetensors": b"other" * 1000})
    folder = fetch()
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert json.loads((folder / "source.json").read_text())["commit"] == first
    assert lock_of(tmp_path)[REPO]["main"] == entry


def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "another-cache"))


def test_a_locked_commit_that_is_gone_stops(server, fetch, tmp_path, monkeypatch):
    old = server.repos[REPO]["branches"]["main"]
    fetch()
    server.commit(REPO, {**FILES, "config.json": b'{"model_type": "bert"}'})
    del server.repos[REPO]["commits"][old]
    empty_cache(tmp_path, monkeypatch)
    with pytest.raises(MtbridgeError, match=r"at the commit that .*lock\.json holds: .* no such revision; remove"):
        fetch()


def test_other_content_under_the_locked_commit_stops(server, fetch, tmp_path, monkeypatch):
    commit = server.repos[REPO]["branches"]["main"]
    fetch()
    server.repos[REPO]["commits"][commit]["model.safetensors"] = WEIGHTS[::-1]
    empty_cache(tmp_path, monkeypatch)
    with pytest.raises(MtbridgeError, match=r"wrong sha256 .*expected .*no longer what .*study\.lock\.json holds"):
        fetch()
    server.repos[REPO]["commits"][commit]["model.safetensors"] = WEIGHTS
    assert (fetch() / "model.safetensors").read_bytes() == WEIGHTS


def test_a_locked_fetch_asks_for_nothing_that_the_cache_holds(server, fetch):
    fetch()
    server.requests.clear()
    fetch()
    assert server.requests == []


def test_fetches_at_the_same_time_lose_no_entry(server, fetch, tmp_path):
    repos = [f"owner/model{number}" for number in range(6)]
    for repo in repos:
        server.commit(repo, FILES)
    failed = []

    def one(repo):
        try:
            hub.fetch(repo, "main", tmp_path / "study.lock.json", tmp_path / "many" / repo.replace("/", "-"))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(repo,)) for repo in repos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(lock_of(tmp_path)) == repos
    assert not list(tmp_path.glob("*.held")) + list(tmp_path.glob(".*.held"))


@pytest.mark.parametrize("content", ['{"owner/model": {"main": {"commit": "main"}}}', "[]", "{"])
def test_a_lock_file_that_is_none_is_refused(server, fetch, tmp_path, content):
    (tmp_path / "study.lock.json").write_text(content)
    with pytest.raises(MtbridgeError, match=r"study\.lock\.json: "):
        fetch()
    assert (tmp_path / "study.lock.json").read_text() == content


def test_a_commit_as_revision_needs_no_branch(server, fetch, tmp_path):
    old = server.repos[REPO]["branches"]["main"]
    server.commit(REPO, {**FILES, "model.safetensors": b"newer" * 1000})
    assert (fetch(revision=old) / "model.safetensors").read_bytes() == WEIGHTS
    assert lock_of(tmp_path)[REPO][old]["commit"] == old


# ---- Mishaps ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_steps(monkeypatch):
    """The client writes what it gets every 1,000 bytes, not every 10 MB, and tries again at once."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)


def test_a_cut_connection_is_resumed_where_it_stopped(server, fetch, small_steps):
    server.cut["model.safetensors"] = 30_000
    assert (fetch() / "model.safetensors").read_bytes() == WEIGHTS
    assert server.downloads("model.safetensors") == [None, "bytes=30000-"]


def test_a_failed_fetch_is_gone_on_with_by_the_next(server, fetch, small_steps, tmp_path):
    server.cut["model.safetensors"] = 30_000
    original = server.answer

    def busy_after_the_cut(request):
        if "Range" in request.headers:
            server.busy.add("model.safetensors")
        original(request)

    server.answer = busy_after_the_cut
    with pytest.raises(MtbridgeError, match=r"\(main\), model\.safetensors: .* answered 503; try again later"):
        fetch()
    assert not (tmp_path / "study.lock.json").exists()
    server.answer = original
    server.busy.clear()
    server.sent.clear()
    assert (fetch() / "model.safetensors").read_bytes() == WEIGHTS
    assert server.downloads("model.safetensors") == ["bytes=30000-"]
    assert server.downloads("config.json") == []


def test_damaged_content_never_enters_the_cache(server, fetch, tmp_path):
    server.damaged["model.safetensors"] = WEIGHTS[:-1] + b"x"
    with pytest.raises(MtbridgeError, match=r"model\.safetensors: wrong sha256 .*, expected .*damaged on the way"):
        fetch()
    assert not list((tmp_path / "cache").rglob("*.partial"))
    server.damaged.clear()
    assert (fetch() / "model.safetensors").read_bytes() == WEIGHTS


def test_damage_to_a_small_file_is_seen_too(server, fetch):
    server.damaged["config.json"] = FILES["config.json"].replace(b"mbart", b"mbert")
    with pytest.raises(MtbridgeError, match="wrong git blob id"):
        fetch()


def test_content_that_the_cache_holds_under_another_commit_is_not_fetched_but_checked(server, fetch, tmp_path):
    fetch()
    blob = next((tmp_path / "cache").rglob("snapshots/*/model.safetensors")).resolve()
    server.sent.clear()
    server.commit(REPO, {**FILES, "config.json": b'{"model_type": "mbart", "d_model": 2}'}, "v2")
    assert (fetch(revision="v2") / "model.safetensors").read_bytes() == WEIGHTS
    assert [name for name, _ in server.sent] == ["config.json"]
    blob.write_bytes(b"other")
    server.commit(REPO, {**FILES, "config.json": b'{"model_type": "mbart", "d_model": 3}'}, "v3")
    with pytest.raises(MtbridgeError, match=rf"wrong sha256 .*delete {blob}"):
        fetch(revision="v3")
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_a_changed_file_in_the_cache_is_named(server, fetch, tmp_path):
    fetch()
    path = next((tmp_path / "cache").rglob("snapshots/*/model.safetensors")).resolve()
    path.write_bytes(WEIGHTS[::-1])
    with pytest.raises(MtbridgeError, match=rf"wrong sha256 .*was changed: delete {path}"):
        fetch()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"config.json"}, r"has no config\.json"),
        ({"model.safetensors", "pytorch_model.bin"}, r"has no weights; expected one of model\.safetensors"),
    ],
)
def test_a_missing_file_is_named(server, fetch, missing, message):
    server.commit(REPO, {name: data for name, data in FILES.items() if name not in missing})
    with pytest.raises(MtbridgeError, match=message):
        fetch()


def test_a_missing_shard_is_named(server, fetch):
    index = json.dumps({"weight_map": {"a": "gone.safetensors"}}).encode()
    server.commit(REPO, {"config.json": b"{}", "model.safetensors.index.json": index})
    with pytest.raises(MtbridgeError, match=r"has no gone\.safetensors"):
        fetch()


def test_an_unknown_revision_repository_and_name_are_told_apart(server, fetch):
    with pytest.raises(MtbridgeError, match=r"owner/model \(v9\): .* has no such revision; check the model's revision"):
        fetch(revision="v9")
    with pytest.raises(MtbridgeError, match=r"owner/none \(main\): .* has no such repository, or it is private"):
        fetch(repo="owner/none")
    with pytest.raises(MtbridgeError, match=r"is no repository's name; expected owner/name or a local directory"):
        fetch(repo="not/a/name")


def test_a_gated_repository_asks_for_terms_and_token_and_takes_the_token(server, fetch, monkeypatch):
    server.gated.add(REPO)
    with pytest.raises(MtbridgeError, match=r"is gated; accept its terms on .*/owner/model and set HF_TOKEN"):
        fetch()
    monkeypatch.setenv("HF_TOKEN", "let-me-in")
    fetch()
    assert server.downloads("model.safetensors") == [None]
    assert server.leaked == []


def test_another_family_stops_before_the_weights(server, fetch):
    server.commit(REPO, {**FILES, "config.json": b'{"model_type": "bert"}'})
    with pytest.raises(MtbridgeError, match=r"config\.json says model_type 'bert', the study says family 'mbart'"):
        fetch(family="mbart")
    server.commit(REPO, {**FILES, "config.json": b'{"model_type": "mpnet"}'})
    with pytest.raises(MtbridgeError, match=r"config\.json says model_type 'mpnet', the study says family 'mbart'"):
        fetch(family="mbart")
    assert server.downloads("model.safetensors") == []


def test_an_unreachable_hub_says_so(server, fetch, monkeypatch):
    point_to("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(MtbridgeError, match=r"127\.0\.0\.1:9 cannot be reached .*; check the network"):
        fetch()


def test_a_full_disk_says_where_to_make_room_and_keeps_what_came(server, fetch, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(base_hub._DownloadFile, "write", full)
        with pytest.raises(MtbridgeError, match=r"No space left on device\); make room in .*cache"):
            fetch()
    fetch()


# ---- Without a network -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["offline", "unreachable"])
@pytest.mark.parametrize("locked", [True, False])
def test_what_was_fetched_once_is_there_without_a_network(server, fetch, tmp_path, monkeypatch, how, locked):
    fetch()
    if not locked:
        (tmp_path / "study.lock.json").unlink()
    if how == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    else:
        point_to("http://127.0.0.1:9", monkeypatch)
    assert (fetch() / "model.safetensors").read_bytes() == WEIGHTS
    assert lock_of(tmp_path)[REPO]["main"]["commit"] == server.repos[REPO]["branches"]["main"]


def test_offline_without_a_cache_says_what_to_do(server, fetch, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MtbridgeError, match=r"is not in the cache .* HF_HUB_OFFLINE is set; fetch once"):
        fetch()
    assert server.requests == []


def test_a_local_directory_is_taken_as_it_is(tmp_path, fetch):
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    folder = fetch(repo=str(tmp_path))
    assert {path.name for path in folder.iterdir()} == TAKEN | {"source.json"}
    assert json.loads((folder / "source.json").read_text())["commit"] is None
    assert not (tmp_path / "study.lock.json").exists()


# ---- The program -----------------------------------------------------------------------------------------------------


def test_the_program_obeys_the_environment_and_never_shows_a_token(server, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": server.url, "HF_HUB_CACHE": str(tmp_path / "c"), "HF_TOKEN": "secret-1"}

    def run(repo, **more):
        options = ["--repo", repo, "--lock", str(tmp_path / "l.json"), "--output", str(tmp_path / "made")]
        return subprocess.run(
            [sys.executable, str(SCRIPT), *options], env={**environment, **more}, capture_output=True, text=True
        )

    server.gated.add("owner/gated")
    server.commit("owner/gated", FILES)
    refused = run("owner/gated")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1].startswith("error: owner/gated (main): is gated")
    assert "Traceback" not in refused.stderr
    assert "secret-1" in server.tokens
    assert "secret-1" not in refused.stderr + refused.stdout
    assert not (tmp_path / "made").exists()
    assert run(REPO).returncode == 0
    assert (tmp_path / "made" / "model.safetensors").read_bytes() == WEIGHTS
    server.requests.clear()
    assert run(REPO, HF_HUB_OFFLINE="1").returncode == 0
    assert server.requests == []
