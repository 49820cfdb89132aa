"""Identifies the user's files by their content, so that a file with other content and an older date is seen as changed.

Hashing a large archive takes seconds, so a digest is kept beside the file's size, inode, and times of its last change.
The system sets the time of the last status change (ctime) itself: no program that keeps dates (tar, rsync -t, mv) can
set it back.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mtbridge.base.files import sha256

CACHE = Path(".snakemake", "mtbridge", "digests.json")  # in the folder where the workflow runs
# Seconds. A file that changed so recently may change again within the resolution of the file system's clock.
RECENT = 2.0


def content_digest(paths: Sequence[str | os.PathLike], cache: Path = CACHE) -> str:
    """A digest of the names and contents of files; of a folder, of all files in it. "" for no file.

    Raises:
        MtbridgeError: a file cannot be read.
    """
    if not paths:
        return ""
    known = _read(cache)
    found, parts = {}, []
    for path in map(Path, paths):
        for file in sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]:
            key = os.path.abspath(file)
            stamp = _stamp(file)
            digest = known[key][1] if key in known and known[key][0] == stamp else sha256(file)
            if stamp and time.time() - max(stamp[2:]) / 1e9 > RECENT:
                found[key] = [stamp, digest]
            parts.append(f"{file.relative_to(path.parent)} {digest}")
    if any(known.get(key) != value for key, value in found.items()):
        _write({**known, **found}, cache)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _stamp(file: Path) -> list[int]:
    """Size, inode, and times of change of content and status; empty for a file that is not there."""
    with contextlib.suppress(OSError):
        status = file.stat()
        return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
    return []


def _read(cache: Path) -> dict[str, list]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(cache.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _write(known: dict[str, list], cache: Path) -> None:
    """Replace the cache; without a place to write, files are hashed again next time."""
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache.parent, delete=False, encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(file.name, cache)
