"""The user's files are known by what they hold, whatever their dates say."""

import os
import time

import pytest

from mtbridge.base import content
from mtbridge.base.content import content_digest


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "digests.json"


def test_other_content_with_an_older_date_and_the_same_size_is_seen(tmp_path, cache):
    path = tmp_path / "a.csv"
    path.write_text("one")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    before = content_digest([path], cache)
    path.write_text("two")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert content_digest([path], cache) != before


def test_other_content_with_the_same_date_is_seen_although_the_digest_was_kept(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(content, "RECENT", -1e12)  # every digest is kept
    path = tmp_path / "a.csv"
    path.write_text("one")
    before, times = content_digest([path], cache), os.stat(path)
    assert cache.exists()
    while True:  # until the file system's clock has moved on
        path.write_text("two")
        if os.stat(path).st_ctime_ns != times.st_ctime_ns:
            break
        time.sleep(0.001)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert content_digest([path], cache) != before


def test_a_new_date_or_another_folder_changes_nothing(tmp_path, cache):
    path = tmp_path / "a.csv"
    path.write_text("one")
    before = content_digest([path], cache)
    os.utime(path, (5, 5))
    assert content_digest([path], cache) == before
    (tmp_path / "moved").mkdir()
    path.rename(tmp_path / "moved" / "a.csv")
    assert content_digest([tmp_path / "moved" / "a.csv"], cache) == before


def test_a_file_that_did_not_change_is_hashed_once(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(content, "RECENT", -1e12)
    path = tmp_path / "a.tar.gz"
    path.write_text("large")
    first = content_digest([path], cache)
    monkeypatch.setattr(content, "sha256", lambda path: pytest.fail("hashed again"))
    assert content_digest([path], cache) == first


def test_every_file_of_a_folder_counts_and_so_does_its_name(tmp_path, cache):
    folder = tmp_path / "checkpoint"
    (folder / "deep").mkdir(parents=True)
    digests = {content_digest([folder], cache)}
    for name, text in (("config.json", "{}"), ("deep/vocab.txt", "a"), ("deep/vocab.txt", "b")):
        (folder / name).write_text(text)
        digests.add(content_digest([folder], cache))
    (folder / "config.json").rename(folder / "konfig.json")
    assert len(digests | {content_digest([folder], cache)}) == 5


def test_no_file_has_no_digest_and_no_place_for_the_cache_does_no_harm(tmp_path):
    assert content_digest([]) == ""
    (tmp_path / "a").write_text("one")
    assert content_digest([tmp_path / "a"], tmp_path / "a" / "no folder" / "digests.json")
