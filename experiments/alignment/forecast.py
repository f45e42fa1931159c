"""How many questions a measurement asks, from its settings and the held-out rows alone.

Nobody is asked. Of questions to people who qualify (enough liked items, enough items left) there
may be fewer; of those about failed answers too.
"""

from collections.abc import Callable

import numpy as np
from omegaconf import DictConfig

from agents.fidelity.five_way import SIZE
from agents.fidelity.held_out import num_asked
from agents.fidelity.like_dislike import ASKED, num_liked
from agents.fidelity.probes import INJECTIONS, ONE_WORD, PARAPHRASES
from experiments.alignment.asked import chosen_users, parted_rows
from experiments.alignment.choosing import NEGATIVES
from experiments.alignment.identity import KNOWN_ROWS, some_users
from experiments.alignment.later_ratings import later_rows
from experiments.alignment.probing import AFTER, PLACES
from experiments.alignment.unseen_items import KINDS
from experiments.alignment.unseen_items import PLACES as UNSEEN_PLACES
from simenv.data.dataset import Dataset
from simenv.events import IntArray, InteractionLog

_VARIANTS = 7  # at most: two of them where there are several adapters
_ENDS = 2  # of displayed averages


def questions_by_part(cfg: DictConfig, dataset: Dataset) -> dict[str, int]:
    """Part → questions; the ratings come in any case."""
    settings = cfg.experiment
    users = chosen_users(dataset, cfg.num_users, cfg.seed)
    fitted, measured = (
        dataset.test.take(rows)
        for rows in parted_rows(dataset.test, users, settings.validation, settings.asked_rows)
    )
    makers: dict[str, Callable[[], int]] = {
        "choices": lambda: _choices(dataset, users, settings),
        "identity": lambda: _identity(measured, settings.variant_rows, cfg.seed),
        "probes": lambda: _probes(dataset, len(users), settings.probe_users),
        "counterfactual": lambda: _unseen(dataset, len(users), settings.probe_users),
    }
    later = later_rows(dataset, measured)
    found = {"ratings": num_asked(fitted) + num_asked(measured)}
    found["later ratings"] = 0 if later is None else num_asked(measured.take(later))
    return found | {name: make() for name, make in makers.items() if name in settings.parts}


def _choices(dataset: Dataset, users: IntArray, settings: DictConfig) -> int:
    """One to one, three and nine, with two kinds of negatives; and scenes, asked in two ways."""
    able = num_liked(dataset.test.only_users(users))
    people = [
        min(int(settings.like_users), int((able >= ASKED // (m + 1)).sum())) for m in NEGATIVES
    ]
    scenes = min(int(settings.scenes), len(dataset.test))
    return 2 * ASKED * sum(people) + (SIZE + 1) * scenes


def _identity(measured: InteractionLog, most_rows: int, seed: int) -> int:
    some = some_users(measured, most_rows, seed)
    return (_VARIANTS + len(KNOWN_ROWS)) * num_asked(measured.only_users(some))


def _probes(dataset: Dataset, num_users: int, most: int) -> int:
    """Everybody as they are, and once for every probe."""
    times = 1 + 2 * len(INJECTIONS) + len(PARAPHRASES) + len(ONE_WORD) + 1 + len(AFTER) + _ENDS
    return times * min(num_users, most) * min(PLACES, dataset.num_items)


def _unseen(dataset: Dataset, num_users: int, most: int) -> int:
    if dataset.truth is None:
        return 0
    return len(KINDS) * min(num_users, most) * min(UNSEEN_PLACES, dataset.num_items)


def num_questions(cfg: DictConfig, dataset: Dataset) -> int:
    """Of all parts that are asked for."""
    return int(np.sum([*questions_by_part(cfg, dataset).values()]))
