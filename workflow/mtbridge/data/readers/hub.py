"""Files of dataset repositories on the Hugging Face Hub."""

import functools
import sys
from pathlib import Path

from mtbridge.base.errors import MtbridgeError


@functools.cache
def fetch(repo: str, revision: str | None, file: str) -> Path:
    """Fetch one file of a dataset repository, or take it from the Hub's cache; print the commit on stderr.

    With HF_HUB_OFFLINE=1 it comes from the cache alone. An interrupted download continues where it stopped. Raises
    MtbridgeError.
    """
    from huggingface_hub import errors, hf_hub_download

    where = f"{repo}@{revision or 'main'}/{file}"
    print(f"{where}: asking the Hub and its cache", file=sys.stderr, flush=True)
    advice = "set `xglue:` to a local folder or archive, or check the address"
    try:
        path = Path(hf_hub_download(repo, file, repo_type="dataset", revision=revision))
    except errors.GatedRepoError as error:
        raise MtbridgeError(f"{where}: access is restricted; ask for it on the repository's page and log in") from error
    except errors.RepositoryNotFoundError as error:
        raise MtbridgeError(f"{where}: the Hub has no such dataset, or not for you; {advice}") from error
    except errors.RevisionNotFoundError as error:
        raise MtbridgeError(f"{where}: the dataset has no such revision; {advice}") from error
    except errors.LocalEntryNotFoundError as error:
        raise MtbridgeError(f"{where}: not in the cache, and the Hub cannot be reached; {advice}") from error
    except errors.EntryNotFoundError as error:
        raise MtbridgeError(f"{where}: the dataset has no such file; {advice}") from error
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{where}: cannot be fetched ({error}); {advice}") from error
    # The cache's layout is …/snapshots/<commit>/<file>.
    commit = path.parts[-1 - len(Path(file).parts)]
    print(f"{where}: commit {commit}, {path.stat().st_size / 1e6:.0f} MB", file=sys.stderr, flush=True)
    return path
