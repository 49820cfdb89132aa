"""Fetches one revision of a repository on the Hugging Face Hub into a checkpoint folder, and checks every file.

The first fetch of a branch resolves its commit and writes it, with the files' sha256, to a lock file beside the
study's preset. Every later fetch gets the same commit and the same bytes, or stops. A locked file in the local cache
needs no request, so a study that was fetched once can be fetched again offline.

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
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, write_json
from mtbridge.base.progress import Progress
from mtbridge.models.checkpoints import WEIGHTS, shards
from mtbridge.specs.families import declared_family

# transformers would otherwise ask the Hub, in the background, to convert repositories without safetensors.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

# As with the weights, only the first that exists is fetched; one of GPT-2's kind lies in two files.
PIECES = ("sentencepiece.bpe.model", "sentencepiece.model", "spiece.model", "spm.model", "tokenizer.model")
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), *((name,) for name in PIECES), ("vocab.json", "merges.txt"))
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
COMMIT = re.compile(r"[0-9a-f]{40}")
ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
BLOCK = 1 << 20  # bytes that are hashed at a time


class Revision(NamedTuple):
    """A revision of a repository, or a local directory: its files, and how to get one."""

    commit: str | None  # None: a local directory
    locked: bool  # whether the lock file has it
    available: Collection[str]  # names of files
    get: Callable[[str], tuple[Path, str]]  # name -> file (in the cache), its sha256


def fetch(repo: str, revision: str, lock: str | Path, output: str | Path, family: str | None = None) -> None:
    """Write a checkpoint folder: config, weights, tokenizer and source.json (repo, revision, commit, files).

    Args:
        repo: `owner/name` on the Hub, or a local directory.
        revision: branch, tag or commit; for a local directory it is only written to source.json.
        lock: JSON file of commits and checksums, {repo: {revision: {commit, files: {name: {sha256, size}}}}}.
        output: the folder to make; files are hard links into the cache where the file system allows, else copies.
        family: model_type that config.json must have; checked before the weights are fetched.

    Raises:
        MtbridgeError: the Hub cannot be reached or does not have a file, or a file differs from the lock file.
    """
    lock = Path(lock)
    source = _open_directory(repo) if Path(repo).is_dir() else _open_repository(repo, revision, lock)
    commit, locked, available, get = source
    with atomic_write(output) as folder:
        folder.mkdir()
        files = {}

        def take(name: str) -> Path:
            if name not in available:
                raise MtbridgeError(f"{repo} ({revision}): has no {name}; expected a checkpoint with all its files")
            path, sha256 = get(name)
            _link(path, folder / name)
            files[name] = {"sha256": sha256, "size": path.stat().st_size}
            return path

        config = read_json(take("config.json"))
        model_type = config.get("model_type") if isinstance(config, dict) else None
        if family is not None and model_type != family:
            declared_family(config, f"{repo} ({revision}): config.json")
            raise MtbridgeError(
                f"{repo} ({revision}): config.json says model_type '{model_type}', the study says family '{family}'; "
                "correct the model's repo or family"
            )
        weights = next((name for name in WEIGHTS if name in available), None)
        if weights is None:
            raise MtbridgeError(f"{repo} ({revision}): has no weights; expected one of {', '.join(WEIGHTS)}")
        tokenizer = next((names for names in TOKENIZERS if set(names) <= set(available)), ())
        for name in (*TOKENIZER_SETTINGS, *tokenizer):
            if name in available:
                take(name)
        path = take(weights)
        if weights.endswith(".index.json"):
            for name in shards(path):
                take(name)
        entry = {"commit": commit, "files": dict(sorted(files.items()))}
        write_json({"repo": repo, "revision": revision, **entry}, folder / "source.json")
        if commit is not None and not locked:
            _write_lock(lock, repo, revision, entry)


def _open_directory(folder: str) -> Revision:
    """A local directory, which has no commit and is not locked."""

    def get(name: str) -> tuple[Path, str]:
        return Path(folder, name), _verify(Path(folder, name))

    return Revision(None, False, {path.name for path in Path(folder).iterdir() if path.is_file()}, get)


def _open_repository(repo: str, revision: str, lock: Path) -> Revision:
    """A revision on the Hub, at the commit in the lock file if that has it."""
    entry = _read_lock(lock, repo, revision)
    lock_note = f"at the commit that {lock} holds" if entry else ""
    with _explain(repo, revision, lock_note):
        commit, available = (entry["commit"], entry["files"]) if entry else _resolve(repo, revision)

    def get(name: str) -> tuple[Path, str]:
        with _explain(repo, revision, lock_note, name):
            return _download(repo, commit, name, available[name], lock if entry else None)

    return Revision(commit, entry is not None, available, get)


# ---- The Hub ---------------------------------------------------------------------------------------------------------


def _resolve(repo: str, revision: str) -> tuple[str, dict]:
    """The commit of a revision and the checksums of its files: name -> {sha256 | blob (git's sha1), size}.

    Where the Hub cannot be reached, the commit and the names of files come from the cache.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    api = HfApi()
    commit = api.resolve_revision(repo, revision=revision).resolved
    try:
        siblings = api.model_info(repo, revision=commit, files_metadata=True, timeout=30).siblings or []
    except (HTTPError, OfflineModeIsEnabled) as error:
        # An answer below 500 is about the request (not found, gated), and the cache must not hide it.
        if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
            raise
        try:
            folder = Path(snapshot_download(repo, revision=commit, local_files_only=True))
        except LocalEntryNotFoundError as missing:
            raise missing from error
        return commit, {path.name: {} for path in folder.iterdir()}
    about = {}
    for file in siblings:
        # Large files (LFS) have a sha256; of small ones the Hub knows git's blob id only.
        sha256 = {"sha256": file.lfs.sha256, "size": file.lfs.size} if file.lfs else {"size": file.size}
        about[file.rfilename] = {**sha256, **({"blob": file.blob_id} if file.blob_id and not file.lfs else {})}
    return commit, about


def _download(repo: str, commit: str, name: str, about: dict, lock: Path | None) -> tuple[Path, str]:
    """A file of a commit in the cache, fetched if need be, and its sha256.

    about: its expected checksums. lock: the lock file that these come from, None if from the Hub.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    try:
        path = Path(hf_hub_download(repo, name, revision=commit, local_files_only=True))
    except LocalEntryNotFoundError:
        sha256 = _stage(repo, commit, name, about, lock)
        return Path(hf_hub_download(repo, name, revision=commit)), sha256
    remedy = f"the copy in the cache, {path}, was changed: delete {path.resolve()} and {path}, and fetch again"
    return path, _verify(path, (about, remedy))


def _stage(repo: str, commit: str, name: str, about: dict, lock: Path | None) -> str:
    """Fetch a file into the cache's blobs, continuing an earlier partial download, and return its sha256."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HTTPError
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo, name, revision=commit)
    remote = get_hf_file_metadata(url, timeout=30)
    # The Hub's ETag is the content's own checksum: sha256 of large files, git's blob id of small ones.
    etag = remote.etag or ""
    if not ETAG.fullmatch(etag):
        raise MtbridgeError(f"{url} gives no checksum as the Hub does; check HF_ENDPOINT")
    checksum = {"sha256" if len(etag) == 64 else "blob": etag}
    blobs = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repo, repo_type="model"), "blobs")
    blobs.mkdir(parents=True, exist_ok=True)
    blob, partial = blobs / etag, blobs / f"{etag}.partial"
    with _DownloadFile(partial, f"{repo} {name}: byte", remote.size or 0) as file:
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
            sha256 = _verify(blob if complete else partial, (checksum, damaged), (about, changed))
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


