"""Files of repositories on the Hugging Face Hub, models and data sets: fetched into its cache, checked, and locked.

A revision is resolved to a commit once. The commit, and the sha256 of every file that is used, go to a lock file; from
then on the same commit and the same bytes are read, or the program stops. A locked file in the cache needs no request,
so what was fetched once can be read offline.

Files are downloaded into the cache by plain HTTP with ranges: the next job continues the partial file of a killed one.
huggingface_hub's own download (also by Xet, faster on a fast network) starts such a file from the beginning:
https://github.com/huggingface/huggingface_hub/pull/4228. A file with a wrong checksum never enters the cache.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, write_json
from mtbridge.base.progress import Progress

COMMIT = re.compile(r"[0-9a-f]{40}")
ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
BLOCK = 1 << 20  # bytes that are hashed at a time


@dataclass(frozen=True)
class Repository:
    """A repository: its name, owner/name; of which kind it is; and for messages, whose setting names it."""

    name: str
    kind: Literal["model", "dataset"] = "model"
    owner: str = "model"
    setting: str = "repo"

    @property
    def key(self) -> str:
        """Its name in a lock file, and behind the Hub's host."""
        return self.name if self.kind == "model" else f"datasets/{self.name}"


class Resolved(NamedTuple):
    """A revision as the Hub knows it."""

    commit: str
    files: dict[str, dict]  # name -> its checksums: sha256 or blob (git's sha1), and size
    licence: str | None  # as its card says


# ---- The Hub ---------------------------------------------------------------------------------------------------------


def resolve(repo: Repository, revision: str) -> Resolved:
    """The commit of a revision and the checksums of its files.

    Where the Hub cannot be reached, the commit and the names of files come from the cache.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    api = HfApi()
    where: dict[str, Any] = {"repo_id": repo.name, "repo_type": repo.kind}
    commit = api.resolve_revision(**where, revision=revision).resolved
    try:
        # Any: the client's answer may also be about kinds of repositories that have no card.
        info: Any = api.repo_info(**where, revision=commit, files_metadata=True, timeout=30)
    except (HTTPError, OfflineModeIsEnabled) as error:
        # An answer below 500 is about the request (not found, gated), and the cache must not hide it.
        if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
            raise
        try:
            folder = Path(snapshot_download(**where, revision=commit, local_files_only=True))
        except LocalEntryNotFoundError as missing:
            raise missing from error
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return Resolved(commit, {name: {} for name in names}, None)
    about = {}
    for file in info.siblings or []:
        # Large files (LFS) have a sha256; of small ones the Hub knows git's blob id only.
        sha256 = {"sha256": file.lfs.sha256, "size": file.lfs.size} if file.lfs else {"size": file.size}
        about[file.rfilename] = {**sha256, **({"blob": file.blob_id} if file.blob_id and not file.lfs else {})}
    return Resolved(commit, about, _licence(info.card_data))


def _licence(card: Any) -> str | None:
    """The licence that a card states: its name where it has one of its own, else its identifier."""
    values = card.to_dict() if card is not None else {}
    licence = values.get("license_name") or values.get("license")
    return ", ".join(licence) if isinstance(licence, list) else licence


def download(repo: Repository, commit: str, name: str, about: dict, lock: Path | None) -> tuple[Path, str]:
    """A file of a commit in the cache, fetched if need be, and its sha256.

    about: its expected checksums. lock: the lock file that these come from, None if from the Hub.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    where: dict[str, Any] = {"repo_id": repo.name, "repo_type": repo.kind, "revision": commit, "filename": name}
    try:
        path = Path(hf_hub_download(**where, local_files_only=True))
    except LocalEntryNotFoundError:
        sha256 = _stage(repo, commit, name, about, lock)
        return Path(hf_hub_download(**where)), sha256
    remedy = f"the copy in the cache, {path}, was changed: delete {path.resolve()} and {path}, and fetch again"
    return path, verify(path, (about, remedy))


