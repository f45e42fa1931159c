"""Does training adapters further help where people have changed and their model cannot know?

The shipped people answer as their model did at the start, except that from the first tick on they
all give the items of the commonest genres more stars, or fewer. The model is not informed:
profiles and averages stay; what the people decide is the only news.

Run: ``python -m experiments.simulate.drifted``. Score: held-out error of every adapter before and
after its training; 0 stars of drift is the control, in which there is no news.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from agents.living.adapter_refresh import Refresh
from agents.living.reflection import LivingUsers
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from experiments.people.sized_populations import first_people, own_dataset
from experiments.reporting.report import markdown_table
from experiments.simulate.build import Refreshing, refresher
from recommenders.policies.heuristics import Random
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.moving_world import LivingTruth
from simenv.abm.settings import SocietySettings
from simenv.abm.shocks import Shock
from simenv.abm.social import SocialSettings
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray
from simenv.user_model import Truth

_NUM_GENRES = 3  # the commonest, of which people think otherwise
_TRAINING = {"name": "small", "learning_rate": 3e-4, "epochs": 1}  # as in conf/


@dataclass
class TrueUsers(PersonaUsers):
    """Personas whose answers come from a truth, not from their engine.

    Args:
        truth: what they answer by; None = their engine, as always.
    """

    truth: Truth | None = None

    def probabilities(self, users: IntArray, items: IntArray, chosen: bool = False) -> FloatArray:
        """See ``PersonaUsers.probabilities``."""
        if self.truth is None:
            return super().probabilities(users, items, chosen)
        return self.truth.probabilities(users, items)


def drifted_society(
    num_users: int, stars: float, refreshing: Refreshing, every: int, share: float = 0.1
) -> PersonaSociety:
    """People who think otherwise of the commonest genres by so many stars.

    Args:
        num_users: the first of the shipped people.
        stars: what items of these genres gain; 0 = nothing has changed.
        refreshing: how adapters are trained further.
        every: ticks between two trainings.
        share: of the people awake in a tick.
    """
    from agents.inference.local.local_engine import LocalEngine

    people = first_people(Population.load("pocket"), num_users)
    catalog = people.catalog
    at_first = PersonaUsers(people, LocalEngine(people.model, people.adapters))
    nobody_conforms = np.zeros(num_users)
    truth = LivingTruth(at_first, catalog.genre_matrix, nobody_conforms, people.averages.fair)
    users = TrueUsers(people, LocalEngine(people.model, people.adapters), truth=truth)
    trains = refresher(users, 0, refreshing)
    turned = Shock("scandal", 1, items=commonest(catalog), size=-stars)
    return PersonaSociety(
        LivingUsers(users, None, trains),
        Random(),
        catalog,
        own_dataset(people).train,
        averages=people.averages,
        settings=SocietySettings(refit_every=0, herding=False, refresh_every=every),
        activation=SteadyShare(share),
        social=SocialSettings.off(),
        shocks=[turned] if stars else [],
        world=truth,
        seed=0,
    )


def commonest(catalog: Catalog) -> tuple[int, ...]:
    """Items of the commonest genres."""
    counts = catalog.genre_matrix.sum(axis=0)
    most = np.argsort(-counts, kind="stable")[:_NUM_GENRES]
    return tuple(np.flatnonzero(catalog.genre_matrix[:, most].any(axis=1)).tolist())


def played(society: PersonaSociety, num_ticks: int) -> list[Refresh]:
    """What became of the adapters in so many ticks."""
    for _ in range(num_ticks):
        society.step()
    users = society.user_model
    return users.refreshes if isinstance(users, LivingUsers) else []


def main() -> None:
    """Print the table; ``python -m experiments.simulate.drifted [PEOPLE [TICKS [EVERY]]]``."""
    num_users, ticks, every = [*map(int, sys.argv[1:]), *(200, 60, 20)[len(sys.argv) - 1 :]]
    heads = ["drift", "tick", "adapter", "learnt from", "held out", "nats", "RMSE", "used"]
    cells = []
    for stars in (-1.0, 1.0, 0.0):
        with tempfile.TemporaryDirectory() as folder:
            refreshing = Refreshing({}, _TRAINING, Path(folder))
            society = drifted_society(num_users, stars, refreshing, every)
            for refresh in played(society, ticks):
                pairs = zip(refresh.before, refresh.after or (np.nan, np.nan), strict=True)
                errors = [f"{before:.3f} → {after:.3f}" for before, after in pairs]
                counts = [str(refresh.learnt_from), str(refresh.held_out)]
                cells.append([f"{stars:+.1f}", str(refresh.tick), refresh.adapter, *counts,
                              *errors, "yes" if refresh.used else "no"])  # fmt: skip
    Console().print(markdown_table(heads, cells), soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    main()
