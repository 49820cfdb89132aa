"""Writes files completely or not at all, and names a broken file when it reads one.

A file is written beside its final place, synced to the disk and then renamed. So a file that exists is complete, even
after a power failure.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Pathlike = str | os.PathLike[str]
RECORD = b"mtbridge"  # the key of a Parquet file's metadata that holds its record

# Errors that only writing can cause: no space, over quota, read-only file system, file too big.
WRITE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


def cannot_write(path: Pathlike, error: object) -> MtbridgeError:
    """The error to raise for a file or folder that cannot be written."""
    return MtbridgeError(f"{path}: cannot be written: {error}; check the folder's space and rights")


def _lack_of_space(error: Exception) -> str:
    """The message of an error that says that there is no space to write, else "".

    Libraries in Rust (safetensors, tokenizers) and NumPy put the reason into the text and leave `errno` empty.
    """
    # numpy.ndarray.tofile
    if re.fullmatch(r"\d+ requested and \d+ written", str(error)):
        return f"no space left ({error})"
    # Rust's std::io::Error
    number = re.search(r"\(os error (\d+)\)$", str(error))
    codes = {getattr(error, "errno", None), int(number[1]) if number else None}
    return str(error) if codes & WRITE_ERRORS else ""


def sync_to_disk(*paths: Pathlike) -> None:
    """Wait until files, and the names in folders, are on the disk and not only in the system's memory."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the file system has no such operation
                raise
        finally:
            os.close(handle)


@contextlib.contextmanager
def atomic_write(path: Pathlike) -> Iterator[Path]:
    """Yield a temporary path beside `path`. On success it becomes `path`, on any failure it is removed.

    Works for a file and for a folder: create either at the path that is yielded. Its parent exists, the path does not.

    Raises:
        MtbridgeError: `path` cannot be written. Any other error of the caller is raised unchanged.
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
        if path.is_dir():  # os.replace cannot replace a folder that is not empty
            shutil.rmtree(path)
        os.replace(temporary, path)
        sync_to_disk(path.parent)  # the new name
    except MtbridgeError:
        raise
    except Exception as error:
        # The caller may also have failed to read some other file; that error must keep its own message.
        reason = _lack_of_space(error)
        if not reason and not str(getattr(error, "filename", None) or "").startswith(str(holder)):
            raise
        raise cannot_write(path, reason or error) from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def write_json(value: Any, path: Pathlike) -> None:
    """Write `value` as indented JSON, completely or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Pathlike, keys: Iterable[str] = ()) -> Any:
    """Read a JSON file. With `keys`, it must hold an object that has all of them.

    Raises:
        MtbridgeError: there is no such file, it is not JSON, or a key is missing.
    """
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


def sha256(*paths: Pathlike) -> str:
    """The SHA-256 of a file's content, as hex digits. Of several files: the SHA-256 of their digests, in this order.

    Raises:
        MtbridgeError: a file cannot be read.
    """
    digests = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise MtbridgeError(
                f"{path}: cannot be read ({error.strerror}); the step that makes it has not run"
            ) from error
    return digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()


def write_parquet(frame: "pd.DataFrame | pa.Table", path: Pathlike, record: dict | None = None) -> None:
    """Write a pandas DataFrame or a pyarrow Table as Parquet, completely or not at all.

    record: how the file came to be, as JSON takes it; `read_record` gives it back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    if record is not None:
        kept = table.schema.metadata or {}
        table = table.replace_schema_metadata({**kept, RECORD: json.dumps(record, sort_keys=True).encode()})
    with atomic_write(path) as temporary:
        # Checksums, so that a damaged file is an error and not other numbers.
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_table(path: Pathlike, columns: list[str] | None = None) -> "pa.Table":
    """Read a Parquet file, or some of its columns.

    Raises:
        MtbridgeError: there is no such file, it is not Parquet, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Without partitioning=None a folder such as `seed=1` in the path would become a column.
        table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except FileNotFoundError:
        raise MtbridgeError(f"{path}: no such file; the step that makes it has not run") from None
    except (pa.ArrowException, OSError) as error:
        raise MtbridgeError(f"{path}: not readable as Parquet ({error}); delete it so that it is made again") from error
    missing = [column for column in columns or [] if column not in table.column_names]
    if missing:
        raise MtbridgeError(f"{path}: lacks the columns {', '.join(missing)}; delete it so that it is made again")
    return table.select(columns) if columns else table


def read_record(path: Pathlike) -> dict:
    """The record that `write_parquet` was given; empty without one. Raises MtbridgeError if the file is no Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise MtbridgeError(f"{path}: not readable as Parquet ({error}); delete it so that it is made again") from error
    return json.loads(metadata.get(RECORD, b"{}"))


def read_parquet(path: Pathlike, columns: list[str] | None = None) -> "pd.DataFrame":
    """Read a Parquet file as a pandas DataFrame; see `read_table`."""
    return read_table(path, columns).to_pandas()


def package_data(module_file: str, name: str) -> Any:
    """The content of a YAML file of the package. Every scalar in it is text: `no` is a word, not false.

    Call it as `package_data(__file__, "words/nouns.yaml")`: the path is relative to the module's folder. Write the path
    as a literal, because `base.identity` reads in such calls which files a module depends on.

    Raises:
        MtbridgeError: there is no such file.
    """
    import yaml

    path = Path(module_file).parent / name
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); install the package again") from error
    # BaseLoader makes texts, lists and mappings only: no numbers, dates or booleans, and no Python objects, so it is as
    # safe as `yaml.safe_load`. Its version in C is faster, where PyYAML was built with it.
    return yaml.load(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
