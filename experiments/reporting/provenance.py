"""Where a result comes from: versions, commit, config, seed, times. No host name, no machine path.

A report is something people send to each other, so every text that goes into it passes through
``public_text`` first.
"""

import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from agents.inference.server.masking import (
    Masker,
    masked_argument,
    masked_config,
    masked_text,
    secrets_of_config,
)
from experiments.command_line.arguments import in_shell

# What can change a figure. A package that is not installed is left out.
PACKAGES = (
    "personarec", "numpy", "scipy", "pandas", "scikit-learn", "gymnasium", "faiss-cpu", "implicit",
    "torch", "transformers", "peft", "tokenizers", "sentence-transformers", "stable-baselines3",
    "hydra-core", "mesa", "ray", "vllm",
)  # fmt: skip

_ROOT = Path(__file__).resolve().parents[2]
# An absolute path of at least one folder, not a piece of a URL or of a relative path.
_ABSOLUTE = re.compile(r"(?<![\w./~:-])(?:/[\w.@+~-]+)+/?|(?<!\w)[A-Za-z]:\\[^\s'\"]+")


def provenance(config: Mapping[str, Any], started: datetime) -> dict[str, Any]:
    """Everything needed to say how a result was made.

    Args:
        config: the resolved config.
        started: when the run began (timezone-aware); the end is now.
    """
    ended = datetime.now(UTC)
    return {
        "command": command_line(config),
        "seed": config.get("seed"),
        "started": started.astimezone(UTC).isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 1),
        "git": git_state(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": package_versions(),
        "config": public(config),
    }


def command_line(config: Mapping[str, Any]) -> str:
    """How the program was started, for a shell, without machine paths and the config's secrets."""
    mask = Masker(secrets_of_config(config))
    words = (mask(masked_argument(argument)) for argument in sys.argv[1:])
    return public_text(" ".join(["personarec", *map(in_shell, words)]))


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that can change a figure."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_state() -> dict[str, Any]:
    """Commit of this code and whether it was changed since; both None outside a checkout."""
    if not (_ROOT / ".git").exists():  # installed somewhere inside another project's checkout
        return {"commit": None, "dirty": None}
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain")
    return {"commit": commit or None, "dirty": None if status is None else bool(status)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def public(value: Any) -> Any:
    """``value`` (nested mappings, sequences, scalars) without machine paths and secrets."""
    return _without_paths(masked_config(value))


def _without_paths(value: Any) -> Any:
    if isinstance(value, str):
        return public_text(value)
    if isinstance(value, Path):
        return public_text(str(value))
    if isinstance(value, Mapping):
        return {str(k): _without_paths(v) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [_without_paths(v) for v in value]
    return value


def public_text(text: str) -> str:
    """``text`` without credentials, absolute paths shortened to what is left of a known folder.

    A path below the working folder becomes relative, one below home begins with ``~``, and of any
    other only the last part stays, behind ``…/``. What has one part alone ("Score /10") has none to
    hide and stays as it is.
    """
    return _ABSOLUTE.sub(lambda match: _public_path(match.group()), masked_text(text))


def _public_path(path: str) -> str:
    for folder, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        # A home of "/" (some containers) would claim every path.
        if folder != Path(folder.anchor) and Path(path).is_relative_to(folder):
            rest = Path(path).relative_to(folder).as_posix()
            return prefix + rest if rest != "." else (prefix or ".")
    *folders, last = re.split(r"[\\/]", path.rstrip("\\/"))
    return f"…/{last}" if any(folders) else path
