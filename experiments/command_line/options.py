"""Checks the options of a composed config before anything is read, fitted or asked.

Raises ``OptionError`` with the option, the value and what was wanted, in the words of a command.
"""

import inspect
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Unpack, get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from experiments.command_line.experiment_options import OF_EXPERIMENT
from experiments.command_line.kinds import Choice, Kind
from experiments.command_line.option_table import NODES, TABLE
from simenv.values.extras import install_line

# Settings of a target that Hydra reads itself.
_HYDRAS = ("_target_", "_partial_", "_recursive_", "_convert_", "_args_")
_SAME = (("users.engine", "engine"), ("users.embedder", "embedder"), ("engine.engine", "engine"))


class OptionError(ValueError):
    """An option of the command that cannot be: the text names it, its value and what was wanted."""


def check_options(config: Mapping[str, Any]) -> None:
    """Check every option that the table knows.

    Args:
        config: resolved, as plain dicts and lists; not changed.

    Raises:
        OptionError: naming option, value and range.
    """
    experiment = config.get("experiment")
    if not isinstance(experiment, Mapping) or "run" not in experiment:
        raise OptionError("experiment wanted the name of one (personarec --help lists them)")
    table = TABLE | OF_EXPERIMENT.get(str(experiment.get("name")), {})
    for option, value in _options(config, table):
        kind = kind_of(option, table)
        if kind is not None and not kind.fits(value):
            raise OptionError(refusal(option, kind, value))


def check_complete(config: Mapping[str, Any], wanted: Iterable[str], name: str) -> None:
    """Check that nothing that the experiment reads was taken out of the config.

    Args:
        config: plain dicts and lists; not changed.
        wanted: dotted names.
        name: of the experiment.

    Raises:
        OptionError: naming the option.
    """
    for option in wanted:
        node: Any = config
        for part in option.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise OptionError(
                    f"{name} wanted the option {option}, which was taken out; leave out ~{option}"
                )
            node = node[part]


def check_device(config: Mapping[str, Any]) -> None:
    """Check that a GPU that is named is there; torch is loaded only where one is named.

    Raises:
        OptionError: there is none.
    """
    for group in ("engine", "embedder", "experiment"):
        node = config.get(group)
        device = node.get("device") if isinstance(node, Mapping) else None
        if isinstance(device, str) and device.startswith("cuda"):
            import torch

            if not torch.cuda.is_available():
                raise OptionError(
                    f"{group}.device={device} wanted an NVIDIA GPU that PyTorch can use, there is"
                    f" none here; use {group}.device=cpu, or install PyTorch for CUDA"
                )


def replace_choices(cfg: DictConfig, overrides: Iterable[str]) -> None:
    """Choices under names of one's own are those of the command alone.

    Hydra merges a mapping into the default, so ``experiment.cells={Ms: [none]}`` would still fill
    every other cell. Options of ``NODES`` are what was given, nothing else.

    Args:
        cfg: composed; changed in place.
        overrides: words of the command.
    """
    parser = OverridesParser.create()
    for word in overrides:
        if word.split("=")[0].lstrip("+") not in NODES:
            continue
        override = parser.parse_override(word)
        value = override.value()
        if isinstance(value, dict):
            OmegaConf.update(cfg, override.key_or_group, value, merge=False)


def check_targets(config: Mapping[str, Any], groups: tuple[str, ...]) -> None:
    """Check that everything that is named by a dotted path exists and takes what it is given.

    Args:
        config: resolved, as plain dicts and lists; not changed.
        groups: whose nodes are looked at.

    Raises:
        OptionError: naming the option and the nearest name.
    """
    policies = config.get("recommender") if "recommender" in groups else None
    for name, node in policies.items() if isinstance(policies, Mapping) else ():
        if not isinstance(node, Mapping) or "_target_" not in node:
            cure = f"; did you mean recommender.{name}._target_={node}?"
            raise OptionError(
                f"recommender.{name} wanted a policy ({{_target_: MODULE.NAME, argument: value}}),"
                f" got {in_command(node)}{cure if isinstance(node, str) and '.' in node else ''}"
            )
    for group in groups:
        for option, node in _targets(config.get(group), group):
            _check_target(option, node)


def kind_of(option: str, table: Mapping[str, Kind] = TABLE) -> Kind | None:
    """The kind of an option's values; None = nobody has listed it."""
    for inner, outer in _SAME:
        if option.startswith(f"{inner}."):
            return kind_of(outer + option.removeprefix(inner), table)
    if option in table:
        return table[option]
    head, _, last = option.rpartition(".")
    place, _, _ = head.rpartition(".")
    return table.get(f"{head}.*", table.get(f"{place}.*.{last}"))


