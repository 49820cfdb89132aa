"""Fetches one revision of a repository on the Hugging Face Hub into a checkpoint folder, and checks every file.

The first fetch of a branch resolves its commit and writes it, with the files' sha256, to a lock file beside the
study's preset. Every later fetch gets the same commit and the same bytes, or stops. A locked file in the local cache
needs no request, so a study that was fetched once can be fetched again offline.

`base.hub` has what models share with data sets: the cache, checksums, the lock file.
"""

import errno
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, write_json
from mtbridge.base.hub import Repository, download, explain, read_lock, resolve, verify, write_lock
from mtbridge.models.checkpoints import WEIGHTS, shards
from mtbridge.specs.families import declared_family

# transformers would otherwise ask the Hub, in the background, to convert repositories without safetensors.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

# As with the weights, only the first that exists is fetched; one of GPT-2's kind lies in two files.
PIECES = ("sentencepiece.bpe.model", "sentencepiece.model", "spiece.model", "spm.model", "tokenizer.model")
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), *((name,) for name in PIECES), ("vocab.json", "merges.txt"))
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


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
            write_lock(lock, Repository(repo), revision, entry)


def _open_directory(folder: str) -> Revision:
    """A local directory, which has no commit and is not locked."""

    def get(name: str) -> tuple[Path, str]:
        return Path(folder, name), verify(Path(folder, name))

    return Revision(None, False, {path.name for path in Path(folder).iterdir() if path.is_file()}, get)


def _open_repository(name: str, revision: str, lock: Path) -> Revision:
    """A revision on the Hub, at the commit in the lock file if that has it."""
    repo = Repository(name)
    entry = read_lock(lock, repo, revision)
    lock_note = f"at the commit that {lock} holds" if entry else ""
    with explain(repo, revision, lock_note):
        commit, available = (entry["commit"], entry["files"]) if entry else resolve(repo, revision)[:2]

    def get(file: str) -> tuple[Path, str]:
        with explain(repo, revision, lock_note, file):
            return download(repo, commit, file, available[file], lock if entry else None)

    return Revision(commit, entry is not None, available, get)


def _link(path: Path, place: Path) -> None:
    """Put a file at `place`: a hard link where the file system allows one, else a copy."""
    real = path.resolve()
    try:
        os.link(real, place)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        shutil.copyfile(real, place)
