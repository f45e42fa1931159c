"""The settings of an environment and the options of its reset: what is allowed, and the errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, TypedDict

import numpy as np
from gymnasium.vector import AutoresetMode

from simenv.env.rendering import MODES
from simenv.env.rewards import RewardChoice
from simenv.events import BoolArray, IntArray
from simenv.ranges import as_array, check_flag, check_number, check_seed, is_whole
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects
from simenv.users.weariness import Wear

_KNOWN = ("forget", "reset_mask", "root", "users")
_PARTS: dict[str, tuple[type, str]] = {  # of the class, and the cure
    "life": (Life, "write life=Life()"),
    "effects": (VisitEffects, "write effects=VisitEffects()"),
    "wear": (Wear, "write wear=Wear()"),
    "on_close": (Callable, "give a function without arguments"),  # type: ignore[dict-item]
}
_MOST = {"max_episode_steps": "1e9", "slate_size": "1e6", "history_length": "1e6"}  # else 1e7
_MOST_KEPT = 2 * 10**8  # numbers in the histories of a batch: 1.6 GB
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "repeats": ("raise", "replace"),
    "render_mode": (None, *MODES),
}


class EnvSettings(TypedDict, total=False):
    """The settings that a single environment and a batch share; ``RecVectorEnv`` explains them."""

    slate_size: int
    history_length: int
    reward: RewardChoice
    max_episode_steps: int
    life: Life | None
    effects: VisitEffects | None
    wear: Wear | None
    users: IntArray | None
    repeats: Literal["raise", "replace"]
    texts: bool
    render_mode: str | None
    on_close: Callable[[], None] | None


@dataclass(frozen=True)
class ResetOptions:
    """Checked options of one reset of n rows.

    Automatic resets keep what describes the run and do not repeat what happens once. ``users`` come
    back to their rows at every automatic reset, until a call of ``reset`` restarts the row; rows
    whose user was drawn get a drawn user each time. ``root`` stays, as a seed does: all draws go on
    from it by a hash, so the whole run replays. ``reset_mask`` and ``forget`` hold for one call.
    """

    mask: BoolArray  # (n,) option ``reset_mask``: rows to reset; all if it is not given
    users: IntArray | None  # (n,) who sits where, -1 = leave the row idle; None = drawn
    root: int | None  # re-keys all draws, memories and counters stay; None = as it was
    forget: bool  # memories go back to those at construction; no draw is re-keyed


def check_settings(**settings: object) -> None:
    """Check settings by their names: sizes, choices and parts.

    Raises:
        ValueError: a size is below 1 or a choice unknown.
        TypeError: a size is no number, a switch no truth value, or a part something else.
    """
    for name, value in settings.items():
        if name in _CHOICES:
            if not isinstance(value, str | None) or value not in _CHOICES[name]:
                raise ValueError(
                    f"{name} wanted one of {_CHOICES[name]}, got {value!r:.80}; choose a known one"
                )
        elif name in _PARTS:
            kind, cure = _PARTS[name]
            if value is not None and not isinstance(value, kind):
                raise TypeError(
                    f"{name} wanted a {kind.__name__} or None, got {value!r:.80}; {cure}"
                )
        elif name == "texts":
            check_flag("the environment", name, value)
        else:
            most = f"whole [1, {_MOST.get(name, '1e7')}]"
            check_number("", name, value, most, "choose a larger or smaller one")
    if settings.get("wear") is not None and settings.get("life") is None:
        raise ValueError(
            "wear wanted an environment with a life, got life=None: weariness goes from visit to"
            " visit; write life=Life()"
        )


def check_memory(num_envs: int, history_length: int) -> None:
    """Raise ValueError where the histories of a batch would take gigabytes."""
    if num_envs * history_length > _MOST_KEPT:
        raise ValueError(
            f"num_envs and history_length wanted at most {_MOST_KEPT:,} shown items to keep, got"
            f" {num_envs} of {history_length}; choose smaller ones"
        )


def parse_autoreset(mode: object) -> AutoresetMode:
    """The mode of that name or value.

    Raises:
        ValueError: there is none such.
    """
    try:
        return AutoresetMode(mode)
    except ValueError as error:
        known = [each.value for each in AutoresetMode]
        raise ValueError(
            f"autoreset_mode wanted one of {known}, got {mode!r:.80}; choose a known one"
        ) from error


def check_pool(users: IntArray | None, num_envs: int, num_users: int) -> IntArray:
    """The pool of user ids (p,), everybody if none is given.

    Raises:
        ValueError: ids repeat or are out of range, or there are fewer than ``num_envs``.
    """
    given = np.arange(num_users) if users is None else as_array(users).reshape(-1)
    if not is_whole(given):
        raise ValueError(
            f"users wanted whole ids in [0, {num_users}), got {given.dtype} of {len(given)};"
            " choose users of this world, each once"
        )
    pool = given.astype(np.int64)
    if len(np.unique(pool)) != len(pool) or (len(pool) and not _in_range(pool, num_users)):
        raise ValueError(
            f"users wanted distinct ids in [0, {num_users}), got {_brief(pool)};"
            " choose users of this world, each once"
        )
    if num_envs > len(pool):
        raise ValueError(
            f"num_envs wanted at most one row a user, got num_envs={num_envs} for {len(pool)}"
            f" users; use num_envs <= {len(pool)} or a larger pool of users"
        )
    return pool


def parse_options(
    options: Mapping[str, Any] | None,
    seed: int | None,
    seated: IntArray,
    num_users: int,
    may_idle: bool,
) -> ResetOptions:
    """The options of one reset, checked.

    Args:
        options: what came; not changed.
        seed: the seed of the same reset.
        seated: (n,) who sits in a row or is bound to come back to it, -1 = nobody.
        num_users: ids must lie in ``[0, num_users)``.
        may_idle: whether -1 may leave a row without a session.

    Raises:
        ValueError: an option is unknown or malformed, or somebody would sit in two rows.
        TypeError: ``reset_mask`` is not a boolean array, ``root`` no integer or ``forget`` no bool.
    """
    given = as_options(options)
    unknown = sorted(str(key) for key in given if key not in _KNOWN)
    if unknown:
        raise ValueError(
            f"reset wanted options among {list(_KNOWN)}, got {unknown}; check the spelling"
        )
    mask = _parse_mask(given.get("reset_mask"), len(seated), seed)
    users = given.get("users")
    if users is not None:
        users = _parse_users(users, mask, seated, num_users)
        if (users[mask] < 0).any() and not may_idle:
            raise ValueError(
                "reset option 'users' wanted ids of at least 0, got -1: only an environment with"
                " autoreset_mode=AutoresetMode.DISABLED can leave a row idle"
            )
    root = _parse_root(given.get("root"))
    forget = _parse_forget(given.get("forget", seed is not None), mask, seed)
    return ResetOptions(mask, users, root, forget)


def as_options(options: object) -> dict[str, Any]:
    """Options of a reset as a dict of their own.

    Raises:
        TypeError: they are no mapping.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(
            f"reset wanted options as a dict or None, got {type(options).__name__};"
            " write options={'users': …}"
        )
    return dict(options)


