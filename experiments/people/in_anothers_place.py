"""The swap test: every user is answered for by somebody else's Ms, Ml, adapter and gate.

If answers are as good as before, they say nothing of whose they are.
"""

from dataclasses import replace

import numpy as np

from agents.peers import Peers
from agents.population.population import Population
from simenv.events import IntArray, InteractionLog
from simenv.seeding import Stream, generator


def another(num_users: int, seed: int) -> IntArray:
    """(n,) who answers in each user's place: somebody else, and everybody once."""
    order = generator(seed, Stream.SWAPPED_PEOPLE).permutation(num_users)
    found = np.empty(num_users, dtype=np.int64)
    found[order] = np.roll(order, 1)
    return found


def swapped(people: Population, seed: int) -> Population:
    """The same ids with other people behind them; items and averages are as they were."""
    lot = another(len(people.personas), seed)
    log, offsets = people.history, people.history.offsets()
    rows = np.concatenate([np.arange(offsets[u], offsets[u + 1]) for u in lot])
    sizes = np.diff(offsets)[lot]
    users = np.repeat(np.arange(len(lot), dtype=np.int64), sizes)
    columns = log.items[rows], log.ratings[rows], log.timestamps[rows]
    history = InteractionLog(users, *columns, log.num_users, log.num_items)
    return replace(
        people,
        personas=[people.personas[u] for u in lot],
        history=history,
        reasons=[people.reasons[row] for row in rows.tolist()],
        peers=people.peers and Peers(people.peers.people[lot], people.peers.items),
        wariness=people.wariness and people.wariness.of(lot),
    )