def _verify(path: Path, *expectations: tuple[dict, str]) -> str:
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
def _explain(repo: str, revision: str, lock_note: str, name: str = "") -> Iterator[None]:
    """Within this context errors of the Hub's client become one line that says what to do.

    No message has a header or a token in it, so the client's own texts are left out.
    """
    from huggingface_hub import constants, errors

    host = urlsplit(constants.ENDPOINT).netloc.rpartition("@")[2]  # without a password
    what = f"{repo} ({revision})" + (f", {name}" if name else "") + (f", {lock_note}" if lock_note else "")
    login = "set HF_TOKEN to a token that may read it"
    try:
        yield
    except MtbridgeError as error:
        raise MtbridgeError(f"{what}: {error}") from error
    except errors.GatedRepoError:
        raise MtbridgeError(f"{what}: is gated; accept its terms on {host}/{repo} and {login}") from None
    except errors.RepositoryNotFoundError:
        raise MtbridgeError(
            f"{what}: {host} has no such repository, or it is private; check the model's repo, or {login}"
        ) from None
    except errors.RevisionNotFoundError:
        remedy = (
            "remove its entry there to take the revision as it is now" if lock_note else "check the model's revision"
        )
        raise MtbridgeError(f"{what}: {host} has no such revision; {remedy}") from None
    except errors.HFValidationError:
        raise MtbridgeError(f"{what}: is no repository's name; expected owner/name or a local directory") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        remedy = {401: login, 403: login, 404: "check the model's repo and revision"}.get(status, "try again later")
        raise MtbridgeError(f"{what}: {host} answered {status}; {remedy}") from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, errors.RevisionResolutionError) as error:
        if not constants.is_offline_mode():
            raise MtbridgeError(_unreachable(what, host, error.__cause__ or error)) from None
        raise MtbridgeError(
            f"{what}: is not in the cache ({constants.HF_HUB_CACHE}) and HF_HUB_OFFLINE is set; "
            "fetch once with a network, or set repo to a local directory"
        ) from None
    except errors.HTTPError as error:
        raise MtbridgeError(_unreachable(what, host, error)) from None
    except OSError as error:
        if error.errno is None:  # the client raises it when a file's size is not the expected one
            raise MtbridgeError(f"{what}: the transfer from {host} was incomplete; fetch again") from None
        raise MtbridgeError(
            f"{what}: cannot be written to the cache ({error.strerror}); make room in {constants.HF_HUB_CACHE}, "
            "or set HF_HUB_CACHE to another folder"
        ) from None


