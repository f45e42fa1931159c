"""A person in Mesa's hands: a handle on one row of the society's arrays, without state."""

from typing import Any, Protocol, cast

import mesa

from simenv.abm.keeping.journal import TickRecord
from simenv.abm.social import Social
from simenv.abm.tally import Tally
from simenv.events import IntArray
from simenv.ranges import check_number


class Society(Protocol):
    """What a person reads of the society."""

    groups: IntArray  # (U,)
    tally: Tally
    social: Social
    last: TickRecord


class Person(mesa.Agent):  # type: ignore[misc]
    """User ``user`` of the society; reading an attribute reads the society's arrays."""

    def __init__(self, model: Any, user: int) -> None:
        num_users = len(model.groups)
        check_number("Person", "a user", user, f"whole [0, {num_users})", "all are there already")
        self.user = user
        super().__init__(model)

    @property
    def society(self) -> Society:
        """The model, by what is read of it."""
        return cast(Society, self.model)

    @property
    def group(self) -> int:
        """Persona group: what curves and colours are split by."""
        return int(self.society.groups[self.user])

    @property
    def num_ratings(self) -> int:
        """Ratings given in this society."""
        return int(self.society.tally.num_ratings[self.user])

    @property
    def satisfaction(self) -> float:
        """Mean expected stars of the last slate; 0 before the first."""
        return float(self.society.tally.satisfaction[self.user])

    @property
    def friends(self) -> IntArray:
        """User ids of the neighbours in the social network."""
        return self.society.social.friends(self.user)

    @property
    def is_awake(self) -> bool:
        """Whether this person was asked in the last tick."""
        return bool((self.society.last.users == self.user).any())
