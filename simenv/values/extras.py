"""Libraries that are not installed with the package: which extra brings each. It imports none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Module → the extra of pyproject.toml that brings it.
EXTRA_OF: Mapping[str, str] = {
    **dict.fromkeys(("huggingface_hub", "numba", "peft", "torch", "transformers"), "local"),
    **dict.fromkeys(("accelerate", "bitsandbytes", "datasets", "kneed", "trl"), "train"),
    **dict.fromkeys(("diskcache", "openai", "tenacity", "tokenizers"), "serve"),
    **dict.fromkeys(("cornac", "implicit"), "rec"),
    **dict.fromkeys(("minari", "stable_baselines3", "tensorboard"), "rl"),
    **dict.fromkeys(("gguf", "llama_cpp"), "llama"),
    **dict.fromkeys(("mesa", "networkx", "solara", "uvicorn"), "abm"),
    "mlflow": "tracking",
    "optuna": "sweeps",
    "myfm": "fm",
    "ray": "ray",
}


def install_line(error: ImportError) -> str | None:
    """What brings the library that an import did not find; None = none of ours, or it is said.

    >>> install_line(ModuleNotFoundError("No module named 'mesa'", name="mesa"))
    "mesa is not installed: pip install 'personarec[abm]'"
    """
    library = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or library not in EXTRA_OF:
        return None
    if "pip install" in str(error):
        return None
    return f"{library} is not installed: pip install 'personarec[{EXTRA_OF[library]}]'"


@contextmanager
def needing(what: str, otherwise: str = "") -> Iterator[None]:
    """Imports inside that find no library say what they are for and the line that installs it.

    Args:
        what: is needed, such as "engine='local'".
        otherwise: what can be done without it.

    Raises:
        ModuleNotFoundError: a library of an extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        line = install_line(error)
        if line is None:
            raise
        cure = f", or {otherwise}" if otherwise else ""
        raise ModuleNotFoundError(f"{what}: {line}{cure}", name=error.name) from error