def parse_seed(seed: object) -> int | None:
    """The seed of a reset.

    Raises:
        TypeError: it is no number.
        ValueError: it is negative or not whole.
    """
    if seed is None:
        return None
    check_seed("reset", "a seed", seed)
    return int(seed)  # type: ignore[call-overload,no-any-return]


def _parse_root(root: Any) -> int | None:
    is_whole_number = isinstance(root, Integral) and not isinstance(root, bool | np.timedelta64)
    if root is not None and not is_whole_number:
        raise TypeError(
            f"reset option 'root' wanted an integer, got {root!r}; choose any whole one"
        )
    return None if root is None else int(root)


def _parse_forget(forget: Any, mask: BoolArray, seed: int | None) -> bool:
    if not isinstance(forget, bool):
        raise TypeError(f"reset option 'forget' wanted True or False, got {forget!r}")
    if forget and not mask.all():
        raise ValueError(
            "reset option 'forget' wanted all rows to restart, got a partial 'reset_mask': the"
            " memories of everybody go back; leave one of them out"
        )
    if not forget and seed is not None:
        raise ValueError(
            "reset wanted either a seed or forget=False, got both: a seed replays the whole run,"
            " memories included; use options={'root': seed} to re-key the draws alone"
        )
    return forget


def _parse_mask(mask: Any, num_envs: int, seed: int | None) -> BoolArray:
    if mask is None:
        return np.ones(num_envs, dtype=np.bool_)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        raise TypeError(
            "reset option 'reset_mask' wanted a boolean numpy array, got"
            f" {getattr(mask, 'dtype', type(mask).__name__)}; pass terminated | truncated"
        )
    if mask.shape != (num_envs,) or not mask.any():
        raise ValueError(
            f"reset option 'reset_mask' wanted shape ({num_envs},) with a true entry, got shape"
            f" {mask.shape} with {int(mask.sum())}; pass terminated | truncated"
        )
    if seed is not None and not mask.all():
        raise ValueError(
            "reset wanted either a seed or a partial 'reset_mask', got both: a seed rolls the"
            " whole world back; leave one of them out"
        )
    return mask.copy()


def _parse_users(users: Any, mask: BoolArray, seated: IntArray, num_users: int) -> IntArray:
    array = as_array(users)
    if array.shape != mask.shape or not is_whole(array):
        raise ValueError(
            f"reset option 'users' wanted one integer id a row, shape {mask.shape}, got"
            f" {array.dtype} of shape {array.shape}; give ids for all rows"
        )
    wanted = array[mask].astype(np.int64)
    coming = wanted[wanted != -1]
    if len(coming) and not _in_range(coming, num_users):
        raise ValueError(
            f"reset option 'users' wanted ids in [0, {num_users}) or -1 for an idle row, got"
            f" {_brief(coming)}; choose users of this world"
        )
    _check_seated_once(np.concatenate([coming, seated[~mask & (seated >= 0)]]))
    return array.astype(np.int64)


def _check_seated_once(present: IntArray) -> None:
    if len(np.unique(present)) != len(present):
        raise ValueError(
            f"reset option 'users' wanted everybody in one row only, got {_brief(present)};"
            " seat each user once"
        )


def _in_range(ids: IntArray, size: int) -> bool:
    return bool(ids.min() >= 0 and ids.max() < size)


def _brief(ids: IntArray) -> str:
    shown = ", ".join(str(i) for i in ids[:8].tolist())
    return f"[{shown}, …] ({len(ids)} ids)" if len(ids) > 8 else f"[{shown}]"