def _unreachable(what: str, host: str, error: BaseException) -> str:
    """The message about a host that does not answer."""
    return (
        f"{what}: {host} cannot be reached ({type(error).__name__}); check the network and fetch again, "
        "it goes on where it stopped; or set repo to a local directory"
    )


def _link(path: Path, place: Path) -> None:
    """Put a file at `place`: a hard link where the file system allows one, else a copy."""
    real = path.resolve()
    try:
        os.link(real, place)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        shutil.copyfile(real, place)


# ---- The lock file ---------------------------------------------------------------------------------------------------


def _read_lock(lock: Path, repo: str, revision: str) -> dict | None:
    """The lock file's entry of a revision, None if it has none yet.

    Raises:
        MtbridgeError: the entry is not a commit with files.
    """
    if not lock.exists():
        return None
    content = read_json(lock)
    entry = content.get(repo, {}).get(revision) if isinstance(content, dict) else {}
    if entry is None:
        return None
    if not (
        isinstance(entry, dict)
        and isinstance(entry.get("files"), dict)
        and COMMIT.fullmatch(str(entry.get("commit")))
        and all({"sha256", "size"} == set(about) for about in entry["files"].values())
    ):
        raise MtbridgeError(
            f"{lock}: {repo}: {revision}: expected a commit and files with sha256 and size; "
            "restore the file, or remove the entry to fetch anew"
        )
    return entry


def _write_lock(lock: Path, repo: str, revision: str, entry: dict) -> None:
    """Add a revision to the lock file, and keep entries that other jobs add at the same time."""
    with _exclusive(lock.with_name(f".{lock.name}.held")):
        content = read_json(lock) if lock.exists() else {}
        current = content.setdefault(repo, {}).setdefault(revision, entry)
        if current != entry:
            raise MtbridgeError(f"{lock}: {repo}: {revision}: was locked meanwhile to another commit; fetch again")
        write_json(dict(sorted(content.items())), lock)
    print(f"{lock}: {repo} ({revision}) locked to {entry['commit']}; commit this file", file=sys.stderr)


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
