"""Which options there are: of a command, composed as far as its groups go, and of every choice."""

from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

import conf
from experiments.command_line.experiments_said import groups
from experiments.command_line.option_table import TABLE


def option_names(words: list[str]) -> list[str]:
    """Dotted names of all options that a command with these groups has.

    Args:
        words: of the command; what is no choice of a group is left out.
    """
    known = groups()
    chosen = [word for word in words if word.split("=")[0].split("@")[0] in known]
    for tried in (chosen, [w for w in chosen if w.startswith("experiment=")]):
        try:
            return [*known, *_leaves(composed(tried))]
        except Exception:  # a choice that does not exist: the table is the next best list
            continue
    return [*known, *(name for name in TABLE if "*" not in name)]


def choices() -> dict[str, dict[str, list[str]]]:
    """Config group → its choices → the options that each brings, as their files name them."""
    return {
        group: {name: _keys(Path(conf.__file__).parent / group / f"{name}.yaml") for name in names}
        for group, names in groups().items()
    }


def _keys(file: Path) -> list[str]:
    return [str(key) for key in OmegaConf.load(file)]


def composed(overrides: list[str]) -> DictConfig:
    """The config of a command; not within a run of Hydra, which has composed its own."""
    GlobalHydra.instance().clear()
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", overrides)


def _leaves(node: Any, path: str = "") -> list[str]:
    found = []
    for key in node:
        name = f"{path}.{key}" if path else str(key)
        if str(key).startswith("_"):
            continue
        inner = None if OmegaConf.is_missing(node, key) else node._get_node(key)
        found.append(name)
        if isinstance(inner, DictConfig) and not inner._is_interpolation() and not inner._is_none():
            found += _leaves(inner, name)
    return found
