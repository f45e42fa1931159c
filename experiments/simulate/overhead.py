"""What a society costs beside its users and its policy.

Run: ``python -m experiments.simulate.overhead``. With ``personas`` as an argument: 10,000 people on
the shipped language model, 1 % awake, against as many others put to the users alone, by turns.
"""

import sys
import time
from dataclasses import replace

import numpy as np

from recommenders.heuristics import Popularity
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.settings import SocietySettings
from simenv.abm.social import SocialSettings
from simenv.catalog import Catalog
from simenv.events import FloatArray, InteractionLog
from simenv.scripted_users import LatentTruth, ScriptedUsers
from simenv.seeding import row_seeds

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
        users, Popularity(), catalog.with_averages(log), log, settings=_STILL,
        activation=SteadyShare(0.1), social=social,
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
    from agents.population import Population
    from agents.reflection import LivingUsers

    shipped = Population.shipped()
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
    people = replace(
        shipped, personas=shipped.personas * copies, history=log, reasons=shipped.reasons * copies
    )
    users = LivingUsers(persona_users(people))
    return PersonaSociety(
        users, Popularity(), people.catalog, log, settings=_STILL, activation=SteadyShare(0.01),
        social=SocialSettings.off(),
    )  # fmt: skip


def against_the_bare_users(society: PersonaSociety, num_ticks: int) -> FloatArray:
    """(num_ticks, 2): seconds an exposure of a tick, and of ``respond`` for just as many users."""
    rows, users = [], society.user_model
    for _ in range(num_ticks):
        started = time.perf_counter()
        society.step()
        ticked = time.perf_counter() - started
        last = society.last
        seeds = row_seeds(1, last.users, last.users)
        started = time.perf_counter()
        users.respond((last.users + 137) % users.num_users, last.slates, seeds)
        rows.append((ticked, time.perf_counter() - started))
    return np.array(rows[1:])


def main() -> None:
    """Print the figures."""
    if "personas" in sys.argv[1:]:
        society = persona_society(10_000)
        seconds = against_the_bare_users(society, 8)
        ratio = np.median(seconds[:, 0]) / np.median(seconds[:, 1])
        each = society.settings.slate_size * 100 / np.median(seconds, axis=0)
        print(f"{len(society.agents):,} personas: {each[0]:.0f} exposures/s in the society,")
        print(f"{each[1]:.0f} from the users alone: {ratio - 1:+.1%} time")
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