def _stage(repo: Repository, commit: str, name: str, about: dict, lock: Path | None) -> str:
    """Fetch a file into the cache's blobs, continuing an earlier partial download, and return its sha256."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HTTPError
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo.name, name, repo_type=repo.kind, revision=commit)
    remote = get_hf_file_metadata(url, timeout=30)
    # The Hub's ETag is the content's own checksum: sha256 of large files, git's blob id of small ones.
    etag = remote.etag or ""
    if not ETAG.fullmatch(etag):
        raise MtbridgeError(f"{url} gives no checksum as the Hub does; check HF_ENDPOINT")
    checksum = {"sha256" if len(etag) == 64 else "blob": etag}
    blobs = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repo.name, repo_type=repo.kind), "blobs")
    blobs.mkdir(parents=True, exist_ok=True)
    blob, partial = blobs / etag, blobs / f"{etag}.partial"
    with _DownloadFile(partial, f"{repo.name} {name}: byte", remote.size or 0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Another job may have finished the file while this one waited for the lock.
        complete = blob.exists()
        if not complete and remote.size is not None and file.tell() > remote.size:
            file.truncate(0)
        while not complete:
            size = file.seek(0, os.SEEK_END)
            try:
                # A range of a compressed answer would not continue the file: ask for uncompressed bytes.
                headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
                http_get(url, file, resume_size=size, headers=headers, expected_size=remote.size)
                break
            except HTTPError as error:
                # http_get retries, but not after a connection was reset in the middle. Then retry here, as long as each
                # attempt brings some bytes.
                if isinstance(error, HfHubHTTPError) or file.seek(0, os.SEEK_END) == size:
                    raise
        damaged = (
            f"it was changed in the cache: delete {blob}" if complete else "it was damaged on the way: fetch again"
        )
        changed = f"it is no longer what {lock} holds" if lock else damaged
        try:
            sha256 = verify(blob if complete else partial, (checksum, damaged), (about, changed))
        except MtbridgeError:
            partial.unlink()
            raise
        if complete:
            partial.unlink()
        else:
            partial.replace(blob)
    return sha256


class _DownloadFile(io.FileIO):
    """A file open for appending that reports its size as progress."""

    def __init__(self, path: Path, what: str, total: int):
        super().__init__(path, "a+")
        self.seek(0, os.SEEK_END)
        self.progress = Progress(what, total, every=10)

    def write(self, data: Any) -> int:
        written = super().write(data)
        # A raw file writes less than asked on a full disk, without an error.
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.progress(self.tell())
        return written


def verify(path: Path, *expectations: tuple[dict, str]) -> str:
    """The sha256 of a file, after a comparison of its checksums with each of the expectations (checksums, remedy).

    Raises:
        MtbridgeError: its sha256, git blob id or size differs; the message ends with the remedy.
    """
    try:
        size = path.stat().st_size
        # git hashes a header with the size, then the content.
        sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                sha256.update(block)
                blob.update(block)
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); fetch it again") from error
    actual = {"sha256": sha256.hexdigest(), "blob": blob.hexdigest(), "size": size}
    for about, remedy in expectations:
        for key, expected in about.items():
            if expected is not None and actual[key] != expected:
                what = {"blob": "git blob id"}.get(key, key)
                raise MtbridgeError(f"wrong {what} {actual[key]}, expected {expected}; {remedy}")
    return sha256.hexdigest()


@contextlib.contextmanager
def explain(repo: Repository, revision: str, lock_note: str, name: str = "") -> Iterator[None]:
    """Within this context errors of the Hub's client become one line that says what to do.

    No message has a header or a token in it, so the client's own texts are left out.
    """
    from huggingface_hub import constants, errors

    host = urlsplit(constants.ENDPOINT).netloc.rpartition("@")[2]  # without a password
    what = f"{repo.name} ({revision})" + (f", {name}" if name else "") + (f", {lock_note}" if lock_note else "")
    login = "set HF_TOKEN to a token that may read it"
    check = f"check the {repo.owner}'s"
    try:
        yield
    except MtbridgeError as error:
        raise MtbridgeError(f"{what}: {error}") from error
    except errors.GatedRepoError:
        raise MtbridgeError(f"{what}: is gated; accept its terms on {host}/{repo.key} and {login}") from None
    except errors.RepositoryNotFoundError:
        raise MtbridgeError(
            f"{what}: {host} has no such repository, or it is private; {check} {repo.setting}, or {login}"
        ) from None
    except errors.RevisionNotFoundError:
        remedy = "remove its entry there to take the revision as it is now" if lock_note else f"{check} revision"
        raise MtbridgeError(f"{what}: {host} has no such revision; {remedy}") from None
    except errors.HFValidationError:
        raise MtbridgeError(f"{what}: is no repository's name; expected owner/name or a local directory") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        remedies = {401: login, 403: login, 404: f"{check} {repo.setting} and revision"}
        remedy = remedies.get(status, "try again later")
        raise MtbridgeError(f"{what}: {host} answered {status}; {remedy}") from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, errors.RevisionResolutionError) as error:
        if not constants.is_offline_mode():
            raise MtbridgeError(_unreachable(what, host, repo, error.__cause__ or error)) from None
        raise MtbridgeError(
            f"{what}: is not in the cache ({constants.HF_HUB_CACHE}) and HF_HUB_OFFLINE is set; "
            f"fetch once with a network, or set {repo.setting} to a local directory"
        ) from None
    except errors.HTTPError as error:
        raise MtbridgeError(_unreachable(what, host, repo, error)) from None
    except OSError as error:
        if error.errno is None:  # the client raises it when a file's size is not the expected one
            raise MtbridgeError(f"{what}: the transfer from {host} was incomplete; fetch again") from None
        raise MtbridgeError(
            f"{what}: cannot be written to the cache ({error.strerror}); make room in {constants.HF_HUB_CACHE}, "
            "or set HF_HUB_CACHE to another folder"
        ) from None


def _unreachable(what: str, host: str, repo: Repository, error: BaseException) -> str:
    """The message about a host that does not answer."""
    return (
        f"{what}: {host} cannot be reached ({type(error).__name__}); check the network and fetch again, "
        f"it goes on where it stopped; or set {repo.setting} to a local directory"
    )


# ---- The lock file ---------------------------------------------------------------------------------------------------


def read_lock(lock: Path, repo: Repository, revision: str) -> dict | None:
    """The lock file's entry of a revision, None if it has none yet.

    Raises:
        MtbridgeError: the entry is not a commit with files.
    """
    if not lock.exists():
        return None
    content = read_json(lock)
    entry = content.get(repo.key, {}).get(revision) if isinstance(content, dict) else {}
    if entry is None:
        return None
    if not (
        isinstance(entry, dict)
        and isinstance(entry.get("files"), dict)
        and COMMIT.fullmatch(str(entry.get("commit")))
        and all({"sha256", "size"} == set(about) for about in entry["files"].values())
    ):
        raise MtbridgeError(
            f"{lock}: {repo.key}: {revision}: expected a commit and files with sha256 and size; "
            "restore the file, or remove the entry to fetch anew"
        )
    return entry


def write_lock(lock: Path, repo: Repository, revision: str, entry: dict) -> None:
    """Add a revision, or more files of it, to the lock file, and keep entries that other jobs add at the same time.

    entry: commit, files (name -> sha256 and size), and for a data set what else `data.readers.hub` keeps of it.

    Raises:
        MtbridgeError: the file has another commit of the revision, or another content of one of the files.
    """
    with _exclusive(lock.with_name(f".{lock.name}.held")):
        content = read_json(lock) if lock.exists() else {}
        revisions = content.setdefault(repo.key, {})
        before = revisions.get(revision)
        revisions[revision] = entry if before is None else _joined(before, entry)
        if revisions[revision] is None:
            raise MtbridgeError(f"{lock}: {repo.key}: {revision}: was locked meanwhile to another commit; fetch again")
        if revisions[revision] == before:
            return
        write_json(dict(sorted(content.items())), lock)
    if before is None:
        print(f"{lock}: {repo.key} ({revision}) locked to {entry['commit']}; commit this file", file=sys.stderr)


def _joined(before: dict, entry: dict) -> dict | None:
    """Two entries of the same revision as one; None if they contradict each other."""
    joined = dict(before)
    for key, value in entry.items():
        if key in before and isinstance(value, dict):
            if any(before[key].get(name, about) != about for name, about in value.items()):
                return None
            joined[key] = dict(sorted((before[key] | value).items()))
        elif before.get(key, value) != value:
            return None
        else:
            joined[key] = value
    return joined


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Within this context no other process is in it with the same path; the file is removed at the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with open(path, "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # The process before may have removed the file meanwhile, and ours then locks nothing.
                if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    continue
                try:
                    yield
                finally:
                    path.unlink()
                return
    except OSError as error:
        raise MtbridgeError(
            f"{path.parent}: cannot be written ({error.strerror}); the lock file belongs there"
        ) from error
