"""Sizes, schedules and switches of a society."""

from dataclasses import dataclass
from secrets import randbits

import numpy as np

from simenv.abm.living_users import Refreshes
from simenv.catalog import Catalog
from simenv.events import IntArray, InteractionLog
from simenv.ranges import as_array, check_fields, check_flag, check_number, check_seed, is_whole
from simenv.user_model import UserModel


@dataclass(frozen=True)
class SocietySettings:
    """Sizes, schedules and switches of a society.

    Args:
        slate_size: k.
        history_length: h shown items that the recommender sees.
        refit_every: ticks between two fits of the recommender; 0 = it learns nothing new.
        log_budget: simulated ratings it learns from, the latest ones.
        herding: whether the averages people see move with the ratings given here.
        reflect_every: ratings after which a person reflects; 0 = never.
        refresh_every: ticks between two trainings of the users' language model; 0 = never.
        max_failed_share: of the users asked in a tick; if more fail, the run stops, saved.
        checkpoint_every: ticks between two checkpoints, for societies with a folder.
    """

    slate_size: int = 5
    history_length: int = 50
    refit_every: int = 7
    log_budget: int = 200_000
    herding: bool = True
    reflect_every: int = 0
    refresh_every: int = 0
    max_failed_share: float = 0.2
    checkpoint_every: int = 1

    def __post_init__(self) -> None:
        sizes = ("slate_size", "history_length", "checkpoint_every")
        check_fields(self, dict.fromkeys(sizes, "whole [1, 1e9]"))
        counts = ("refit_every", "log_budget", "reflect_every", "refresh_every")
        check_fields(self, dict.fromkeys(counts, "whole [0, 1e9]"), "0 is never or none")
        check_number(
            "SocietySettings", "max_failed_share", self.max_failed_share, "[0, 1]",
            "it is a share of the users asked",
        )  # fmt: skip
        check_flag("SocietySettings", "herding", self.herding)


def choose_root(seed: int | None) -> int:
    """The root of all draws that ``seed`` names; None draws one, as Mesa's models do.

    Raises:
        TypeError: the seed is no number.
        ValueError: it is negative or not whole.
    """
    if seed is None:
        return randbits(63)
    check_seed("PersonaSociety", "a seed", seed)
    return int(seed)


def check_traits(name: str, given: IntArray | None, num_users: int, default: int) -> IntArray:
    """(U,) levels of ``activity``, 1 to 3, or ``groups`` from 0; everybody's ``default`` if None.

    Raises:
        ValueError: another number of people, or a value that is no such level or group.
    """
    if given is None:
        return np.full(num_users, default, dtype=np.int64)
    values, least = as_array(given), 1 if name == "activity" else 0
    if values.shape != (num_users,) or not is_whole(values):
        raise ValueError(
            f"PersonaSociety wanted {name} as whole numbers of shape ({num_users},), got"
            f" {values.dtype} of shape {values.shape}; give one a person"
        )
    most = 3 if name == "activity" else num_users
    if num_users and (values.min() < least or values.max() > most):
        raise ValueError(
            f"PersonaSociety wanted {name} from {least} to {most}, got"
            f" {values.min()}..{values.max()}; number them so"
        )
    return values.astype(np.int64)


def check_fits(
    user_model: UserModel, catalog: Catalog, log: InteractionLog, settings: SocietySettings
) -> None:
    """Raise ValueError unless users, items and log are of one size and do what settings ask."""
    if user_model.num_users != log.num_users or log.num_items != len(catalog):
        raise ValueError(
            f"PersonaSociety wanted a log over {user_model.num_users} users and"
            f" {len(catalog)} items, got {log.num_users} and {log.num_items};"
            " give the log these users were made from"
        )
    if settings.refresh_every and not isinstance(user_model, Refreshes):
        raise ValueError(
            "refresh_every wanted users whose language model can be trained further, got"
            f" {type(user_model).__name__}; take personas, or refresh_every=0"
        )
