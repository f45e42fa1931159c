"""Requests of a population in named shapes: how exposures spread over users and adapters.

The names follow punica's benchmarks (MLSys 2024). Letters: ``n`` requests, ``g`` adapters.
"""

import numpy as np

from agents.inference.engine import Request
from agents.persona_users import PersonaUsers
from simenv.events import IntArray

WORKLOADS = ("distinct", "uniform", "zipf", "identical", "skewed")


def requests(
    people: PersonaUsers, workload: str, num_users: int, slate: int, adapters: list[str], seed: int
) -> list[Request]:
    """``num_users * slate`` requests; the texts depend on the seed, who asks how often does not.

    Args:
        people: whose prompts they are.
        workload: ``distinct`` every request has a prefix of its own · ``uniform`` everybody sees a
            slate · ``zipf`` the i-th user asks in proportion to 1/i · ``identical`` one request
            again and again · ``skewed`` half of all requests are one user's.
        num_users: at most those of ``people``.
        slate: requests a user, on average.
        adapters: user u is on adapter u mod g; none = all on the base model.
        seed: of the items.

    Raises:
        ValueError: there is no such workload.
    """
    rng = np.random.default_rng(seed)
    owners = _owners(workload, num_users, slate)
    items = rng.integers(0, len(people.population.catalog), (len(owners), 1))
    if workload == "identical":
        items[:] = items[0]
    asked = people.requests(owners, items)
    if workload == "distinct":
        asked = [r._replace(prefix=f"{r.prefix}NOTE {i}.\n") for i, r in enumerate(asked)]
    if adapters:
        pairs = zip(asked, owners.tolist(), strict=True)
        asked = [r._replace(adapter=adapters[u % len(adapters)]) for r, u in pairs]
    return asked


def _owners(workload: str, num_users: int, slate: int) -> IntArray:
    """(n,) who asks; a user's requests are neighbours, as slates are."""
    n = num_users * slate
    if workload in ("distinct", "uniform"):
        return np.repeat(np.arange(num_users), slate)
    if workload == "zipf":
        edges = np.cumsum(1.0 / np.arange(1, num_users + 1))
        return np.searchsorted(edges / edges[-1], (np.arange(n) + 0.5) / n).astype(np.int64)
    if workload == "identical":
        return np.zeros(n, dtype=np.int64)
    if workload == "skewed":
        return np.where(np.arange(n) < n // 2, 0, np.arange(n) % num_users).astype(np.int64)
    raise ValueError(f"workload wanted one of {', '.join(WORKLOADS)}, got {workload!r}")
