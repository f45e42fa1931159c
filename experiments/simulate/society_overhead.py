"""What a society costs beside its users and its policy.

Run: ``python -m experiments.simulate.society_overhead``. With ``personas`` as an argument: 10,000
people on the shipped language model, 1 % awake, against as many others put to the users alone, by
turns.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recommenders.policies.heuristics import Popularity
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.settings import SocietySettings
from simenv.abm.social import SocialSettings
from simenv.catalog import Catalog
from simenv.events import FloatArray, InteractionLog
from simenv.seeding import row_seeds
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

if TYPE_CHECKING:
    from agents.population.population import Population

_STILL = SocietySettings(refit_every=0, herding=False)


def scripted_society(num_users: int, num_items: int, social: SocialSettings) -> PersonaSociety:
    """Scripted users, 10 % of them awake in every tick."""
    rng = np.random.default_rng(0)
    truth = LatentTruth.draw(num_users, num_items)
    genres = tuple((f"genre {g}",) for g in truth.item_factors.argmax(axis=1).tolist())
    titles = tuple(str(item) for item in range(num_items))
    catalog = Catalog(titles, np.full(num_items, 2000), genres)
    rows = 2 * num_users
    log = InteractionLog.from_columns(
        rng.integers(0, num_users, rows),
        rng.integers(0, num_items, rows),
        rng.integers(1, 6, rows).astype(np.float64),
        num_users=num_users,
        num_items=num_items,
    )
    users = ScriptedUsers(truth, num_users, num_items)
    return PersonaSociety(
        users, Popularity(), catalog, log, settings=_STILL,
        activation=SteadyShare(0.1), social=social, seed=0,
    )  # fmt: skip


def measure(society: PersonaSociety, num_ticks: int) -> FloatArray:
    """(num_ticks, 2): seconds of each tick, and of what is neither users nor policy, by awake."""
    rows = []
    for _ in range(num_ticks):
        before = society.total_seconds, society.user_seconds + society.platform.seconds
        society.step()
        total = society.total_seconds - before[0]
        rest = total - (society.user_seconds + society.platform.seconds - before[1])
        rows.append((total, rest / max(1, len(society.last.users))))
    return np.array(rows[1:])  # the first tick warms up


def persona_society(num_users: int) -> PersonaSociety:
    """The shipped people, each several times, so that there are ``num_users`` of them."""
    from agents.assembly import persona_users
    from agents.inference.local.local_engine import LocalEngine
    from agents.living.reflection import LivingUsers
    from agents.population.population import Population

    people = _copies(Population.load("pocket"), num_users)
    users = LivingUsers(persona_users(people, LocalEngine))
    return PersonaSociety(
        users, Popularity(), people.catalog, people.history, averages=people.averages,
        settings=_STILL, activation=SteadyShare(0.01), social=SocialSettings.off(), seed=0,
    )  # fmt: skip


def _copies(shipped: "Population", num_users: int) -> "Population":
    """At least so many people: everybody several times."""
    size = len(shipped.personas)
    copies = -(-num_users // size)
    history = shipped.history
    log = InteractionLog.from_columns(
        np.concatenate([history.users + size * copy for copy in range(copies)]),
        np.tile(history.items, copies),
        np.tile(history.ratings, copies),
        np.tile(history.timestamps, copies),
        num_users=size * copies,
        num_items=history.num_items,
    )
    return replace(
        shipped, personas=shipped.personas * copies, history=log, reasons=shipped.reasons * copies
    )


def personas_by_turns(num_users: int, num_ticks: int) -> FloatArray:
    """(num_ticks, 2): seconds of a tick, and of ``respond`` for as many users."""
    society = persona_society(num_users)
    rows, users = [], society.user_model
    for _ in range(num_ticks):
        ticked = _seconds(society.step)
        last = society.last
        others = (last.users + 137) % users.num_users
        seeds = row_seeds(1, last.users, last.users)
        rows.append((ticked, _seconds(partial(users.respond, others, last.slates, seeds))))
    return np.array(rows[1:])


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    if "personas" in sys.argv[1:]:
        tick, bare = np.median(personas_by_turns(10_000, 8), axis=0)
        each = 100 * _STILL.slate_size
        print(f"10,000 personas: {each / tick:.0f} exposures/s in the society,")
        print(f"{each / bare:.0f} from the users alone: {tick / bare - 1:+.1%} time")
        return
    for name, social in (("nobody knows anybody", SocialSettings.off()),
                         ("word of mouth and trends", SocialSettings())):  # fmt: skip
        found = measure(scripted_society(100_000, 600, social), 10)
        middle, best = np.median(found, axis=0), found.min(axis=0)
        print(f"100,000 users, 10 % awake, {name}: {middle[0]:.2f} s a tick (best {best[0]:.2f}),")
        print(f"beside users and policy {1e6 * middle[1]:.1f} us a user awake"
              f" (best {1e6 * best[1]:.1f})")  # fmt: skip


if __name__ == "__main__":
    main()
