"""Options that reach nothing because of other options; they are refused, never ignored.

A package says ``ONLY_WITH = {option: switch}``: the option has an effect only where the switch, a
dotted name, is on. ``slm`` has its own module, ``base_model_option``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from agents.inference.server.masking import masked_argument, refilled_config
from experiments.command_line.experiments_said import Said
from experiments.command_line.options import OptionError, in_command

_OF_ANY_RUN = ("resume", "app", "experiment", "hydra", "tracking")  # beside resume=… too
_BY_USERS = ("engine", "embedder")  # common options that reach an experiment through its users


def check_effects(config: Mapping[str, Any], said: Said, overrides: Iterable[str]) -> None:
    """Refuse options of the command that would change nothing beside the others.

    Args:
        config: resolved, as plain dicts and lists; not changed.
        said: of the experiment.
        overrides: words of the command.

    Raises:
        OptionError: naming the option and what would have to be given with it.
    """
    if config.get("app"):  # the live page offers users and shocks of its own
        return
    if config.get("resume") is not None:
        _check_resumed(config, overrides)
        return
    for word in overrides:
        option = word.lstrip("+~").split("=")[0].split("@")[0]
        _check_users(config, said, word, option)
        _check_switches(config, said, word, option)


def _check_switches(config: Mapping[str, Any], said: Said, word: str, option: str) -> None:
    for name, switch in said.only_with.items():
        value = _value(config, switch)
        if f"{option}.".startswith(f"{name}.") and not value:
            raise OptionError(
                f"{word} would change nothing: {switch} is {'not set' if value is None else value};"
                f" set it, or leave {option} out"
            )


def _check_users(config: Mapping[str, Any], said: Said, word: str, option: str) -> None:
    root = option.split(".")[0]
    users = config.get("users")
    if root not in _BY_USERS or said.uses is None or "users" not in said.uses:
        return
    if not isinstance(users, Mapping) or config.get(root) not in users.values():
        raise OptionError(
            f"{word} would change nothing: these users have no {root}; take users=persona, or leave"
            f" {option} out"
        )
    if root == "embedder" and users.get("population") is not None:
        raise OptionError(
            f"{word} would change nothing: the people of users.population bring their memories"
            f" with what finds them; leave {option} out"
        )


def _check_resumed(config: Mapping[str, Any], overrides: Iterable[str]) -> None:
    """Refuse what differs from the config that the resumed run was begun with, but more ticks."""
    folder = Path(config["resume"])
    if not (folder / "config.yaml").is_file():
        return  # the experiment says what is wrong with the folder
    written = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    begun = refilled_config({**dict(written), "output_dir": str(folder)}, config)  # type: ignore[arg-type]
    for word in overrides:
        option = word.lstrip("+~").split("=")[0].split("@")[0].replace("/", ".")
        given, kept = _value(config, option), _value(begun, option)
        if option in _OF_ANY_RUN or _goes_on(option, given, kept):
            continue
        was = f"; it was begun with {in_command(kept)}" if not isinstance(kept, Mapping) else ""
        raise OptionError(
            f"{masked_argument(word)} would change nothing: resume={config['resume']} goes on with"
            f" the settings of that run{was}; leave {option} out, or begin a new run without resume"
        )


def _goes_on(option: str, given: Any, kept: Any) -> bool:
    if option == "experiment.ticks":
        return bool(given >= kept)
    if option == "output_dir":
        return Path(given).resolve() == Path(kept).resolve()
    return bool(given == kept)


def _value(config: Mapping[str, Any], option: str) -> Any:
    node: Any = config
    for part in option.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
