"""Files of a release in a folder, or in a tar archive from which only one task's files are unpacked."""

import functools
import lzma
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from mtbridge.base.errors import MtbridgeError

RELEASE = "xglue_full_dataset"  # the top folder inside the archive


def names(root: Path, folder: str) -> set[str]:
    """Names of the files in a folder of the release, relative to the folder. root: a folder or an archive."""
    if root.is_file():
        prefix = folder + "/"
        return {name.removeprefix(prefix) for name in _index(root, _stamp(root)) if name.startswith(prefix)}
    return {path.relative_to(root / folder).as_posix() for path in (root / folder).glob("**/*") if path.is_file()}


def content(root: Path, folder: str, name: str) -> tuple[bytes, str]:
    """A file's bytes, and the path that messages give it. Raises MtbridgeError if it cannot be read."""
    path = f"{root}/{folder}/{name}"
    on_disk = Path(_unpack(root, folder, _stamp(root)).name, name) if root.is_file() else Path(path)
    try:
        return on_disk.read_bytes(), path
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read: {error.strerror}; check the file and its rights") from error


def _stamp(path: Path) -> tuple[int, int, int]:
    """Size, inode and time of change: what a process has read from the file is kept until they change."""
    status = path.stat()
    return status.st_size, status.st_ino, status.st_ctime_ns


@functools.lru_cache(maxsize=2)
def _index(archive: Path, stamp) -> frozenset[str]:
    """Names of all files in an archive, relative to the release's folder."""
    return frozenset(name for name, _ in _members(archive))


@functools.lru_cache(maxsize=2)
def _unpack(archive: Path, folder: str, stamp) -> tempfile.TemporaryDirectory:
    """A task's files in a temporary folder, because reading one file of a compressed archive reads all before it.

    The folder disappears when the process ends.
    """
    target = tempfile.TemporaryDirectory(prefix="mtbridge-")
    for name, data in _members(archive, folder + "/"):
        if data is not None:
            path = Path(target.name, name.removeprefix(folder + "/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return target


def _members(archive: Path, wanted: str | None = None):
    """Yield (name inside the release, content) of every file; content is None unless the name begins with `wanted`.

    Raises MtbridgeError for an archive that is damaged, that holds links, devices or paths outside it, or a file twice.
    """
    seen = set()
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise MtbridgeError(f"{archive}: its member '{member.name}' points outside it; do not use it")
                if not (member.isfile() or member.isdir()):
                    raise MtbridgeError(
                        f"{archive}: its member '{member.name}' is a link or a device; the release holds files only"
                    )
                if member.isfile():
                    name = "/".join(path.parts[1:] if path.parts[0] == RELEASE else path.parts)
                    if name in seen:
                        raise MtbridgeError(f"{archive}: its member '{member.name}' is there twice; pack it again")
                    seen.add(name)
                    yield name, _bytes_of(tar, member) if wanted and name.startswith(wanted) else None
            # The checksum of a compressed file comes after its last member: only reading it shows damage.
            while tar.fileobj.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise MtbridgeError(f"{archive}: not a whole tar archive ({error}); get it again") from error


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    assert opened is not None  # None is for what is no regular file, and those are refused
    with opened:
        return opened.read()