def refusal(option: str, kind: Kind, value: Any) -> str:
    """The text of an error, with the nearest word where there is one.

    >>> refusal("users.ablation", Choice(("none", "no_ms")), "no_mss")
    'users.ablation wanted one of none, no_ms, got no_mss; did you mean users.ablation=no_ms?'
    """
    text = f"{option} wanted {kind.wanted}, got {in_command(value)}"
    near = []
    if isinstance(kind, Choice) and isinstance(value, str):
        near = get_close_matches(value.lower(), kind.words, n=1)
    return f"{text}; did you mean {option}={near[0]}?" if near else text


def in_command(value: Any) -> str:
    """A value as it is written in a command."""
    if isinstance(value, str):
        return value if value.strip() else f"'{value}'"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        text = str(value)
    return text.replace('"', "") if len(text) < 200 else f"{text[:200]}…".replace('"', "")


def _options(config: Mapping[str, Any], table: Mapping[str, Kind]) -> Iterator[tuple[str, Any]]:
    """Every option with its value; nodes of a kind of their own are one option."""
    parents = {name.rpartition(".")[0] for name in table} - {""}
    waiting: list[tuple[str, Any]] = [(str(key), value) for key, value in config.items()]
    while waiting:
        option, value = waiting.pop(0)
        own = kind_of(option, table)
        if own is not None:
            yield option, value
        elif option in NODES:
            if not NODES[option].fits(value):
                raise OptionError(refusal(option, NODES[option], value))
        elif isinstance(value, Mapping):
            waiting += [(f"{option}.{key}", one) for key, one in value.items()]
        elif option in parents and not (value is None and option == "recommender"):
            inner = sorted(name for name in table if name.startswith(f"{option}."))
            shown = ", ".join(inner[:3])
            raise OptionError(
                f"{option} wanted options of its own ({shown}, …), got {in_command(value)}"
            )


def _targets(node: Any, option: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield option, node
        for key, value in node.items():
            yield from _targets(value, f"{option}.{key}")


def _check_target(option: str, node: Mapping[str, Any]) -> None:
    path = node["_target_"]
    if not isinstance(path, str) or "." not in path:
        raise OptionError(
            f"{option}._target_ wanted the dotted path of a class or function, got"
            f" {in_command(path)}; write MODULE.NAME"
        )
    target = _found(option, path)
    if target is None:
        return
    known = _keywords(target)
    given = [str(key) for key in node if key not in _HYDRAS]
    unknown = [] if known is None else [key for key in given if key not in known]
    if known is not None and unknown:
        near = get_close_matches(unknown[0], sorted(known), n=1)
        cure = f"did you mean {option}.{near[0]}?" if near else f"it has {', '.join(sorted(known))}"
        raise OptionError(f"{option}.{unknown[0]} is no option of {path}; {cure}")


def _found(option: str, path: str) -> Any:
    """What a path names; None where it wants an extra, of which a run that uses it will tell."""
    log = logging.getLogger("hydra.utils")  # it prints what the error says again
    was = log.disabled
    log.disabled = True
    try:
        return get_object(path)
    except Exception as error:  # whatever importing a user's module raises
        cause = error.__cause__ or error
        if isinstance(cause, ImportError) and install_line(cause):
            return None
        near = _nearest_target(path)
        cure = (
            f"did you mean {near}?"
            if near
            else "name a class or function of a module in the working directory or in an installed"
            " package"
        )
        raise OptionError(
            f"{option}._target_={path} cannot be imported: {type(cause).__name__}: {cause}; {cure}"
        ) from error
    finally:
        log.disabled = was


def _nearest_target(path: str) -> str | None:
    """A name of the module that is alike, or of a module that lies here."""
    module, _, name = path.rpartition(".")
    if module in sys.modules:
        near = get_close_matches(name, vars(sys.modules[module]), n=1)
        return f"{module}.{near[0]}" if near else None
    near = get_close_matches(module, [file.stem for file in Path.cwd().glob("*.py")], n=1)
    return f"{near[0]}.{name}" if near and near[0] != module else None


def _keywords(target: Any) -> set[str] | None:
    """Keywords that a target declares; None = it takes any."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    parameters = signature.parameters.values()
    names = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}
    if len(names) == len(signature.parameters):
        return names
    declared = _declared(target)
    return None if declared is None else names | declared


def _declared(target: Any) -> set[str] | None:
    """Keywords of ``**settings: Unpack[Settings]``; None = they are not declared."""
    try:
        parameters = inspect.signature(target, eval_str=True).parameters.values()
    except (TypeError, ValueError, NameError):
        return None
    annotation = next(one.annotation for one in parameters if one.kind is one.VAR_KEYWORD)
    if get_origin(annotation) is not Unpack:
        return None
    (settings,) = get_args(annotation)
    return set(settings.__required_keys__ | settings.__optional_keys__)
