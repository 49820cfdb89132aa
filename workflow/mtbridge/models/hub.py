"""A published checkpoint: one revision of a repository on the Hugging Face Hub, held to and checked, as a folder.

The first fetch of a branch resolves its commit and writes it, with the files' sha256, into a lock file beside the
study's preset; every later fetch takes that commit and those bytes, or stops. A locked file that is in the local cache
costs no request, so a study that was fetched once is fetched again offline.

Files are staged in the cache by plain HTTP with ranges: what a killed job has got so far is kept, and the next one goes
on from there. huggingface_hub's own download (also by Xet, faster where the network is fast) starts a broken file
anew: https://github.com/huggingface/huggingface_hub/pull/4228. Nothing enters the cache whose checksum is wrong.
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
from pathlib import Path
from urllib.parse import urlsplit

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, write_json
from mtbridge.base.progress import Progress
from mtbridge.models.checkpoints import WEIGHTS, shards
from mtbridge.specs.families import FAMILIES

# transformers would otherwise ask the Hub, in the background, to convert repositories without safetensors.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

# Of the tokenizers, as of the weights, the first that is there is taken and no other.
TOKENIZERS = tuple(dict.fromkeys(name for family in FAMILIES.values() for name in family.tokenizer_files))
BESIDES = ("tokenizer_config.json", "special_tokens_map.json")
COMMIT = re.compile(r"[0-9a-f]{40}")
ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
BLOCK = 1 << 20


def fetch(repo: str, revision: str, lock, output, family: str | None = None) -> None:
    """Write a checkpoint folder: config, weights, tokenizer and source.json (repo, revision, commit, files).

    Args:
        repo: `owner/name` on the Hub, or a local directory, which is taken as it is.
        revision: branch, tag or commit; of a directory it is only noted.
        lock: JSON file of commits and checksums, {repo: {revision: {commit, files: {name: {sha256, size}}}}}.
        output: the folder to make; files are hard links into the cache where the file system allows, else copies.
        family: model_type that config.json must have; looked at before the weights are fetched.

    Raises:
        MtbridgeError: the Hub or what is asked of it cannot be had, or is not what the lock file holds.
    """
    opened = _open_directory(repo) if Path(repo).is_dir() else _open_repository(repo, revision, lock)
    commit, locked, available, get = opened
    with atomic_write(output) as folder:
        folder.mkdir()
        files = {}

        def take(name):
            if name not in available:
                raise MtbridgeError(f"{repo} ({revision}): has no {name}; expected a checkpoint with all its files")
            path, sha256 = get(name)
            _link(path, folder / name)
            files[name] = {"sha256": sha256, "size": path.stat().st_size}
            return path

        config = read_json(take("config.json"))
        found = config.get("model_type") if isinstance(config, dict) else None
        if family is not None and found != family:
            raise MtbridgeError(
                f"{repo} ({revision}): config.json says model_type '{found}', the study says family '{family}'; "
                "correct the model's repo or family"
            )
        weights = next((name for name in WEIGHTS if name in available), None)
        if weights is None:
            raise MtbridgeError(f"{repo} ({revision}): has no weights; expected one of {', '.join(WEIGHTS)}")
        tokenizer = next((name for name in TOKENIZERS if name in available), None)
        for name in (*BESIDES, tokenizer):
            if name in available:
                take(name)
        path = take(weights)
        if weights.endswith(".index.json"):
            for name in shards(path):
                take(name)
        source = {"commit": commit, "files": dict(sorted(files.items()))}
        write_json({"repo": repo, "revision": revision, **source}, folder / "source.json")
        if commit is not None and not locked:
            _write_lock(lock, repo, revision, source)


def _open_directory(folder: str):
    """A local directory as `_open_repository` gives a repository: it has no commit and needs no lock."""

    def get(name: str) -> tuple[Path, str]:
        return Path(folder, name), _checked(Path(folder, name))

    return None, False, {path.name for path in Path(folder).iterdir() if path.is_file()}, get


def _open_repository(repo: str, revision: str, lock):
    """A revision on the Hub: its commit, whether the lock file holds it, the names of its files, and a function from
    a name to the file in the cache and its sha256."""
    entry = _locked(lock, repo, revision)
    held = f"at the commit that {lock} holds" if entry else ""
    with _explain(repo, revision, held):
        commit, available = (entry["commit"], entry["files"]) if entry else _resolve(repo, revision)

    def get(name: str) -> tuple[Path, str]:
        with _explain(repo, revision, held, name):
            return _download(repo, commit, name, available[name], lock if entry else None)

    return commit, entry is not None, available, get


# ---- The Hub ---------------------------------------------------------------------------------------------------------


def _resolve(repo: str, revision: str) -> tuple[str, dict]:
    """The commit of a revision and what is known of its files: name -> {sha256 | blob (git's sha1), size}.

    Without the Hub, both as the cache has them.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    api = HfApi()
    commit = api.resolve_revision(repo, revision=revision).resolved
    try:
        siblings = api.model_info(repo, revision=commit, files_metadata=True, timeout=30).siblings or []
    except (HTTPError, OfflineModeIsEnabled) as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
            raise
        try:
            folder = Path(snapshot_download(repo, revision=commit, local_files_only=True))
        except LocalEntryNotFoundError as missing:
            raise missing from error
        return commit, {path.name: {} for path in folder.iterdir()}
    about = {}
    for file in siblings:
        sha256 = {"sha256": file.lfs.sha256, "size": file.lfs.size} if file.lfs else {"size": file.size}
        about[file.rfilename] = {**sha256, **({"blob": file.blob_id} if file.blob_id and not file.lfs else {})}
    return commit, about


def _download(repo: str, commit: str, name: str, about: dict, lock) -> tuple[Path, str]:
    """A file of a commit in the cache, fetched if it is not there, and its sha256."""
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
    return path, _checked(path, (about, remedy))


def _stage(repo: str, commit: str, name: str, about: dict, lock) -> str:
    """Fetch a file into the cache's blobs, going on where an earlier attempt was cut, and give its sha256."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HTTPError
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo, name, revision=commit)
    remote = get_hf_file_metadata(url, timeout=30)
    # The Hub's ETag is the content's own checksum: sha256 of large files, git's blob id of small ones.
    if not ETAG.fullmatch(remote.etag or ""):
        raise MtbridgeError(f"{url} gives no checksum as the Hub does; check HF_ENDPOINT")
    tag = {"sha256" if len(remote.etag) == 64 else "blob": remote.etag}
    blobs = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repo, repo_type="model"), "blobs")
    blobs.mkdir(parents=True, exist_ok=True)
    blob, partial = blobs / remote.etag, blobs / f"{remote.etag}.partial"
    with _Reported(partial, f"{repo} {name}: byte", remote.size or 0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = blob.exists()
        if not there and remote.size is not None and file.tell() > remote.size:
            file.truncate(0)
        while not there:
            have = file.seek(0, os.SEEK_END)
            try:
                # Compressed bytes could not be gone on with: identity.
                headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
                http_get(url, file, resume_size=have, headers=headers, expected_size=remote.size)
                break
            except HTTPError as error:
                # http_get tries again by itself, but not when the connection was reset in the middle.
                if isinstance(error, HfHubHTTPError) or file.seek(0, os.SEEK_END) == have:
                    raise
        damaged = f"it was changed in the cache: delete {blob}" if there else "it was damaged on the way: fetch again"
        other = f"it is no longer what {lock} holds" if lock else damaged
        try:
            sha256 = _checked(blob if there else partial, (tag, damaged), (about, other))
        except MtbridgeError:
            partial.unlink()
            raise
        if there:
            partial.unlink()
        else:
            partial.replace(blob)
    return sha256


class _Reported(io.FileIO):
    """A file that is appended to and tells how far it is."""

    def __init__(self, path, what: str, total: int):
        super().__init__(path, "a+")
        self.seek(0, os.SEEK_END)
        self.progress = Progress(what, total, every=10)

    def write(self, data) -> int:
        written = super().write(data)
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.progress(self.tell())
        return written


def _checked(path: Path, *expectations: tuple[dict, str]) -> str:
    """sha256 of a file; MtbridgeError, with the remedy, if sha256, git blob id or size are not as expected."""
    try:
        size = path.stat().st_size
        sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                sha256.update(block)
                blob.update(block)
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); fetch it again") from error
    found = {"sha256": sha256.hexdigest(), "blob": blob.hexdigest(), "size": size}
    for about, remedy in expectations:
        for key, expected in about.items():
            if expected is not None and found[key] != expected:
                what = {"blob": "git blob id"}.get(key, key)
                raise MtbridgeError(f"wrong {what} {found[key]}, expected {expected}; {remedy}")
    return found["sha256"]


@contextlib.contextmanager
def _explain(repo: str, revision: str, held: str, name: str = ""):
    """What can go wrong with the Hub, each in one line that says what to do. Never shows a header or a token."""
    from huggingface_hub import constants, errors

    host = urlsplit(constants.ENDPOINT).netloc.rpartition("@")[2]
    what = f"{repo} ({revision})" + (f", {name}" if name else "") + (f", {held}" if held else "")
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
        remedy = "remove its entry there to take the revision as it is now" if held else "check the model's revision"
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
        if error.errno is None:  # what the client says of sizes that do not agree
            raise MtbridgeError(f"{what}: the transfer from {host} was not whole; fetch again") from None
        raise MtbridgeError(
            f"{what}: cannot be written to the cache ({error.strerror}); make room in {constants.HF_HUB_CACHE}, "
            "or set HF_HUB_CACHE to another folder"
        ) from None


def _unreachable(what: str, host: str, error: BaseException) -> str:
    return (
        f"{what}: {host} cannot be reached ({type(error).__name__}); check the network and fetch again, "
        "it goes on where it stopped; or set repo to a local directory"
    )


def _link(path: Path, place: Path) -> None:
    """The file at `place`, without a second copy where the file system allows."""
    real = path.resolve()
    try:
        os.link(real, place)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        shutil.copyfile(real, place)


# ---- The lock file ---------------------------------------------------------------------------------------------------


def _locked(lock, repo: str, revision: str) -> dict | None:
    """What the lock file holds of a revision, None if nothing yet."""
    if not Path(lock).exists():
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


def _write_lock(lock, repo: str, revision: str, entry: dict) -> None:
    """Add a revision to the lock file; jobs that fetch other models at the same time lose nothing."""
    lock = Path(lock)
    with _alone(lock.with_name(f".{lock.name}.held")):
        content = read_json(lock) if lock.exists() else {}
        there = content.setdefault(repo, {}).setdefault(revision, entry)
        if there != entry:
            raise MtbridgeError(f"{lock}: {repo}: {revision}: was locked meanwhile to another commit; fetch again")
        write_json(dict(sorted(content.items())), lock)
    print(f"{lock}: {repo} ({revision}) locked to {entry['commit']}; commit this file", file=sys.stderr)


@contextlib.contextmanager
def _alone(path: Path):
    """Hold a lock among processes; its file is gone afterwards."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with open(path, "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # Another may have removed the file while we waited for it: then ours locks nothing.
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
