"""Sizes, schedules and switches of a society."""

from dataclasses import dataclass


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
        least = {"slate_size": 1, "history_length": 1, "refit_every": 0, "log_budget": 0,
                 "reflect_every": 0, "refresh_every": 0, "checkpoint_every": 1}  # fmt: skip
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(
                    f"SocietySettings wanted {name} of at least {low}, got {getattr(self, name)}"
                )
        if not 0 <= self.max_failed_share <= 1:
            raise ValueError(
                "SocietySettings wanted max_failed_share in [0, 1], got"
                f" {self.max_failed_share}; it is a share of the users asked"
            )
