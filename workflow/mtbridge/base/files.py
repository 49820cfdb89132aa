"""Writing files so that nobody ever meets half of one, and reading them so that a broken one is named.

Everything is written beside its final place, brought to the disk and renamed; a reader that finds a file finds a whole
one, also after the power was cut.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from mtbridge.base.errors import MtbridgeError

# What only a write can fail with: no space, a quota, a file system that is read-only.
WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


def cannot_write(path, error) -> MtbridgeError:
    """The error of a file or folder that could not be written."""
    return MtbridgeError(f"{path}: cannot be written: {error}; check the folder's space and rights")


def _lack_of_space(error: Exception) -> str:
    """What a library failed with if nothing could be written, else "". Those in Rust, and numpy, tell it in words."""
    if re.fullmatch(r"\d+ requested and \d+ written", str(error)):
        return f"no space left ({error})"
    number = re.search(r"\(os error (\d+)\)$", str(error))
    known = {getattr(error, "errno", None), int(number[1]) if number else None}
    return str(error) if known & WRITING else ""


def sync_to_disk(*paths) -> None:
    """Wait until files and folders (the names in them) have reached the disk, and not only the system's memory."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:  # what the file system does not know
                raise
        finally:
            os.close(handle)


@contextlib.contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path`; rename it there on success, remove it on any failure.

    Serves files and folders: make either at the path that is yielded (its parent exists, it does not).
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        temporary = holder / path.name
        yield temporary
        sync_to_disk(*temporary.rglob("*"), temporary)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
        sync_to_disk(path.parent)
    except MtbridgeError:
        raise
    except Exception as error:
        # What failed may as well be the reading of something else; that is told by its own name.
        said = _lack_of_space(error)
        if not said and not str(getattr(error, "filename", None) or "").startswith(str(holder)):
            raise
        raise cannot_write(path, said or error) from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def write_json(value, path) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path, keys=()):
    """Read JSON, or say which file is not; with `keys`, an object that has them all."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MtbridgeError(f"{path}: no such file; the step that makes it has not run") from None
    except (ValueError, OSError) as error:
        raise MtbridgeError(f"{path}: not readable as JSON ({error}); delete it so that it is made again") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise MtbridgeError(f"{path}: lacks {', '.join(missing)}; delete it so that it is made again")
    return content


def sha256(*paths) -> str:
    """The sha256 of a file's content; of several files, that of their sha256s, in the order given."""
    found = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                found.append(hashlib.file_digest(file, "sha256"))
        except OSError as error:
            raise MtbridgeError(
                f"{path}: cannot be read ({error.strerror}); the step that makes it has not run"
            ) from error
    return found[0].hexdigest() if len(found) == 1 else hashlib.sha256(b"".join(d.digest() for d in found)).hexdigest()


def write_parquet(frame, path) -> None:
    """Write a pandas DataFrame or a pyarrow Table as Parquet, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_table(path, columns=None):
    """Read Parquet as a pyarrow Table; `columns` must all be there. Raises MtbridgeError naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except FileNotFoundError:
        raise MtbridgeError(f"{path}: no such file; the step that makes it has not run") from None
    except (pa.ArrowException, OSError) as error:
        raise MtbridgeError(f"{path}: not readable as Parquet ({error}); delete it so that it is made again") from error
    missing = [c for c in columns or [] if c not in table.column_names]
    if missing:
        raise MtbridgeError(f"{path}: lacks the columns {', '.join(missing)}; delete it so that it is made again")
    return table.select(columns) if columns else table


def read_parquet(path, columns=None):
    """Read Parquet as a pandas DataFrame; see `read_table`."""
    return read_table(path, columns).to_pandas()


def package_data(module_file: str, name: str):
    """The content of a YAML file of the package. Every scalar in it is text: `no` is a word, not false.

    Call it as `package_data(__file__, "words/nouns.yaml")`: the path is relative to the module's folder. Write it as a
    literal, because the identity of code finds the files that a module reads in the text of such calls.
    Raises MtbridgeError if there is no such file.
    """
    import yaml

    path = Path(module_file).parent / name
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); install the package again") from error
    return yaml.load(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
