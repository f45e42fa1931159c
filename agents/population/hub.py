"""Folders to and from the Hugging Face Hub; it knows no population and no result.

The token is huggingface_hub's own affair (``hf auth login`` or HF_TOKEN) and never seen here. Only
files of known names come down: what can run code is not even fetched.
"""

from collections.abc import Iterable
from pathlib import Path

from simenv.values.extras import needing


def fetch(
    repo_id: str,
    files: Iterable[str],
    revision: str | None = None,
    *,
    what: str = "population",
    repo_type: str | None = None,
) -> Path:
    """The folder of ``owner/name``, out of huggingface_hub's cache where it is there already.

    Args:
        repo_id: ``owner/name``.
        files: patterns of what is fetched.
        revision: branch, tag or commit; None = the main branch as it is now.
        what: it is, for errors.
        repo_type: of the hub: None = a model, or "dataset".

    Raises:
        FileNotFoundError: it is not on the hub, may not be read, or the hub cannot be reached.
    """
    with needing(f"{what} {repo_id!r} is fetched from the Hub"):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )

    try:
        found = snapshot_download(
            repo_id, revision=revision, allow_patterns=list(files), repo_type=repo_type
        )
        return Path(found)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        at = f" at {revision!r}" if revision else ""
        raise FileNotFoundError(
            f"{what} {repo_id!r}{at} is no folder here and cannot be fetched from the hub"
            f" ({type(error).__name__}); check the name, the network, or `hf auth login`"
        ) from error


def holds(repo_id: str, file: str) -> bool:
    """Whether ``owner/name`` has this file, by huggingface_hub's cache or by asking the hub."""
    with needing("a model from the Hub"):
        from huggingface_hub import file_exists, try_to_load_from_cache

    try:
        kept = try_to_load_from_cache(repo_id, file)
        return isinstance(kept, str) or file_exists(repo_id, file)
    except Exception:  # of HTTP, of names, of the cache: not known to hold it
        return False


def push(
    folder: Path,
    repo_id: str,
    *,
    private: bool,
    message: str,
    what: str = "population",
    repo_type: str | None = None,
) -> str:
    """Make the repository ``repo_id`` hold exactly the files of ``folder``.

    Args:
        folder: what goes up.
        repo_id: ``owner/name``; made where it is not there.
        private: whether a new repository is; one that is there stays as it is.
        message: of the commit.
        what: it is, for errors.
        repo_type: of the hub: None = a model, or "dataset".

    Returns:
        The commit's id, good as a ``revision``.

    Raises:
        ValueError: ``repo_id`` is not ``owner/name``.
        ConnectionError: the hub refused, or cannot be reached. A commit is taken whole or not at
            all, so nothing is half there.
    """
    with needing("sharing on the Hub"):
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if repo_id.count("/") != 1:
        raise ValueError(f"the hub wanted a name as owner/name, got {repo_id!r}")
    api = HfApi()
    try:
        api.create_repo(repo_id, private=private, exist_ok=True, repo_type=repo_type)
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            commit_message=message,
            delete_patterns="*",
            repo_type=repo_type,
        )
    except HFValidationError as error:
        raise ValueError(f"the hub wanted a name as owner/name, got {repo_id!r}") from error
    except (HfHubHTTPError, OSError) as error:
        raise ConnectionError(
            f"{what} {repo_id!r} could not be pushed ({type(error).__name__}: {error}); log in"
            " with `hf auth login` or HF_TOKEN as someone who may write there, or check the network"
        ) from error
    return str(commit.oid)
